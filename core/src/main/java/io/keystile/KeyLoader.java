package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.SecretVersion;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
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

  /** No id that is minted: it is imported, and one of 2^80 of these. */
  private static final KeyId NOWHERE = new KeyId(0, 0);

  private final KeyStore store;
  private final SecretHasher hasher;
  private final @Nullable SubjectPermissions permissions;
  private final RotationRules rules;
  private final LongSupplier ticker;
  private final SecretVersion unknowable;
  private final LongAdder done = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder micros = new LongAdder();

  KeyLoader(
      KeyStore store,
      SecretHasher hasher,
      @Nullable SubjectPermissions permissions,
      RotationRules rules,
      LongSupplier ticker) {
    this.store = store;
    this.hasher = hasher;
    this.permissions = permissions;
    this.rules = rules;
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
    return CachedKey.absent(NOWHERE, unknowable, ticker.getAsLong());
  }

  /** Adds its counters. */
  void countIn(Counts counts) {
    counts
        .add("keystile.loads", "done", done::sum)
        .add("keystile.loads", "failed", failed::sum)
        .add("keystile.loads.micros", "done", micros::sum);
  }

  @Override
  public CachedKey load(KeyId id) {
    long began = ticker.getAsLong();
    boolean isDone = false;
    try {
      CachedKey key = load(id, began);
      isDone = true;
      return key;
    } finally {
      (isDone ? done : failed).increment();
      micros.add(isDone ? (ticker.getAsLong() - began) / 1_000 : 0);
    }
  }

  private CachedKey load(KeyId id, long began) {
    Optional<KeyRecord> found = store.load(id.toString());
    if (found.isEmpty() || Tombstone.is(found.get())) {
      return CachedKey.absent(id, unknowable, began);
    }
    KeyRecord record = found.get();
    if (!record.id().equals(id.toString())) {
      throw new IllegalStateException("The store answered with another key than was asked for");
    }
    return CachedKey.of(record, inForce(record), rules, hasher, began);
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
