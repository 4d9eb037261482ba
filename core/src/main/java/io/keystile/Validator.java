package io.keystile;

import io.keystile.SecretHasher.Proof;
import io.keystile.limit.Decision;
import io.keystile.limit.Meter;
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
 * The hot path: read, look up, prove, then ask about state, transport, caller, address, scopes and
 * limits, in this order. A warm call does no I/O, takes no lock and allocates three small objects:
 * the request, the id it looks up by, and the result.
 */
final class Validator {
  private static final Logger log = LoggerFactory.getLogger(Validator.class);

  /** What validation works with; none of it changes. */
  record Parts(
      List<TokenPrefix> prefixes,
      SecretHasher hasher,
      @Nullable MintTags requiredTags,
      @Nullable ForeignTokens foreignTokens,
      KeyLoader loader,
      KeyCache cache,
      ChangeFeed feed,
      UseRecorder recorder,
      @Nullable UsageRecording usage,
      ScheduledExecutorService timer,
      Events events,
      AutomaticSteps steps,
      Limits limits,
      Outcomes outcomes) {}

  private static final long NO_NOTICE = RotationRules.Notice.NONE.until();

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
    Validation result = warm != null ? warm : waited(request);
    parts.outcomes().ended(request, result);
    return result;
  }

  private Validation waited(Request request) {
    parts.outcomes().missed(request);
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
      complete(result, request, warm);
      return result;
    }
    parts.outcomes().missed(request);
    Validation late = Rejected.unproven(Reason.STORE_UNAVAILABLE);
    try {
      // a timer of ours: that of the JDK runs continuations on the common pool's threads
      Future<?> deadline =
          parts
              .timer()
              .schedule(
                  () -> complete(result, request, late),
                  settings.loadDeadline().toNanos(),
                  TimeUnit.NANOSECONDS);
      parts
          .cache()
          .load(idOf(request))
          .whenComplete(
              (key, failure) -> {
                deadline.cancel(false);
                complete(result, request, failure == null ? loaded(request, key) : failed(failure));
              });
    } catch (RejectedExecutionException e) {
      complete(result, request, late);
    }
    return result;
  }

  /** What comes too late is nobody's result, and does not count. */
  private void complete(CompletableFuture<Validation> future, Request request, Validation result) {
    if (future.complete(result)) {
      parts.outcomes().ended(request, result);
    }
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

  /** The id of the key to load. */
  private KeyId idOf(Request request) {
    Scratch scratch = pool.acquire();
    try {
      read(request.token(), scratch); // as a moment ago, so it succeeds
      return new KeyId(scratch.idHigh, scratch.idLow);
    } finally {
      pool.release(scratch);
    }
  }

  private Validation loaded(Request request, CachedKey key) {
    loadFailing.set(false);
    // a load that took very long is no fresher than a cached key of that age
    Validation result =
        isFreshEnough(key, settings.ticker().getAsLong()) ? decide(request, key) : null;
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
      log.warn(message, failure == null ? "" : LogText.of(failure));
    }
  }

  /** Decides with what is cached, or was just loaded; null if it must be loaded first. */
  private @Nullable Validation decide(Request request, @Nullable CachedKey loaded) {
    Scratch scratch = pool.acquire();
    try {
      if (!read(request.token(), scratch)) {
        return Rejected.unproven(Reason.MALFORMED);
      }
      // read once: nothing blocks from here on
      scratch.nanos = settings.ticker().getAsLong();
      CachedKey key = loaded != null ? loaded : cached(scratch);
      return key == null ? null : judge(request, key, scratch);
    } finally {
      pool.release(scratch);
    }
  }

  /** Reads a token of ours, or if it is none and imports are on, one that was issued elsewhere. */
  private boolean read(@Nullable String token, Scratch into) {
    if (parser.parse(token, into)) {
      return true;
    }
    ForeignTokens foreign = parts.foreignTokens();
    return foreign != null && foreign.read(token, into);
  }

  private @Nullable CachedKey cached(Scratch scratch) {
    KeyId id = new KeyId(scratch.idHigh, scratch.idLow);
    CachedKey key = parts.cache().get(id);
    if (key != null && isUsable(id, key, scratch.nanos)) {
      return key;
    }
    return isWorthALoad(id, scratch) ? null : nobody;
  }

  private boolean isWorthALoad(KeyId id, Scratch scratch) {
    if (id.isImported()) {
      return parts.foreignTokens() != null;
    }
    MintTags tags = parts.requiredTags();
    return tags == null || tags.minted(scratch);
  }

  private boolean isUsable(KeyId id, CachedKey key, long now) {
    if (!isFreshEnough(key, now)) {
      return false;
    }
    boolean isDue = now - key.loadedAt >= refreshAfter && !key.isAbsent();
    // a refresh that fails is tried again soon, one that succeeds brings another object
    if (isDue && key.claimRefresh(now, refreshAfter / 10)) {
      refresh(id);
    }
    return true;
  }

  private boolean isFreshEnough(CachedKey key, long now) {
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
    boolean isForeign = scratch.prefix == Scratch.FOREIGN;
    byte[] digest = isForeign ? scratch.digest : scratch.digestBlock();
    Reason unproven = cached.isAbsent() ? Reason.UNKNOWN : Reason.WRONG_SECRET;
    boolean keyed = false;
    for (CachedKey.Secret secret : cached.secrets) {
      if (secret.isForeign != isForeign) {
        continue; // a token of one kind proves no secret of the other
      }
      byte[] known = secret.provenDigest;
      if (known != null) {
        if (MessageDigest.isEqual(known, digest)) {
          return proven(request, cached, secret, scratch);
        }
        continue;
      }
      Proof proof = parts.hasher().verify(digest, secret.scheme, secret.pepperId, secret.hash);
      switch (proof) {
        case PROVEN -> {
          secret.provenDigest = digest.clone();
          return proven(request, cached, secret, scratch);
        }
        case WRONG -> keyed |= secret.pepperId != null;
        case PEPPER_MISSING, SCHEME_NOT_ACCEPTED -> {
          // what is over lets nobody in: nobody needs its pepper
          if (!isOver(cached, secret, settings.clock().millis())) {
            unproven =
                proof == Proof.PEPPER_MISSING
                    ? pepperMissing(secret.pepperId, request.recorded())
                    : Reason.SCHEME_UNKNOWN;
          }
        }
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
    KeyInUse inUse = Objects.requireNonNull(cached.inUse);
    ApiKey key = inUse.key;
    // read after the load, which may have taken a while
    long now = settings.clock().millis();
    Reason reason = refusal(request, cached, secret, scratch.prefix, now);
    Meter meter = parts.limits().meter(cached, inUse);
    Decision limited = reason == null ? refusal(request, meter, scratch.nanos) : null;
    reason = limited == null ? reason : Reason.LIMIT_EXCEEDED;
    if (request.recorded()) {
      parts.recorder().record(secret.lastUse, now, reason == null);
      UsageRecording usage = parts.usage();
      if (usage != null) {
        usage.of(inUse).proven(now, secret.number, request.origin(), reason);
      }
      tell(request.origin(), key, reason);
      if (reason == Reason.RETIRED || reason == Reason.VERSION_REVOKED) {
        parts.events().retiredSecretUsed(key.id(), secret.number);
        if (now >= secret.notice.suspectFrom()) {
          parts.steps().retiredSecretUsed(key.id(), secret.number);
        }
      }
      AtomicBoolean renewal = secret.renewal;
      if (renewal != null && reason == null) {
        parts.steps().outdatedHashUsed(secret, renewal);
      }
    }
    if (limited != null) {
      return Rejected.limited(key, secret.number, limited);
    }
    if (reason != null) {
      return Rejected.proven(reason, key, secret.number);
    }
    RotationRules.Notice notice = secret.notice;
    long rotateBy = now < notice.from() ? NO_NOTICE : notice.until();
    long at = request.recorded() ? now : Accepted.DRY_RUN;
    return new Accepted(inUse, secret.number, request.origin(), at, rotateBy);
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
    if (!isHere(prefix, key)) {
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

  /** Charges the request, if it counts; how its limits stand if they refuse it, else null. */
  private static @Nullable Decision refusal(Request request, Meter meter, long nanos) {
    long cost = request.access().cost();
    if (request.recorded() && meter.tryAcquire(cost, nanos)) {
      return null;
    }
    // decided once more, together with what is told of it
    Decision decision = request.recorded() ? meter.acquire(cost, nanos) : meter.peek(cost);
    return decision.isAllowed() ? null : decision;
  }

  private static boolean isCallerAllowed(Request request, CachedKey key) {
    if (key.callers.isEmpty() && !request.access().isCallerRequired()) {
      return true;
    }
    String caller = request.origin().callerName();
    return caller != null && key.callers.contains(caller);
  }

  /** Whether the text named this key's brand and environment; a foreign one names none. */
  private boolean isHere(int prefix, CachedKey key) {
    if (prefix != Scratch.FOREIGN) {
      return prefix >= 0 && isOf(parts.prefixes().get(prefix), key);
    }
    for (TokenPrefix named : parts.prefixes()) {
      if (isOf(named, key)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOf(TokenPrefix prefix, CachedKey key) {
    return prefix.brand().equals(key.brand) && prefix.environment().equals(key.environment);
  }

  /** Whether a secret lets nobody in any more, whatever is done to its key. */
  private static boolean isOver(CachedKey key, CachedKey.Secret secret, long now) {
    return key.state == KeyRecord.State.REVOKED
        || now >= key.endsAt
        || secret.isRevoked
        || now >= secret.retiresAt
        || now >= secret.expiresAt;
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
    if (secret.isRevoked) {
      return Reason.VERSION_REVOKED;
    }
    if (now >= secret.retiresAt) {
      return Reason.RETIRED;
    }
    return now >= secret.expiresAt ? Reason.EXPIRED : null;
  }
}
