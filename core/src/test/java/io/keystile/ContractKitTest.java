package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the contract kit on broken stores: it must say which rules each of them breaks. */
class ContractKitTest {
  @Test
  void a_store_without_a_mistake_passes_every_test_and_none_is_skipped() {
    for (KitRun run :
        List.of(
            KitRun.contract(PassThroughStore::new),
            KitRun.races(PassThroughStore::new),
            KitRun.transactions(HostStore::new))) {
      assertThat(run.failures()).isEmpty();
      assertThat(run.skipped()).isEmpty();
      assertThat(run.passed()).isGreaterThan(10);
    }
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        broken("g2", BrokenStores.TrimsNames::new),
        broken("g3", BrokenReads.FoldsCaseOfOwners::new),
        broken("g5", BrokenReads.ChecksNoArguments::new),
        broken("g5", BrokenReads.SaysTooMuch::new),
        broken("g6", BrokenStores.FailsHalfWay::new),
        broken("g7 i4", BrokenStores.ReadsTheClock::new),
        broken("i1", BrokenStores.InsertsOneByOne::new),
        broken("i2 a1", BrokenStores.UpdatesDuplicates::new),
        broken("i3 i1", BrokenStores.RepeatsInserts::new),
        broken("i6", BrokenReads.TellsOfTheFirstKeyOnly::new),
        broken("r3", BrokenStores.RepeatsReplacements::new),
        broken("r3", BrokenStores.AnswersConflictBeforeRepeated::new),
        broken("r5", BrokenStores.LosesLastUse::new),
        broken("u1", BrokenStores.KeepsTheLastMark::new),
        broken("u3", BrokenStores.KeepsMarksOfUnknownKeys::new),
        broken("q2", BrokenReads.PagesByOffset::new),
        broken("q3", BrokenReads.QueriesPerKey::new),
        broken("q4", BrokenReads.ShiftsABound::new),
        broken("q4", BrokenReads.AsksTheNewestVersion::new),
        broken("c2 p1", BrokenReads.TellsNobodyOfPurges::new),
        broken("c3", BrokenReads.GivesNumbersAgain::new),
        broken("a1 a3 g6 p1 p3", BrokenStores.LeavesOutEntriesOfPurges::new),
        broken("p1 a1", BrokenStores.PurgesAtAnyRevision::new),
        broken("p2", BrokenStores.PurgesWithoutLimit::new),
        broken("t1", BrokenStores.RunsActionsElsewhere::new));
  }

  static Stream<Arguments> brokenUnderRaces() {
    return Stream.of(
        broken("g4", BrokenReads.ReadsInTwoStatements::new),
        broken("i4", BrokenStores.CountsThenInserts::new),
        broken("i5", BrokenStores.ChecksThenInserts::new),
        broken("r4", BrokenStores.ChecksThenReplaces::new));
  }

  private static Arguments broken(String rules, Supplier<PassThroughStore> store) {
    return arguments(store.get().getClass().getSimpleName(), Set.of(rules.split(" ")), store);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @MethodSource("broken")
  void a_broken_store_fails_the_tests_of_the_rules_it_breaks_and_no_others(
      String name, Set<String> rules, Supplier<PassThroughStore> store) {
    assertCaught(name, KitRun.contract(store), rules);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @MethodSource("brokenUnderRaces")
  void a_store_that_is_broken_under_races_fails_the_races_of_the_rules_it_breaks_and_no_others(
      String name, Set<String> rules, Supplier<PassThroughStore> store) {
    assertThat(KitRun.contract(store).failedRules()).as("without a race").isSubsetOf("l2");
    assertCaught(name, KitRun.races(store), rules);
  }

  static Stream<Arguments> brokenInTransactions() {
    return Stream.of(
        brokenInTransactions("l1", BrokenHostStores.LoadJoins::new),
        brokenInTransactions("c4", BrokenHostStores.FeedJoins::new),
        brokenInTransactions("g8", BrokenHostStores.LastUseJoins::new),
        brokenInTransactions("g8", BrokenHostStores.AuditStaysOut::new),
        brokenInTransactions("t2", BrokenHostStores.RunsActionsAtOnce::new),
        brokenInTransactions("t2", BrokenHostStores.RunsActionsAfterRollback::new),
        brokenInTransactions("i2 i3 i4 r1 r3", BrokenHostStores.RefusalEndsTransaction::new));
  }

  private static Arguments brokenInTransactions(String rules, Supplier<HostStore> store) {
    return arguments(store.get().getClass().getSimpleName(), Set.of(rules.split(" ")), store);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @MethodSource("brokenInTransactions")
  void a_store_that_is_broken_in_transactions_fails_the_tests_of_the_rules_it_breaks(
      String name, Set<String> rules, Supplier<HostStore> store) {
    assertCaught(name, KitRun.transactions(store), rules);
  }

  private static void assertCaught(String name, KitRun run, Set<String> rules) {
    System.out.printf(
        "%s: %d tests passed, failed: %s%n", name, run.passed(), run.failures().keySet());
    assertThat(run.failedRules()).as("rules that the kit finds broken").isEqualTo(rules);
    assertThat(run.failures().values())
        .as("a failure names its rule in words")
        .allMatch(message -> rules.stream().anyMatch(rule -> namesRule(message, rule)));
  }

  private static boolean namesRule(String message, String rule) {
    return message.contains(rule.toUpperCase(Locale.ROOT));
  }
}
