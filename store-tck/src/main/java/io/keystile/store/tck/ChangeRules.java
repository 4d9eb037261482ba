package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What {@code replace}, {@code recordUse} and {@code purge} promise. */
abstract class ChangeRules extends InsertRules {
  /** Long before the times of all other tests, so that their entries are not purged. */
  private static final Instant LONG_AGO = Instant.parse("1971-01-01T00:00:00Z");

  @Test
  void r1_replace_is_applied_when_the_stored_revision_is_the_one_before() {
    KeyRecord second = givenNext(given(sample.record()));
    KeyRecord third = sample.next(second);

    assertThat(other.replace(sample.write(third)))
        .as("R1: replace must be applied when the stored revision is the one before")
        .isEqualTo(WriteOutcome.APPLIED);
    assertThat(store.load(third.id())).contains(third);
  }

  @Test
  void r1_replace_is_refused_when_the_revision_has_moved() {
    KeyRecord first = given(sample.record());
    KeyRecord second = givenNext(first);

    assertConflict(sample.next(first), "the revision has moved");
    assertConflict(second.toBuilder().revision(4).build(), "the revision is not there yet");
    assertConflict(first, "nothing can come before revision 1");
    assertThat(other.load(first.id())).contains(second);
  }

  @Test
  void r1_replace_is_refused_when_no_such_key_is_stored() {
    KeyRecord missing = sample.record().revision(2).build();

    assertConflict(missing, "there is no such key");
    assertConflict(missing.toBuilder().revision(1).build(), "there is no such key");
    assertThat(other.find(missing.id())).as("R1: replace must not insert").isEmpty();
  }

  private void assertConflict(KeyRecord record, String why) {
    assertThat(store.replace(sample.write(record)))
        .as("R1: replace must be refused when " + why)
        .isEqualTo(WriteOutcome.CONFLICT);
  }

  @Test
  void r2_replace_stores_the_whole_record_with_entry_and_one_notice() {
    KeyRecord plain = given(sample.record());
    KeyRecord full = sample.full(plain.id(), plain.owner()).toBuilder().revision(2).build();
    KeyRecord plainAgain = plain.toBuilder().revision(3).build();

    assertReplaced(full);
    assertReplaced(plainAgain);
    assertThat(trailOfKey(plain.id()))
        .as("R2: each replacement must leave one audit entry")
        .hasSize(3);
  }

  private void assertReplaced(KeyRecord record) {
    KeyWrite write = sample.write(record);
    Feed feed = new Feed(other);
    assertThat(store.replace(write)).isEqualTo(WriteOutcome.APPLIED);
    assertThat(other.find(record.id()))
        .as("R2: the record must be replaced whole, and versions no longer listed removed")
        .contains(new StoredKey(record, List.of()));
    assertThat(withoutNumbers(trailOfOperation(write.entry().operationId())))
        .as("R2: the audit entry must be written with the record")
        .containsExactly(write.entry());
    assertThat(feed.poll())
        .as("R2: a replacement must leave one notice")
        .containsExactly(record.id());
  }

  @Test
  void r2_a_refused_replacement_leaves_nothing() {
    KeyRecord first = given(sample.record());
    KeyRecord second = givenNext(first);
    KeyWrite late =
        sample.write(sample.full(first.id(), first.owner()).toBuilder().revision(2).build());
    Feed feed = new Feed(other);

    assertThat(store.replace(late)).isEqualTo(WriteOutcome.CONFLICT);

    assertThat(other.load(first.id()))
        .as("R2: a refused replacement must leave the record as it was, with its versions")
        .contains(second);
    assertThat(trailOfOperation(late.entry().operationId()))
        .as("R2: a refused replacement must leave no audit entry")
        .isEmpty();
    assertThat(feed.poll()).as("R2: a refused replacement must leave no notice").isEmpty();
  }

  @Test
  void r3_a_used_operation_id_is_repeated_before_any_other_outcome() {
    KeyRecord first = given(sample.record());
    KeyWrite write = sample.writeAbout(1, sample.next(first));
    assertThat(store.replace(write)).isEqualTo(WriteOutcome.APPLIED);
    AuditEntry entry = trailOfOperation(write.entry().operationId()).get(0);
    Feed feed = new Feed(other);

    assertRepeated(write, entry, "the revision has moved");
    assertRepeated(
        sample.write(sample.next(write.record()), write.entry().operationId()),
        entry,
        "the revision would fit");
    assertRepeated(
        sample.write(sample.record().revision(2).build(), write.entry().operationId()),
        entry,
        "it is about another key, which is not stored");

    assertThat(other.load(first.id())).as("R3: nothing may be done").contains(write.record());
    assertThat(feed.poll()).as("R3: nothing may be done").isEmpty();
    assertThat(trailOfKey(first.id())).as("R3: nothing may be done").hasSize(2);
  }

  private void assertRepeated(KeyWrite write, AuditEntry entry, String although) {
    assertThat(other.replace(write))
        .as("R3: a used operation id must be REPEATED with its entry, although " + although)
        .isEqualTo(WriteOutcome.repeated(entry));
  }

  @Test
  void r3_an_operation_id_that_an_insert_used_counts_too() {
    KeyWrite insert = sample.write(sample.record().build());
    store.insert(List.of(insert), NO_MAXIMUM);

    assertThat(
            store
                .replace(sample.write(sample.next(insert.record()), insert.entry().operationId()))
                .kind())
        .as("R3: an operation id names one call, whatever the call was")
        .isEqualTo(WriteOutcome.Kind.REPEATED);
  }

  @Test
  void r5_last_use_survives_a_replacement() {
    KeyRecord record = given(sample.record());
    UseMark mark = used(record, 1, 10, 20);
    store.recordUse(List.of(mark));

    KeyRecord next = givenNext(record);

    assertThat(other.find(record.id()))
        .as("R5: replace must not touch last use")
        .contains(new StoredKey(next, List.of(mark)));
  }

  @Test
  void r5_last_use_of_a_removed_version_goes_with_it() {
    KeyRecord first = given(sample.record().versions(Sample.rotated()));
    UseMark kept = used(first, 2, 10, 20);
    store.recordUse(List.of(used(first, 1, 30, 40), kept));
    KeyRecord second =
        sample.next(first).toBuilder().versions(first.versions().subList(1, 2)).build();
    assertThat(store.replace(sample.write(second))).isEqualTo(WriteOutcome.APPLIED);

    assertThat(other.find(first.id()))
        .as("R5: last use of a version that is removed must go with it, and no other")
        .contains(new StoredKey(second, List.of(kept)));
    KeyRecord third = first.toBuilder().revision(3).build();
    assertThat(store.replace(sample.write(third))).isEqualTo(WriteOutcome.APPLIED);
    assertThat(other.find(first.id()))
        .as("R5: last use of a version that was removed must not come back")
        .contains(new StoredKey(third, List.of(kept)));
  }

  @Test
  void u1_an_older_time_never_replaces_a_newer_one() {
    KeyRecord record = given(sample.record());

    store.recordUse(List.of(new UseMark(record.id(), 1, null, time(10))));
    assertUses(record, new UseMark(record.id(), 1, null, time(10)));
    other.recordUse(List.of(used(record, 1, 5, 7)));
    assertUses(record, used(record, 1, 5, 10));
    store.recordUse(List.of(new UseMark(record.id(), 1, null, time(20))));
    assertUses(record, used(record, 1, 5, 20));
    other.recordUse(List.of(used(record, 1, 15, 15)));
    assertUses(record, used(record, 1, 15, 20));
    store.recordUse(List.of(used(record, 1, 14, 21)));
    assertUses(record, used(record, 1, 15, 21));
    store.recordUse(List.of(used(record, 1, 2, 3)));
    assertUses(record, used(record, 1, 15, 21));
  }

  @Test
  void u1_each_version_has_its_own_times() {
    KeyRecord record = given(sample.record().versions(Sample.rotated()));

    store.recordUse(List.of(used(record, 2, 20, 20), used(record, 1, 10, 10)));
    assertUses(record, used(record, 1, 10, 10), used(record, 2, 20, 20));
    store.recordUse(List.of(used(record, 2, 15, 15), used(record, 1, 30, 30)));
    assertUses(record, used(record, 1, 30, 30), used(record, 2, 20, 20));
  }

  @Test
  void u2_the_same_marks_twice_leave_what_once_leaves() {
    List<KeyRecord> records = sample.records(200);
    given(records);
    List<UseMark> marks = new ArrayList<>();
    for (KeyRecord record : records) {
      marks.add(0, used(record, 1, marks.size(), 1000));
    }

    store.recordUse(marks);
    other.recordUse(marks);
    store.recordUse(List.of());

    List<UseMark> kept = new ArrayList<>();
    other.list(ofAll(), sample.beforeAll(), records.size()).forEach(key -> kept.addAll(key.uses()));
    assertThat(kept)
        .as("U2: recordUse must be idempotent")
        .containsExactlyInAnyOrderElementsOf(marks);
  }

  private static KeyFilter ofAll() {
    return KeyFilter.all();
  }

  @Test
  void u3_marks_of_keys_that_are_not_stored_are_ignored() {
    KeyRecord record = given(sample.record());
    KeyRecord missing = sample.record().build();
    UseMark mark = used(record, 1, 10, 10);

    store.recordUse(List.of(used(missing, 1, 10, 10), mark));
    given(missing);

    assertUses(record, mark);
    assertThat(other.find(missing.id()).orElseThrow().uses())
        .as("U3: a mark of a key that is not stored must be ignored, not kept for later")
        .isEmpty();
  }

  @Test
  void u3_marks_of_versions_that_are_not_stored_are_ignored() {
    KeyRecord record = given(sample.record());

    store.recordUse(List.of(used(record, 2, 10, 10)));

    assertThat(other.find(record.id()).orElseThrow().uses())
        .as("U3: a mark of a version that is not stored must be ignored")
        .isEmpty();
  }

  @Test
  void u4_revision_audit_and_feed_do_not_move() {
    KeyRecord record = given(sample.record());
    Feed feed = new Feed(other);

    store.recordUse(List.of(used(record, 1, 10, 10)));

    assertThat(feed.poll()).as("U4: recordUse must leave no notice").isEmpty();
    assertThat(other.load(record.id()))
        .as("U4: recordUse must not move the revision")
        .contains(record);
    assertThat(trailOfKey(record.id())).as("U4: recordUse must leave no entry").hasSize(1);
  }

  private void assertUses(KeyRecord record, UseMark... marks) {
    assertThat(other.find(record.id()))
        .as("U1: both times of a version must be the newest that were marked, each by itself")
        .contains(new StoredKey(record, List.of(marks)));
  }

  static UseMark used(KeyRecord record, int version, long used, long seen) {
    return new UseMark(record.id(), version, time(used), time(seen));
  }

  static Instant time(long millis) {
    return Sample.NOW.plusMillis(millis);
  }

  @Test
  void p1_purge_removes_a_key_at_its_revision_with_entry_and_notice() {
    KeyRecord record =
        given(sample.full(sample.id(), sample.name("owner")).toBuilder().revision(1).build());
    store.recordUse(List.of(used(record, 7, 10, 10)));
    KeyWrite removal = sample.write(record);
    Feed feed = new Feed(other);

    assertThat(purge(removal))
        .as("P1: a key must be removed when its revision is still the one given")
        .isEqualTo(new Purge.Result(1, 0, 0));

    assertThat(other.find(record.id())).as("P1: a purged key must be gone").isEmpty();
    assertThat(other.load(record.id())).as("P1: a purged key must be gone").isEmpty();
    assertThat(listed(ofOwner(record.owner()))).as("P1: a purged key must be gone").isEmpty();
    assertThat(withoutNumbers(trailOfOperation(removal.entry().operationId())))
        .as("P1: a removal must leave its audit entry")
        .containsExactly(removal.entry());
    assertThat(feed.poll()).as("P1: a removal must leave a notice").containsExactly(record.id());
  }

  @Test
  void p1_purge_removes_secret_versions_and_last_use() {
    KeyRecord record = given(sample.record().versions(Sample.rotated()));
    store.recordUse(List.of(used(record, 1, 10, 10), used(record, 2, 10, 10)));
    purge(sample.write(record));

    KeyRecord successor = given(sample.record().id(record.id()));

    assertThat(other.find(record.id()))
        .as("P1: secret versions and last use must go with their key")
        .contains(new StoredKey(successor, List.of()));
  }

  @Test
  void p1_purge_leaves_a_key_alone_whose_revision_has_moved() {
    KeyRecord first = given(sample.record());
    KeyRecord gone = given(sample.record());
    KeyRecord second = givenNext(first);
    KeyWrite stale = sample.write(first);
    Feed feed = new Feed(other);

    assertThat(purge(stale, sample.write(gone)).keys())
        .as("P1: only the key that has not moved may be removed")
        .isEqualTo(1);

    assertThat(other.load(first.id()))
        .as("P1: a key that has moved must be left alone")
        .contains(second);
    assertThat(feed.poll())
        .as("P1: a key that is left alone has no notice")
        .containsExactly(gone.id());
    assertThat(trailOfOperation(stale.entry().operationId()))
        .as("P1: a key that is left alone has no audit entry")
        .isEmpty();
  }

  @Test
  void p2_purge_removes_entries_and_notices_that_are_older_at_most_so_many() {
    store.purge(new Purge(List.of(), LONG_AGO.plusSeconds(60), LONG_AGO.plusSeconds(60), 100_000));
    List<KeyRecord> records = sample.records(4);
    Feed feed = new Feed(other);
    for (int i = 0; i < records.size(); i++) {
      KeyWrite write = Sample.write(records.get(i), sample.name("op"), LONG_AGO.plusMillis(i));
      assertThat(store.insert(List.of(write), NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);
    }
    Instant fourth = LONG_AGO.plusMillis(3);

    assertThat(store.purge(new Purge(List.of(), null, null, 100)))
        .as("P2: nothing may be removed without a time")
        .isEqualTo(new Purge.Result(0, 0, 0));
    assertThat(store.purge(new Purge(List.of(), fourth, null, 2)))
        .as("P2: no more entries than the limit may be removed, and no notices without a time")
        .isEqualTo(new Purge.Result(0, 2, 0));
    assertThat(store.purge(new Purge(List.of(), null, fourth, 1)))
        .as("P2: no more notices than the limit may be removed, and no entries without a time")
        .isEqualTo(new Purge.Result(0, 0, 1));
    assertThat(store.purge(new Purge(List.of(), fourth, fourth, 100)))
        .as("P2: all older entries and notices must be removed, and none of that very time")
        .isEqualTo(new Purge.Result(0, 1, 2));

    String last = records.get(3).id();
    assertThat(feed.poll()).as("P2: a notice that is not older must stay").containsExactly(last);
    assertThat(records).map(record -> trailOfKey(record.id()).size()).containsExactly(0, 0, 0, 1);
    assertThat(records).allMatch(record -> other.find(record.id()).isPresent());
    store.purge(new Purge(List.of(), fourth.plusMillis(1), fourth.plusMillis(1), 100));
  }

  @Test
  void p2_an_operation_id_is_forgotten_with_its_entry() {
    KeyRecord record = sample.record().build();
    KeyWrite write = Sample.write(record, sample.name("op"), LONG_AGO);
    assertThat(store.insert(List.of(write), NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);

    store.purge(new Purge(List.of(), LONG_AGO.plusMillis(1), null, 100_000));

    assertThat(store.insert(List.of(write), NO_MAXIMUM).kind())
        .as("P2: an operation id must be forgotten with its audit entry")
        .isNotEqualTo(WriteOutcome.Kind.REPEATED);
  }

  @Test
  void p3_a_key_that_is_gone_already_is_not_an_error_and_has_no_second_entry() {
    KeyRecord record = given(sample.record());
    KeyRecord never = sample.record().build();
    KeyWrite removal = sample.write(record);
    purge(removal);
    Feed feed = new Feed(other);

    assertThat(purge(removal, sample.write(record), sample.write(never)))
        .as("P3: a key that is gone already must not be counted, and is no error")
        .isEqualTo(new Purge.Result(0, 0, 0));

    assertThat(trailOfKey(record.id()))
        .as("P3: a key that is gone already must get no second entry")
        .hasSize(2);
    assertThat(trailOfKey(never.id())).isEmpty();
    assertThat(feed.poll()).as("P3: what removes nothing must leave no notice").isEmpty();
  }

  @Test
  void p3_a_key_is_left_alone_when_the_operation_id_of_its_removal_was_used() {
    KeyWrite write = sample.write(sample.record().build());
    store.insert(List.of(write), NO_MAXIMUM);
    KeyRecord gone = given(sample.record());

    assertThat(purge(write, sample.write(gone)).keys())
        .as("P3: a key whose operation id was used must not be counted, and is no error")
        .isEqualTo(1);

    assertThat(other.load(write.record().id()))
        .as("P3: a key whose operation id was used must be left alone")
        .contains(write.record());
    assertThat(other.load(gone.id())).isEmpty();
  }

  @Test
  void p3_an_empty_purge_removes_nothing() {
    KeyRecord record = given(sample.record());

    assertThat(store.purge(new Purge(List.of(), null, null, 1)))
        .isEqualTo(new Purge.Result(0, 0, 0));
    assertThat(other.load(record.id())).isEqualTo(Optional.of(record));
  }

  @Test
  void a3_entries_outlive_their_key_until_they_are_purged() {
    KeyRecord record = sample.record().build();
    store.insert(List.of(Sample.write(record, sample.name("op"), LONG_AGO)), NO_MAXIMUM);
    Instant later = LONG_AGO.plus(Duration.ofDays(1));
    purge(Sample.write(record, sample.name("op"), later));

    assertThat(trailOfKey(record.id())).as("A3: entries must outlive their key").hasSize(2);
    store.purge(new Purge(List.of(), LONG_AGO.plusMillis(1), null, 100_000));
    assertThat(other.audit(AuditFilter.ofOwner(record.owner()), 0, 10))
        .as("A3: only entries older than auditBefore may be removed")
        .hasSize(1);
    store.purge(new Purge(List.of(), later.plusMillis(1), null, 100_000));
  }
}
