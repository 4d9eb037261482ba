package io.keystile.store;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.keystile.store.ChangeCursor.Gap;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The small values beside {@link KeyRecord}. */
class ValuesTest {
  private static final Instant NOW = Samples.NOW;

  @Test
  void an_audit_entry_has_bounds_for_its_text() {
    assertThat(entry("o".repeat(255), "a".repeat(40), "b".repeat(255), "R".repeat(40), "n"))
        .isNotNull();
    assertRefused("operationId", () -> entry("", "issue", null, null, null));
    assertRefused("operationId", () -> entry("o".repeat(256), "issue", null, null, null));
    for (String action : List.of("", "Issue", "_a", "a1", "a b", "a".repeat(41), "issue\n")) {
      assertRefused("action", () -> entry("op", action, null, null, null));
    }
    assertRefused("actor", () -> entry("op", "issue", "é".repeat(128), null, null));
    assertRefused("actor", () -> entry("op", "issue", "", null, null));
    assertRefused("reason", () -> entry("op", "issue", null, "R".repeat(41), null));
    assertRefused("note", () -> entry("op", "issue", null, null, "n".repeat(501)));
    for (String text : Samples.UNSTORABLE) {
      assertRefused("operationId", () -> entry(text, "issue", null, null, null));
      assertRefused("actor", () -> entry("op", "issue", text, null, null));
      assertRefused("reason", () -> entry("op", "issue", null, text, null));
      assertRefused("note", () -> entry("op", "issue", null, null, text));
    }
  }

  private static AuditEntry entry(
      String operationId, String action, String actor, String reason, String note) {
    return new AuditEntry(
        0, operationId, action, Samples.ID, "o", null, NOW, actor, reason, note, null, null);
  }

  @Test
  void an_audit_entry_is_about_a_version_or_the_key_as_a_whole() {
    assertThat(ofVersion(1).secretVersion()).isEqualTo(1);
    assertThat(ofVersion(null).secretVersion()).isNull();
    assertRefused("secretVersion", () -> ofVersion(0));
  }

  private static AuditEntry ofVersion(@Nullable Integer version) {
    return new AuditEntry(
        0, "op", "rotate", Samples.ID, "o", version, NOW, null, null, null, null, null);
  }

  private static void assertRefused(String field, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessageStartingWith(field);
  }

  @Test
  void an_audit_entry_gets_its_number_and_keeps_all_else() {
    AuditEntry entry = Samples.entry("op");

    assertThat(entry.numbered(7).number()).isEqualTo(7);
    assertThat(ofVersion(3).numbered(7).secretVersion()).isEqualTo(3);
    assertThat(entry.numbered(7).numbered(0)).isEqualTo(entry);
    assertRefused("number", () -> entry.numbered(-1));
  }

  @Test
  void a_write_speaks_of_one_key() {
    KeyRecord record = Samples.record().build();
    KeyRecord otherKey = Samples.record().id(Samples.OTHER_ID).build();
    KeyRecord otherOwner = Samples.record().owner("other").build();

    assertThat(new KeyWrite(record, Samples.entry("op")).record()).isEqualTo(record);
    assertRefused("entry", () -> new KeyWrite(otherKey, Samples.entry("op")));
    assertRefused("entry", () -> new KeyWrite(otherOwner, Samples.entry("op")));
  }

  @Test
  void a_key_is_not_used_after_it_was_seen() {
    assertThat(new UseMark(Samples.ID, 1, NOW, NOW).lastUsed()).isEqualTo(NOW);
    assertRefused("lastUsed", () -> new UseMark(Samples.ID, 1, NOW.plusMillis(1), NOW));
    assertRefused("version", () -> new UseMark(Samples.ID, 0, NOW, NOW));
    assertRefused("lastSeen", () -> new UseMark(Samples.ID, 1, null, NOW.plusNanos(1)));
    assertRefused("id", () -> new UseMark("short", 1, null, NOW));
  }

  @Test
  void a_stored_key_was_last_used_when_any_version_was() {
    KeyRecord record = Samples.record().build();
    UseMark seen = new UseMark(Samples.ID, 1, null, NOW.plusMillis(9));
    UseMark used = new UseMark(Samples.ID, 2, NOW.plusMillis(3), NOW.plusMillis(4));
    UseMark usedEarlier = new UseMark(Samples.ID, 3, NOW.plusMillis(1), NOW.plusMillis(5));
    StoredKey key = new StoredKey(record, List.of(seen, used, usedEarlier));

    assertThat(key.lastUsed()).isEqualTo(NOW.plusMillis(3));
    assertThat(key.lastSeen()).isEqualTo(NOW.plusMillis(9));
    assertThat(new StoredKey(record, List.of(seen)).lastUsed()).isNull();
    assertThat(new StoredKey(record, List.of()).lastSeen()).isNull();
  }

  @Test
  void gaps_rise_and_lie_below_the_cursor() {
    assertThat(new ChangeCursor(9, List.of(new Gap(1, 1), new Gap(3, 8))).gaps()).hasSize(2);
    assertThat(ChangeCursor.after(0).gaps()).isEmpty();
    assertRefused("gap", () -> new Gap(0, 1));
    assertRefused("gap", () -> new Gap(2, 1));
    assertRefused("after", () -> ChangeCursor.after(-1));
    assertRefused("gaps", () -> new ChangeCursor(9, List.of(new Gap(3, 9))));
    assertRefused("gaps", () -> new ChangeCursor(9, List.of(new Gap(3, 4), new Gap(4, 5))));
    assertRefused("gaps", () -> new ChangeCursor(9, List.of(new Gap(3, 4), new Gap(1, 2))));
  }

  @Test
  void changes_copy_their_list_and_bound_their_numbers() {
    List<Changes.Change> list = new ArrayList<>();
    Changes changes = new Changes(list, 0, 0);
    list.add(new Changes.Change(1, Samples.ID));

    assertThat(changes.list()).isEmpty();
    assertRefused("oldest", () -> new Changes(List.of(), 2, 1));
    assertRefused("oldest", () -> new Changes(List.of(), -1, 1));
    assertRefused("number", () -> new Changes.Change(0, Samples.ID));
    assertRefused("id", () -> new Changes.Change(1, ""));
  }

  @Test
  void a_purge_is_bounded() {
    KeyWrite write = new KeyWrite(Samples.record().build(), Samples.entry("op"));

    assertThat(new Purge(Collections.nCopies(1000, write), NOW, NOW, 100_000).keys()).hasSize(1000);
    assertRefused("keys", () -> new Purge(Collections.nCopies(1001, write), null, null, 1));
    assertRefused("limit", () -> new Purge(List.of(), null, null, 0));
    assertRefused("limit", () -> new Purge(List.of(), null, null, 100_001));
    assertRefused("auditBefore", () -> new Purge(List.of(), NOW.plusNanos(1), null, 1));
    assertRefused("changesBefore", () -> new Purge(List.of(), null, NOW.plusNanos(1), 1));
  }

  @Test
  void a_ledger_is_small_and_plain() {
    String printable = IntStream.range(' ', 0x7f).mapToObj(Character::toString).collect(joining());

    assertThat(ledger(printable.strip().substring(0, 64), printable).text()).isEqualTo(printable);
    assertThat(ledger(printable.strip().substring(30), "").text()).isEmpty();
    assertThat(ledger("i", "t".repeat(4000)).revision()).isEqualTo(1);
    for (String id : List.of("", "i".repeat(65), "a b", " ", "\u007f", "\u00e9", "\0", "a\n")) {
      assertRefused("id", () -> ledger(id, ""));
    }
    for (String text : List.of("t".repeat(4001), "\u007f", "\u00e9", "\0", "\t", "a\n")) {
      assertRefused("text", () -> ledger("i", text));
    }
    assertRefused("revision", () -> new Ledger("i", 0, "", NOW));
    assertRefused("keepUntil", () -> new Ledger("i", 1, "", NOW.plusNanos(1)));
    assertRefused("keepUntil", () -> new Ledger("i", 1, "", Instant.EPOCH.minusMillis(1)));
  }

  private static Ledger ledger(String id, String text) {
    return new Ledger(id, 1, text, NOW);
  }

  @Test
  void a_snapshot_copies_its_list_and_has_whole_milliseconds() {
    List<Ledger> list = new ArrayList<>();
    Snapshot snapshot = new Snapshot(NOW, list);
    list.add(ledger("i", ""));

    assertThat(snapshot.ledgers()).isEmpty();
    assertRefused("now", () -> new Snapshot(NOW.plusNanos(1), List.of()));
  }

  private static final Instant HOUR = Instant.parse("2026-03-02T13:00:00Z");
  private static final Instant DAY = Instant.parse("2026-03-02T00:00:00Z");
  private static final Subject SUBJECT = new Subject(Samples.ID, "owner", null);

  private static Tally tally(String metric, String label, long amount) {
    return new Tally(SUBJECT, Period.HOUR, HOUR, metric, label, amount);
  }

  @Test
  void a_period_begins_at_a_multiple_of_its_length_in_utc() {
    assertThat(Period.HOUR.startOf(HOUR.plusMillis(3_599_999))).isEqualTo(HOUR);
    assertThat(Period.DAY.startOf(HOUR)).isEqualTo(DAY);
    assertThat(Period.DAY.startOf(DAY)).isEqualTo(DAY);
    for (Instant wrong : List.of(HOUR.plusMillis(1), HOUR.plusSeconds(60), HOUR.plusNanos(1))) {
      assertRefused("start", () -> new Tally(SUBJECT, Period.HOUR, wrong, "a", "b", 0));
    }
    assertRefused("start", () -> new Tally(SUBJECT, Period.DAY, HOUR, "a", "b", 0));
    Instant before1970 = Instant.EPOCH.minusSeconds(3_600);
    assertRefused("start", () -> new Tally(SUBJECT, Period.HOUR, before1970, "a", "b", 0));
  }

  @Test
  void a_tally_has_bounds_for_its_text_and_its_amount() {
    assertThat(tally("a", "x".repeat(200), 1L << 62).isMaximum()).isFalse();
    assertThat(tally("max-a", " ", 0).isMaximum()).isTrue();
    assertThat(tally("m".repeat(32), "\ud83d\ude00".repeat(50), 1).label()).hasSize(100);
    for (String metric : List.of("", "A", "1a", "-a", "a b", "a_b", "m".repeat(33), "\u00e9")) {
      assertRefused("metric", () -> tally(metric, "x", 1));
    }
    for (String label :
        List.of("", "x".repeat(201), "\ud83d\ude00".repeat(51), "a\0b", "\ud800", "\udc00")) {
      assertRefused("label", () -> tally("a", label, 1));
    }
    assertRefused("amount", () -> tally("a", "x", -1));
    assertRefused("amount", () -> tally("a", "x", (1L << 62) + 1));
    for (String keyId : List.of("", "0", Samples.ID + "0", "-".repeat(22))) {
      assertRefused("id", () -> new Subject(keyId, "owner", null));
    }
    for (String owner : List.of("", "x".repeat(256), "\0")) {
      assertRefused("owner", () -> new Subject(Samples.ID, owner, null));
    }
    assertThat(new Subject(Samples.ID, "o".repeat(255), "p".repeat(100)).plan()).hasSize(100);
    for (String plan : List.of("", "p".repeat(101), "\0")) {
      assertRefused("plan", () -> new Subject(Samples.ID, "owner", plan));
    }
  }

  @Test
  void a_batch_copies_its_list_and_names_no_thing_twice() {
    List<Tally> list = new ArrayList<>();
    Batch empty = new Batch("b", NOW, list);
    list.add(tally("a", "x", 1));
    assertThat(empty.tallies()).isEmpty();

    assertThat(new Batch("b", NOW, numbered(UsageStore.MAX_TALLIES)).tallies()).hasSize(5_000);
    assertRefused("tallies", () -> new Batch("b", NOW, numbered(5_001)));
    Subject pro = new Subject(Samples.ID, "owner", "pro");
    Tally ofPro = new Tally(pro, Period.HOUR, HOUR, "a", "x", 1);
    Tally ofDay = new Tally(SUBJECT, Period.DAY, DAY, "a", "x", 1);
    Tally later = new Tally(SUBJECT, Period.HOUR, HOUR.plusSeconds(3_600), "a", "x", 1);
    List<Tally> different =
        List.of(tally("a", "x", 1), tally("a", "y", 1), tally("b", "x", 1), ofPro, ofDay, later);
    assertThat(new Batch("b", NOW, different).tallies()).isEqualTo(different);
    Subject ofAnother = new Subject(Samples.ID, "another", null);
    for (Tally same :
        List.of(tally("a", "x", 2), new Tally(ofAnother, Period.HOUR, HOUR, "a", "x", 1))) {
      assertRefused("tallies", () -> new Batch("b", NOW, List.of(tally("a", "x", 1), same)));
    }
    for (String id : List.of("", "i".repeat(65), "a b", "\u00e9", "a\n")) {
      assertRefused("id", () -> new Batch(id, NOW, List.of()));
    }
    assertRefused("madeAt", () -> new Batch("b", NOW.plusNanos(1), List.of()));
  }

  private static List<Tally> numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> tally("a", "label " + i, 1)).toList();
  }

  @Test
  void what_is_asked_of_usage_is_bounded() {
    assertThat(new Filter(Period.DAY, NOW, NOW, null, null, null, metrics(20)).metrics())
        .hasSize(20);
    assertRefused("metrics", () -> new Filter(Period.DAY, NOW, NOW, null, null, null, metrics(21)));
    assertRefused("metrics", () -> new Filter(Period.DAY, NOW, NOW, null, null, null, Set.of("A")));
    Instant odd = NOW.plusNanos(1);
    assertRefused("from", () -> new Filter(Period.DAY, odd, NOW, null, null, null, Set.of()));
    assertRefused("until", () -> new Filter(Period.DAY, NOW, odd, null, null, null, Set.of()));

    assertThat(new Retention(NOW, NOW, NOW, 100_000).limit()).isEqualTo(100_000);
    assertRefused("limit", () -> new Retention(NOW, NOW, NOW, 0));
    assertRefused("limit", () -> new Retention(NOW, NOW, NOW, 100_001));
    assertRefused("hoursBefore", () -> new Retention(odd, NOW, NOW, 1));
    assertRefused("daysBefore", () -> new Retention(NOW, odd, NOW, 1));
    assertRefused("batchesBefore", () -> new Retention(NOW, NOW, odd, 1));
  }

  private static Set<String> metrics(int count) {
    return IntStream.range(0, count).mapToObj(i -> "m" + i).collect(toSet());
  }

  @Test
  void an_outcome_has_an_earlier_entry_exactly_when_it_is_repeated() {
    AuditEntry entry = Samples.entry("op").numbered(3);

    assertThat(WriteOutcome.repeated(entry).earlier()).isEqualTo(entry);
    assertRefused("earlier", () -> new WriteOutcome(WriteOutcome.Kind.REPEATED, null));
    assertRefused("earlier", () -> new WriteOutcome(WriteOutcome.Kind.APPLIED, entry));
  }

  @Test
  void a_filter_without_conditions_asks_about_nothing() {
    Set<KeyRecord.State> states = EnumSet.of(KeyRecord.State.ACTIVE);
    KeyFilter filter = KeyFilter.builder().states(states).build();
    states.clear();

    assertThat(filter.states()).containsExactly(KeyRecord.State.ACTIVE);
    assertThat(KeyFilter.all())
        .isEqualTo(
            new KeyFilter(
                null, null, null, null, null, Set.of(), null, null, null, null, null, null, null,
                false));
  }

  @Test
  void a_filter_sets_each_condition_by_its_name() {
    KeyFilter.Due due = new KeyFilter.Due(NOW.plusMillis(7), NOW.plusMillis(8));
    KeyFilter filter =
        KeyFilter.builder()
            .owner("o")
            .subject("s")
            .brand("b")
            .environment("e")
            .pepperId("p")
            .liveAfter(NOW.plusMillis(1))
            .liveUntil(NOW.plusMillis(2))
            .olderLiveAfter(NOW.plusMillis(6))
            .due(due)
            .revokedBefore(NOW.plusMillis(3))
            .issuedBefore(NOW.plusMillis(4))
            .unusedSince(NOW.plusMillis(5))
            .neverUsed(true)
            .build();

    assertThat(filter)
        .isEqualTo(
            new KeyFilter(
                "o",
                "s",
                "b",
                "e",
                "p",
                Set.of(),
                NOW.plusMillis(1),
                NOW.plusMillis(2),
                NOW.plusMillis(6),
                due,
                NOW.plusMillis(3),
                NOW.plusMillis(4),
                NOW.plusMillis(5),
                true));
    assertRefused("liveAfter", () -> KeyFilter.builder().liveAfter(NOW.plusNanos(1)).build());
    assertRefused(
        "olderLiveAfter", () -> KeyFilter.builder().olderLiveAfter(NOW.plusNanos(1)).build());
    assertRefused("due.endsBy", () -> new KeyFilter.Due(NOW.plusNanos(1), null));
    assertRefused("due.createdBy", () -> new KeyFilter.Due(NOW, NOW.plusNanos(1)));
    assertRefused("pepperId", () -> KeyFilter.builder().pepperId("P").build());
    assertRefused("unusedSince", () -> KeyFilter.builder().unusedSince(NOW.plusNanos(1)).build());
  }

  @Test
  void an_audit_filter_can_be_narrowed_to_a_span() {
    AuditFilter filter = AuditFilter.ofOwner("o").between(NOW, null);

    assertThat(filter).isEqualTo(new AuditFilter(null, "o", null, NOW, null));
    assertThat(AuditFilter.ofKey("k").keyId()).isEqualTo("k");
    assertThat(AuditFilter.all()).isEqualTo(new AuditFilter(null, null, null, null, null));
    assertRefused("until", () -> filter.between(null, NOW.plusNanos(1)));
  }

  @Test
  void a_store_exception_says_what_is_known_about_the_effect() {
    StoreException e = new StoreException(StoreException.Kind.CONFLICT, "replace: 40001", null);

    assertThat(e.kind()).isEqualTo(StoreException.Kind.CONFLICT);
    assertThat(e).hasMessage("replace: 40001").hasNoCause();
    assertThatNullPointerException().isThrownBy(() -> new StoreException(null, "m", null));
  }
}
