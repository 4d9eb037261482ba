package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A key as validation needs it: compiled once when it is loaded, then only read. What changes is
 * what is learnt in use: the inner digests of proven secrets and the times of use.
 */
final class CachedKey {

  /**
   * Stands for "no such key". It has one secret that nobody knows, so that an unknown id costs the
   * same work as a wrong secret.
   */
  private final boolean absent;

  final @Nullable ApiKey key;
  final KeyRecord.State state;
  final String brand;
  final String environment;
  final long endsAt;
  final Secret[] secrets;
  final GrantedScopes scopes;
  final Networks networks;
  final List<String> callers;

  /** When the load of it began, by the nano ticker: it is no older than that. */
  final long loadedAt;

  /** When a background refresh of it was last asked for, by the nano ticker. */
  private final AtomicLong refreshAskedAt;

  private CachedKey(Secret unknowable, long loadedAt) {
    absent = true;
    key = null;
    state = KeyRecord.State.REVOKED;
    brand = "";
    environment = "";
    endsAt = 0;
    secrets = new Secret[] {unknowable};
    scopes = GrantedScopes.of(List.of());
    networks = Networks.of(List.of());
    callers = List.of();
    this.loadedAt = loadedAt;
    refreshAskedAt = new AtomicLong(loadedAt);
  }

  private CachedKey(KeyRecord record, ApiKey key, long loadedAt) {
    absent = false;
    this.key = key;
    state = record.state();
    brand = record.brand();
    environment = record.environment();
    endsAt = millis(record.endsAt());
    // newest first: it is the one most clients use
    int count = record.versions().size();
    secrets = new Secret[count];
    for (int i = 0; i < count; i++) {
      secrets[count - 1 - i] = new Secret(record.id(), record.versions().get(i));
    }
    scopes = key.granted();
    networks = Networks.of(record.networks());
    callers = record.callers();
    this.loadedAt = loadedAt;
    refreshAskedAt = new AtomicLong(loadedAt);
  }

  /**
   * Compiles a record.
   *
   * @param key what the host is told about it, its scopes narrowed to those in force
   */
  static CachedKey of(KeyRecord record, ApiKey key, long loadedAt) {
    return new CachedKey(record, key, loadedAt);
  }

  /** "No such key", with a secret of the given scheme to compare with. */
  static CachedKey absent(SecretVersion unknowable, long loadedAt) {
    return new CachedKey(new Secret("", unknowable), loadedAt);
  }

  boolean isAbsent() {
    return absent;
  }

  /** Whether it is time to ask for a refresh; true for one caller per {@code interval}. */
  boolean claimRefresh(long now, long interval) {
    long asked = refreshAskedAt.get();
    return now - asked >= interval && refreshAskedAt.compareAndSet(asked, now);
  }

  private static long millis(@Nullable Instant instant) {
    return instant == null ? Long.MAX_VALUE : instant.toEpochMilli();
  }

  /** One secret version. */
  static final class Secret {
    final int number;
    final String scheme;
    final @Nullable String pepperId;
    final byte[] hash;
    final long expiresAt;
    final long retiresAt;
    final long revokedAt;

    /**
     * SHA-256 of the block that was proven once. With it a pepper costs nothing when warm: SHA-256
     * of what is presented is compared with this, and the HMAC is spared.
     */
    volatile byte @Nullable [] provenDigest;

    final LastUse lastUse;

    private Secret(String keyId, SecretVersion version) {
      lastUse = new LastUse(keyId, version.number());
      number = version.number();
      scheme = version.scheme();
      pepperId = version.pepperId();
      hash = HexFormat.of().parseHex(version.hash());
      expiresAt = millis(version.expiresAt());
      retiresAt = millis(version.retiresAt());
      revokedAt = millis(version.revokedAt());
    }
  }
}
