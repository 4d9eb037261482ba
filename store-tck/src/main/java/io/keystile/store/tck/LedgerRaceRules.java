package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.SharedLimits;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes write to the same ledgers at the same time, or one writes and one reads. */
abstract class LedgerRaceRules extends LedgerRules {
  /** Before all other times, so that a purge finds nothing but what it is to find. */
  static final Instant PAST = Instant.parse("1975-06-01T00:00:00Z");

  private static final int LEDGERS_PER_BATCH = 10;
  private static final int TIMES = 20;

  final Race race = new Race();

  @AfterEach
  final void endRace() {
    race.close();
  }

  private void report(String rule, String result) {
    System.out.printf(
        "%s, %s: %s, %d retries%n", getClass().getSimpleName(), rule, result, race.retries());
  }

  /** Removes what other tests have left, until none is kept only until before that time. */
  final void purgeAll(Instant before) {
    while (store.purge(before, 100_000) == 100_000) {}
  }

  /** Lets both nodes do something at the same moment; each of them is the first in turn. */
  private <T> List<T> both(int round, Callable<T> one, Callable<T> two) {
    if (round % 2 == 0) {
      return race.run(one, two);
    }
    List<T> answers = new ArrayList<>(race.run(two, one));
    Collections.reverse(answers);
    return answers;
  }

  /** Two nodes write a list each, of the same ids in another order: each id has one winner. */
  private void fight(String rule, int number, Function<List<Ledger>, List<Ledger>> rivals) {
    int firstWins = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      List<Ledger> ones = rivals.apply(fresh(number));
      List<Ledger> twos = new ArrayList<>();
      ones.forEach(ledger -> twos.add(at(ledger.revision(), ledger)));
      Collections.shuffle(twos);
      List<Set<String>> written =
          both(
              round,
              () -> race.retrying(() -> store.replace(ones)),
              () -> race.retrying(() -> other.replace(twos)));

      List<String> winners = new ArrayList<>(written.get(0));
      winners.addAll(written.get(1));
      assertThat(winners)
          .as("S8: each must be written by exactly one in round %d", round)
          .containsExactlyInAnyOrderElementsOf(ids(ones));
      List<Ledger> expected = new ArrayList<>(ones);
      expected.addAll(twos);
      expected.removeIf(
          ledger -> !written.get(ones.contains(ledger) ? 0 : 1).contains(ledger.id()));
      assertThat(stored(ones))
          .as("S8: what the winner wrote must be stored")
          .containsExactlyInAnyOrderElementsOf(expected);
      firstWins += written.get(0).size();
    }
    int fights = Race.ROUNDS * number;
    report(rule, fights + " fights, one winner each, " + firstWins + " times the first");
  }

  @Test
  void s8_of_two_replacements_of_one_revision_exactly_one_is_applied() {
    fight("S8, one revision", 1, this::givenNext);
  }

  @Test
  void s8_of_two_insertions_of_one_id_exactly_one_is_applied() {
    fight("S8, one id", 1, ledgers -> ledgers);
  }

  @Test
  void s8_two_lists_share_the_wins_and_keep_nobody_from_the_end() {
    fight(
        "S8, lists",
        LEDGERS_PER_BATCH,
        ledgers -> {
          List<Ledger> half = ledgers.subList(0, LEDGERS_PER_BATCH / 2);
          List<Ledger> mixed = givenNext(half);
          mixed.addAll(ledgers.subList(half.size(), ledgers.size()));
          Collections.shuffle(mixed);
          return mixed;
        });
  }

  /** Stores them, and returns what may replace them. */
  private List<Ledger> givenNext(List<Ledger> ledgers) {
    given(ledgers);
    List<Ledger> next = new ArrayList<>();
    ledgers.forEach(ledger -> next.add(next(ledger)));
    return next;
  }

  /**
   * One node writes revision after revision and another reads, until both have done their part and
   * the writer has had enough.
   */
  private long writeAndRead(
      Ledger first, Runnable afterWrite, BooleanSupplier enough, LongConsumer onRead) {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger reads = new AtomicInteger();
    given(first);
    race.run(
        () -> {
          try {
            for (long revision = 2;
                !done.get()
                    && (revision <= Race.ROUNDS
                        || reads.get() < Race.ROUNDS / 5
                        || !enough.getAsBoolean());
                revision++) {
              Ledger next = numbered(first.id(), revision);
              assertThat(race.retrying(() -> store.replace(List.of(next)))).hasSize(1);
              afterWrite.run();
            }
          } finally {
            done.set(true);
          }
          return 0;
        },
        () -> {
          try {
            while (!done.get()) {
              onRead.accept(reads.get());
              reads.incrementAndGet();
            }
          } finally {
            done.set(true);
          }
          return 0;
        });
    return reads.get();
  }

  /** Text and time of each revision are known, and differ in length. */
  private static Ledger numbered(String id, long revision) {
    String text = (revision + ".").repeat(1 + (int) (revision % 400));
    return new Ledger(id, revision, text, KEPT.plusSeconds(revision));
  }

  @Test
  void s4_no_ledger_is_read_as_parts_of_two_writes() {
    Ledger first = numbered(sample.name("ledger"), 1);
    long[] newest = {1};
    long reads =
        writeAndRead(
            first,
            () -> {},
            () -> true,
            read -> {
              List<Ledger> found = other.read(List.of(first.id())).ledgers();
              assertThat(found).as("S4: it is stored throughout").hasSize(1);
              long revision = found.get(0).revision();
              assertThat(found.get(0))
                  .as("S4: read %d must be as one replacement left it", read)
                  .isEqualTo(numbered(first.id(), revision));
              assertThat(revision)
                  .as("S4: a read may show nothing older than the one before")
                  .isGreaterThanOrEqualTo(newest[0]);
              newest[0] = revision;
            });
    report("S4, whole", newest[0] + " revisions, " + reads + " reads, 0 torn");
  }

  @Test
  void s5_what_was_written_before_the_time_is_in_the_ledgers() {
    Ledger first = numbered(sample.name("ledger"), 1);
    // How far the writer was at each time: what it had written then, another must see
    NavigableMap<Instant, Long> progress = new TreeMap<>();
    long[] written = {1};
    // of a clock that stands still there are never enough
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOCK_SECONDS);
    // The oldest revision that came with each time
    NavigableMap<Instant, Long> seen = new TreeMap<>();
    long reads =
        writeAndRead(
            first,
            () -> progress.put(store.read(List.of()).now(), ++written[0]),
            () -> progress.size() > TIMES || System.nanoTime() - deadline > 0,
            read -> {
              Snapshot snapshot = other.read(List.of(first.id()));
              seen.merge(snapshot.now(), snapshot.ledgers().get(0).revision(), Math::min);
            });

    seen.forEach(
        (time, revision) -> {
          Map.Entry<Instant, Long> earlier = progress.lowerEntry(time);
          if (earlier != null) {
            assertThat(revision)
                .as("S5: what was written before the time must be in the ledgers")
                .isGreaterThanOrEqualTo(earlier.getValue());
          }
        });
    String times = seen.size() + " times, none after the ledgers";
    report("S5, order", written[0] + " revisions, " + reads + " reads, " + times);
  }

  @Test
  void s10_of_a_replacement_and_a_purge_exactly_one_comes_first() {
    purgeAll(PAST.plusMillis(1));
    int kept = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      Ledger old = given(new Ledger(sample.name("ledger"), 1, "", PAST));
      Ledger next = new Ledger(old.id(), 2, "kept", KEPT);
      List<Integer> counts =
          both(
              round,
              () -> race.retrying(() -> store.replace(List.of(next))).size(),
              () -> race.retrying(() -> other.purge(PAST.plusMillis(1), 10)));

      assertThat(counts)
          .as("S10: either it is replaced or it is removed, in round %d", round)
          .containsExactlyInAnyOrder(0, 1);
      assertThat(stored(List.of(old)))
          .as("S10: what is to be kept longer must stay, and what was removed be gone")
          .isEqualTo(counts.get(0) == 1 ? List.of(next) : List.of());
      kept += counts.get(0);
    }
    report("S10, purge", Race.ROUNDS + " rounds, " + kept + " times kept");
  }

  @Test
  void s10_two_purges_count_each_ledger_once() {
    purgeAll(PAST.plusMillis(1));
    int removed = 0;
    int rounds = Race.ROUNDS / 10;
    for (int round = 0; round < rounds; round++) {
      List<Ledger> old = new ArrayList<>();
      for (int i = 0; i < LEDGERS_PER_BATCH; i++) {
        old.add(new Ledger(sample.name("ledger"), 1, "", PAST));
      }
      given(old);
      List<Integer> counts =
          both(
              round,
              () -> race.retrying(() -> store.purge(PAST.plusMillis(1), 1000)),
              () -> race.retrying(() -> other.purge(PAST.plusMillis(1), 1000)));

      assertThat(counts.get(0) + counts.get(1))
          .as("S10: each must be removed, and counted, once, in round %d", round)
          .isEqualTo(LEDGERS_PER_BATCH);
      assertThat(stored(old)).as("S10: what is old must be gone").isEmpty();
      removed += LEDGERS_PER_BATCH;
    }
    report("S10, two purges", removed + " ledgers, each counted once");
  }

  @Test
  void s2_two_threads_may_use_one_store_without_disturbing_each_other() {
    purgeAll(PAST.plusMillis(1));
    race.run(() -> liveALife(store), () -> liveALife(store));
    report("S2, one store", 2 * Race.ROUNDS / 10 + " lives of a ledger");
  }

  private int liveALife(SharedLimits shared) throws Exception {
    for (int round = 0; round < Race.ROUNDS / 10; round++) {
      List<Ledger> first = fresh(LEDGERS_PER_BATCH);
      List<Ledger> second = new ArrayList<>();
      first.forEach(ledger -> second.add(new Ledger(ledger.id(), 2, ledger.text(), PAST)));
      Set<String> ids = new HashSet<>(ids(first));
      assertThat(race.retrying(() -> shared.replace(first))).as("S2: insert").isEqualTo(ids);
      assertThat(race.retrying(() -> shared.read(ids)).ledgers())
          .as("S2: read")
          .containsExactlyInAnyOrderElementsOf(first);
      assertThat(race.retrying(() -> shared.replace(second))).as("S2: replace").isEqualTo(ids);
      // the other thread may have removed them already
      race.retrying(() -> shared.purge(PAST.plusMillis(1), 1000));
      assertThat(race.retrying(() -> shared.read(ids)).ledgers()).as("S2: purge").isEmpty();
    }
    return 0;
  }
}
