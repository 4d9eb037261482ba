package io.keystile;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the host for replacing secrets.
 *
 * @param usual for keys without a rule of their own or of their plan
 * @param ofPlans by the name of the plan
 * @param maxLive how many secrets of a key may work at a time, 1 to 8
 * @param ownGrace how long older secrets go on working when a client has replaced its own
 */
record RotationRules(
    RotationPolicy usual, Map<String, RotationPolicy> ofPlans, int maxLive, Duration ownGrace) {

  static final int DEFAULT_MAX_LIVE = 3;
  static final Duration DEFAULT_OWN_GRACE = Duration.ofHours(24);

  /** How long nobody is taken for a thief after a change, if the usual grace is shorter. */
  static final Duration SHORTEST_WAIT = Duration.ofHours(1);

  /** The defaults. */
  static final RotationRules USUAL =
      new RotationRules(RotationPolicy.usual(), Map.of(), DEFAULT_MAX_LIVE, DEFAULT_OWN_GRACE);

  RotationRules {
    ofPlans = Map.copyOf(ofPlans);
  }

  /** The key's own, else its plan's, else the usual. */
  RotationPolicy of(KeyRecord record) {
    if (record.rotation() != null) {
      return RotationPolicy.of(record.rotation());
    }
    RotationPolicy ofPlan = record.plan() == null ? null : ofPlans.get(record.plan());
    return ofPlan == null ? usual : ofPlan;
  }

  /** From when on a key is due, or null if nothing will make it so. */
  @Nullable Instant dueAt(KeyRecord record) {
    SecretVersion newest = record.newest();
    RotationPolicy policy = of(record);
    Instant due = dueForItsEnd(newest, record.endsAt(), policy.grace());
    if (policy.age() != null) {
      due = earlier(due, Arguments.plus(newest.createdAt(), policy.age()));
    }
    due = earlier(due, newest.revokedAt());
    boolean isTooLate = due != null && Lifecycle.hasEnded(record.endsAt(), due);
    return isTooLate ? null : due; // nothing is rotated any more when the key itself has ended
  }

  private static @Nullable Instant dueForItsEnd(
      SecretVersion newest, @Nullable Instant keyEnd, Duration grace) {
    Instant end = newest.expiresAt();
    if (end == null || Lifecycle.hasEnded(keyEnd, end)) {
      return null; // nothing that a rotation could move
    }
    Duration lifetime = Duration.between(newest.createdAt(), end);
    Instant halfTime = newest.createdAt().plusMillis(lifetime.toMillis() / 2);
    Instant graceBefore = Arguments.minus(end, grace);
    return graceBefore.isBefore(halfTime) ? halfTime : graceBefore;
  }

  /**
   * What the use of a secret tells, in milliseconds since 1970.
   *
   * @param from from when on its client is told to change it
   * @param until by when to have changed it
   * @param suspectFrom from when on nobody but a thief should use it
   */
  record Notice(long from, long until, long suspectFrom) {
    static final Notice NONE = new Notice(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
  }

  /**
   * The notice for a client on one version of a key: on the newest from when the key is due, on any
   * other at once. Until when is when the version ends; one that is due for its age alone has the
   * grace from then.
   */
  Notice notice(KeyRecord record, SecretVersion version) {
    boolean isNewest = version.number() == record.newest().number();
    Instant due = isNewest ? dueAt(record) : Instant.EPOCH;
    long suspectFrom = suspectFrom(record, version).toEpochMilli();
    if (due == null) {
      return new Notice(Notice.NONE.from, Notice.NONE.until, suspectFrom);
    }
    Instant end = earlier(version.end(), record.endsAt());
    Duration age = of(record).age();
    if (isNewest && age != null) {
      Instant graceOver =
          Arguments.plus(Arguments.plus(version.createdAt(), age), of(record).grace());
      end = earlier(end, graceOver);
    }
    long until = Objects.requireNonNull(end).toEpochMilli();
    return new Notice(due.toEpochMilli(), until, suspectFrom);
  }

  /**
   * From when on nobody but a thief should still use a version that has ended: one usual grace
   * after its client could have heard of that, whatever grace it was given. Before that a rotation
   * without grace would look like a theft. What counts is the last change before the end, for it
   * may have cut a longer grace short; if all came after it, the first.
   */
  private Instant suspectFrom(KeyRecord record, SecretVersion version) {
    List<Instant> changes =
        Stream.concat(
                Stream.ofNullable(version.revokedAt()),
                record.versions().stream()
                    .filter(other -> other.number() > version.number())
                    .map(SecretVersion::createdAt))
            .sorted()
            .toList();
    if (changes.isEmpty()) {
      return Arguments.LATEST;
    }
    Instant end = version.end();
    Instant told = changes.get(0);
    for (Instant change : changes) {
      told = end == null || change.isAfter(end) ? told : change;
    }
    Duration grace = of(record).grace();
    return Arguments.plus(told, grace.compareTo(SHORTEST_WAIT) < 0 ? SHORTEST_WAIT : grace);
  }

  /** What finds every key that is due at a time, and some that are not. */
  KeyFilter.Due due(Instant now) {
    Duration longestGrace = all().map(RotationPolicy::grace).max(Duration::compareTo).orElseThrow();
    Duration shortestAge =
        all()
            .map(RotationPolicy::age)
            .filter(Objects::nonNull)
            .min(Duration::compareTo)
            .orElse(null);
    return new KeyFilter.Due(
        Arguments.plus(now, longestGrace),
        shortestAge == null ? null : Arguments.minus(now, shortestAge));
  }

  private Stream<RotationPolicy> all() {
    return Stream.concat(Stream.of(usual), ofPlans.values().stream());
  }

  private static @Nullable Instant earlier(@Nullable Instant a, @Nullable Instant b) {
    return a == null || (b != null && b.isBefore(a)) ? b : a;
  }
}
