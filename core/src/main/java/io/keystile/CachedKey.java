package io.keystile;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A key as validation needs it: compiled once when it is loaded, then only read. What changes is
 * what is learnt in use: the inner digests of proven secrets, the times of use, and what counts for
 * its limits.
 */
final class CachedKey {

  /**
   * Stands for "no such key". It has one secret that nobody knows, so that an unknown id costs the
   * same work as a wrong secret.
   */
  private final boolean absent;

  final KeyId id;

  // the id once more: one look at memory less where it is compared
  final long idHigh;
  final long idLow;

  /** Null for "no such key". */
  final @Nullable KeyInUse inUse;

  final KeyRecord.State state;
  final String brand;
  final String environment;
  final long endsAt;
  final Secret[] secrets;
  final GrantedScopes scopes;
  final Networks networks;
  final List<String> callers;

  /** The limits of its own; null if those of its plan apply. */
  final @Nullable Plan ownPlan;

  /** How its limits were adapted; null if they are not. */
  final KeyRecord.@Nullable Adapted adapted;

  /** When the load of it began, by the nano ticker: it is no older than that. */
  final long loadedAt;

  /** When a background refresh of it was last asked for, by the nano ticker. */
  private final AtomicLong refreshAskedAt;

  /** Whether {@link KeyCache} holds this no more. */
  private volatile boolean dead;

  private CachedKey(KeyId id, Secret unknowable, long loadedAt) {
    this.id = id;
    idHigh = id.high();
    idLow = id.low();
    absent = true;
    inUse = null;
    state = KeyRecord.State.REVOKED;
    brand = "";
    environment = "";
    endsAt = 0;
    secrets = new Secret[] {unknowable};
    scopes = GrantedScopes.of(List.of());
    networks = Networks.of(List.of());
    callers = List.of();
    ownPlan = null;
    adapted = null;
    this.loadedAt = loadedAt;
    refreshAskedAt = new AtomicLong(loadedAt);
  }

  private CachedKey(
      KeyRecord record, ApiKey key, RotationRules rules, SecretHasher hasher, long loadedAt) {
    id = Objects.requireNonNull(KeyId.parse(record.id()));
    idHigh = id.high();
    idLow = id.low();
    absent = false;
    inUse = new KeyInUse(key);
    state = record.state();
    brand = record.brand();
    environment = record.environment();
    endsAt = millis(record.endsAt());
    // newest first: it is the one most clients use
    int count = record.versions().size();
    Instant newerMade = Instant.MIN;
    secrets = new Secret[count];
    for (int i = 0; i < count; i++) {
      SecretVersion version = record.versions().get(count - 1 - i);
      boolean isCurrent = hasher.isCurrent(version.pepperId());
      RotationRules.Notice notice = rules.notice(record, version);
      SecretInUse used = new SecretInUse(inUse, version.number(), notice);
      secrets[i] = new Secret(record.id(), version, used, newerMade, isCurrent);
      Instant made = version.createdAt();
      newerMade = made.isAfter(newerMade) ? made : newerMade;
    }
    scopes = key.granted();
    networks = Networks.of(record.networks());
    callers = record.callers();
    ownPlan = Limits.ownPlan(record);
    adapted = record.adapted();
    this.loadedAt = loadedAt;
    refreshAskedAt = new AtomicLong(loadedAt);
  }

  /**
   * Compiles a record.
   *
   * @param key what the host is told about it, its scopes narrowed to those in force
   * @param rules say when a client is to be told to change its secret
   * @param hasher says which hashes are to be renewed
   */
  static CachedKey of(
      KeyRecord record, ApiKey key, RotationRules rules, SecretHasher hasher, long loadedAt) {
    return new CachedKey(record, key, rules, hasher, loadedAt);
  }

  /** "No such key", with a secret of the given scheme to compare with. */
  static CachedKey absent(KeyId id, SecretVersion unknowable, long loadedAt) {
    return new CachedKey(id, new Secret("", unknowable, null, Instant.MIN, true), loadedAt);
  }

  boolean isAbsent() {
    return absent;
  }

  /** Whether it must not be used any more: it was invalidated, replaced or evicted. */
  boolean isDead() {
    return dead;
  }

  /** To be called before it is out of the cache. */
  void kill() {
    dead = true;
  }

  /** Whether a secret lets nobody in any more, whatever is done to its key. */
  boolean isOver(Secret secret, long now) {
    return state == KeyRecord.State.REVOKED
        || now >= endsAt
        || secret.isRevoked
        || now >= secret.retiresAt
        || now >= secret.expiresAt;
  }

  /** Why a secret lets nobody in now, or null if it does. */
  @Nullable Reason ended(Secret secret, long now) {
    if (state == KeyRecord.State.REVOKED) {
      return Reason.REVOKED;
    }
    if (state == KeyRecord.State.DISABLED) {
      return Reason.DISABLED;
    }
    if (now >= endsAt) {
      return Reason.KEY_ENDED;
    }
    if (secret.isRevoked) {
      return Reason.VERSION_REVOKED;
    }
    if (now >= secret.retiresAt) {
      return Reason.RETIRED;
    }
    return now >= secret.expiresAt ? Reason.EXPIRED : null;
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
    /** What results hold of it; null for "no such key". */
    final @Nullable SecretInUse inUse;

    final int number;
    final String scheme;

    /** Whether it is proven by a token that was issued elsewhere, and by no other. */
    final boolean isForeign;

    final @Nullable String pepperId;
    final byte[] hash;
    final long expiresAt;
    final long retiresAt;
    final boolean isRevoked;

    /**
     * SHA-256 of the block, or foreign token, that was proven once. With it a pepper costs nothing
     * when warm: SHA-256 of what is presented is compared with this, and the HMAC is spared.
     */
    volatile byte @Nullable [] provenDigest;

    /**
     * Null if the hash is as new ones are. Otherwise it is to be renewed, and this says whether
     * somebody has seen to it already.
     */
    final @Nullable AtomicBoolean renewal;

    final LastUse lastUse;

    /**
     * What was over for the node that changed the key is over here, too, however far the clock of
     * this one is behind: a secret that was revoked, or had retired when a newer one was made, see
     * {@link Lifecycle#live}.
     */
    private Secret(
        String keyId,
        SecretVersion version,
        @Nullable SecretInUse inUse,
        Instant newerMade,
        boolean isCurrent) {
      this.inUse = inUse;
      lastUse = new LastUse(keyId, version.number());
      number = version.number();
      scheme = version.scheme();
      isForeign = scheme.equals(SecretHasher.SHA256_RAW);
      pepperId = version.pepperId();
      hash = HexFormat.of().parseHex(version.hash());
      expiresAt = millis(version.expiresAt());
      Instant retires = version.retiresAt();
      retiresAt = retires != null && !retires.isAfter(newerMade) ? Long.MIN_VALUE : millis(retires);
      isRevoked = version.revokedAt() != null;
      renewal = isCurrent ? null : new AtomicBoolean();
    }
  }
}
