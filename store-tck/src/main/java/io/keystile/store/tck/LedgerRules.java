package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.SharedLimits;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is written to ledgers and read from them, by one node after the other. */
abstract class LedgerRules {
  static final int MAX_LEDGERS = 1000;

  /** After all times that a test purges. */
  static final Instant KEPT = Instant.parse("2200-06-01T00:00:00Z");

  /** Within so many, a clock that moves has moved. */
  static final int CLOCK_SECONDS = 5;

  private static final int CLOCK_READS = 200;

  final Sample sample = new Sample();

  /** One node. */
  SharedLimits store;

  /** Another node on the same data. */
  SharedLimits other;

  abstract SharedLimits store();

  @BeforeEach
  final void open() {
    store = store();
    other = store();
  }

  /** A ledger that nobody has inserted yet. */
  final Ledger fresh() {
    return new Ledger(sample.name("ledger"), 1, sample.name("text"), KEPT);
  }

  final List<Ledger> fresh(int number) {
    List<Ledger> ledgers = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      ledgers.add(fresh());
    }
    return ledgers;
  }

  /** What may replace a ledger. */
  final Ledger next(Ledger ledger) {
    return at(ledger.revision() + 1, ledger);
  }

  /** The same ledger at another revision, with another text. */
  final Ledger at(long revision, Ledger ledger) {
    return new Ledger(ledger.id(), revision, sample.name("text"), ledger.keepUntil());
  }

  /** Stores ledgers, so that a test can begin. */
  final void given(List<Ledger> ledgers) {
    assertThat(store.replace(ledgers))
        .as("S6: where none is stored, revision 1 must be written")
        .isEqualTo(ids(ledgers));
  }

  final Ledger given(Ledger ledger) {
    given(List.of(ledger));
    return ledger;
  }

  final boolean isWritten(Ledger ledger) {
    return store.replace(List.of(ledger)).contains(ledger.id());
  }

  /** What another node finds of them. */
  final List<Ledger> stored(Collection<Ledger> ledgers) {
    return other.read(ids(ledgers)).ledgers();
  }

  static Set<String> ids(Collection<Ledger> ledgers) {
    Set<String> ids = new HashSet<>();
    ledgers.forEach(ledger -> ids.add(ledger.id()));
    return ids;
  }

  @Test
  void s1_text_and_time_come_back_as_they_were_written() {
    List<Instant> times =
        List.of(
            Instant.EPOCH.plusMillis(1),
            Instant.parse("2011-12-30T09:59:59.999Z"), // a day is left out on Samoa
            Instant.parse("2026-03-29T01:30:00.007Z"),
            Instant.parse("2026-11-01T06:00:00Z"), // an hour comes twice in New York
            Instant.parse("9999-12-31T23:59:59.999Z"));
    List<Ledger> first = new ArrayList<>();
    for (String text : texts()) {
      Instant time = times.get(first.size() % times.size());
      first.add(new Ledger(sample.name("ledger"), 1, text, time));
    }
    given(first);
    assertThat(stored(first))
        .as("S1: text and time must come back as they were inserted")
        .containsExactlyInAnyOrderElementsOf(first);

    List<Ledger> second = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      Ledger donor = first.get((i + 1) % first.size());
      second.add(new Ledger(first.get(i).id(), 2, donor.text(), donor.keepUntil()));
    }
    assertThat(store.replace(second))
        .as("S6: the next revision must be written")
        .isEqualTo(ids(second));
    assertThat(stored(second))
        .as("S1: text and time must come back as they were replaced")
        .containsExactlyInAnyOrderElementsOf(second);
  }

  private static List<String> texts() {
    List<String> texts = new ArrayList<>(List.of("", "x".repeat(4000), " ".repeat(4000)));
    StringBuilder printable = new StringBuilder();
    for (char c = ' '; c < 0x7f; c++) {
      printable.append(c);
    }
    texts.add(printable.toString());
    texts.add(printable.reverse().toString());
    for (String text : Texts.hostile()) {
      if (text.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
        texts.add(text);
      }
    }
    return texts;
  }

  @Test
  void s1_ids_that_look_alike_are_told_apart() {
    String stem = sample.name("l");
    List<Ledger> ledgers = new ArrayList<>();
    for (String end : List.of("a", "A", "aa", "a.", "a_", "a%", "a'", "a\\", "0", "00", "1e2")) {
      ledgers.add(new Ledger(stem + end, 1, "text of " + end, KEPT));
    }
    String longest = stem + "!".repeat(64 - stem.length());
    ledgers.add(new Ledger(longest, 1, "longest", KEPT));
    ledgers.add(new Ledger(longest.substring(0, 63) + "~", 1, "its end differs", KEPT));
    assertThat(store.replace(ledgers))
        .as("S1: an id must be taken for no other")
        .isEqualTo(ids(ledgers));

    for (Ledger ledger : ledgers) {
      assertThat(other.read(List.of(ledger.id())).ledgers())
          .as("S1: an id must be taken for no other")
          .containsExactly(ledger);
    }
  }

  @Test
  void s4_those_that_are_stored_are_returned_each_once() {
    List<Ledger> ledgers = fresh(MAX_LEDGERS);
    List<String> missing = new ArrayList<>();
    for (Ledger ledger : fresh(MAX_LEDGERS)) {
      missing.add(ledger.id());
    }
    given(ledgers);
    Collections.shuffle(ledgers);
    for (int number : List.of(0, 1, 2, 9, 10, 11, 64, 99, 100, 101, 500, 999, 1000)) {
      List<Ledger> expected = ledgers.subList(0, number);
      List<String> asked = new ArrayList<>(ids(expected));
      asked.addAll(missing.subList(0, (MAX_LEDGERS - number) / 2));
      asked.addAll(List.copyOf(asked.subList(0, Math.min(number, MAX_LEDGERS - asked.size()))));

      assertThat(other.read(asked).ledgers())
          .as("S4: the %d that are stored must be returned, each once", number)
          .containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  @Test
  void s4_an_id_that_no_ledger_can_have_is_stored_nowhere() {
    Ledger ledger = given(fresh());
    List<String> asked = new ArrayList<>(Texts.hostile());
    asked.add("");
    asked.add("\0");
    asked.add(ledger.id() + " ");
    asked.add(ledger.id() + "\0");
    asked.add("\ud800");
    asked.add("i".repeat(65));
    asked.add("i".repeat(100_000));
    asked.removeIf(id -> !id.isEmpty() && id.length() <= 64 && id.chars().allMatch(this::isPlain));
    assertThat(asked).hasSizeGreaterThan(50);
    asked.add(ledger.id());

    assertThat(other.read(asked).ledgers())
        .as("S4: what can be no id must be no error, and hide nothing")
        .containsExactly(ledger);
  }

  private boolean isPlain(int c) {
    return c > ' ' && c < 0x7f;
  }

  @Test
  void s4_each_call_reads_what_is_committed_now() {
    Ledger ledger = fresh();
    for (int i = 0; i < 10; i++) {
      assertThat(isWritten(ledger)).as("S6: the next revision must be written").isTrue();
      for (SharedLimits node : List.of(other, store)) {
        assertThat(node.read(List.of(ledger.id())).ledgers())
            .as("S4: read %d must see what was written before it, no earlier snapshot", i)
            .containsExactly(ledger);
      }
      ledger = next(ledger);
    }
  }

  @Test
  void s5_the_time_moves_on_in_whole_milliseconds() {
    for (SharedLimits node : List.of(store, other)) {
      Instant first = node.read(List.of()).now();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOCK_SECONDS);
      Instant now;
      boolean late;
      do {
        late = System.nanoTime() - deadline > 0;
        now = node.read(List.of()).now();
      } while (!now.isAfter(first) && !late);
      assertThat(now).as("S5: the time must move on").isAfter(first);
      assertThat(now).isEqualTo(now.truncatedTo(ChronoUnit.MILLIS));
    }
  }

  @Test
  void s5_all_nodes_go_by_one_clock() {
    Snapshot before = store.read(List.of());
    for (int i = 0; i < CLOCK_READS; i++) {
      Snapshot after = (i % 2 == 0 ? other : store).read(List.of());
      assertThat(after.now())
          .as("S5: no node may tell an earlier time than another did before")
          .isAfterOrEqualTo(before.now());
      before = after;
    }
  }

  @Test
  void s6_the_first_revision_is_written_if_none_is_stored() {
    Ledger first = fresh();

    assertThat(isWritten(at(2, first)))
        .as("S6: revision 2 must be refused where none is stored")
        .isFalse();
    assertThat(isWritten(at(Long.MAX_VALUE, first))).as("S6: likewise the last one").isFalse();
    assertThat(stored(List.of(first))).as("S6: what is refused must not be written").isEmpty();
    given(first);
    assertThat(isWritten(at(1, first)))
        .as("S6: revision 1 must be refused where one is stored")
        .isFalse();
    assertThat(stored(List.of(first)))
        .as("S6: what is stored must stay as it is")
        .containsExactly(first);
  }

  @Test
  void s6_the_next_revision_is_written_and_no_other() {
    Ledger first = given(fresh());
    Ledger second = next(first);
    assertThat(other.replace(List.of(second)))
        .as("S6: the next revision must be written")
        .containsExactly(second.id());

    for (long revision : List.of(1L, 2L, 4L, 5L, Long.MAX_VALUE)) {
      assertThat(isWritten(at(revision, first)))
          .as("S6: revision %d must be refused where 2 is stored", revision)
          .isFalse();
    }
    assertThat(stored(List.of(first)))
        .as("S6: what is stored must stay as it is")
        .containsExactly(second);
    Ledger third = new Ledger(first.id(), 3, second.text(), second.keepUntil());
    assertThat(isWritten(third))
        .as("S6: the next revision must be written, with the same text and time too")
        .isTrue();
    assertThat(stored(List.of(first)))
        .as("S6: what is told as written must be stored")
        .containsExactly(third);
  }

  @Test
  void s7_each_is_written_by_itself_and_those_that_were_are_told() {
    for (int number : List.of(1, 3, MAX_LEDGERS / 5)) {
      List<Ledger> stored = fresh(3 * number);
      given(stored);
      List<Ledger> fits = new ArrayList<>(fresh(number));
      stored.subList(0, number).forEach(ledger -> fits.add(next(ledger)));
      List<Ledger> refused = new ArrayList<>();
      stored.subList(number, 2 * number).forEach(ledger -> refused.add(at(1, ledger)));
      stored.subList(2 * number, 3 * number).forEach(ledger -> refused.add(at(3, ledger)));
      fresh(number).forEach(ledger -> refused.add(at(2, ledger)));
      List<Ledger> all = new ArrayList<>(fits);
      all.addAll(refused);
      Collections.shuffle(all);

      assertThat(store.replace(all))
          .as("S7: those that fit must be written, and told, whatever becomes of the others")
          .isEqualTo(ids(fits));
      assertThat(stored(fits))
          .as("S7: what is told as written must be stored")
          .containsExactlyInAnyOrderElementsOf(fits);
      assertThat(stored(refused))
          .as("S7: of those that are refused, what is stored must stay as it is")
          .containsExactlyInAnyOrderElementsOf(stored.subList(number, 3 * number));
      assertThat(store.replace(refused)).as("S7: none of these was written").isEmpty();
    }
    assertThat(store.replace(List.of())).as("S7: nothing was to be written").isEmpty();
  }
}
