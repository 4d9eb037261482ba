package io.keystile;

import io.keystile.SecretHasher.Proof;
import io.keystile.limit.Decision;
import io.keystile.limit.Meter;
import io.keystile.store.KeyRecord;
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
 * limits, in this order. A warm call does no I/O, takes no lock and allocates its result only (and
 * twice a millisecond a reading of the clock).
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

  /**
   * One in 16 uses of keys in front of the cache is shown to it, which sees none of the others. Not
   * each sixteenth: of clients that take turns, that may always be the same.
   */
  private static final int SHOWN_SHIFT = Integer.SIZE - 4;

  private static final int SPREAD = 0x9E37_79B9;

  private final Parts parts;
  private final Settings settings;
  private final TokenParser parser;
  private final ScratchPool pool = new ScratchPool();
  private final CachedKey nobody;
  private final WallTime wallTime;
  private final AtomicBoolean loadFailing = new AtomicBoolean();
  private final Set<String> missingPeppers = ConcurrentHashMap.newKeySet();
  private final long entryAge;
  private final long maxStale;
  private final long refreshAfter;
  private final long absentFor;

  Validator(Parts parts, Settings settings) {
    this.parts = parts;
    this.settings = settings;
    parser = new TokenParser(parts.prefixes());
    nobody = parts.loader().absent();
    wallTime = new WallTime(settings.clock(), settings.ticker());
    entryAge = settings.entryAge().toNanos();
    maxStale = settings.maxStale().toNanos();
    refreshAfter = settings.refreshAfter().toNanos();
    absentFor = settings.absentFor().toNanos();
  }

  /** A request that waits: what it presents, needs and comes from, and whether it leaves traces. */
  private record Request(@Nullable String token, Access access, Origin origin, boolean isRecorded) {

    /** Without the token. */
    @Override
    public String toString() {
      return "Request[access=" + access + ", origin=" + origin + "]";
    }
  }

  /**
   * Validates a request; waits if its key must be loaded.
   *
   * @param recorded whether it leaves traces
   */
  Validation validate(@Nullable String token, Access access, Origin origin, boolean recorded) {
    Validation warm = decide(token, access, origin, recorded);
    Validation result = warm != null ? warm : waited(new Request(token, access, origin, recorded));
    parts.outcomes().ended(origin, recorded, result);
    return result;
  }

  private Validation waited(Request request) {
    parts.outcomes().missed(request.isRecorded());
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

  /** As {@link #validate}; never waits. */
  @SuppressWarnings("FutureReturnValueIgnored") // what comes of the flight is in the result
  CompletableFuture<Validation> validateAsync(
      @Nullable String token, Access access, Origin origin) {
    CompletableFuture<Validation> result = new CompletableFuture<>();
    Request request = new Request(token, access, origin, true);
    Validation warm = decide(token, access, origin, true);
    if (warm != null) {
      complete(result, request, warm);
      return result;
    }
    parts.outcomes().missed(true);
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
      parts.outcomes().ended(request.origin(), request.isRecorded(), result);
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
    if (!isFreshEnough(key, settings.ticker().getAsLong())) {
      return Rejected.unproven(Reason.STORE_UNAVAILABLE);
    }
    Scratch scratch = pool.acquire();
    try {
      begin(scratch, request.access(), request.origin(), request.isRecorded());
      read(request.token(), scratch); // as a moment ago, so it succeeds
      return judge(key, scratch);
    } finally {
      pool.release(scratch);
    }
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

  /** Decides with what is cached; null if it must be loaded first. */
  private @Nullable Validation decide(
      @Nullable String token, Access access, Origin origin, boolean recorded) {
    Scratch scratch = pool.acquire();
    try {
      if (!read(token, scratch)) {
        return Rejected.unproven(Reason.MALFORMED);
      }
      begin(scratch, access, origin, recorded);
      CachedKey key = cached(scratch);
      return key == null ? null : judge(key, scratch);
    } finally {
      pool.release(scratch);
    }
  }

  /** The ticker is read once, after a load if there was one: nothing blocks from here on. */
  private void begin(Scratch scratch, Access access, Origin origin, boolean recorded) {
    scratch.access = access;
    scratch.origin = origin;
    scratch.isRecorded = recorded;
    scratch.nanos = settings.ticker().getAsLong();
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
    CachedKey key = parts.cache().recent(scratch.idHigh, scratch.idLow);
    if (key == null) {
      // before the cache is asked, which takes an object: forged ids allocate nothing
      if (!canBeInStore(scratch)) {
        return nobody;
      }
      key = parts.cache().get(new KeyId(scratch.idHigh, scratch.idLow));
    } else if ((++scratch.found * SPREAD) >>> SHOWN_SHIFT == 0) {
      parts.cache().touch(key);
    }
    return key != null && isUsable(key, scratch.nanos) ? key : null;
  }

  private boolean canBeInStore(Scratch scratch) {
    if (KeyId.isImported(scratch.idHigh)) {
      return parts.foreignTokens() != null;
    }
    MintTags tags = parts.requiredTags();
    return tags == null || tags.minted(scratch);
  }

  private boolean isUsable(CachedKey key, long now) {
    if (!isFreshEnough(key, now) || (key.isAbsent() && now - key.loadedAt >= absentFor)) {
      return false;
    }
    boolean isDue = now - key.loadedAt >= refreshAfter && !key.isAbsent();
    // a refresh that fails is tried again soon, one that succeeds brings another object
    if (isDue && key.claimRefresh(now, refreshAfter / 10)) {
      refresh(key.id);
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

  private Validation judge(CachedKey cached, Scratch scratch) {
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
        if (SecretHasher.isEqual(known, digest)) {
          return proven(cached, secret, scratch);
        }
        continue;
      }
      Proof proof = parts.hasher().verify(digest, secret.scheme, secret.pepperId, secret.hash);
      switch (proof) {
        case PROVEN -> {
          secret.provenDigest = digest.clone();
          return proven(cached, secret, scratch);
        }
        case WRONG -> keyed |= secret.pepperId != null;
        case PEPPER_MISSING, SCHEME_NOT_ACCEPTED -> {
          // what is over lets nobody in: nobody needs its pepper
          if (!cached.isOver(secret, wallTime.millis(scratch.nanos))) {
            unproven =
                proof == Proof.PEPPER_MISSING
                    ? pepperMissing(secret.pepperId, scratch.isRecorded)
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

  private Validation proven(CachedKey cached, CachedKey.Secret secret, Scratch scratch) {
    SecretInUse inUse = Objects.requireNonNull(secret.inUse);
    Origin origin = Objects.requireNonNull(scratch.origin);
    long now = wallTime.millis(scratch.nanos);
    Reason reason = refusal(cached, secret, scratch, now);
    Meter meter = parts.limits().meter(cached, inUse.key());
    Decision limited = reason == null ? refusal(meter, scratch) : null;
    reason = limited == null ? reason : Reason.LIMIT_EXCEEDED;
    if (scratch.isRecorded) {
      record(secret, inUse, origin, now, reason);
    }
    if (reason == null) {
      return new Accepted(inUse, origin, now, scratch.isRecorded);
    }
    ApiKey key = inUse.key().key;
    return limited != null
        ? Rejected.limited(key, secret.number, limited)
        : Rejected.proven(reason, key, secret.number);
  }

  /** Leaves the traces of a proven request; the reason is null if it is accepted. */
  private void record(
      CachedKey.Secret secret,
      SecretInUse inUse,
      Origin origin,
      long now,
      @Nullable Reason reason) {
    ApiKey key = inUse.key().key;
    parts.recorder().record(secret.lastUse, now, reason == null);
    UsageRecording usage = parts.usage();
    if (usage != null) {
      usage.of(inUse.key()).proven(now, secret.number, origin, reason);
    }
    tell(origin, key, reason);
    if (reason == Reason.RETIRED || reason == Reason.VERSION_REVOKED) {
      parts.events().retiredSecretUsed(key.id(), secret.number);
      if (now >= inUse.notice().suspectFrom()) {
        parts.steps().retiredSecretUsed(key.id(), secret.number);
      }
    }
    AtomicBoolean renewal = secret.renewal;
    if (renewal != null && reason == null) {
      parts.steps().outdatedHashUsed(secret, renewal);
    }
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
      CachedKey key, CachedKey.Secret secret, Scratch scratch, long now) {
    if (!isHere(scratch.prefix, key)) {
      return Reason.WRONG_ENVIRONMENT;
    }
    Reason ended = key.ended(secret, now);
    if (ended != null) {
      return ended;
    }
    Access access = Objects.requireNonNull(scratch.access);
    Origin origin = Objects.requireNonNull(scratch.origin);
    boolean isClear = origin.transport() == Origin.Transport.CLEAR;
    if (isClear && settings.transport() == TransportPolicy.REQUIRE) {
      return Reason.INSECURE_TRANSPORT;
    }
    if (!isCallerAllowed(access, origin, key)) {
      return Reason.CALLER_NOT_ALLOWED;
    }
    if (!key.networks.permit(origin)) {
      return Reason.ADDRESS_NOT_ALLOWED;
    }
    return access.permits(key.scopes) ? null : Reason.SCOPE_MISSING;
  }

  /** Charges the request, if it counts; how its limits stand if they refuse it, else null. */
  private static @Nullable Decision refusal(Meter meter, Scratch scratch) {
    long cost = Objects.requireNonNull(scratch.access).cost();
    if (scratch.isRecorded && meter.tryAcquire(cost, scratch.nanos)) {
      return null;
    }
    // decided once more, together with what is told of it
    Decision decision = scratch.isRecorded ? meter.acquire(cost, scratch.nanos) : meter.peek(cost);
    return decision.isAllowed() ? null : decision;
  }

  private static boolean isCallerAllowed(Access access, Origin origin, CachedKey key) {
    if (key.callers.isEmpty() && !access.isCallerRequired()) {
      return true;
    }
    String caller = origin.callerName();
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
}
