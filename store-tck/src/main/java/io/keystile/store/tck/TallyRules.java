package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is added to tallies, by one node after the other. */
abstract class TallyRules {
  static final long MAX_AMOUNT = 1L << 62;
  static final int MAX_TALLIES = 5000;

  /** Before and after all times that a test uses. */
  static final Instant BEGIN = Instant.EPOCH;

  static final Instant END = Instant.parse("9999-12-31T23:00:00Z");

  final Sample sample = new Sample();

  /** An hour that begins a day, and after all that a test purges; no other test's. */
  final Instant hour =
      Instant.parse("2200-01-01T00:00:00Z")
          .plus(ThreadLocalRandom.current().nextInt(1_000_000), ChronoUnit.DAYS);

  /** One node. */
  UsageStore store;

  /** Another node on the same data. */
  UsageStore other;

  abstract UsageStore store();

  @BeforeEach
  final void open() {
    store = store();
    other = store();
  }

  /** A key that nobody has used yet, of an owner of its own. */
  final Subject subject() {
    return subject(null);
  }

  final Subject subject(@Nullable String plan) {
    return new Subject(sample.id(), sample.name("owner"), plan);
  }

  /** So much of something in the test's hour. */
  final Tally tally(Subject subject, String metric, String label, long amount) {
    return new Tally(subject, Period.HOUR, hour, metric, label, amount);
  }

  final Tally tally(Subject subject, long amount) {
    return tally(subject, "requests", "all", amount);
  }

  static Tally with(Tally tally, long amount) {
    return new Tally(
        tally.subject(), tally.period(), tally.start(), tally.metric(), tally.label(), amount);
  }

  static List<Tally> with(List<Tally> tallies, long amount) {
    return tallies.stream().map(tally -> with(tally, amount)).toList();
  }

  /** The same things, in any order. */
  static List<Tally> shuffled(List<Tally> tallies) {
    List<Tally> shuffled = new ArrayList<>(tallies);
    Collections.shuffle(shuffled);
    return shuffled;
  }

  final Batch batch(List<Tally> tallies) {
    return new Batch(sample.name("batch"), Sample.NOW, tallies);
  }

  /** Adds tallies, so that a test can begin. */
  final void given(List<Tally> tallies) {
    for (int from = 0; from < tallies.size(); from += MAX_TALLIES) {
      int to = Math.min(from + MAX_TALLIES, tallies.size());
      assertThat(store.add(batch(tallies.subList(from, to))))
          .as("B5: a batch whose id is new must be added")
          .isTrue();
    }
  }

  final Tally given(Tally tally) {
    given(List.of(tally));
    return tally;
  }

  static Filter all(Period period) {
    return new Filter(period, BEGIN, END, null, null, null, Set.of());
  }

  static Filter ofKey(Subject subject) {
    return ofKey(Period.HOUR, subject);
  }

  static Filter ofKey(Period period, Subject subject) {
    return new Filter(period, BEGIN, END, subject.keyId(), null, null, Set.of());
  }

  /** What another node finds about a key. */
  final List<Tally> stored(Subject subject) {
    return stored(List.of(subject));
  }

  final List<Tally> stored(List<Subject> subjects) {
    List<Tally> stored = new ArrayList<>();
    for (Subject subject : subjects) {
      for (Period period : Period.values()) {
        stored.addAll(other.tallies(ofKey(period, subject), null, 10_000));
      }
    }
    return stored;
  }

  final void assertStored(String rule, List<Tally> expected) {
    List<Subject> subjects = expected.stream().map(Tally::subject).distinct().toList();
    assertThat(Set.copyOf(stored(subjects))).as(rule).isEqualTo(Set.copyOf(expected));
  }

  @Test
  void b1_every_value_comes_back_as_it_was_written() {
    long[] amounts = {0, 1, 1L << 31, (1L << 53) + 1, MAX_AMOUNT - 1, MAX_AMOUNT};
    List<String> metrics = List.of("a", "requests", "max-in-a-minute", "m".repeat(32), "gpu-1-");
    List<String> texts = new ArrayList<>(Texts.hostile());
    texts.add(Texts.fill("x", 255));
    texts.add(Texts.fill("\ud83d\ude00", 255));
    List<Instant> starts =
        List.of(
            Instant.EPOCH,
            Instant.parse("2011-12-30T00:00:00Z"), // a day that is left out on Samoa
            Instant.parse("2026-03-29T01:00:00Z"),
            Instant.parse("2026-11-01T06:00:00Z"), // an hour that comes twice in New York
            Instant.parse("2038-01-19T03:00:00Z"),
            END);
    List<Tally> tallies = new ArrayList<>();
    for (String text : texts) {
      int i = tallies.size();
      Period period = i / 2 % 2 == 0 ? Period.HOUR : Period.DAY;
      Subject subject = new Subject(sample.id(), text, i % 5 == 0 ? null : Texts.cut(text, 100));
      tallies.add(
          new Tally(
              subject,
              period,
              period.startOf(starts.get(i % starts.size())),
              metrics.get(i % metrics.size()),
              Texts.cut(text, 200),
              amounts[i % amounts.length]));
    }
    assertThat(texts).as("hostile texts").hasSizeGreaterThan(150);
    given(tallies);

    for (Tally tally : tallies) {
      Filter filter = ofKey(tally.period(), tally.subject());
      Filter until =
          new Filter(
              tally.period(),
              BEGIN,
              tally.start().plusMillis(1),
              filter.keyId(),
              tally.subject().owner(),
              tally.subject().plan(),
              Set.of(tally.metric()));
      List<Tally> found = other.tallies(until, null, 10);
      assertThat(found).as("B1: it must be found by each of its values").hasSize(1);
      Differences.assertNone("B1: every value must come back", found.get(0), tally);
    }
  }

  @Test
  void b1_labels_and_plans_that_look_alike_are_told_apart() {
    String keyId = sample.id();
    List<Tally> tallies = new ArrayList<>();
    tallies.add(tally(new Subject(keyId, "owner", null), 1));
    for (String alike : Texts.lookalikes("")) {
      tallies.add(tally(new Subject(keyId, "owner", null), "requests", alike, tallies.size() + 1));
      tallies.add(tally(new Subject(keyId, "owner", alike), tallies.size() + 1));
    }
    for (String plan : List.of("null", " ", "-", "none", "\u0001")) {
      tallies.add(tally(new Subject(keyId, "owner", plan), tallies.size() + 1));
    }
    assertThat(tallies).hasSize(150);
    given(shuffled(tallies));
    assertStored("B1: a thing must be taken for no other when it is inserted", tallies);

    given(shuffled(tallies));
    assertStored(
        "B1: a thing must be taken for no other when it is added to",
        tallies.stream().map(tally -> with(tally, 2 * tally.amount())).toList());
    for (Tally tally : tallies) {
      String plan = tally.subject().plan();
      if (plan != null) {
        assertThat(
                other.tallies(
                    new Filter(Period.HOUR, BEGIN, END, keyId, null, plan, Set.of()), null, 10))
            .as("B1: a plan must be taken for no other when it is asked for")
            .hasSize(1);
      }
    }
  }

  @Test
  void b1_keys_and_owners_that_look_alike_are_told_apart() {
    List<Tally> tallies = new ArrayList<>();
    for (String owner : Texts.lookalikes(sample.name("o"))) {
      tallies.add(tally(new Subject(sample.id(), owner, null), 1));
    }
    tallies.add(tally(new Subject(sample.id("KEY"), sample.name("o"), null), 1));
    tallies.add(tally(new Subject(sample.id("key"), sample.name("o"), null), 1));
    given(tallies);

    for (Tally tally : tallies) {
      Subject subject = tally.subject();
      for (Filter filter :
          List.of(
              ofKey(subject),
              new Filter(Period.HOUR, BEGIN, END, null, subject.owner(), null, Set.of()))) {
        assertThat(other.tallies(filter, null, 100))
            .as("B1: a key or an owner must be taken for no other")
            .containsExactly(tally);
      }
    }
  }

  @Test
  void b1_text_that_nobody_can_store_finds_nothing() {
    given(tally(subject(), 1));
    for (String text : List.of("", "\0", "a\0b", "\ud800", "\udc00x", "x".repeat(5000))) {
      for (Filter filter :
          List.of(
              new Filter(Period.HOUR, BEGIN, END, text, null, null, Set.of()),
              new Filter(Period.HOUR, BEGIN, END, null, text, null, Set.of()),
              new Filter(Period.HOUR, BEGIN, END, null, null, text, Set.of()))) {
        assertThat(other.tallies(filter, null, 10)).as("B1: nothing is called so").isEmpty();
      }
    }
  }

  @Test
  void b5_a_batch_is_added_once_whatever_it_holds() {
    Subject subject = subject();
    Batch batch = batch(List.of(tally(subject, 3), tally(subject, "max-a", "all", 3)));
    Batch changed =
        new Batch(
            batch.id(),
            Sample.NOW.plusSeconds(1),
            List.of(tally(subject, 4), tally(subject, "bytes", "in", 4)));

    assertThat(store.add(batch)).as("B5: a batch whose id is new must be added").isTrue();
    for (Batch repeated : List.of(batch, batch, changed, batch)) {
      for (UsageStore node : List.of(store, other)) {
        assertThat(node.add(repeated)).as("B5: it must be told that it was added before").isFalse();
        assertThat(stored(subject))
            .as("B5: what was added before must not be added again")
            .containsExactlyInAnyOrderElementsOf(batch.tallies());
      }
    }
    given(List.of(tally(subject, 3)));
    assertThat(store.add(batch)).as("B5: nor must it after another batch").isFalse();
    assertThat(stored(subject)).contains(tally(subject, 6));
  }

  @Test
  void b5_a_batch_without_tallies_leaves_its_id() {
    Subject subject = subject();
    Batch empty = batch(List.of());
    Batch full = new Batch(empty.id(), Sample.NOW, List.of(tally(subject, 1)));

    assertThat(store.add(empty)).as("B5: an empty batch must be added").isTrue();
    for (Batch repeated : List.of(empty, full)) {
      assertThat(other.add(repeated)).as("B5: its id was added before").isFalse();
    }
    assertThat(stored(subject)).as("B5: what comes under its id must not be added").isEmpty();

    Batch first = batch(List.of(tally(subject, 2)));
    assertThat(store.add(first)).as("B5: a batch whose id is new must be added").isTrue();
    assertThat(other.add(new Batch(first.id(), Sample.NOW, List.of())))
        .as("B5: an empty one is told of an id that was added before")
        .isFalse();
    assertThat(stored(subject)).containsExactly(tally(subject, 2));
  }

  @Test
  void b5_ids_that_look_alike_are_of_different_batches() {
    Subject subject = subject();
    String stem = sample.name("b");
    List<String> ids = new ArrayList<>();
    for (String end :
        List.of("", "a", "A", "aa", "a.", "a_", "a%", "a'", "a\\", "0", "00", "1e2")) {
      ids.add(stem + end);
    }
    String longest = stem + "!".repeat(64 - stem.length());
    ids.add(longest);
    ids.add(longest.substring(0, 63) + "~");
    for (String id : ids) {
      assertThat(store.add(new Batch(id, Sample.NOW, List.of(tally(subject, 1)))))
          .as("B5: a batch must be taken for no other")
          .isTrue();
    }
    assertThat(stored(subject)).containsExactly(tally(subject, ids.size()));
  }

  @Test
  void b6_amounts_are_added_and_of_maxima_the_greater_one_is_kept() {
    Subject subject = subject("pro");
    Tally sum = tally(subject, "requests", "all", 0);
    Tally named = tally(subject, "maximum", "all", 0);
    Tally max = tally(subject, "max-requests", "all", 0);
    Tally day = new Tally(subject, Period.DAY, hour, "max-requests", "all", 0);
    long total = 0;
    long greatest = 0;
    for (long amount : new long[] {0, 5, 7, 6, 7, 1L << 40, 3, 0}) {
      total += amount;
      greatest = Math.max(greatest, amount);
      given(shuffled(with(List.of(sum, max, day, named), amount)));
      assertStored(
          "B6: after each batch there must be the sum, or the greatest",
          List.of(with(sum, total), with(max, greatest), with(day, greatest), with(named, total)));
    }
  }

  @Test
  void b6_a_sum_stays_at_2_to_the_62() {
    Subject subject = subject();
    for (long[] amounts :
        new long[][] {
          {MAX_AMOUNT, MAX_AMOUNT, 1},
          {1, MAX_AMOUNT, 0},
          {MAX_AMOUNT - 1, 1, 1},
          {2, MAX_AMOUNT - 1}
        }) {
      Tally sum = tally(subject, "requests", sample.name("label"), 0);
      for (long amount : amounts) {
        given(with(sum, amount));
      }
      assertThat(stored(subject))
          .as("B6: a sum that would be more must be 2^62")
          .contains(with(sum, MAX_AMOUNT));
    }
  }

  @Test
  void b6_a_batch_of_the_greatest_size_is_added_twice() {
    List<Tally> tallies = new ArrayList<>();
    List<Subject> subjects = List.of(subject(), subject("pro"));
    for (int i = 0; i < MAX_TALLIES; i++) {
      String metric = i % 10 == 0 ? "max-a" : "requests";
      tallies.add(tally(subjects.get(i % 2), metric, "label " + i, i));
    }
    given(shuffled(tallies));
    given(shuffled(tallies));
    assertStored(
        "B6: each of the 5000 must be added to",
        tallies.stream()
            .map(tally -> with(tally, tally.isMaximum() ? tally.amount() : 2 * tally.amount()))
            .toList());
  }

  @Test
  void b7_the_owner_that_is_stored_with_a_thing_stays() {
    Subject first = subject();
    Subject second = new Subject(first.keyId(), sample.name("owner"), null);
    given(tally(first, 1));
    given(List.of(tally(second, 2), tally(second, "new", "x", 2)));

    assertThat(stored(first))
        .as("B7: the owner that is stored must stay, and of a new thing be the one given")
        .containsExactlyInAnyOrder(tally(first, 3), tally(second, "new", "x", 2));
  }
}
