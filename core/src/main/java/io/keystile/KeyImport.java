package io.keystile;

import io.keystile.store.KeyRecord;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A key that was issued elsewhere, to be taken over by {@link ApiKeys#importKeys}: its clients go
 * on with the token they have. All that is needed is the SHA-256 of the token, as bytes of UTF-8;
 * from a table of plaintext, the token itself, which is hashed at once. Immutable: each method
 * returns a changed copy.
 *
 * <pre>{@code
 * KeyImport.ofSha256(row.hash(), KeySpec.forOwner(row.customer()).scopes("forecast:read"))
 *     .createdAt(row.created())
 *     .expiresAt(row.expires());
 * }</pre>
 *
 * <p>The {@link KeySpec} says whose the key is and what it may do, as for a new one; its operation
 * id is not used. What is wrong with a token, a digest or a time is told when the key is imported,
 * so that a bad row does not stop the others.
 *
 * <p><b>Security guarantees.</b> Neither the token nor the digest is in {@code toString} or can be
 * read back, and of the token no more is kept than its last four characters, to tell secrets apart:
 * only if it has 16 or more, and these four are printable ASCII.
 */
public final class KeyImport {

  /**
   * A key that was not imported.
   *
   * @param index its place among the keys that were handed in, from 0
   * @param reason the option that is wrong and the rule it breaks; never a token, a digest or
   *     another value
   */
  public record Refusal(long index, String reason) {}

  /**
   * How far an import has come.
   *
   * @param imported how many keys it has stored so far
   * @param present how many were there already, and were left as they are
   * @param refused how many were refused
   * @param refusals those that were refused since the last report; unmodifiable
   */
  public record Progress(long imported, long present, long refused, List<Refusal> refusals) {

    /** Copies the list. */
    public Progress {
      refusals = List.copyOf(refusals);
    }
  }

  /**
   * What an import has done.
   *
   * @param imported how many keys it has stored
   * @param present how many were there already, and were left as they are; those that came twice
   *     and those that were purged since an earlier import are among them
   * @param refused how many were refused
   * @param refusals the first 1000 of those; unmodifiable
   */
  public record Result(long imported, long present, long refused, List<Refusal> refusals) {

    /** Copies the list. */
    public Result {
      refusals = List.copyOf(refusals);
    }
  }

  /** Of a shorter token, the last four characters would be too much of it. */
  private static final int SHOWN_FROM_LENGTH = 16;

  private final byte @Nullable [] digest;
  private final String lastFour;
  private final @Nullable String fault;
  private final KeySpec spec;

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private @Nullable Instant createdAt;
  private @Nullable Instant expiresAt;
  private boolean disabled;
  private @Nullable Instant revokedAt;
  private @Nullable Revocation revocation;

  private KeyImport(
      byte @Nullable [] digest, String lastFour, @Nullable String fault, KeySpec spec) {
    this.digest = digest;
    this.lastFour = lastFour;
    this.fault = fault;
    this.spec = Objects.requireNonNull(spec, "spec");
  }

  private KeyImport copy() {
    KeyImport copy = new KeyImport(digest, lastFour, fault, spec);
    copy.createdAt = createdAt;
    copy.expiresAt = expiresAt;
    copy.disabled = disabled;
    copy.revokedAt = revokedAt;
    copy.revocation = revocation;
    return copy;
  }

  /**
   * Returns the import of a key whose token has this SHA-256.
   *
   * @param hex the digest of the token's UTF-8, 64 hexadecimal digits in upper or lower case; it is
   *     refused later if it is anything else
   * @param spec whose the key is and what it may do
   * @return an import of an active key that is as old as its import
   */
  public static KeyImport ofSha256(@Nullable String hex, KeySpec spec) {
    byte[] digest = null;
    if (hex != null && hex.length() == 2 * Scratch.DIGEST_LENGTH) {
      try {
        digest = HexFormat.of().parseHex(hex);
      } catch (IllegalArgumentException e) {
        // told when it is imported; the message would hold a part of the digest
      }
    }
    String fault = digest == null ? "sha256: must be 64 hexadecimal digits" : null;
    return new KeyImport(digest, "", fault, spec);
  }

  /**
   * Returns the import of a key whose token has this SHA-256.
   *
   * @param digest the digest of the token's UTF-8, 32 bytes; copied; it is refused later if it is
   *     anything else
   * @param spec whose the key is and what it may do
   * @return an import of an active key that is as old as its import
   */
  public static KeyImport ofSha256(byte @Nullable [] digest, KeySpec spec) {
    if (digest == null || digest.length != Scratch.DIGEST_LENGTH) {
      return new KeyImport(null, "", "sha256: must be 32 bytes", spec);
    }
    return new KeyImport(digest.clone(), "", null, spec);
  }

  /**
   * Returns the import of a key with this token, which is hashed here and not kept. For tables that
   * hold plaintext; delete them afterwards, backups too.
   *
   * @param foreignToken the token, byte for byte as clients send it: 1 to 512 characters of
   *     well-formed Unicode, and no token of our form; it is refused later if it is anything else
   * @param spec whose the key is and what it may do
   * @return an import of an active key that is as old as its import
   */
  public static KeyImport ofToken(@Nullable String foreignToken, KeySpec spec) {
    if (TokenFormat.isWellFormed(foreignToken)) {
      return new KeyImport(null, "", "token: must not be of the form that is issued here", spec);
    }
    Scratch scratch = new Scratch();
    try {
      if (foreignToken == null || !ForeignTokens.digest(foreignToken, scratch)) {
        String fault = "token: must be 1 to 512 characters of well-formed Unicode";
        return new KeyImport(null, "", fault, spec);
      }
      return new KeyImport(scratch.digest.clone(), lastFour(foreignToken), null, spec);
    } finally {
      scratch.wipe();
    }
  }

  private static String lastFour(String token) {
    int start = token.length() - TokenFormat.SHOWN_OF_END;
    boolean isShown =
        token.length() >= SHOWN_FROM_LENGTH
            && token.substring(start).chars().allMatch(c -> c > ' ' && c < 0x7f);
    return isShown ? token.substring(start) : "";
  }

  /**
   * Says when the key was issued.
   *
   * @param createdAt a time that is not in the future, rounded down to milliseconds; default: the
   *     time of the import
   * @return a changed copy
   */
  public KeyImport createdAt(Instant createdAt) {
    KeyImport copy = copy();
    copy.createdAt = Objects.requireNonNull(createdAt, "createdAt");
    return copy;
  }

  /**
   * Says when its secret ends, in place of the lifetime of the spec, which counts from the import
   * (default: as for a new key). A time that has passed imports an expired key; one beyond the
   * host's maximum is refused.
   *
   * @param expiresAt the end, rounded down to milliseconds; for a key without one say {@link
   *     KeySpec#neverExpires}
   * @return a changed copy
   */
  public KeyImport expiresAt(Instant expiresAt) {
    KeyImport copy = copy();
    copy.expiresAt = Objects.requireNonNull(expiresAt, "expiresAt");
    return copy;
  }

  /**
   * Imports it switched off.
   *
   * @return a changed copy
   */
  public KeyImport disabled() {
    KeyImport copy = copy();
    copy.disabled = true;
    return copy;
  }

  /**
   * Imports it revoked, so that its token is recognised as such and cannot be imported again.
   *
   * @param at when it was revoked, not in the future; rounded down to milliseconds
   * @param revocation why, and who did it; its operation id is not used
   * @return a changed copy
   */
  public KeyImport revoked(Instant at, Revocation revocation) {
    KeyImport copy = copy();
    copy.revokedAt = Objects.requireNonNull(at, "at");
    copy.revocation = Objects.requireNonNull(revocation, "revocation");
    return copy;
  }

  /**
   * The digest of the token.
   *
   * @throws IllegalArgumentException if none could be read
   */
  byte[] digest() {
    if (digest == null) {
      throw new IllegalArgumentException(fault);
    }
    return digest;
  }

  String lastFour() {
    return lastFour;
  }

  KeySpec spec() {
    return spec;
  }

  /** When it was issued. */
  Instant issuedAt(Instant now) {
    return createdAt == null ? now : past(createdAt, "createdAt", now);
  }

  /** The end that was said, or null. */
  @Nullable Instant expiresAt() {
    return expiresAt == null ? null : Arguments.time(expiresAt, "expiresAt");
  }

  /** Says whether the key is disabled or revoked. */
  void applyState(KeyRecord.Builder record, Instant now) {
    if (revocation != null) {
      Instant at = past(Objects.requireNonNull(revokedAt), "revoked", now);
      Cause cause = revocation.cause();
      record.revoked(
          new KeyRecord.Revoked(at, revocation.reason(), cause.note(), cause.actor(), null));
    } else if (disabled) {
      record.state(KeyRecord.State.DISABLED);
    }
  }

  private static Instant past(Instant time, String option, Instant now) {
    if (time.isAfter(now)) {
      throw new IllegalArgumentException(option + ": must not be in the future");
    }
    return Arguments.time(time, option);
  }

  /**
   * Describes the key, for logs.
   *
   * @return the specification, and nothing of token or digest
   */
  @Override
  public String toString() {
    return "KeyImport[" + spec + ", redacted]";
  }
}
