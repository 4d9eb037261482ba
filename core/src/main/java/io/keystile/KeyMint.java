package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Makes keys and secrets: id, secret, and the hash to store. For any thread. */
final class KeyMint {

  private static final TokenParser PARSER = new TokenParser(List.of());

  private final TokenGenerator generator;
  private final SecretHasher hasher;

  KeyMint(TokenGenerator generator, SecretHasher hasher) {
    this.generator = generator;
    this.hasher = hasher;
  }

  /** A new key id with its first secret. */
  Minted mint(TokenPrefix prefix) {
    return mint(prefix, generator.newId(prefix));
  }

  /** A new secret for a key that there is. */
  Minted mintSecret(KeyRecord record) {
    KeyId id = Objects.requireNonNull(KeyId.parse(record.id()), "id");
    return mint(new TokenPrefix(record.brand(), record.environment()), id);
  }

  private Minted mint(TokenPrefix prefix, KeyId id) {
    String token =
        TokenGenerator.token(prefix.brand(), prefix.environment(), id, generator.newSecret());
    Scratch scratch = new Scratch();
    try {
      if (!PARSER.parse(token, scratch)) {
        throw new IllegalStateException("a token that was just made is malformed");
      }
      return new Minted(prefix, id, token, hasher.hash(scratch));
    } finally {
      scratch.wipe();
    }
  }

  /** A key id with a secret. Holds the token: no record, no {@code toString} of it. */
  static final class Minted {
    private final TokenPrefix prefix;
    private final KeyId id;
    private final String token;
    private final SecretHasher.Stored stored;

    private Minted(TokenPrefix prefix, KeyId id, String token, SecretHasher.Stored stored) {
      this.prefix = prefix;
      this.id = id;
      this.token = token;
      this.stored = stored;
    }

    TokenPrefix prefix() {
      return prefix;
    }

    String id() {
      return id.toString();
    }

    /** When the key was made, as its id says. */
    Instant createdAt() {
      return Instant.ofEpochMilli(id.timestampMillis());
    }

    String revealToken() {
      return token;
    }

    /** What to store of the secret, as version 1. */
    SecretVersion firstVersion(Cause cause, @Nullable Instant expiresAt) {
      return version(1, createdAt(), cause, expiresAt);
    }

    /** What to store of the secret. */
    SecretVersion version(int number, Instant createdAt, Cause cause, @Nullable Instant expiresAt) {
      return new SecretVersion(
          number,
          stored.scheme(),
          stored.pepperId(),
          stored.hash(),
          token.substring(token.length() - TokenFormat.SHOWN_OF_END),
          createdAt,
          cause.actor(),
          cause.note(),
          expiresAt,
          null,
          null);
    }
  }
}
