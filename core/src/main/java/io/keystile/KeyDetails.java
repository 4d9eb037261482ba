package io.keystile;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A key, as administration shows it: state, ends, last use and the history of its secrets, none of
 * which can be read. Immutable: the key as it was when it was read.
 *
 * <p>Last use is written from time to time, not with each request, so it may be late by what the
 * host has set, and a use shortly before a crash may be missing.
 */
public final class KeyDetails {

  /** The state of a key as people name it. */
  public enum Status {
    /** May be used; one secret works. */
    ACTIVE,
    /** May be used; an older secret than the newest still works, for the rest of its grace. */
    ROTATING,
    /** Switched off; may be enabled again. */
    DISABLED,
    /** Its last secret, or the key itself, has come to its end. */
    EXPIRED,
    /** Revoked for good. */
    REVOKED
  }

  /**
   * What is known of one secret of a key: all but the secret.
   *
   * @param number from 1, one more with each rotation
   * @param redacted the token with all but a few public characters left out, as {@link
   *     TokenFormat#redact(String)} makes it; of a token that was issued elsewhere {@code …} and
   *     its last four characters, if they are known
   * @param createdAt when it was made
   * @param createdBy who made it, or null if not said
   * @param note why, or null if not said; for a forced rotation without a note the name of its
   *     reason
   * @param expiresAt the end of its lifetime, or null for none
   * @param retiresAt the end of its grace once a newer secret took over, or null before that
   * @param revokedAt when it alone was revoked, or null
   * @param lastUsed when it last let somebody in, or null if it never did
   * @param lastSeen when it was last proven, let in or not, or null if it never was
   */
  public record SecretInfo(
      int number,
      String redacted,
      Instant createdAt,
      @Nullable String createdBy,
      @Nullable String note,
      @Nullable Instant expiresAt,
      @Nullable Instant retiresAt,
      @Nullable Instant revokedAt,
      @Nullable Instant lastUsed,
      @Nullable Instant lastSeen) {

    private static SecretInfo of(KeyRecord record, SecretVersion version, @Nullable UseMark use) {
      return new SecretInfo(
          version.number(),
          redacted(record, version),
          version.createdAt(),
          version.createdBy(),
          version.note(),
          version.expiresAt(),
          version.retiresAt(),
          version.revokedAt(),
          use == null ? null : use.lastUsed(),
          use == null ? null : use.lastSeen());
    }

    private static String redacted(KeyRecord record, SecretVersion version) {
      String scheme = version.scheme();
      if (scheme.equals(SecretHasher.SHA256_RAW) || scheme.equals(Tombstone.SCHEME)) {
        return "…" + version.lastFour(); // nothing else of it is known, nor does it look like ours
      }
      TokenPrefix prefix = new TokenPrefix(record.brand(), record.environment());
      return TokenFormat.redact(prefix, record.id(), version.lastFour());
    }
  }

  private final ApiKey key;
  private final Status status;
  private final long revision;
  private final List<String> networks;
  private final List<String> callers;
  private final @Nullable Instant expiresAt;
  private final @Nullable Instant rotationDueAt;
  private final @Nullable RotationPolicy rotation;
  private final @Nullable Plan limits;
  private final KeyRecord.@Nullable Adapted adapted;
  private final @Nullable Instant lastUsed;
  private final @Nullable Instant lastSeen;
  private final KeyRecord.@Nullable Revoked revocation;
  private final List<SecretInfo> secrets;
  private final Set<Integer> live;

  /** The key as it is at a time. */
  KeyDetails(StoredKey stored, Instant now, RotationRules rules) {
    KeyRecord record = stored.record();
    key = ApiKey.of(record);
    status = status(record, now);
    revision = record.revision();
    networks = record.networks();
    callers = record.callers();
    expiresAt = record.liveUntil();
    rotationDueAt = rules.dueAt(record);
    rotation = record.rotation() == null ? null : RotationPolicy.of(record.rotation());
    limits = Limits.ownPlan(record);
    adapted = record.adapted();
    lastUsed = stored.lastUsed();
    lastSeen = stored.lastSeen();
    revocation = Tombstone.revocation(record);
    Map<Integer, UseMark> uses =
        stored.uses().stream().collect(Collectors.toMap(UseMark::version, Function.identity()));
    secrets =
        record.versions().stream()
            .map(version -> SecretInfo.of(record, version, uses.get(version.number())))
            .toList();
    live = Lifecycle.live(record, now);
  }

  private static Status status(KeyRecord record, Instant now) {
    return switch (record.state()) {
      case REVOKED -> Status.REVOKED;
      case DISABLED -> Status.DISABLED;
      case ACTIVE -> {
        if (Lifecycle.hasEnded(record.liveUntil(), now)) {
          yield Status.EXPIRED;
        }
        Instant olderUntil = record.olderUntil();
        boolean isRotating = olderUntil != null && !Lifecycle.hasEnded(olderUntil, now);
        yield isRotating ? Status.ROTATING : Status.ACTIVE;
      }
    };
  }

  /**
   * The key id.
   *
   * @return 22 base62 digits
   */
  public String id() {
    return key.id();
  }

  /**
   * Whose it is and what it was granted. The scopes are those granted, also of a personal access
   * token, whatever its user is permitted now.
   *
   * @return the key
   */
  public ApiKey key() {
    return key;
  }

  /**
   * Its state when it was read. A revoked key is revoked and a disabled one disabled whether or not
   * it has expired as well.
   *
   * @return the status
   */
  public Status status() {
    return status;
  }

  /**
   * How often it was changed; 1 after the issue.
   *
   * @return the revision
   */
  public long revision() {
    return revision;
  }

  /**
   * From where it may be used.
   *
   * @return networks in CIDR notation; empty for anywhere
   */
  public List<String> networks() {
    return networks;
  }

  /**
   * The caller names it is bound to.
   *
   * @return the names; may be empty
   */
  public List<String> callers() {
    return callers;
  }

  /**
   * When the last of its secrets ends, or the key itself if that is earlier. At that very
   * millisecond it has expired.
   *
   * @return the time; null for never
   */
  public @Nullable Instant expiresAt() {
    return expiresAt;
  }

  /**
   * From when on its secret is due to be replaced, by the {@link RotationPolicy} that applies. May
   * be past.
   *
   * @return the time; null if nothing will make it due
   */
  public @Nullable Instant rotationDueAt() {
    return rotationDueAt;
  }

  boolean isRotationDue(Instant now) {
    return Lifecycle.hasEnded(rotationDueAt, now);
  }

  /**
   * The key's own rule for rotation.
   *
   * @return the rule; null if that of its plan or of the host applies
   */
  public @Nullable RotationPolicy rotation() {
    return rotation;
  }

  /**
   * The limits of its own.
   *
   * @return windows and quotas; null if those of its plan apply
   */
  public @Nullable Plan limits() {
    return limits;
  }

  /**
   * How its limits were adapted to its risk, see {@link RiskPolicy}: so many requests in any minute
   * in place of what its plan, or its own limits, say of a minute.
   *
   * @return since when, how many and why; null if they are not adapted
   */
  public KeyRecord.@Nullable Adapted adapted() {
    return adapted;
  }

  /**
   * When any of its {@link #secrets()} last let somebody in. That of a secret which the key does
   * not have any more is not known.
   *
   * @return the time; null if none of them did
   */
  public @Nullable Instant lastUsed() {
    return lastUsed;
  }

  /**
   * When any of its {@link #secrets()} was last proven, let in or not.
   *
   * @return the time; null if none of them was
   */
  public @Nullable Instant lastSeen() {
    return lastSeen;
  }

  /**
   * When, why and by whom it was revoked, and when it had last been used, as far as was known then.
   *
   * @return the revocation; present exactly when the status is {@link Status#REVOKED}, else null
   */
  public KeyRecord.@Nullable Revoked revocation() {
    return revocation;
  }

  /**
   * Its secrets in the order of their numbers, the newest last.
   *
   * @return 1 to 8 of them; unmodifiable
   */
  public List<SecretInfo> secrets() {
    return secrets;
  }

  /**
   * The secret that the last issue or rotation made.
   *
   * @return the last of {@link #secrets()}
   */
  public SecretInfo newestSecret() {
    return secrets.get(secrets.size() - 1);
  }

  /**
   * The older secrets that somebody still used after the newest was made: those who have yet to
   * change. Only use in a later millisecond counts: a client that replaces its own secret uses the
   * old one in the very millisecond in which the newest is made.
   *
   * @return those let in since then; empty once everybody uses the newest
   */
  public List<SecretInfo> oldSecretsInUse() {
    Instant since = newestSecret().createdAt();
    return secrets.stream()
        .filter(secret -> secret.number() != newestSecret().number())
        .filter(secret -> secret.lastUsed() != null && secret.lastUsed().isAfter(since))
        .toList();
  }

  /**
   * Whether a secret had not come to its end when the key was read: neither its own, be it expired,
   * retired or revoked, nor that of the key. Whether the key is disabled or revoked is not looked
   * at.
   *
   * @param secretVersion the number of the secret
   * @return true if it had not ended; false for a number that the key has no secret of
   */
  public boolean isLive(int secretVersion) {
    return live.contains(secretVersion);
  }

  /**
   * Describes the key, for logs.
   *
   * @return id, status, owner and revision
   */
  @Override
  public String toString() {
    return "KeyDetails[id="
        + id()
        + ", status="
        + status
        + ", owner="
        + key.owner()
        + ", revision="
        + revision
        + "]";
  }
}
