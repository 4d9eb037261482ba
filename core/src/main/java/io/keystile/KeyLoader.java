package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.SecretVersion;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Reads a key from the store and compiles it. Runs on loader threads. */
final class KeyLoader implements KeyCache.Loader {

  /** The host's {@link SubjectPermissions} threw. */
  static final class PermissionsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PermissionsException(Throwable cause) {
      super("SubjectPermissions failed", cause);
    }
  }

  private final KeyStore store;
  private final @Nullable SubjectPermissions permissions;
  private final LongSupplier ticker;
  private final SecretVersion unknowable;

  KeyLoader(
      KeyStore store,
      SecretHasher hasher,
      @Nullable SubjectPermissions permissions,
      LongSupplier ticker) {
    this.store = store;
    this.permissions = permissions;
    this.ticker = ticker;
    this.unknowable = unknowable(hasher);
  }

  /** A secret version like those that this node issues, with a hash of nothing. */
  private static SecretVersion unknowable(SecretHasher hasher) {
    byte[] random = new byte[Scratch.DIGEST_LENGTH];
    new SecureRandom().nextBytes(random);
    String hash = HexFormat.of().formatHex(random);
    return new SecretVersion(
        1,
        hasher.primaryScheme(),
        hasher.primaryPepperId(),
        hash,
        "",
        Instant.EPOCH,
        null,
        null,
        null,
        null,
        null);
  }

  /** "No such key", for ids that need not be looked for. */
  CachedKey absent() {
    return CachedKey.absent(unknowable, ticker.getAsLong());
  }

  @Override
  public CachedKey load(KeyId id) {
    long began = ticker.getAsLong();
    Optional<KeyRecord> found = store.load(id.toString());
    if (found.isEmpty()) {
      return CachedKey.absent(unknowable, began);
    }
    KeyRecord record = found.get();
    if (!record.id().equals(id.toString())) {
      throw new IllegalStateException("The store answered with another key than was asked for");
    }
    return CachedKey.of(record, inForce(record), began);
  }

  private ApiKey inForce(KeyRecord record) {
    String subject = record.subject();
    if (permissions == null || subject == null) {
      return ApiKey.of(record);
    }
    try {
      return ApiKey.narrowed(record, permissions.allowed(subject, record.scopes()));
    } catch (Throwable e) { // whatever the host's code throws, or makes of its answer
      throw new PermissionsException(e);
    }
  }
}
