package io.keystile;

import io.keystile.store.KeyRecord;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hot path: parse, look up, prove, then ask about state, transport, caller, address and scopes,
 * in this order. A warm call does no I/O, takes no lock and allocates three small objects: the
 * request, the id it looks up by, and the result.
 */
final class Validator {
  private static final Logger log = LoggerFactory.getLogger(Validator.class);

  /** What validation works with; none of it changes. */
  record Parts(
      List<TokenPrefix> prefixes,
      SecretHasher hasher,
      @Nullable MintTags requiredTags,
      KeyLoader loader,
      KeyCache cache,
      ChangeFeed feed,
      UseRecorder recorder,
      ScheduledExecutorService timer,
      Events events) {}

  private final Parts parts;
  private final Settings settings;
  private final TokenParser parser;
  private final ScratchPool pool = new ScratchPool();
  private final CachedKey nobody;
  private final AtomicBoolean loadFailing = new AtomicBoolean();
  private final Set<String> missingPeppers = ConcurrentHashMap.newKeySet();
  private final long entryAge;
  private final long maxStale;
  private final long refreshAfter;

  Validator(Parts parts, Settings settings) {
    this.parts = parts;
    this.settings = settings;
    parser = new TokenParser(parts.prefixes());
    nobody = parts.loader().absent();
    entryAge = settings.entryAge().toNanos();
    maxStale = settings.maxStale().toNanos();
    refreshAfter = settings.refreshAfter().toNanos();
  }

  /** One request: what it presents, needs and comes from, and whether it leaves traces. */
  record Request(@Nullable String token, Access access, Origin origin, boolean recorded) {

    /** Without the token. */
    @Override
    public String toString() {
      return "Request[access=" + access + ", origin=" + origin + "]";
    }
  }

  Validation validate(Request request) {
    Validation warm = decide(request, null);
    if (warm != null) {
      return warm;
    }
    try {
      CompletableFuture<CachedKey> flight = parts.cache().load(idOf(request));
      CachedKey key = flight.get(settings.loadDeadline().toNanos(), TimeUnit.NANOSECONDS);
      return loaded(request, key);
    } catch (ExecutionException e) {
      return failed(e.getCause());
    } catch (RejectedExecutionException | TimeoutException e) {
      return Rejected.unproven(Reason.STORE_UNAVAILABLE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Rejected.unproven(Reason.STORE_UNAVAILABLE);
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what comes of the flight is in the result
  CompletableFuture<Validation> validateAsync(Request request) {
    CompletableFuture<Validation> result = new CompletableFuture<>();
    Validation warm = decide(request, null);
    if (warm != null) {
      result.complete(warm);
      return result;
    }
    try {
      // a timer of ours: that of the JDK runs continuations on the common pool's threads
      Future<?> deadline =
          parts
              .timer()
              .schedule(
                  () -> result.complete(Rejected.unproven(Reason.STORE_UNAVAILABLE)),
                  settings.loadDeadline().toNanos(),
                  TimeUnit.NANOSECONDS);
      parts
          .cache()
          .load(idOf(request))
          .whenComplete(
              (key, failure) -> {
                deadline.cancel(false);
                result.complete(failure == null ? loaded(request, key) : failed(failure));
              });
    } catch (RejectedExecutionException e) {
      result.complete(Rejected.unproven(Reason.STORE_UNAVAILABLE));
    }
    return result;
  }

  /** The ids of peppers that hashes needed and this node does not have. */
  Set<String> missingPeppers() {
    return missingPeppers;
  }

  /** Whether the feed is fresh enough for what is cached to be accepted. */
  boolean isFresh() {
    return parts.feed().lastGoodPollAt() != null
        && settings.ticker().getAsLong() - parts.feed().lastGoodPoll() <= maxStale;
  }

  private KeyId idOf(Request request) {
    // it was parsed a moment ago, so it is well-formed
    return TokenParser.idOf(Objects.requireNonNull(request.token()));
  }

  private Validation loaded(Request request, CachedKey key) {
    loadFailing.set(false);
    // a load that took very long is no fresher than a cached key of that age
    Validation result = isFreshEnough(key) ? decide(request, key) : null;
    return result != null ? result : Rejected.unproven(Reason.STORE_UNAVAILABLE);
  }

  private Validation failed(@Nullable Throwable failure) {
    if (failure instanceof KeyLoader.PermissionsException) {
      warnOnce("SubjectPermissions failed: {}", failure.getCause());
      return Rejected.unproven(Reason.PERMISSIONS_UNAVAILABLE);
    }
    warnOnce("A key could not be loaded: {}", failure);
    return Rejected.unproven(Reason.STORE_UNAVAILABLE);
  }

  private void warnOnce(String message, @Nullable Throwable failure) {
    if (loadFailing.compareAndSet(false, true)) {
      log.warn(message, String.valueOf(failure));
    }
  }

  /** Decides with what is cached, or was just loaded; null if it must be loaded first. */
  private @Nullable Validation decide(Request request, @Nullable CachedKey loaded) {
    Scratch scratch = pool.acquire();
    try {
      if (!parser.parse(request.token(), scratch)) {
        return Rejected.unproven(Reason.MALFORMED);
      }
      CachedKey key = loaded != null ? loaded : cached(scratch);
      return key == null ? null : judge(request, key, scratch);
    } finally {
      pool.release(scratch);
    }
  }

  private @Nullable CachedKey cached(Scratch scratch) {
    KeyId id = new KeyId(scratch.idHigh, scratch.idLow);
    CachedKey key = parts.cache().get(id);
    if (key != null && isUsable(id, key)) {
      return key;
    }
    MintTags tags = parts.requiredTags();
    return tags != null && !tags.minted(scratch) ? nobody : null;
  }

  private boolean isUsable(KeyId id, CachedKey key) {
    if (!isFreshEnough(key)) {
      return false;
    }
    long now = settings.ticker().getAsLong();
    boolean isDue = now - key.loadedAt >= refreshAfter && !key.isAbsent();
    // a refresh that fails is tried again soon, one that succeeds brings another object
    if (isDue && key.claimRefresh(now, refreshAfter / 10)) {
      refresh(id);
    }
    return true;
  }

  private boolean isFreshEnough(CachedKey key) {
    long now = settings.ticker().getAsLong();
    long age = now - key.loadedAt;
    // what was loaded after the last good poll is as fresh as its load
    return age < entryAge && Math.min(age, now - parts.feed().lastGoodPoll()) <= maxStale;
  }

  private void refresh(KeyId id) {
    try {
      parts.cache().refresh(id);
    } catch (RejectedExecutionException e) {
      log.debug("Too many loads are waiting; a cached key is refreshed later");
    }
  }

  private Validation judge(Request request, CachedKey cached, Scratch scratch) {
    byte[] digest = scratch.digestBlock();
    Reason unproven = cached.isAbsent() ? Reason.UNKNOWN : Reason.WRONG_SECRET;
    boolean keyed = false;
    for (CachedKey.Secret secret : cached.secrets) {
      byte[] known = secret.provenDigest;
      if (known != null) {
        if (MessageDigest.isEqual(known, digest)) {
          return proven(request, cached, secret, scratch);
        }
        continue;
      }
      keyed |= secret.pepperId != null;
      switch (parts.hasher().verify(digest, secret.scheme, secret.pepperId, secret.hash)) {
        case PROVEN -> {
          secret.provenDigest = digest.clone();
          return proven(request, cached, secret, scratch);
        }
        case PEPPER_MISSING -> unproven = pepperMissing(secret.pepperId, request.recorded());
        case SCHEME_NOT_ACCEPTED -> unproven = Reason.SCHEME_UNKNOWN;
        case WRONG -> {}
      }
    }
    if (!keyed) {
      parts.hasher().pretend(digest); // the same work as for an unknown id
    }
    return Rejected.unproven(unproven);
  }

  private Reason pepperMissing(@Nullable String pepperId, boolean told) {
    if (told && pepperId != null && missingPeppers.add(pepperId)) {
      parts.events().pepperMissing(pepperId);
    }
    return Reason.PEPPER_MISSING;
  }

  private Validation proven(
      Request request, CachedKey cached, CachedKey.Secret secret, Scratch scratch) {
    ApiKey key = Objects.requireNonNull(cached.key);
    // read after the load, which may have taken a while
    long now = settings.clock().millis();
    Reason reason = refusal(request, cached, secret, scratch.prefix, now);
    if (request.recorded()) {
      parts.recorder().record(secret.lastUse, now, reason == null);
      tell(request.origin(), key, reason);
    }
    return reason == null ? new Accepted(key, secret.number) : Rejected.proven(reason, key);
  }

  /** Tells the host of what gives a secret away, unless the key is of no use any more. */
  private void tell(Origin origin, ApiKey key, @Nullable Reason reason) {
    boolean isDead = reason != null && reason.compareTo(Reason.INSECURE_TRANSPORT) < 0;
    if (isDead) {
      return;
    }
    boolean isClear = origin.transport() == Origin.Transport.CLEAR;
    if (isClear && settings.transport() != TransportPolicy.ALLOW) {
      parts.events().insecureTransport(key.id(), reason == null);
    }
    if (origin.isBrowser() && key.kind() == KeyRecord.Kind.SERVICE) {
      parts.events().usedFromBrowser(key.id());
    }
  }

  private @Nullable Reason refusal(
      Request request, CachedKey key, CachedKey.Secret secret, int prefix, long now) {
    if (prefix < 0 || !isOf(parts.prefixes().get(prefix), key)) {
      return Reason.WRONG_ENVIRONMENT;
    }
    Reason ended = ended(key, secret, now);
    if (ended != null) {
      return ended;
    }
    Origin origin = request.origin();
    boolean isClear = origin.transport() == Origin.Transport.CLEAR;
    if (isClear && settings.transport() == TransportPolicy.REQUIRE) {
      return Reason.INSECURE_TRANSPORT;
    }
    if (!isCallerAllowed(request, key)) {
      return Reason.CALLER_NOT_ALLOWED;
    }
    if (!key.networks.permit(origin)) {
      return Reason.ADDRESS_NOT_ALLOWED;
    }
    return request.access().permits(key.scopes) ? null : Reason.SCOPE_MISSING;
  }

  private static boolean isCallerAllowed(Request request, CachedKey key) {
    if (key.callers.isEmpty() && !request.access().isCallerRequired()) {
      return true;
    }
    String caller = request.origin().callerName();
    return caller != null && key.callers.contains(caller);
  }

  private static boolean isOf(TokenPrefix prefix, CachedKey key) {
    return prefix.brand().equals(key.brand) && prefix.environment().equals(key.environment);
  }

  private static @Nullable Reason ended(CachedKey key, CachedKey.Secret secret, long now) {
    if (key.state == KeyRecord.State.REVOKED) {
      return Reason.REVOKED;
    }
    if (key.state == KeyRecord.State.DISABLED) {
      return Reason.DISABLED;
    }
    if (now >= key.endsAt) {
      return Reason.KEY_ENDED;
    }
    if (now >= secret.revokedAt) {
      return Reason.VERSION_REVOKED;
    }
    if (now >= secret.retiresAt) {
      return Reason.RETIRED;
    }
    return now >= secret.expiresAt ? Reason.EXPIRED : null;
  }
}
