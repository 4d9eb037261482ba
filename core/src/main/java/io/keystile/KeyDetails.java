package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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
    /**
     * May be used; beside the newest secret an older one still works, for the rest of its grace.
     * Nothing in this version leads there; records that a later version wrote may.
     */
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
   *     TokenFormat#redact(String)} makes it
   * @param createdAt when it was made
   * @param createdBy who made it, or null if not said
   * @param note why, or null if not said
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
      TokenPrefix prefix = new TokenPrefix(record.brand(), record.environment());
      return new SecretInfo(
          version.number(),
          TokenFormat.redact(prefix, record.id(), version.lastFour()),
          version.createdAt(),
          version.createdBy(),
          version.note(),
          version.expiresAt(),
          version.retiresAt(),
          version.revokedAt(),
          use == null ? null : use.lastUsed(),
          use == null ? null : use.lastSeen());
    }
  }

  private final ApiKey key;
  private final Status status;
  private final long revision;
  private final List<String> networks;
  private final List<String> callers;
  private final @Nullable Instant expiresAt;
  private final @Nullable Instant lastUsed;
  private final @Nullable Instant lastSeen;
  private final KeyRecord.@Nullable Revoked revocation;
  private final List<SecretInfo> secrets;

  /** The key as it is at a time. */
  KeyDetails(StoredKey stored, Instant now) {
    KeyRecord record = stored.record();
    key = ApiKey.of(record);
    status = status(record, now);
    revision = record.revision();
    networks = record.networks();
    callers = record.callers();
    expiresAt = record.liveUntil();
    lastUsed = stored.lastUsed();
    lastSeen = stored.lastSeen();
    revocation = record.revoked();
    Map<Integer, UseMark> uses =
        stored.uses().stream().collect(Collectors.toMap(UseMark::version, Function.identity()));
    secrets =
        record.versions().stream()
            .map(version -> SecretInfo.of(record, version, uses.get(version.number())))
            .toList();
  }

  private static Status status(KeyRecord record, Instant now) {
    return switch (record.state()) {
      case REVOKED -> Status.REVOKED;
      case DISABLED -> Status.DISABLED;
      case ACTIVE -> {
        if (Lifecycle.hasEnded(record.liveUntil(), now)) {
          yield Status.EXPIRED;
        }
        long working =
            record.versions().stream().filter(v -> !Lifecycle.hasEnded(v.end(), now)).count();
        yield working > 1 ? Status.ROTATING : Status.ACTIVE;
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
   * When any of its secrets last let somebody in.
   *
   * @return the time; null if that never happened
   */
  public @Nullable Instant lastUsed() {
    return lastUsed;
  }

  /**
   * When any of its secrets was last proven, let in or not.
   *
   * @return the time; null if that never happened
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
