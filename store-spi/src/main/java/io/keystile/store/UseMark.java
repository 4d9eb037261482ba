package io.keystile.store;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When one secret version was last used.
 *
 * @param keyId the key
 * @param version the number of the secret version
 * @param lastUsed when it was last let in, or null if it never was
 * @param lastSeen when its secret was last proven, let in or not; not before {@code lastUsed}
 */
public record UseMark(String keyId, int version, @Nullable Instant lastUsed, Instant lastSeen) {

  /** Checks the values. */
  public UseMark {
    Checks.keyId(keyId);
    Checks.require(version >= 1, "version: must be at least 1");
    Checks.optionalMillis(lastUsed, "lastUsed");
    Checks.millis(Objects.requireNonNull(lastSeen, "lastSeen"), "lastSeen");
    Checks.require(
        lastUsed == null || !lastUsed.isAfter(lastSeen), "lastUsed: must not be after lastSeen");
  }
}
