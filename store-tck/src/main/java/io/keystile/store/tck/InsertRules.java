package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What {@code insert} promises. */
abstract class InsertRules extends Rules {

  @Test
  void i1_insert_stores_every_key_with_its_versions_and_its_audit_entry() {
    List<KeyWrite> writes = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      writes.add(sample.write(sample.full(sample.id(), sample.name("owner"))));
    }
    KeyWrite last = writes.get(99);

    assertThat(store.insert(writes, NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);

    assertThat(other.list(ownSubject(last), null, 1000))
        .as("I1: after APPLIED all of the list must be stored, as it was given")
        .isEqualTo(writes.stream().map(write -> new StoredKey(write.record(), List.of())).toList());
    assertThat(withoutNumbers(trail(last.record().owner())))
        .as("I1: the audit entry must be stored with its key")
        .containsExactly(last.entry());
  }

  private static KeyFilter ownSubject(KeyWrite write) {
    return KeyFilter.builder().subject(write.record().subject()).build();
  }

  @Test
  void i1_insert_is_all_or_nothing_when_a_key_id_is_taken() {
    KeyRecord taken = given(sample.record());
    List<KeyWrite> writes = sample.writes(sample.records(4));
    writes = new ArrayList<>(writes);
    writes.add(2, sample.write(sample.record().id(taken.id()).build()));

    assertNothingIsDone(writes, NO_MAXIMUM, WriteOutcome.Kind.DUPLICATE);
  }

  @Test
  void i1_insert_is_all_or_nothing_when_an_operation_id_was_used() {
    KeyWrite earlier = sample.write(sample.record().build());
    assertThat(store.insert(List.of(earlier), NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);
    List<KeyWrite> writes = new ArrayList<>(sample.writes(sample.records(4)));
    writes.add(3, sample.write(sample.record().build(), earlier.entry().operationId()));

    assertNothingIsDone(writes, NO_MAXIMUM, WriteOutcome.Kind.REPEATED);
  }

  @Test
  void i1_insert_is_all_or_nothing_when_the_owner_is_full() {
    String owner = sample.name("owner");
    given(sample.record(owner));
    List<KeyWrite> writes =
        sample.writes(List.of(sample.record(owner).build(), sample.record(owner).build()));

    assertNothingIsDone(writes, 2, WriteOutcome.Kind.OWNER_FULL);
  }

  private void assertNothingIsDone(
      List<KeyWrite> writes, int ownerMaximum, WriteOutcome.Kind expected) {
    List<Boolean> before = presence(writes);
    Feed feed = new Feed(other);

    assertThat(store.insert(writes, ownerMaximum).kind())
        .as("I1: insert must answer " + expected)
        .isEqualTo(expected);

    assertThat(presence(writes))
        .as("I1: after " + expected + " no key of the list may be stored")
        .isEqualTo(before);
    assertThat(feed.poll())
        .as("I1: after " + expected + " there may be no notice of the list")
        .isEmpty();
    for (KeyWrite write : writes) {
      assertThat(withoutNumbers(trailOfKey(write.record().id())))
          .as("I1: after " + expected + " there may be no audit entry of the list")
          .doesNotContain(write.entry());
    }
  }

  private List<Boolean> presence(List<KeyWrite> writes) {
    return writes.stream().map(write -> other.find(write.record().id()).isPresent()).toList();
  }

  @Test
  void i2_a_key_id_that_is_stored_already_is_a_duplicate_and_stays_as_it_is() {
    KeyRecord stored = givenNext(given(sample.record().name("first")));
    KeyRecord intruder = sample.record().id(stored.id()).name("second").build();

    assertThat(insert(intruder))
        .as("I2: a key id that is stored already must be DUPLICATE")
        .isEqualTo(WriteOutcome.DUPLICATE);

    assertThat(other.load(stored.id()))
        .as("I2: the key that was stored first must stay as it is")
        .contains(stored);
    assertThat(listed(ofOwner(intruder.owner()))).isEmpty();
  }

  @Test
  void i3_a_used_operation_id_is_repeated_with_the_entry_that_holds_it() {
    KeyRecord first = sample.record().build();
    String operationId = sample.name("op");
    store.insert(List.of(sample.write(first, operationId)), NO_MAXIMUM);
    KeyRecord second = sample.record(first.owner()).build();

    WriteOutcome outcome = other.insert(List.of(sample.write(second, operationId)), NO_MAXIMUM);

    assertThat(outcome.kind())
        .as("I3: an operation id that the audit holds already must be REPEATED")
        .isEqualTo(WriteOutcome.Kind.REPEATED);
    assertThat(outcome.earlier())
        .as("I3: the outcome must carry the entry that holds the operation id, with its number")
        .isEqualTo(trail(first.owner()).get(0));
    assertThat(Objects.requireNonNull(outcome.earlier()).number()).isPositive();
    assertThat(other.find(second.id())).as("I3: nothing may be done").isEmpty();
  }

  @Test
  void i3_repeated_comes_before_duplicate() {
    KeyWrite write = sample.write(sample.record().build());
    store.insert(List.of(write), NO_MAXIMUM);

    assertThat(store.insert(List.of(write), NO_MAXIMUM).kind())
        .as("I3: the very same insert again must be REPEATED, not DUPLICATE")
        .isEqualTo(WriteOutcome.Kind.REPEATED);
  }

  @Test
  void i3_repeated_comes_before_owner_full() {
    KeyWrite write = sample.write(sample.record().build());
    store.insert(List.of(write), 1);
    KeyRecord second = sample.record(write.record().owner()).build();

    assertThat(store.insert(List.of(sample.write(second, write.entry().operationId())), 1).kind())
        .as("I3: a used operation id must be REPEATED, also when the owner is full")
        .isEqualTo(WriteOutcome.Kind.REPEATED);
  }

  @Test
  void i3_an_operation_id_that_a_replacement_used_counts_too() {
    KeyRecord stored = given(sample.record());
    String operationId = sample.name("op");
    store.replace(sample.write(sample.next(stored), operationId));

    WriteOutcome outcome =
        store.insert(List.of(sample.write(sample.record().build(), operationId)), NO_MAXIMUM);

    assertThat(outcome.kind())
        .as("I3: an operation id names one call, whatever the call was")
        .isEqualTo(WriteOutcome.Kind.REPEATED);
    assertThat(outcome.earlier())
        .extracting(AuditEntry::keyId)
        .as("I3: the outcome must carry the entry that holds the operation id")
        .isEqualTo(stored.id());
  }

  @Test
  void i4_the_maximum_itself_is_allowed_and_one_more_is_not() {
    String owner = sample.name("owner");
    given(sample.record(owner));

    assertThat(tryInsert(sample.record(owner).build(), 2))
        .as("I4: an owner may have as many keys as the maximum says")
        .isEqualTo(WriteOutcome.APPLIED);
    assertThat(tryInsert(sample.record(owner).build(), 2))
        .as("I4: an owner may not have more keys than the maximum says")
        .isEqualTo(WriteOutcome.OWNER_FULL);
    assertThat(tryInsert(sample.record(owner).build(), 3))
        .as("I4: the maximum is that of the call")
        .isEqualTo(WriteOutcome.APPLIED);
    assertThat(tryInsert(sample.record(owner).build(), NO_MAXIMUM))
        .as("I4: Integer.MAX_VALUE must be no maximum")
        .isEqualTo(WriteOutcome.APPLIED);
  }

  @Test
  void i4_the_maximum_counts_all_keys_of_the_list() {
    String owner = sample.name("owner");
    List<KeyRecord> three =
        List.of(
            sample.record(owner).build(),
            sample.record(owner).build(),
            sample.record(owner).build());

    assertThat(store.insert(sample.writes(three), 2))
        .as("I4: three keys at once are more than two")
        .isEqualTo(WriteOutcome.OWNER_FULL);
    assertThat(store.insert(sample.writes(three), 3))
        .as("I4: three keys at once are not more than three")
        .isEqualTo(WriteOutcome.APPLIED);
  }

  @Test
  void i4_keys_that_are_revoked_do_not_count_and_disabled_ones_do() {
    String owner = sample.name("owner");
    given(
        sample
            .record(owner)
            .revoked(
                new KeyRecord.Revoked(Sample.NOW, RevocationReason.UNSPECIFIED, null, null, null)));

    assertThat(tryInsert(sample.record(owner).state(KeyRecord.State.DISABLED).build(), 1))
        .as("I4: a revoked key must not count")
        .isEqualTo(WriteOutcome.APPLIED);
    assertThat(tryInsert(sample.record(owner).build(), 1))
        .as("I4: a disabled key must count")
        .isEqualTo(WriteOutcome.OWNER_FULL);
  }

  @Test
  void i4_keys_that_have_ended_at_the_time_of_the_entry_do_not_count() {
    String owner = sample.name("owner");
    Instant now = Sample.NOW;
    given(sample.record(owner).versions(List.of(Sample.version(1, now))));
    given(sample.record(owner).endsAt(now));

    assertThat(tryInsert(sample.record(owner).endsAt(now.plusMillis(1)).build(), 1))
        .as("I4: a key that ends at the time of the entry has ended, and must not count")
        .isEqualTo(WriteOutcome.APPLIED);
    assertThat(tryInsert(sample.record(owner).build(), 1))
        .as("I4: a key that ends a millisecond after the time of the entry must count")
        .isEqualTo(WriteOutcome.OWNER_FULL);
  }

  @Test
  void i4_a_key_counts_as_it_was_replaced_last() {
    KeyRecord stored = given(sample.record());
    KeyRecord ended = sample.next(stored).toBuilder().endsAt(Sample.NOW).build();
    assertThat(store.replace(sample.write(ended))).isEqualTo(WriteOutcome.APPLIED);

    assertThat(tryInsert(sample.record(stored.owner()).build(), 1))
        .as("I4: a key whose end was moved to the past must not count")
        .isEqualTo(WriteOutcome.APPLIED);
  }

  private WriteOutcome tryInsert(KeyRecord record, int ownerMaximum) {
    return store.insert(List.of(sample.write(record)), ownerMaximum);
  }

  @Test
  void i6_each_key_of_an_insert_has_a_notice() {
    List<KeyRecord> records = sample.records(3);
    Feed feed = new Feed(other);

    given(records);

    assertThat(feed.poll())
        .as("I6: an insert must leave one notice per key, or nodes go on saying \"no such key\"")
        .containsExactlyInAnyOrderElementsOf(records.stream().map(KeyRecord::id).toList());
    assertThat(feed.poll()).as("I6: a notice must be given once").isEmpty();
    assertThat(records)
        .allSatisfy(record -> assertThat(other.load(record.id())).isEqualTo(Optional.of(record)));
  }
}
