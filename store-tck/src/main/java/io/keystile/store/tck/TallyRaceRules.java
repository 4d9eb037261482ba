package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes add to the same things at the same time, or one adds and one reads or purges. */
abstract class TallyRaceRules extends TallyPageRules {
  /** A day before all other times, so that a purge finds nothing but what it is to find. */
  static final Instant PAST = Instant.parse("1975-06-01T00:00:00Z");

  static final int MAX_PURGE = 100_000;

  private static final int THINGS = 10;

  final Race race = new Race();

  @AfterEach
  final void endRace() {
    race.close();
  }

  private void report(String rule, String result) {
    System.out.printf(
        "%s, %s: %s, %d retries%n", getClass().getSimpleName(), rule, result, race.retries());
  }

  /** All that is from before a time. */
  static Retention before(Instant time, int limit) {
    return new Retention(time, time, time, limit);
  }

  /** Removes what other tests have left, until nothing is from before that time. */
  final void purgeAll(Instant before) {
    while (store.purge(before(before, MAX_PURGE)) > 0) {}
  }

  /** An old tally, for a purge to find. */
  final Tally old(Instant start) {
    return old(Period.HOUR, start);
  }

  final Tally old(Period period, Instant start) {
    return new Tally(subject(), period, start, "requests", "all", 1);
  }

  /** Lets both nodes do something at the same moment; each of them is the first in turn. */
  private <T> List<T> both(int round, Callable<T> one, Callable<T> two) {
    if (round % 2 == 0) {
      return race.run(() -> race.retrying(one), () -> race.retrying(two));
    }
    List<T> answers = new ArrayList<>(race.run(() -> race.retrying(two), () -> race.retrying(one)));
    Collections.reverse(answers);
    return answers;
  }

  /** Half of the things are new, so that both insert them. */
  @Test
  void b6_of_concurrent_batches_nothing_is_lost() {
    Subject subject = subject("pro");
    List<Tally> stored = things(subject, "stored");
    long ones = 0;
    for (int round = 1; round <= Race.ROUNDS; round++) {
      int amount = round;
      List<Tally> fresh = things(subject(), "fresh");
      List<Tally> things = new ArrayList<>(stored);
      things.addAll(fresh);
      List<Tally> first = shuffled(with(things, 1));
      List<Tally> second = shuffled(with(things, amount));
      List<Boolean> added =
          both(round, () -> store.add(batch(first)), () -> other.add(batch(second)));

      assertThat(added).as("B5: both ids are new in round %d", round).containsExactly(true, true);
      ones += 1 + amount;
      assertSums("B6: of two concurrent batches nothing may be lost", stored, ones, amount);
      assertSums("B6: nor of two that insert the same", fresh, 1 + amount, amount);
    }
    report("B6, sums", 2 * Race.ROUNDS + " batches of " + 2 * THINGS + ", nothing lost");
  }

  private List<Tally> things(Subject subject, String stem) {
    List<Tally> things = new ArrayList<>();
    for (int i = 0; i < THINGS; i++) {
      things.add(tally(subject, i % 2 == 0 ? "requests" : "max-a", stem + i, 0));
    }
    return things;
  }

  private void assertSums(String rule, List<Tally> things, long sum, long greatest) {
    assertStored(
        rule,
        things.stream().map(tally -> with(tally, tally.isMaximum() ? greatest : sum)).toList());
  }

  @Test
  void b5_of_two_calls_with_one_id_exactly_one_adds() {
    int firstWins = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      Subject subject = subject();
      Batch one = batch(List.of(tally(subject, 1)));
      Batch two = new Batch(one.id(), one.madeAt(), List.of(tally(subject, 2)));
      List<Boolean> added = both(round, () -> store.add(one), () -> other.add(two));

      assertThat(added)
          .as("B5: of two calls with one id exactly one must add, in round %d", round)
          .containsExactlyInAnyOrder(true, false);
      assertThat(stored(subject))
          .as("B5: what is added must be what the winner gave")
          .containsExactly(tally(subject, added.get(0) ? 1 : 2));
      firstWins += added.get(0) ? 1 : 0;
    }
    report("B5, one id", Race.ROUNDS + " rounds, one winner each, " + firstWins + " the first");
  }

  /** One node adds until the other has read often enough. */
  private int addAndRead(Callable<List<Tally>> next, Callable<Integer> reading) {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger reads = new AtomicInteger();
    race.run(
        () -> {
          try {
            for (int i = 0;
                !done.get() && (i < Race.ROUNDS || reads.get() < Race.ROUNDS / 5);
                i++) {
              Batch batch = batch(next.call());
              race.retrying(() -> store.add(batch));
            }
          } finally {
            done.set(true);
          }
          return 0;
        },
        () -> {
          try {
            while (!done.get()) {
              reads.addAndGet(race.retrying(reading));
            }
          } finally {
            done.set(true);
          }
          return 0;
        });
    return reads.get();
  }

  @Test
  void b9_of_a_batch_no_part_is_seen() {
    Subject subject = subject();
    List<Tally> things = new ArrayList<>();
    for (int i = 0; i < 5 * THINGS; i++) {
      things.add(tally(subject, "requests", "label " + i, 1));
    }
    given(things);
    int reads =
        addAndRead(
            () -> things,
            () -> {
              List<Tally> found = other.tallies(ofKey(subject), null, 100);
              assertThat(found).as("B9: they are stored throughout").hasSameSizeAs(things);
              assertThat(found.stream().map(Tally::amount).distinct())
                  .as("B9: of no batch may a part be seen: each adds 1 to all")
                  .hasSize(1);
              return 1;
            });
    report("B9, whole", reads + " reads, 0 torn");
  }

  @Test
  void b8_pages_hold_each_once_while_others_add() {
    String owner = sample.name("owner");
    List<Tally> throughout = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String keyId = sample.id(String.format("%03d500000", i));
      throughout.add(tally(new Subject(keyId, owner, null), 1));
    }
    given(throughout);
    Filter filter = new Filter(Period.HOUR, hour, hour.plusMillis(1), null, owner, null, Set.of());
    AtomicInteger added = new AtomicInteger();
    int lists =
        addAndRead(
            () -> {
              // few, so that a reader comes to an end
              int i = added.incrementAndGet() % 400;
              String keyId = sample.id(String.format("%03d%06d", i % 40, i));
              return List.of(tally(new Subject(keyId, owner, null), 2));
            },
            () -> {
              List<Tally> all = read(filter, 7);
              assertThat(all.stream().map(tally -> tally.subject().keyId()))
                  .as("B8: none may come twice")
                  .doesNotHaveDuplicates();
              assertThat(all)
                  .as("B8: pages must hold what is there throughout")
                  .containsAll(throughout);
              return 1;
            });
    report("B8, pages", added + " added, " + lists + " whole lists");
  }

  @Test
  void b10_of_an_addition_and_a_purge_exactly_one_comes_first() {
    purgeAll(PAST.plusMillis(1));
    int kept = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      Tally old = given(old(PAST));
      Batch batch = batch(List.of(with(old, 2)));
      List<Integer> counts =
          both(
              round,
              () -> store.add(batch) ? 1 : 0,
              () -> other.purge(before(PAST.plusMillis(1), 10)));

      assertThat(counts).as("B10: one must be removed in round %d", round).containsExactly(1, 1);
      List<Tally> left = stored(old.subject());
      assertThat(left)
          .as("B10: what was added is removed, or it is there alone")
          .isIn(List.of(), List.of(with(old, 2)));
      kept += left.size();
      purgeAll(PAST.plusMillis(1));
    }
    report("B10, purge", Race.ROUNDS + " rounds, " + kept + " times kept");
  }

  @Test
  void b10_two_purges_count_each_tally_once() {
    purgeAll(PAST.plusMillis(1));
    int rounds = Race.ROUNDS / 10;
    for (int round = 0; round < rounds; round++) {
      List<Tally> old = new ArrayList<>();
      for (int i = 0; i < THINGS; i++) {
        old.add(old(PAST));
      }
      assertThat(store.add(new Batch(sample.name("batch"), PAST, old))).isTrue();
      List<Integer> counts =
          both(
              round,
              () -> store.purge(before(PAST.plusMillis(1), 1000)),
              () -> other.purge(before(PAST.plusMillis(1), 1000)));

      assertThat(counts.get(0) + counts.get(1))
          .as("B10: each must be removed, and counted, once, in round %d", round)
          .isEqualTo(THINGS + 1);
      assertThat(stored(old.stream().map(Tally::subject).toList()))
          .as("B10: what is old must be gone")
          .isEmpty();
    }
    report("B10, two purges", rounds * (THINGS + 1) + " removed, each counted once");
  }

  @Test
  void b2_two_threads_may_use_one_store_without_disturbing_each_other() {
    purgeAll(PAST.plusMillis(1));
    race.run(() -> liveALife(store), () -> liveALife(store));
    report("B2, one store", 2 * Race.ROUNDS / 10 + " lives of a tally");
  }

  private int liveALife(UsageStore usage) throws Exception {
    for (int round = 0; round < Race.ROUNDS / 10; round++) {
      Subject subject = subject("pro");
      List<Tally> tallies = List.of(old(PAST), tally(subject, 1), tally(subject, "bytes", "in", 1));
      Batch batch = batch(tallies);
      Batch next = batch(tallies);
      assertThat(race.retrying(() -> usage.add(batch))).as("B2: add").isTrue();
      assertThat(race.retrying(() -> usage.add(batch))).as("B2: add").isFalse();
      assertThat(race.retrying(() -> usage.add(next))).as("B2: add").isTrue();
      assertThat(race.retrying(() -> usage.tallies(ofKey(subject), null, 10)))
          .as("B2: tallies")
          .containsExactly(tally(subject, "bytes", "in", 2), tally(subject, 2));
      // the other thread may have removed it already
      race.retrying(() -> usage.purge(before(PAST.plusMillis(1), 1000)));
      Subject removed = tallies.get(0).subject();
      assertThat(race.retrying(() -> usage.tallies(ofKey(removed), null, 10)))
          .as("B2: purge")
          .isEmpty();
    }
    return 0;
  }
}
