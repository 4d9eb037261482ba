package io.keystile;

import io.keystile.SecretHasher.Stored;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The secrets of a key: pure functions from one record to the next, as {@link Lifecycle} has them
 * for the key itself.
 *
 * <pre>
 *             rotate           by the client  by a limited owner  revoke one secret
 *   active    yes              yes            yes                 yes
 *   disabled  no               no             no                  yes
 *   expired   yes: it revives  no             no                  yes
 *   ended     no               no             no                  yes
 *   revoked   no               no             no                  no
 * </pre>
 *
 * "Expired" is a key without a secret that works, "ended" one whose own fixed end has come. A
 * limited owner is one for whom a maximum of live keys is set.
 */
final class SecretRotation {

  /** How long a secret that has ended stays with its key, to be recognised when it comes back. */
  static final Duration ENDED_KEPT = Duration.ofDays(90);

  /** Most versions of one key, those that have ended included. */
  static final int MAX_VERSIONS = 8;

  private SecretRotation() {}

  /**
   * Adds a version, and lets every older one that still works retire at the earlier of its own end
   * and the end of the grace. Of those that work, the oldest go at once if there are too many.
   */
  static KeyRecord rotate(
      KeyRecord record, SecretVersion successor, Duration grace, int maxLive, Instant now) {
    requireRotatable(record, now);
    Instant graceOver = Arguments.plus(now, grace);
    List<SecretVersion> older = new ArrayList<>();
    for (SecretVersion version : record.versions()) {
      older.add(Lifecycle.hasEnded(version.end(), now) ? version : retire(version, graceOver));
    }
    retireOldest(older, maxLive - 1, now);
    drop(older, now);
    older.add(successor);
    return record.toBuilder().versions(older).revision(record.revision() + 1).build();
  }

  /**
   * What a client needs to replace its secret: the right to, also if it was taken away a moment
   * ago, and that the secret is of use still.
   */
  static void requireClientMay(KeyRecord record, Instant now) {
    SecretVersion newest = record.newest();
    // revoked is revoked, also by a clock that is behind
    if (newest.revokedAt() != null || Lifecycle.hasEnded(newest.end(), now)) {
      throw KeyException.stateForbids("the secret has ended");
    }
    if (!SelfRotation.ACCESS.permits(GrantedScopes.of(record.scopes()))) {
      throw KeyException.notPermitted("scopes: the key may not replace its own secret");
    }
  }

  /** What an owner needs where the number of his keys is limited: a revival would add one. */
  static void requireNotExpired(KeyRecord record, Instant now) {
    if (Lifecycle.hasEnded(record.liveUntil(), now)) {
      throw KeyException.stateForbids("the key has expired: only the host revives it");
    }
  }

  private static void requireRotatable(KeyRecord record, Instant now) {
    if (record.state() == State.REVOKED) {
      throw KeyException.stateForbids("the key is revoked");
    }
    if (record.state() == State.DISABLED) {
      throw KeyException.stateForbids("the key is disabled");
    }
    if (Lifecycle.hasEnded(record.endsAt(), now)) {
      throw KeyException.stateForbids("the key has come to its fixed end");
    }
  }

  private static SecretVersion retire(SecretVersion version, Instant time) {
    Instant end = version.end();
    return version.withRetiresAt(end == null || time.isBefore(end) ? time : end);
  }

  private static void retireOldest(List<SecretVersion> versions, int most, Instant now) {
    long live = versions.stream().filter(v -> !Lifecycle.hasEnded(v.end(), now)).count();
    for (int i = 0; live > most; i++) {
      SecretVersion version = versions.get(i);
      if (!Lifecycle.hasEnded(version.end(), now)) {
        versions.set(i, retire(version, now));
        live--;
      }
    }
  }

  /** Drops what ended long ago, and the oldest of what has ended if it is too much. */
  private static void drop(List<SecretVersion> versions, Instant now) {
    Instant longAgo = Arguments.minus(now, ENDED_KEPT);
    versions.removeIf(version -> Lifecycle.hasEnded(version.end(), longAgo));
    for (int i = 0; versions.size() >= MAX_VERSIONS; ) {
      if (Lifecycle.hasEnded(versions.get(i).end(), now)) {
        versions.remove(i);
      } else {
        i++;
      }
    }
  }

  /**
   * Renews the hash of one version, if it is still the one that the secret was proven by, and the
   * secret may still be used.
   */
  static KeyRecord rehash(
      KeyRecord record, int number, Stored proven, Stored renewed, Instant now) {
    if (record.state() != State.ACTIVE || Lifecycle.hasEnded(record.endsAt(), now)) {
      return record;
    }
    List<SecretVersion> versions = new ArrayList<>(record.versions());
    for (int i = 0; i < versions.size(); i++) {
      SecretVersion version = versions.get(i);
      Stored hash = new Stored(version.scheme(), version.pepperId(), version.hash());
      if (version.number() == number
          && hash.equals(proven)
          && !Lifecycle.hasEnded(version.end(), now)) {
        versions.set(i, version.withHash(renewed.scheme(), renewed.pepperId(), renewed.hash()));
        return record.toBuilder().versions(versions).revision(record.revision() + 1).build();
      }
    }
    return record;
  }

  /** Revokes one version alone. The first revocation stays as it was. */
  static KeyRecord revoke(KeyRecord record, int number, Instant now) {
    if (record.state() == State.REVOKED) {
      throw KeyException.stateForbids("the key is revoked");
    }
    List<SecretVersion> versions = new ArrayList<>(record.versions());
    for (int i = 0; i < versions.size(); i++) {
      SecretVersion version = versions.get(i);
      if (version.number() == number) {
        if (version.revokedAt() != null) {
          return record;
        }
        versions.set(i, version.withRevokedAt(now));
        return record.toBuilder().versions(versions).revision(record.revision() + 1).build();
      }
    }
    throw KeyException.stateForbids("the key has no secret with this number");
  }
}
