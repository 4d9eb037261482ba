package io.keystile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.keystile.store.ChangeCursor.Gap;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
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
        0, operationId, action, Samples.ID, "o", NOW, actor, reason, note, null, null);
  }

  private static void assertRefused(String field, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessageStartingWith(field);
  }

  @Test
  void an_audit_entry_gets_its_number_and_keeps_all_else() {
    AuditEntry entry = Samples.entry("op");

    assertThat(entry.numbered(7).number()).isEqualTo(7);
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
                null, null, null, null, null, Set.of(), null, null, null, null, null, false));
  }

  @Test
  void a_filter_sets_each_condition_by_its_name() {
    KeyFilter filter =
        KeyFilter.builder()
            .owner("o")
            .subject("s")
            .brand("b")
            .environment("e")
            .pepperId("p")
            .liveAfter(NOW.plusMillis(1))
            .liveUntil(NOW.plusMillis(2))
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
                NOW.plusMillis(3),
                NOW.plusMillis(4),
                NOW.plusMillis(5),
                true));
    assertRefused("liveAfter", () -> KeyFilter.builder().liveAfter(NOW.plusNanos(1)).build());
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
