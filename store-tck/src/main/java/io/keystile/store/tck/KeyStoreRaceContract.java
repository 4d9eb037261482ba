package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * The rules of {@link KeyStore} about concurrency as tests: two threads race each conditional
 * write, and exactly one must win each time; readers read while others write.
 *
 * <p>Each race is run 500 times, or as often as the system property {@code keystile.rounds} says,
 * and prints its count. A race that is run longer finds more: run 10,000 rounds before a release.
 */
public abstract class KeyStoreRaceContract extends RaceRules {
  /** For subclasses. */
  protected KeyStoreRaceContract() {}

  /**
   * Returns the store under test. Called twice before each test: each of the two threads has one.
   * The two are two nodes on the same data; a store that lives in one process may return the same
   * object twice.
   *
   * @return a store
   */
  @Override
  protected abstract KeyStore store();

  @Test
  void g4_load_never_returns_parts_of_two_writes() {
    assertNeverTorn("G4, load", id -> other.load(id).orElseThrow());
  }

  @Test
  void f2_find_never_returns_parts_of_two_writes() {
    assertNeverTorn("F2, find", id -> other.find(id).orElseThrow().record());
  }

  @Test
  void g4_list_never_returns_parts_of_two_writes() {
    KeyFilter mine = KeyFilter.builder().brand("acme").build();
    assertNeverTorn("G4, list", id -> other.list(mine, sample.beforeAll(), 1).get(0).record());
  }

  /**
   * A writer flips a key between two records that share nothing; odd revisions are full. Neither
   * side stops before the other has done its part, so that a fast store is read while it is
   * written.
   */
  private void assertNeverTorn(String rule, Function<String, KeyRecord> read) {
    KeyRecord full =
        given(sample.full(sample.id(), sample.name("owner")).toBuilder().prefix("acme", "live"));
    KeyRecord plain = sample.record(full.owner()).id(full.id()).build();
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger reads = new AtomicInteger();
    Callable<Long> writer =
        () -> {
          long revision = 1;
          try {
            while (!done.get() && (revision < Race.ROUNDS || reads.get() < Race.ROUNDS / 5)) {
              KeyWrite write = sample.write(at(++revision, plain, full));
              assertThat(race.retrying(() -> store.replace(write))).isEqualTo(WriteOutcome.APPLIED);
            }
          } finally {
            done.set(true);
          }
          return revision;
        };
    Callable<Long> reader =
        () -> {
          try {
            while (!done.get()) {
              KeyRecord found = read.apply(full.id());
              assertThat(found)
                  .as("%s: read %d must be one record, whole", rule, reads.incrementAndGet())
                  .isEqualTo(at(found.revision(), plain, full));
            }
          } finally {
            done.set(true);
          }
          return reads.longValue();
        };
    List<Long> counts = race.run(writer, reader);
    report(rule, counts.get(0) + " revisions, " + counts.get(1) + " reads, 0 torn");
  }

  private static KeyRecord at(long revision, KeyRecord even, KeyRecord odd) {
    return (revision % 2 == 0 ? even : odd).toBuilder().revision(revision).build();
  }

  @Test
  void u1_marks_from_two_nodes_out_of_order_leave_the_newest_times() {
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      records.add(sample.record().versions(Sample.rotated()).build());
    }
    given(records);
    List<List<UseMark>> batches = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(Texts.SEED);
    for (int round = 0; round < Race.ROUNDS; round++) {
      List<UseMark> batch = new ArrayList<>();
      for (KeyRecord record : records) {
        for (int version = 1; version <= 2; version++) {
          long seen = random.nextInt(1_000_000);
          Instant used = random.nextInt(3) == 0 ? null : time(random.nextLong(seen + 1));
          batch.add(new UseMark(record.id(), version, used, time(seen)));
        }
      }
      // Two nodes that lock rows in opposite orders get into each other's way
      if (round % 2 == 1) {
        Collections.reverse(batch);
      }
      batches.add(batch);
    }

    race.run(() -> recordAll(store, batches, 0), () -> recordAll(other, batches, 1));

    List<StoredKey> expected = new ArrayList<>();
    for (KeyRecord record : records) {
      expected.add(
          new StoredKey(record, List.of(newest(batches, record, 1), newest(batches, record, 2))));
    }
    assertThat(other.list(KeyFilter.all(), sample.beforeAll(), records.size()))
        .as("U1: each time of each version must be the newest that was marked by any node")
        .isEqualTo(expected);
    report("U1, marks", Race.ROUNDS + " batches of " + batches.get(0).size());
  }

  private static Instant time(long millis) {
    return Sample.NOW.plusMillis(millis);
  }

  private int recordAll(KeyStore node, List<List<UseMark>> batches, int from) throws Exception {
    for (int i = from; i < batches.size(); i += 2) {
      List<UseMark> batch = batches.get(i);
      race.retrying(
          () -> {
            node.recordUse(batch);
            return batch;
          });
    }
    return batches.size();
  }

  private static UseMark newest(List<List<UseMark>> batches, KeyRecord record, int version) {
    List<UseMark> marks =
        batches.stream()
            .flatMap(List::stream)
            .filter(mark -> mark.keyId().equals(record.id()) && mark.version() == version)
            .toList();
    StoredKey all = new StoredKey(record, marks);
    return new UseMark(
        record.id(), version, all.lastUsed(), Objects.requireNonNull(all.lastSeen()));
  }

  @Test
  void q2_keys_that_exist_throughout_are_seen_once_while_others_come_and_go() {
    String owner = sample.name("owner");
    List<KeyRecord> coming = new ArrayList<>();
    List<KeyRecord> staying = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      coming.add(sample.record(owner).build());
      staying.add(sample.record(owner).build());
    }
    given(staying);
    List<String> expected = staying.stream().map(KeyRecord::id).toList();
    AtomicBoolean done = new AtomicBoolean();
    Callable<Integer> writer =
        () -> {
          try {
            for (int round = 0; round < Race.ROUNDS; round++) {
              KeyRecord record = coming.get(round % coming.size());
              KeyWrite insert = sample.write(record);
              KeyWrite removal = sample.write(record);
              race.retrying(() -> insertion(insert, NO_MAXIMUM).apply(store));
              race.retrying(() -> removal(removal).apply(store));
            }
          } finally {
            done.set(true);
          }
          return Race.ROUNDS;
        };
    Callable<Integer> reader =
        () -> {
          int passes = 0;
          while (!done.get() || passes == 0) {
            assertThat(
                    listed(ofOwner(owner), 7).stream()
                        .map(key -> key.record().id())
                        .filter(expected::contains))
                .as("Q2: each key that exists throughout must be seen exactly once")
                .isEqualTo(expected);
            passes++;
          }
          return passes;
        };
    List<Integer> counts = race.run(writer, reader);
    report("Q2, pages", counts.get(0) + " keys came and went, " + counts.get(1) + " whole lists");
  }

  @Test
  void c3_every_notice_of_two_nodes_reaches_a_poller_that_keeps_gaps_exactly_once() {
    List<KeyRecord> records = sample.records(Race.ROUNDS);
    Feed feed = new Feed(other);
    AtomicBoolean done = new AtomicBoolean();
    List<String> seen = new ArrayList<>();

    race.run(
        () -> {
          try (Race writers = new Race()) {
            writers.run(() -> insertAll(store, records, 0), () -> insertAll(other, records, 1));
          } finally {
            done.set(true);
          }
          return 0;
        },
        () -> {
          while (!done.get()) {
            seen.addAll(feed.poll());
          }
          return 0;
        });
    seen.addAll(feed.poll());

    assertThat(seen)
        .as("C3: a change that becomes visible late must have a number in a gap or above")
        .containsExactlyInAnyOrderElementsOf(records.stream().map(KeyRecord::id).toList());
    report("C3, notices", seen.size() + " notices, each seen once");
  }

  private int insertAll(KeyStore node, List<KeyRecord> records, int from) throws Exception {
    for (int i = from; i < records.size(); i += 2) {
      KeyWrite write = sample.write(records.get(i));
      assertThat(race.retrying(() -> insertion(write, NO_MAXIMUM).apply(node)))
          .isEqualTo(WriteOutcome.APPLIED);
    }
    return records.size();
  }

  @Test
  void g1_two_threads_may_use_one_store_without_disturbing_each_other() {
    race.run(() -> liveALife(store), () -> liveALife(store));
    report("G1, one store", 2 * Race.ROUNDS / 10 + " lives of a key");
  }

  private int liveALife(KeyStore shared) throws Exception {
    for (int round = 0; round < Race.ROUNDS / 10; round++) {
      KeyRecord first = sample.full(sample.id(), sample.name("owner"));
      KeyRecord second = sample.next(first);
      UseMark mark = new UseMark(first.id(), 2, Sample.NOW, Sample.NOW);
      KeyWrite insert = sample.write(first);
      KeyWrite replace = sample.write(second);
      KeyWrite remove = sample.write(second);
      race.retrying(() -> insertion(insert, 1).apply(shared));
      race.retrying(() -> replacement(replace).apply(shared));
      race.retrying(() -> recordAll(shared, List.of(List.of(mark)), 0));
      assertThat(shared.load(first.id())).as("G1: load").contains(second);
      assertThat(shared.list(ofOwner(first.owner()), null, 10))
          .as("G1: list")
          .containsExactly(new StoredKey(second, List.of(mark)));
      race.retrying(() -> removal(remove).apply(shared));
      assertThat(shared.find(first.id())).as("G1: find").isEmpty();
      assertThat(withoutNumbers(trail(first.owner())))
          .as("G1: audit")
          .containsExactly(insert.entry(), replace.entry(), remove.entry());
    }
    return Race.ROUNDS;
  }
}
