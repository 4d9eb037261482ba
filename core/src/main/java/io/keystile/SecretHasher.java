package io.keystile;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.Key;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Turns {@code id_secret} into what the store keeps, and checks it. Immutable, for any thread.
 *
 * <p>The hash is fast on purpose: it hides 190 random bits, not a password.
 */
final class SecretHasher {

  /** Stored = SHA-256(id_secret). */
  static final String SHA256 = "sha256";

  /** Stored = HMAC-SHA-256(hash key of the pepper, SHA-256(id_secret)). */
  static final String HMAC_SHA256 = "hmac-sha256";

  /**
   * Of tokens that were issued elsewhere: stored = SHA-256(token), or HMAC-SHA-256(hash key of the
   * pepper, SHA-256(token)) where the record names a pepper.
   */
  static final String SHA256_RAW = "sha256-raw";

  private static final String HASH_LABEL = "keystile v1 hash";

  /** What the store keeps of a secret: scheme, id of the pepper or null, lower-case hex. */
  record Stored(String scheme, @Nullable String pepperId, String hash) {

    /** Without the hash, which has no place in a log. */
    @Override
    public String toString() {
      return "Stored[scheme=" + scheme + ", pepperId=" + pepperId + "]";
    }
  }

  /** What a check found. */
  enum Proof {
    /** The client knows the secret. */
    PROVEN,
    /** It does not. */
    WRONG,
    /** The scheme of the record is not accepted here, so nobody can tell. */
    SCHEME_NOT_ACCEPTED,
    /** The pepper of the record is not configured here, so nobody can tell. */
    PEPPER_MISSING
  }

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final byte[] NOBODY = new byte[Scratch.DIGEST_LENGTH];

  private final Map<String, Key> hashKeys = new HashMap<>();
  private final @Nullable String primaryId;
  private final boolean acceptUnpeppered;

  /** A hasher without a pepper: scheme {@code sha256} alone. */
  SecretHasher() {
    primaryId = null;
    acceptUnpeppered = true;
  }

  /**
   * @param primary hashes; it verifies too
   * @param others verify only
   * @param acceptUnpeppered whether hashes without a pepper are accepted too, for keys issued
   *     before there was one. While they are, who can write to the database can insert a key of his
   *     own making
   */
  SecretHasher(ServerSecret primary, Collection<ServerSecret> others, boolean acceptUnpeppered) {
    for (ServerSecret pepper : ServerSecret.distinct(primary, others)) {
      hashKeys.put(pepper.id(), Hmac.key(pepper.derive(HASH_LABEL)));
    }
    this.primaryId = primary.id();
    this.acceptUnpeppered = acceptUnpeppered;
  }

  /** The scheme of new hashes. */
  String primaryScheme() {
    return primaryId == null ? SHA256 : HMAC_SHA256;
  }

  /** The pepper of new hashes, or null. */
  @Nullable String primaryPepperId() {
    return primaryId;
  }

  /** What to store for the token in the scratch. */
  Stored hash(Scratch scratch) {
    return stored(primaryScheme(), scratch.digestBlock());
  }

  /** What to store for a token that was issued elsewhere, given its SHA-256. */
  Stored hashForeign(byte[] digest) {
    return stored(SHA256_RAW, digest);
  }

  /** Whether a new hash of a secret would have the pepper, or none, that an old one has. */
  boolean isCurrent(@Nullable String pepperId) {
    return Objects.equals(pepperId, primaryId);
  }

  /**
   * What to store for a secret that was proven, in place of an old hash.
   *
   * @param inner what {@link #verify} proved it by
   * @param scheme that of the old hash
   */
  Stored rehash(byte[] inner, String scheme) {
    return stored(scheme.equals(SHA256_RAW) ? SHA256_RAW : primaryScheme(), inner);
  }

  private Stored stored(String scheme, byte[] inner) {
    byte[] hash =
        primaryId == null
            ? inner
            : Hmac.sha256(Objects.requireNonNull(hashKeys.get(primaryId)), inner);
    return new Stored(scheme, primaryId, HexFormat.of().formatHex(hash));
  }

  /**
   * Checks a secret in constant time. Names are compared exactly, so that {@code SHA256} is no
   * scheme. Which scheme may prove which kind of token is for the caller to see to.
   *
   * @param inner SHA-256 of {@code id_secret}, see {@link Scratch#digestBlock()}, or of a foreign
   *     token
   * @param stored the bytes of the stored hash
   */
  Proof verify(byte[] inner, String scheme, @Nullable String pepperId, byte[] stored) {
    boolean isRaw = scheme.equals(SHA256_RAW);
    if (scheme.equals(HMAC_SHA256) || (isRaw && pepperId != null)) {
      Key hashKey = pepperId == null ? null : hashKeys.get(pepperId);
      return hashKey == null ? Proof.PEPPER_MISSING : compare(Hmac.sha256(hashKey, inner), stored);
    }
    if ((scheme.equals(SHA256) || isRaw) && acceptUnpeppered && pepperId == null) {
      return compare(inner, stored);
    }
    return Proof.SCHEME_NOT_ACCEPTED;
  }

  /** Does the work of a check, for an id that nobody has, and answers WRONG. */
  Proof pretend(byte[] inner) {
    verify(inner, primaryId == null ? SHA256 : HMAC_SHA256, primaryId, NOBODY);
    return Proof.WRONG;
  }

  private static Proof compare(byte[] actual, byte[] stored) {
    return isEqual(actual, stored) ? Proof.PROVEN : Proof.WRONG;
  }

  /**
   * Whether two digests are equal, in a time that does not depend on what is in them: all of both
   * is read, and nothing is decided before. In place of {@link
   * java.security.MessageDigest#isEqual}, which does the same byte by byte and takes about 27 ns
   * for what takes 2 ns here: a fifth of a warm validation.
   */
  static boolean isEqual(byte[] digest, byte[] other) {
    if (digest.length != Scratch.DIGEST_LENGTH || other.length != Scratch.DIGEST_LENGTH) {
      return false;
    }
    long difference = 0;
    for (int i = 0; i < Scratch.DIGEST_LENGTH; i += Long.BYTES) {
      difference |= (long) LONGS.get(digest, i) ^ (long) LONGS.get(other, i);
    }
    return difference == 0;
  }
}
