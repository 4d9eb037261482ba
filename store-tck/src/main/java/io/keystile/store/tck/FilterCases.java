package io.keystile.store.tck;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyFilter.Due;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.RotationRule;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keys and conditions for the tests of filters. Each time of a condition lies at, just before and
 * just after a time of a key.
 */
final class FilterCases {
  private static final Instant END = Sample.NOW.plusSeconds(1000);

  /** One condition of a filter. */
  record Condition(Consumer<KeyFilter.Builder> set) {}

  private FilterCases() {}

  /** In the order of their ids; names are unique. */
  static List<StoredKey> keys(Sample sample) {
    List<StoredKey> keys = new ArrayList<>();
    String owner = sample.name("owner");
    String subject = sample.name("subject");
    add(keys, sample.record(owner).name("plain"));
    add(keys, sample.record().name("of another owner").prefix("acme", "test"));
    add(keys, sample.record(owner).name("of another brand").prefix("other", "live"));
    add(keys, sample.record(owner).name("personal").personal(subject));
    add(keys, sample.record().name("personal, other").personal(sample.name("subject")));
    add(keys, sample.record(owner).name("disabled").state(State.DISABLED));
    add(keys, sample.record(owner).name("older").createdAt(Sample.NOW.minusMillis(1)));
    add(keys, sample.record(owner).name("younger").createdAt(Sample.NOW.plusMillis(1)));
    for (int millis = -1; millis <= 1; millis++) {
      Instant end = END.plusMillis(millis);
      Instant at = Sample.NOW.plusMillis(millis);
      String name = " at " + millis;
      add(keys, sample.record(owner).name("fixed end" + name).endsAt(end));
      add(keys, sample.record(owner).name("version ends" + name).versions(List.of(ending(1, end))));
      add(keys, revoked(sample.record(owner).name("revoked" + name), at));
      add(keys, sample.record(owner).name("used" + name), mark(1, at, at));
      add(
          keys,
          sample
              .record(owner)
              .name("older version used" + name)
              .versions(List.of(ending(1, END), Sample.version(2))),
          mark(1, at, at),
          mark(2, Sample.NOW.minusMillis(2), Sample.NOW.plusMillis(5)));
    }
    addRotating(keys, sample, owner);
    add(
        keys,
        sample
            .record(owner)
            .name("one of two versions never ends")
            .versions(List.of(ending(1, END), Sample.version(2))));
    add(
        keys,
        sample
            .record(owner)
            .name("fixed end before that of its version")
            .endsAt(END.minusMillis(1))
            .versions(List.of(ending(1, END.plusMillis(1)))));
    add(keys, sample.record(owner).name("seen, never used"), mark(1, null, Sample.NOW));
    addPeppered(keys, sample.record(owner), "pepper-1");
    addPeppered(keys, sample.record(owner), "pepper-1", "pepper-2");
    addPeppered(keys, sample.record(owner), null, "pepper-2");
    addPeppered(keys, sample.record(owner), "pepper-2", "pepper-2", null);
    addPeppered(keys, sample.record(owner), "pepper-10");
    return keys;
  }

  private static void addRotating(List<StoredKey> keys, Sample sample, String owner) {
    for (int millis = -1; millis <= 1; millis++) {
      Instant end = END.plusMillis(millis);
      Instant at = Sample.NOW.plusMillis(millis);
      String name = " at " + millis;
      SecretVersion endless = Sample.version(3);
      addVersions(keys, sample.record(owner), "older ends" + name, ending(1, end), endless);
      addVersions(
          keys,
          sample.record(owner).endsAt(end),
          "fixed end before that of its older version" + name,
          ending(1, END.plusMillis(5)),
          endless);
      addVersions(
          keys,
          sample.record(owner),
          "oldest ends last" + name,
          ending(1, end),
          ending(2, END.minusMillis(5)),
          endless);
      addVersions(
          keys,
          sample.record(owner),
          "newest ends first" + name,
          ending(1, END.plusMillis(5)),
          ending(2, end));
      addVersions(
          keys,
          sample.record(owner),
          "newest ends last" + name,
          ending(1, END.minusMillis(5)),
          ending(2, end));
      addVersions(keys, sample.record(owner), "newest made" + name, Sample.created(1, at));
      addVersions(
          keys,
          sample.record(owner),
          "older made" + name,
          Sample.ended(1, at),
          Sample.created(2, Sample.NOW.plusMillis(5)));
    }
    Duration week = Duration.ofDays(7);
    add(keys, sample.record(owner).name("own rule").rotation(new RotationRule(week, week)));
    add(
        keys,
        sample
            .record(owner)
            .name("own rule without grace and age")
            .createdAt(Sample.NOW.plusSeconds(9))
            .rotation(new RotationRule(Duration.ZERO, null))
            .versions(List.of(Sample.created(1, Sample.NOW.plusSeconds(9)))));
  }

  private static void addVersions(
      List<StoredKey> keys, KeyRecord.Builder builder, String name, SecretVersion... versions) {
    add(keys, builder.name(name).versions(List.of(versions)));
  }

  private static void add(List<StoredKey> keys, KeyRecord.Builder builder, UseMark... marks) {
    KeyRecord record = builder.build();
    List<UseMark> own = new ArrayList<>();
    for (UseMark mark : marks) {
      own.add(new UseMark(record.id(), mark.version(), mark.lastUsed(), mark.lastSeen()));
    }
    keys.add(new StoredKey(record, own));
  }

  private static void addPeppered(
      List<StoredKey> keys, KeyRecord.Builder builder, @Nullable String... pepperIds) {
    List<SecretVersion> versions = new ArrayList<>();
    for (String pepperId : pepperIds) {
      versions.add(Sample.peppered(versions.size() + 1, pepperId));
    }
    add(keys, builder.name("peppers " + Arrays.toString(pepperIds)).versions(versions));
  }

  private static UseMark mark(int version, @Nullable Instant used, Instant seen) {
    return new UseMark("0".repeat(22), version, used, seen);
  }

  private static SecretVersion ending(int number, Instant end) {
    return Sample.version(number, end);
  }

  private static KeyRecord.Builder revoked(KeyRecord.Builder builder, Instant at) {
    return builder.revoked(
        new KeyRecord.Revoked(at, RevocationReason.UNSPECIFIED, null, null, null));
  }

  static List<Condition> conditions(List<StoredKey> keys) {
    KeyRecord plain = keys.get(0).record();
    KeyRecord personal = keys.get(3).record();
    List<Condition> all = new ArrayList<>();
    all.add(new Condition(filter -> filter.owner(plain.owner())));
    all.add(new Condition(filter -> filter.owner(keys.get(1).record().owner())));
    all.add(new Condition(filter -> filter.owner(plain.owner() + "x")));
    all.add(new Condition(filter -> filter.subject(personal.subject())));
    all.add(new Condition(filter -> filter.brand("other")));
    all.add(new Condition(filter -> filter.environment("test")));
    for (String pepperId : List.of("pepper-1", "pepper-2", "pepper")) {
      all.add(new Condition(filter -> filter.pepperId(pepperId)));
    }
    for (State state : State.values()) {
      all.add(new Condition(filter -> filter.states(Set.of(state))));
      Set<State> others = EnumSet.complementOf(EnumSet.of(state));
      all.add(new Condition(filter -> filter.states(others)));
    }
    around(all, END, KeyFilter.Builder::liveAfter);
    around(all, END, KeyFilter.Builder::liveUntil);
    around(all, END, KeyFilter.Builder::olderLiveAfter);
    around(all, END, (filter, time) -> filter.due(new Due(time, null)));
    around(all, Sample.NOW, (filter, time) -> filter.due(new Due(Instant.EPOCH, time)));
    all.add(new Condition(filter -> filter.due(new Due(END, Sample.NOW))));
    all.add(new Condition(filter -> filter.due(new Due(Instant.EPOCH, null))));
    around(all, Sample.NOW, KeyFilter.Builder::revokedBefore);
    around(all, Sample.NOW, KeyFilter.Builder::issuedBefore);
    around(all, Sample.NOW, KeyFilter.Builder::unusedSince);
    all.add(new Condition(filter -> filter.neverUsed(true)));
    return all;
  }

  private static void around(
      List<Condition> all, Instant time, BiConsumer<KeyFilter.Builder, Instant> set) {
    for (int millis = -1; millis <= 2; millis++) {
      Instant at = time.plusMillis(millis);
      all.add(new Condition(filter -> set.accept(filter, at)));
    }
  }

  /** What the documentation of {@link KeyFilter} says, condition by condition. */
  static boolean matches(StoredKey key, KeyFilter filter) {
    KeyRecord record = key.record();
    if (filter.owner() != null && !filter.owner().equals(record.owner())) {
      return false;
    }
    if (filter.subject() != null && !filter.subject().equals(record.subject())) {
      return false;
    }
    if (filter.brand() != null && !filter.brand().equals(record.brand())) {
      return false;
    }
    if (filter.environment() != null && !filter.environment().equals(record.environment())) {
      return false;
    }
    if (filter.pepperId() != null
        && record.versions().stream()
            .noneMatch(version -> filter.pepperId().equals(version.pepperId()))) {
      return false;
    }
    if (!filter.states().isEmpty() && !filter.states().contains(record.state())) {
      return false;
    }
    // Null stands for never, in an end as in a use: far ahead in the one, far back in the other
    long end = millis(record.liveUntil(), Long.MAX_VALUE);
    if (filter.liveAfter() != null && end <= filter.liveAfter().toEpochMilli()) {
      return false;
    }
    if (filter.liveUntil() != null && end > filter.liveUntil().toEpochMilli()) {
      return false;
    }
    // But no older version is none that lives on
    long olderEnd = millis(record.olderUntil(), -1);
    if (filter.olderLiveAfter() != null && olderEnd <= filter.olderLiveAfter().toEpochMilli()) {
      return false;
    }
    if (filter.due() != null && !mayBeDue(record, filter.due())) {
      return false;
    }
    KeyRecord.Revoked revoked = record.revoked();
    long revokedAt = revoked == null ? Long.MAX_VALUE : revoked.at().toEpochMilli();
    if (filter.revokedBefore() != null && revokedAt >= filter.revokedBefore().toEpochMilli()) {
      return false;
    }
    if (filter.issuedBefore() != null
        && record.createdAt().toEpochMilli() >= filter.issuedBefore().toEpochMilli()) {
      return false;
    }
    long used = millis(key.lastUsed(), -1);
    if (filter.unusedSince() != null && used >= filter.unusedSince().toEpochMilli()) {
      return false;
    }
    return !filter.neverUsed() || used < 0;
  }

  private static boolean mayBeDue(KeyRecord record, Due due) {
    SecretVersion newest = record.newest();
    if (record.rotation() != null) {
      return true;
    }
    return millis(newest.end(), Long.MAX_VALUE) <= due.endsBy().toEpochMilli()
        || newest.createdAt().toEpochMilli() <= millis(due.createdBy(), -1);
  }

  private static long millis(@Nullable Instant time, long otherwise) {
    return time == null ? otherwise : time.toEpochMilli();
  }
}
