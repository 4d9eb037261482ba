package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Adapted;
import io.keystile.store.KeyRecord.Limit;
import io.keystile.store.KeyRecord.RotationRule;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What comes back must be what was written. */
abstract class ValueRules extends FeedRules {
  static final String AS_WRITTEN = " must return every value as it was written";
  private static final Duration HUNDRED_YEARS = Duration.ofDays(36_500);

  final void assertWrittenAndReadBack(List<KeyWrite> writes) {
    assertThat(store.insert(writes, NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);
    List<StoredKey> listed = other.list(KeyFilter.all(), sample.beforeAll(), writes.size());
    assertThat(listed).as("G2: list must return every key").hasSameSizeAs(writes);
    for (int i = 0; i < writes.size(); i++) {
      KeyRecord record = writes.get(i).record();
      Differences.assertNone("G2: list" + AS_WRITTEN, listed.get(i).record(), record);
      Differences.assertNone("G2: load" + AS_WRITTEN, loaded(record.id()), record);
      Differences.assertNone("G2: find" + AS_WRITTEN, found(record.id()), record);
      Differences.assertNone(
          "G2: audit" + AS_WRITTEN,
          withoutNumbers(trail(record.owner())),
          List.of(writes.get(i).entry()));
    }
  }

  final @Nullable KeyRecord loaded(String keyId) {
    return other.load(keyId).orElse(null);
  }

  private @Nullable KeyRecord found(String keyId) {
    return other.find(keyId).map(StoredKey::record).orElse(null);
  }

  @Test
  void g2_every_reason_state_and_time_comes_back() {
    List<KeyRecord> records = new ArrayList<>();
    for (RevocationReason reason : RevocationReason.values()) {
      records.add(
          sample
              .record()
              .revoked(new KeyRecord.Revoked(Sample.NOW, reason, null, null, Sample.NOW))
              .build());
    }
    records.add(sample.record().state(KeyRecord.State.DISABLED).build());
    for (Instant time : times()) {
      SecretVersion version =
          new SecretVersion(1, "s", null, Sample.hash(), "", time, null, null, time, time, time);
      records.add(
          sample
              .record()
              .createdAt(time)
              .endsAt(time)
              .revoked(new KeyRecord.Revoked(time, RevocationReason.LEAKED, null, null, time))
              .versions(List.of(version))
              .build());
    }
    assertWrittenAndReadBack(sample.writes(records));

    List<UseMark> marks = new ArrayList<>();
    for (Instant time : times()) {
      KeyRecord record = records.get(marks.size());
      marks.add(new UseMark(record.id(), 1, time, time));
    }
    store.recordUse(marks);
    for (UseMark mark : marks) {
      assertThat(other.find(mark.keyId()).orElseThrow().uses())
          .as("G2: times must come back to the millisecond, in whatever zone the session runs")
          .containsExactly(mark);
    }
  }

  @Test
  void g2_every_rule_for_rotation_comes_back_or_none() {
    List<@Nullable RotationRule> rules = new ArrayList<>();
    rules.add(null);
    for (Duration grace : List.of(Duration.ZERO, Duration.ofMillis(1), HUNDRED_YEARS)) {
      rules.add(new RotationRule(grace, null));
      rules.add(new RotationRule(grace, Duration.ofMillis(1)));
      rules.add(new RotationRule(grace, Duration.ofDays(90).plusMillis(123)));
      rules.add(new RotationRule(grace, HUNDRED_YEARS));
    }
    List<KeyRecord> records = new ArrayList<>();
    rules.forEach(rule -> records.add(sample.record().rotation(rule).build()));
    assertWrittenAndReadBack(sample.writes(records));

    for (int i = 0; i < rules.size(); i++) {
      RotationRule other = rules.get((i + 1) % rules.size());
      KeyRecord next = sample.next(records.get(i)).toBuilder().rotation(other).build();
      assertThat(store.replace(sample.write(next))).isEqualTo(WriteOutcome.APPLIED);
      Differences.assertNone("G2: load after replace" + AS_WRITTEN, loaded(next.id()), next);
    }
  }

  @Test
  void g2_every_limit_comes_back_in_its_place_or_none() {
    List<List<Limit>> some = new ArrayList<>();
    some.add(List.of());
    Duration second = Duration.ofSeconds(1);
    for (long amount : new long[] {0, 1, 1L << 31, (1L << 53) + 1, (1L << 62) - 1, 1L << 62}) {
      some.add(List.of(new Limit("requests", amount, second)));
    }
    Duration longest = Duration.ofDays(31);
    for (Duration window : List.of(Duration.ofMillis(100), second.plusMillis(1), longest)) {
      some.add(List.of(new Limit("a", 10, window), new Limit("b-2", 10, window)));
    }
    List<Limit> most = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String unit = "u".repeat(30) + (10 + i * 7 % 20);
      most.add(new Limit(unit, (1L << 62) - i, longest.minusMillis(i % 2)));
    }
    some.add(most);
    List<KeyRecord> records = new ArrayList<>();
    some.forEach(limits -> records.add(sample.record().limits(limits).build()));
    assertWrittenAndReadBack(sample.writes(records));

    for (int i = 0; i < some.size(); i++) {
      List<Limit> others = some.get((i + 1) % some.size());
      KeyRecord next = sample.next(records.get(i)).toBuilder().limits(others).build();
      assertThat(store.replace(sample.write(next))).isEqualTo(WriteOutcome.APPLIED);
      Differences.assertNone("G2: load after replace" + AS_WRITTEN, loaded(next.id()), next);
    }
  }

  @Test
  void g2_every_adapted_limit_comes_back_or_none() {
    List<@Nullable Adapted> some = new ArrayList<>();
    some.add(null);
    for (long perMinute : new long[] {0, 1, 1L << 31, (1L << 53) + 1, (1L << 62) - 1, 1L << 62}) {
      some.add(new Adapted(Sample.NOW.plusMillis(some.size()), perMinute, "why " + some.size()));
    }
    for (Instant time : times()) {
      some.add(new Adapted(time, 60, "calm"));
    }
    List<KeyRecord> records = new ArrayList<>();
    some.forEach(adapted -> records.add(sample.record().adapted(adapted).build()));
    assertWrittenAndReadBack(sample.writes(records));

    for (int i = 0; i < some.size(); i++) {
      Adapted other = some.get((i + 1) % some.size());
      KeyRecord next = sample.next(records.get(i)).toBuilder().adapted(other).build();
      assertThat(store.replace(sample.write(next))).isEqualTo(WriteOutcome.APPLIED);
      Differences.assertNone("G2: load after replace" + AS_WRITTEN, loaded(next.id()), next);
    }
  }

  @Test
  void g2_every_secret_version_of_an_entry_comes_back_or_none() {
    List<KeyWrite> writes = new ArrayList<>();
    writes.add(sample.writeAbout(null, sample.record().build()));
    for (int version : new int[] {1, 2, 8, 32_768, Integer.MAX_VALUE}) {
      writes.add(sample.writeAbout(version, sample.record().build()));
    }
    assertWrittenAndReadBack(writes);
  }

  /** Where calendars, zones and narrow integers have their edges. */
  private static List<Instant> times() {
    List<Instant> times = new ArrayList<>();
    for (String time :
        List.of(
            "1970-01-01T00:00:00.001Z",
            "1999-12-31T23:59:59.999Z",
            "2016-12-31T23:59:59.999Z",
            "2026-03-08T10:00:00Z",
            "2026-03-29T00:59:59.999Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T02:30:00.001Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-04-04T15:15:00.500Z",
            "2038-01-19T03:14:07.999Z",
            "2038-01-19T03:14:08Z",
            "2106-02-07T06:28:16Z",
            "9999-12-31T23:59:59.999Z")) {
      times.add(Instant.parse(time));
    }
    times.add(0, Instant.EPOCH);
    return times;
  }
}
