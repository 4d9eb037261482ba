package io.keystile;

import io.keystile.store.RevocationReason;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the library does to keys by itself when validation finds reason to: on a background thread,
 * so that no request waits for it. What fails, or is too much, is left for the next request that
 * finds the same. For any thread; nothing here blocks or throws.
 *
 * <p>Several nodes may find the same, and do it once: a revocation has an operation id of its own,
 * and a hash is renewed only if it is still the one that was proven.
 */
final class AutomaticSteps {
  private static final Logger log = LoggerFactory.getLogger(AutomaticSteps.class);

  /** Who has done it, in the audit trail. */
  static final String ACTOR = "keystile";

  /**
   * How many hashes may wait to be renewed. Few, so that they keep nothing else waiting; each is
   * found again.
   */
  private static final int MAX_REHASHES = 100;

  private final Administration administration;
  private final Rehasher rehasher;
  private final Executor executor;
  private final boolean revokeOnRetired;

  /** The steps that wait or run, by operation id or the secret they are about. */
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();

  private final AtomicInteger rehashes = new AtomicInteger();

  private final LongAdder done = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder putOff = new LongAdder();

  /**
   * @param executor runs the steps; rejects what is too much
   * @param revokeOnRetired whether to revoke a key when a retired secret of it comes back
   */
  AutomaticSteps(
      Administration administration,
      Rehasher rehasher,
      Executor executor,
      boolean revokeOnRetired) {
    this.administration = administration;
    this.rehasher = rehasher;
    this.executor = executor;
    this.revokeOnRetired = revokeOnRetired;
  }

  /** Adds its counters. A hash that could not be renewed is no exception, and yet a failure. */
  void countIn(Counts counts) {
    counts
        .add("keystile.steps", "done", () -> done.sum() - rehasher.failed())
        .add("keystile.steps", "failed", () -> failed.sum() + rehasher.failed())
        .add("keystile.steps", "put_off", putOff::sum);
  }

  /** A secret came back that had retired or was revoked; it is proven and was refused. */
  void retiredSecretUsed(String keyId, int secretVersion) {
    if (!revokeOnRetired) {
      return;
    }
    String operationId = Operation.AUTOMATIC + "retired:" + keyId + ":" + secretVersion;
    start(operationId, () -> administration.revoke(keyId, theft(secretVersion, operationId)));
  }

  private static Revocation theft(int secretVersion, String operationId) {
    Cause cause =
        Cause.by(ACTOR)
            .note("secret " + secretVersion + " was used after its end")
            .ownOperationId(operationId);
    return Revocation.of(RevocationReason.SUSPICIOUS_ACTIVITY, cause);
  }

  /**
   * A secret was let in whose hash is to be renewed.
   *
   * @param renewal {@link CachedKey.Secret#renewal}
   */
  void outdatedHashUsed(CachedKey.Secret secret, AtomicBoolean renewal) {
    if (renewal.get()
        || rehashes.get() >= MAX_REHASHES
        || rehasher.isPaused()
        || !renewal.compareAndSet(false, true)) {
      return;
    }
    rehashes.incrementAndGet();
    boolean isAccepted =
        start(
            "rehash:" + secret.lastUse.of,
            () -> {
              rehashes.decrementAndGet();
              rehasher.rehash(secret);
            });
    if (!isAccepted) {
      rehashes.decrementAndGet();
      renewal.set(false);
    }
  }

  /** Whether it was not under way yet, and not too much. */
  private boolean start(String operationId, Runnable step) {
    if (!underWay.add(operationId)) {
      return false;
    }
    try {
      executor.execute(
          () -> {
            try {
              step.run();
              done.increment();
            } catch (Throwable e) { // an Error too: the thread serves other steps
              failed.increment();
              log.warn("An automatic step failed and is left for later: {}", LogText.of(e));
            } finally {
              underWay.remove(operationId);
            }
          });
      return true;
    } catch (Throwable e) { // an Error too: no thread may be left for it
      putOff.increment();
      underWay.remove(operationId);
      return false;
    }
  }
}
