package io.keystile;

import io.keystile.KeyException.Failure;
import io.keystile.SecretHasher.Stored;
import io.keystile.store.AuditFilter;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews hashes, so that a pepper can be dropped one day: a secret that was proven by a hash with
 * another pepper than the primary one, or with none, is hashed with the primary one. For any
 * thread; blocks, and throws nothing.
 *
 * <p>It gives way: to others that change the same key, for the secret will be used again, and to a
 * store that does not take the change, because it is away or this node has not the right to write.
 *
 * <p>While a change of pepper is rolled out, nodes differ in what is primary, and would undo each
 * other's work with every use of a key. So a secret that is new, or whose hash was renewed a short
 * while ago, is left as it is, whatever node did that.
 */
final class Rehasher {
  private static final Logger log = LoggerFactory.getLogger(Rehasher.class);

  static final String ACTION = "rehash";
  private static final Cause CAUSE = Cause.by(AutomaticSteps.ACTOR);

  /** How long a hash is left as it is. */
  static final Duration REST = Duration.ofHours(1);

  /** How often the store may fail before it is left alone for a while. */
  private static final int PATIENCE = 3;

  private final KeyEditor editor;
  private final SecretHasher hasher;
  private final LongSupplier ticker;
  private final Duration pause;

  private final AtomicInteger failures = new AtomicInteger();
  private volatile long failedAt;

  private final LongAdder allFailures = new LongAdder();

  /**
   * @param pause for how long a store is left alone that has failed repeatedly
   */
  Rehasher(KeyEditor editor, SecretHasher hasher, LongSupplier ticker, Duration pause) {
    this.editor = editor.yielding();
    this.hasher = hasher;
    this.ticker = ticker;
    this.pause = pause;
  }

  /** Whether the store is left alone for now. Does not block. */
  boolean isPaused() {
    return failures.get() >= PATIENCE && ticker.getAsLong() - failedAt < pause.toNanos();
  }

  /**
   * Renews the hash of a secret, unless somebody has changed it meanwhile.
   *
   * @param secret was proven
   */
  void rehash(CachedKey.Secret secret) {
    if (isPaused()) {
      return;
    }
    try {
      if (renew(secret)) {
        failures.set(0);
      }
    } catch (KeyException e) {
      if (e.failure() != Failure.CONFLICT && e.failure() != Failure.UNKNOWN_KEY) {
        failed(e.getCause() == null ? e : e.getCause());
      }
    } catch (Throwable e) { // an Error too: validation goes on
      failed(e);
    }
  }

  /** Renews it and says whether it was this call that did. */
  private boolean renew(CachedKey.Secret secret) {
    String keyId = secret.lastUse.of.keyId();
    int number = secret.number;
    if (isYoung(keyId, number)) {
      return false;
    }
    Stored proven =
        new Stored(secret.scheme, secret.pepperId, HexFormat.of().formatHex(secret.hash));
    Stored renewed = hasher.rehash(Objects.requireNonNull(secret.provenDigest), secret.scheme);
    return editor
        .apply(
            keyId,
            editor.operation(ACTION, CAUSE, null),
            (stored, now) -> SecretRotation.rehash(stored.record(), number, proven, renewed, now))
        .isApplied();
  }

  /** Whether the hash of a secret was made a short while ago. */
  private boolean isYoung(String keyId, int number) {
    Instant since = Arguments.minus(editor.now(), REST);
    AuditFilter lately = new AuditFilter(keyId, null, null, since, null);
    return editor.access().read(() -> editor.store().audit(lately, 0, 1000)).stream()
        .anyMatch(entry -> Objects.equals(entry.secretVersion(), number));
  }

  /** How many hashes could not be renewed. */
  long failed() {
    return allFailures.sum();
  }

  private void failed(Throwable failure) {
    allFailures.increment();
    failedAt = ticker.getAsLong();
    if (failures.incrementAndGet() == PATIENCE) {
      log.warn(
          "Hashes are not renewed with the primary pepper: the store does not take it from this"
              + " node, which tries again every {}: {}",
          pause,
          LogText.of(failure));
    }
  }
}
