package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Kind;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The life of a key: pure functions from one record to the next, and what each state allows. A
 * function that finds nothing to do returns the record it was given; otherwise the next one has the
 * next revision.
 *
 * <pre>
 *             update  disable  enable  revoke  extend (personal, before its end)
 *   active    yes     yes      -       yes     yes
 *   disabled  yes     -        yes     yes     no
 *   expired   yes     yes      -       yes     no
 *   revoked   no      no       no      -       no
 * </pre>
 *
 * "-" is nothing to do. Nothing here revives a key that has ended.
 */
final class Lifecycle {

  private Lifecycle() {}

  /** Whether an end has come; null is no end. At the very millisecond of the end it has. */
  static boolean hasEnded(@Nullable Instant end, Instant now) {
    return end != null && !now.isBefore(end);
  }

  /**
   * The numbers of the secrets that have not come to their end, whatever the state of the key. As
   * in validation, what was over for the node that changed the key is over by every clock: a secret
   * that was revoked, or had retired when a newer one was made.
   *
   * <p>Any newer one, not the next alone: a later rotation may have cut its grace short, or been
   * forced a moment after it. The price is that a rotation by a clock that is ahead ends every
   * grace that is over by that clock.
   */
  static Set<Integer> live(KeyRecord record, Instant now) {
    Set<Integer> live = new HashSet<>();
    Instant newerMade = Instant.MIN;
    for (int i = record.versions().size() - 1; i >= 0; i--) {
      SecretVersion version = record.versions().get(i);
      boolean isOver =
          hasEnded(record.endsAt(), now)
              || hasEnded(version.end(), now)
              || version.revokedAt() != null
              || hasEnded(version.retiresAt(), newerMade);
      if (!isOver) {
        live.add(version.number());
      }
      newerMade = version.createdAt().isAfter(newerMade) ? version.createdAt() : newerMade;
    }
    return live;
  }

  static KeyRecord issue(KeySpec spec, KeyMint.Minted minted, LifecycleSettings settings) {
    Instant now = minted.createdAt();
    requireFuture(spec.endsAt(), now);
    Duration lifetime = settings.lifetimeOf(spec);
    Instant expiresAt = lifetime == null ? null : Arguments.plus(now, lifetime);
    return spec.toRecord()
        .id(minted.id())
        .prefix(minted.prefix().brand(), minted.prefix().environment())
        .createdAt(now)
        .versions(List.of(minted.firstVersion(spec.cause(), expiresAt)))
        .build();
  }

  static KeyRecord update(KeyRecord record, KeyUpdate update, Instant now) {
    requireNotRevoked(record);
    KeyRecord.Builder builder = record.toBuilder();
    update.applyTo(builder);
    KeyRecord next = builder.build();
    boolean hasOtherLimits =
        !next.limits().equals(record.limits()) || !Objects.equals(next.plan(), record.plan());
    if (hasOtherLimits) {
      // what the host says now is not what they were adapted from
      next = builder.adapted(null).build();
    }
    if (next.equals(record)) {
      return record;
    }
    if (next.endsAt() != null && !next.endsAt().equals(record.endsAt())) {
      requireFuture(next.endsAt(), now);
    }
    if (hasEnded(record.liveUntil(), now) && !hasEnded(next.liveUntil(), now)) {
      throw KeyException.stateForbids("the key has ended: its end cannot be moved any more");
    }
    return successor(record, builder);
  }

  static KeyRecord disable(KeyRecord record) {
    return switchTo(State.DISABLED, record);
  }

  static KeyRecord enable(KeyRecord record) {
    return switchTo(State.ACTIVE, record);
  }

  private static KeyRecord switchTo(State state, KeyRecord record) {
    requireNotRevoked(record);
    return record.state() == state ? record : successor(record, record.toBuilder().state(state));
  }

  /** Final. The first revocation stays as it was. */
  static KeyRecord revoke(StoredKey stored, Revocation revocation, Instant now) {
    KeyRecord record = stored.record();
    if (record.state() == State.REVOKED) {
      return record;
    }
    KeyRecord.Revoked revoked =
        new KeyRecord.Revoked(
            now,
            revocation.reason(),
            revocation.cause().note(),
            revocation.cause().actor(),
            stored.lastUsed());
    return successor(record, record.toBuilder().revoked(revoked));
  }

  /**
   * Moves the end of a personal access token to {@code lifetime} from now, never nearer, and not
   * beyond {@code maximum} after its secret was made.
   */
  static KeyRecord extend(KeyRecord record, Duration lifetime, Duration maximum, Instant now) {
    requireNotRevoked(record);
    if (record.kind() != Kind.PERSONAL) {
      throw KeyException.stateForbids("only personal access tokens can be extended");
    }
    if (record.state() == State.DISABLED) {
      throw KeyException.stateForbids("the key is disabled");
    }
    SecretVersion newest = record.newest();
    if (hasEnded(newest.end(), now) || hasEnded(record.endsAt(), now)) {
      throw KeyException.stateForbids("the key has ended: it can only be extended before that");
    }
    Instant until = Arguments.plus(now, lifetime);
    if (until.isAfter(Arguments.plus(newest.createdAt(), maximum))) {
      throw KeyException.notPermitted("lifetime: longer than permitted");
    }
    if (newest.expiresAt() == null || !until.isAfter(newest.expiresAt())) {
      return record;
    }
    List<SecretVersion> versions = new ArrayList<>(record.versions());
    versions.set(versions.size() - 1, newest.withExpiresAt(until));
    return successor(record, record.toBuilder().versions(versions));
  }

  /** With limits adapted to its risk; null for those of its plan. */
  static KeyRecord adapt(KeyRecord record, KeyRecord.@Nullable Adapted adapted) {
    requireNotRevoked(record);
    return successor(record, record.toBuilder().adapted(adapted));
  }

  /**
   * Lets all secrets up to a number end at a time, unless they end before, so that a newer one must
   * be made.
   */
  static KeyRecord endSecrets(KeyRecord record, int newest, Instant end) {
    requireNotRevoked(record);
    List<SecretVersion> versions = new ArrayList<>();
    for (SecretVersion version : record.versions()) {
      Instant known = version.end();
      boolean isLater = known == null || known.isAfter(end);
      versions.add(version.number() <= newest && isLater ? version.withExpiresAt(end) : version);
    }
    return versions.equals(record.versions())
        ? record
        : successor(record, record.toBuilder().versions(versions));
  }

  private static KeyRecord successor(KeyRecord record, KeyRecord.Builder changed) {
    return changed.revision(record.revision() + 1).build();
  }

  private static void requireNotRevoked(KeyRecord record) {
    if (record.state() == State.REVOKED) {
      throw KeyException.stateForbids("the key is revoked");
    }
  }

  private static void requireFuture(@Nullable Instant endsAt, Instant now) {
    if (hasEnded(endsAt, now)) {
      throw new IllegalArgumentException("endsAt: must be in the future");
    }
  }
}
