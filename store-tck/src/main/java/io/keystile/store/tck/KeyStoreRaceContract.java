package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The rules of {@link KeyStore} about concurrency as tests: two threads race each conditional
 * write, and exactly one must win each time; readers read while others write.
 *
 * <p>Each race is run 500 times, or as often as the system property {@code keystile.rounds} says,
 * and prints its count. A race that is run longer finds more: run 10,000 rounds before a release.
 */
public abstract class KeyStoreRaceContract extends Rules {
  private static final int BATCH = 100;

  private final Race race = new Race();

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

  @AfterEach
  final void endRace() {
    race.close();
  }

  /** Two writes of which one must win and the other be told why it lost. */
  private record Duel(
      Function<KeyStore, WriteOutcome> one,
      Function<KeyStore, WriteOutcome> two,
      WriteOutcome.Kind loser,
      Runnable check) {}

  private static Function<KeyStore, WriteOutcome> insertion(KeyWrite write, int maximum) {
    return store -> store.insert(List.of(write), maximum);
  }

  private static Function<KeyStore, WriteOutcome> replacement(KeyWrite write) {
    return store -> store.replace(write);
  }

  private void fight(String rule, IntFunction<Duel> duels) {
    int firstWins = 0;
    int won = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      Duel duel = duels.apply(round);
      List<WriteOutcome> outcomes =
          race.run(() -> duel.one().apply(store), () -> duel.two().apply(other));
      assertThat(outcomes.stream().map(WriteOutcome::kind))
          .as("%s: exactly one must win in round %d", rule, round)
          .containsExactlyInAnyOrder(WriteOutcome.Kind.APPLIED, duel.loser());
      duel.check().run();
      won++;
      if (outcomes.get(0).kind() == WriteOutcome.Kind.APPLIED) {
        firstWins++;
      }
    }
    assertThat(won).as("%s: rounds with exactly one winner", rule).isEqualTo(Race.ROUNDS);
    report(rule, won + " rounds with one winner each, " + firstWins + " of them the first thread");
  }

  private void report(String rule, String result) {
    System.out.printf(
        "%s, %s: %s, %d retries%n", getClass().getSimpleName(), rule, result, race.retries());
  }

  /** As many stored keys of one owner as there are rounds. */
  private List<KeyRecord> givenKeys(String owner) {
    List<KeyRecord> all = new ArrayList<>();
    while (all.size() < Race.ROUNDS) {
      List<KeyRecord> batch = new ArrayList<>();
      while (batch.size() < BATCH && all.size() + batch.size() < Race.ROUNDS) {
        batch.add(sample.record(owner).build());
      }
      given(batch);
      all.addAll(batch);
    }
    return all;
  }

  private static void pass() {}

  @Test
  void i5_of_two_inserts_of_one_key_id_exactly_one_is_applied() {
    fight(
        "I5, one key id",
        round -> {
          KeyRecord one = sample.full(sample.id(), sample.name("owner"));
          KeyRecord two = sample.record().id(one.id()).build();
          return new Duel(
              insertion(sample.write(one), NO_MAXIMUM),
              insertion(sample.write(two), NO_MAXIMUM),
              WriteOutcome.Kind.DUPLICATE,
              () -> {
                assertThat(other.load(one.id()))
                    .as("I5: the winner's record must be stored, whole")
                    .isIn(Optional.of(one), Optional.of(two));
                assertThat(trailOfKey(one.id()))
                    .as("I5: only the winner may have an entry")
                    .hasSize(1);
              });
        });
  }

  @Test
  void i5_of_two_inserts_with_one_operation_id_exactly_one_is_applied() {
    fight(
        "I5, one operation id",
        round -> {
          String operationId = sample.name("op");
          KeyRecord one = sample.record().build();
          KeyRecord two = sample.record().build();
          return new Duel(
              insertion(sample.write(one, operationId), NO_MAXIMUM),
              insertion(sample.write(two, operationId), NO_MAXIMUM),
              WriteOutcome.Kind.REPEATED,
              () ->
                  assertThat(other.load(one.id()).isPresent())
                      .as("I5: only one of the two keys may be stored")
                      .isNotEqualTo(other.load(two.id()).isPresent()));
        });
  }

  @Test
  void i5_of_the_same_insert_twice_exactly_one_is_applied() {
    fight(
        "I5, the same insert",
        round -> {
          KeyWrite write = sample.write(sample.record().build());
          return new Duel(
              insertion(write, 5), insertion(write, 5), WriteOutcome.Kind.REPEATED, () -> pass());
        });
  }

  @Test
  void i4_the_maximum_of_an_owner_holds_when_two_insert_at_once() {
    String[] owner = new String[1];
    fight(
        "I4, the last place of an owner",
        round -> {
          int maximum = 1 + round % 2;
          if (maximum == 1) {
            owner[0] = sample.name("owner");
          }
          KeyRecord one = sample.record(owner[0]).build();
          KeyRecord two = sample.record(owner[0]).build();
          return new Duel(
              insertion(sample.write(one), maximum),
              insertion(sample.write(two), maximum),
              WriteOutcome.Kind.OWNER_FULL,
              () ->
                  assertThat(listed(ofOwner(owner[0])))
                      .as("I4: the owner may not have more keys than the maximum")
                      .hasSize(maximum));
        });
  }

  @Test
  void r4_of_two_replacements_of_one_revision_exactly_one_is_applied() {
    String owner = sample.name("owner");
    List<KeyRecord> keys = givenKeys(owner);
    Feed feed = new Feed(other);
    fight(
        "R4, one revision",
        round -> {
          KeyRecord key = keys.get(round);
          KeyRecord one = sample.full(key.id(), owner).toBuilder().revision(2).build();
          KeyRecord two = sample.next(key);
          return new Duel(
              replacement(sample.write(one)),
              replacement(sample.write(two)),
              WriteOutcome.Kind.CONFLICT,
              () ->
                  assertThat(other.load(key.id()))
                      .as("R4: the winner's record must be stored, whole")
                      .isIn(Optional.of(one), Optional.of(two)));
        });
    assertThat(feed.poll())
        .as("R4: each replacement that was applied must have one notice, the others none")
        .isEqualTo(keys.stream().map(KeyRecord::id).toList());
    assertThat(keys)
        .as("R4: each replacement that was applied must have one entry, the others none")
        .allMatch(key -> trailOfKey(key.id()).size() == 2);
  }

  @Test
  void r3_of_two_replacements_with_one_operation_id_one_is_applied_and_one_repeated() {
    String owner = sample.name("owner");
    List<KeyRecord> keys = givenKeys(owner);
    fight(
        "R3, one operation id for one key",
        round -> {
          KeyWrite write = sample.write(sample.next(keys.get(round)));
          return new Duel(
              replacement(write), replacement(write), WriteOutcome.Kind.REPEATED, () -> pass());
        });
  }

  @Test
  void r3_of_two_keys_replaced_with_one_operation_id_one_is_applied_and_one_repeated() {
    List<KeyRecord> ones = givenKeys(sample.name("owner"));
    List<KeyRecord> twos = givenKeys(sample.name("owner"));
    fight(
        "R3, one operation id for two keys",
        round -> {
          String operationId = sample.name("op");
          return new Duel(
              replacement(sample.write(sample.next(ones.get(round)), operationId)),
              replacement(sample.write(sample.next(twos.get(round)), operationId)),
              WriteOutcome.Kind.REPEATED,
              () -> pass());
        });
  }

  @Test
  void p1_of_a_replacement_and_a_purge_of_one_revision_exactly_one_is_applied() {
    List<KeyRecord> keys = givenKeys(sample.name("owner"));
    fight(
        "P1, replace and purge",
        round -> {
          KeyRecord key = keys.get(round);
          KeyRecord next = sample.next(key);
          KeyWrite removal = sample.write(key);
          return new Duel(
              replacement(sample.write(next)),
              removal(removal),
              WriteOutcome.Kind.CONFLICT,
              () -> {
                boolean removed = !trailOfOperation(removal.entry().operationId()).isEmpty();
                assertThat(other.load(key.id()))
                    .as("P1: what the winner left must be stored")
                    .isEqualTo(removed ? Optional.empty() : Optional.of(next));
              });
        });
  }

  @Test
  void p3_of_two_purges_of_one_key_exactly_one_counts_it() {
    List<KeyRecord> keys = givenKeys(sample.name("owner"));
    fight(
        "P3, two purges",
        round -> {
          KeyRecord key = keys.get(round);
          return new Duel(
              removal(sample.write(key)),
              removal(sample.write(key)),
              WriteOutcome.Kind.CONFLICT,
              () ->
                  assertThat(trailOfKey(key.id()))
                      .as("P3: a removal must have one entry")
                      .hasSize(2));
        });
  }

  /** A purge of one key, as if it were a conditional write like the others. */
  private static Function<KeyStore, WriteOutcome> removal(KeyWrite write) {
    return store ->
        store.purge(new Purge(List.of(write), null, null, 1)).keys() == 1
            ? WriteOutcome.APPLIED
            : WriteOutcome.CONFLICT;
  }

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

  /** A writer flips a key between two records that share nothing; odd revisions are full. */
  private void assertNeverTorn(String rule, Function<String, KeyRecord> read) {
    KeyRecord full =
        given(sample.full(sample.id(), sample.name("owner")).toBuilder().prefix("acme", "live"));
    KeyRecord plain = sample.record(full.owner()).id(full.id()).build();
    AtomicBoolean done = new AtomicBoolean();
    Callable<Integer> writer =
        () -> {
          try {
            for (long revision = 2; revision <= Race.ROUNDS; revision++) {
              KeyWrite write = sample.write(at(revision, plain, full));
              assertThat(race.retrying(() -> store.replace(write))).isEqualTo(WriteOutcome.APPLIED);
            }
          } finally {
            done.set(true);
          }
          return Race.ROUNDS;
        };
    Callable<Integer> reader =
        () -> {
          int reads = 0;
          while (!done.get() || reads == 0) {
            KeyRecord found = read.apply(full.id());
            assertThat(found)
                .as("%s: read %d must be one record, whole", rule, reads)
                .isEqualTo(at(found.revision(), plain, full));
            reads++;
          }
          return reads;
        };
    List<Integer> counts = race.run(writer, reader);
    report(rule, counts.get(0) + " revisions, " + counts.get(1) + " reads, 0 torn");
  }

  private static KeyRecord at(long revision, KeyRecord even, KeyRecord odd) {
    return (revision % 2 == 0 ? even : odd).toBuilder().revision(revision).build();
  }

  @Test
  void u1_marks_from_two_nodes_out_of_order_leave_the_newest_times() {
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      records.add(sample.record().versions(List.of(Sample.version(1), Sample.version(2))).build());
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
    return new UseMark(record.id(), version, all.lastUsed(), all.lastSeen());
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
