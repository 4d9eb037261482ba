package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two threads race each conditional write: exactly one must win each time. */
abstract class RaceRules extends Rules {
  private static final int BATCH = 100;

  final Race race = new Race();

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

  static Function<KeyStore, WriteOutcome> insertion(KeyWrite write, int maximum) {
    return store -> store.insert(List.of(write), maximum);
  }

  static Function<KeyStore, WriteOutcome> replacement(KeyWrite write) {
    return store -> store.replace(write);
  }

  private void fight(String rule, IntFunction<Duel> duels) {
    int won = 0;
    int firstWins = 0;
    for (int round = 0; round < Race.ROUNDS; round++) {
      Duel duel = duels.apply(round);
      Callable<WriteOutcome> one = () -> duel.one().apply(store);
      Callable<WriteOutcome> two = () -> duel.two().apply(other);
      // Threads are not woken alike: each of the two is the luckier one in turn
      List<WriteOutcome> outcomes = round % 2 == 0 ? race.run(one, two) : race.run(two, one);
      assertThat(outcomes.stream().map(WriteOutcome::kind))
          .as("%s: exactly one must win in round %d", rule, round)
          .containsExactlyInAnyOrder(WriteOutcome.Kind.APPLIED, duel.loser());
      duel.check().run();
      won++;
      boolean inOrder = outcomes.get(0).kind() == WriteOutcome.Kind.APPLIED;
      if (inOrder == (round % 2 == 0)) {
        firstWins++;
      }
    }
    assertThat(won).as("%s: rounds with exactly one winner", rule).isEqualTo(Race.ROUNDS);
    report(rule, won + " rounds, one winner each, " + firstWins + " times the first");
  }

  final void report(String rule, String result) {
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
  static Function<KeyStore, WriteOutcome> removal(KeyWrite write) {
    return store ->
        store.purge(new Purge(List.of(write), null, null, 1)).keys() == 1
            ? WriteOutcome.APPLIED
            : WriteOutcome.CONFLICT;
  }
}
