package io.keystile;

import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A secret of the server: a pepper, which keys the hashes of client secrets, or an id key, which
 * marks the ids this service mints. Use one secret for one purpose. Every node of a service needs
 * the same ones, and none of them belongs into the database that holds the keys.
 *
 * <pre>{@code
 * ServerSecret pepper = PepperSource.environment().secret("pepper-2026");
 * }</pre>
 *
 * <p><b>Security guarantees.</b> The bytes cannot be read back: they are copied in, only keys
 * derived from them by HMAC-SHA-256 are used, and no {@code toString}, exception or serialized form
 * holds them. There is no {@code equals} by content, so no collection tells whether two secrets are
 * the same; {@link ApiKeysBuilder#build} refuses one that is used as pepper and as id key.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class ServerSecret {

  /** The length of the hash it keys; less would be the weaker part. */
  private static final int MIN_BYTES = 32;

  private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9_-]{0,31}");

  private final String id;
  private final Key key;

  private ServerSecret(String id, Key key) {
    this.id = id;
    this.key = key;
  }

  /**
   * Makes a secret of random bytes. Draw them from a cryptographic generator, for instance with
   * {@code openssl rand -hex 32}; a passphrase is not random.
   *
   * @param id names the secret in records and messages: {@code [a-z0-9][a-z0-9_-]{0,31}}. Never use
   *     an id for other bytes again
   * @param bytes at least 32 bytes, not all zero; copied, so the caller may clear them
   * @return the secret
   * @throws IllegalArgumentException if the id or the bytes are refused. The message names the id
   *     and the rule, and never holds any of the bytes
   */
  public static ServerSecret of(String id, byte[] bytes) {
    requireId(id);
    byte[] copy = Objects.requireNonNull(bytes, "bytes").clone();
    try {
      if (copy.length < MIN_BYTES) {
        throw new IllegalArgumentException(
            copy.length == 0
                ? "Server secret '" + id + "' is empty"
                : "Server secret '%s' has %d bytes, needs at least %d"
                    .formatted(id, copy.length, MIN_BYTES));
      }
      if (isAllZero(copy)) {
        throw new IllegalArgumentException("Server secret '" + id + "' consists of zero bytes");
      }
      return new ServerSecret(id, Hmac.key(copy));
    } finally {
      Arrays.fill(copy, (byte) 0);
    }
  }

  static void requireId(String id) {
    if (!ID.matcher(Objects.requireNonNull(id, "id")).matches()) {
      // not repeated: somebody may have passed the secret itself
      throw new IllegalArgumentException(
          "The id of a server secret must match [a-z0-9][a-z0-9_-]{0,31}");
    }
  }

  /** The primary and the others, each id once. */
  static List<ServerSecret> distinct(ServerSecret primary, Collection<ServerSecret> others) {
    List<ServerSecret> all = new ArrayList<>();
    all.add(primary);
    all.addAll(others);
    Set<String> ids = new HashSet<>();
    for (ServerSecret secret : all) {
      if (!ids.add(secret.id())) {
        throw new IllegalArgumentException("Server secret '" + secret.id() + "' is given twice");
      }
    }
    return List.copyOf(all);
  }

  private static boolean isAllZero(byte[] bytes) {
    int any = 0;
    for (byte b : bytes) {
      any |= b;
    }
    return any == 0;
  }

  /**
   * Returns the name of this secret, as it stands in the records hashed with it.
   *
   * @return the id
   */
  public String id() {
    return id;
  }

  /** Whether both have the same bytes. In constant time. */
  boolean isSameAs(ServerSecret other) {
    return MessageDigest.isEqual(derive("same"), other.derive("same"));
  }

  /** A key for one purpose: the HMAC of an ASCII label. The only way this secret is used. */
  byte[] derive(String label) {
    return Hmac.sha256(key, label.getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * Names the secret without its bytes.
   *
   * @return the id and nothing else of this secret
   */
  @Override
  public String toString() {
    return "ServerSecret[" + id + ", redacted]";
  }
}
