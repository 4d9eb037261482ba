package io.keystile.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One secret of a key. The secret itself is nowhere: only its hash is. Immutable.
 *
 * @param number from 1, one more with each rotation
 * @param scheme the name of the hash scheme, {@code [a-z0-9][a-z0-9_-]{0,39}}, for instance {@code
 *     hmac-sha256}
 * @param pepperId the id of the pepper the hash was made with, as the name of a scheme; null if
 *     none
 * @param hash the hash, 64 lower-case hexadecimal digits
 * @param lastFour the last characters of the token, up to 4, so that people can tell secrets apart
 * @param createdAt when it was made
 * @param createdBy who made it, up to 255 bytes
 * @param note why, up to 500 bytes
 * @param expiresAt the end of its lifetime, or null for none
 * @param retiresAt the end of its grace, set when a newer version takes over; null before that
 * @param revokedAt when this version alone was revoked, or null; it is revoked then, whatever the
 *     time
 */
public record SecretVersion(
    int number,
    String scheme,
    @Nullable String pepperId,
    String hash,
    String lastFour,
    Instant createdAt,
    @Nullable String createdBy,
    @Nullable String note,
    @Nullable Instant expiresAt,
    @Nullable Instant retiresAt,
    @Nullable Instant revokedAt) {

  /** Checks the values. */
  public SecretVersion {
    Checks.require(number >= 1, "number: must be at least 1");
    Checks.plainName(scheme, "scheme");
    if (pepperId != null) {
      Checks.plainName(pepperId, "pepperId");
    }
    Checks.hash(hash);
    Checks.text(lastFour, "lastFour", 0, 16);
    Checks.millis(createdAt, "createdAt");
    Checks.optionalText(createdBy, "createdBy", Checks.MAX_NAME_BYTES);
    Checks.optionalText(note, "note", Checks.MAX_NOTE_BYTES);
    Checks.optionalMillis(expiresAt, "expiresAt");
    Checks.optionalMillis(retiresAt, "retiresAt");
    Checks.optionalMillis(revokedAt, "revokedAt");
  }

  /**
   * When it ends: the earliest of its three ends. At that very millisecond it has ended.
   *
   * @return the end, or null for never
   */
  public @Nullable Instant end() {
    return Checks.earlier(Checks.earlier(expiresAt, retiresAt), revokedAt);
  }

  /**
   * A copy with another end of its lifetime.
   *
   * @param time the end, or null for none
   * @return the copy
   */
  public SecretVersion withExpiresAt(@Nullable Instant time) {
    return copy(time, retiresAt, revokedAt);
  }

  /**
   * A copy with another end of its grace.
   *
   * @param time the end, or null for none
   * @return the copy
   */
  public SecretVersion withRetiresAt(@Nullable Instant time) {
    return copy(expiresAt, time, revokedAt);
  }

  /**
   * A copy that was revoked.
   *
   * @param time when
   * @return the copy
   */
  public SecretVersion withRevokedAt(Instant time) {
    return copy(expiresAt, retiresAt, time);
  }

  private SecretVersion copy(
      @Nullable Instant expires, @Nullable Instant retires, @Nullable Instant revoked) {
    return new SecretVersion(
        number, scheme, pepperId, hash, lastFour, createdAt, createdBy, note, expires, retires,
        revoked);
  }

  /**
   * A copy whose secret is hashed in another way.
   *
   * @param newScheme the name of the scheme
   * @param newPepperId the id of the pepper, or null if none
   * @param newHash the hash, 64 lower-case hexadecimal digits
   * @return the copy
   */
  public SecretVersion withHash(String newScheme, @Nullable String newPepperId, String newHash) {
    return new SecretVersion(
        number,
        newScheme,
        newPepperId,
        newHash,
        lastFour,
        createdAt,
        createdBy,
        note,
        expiresAt,
        retiresAt,
        revokedAt);
  }

  /**
   * Without the hash.
   *
   * @return number, scheme and pepper id
   */
  @Override
  public String toString() {
    return "SecretVersion[number=" + number + ", scheme=" + scheme + ", pepperId=" + pepperId + "]";
  }
}
