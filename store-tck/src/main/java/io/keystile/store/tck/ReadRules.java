package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyFilter.Due;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.RotationRule;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What {@code find}, {@code load}, {@code list} and {@code audit} promise. */
abstract class ReadRules extends ChangeRules {

  @Test
  void f1_find_returns_record_and_last_use_or_empty() {
    KeyRecord record = given(sample.record().versions(Sample.rotated()));
    UseMark mark = used(record, 2, 10, 20);

    assertThat(other.find(record.id()))
        .as("F1: find must return the record")
        .contains(new StoredKey(record, List.of()));
    store.recordUse(List.of(mark));
    assertThat(other.find(record.id()))
        .as("F1: find must return the last use of the versions that have one")
        .contains(new StoredKey(record, List.of(mark)));
    assertThat(other.find(sample.id())).as("F1: empty if no such key is stored").isEmpty();
  }

  @Test
  void l1_load_returns_what_was_committed_last_on_any_node() {
    KeyRecord record = sample.record().build();
    assertThat(other.load(record.id())).as("L1: empty if no such key is stored").isEmpty();
    given(record);
    assertThat(other.load(record.id())).as("L1: an insert must be seen").contains(record);
    for (int i = 0; i < 10; i++) {
      record = givenNext(record);
      assertThat(other.load(record.id()))
          .as("L1: load must see what is committed, not a snapshot of an earlier call")
          .contains(record);
    }
    purge(sample.write(record));
    assertThat(other.load(record.id())).as("L1: a removal must be seen").isEmpty();
  }

  @Test
  void q1_pages_hold_the_first_keys_after_the_last_one_and_the_last_page_is_short() {
    String owner = sample.name("owner");
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      records.add(sample.record(owner).build());
      given(sample.record());
    }
    List<KeyRecord> shuffled = new ArrayList<>(records);
    Collections.reverse(shuffled);
    given(shuffled);

    for (int limit : new int[] {1, 3, 5, 10, 11, 1000}) {
      assertThat(listed(ofOwner(owner), limit).stream().map(StoredKey::record))
          .as("Q1: pages of %d must hold all keys in the order of their ids", limit)
          .isEqualTo(records);
    }
    assertThat(idsAfter(owner, records.get(6).id(), 1000))
        .as("Q1: a page must begin after the given id")
        .isEqualTo(records.subList(7, 10).stream().map(KeyRecord::id).toList());
    assertThat(idsAfter(owner, records.get(9).id(), 1000))
        .as("Q1: nothing comes after the last key")
        .isEmpty();
  }

  @Test
  void q1_the_id_a_page_begins_after_need_not_be_stored() {
    String owner = sample.name("owner");
    KeyRecord first = given(sample.record(owner));
    String between = sample.id();
    KeyRecord last = given(sample.record(owner));
    purge(sample.write(first));

    assertThat(idsAfter(owner, first.id(), 10))
        .as("Q1: the key that a page begins after may have been purged")
        .containsExactly(last.id());
    assertThat(idsAfter(owner, between, 10)).containsExactly(last.id());
  }

  @Test
  void q1_ids_are_ordered_byte_by_byte() {
    String owner = sample.name("owner");
    List<String> ids = new ArrayList<>();
    for (String digits : List.of("09", "0A", "0a", "9z", "Aa", "ZZ", "Za", "aA", "aa", "zZ")) {
      ids.add(sample.id(digits));
    }
    List<KeyRecord> records = new ArrayList<>();
    ids.forEach(id -> records.add(0, sample.record(owner).id(id).build()));
    given(records);

    assertThat(idsAfter(owner, null, 1000))
        .as("Q1: digits come before capitals, and these before small letters")
        .isEqualTo(ids);
    for (int i = 0; i < ids.size(); i++) {
      assertThat(idsAfter(owner, ids.get(i), 1000))
          .as("Q1: an id must be compared byte by byte with the one a page begins after")
          .isEqualTo(ids.subList(i + 1, ids.size()));
    }
  }

  private List<String> idsAfter(String owner, @Nullable String after, int limit) {
    return other.list(ofOwner(owner), after, limit).stream().map(key -> key.record().id()).toList();
  }

  @Test
  void q2_keys_that_come_and_go_between_pages_move_no_other_key() {
    String owner = sample.name("owner");
    List<KeyRecord> early = List.of(sample.record(owner).build(), sample.record(owner).build());
    KeyRecord first = given(sample.record(owner));
    KeyRecord second = given(sample.record(owner));
    KeyRecord third = given(sample.record(owner));

    List<String> seen = new ArrayList<>(idsAfter(owner, null, 2));
    given(early);
    purge(sample.write(first));
    seen.addAll(idsAfter(owner, second.id(), 2));

    assertThat(seen)
        .as("Q2: a key that exists throughout must be seen exactly once over all pages")
        .containsExactly(first.id(), second.id(), third.id());
  }

  @Test
  void a1_what_was_applied_has_exactly_one_entry_and_nothing_else_has() {
    KeyRecord first = sample.record().build();
    KeyWrite insert = sample.write(first);
    KeyWrite replace = sample.write(sample.next(first));
    KeyWrite late = sample.write(sample.next(first));
    KeyWrite duplicate = sample.write(first);
    KeyWrite full = sample.write(sample.record(first.owner()).build());
    KeyWrite stale = sample.write(first);
    KeyWrite removal = sample.write(replace.record());

    store.insert(List.of(insert), NO_MAXIMUM);
    store.insert(List.of(insert), NO_MAXIMUM);
    store.insert(List.of(duplicate), NO_MAXIMUM);
    store.insert(List.of(full), 1);
    store.replace(replace);
    store.replace(replace);
    store.replace(late);
    purge(stale);
    purge(removal);
    purge(removal);

    assertThat(withoutNumbers(trail(first.owner())))
        .as("A1: every applied change must have exactly one entry, what was not applied none")
        .containsExactly(insert.entry(), replace.entry(), removal.entry());
  }

  @Test
  void a1_an_entry_says_which_secret_version_it_is_about() {
    KeyRecord first = sample.record().build();
    KeyRecord second = sample.next(first).toBuilder().versions(Sample.rotated()).build();
    KeyRecord third = sample.next(second);

    store.insert(List.of(sample.writeAbout(1, first)), NO_MAXIMUM);
    store.replace(sample.writeAbout(2, second));
    store.replace(sample.writeAbout(null, third));
    purge(sample.writeAbout(null, third));

    assertThat(trailOfKey(first.id()))
        .extracting(AuditEntry::secretVersion)
        .as("A1: an entry must say which secret version it is about, if it is about one")
        .containsExactly(1, 2, null, null);
  }

  @Test
  void a2_pages_hold_the_first_entries_after_a_number_in_rising_order() {
    String owner = sample.name("owner");
    List<AuditEntry> written = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      KeyWrite write = sample.write(sample.record(owner).build());
      written.add(write.entry());
      store.insert(List.of(write), NO_MAXIMUM);
      given(sample.record());
    }

    for (int limit : new int[] {1, 3, 7, 1000}) {
      List<AuditEntry> all = new ArrayList<>();
      List<AuditEntry> page;
      do {
        long after = all.isEmpty() ? 0 : all.get(all.size() - 1).number();
        page = other.audit(AuditFilter.ofOwner(owner), after, limit);
        all.addAll(page);
      } while (page.size() == limit);
      assertThat(withoutNumbers(all))
          .as("A2: pages of %d must hold all entries, each once, as they were written", limit)
          .isEqualTo(written);
      assertThat(all)
          .extracting(AuditEntry::number)
          .as("A2: numbers must rise")
          .isSorted()
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void a2_every_condition_of_the_filter_counts_and_all_hold_together() {
    String owner = sample.name("owner");
    List<KeyWrite> writes = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String writeOwner = i < 4 ? owner : sample.name("owner");
      writes.add(Sample.write(sample.record(writeOwner).build(), sample.name("op"), time(i)));
    }
    store.insert(writes, NO_MAXIMUM);
    KeyRecord next = sample.next(writes.get(1).record());
    writes.add(Sample.write(next, sample.name("op"), time(9)));
    store.replace(writes.get(6));
    String id = next.id();
    String operationId = writes.get(6).entry().operationId();
    long before = trailOfKey(writes.get(0).record().id()).get(0).number() - 1;

    assertEntries(writes, AuditFilter.ofOwner(owner), before, 0, 1, 2, 3, 6);
    assertEntries(writes, AuditFilter.ofKey(id), before, 1, 6);
    assertEntries(writes, new AuditFilter(null, null, operationId, null, null), before, 6);
    assertEntries(writes, AuditFilter.all(), before, 0, 1, 2, 3, 4, 5, 6);
    AuditFilter all = AuditFilter.all();
    assertEntries(writes, all.between(time(2), null), before, 2, 3, 4, 5, 6);
    assertEntries(writes, all.between(null, time(2)), before, 0, 1);
    assertEntries(writes, all.between(time(1), time(5)), before, 1, 2, 3, 4);
    assertEntries(writes, AuditFilter.ofOwner(owner).between(time(1), time(9)), before, 1, 2, 3);
    assertEntries(writes, AuditFilter.ofKey(id).between(time(2), time(10)), before, 6);
    assertEntries(writes, new AuditFilter(id, owner, operationId, time(9), time(10)), before, 6);
    assertEntries(writes, new AuditFilter(id, sample.name("owner"), null, null, null), before);
  }

  /** Entries of other tests may lie between ours: only ours are compared. */
  private void assertEntries(List<KeyWrite> writes, AuditFilter filter, long after, int... which) {
    List<AuditEntry> expected = new ArrayList<>();
    for (int i : which) {
      expected.add(writes.get(i).entry());
    }
    List<AuditEntry> found =
        other.audit(filter, after, 1000).stream()
            .filter(entry -> sample.owns(entry.keyId()))
            .toList();
    assertThat(withoutNumbers(found))
        .as("A2: entries for " + filter)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void q4_each_condition_by_itself_and_with_each_other() {
    List<StoredKey> keys = FilterCases.keys(sample);
    given(keys.stream().map(StoredKey::record).toList());
    keys.forEach(key -> store.recordUse(key.uses()));
    List<FilterCases.Condition> conditions = FilterCases.conditions(keys);

    int filters = 0;
    for (int i = 0; i < conditions.size(); i++) {
      assertMatches(keys, List.of(conditions.get(i)));
      filters++;
      for (int j = 0; j < i; j += 1 + (i + j) % 3) {
        assertMatches(keys, List.of(conditions.get(i), conditions.get(j)));
        filters++;
      }
    }
    assertThat(filters).as("filters tried").isGreaterThan(200);
  }

  private void assertMatches(List<StoredKey> keys, List<FilterCases.Condition> conditions) {
    KeyFilter.Builder builder = KeyFilter.builder();
    conditions.forEach(condition -> condition.set().accept(builder));
    KeyFilter filter = builder.build();
    List<StoredKey> expected =
        keys.stream().filter(key -> FilterCases.matches(key, filter)).toList();

    List<StoredKey> found =
        other.list(filter, sample.beforeAll(), keys.size() + 1).stream()
            .filter(key -> sample.owns(key.record().id()))
            .toList();

    assertThat(found.stream().map(key -> key.record().name()))
        .as("Q4: the keys that match " + filter)
        .isEqualTo(expected.stream().map(key -> key.record().name()).toList());
    assertThat(found).as("Q4: a listed key must be whole").isEqualTo(expected);
  }

  @Test
  void q4_conditions_are_about_the_record_as_the_last_write_left_it() {
    Instant time = time(1500);
    String owner = sample.name("owner");
    List<KeyFilter> filters =
        List.of(
            KeyFilter.builder().owner(owner).liveAfter(time).build(),
            KeyFilter.builder().owner(owner).liveUntil(time).build(),
            KeyFilter.builder().owner(owner).olderLiveAfter(time).build(),
            KeyFilter.builder().owner(owner).due(new Due(time, null)).build(),
            KeyFilter.builder().owner(owner).due(new Due(Instant.EPOCH, time)).build());
    Set<String> answers = new HashSet<>();

    for (KeyRecord record : lifeOfARotatedKey(owner)) {
      KeyWrite write = sample.write(record);
      assertThat(record.revision() == 1 ? store.insert(List.of(write), 1) : store.replace(write))
          .isEqualTo(WriteOutcome.APPLIED);
      for (KeyFilter filter : filters) {
        boolean matches = FilterCases.matches(new StoredKey(record, List.of()), filter);
        assertThat(listed(filter))
            .as("Q4: " + filter + " must be asked about revision " + record.revision())
            .isEqualTo(matches ? List.of(record) : List.of());
        answers.add(filters.indexOf(filter) + " " + matches);
      }
    }
    assertThat(answers).as("each filter has said yes and no").hasSize(2 * filters.size());
  }

  /** With a change of every value that stores derive, there and back. */
  private List<KeyRecord> lifeOfARotatedKey(String owner) {
    KeyRecord issued =
        sample.record(owner).versions(List.of(Sample.version(1, time(1000)))).build();
    KeyRecord rotated = successor(issued, Sample.version(1, time(1000)), Sample.version(2));
    KeyRecord graced = successor(rotated, Sample.version(1, time(2000)), Sample.version(2));
    KeyRecord ending = sample.next(graced).toBuilder().endsAt(time(1200)).build();
    KeyRecord endless = sample.next(ending).toBuilder().endsAt(null).build();
    KeyRecord renewed = successor(endless, Sample.created(3, time(3000)));
    RotationRule rule = new RotationRule(Duration.ofDays(7), null);
    KeyRecord ruled = sample.next(renewed).toBuilder().rotation(rule).build();
    KeyRecord unruled = sample.next(ruled).toBuilder().rotation(null).build();
    return List.of(issued, rotated, graced, ending, endless, renewed, ruled, unruled);
  }

  private KeyRecord successor(KeyRecord record, SecretVersion... versions) {
    return sample.next(record).toBuilder().versions(List.of(versions)).build();
  }

  @Test
  void q4_no_condition_matches_every_key() {
    List<KeyRecord> records = sample.records(3);
    given(records);
    Instant never = Instant.ofEpochMilli(0);

    assertThat(other.list(KeyFilter.all(), sample.beforeAll(), 3).stream().map(StoredKey::record))
        .as("Q4: what is null or empty is not asked about")
        .isEqualTo(records);
    assertThat(other.list(KeyFilter.builder().issuedBefore(never).build(), sample.beforeAll(), 3))
        .as("Q4: nothing was created before 1970")
        .isEmpty();
  }
}
