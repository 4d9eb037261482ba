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
            KitRun.contract(BrokenFilters.JudgesRightly::new),
            KitRun.races(PassThroughStore::new),
            KitRun.transactions(HostStore::new),
            KitRun.limits(PassThroughLimits::new),
            KitRun.usage(PassThroughUsage::new))) {
      assertThat(run.failures()).isEmpty();
      assertThat(run.skipped()).isEmpty();
      assertThat(run.passed()).isGreaterThan(10);
    }
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        broken("g2", BrokenStores.TrimsNames::new),
        broken("g2", BrokenStores.RoundsRules::new),
        broken("g2 r2 q4", BrokenStores.LeavesRulesAsTheyWere::new),
        broken("g2 r2", BrokenStores.LeavesLimitsAsTheyWere::new),
        broken("g2 r2", BrokenStores.LeavesAdaptedAsItWas::new),
        broken("g2", BrokenStores.CutsWhyLimitsWereAdapted::new),
        broken("g2", BrokenStores.SortsLimits::new),
        broken("g2", BrokenStores.RoundsAmounts::new),
        broken("g2", BrokenStores.CutsLongWindows::new),
        broken("g2 a1", BrokenStores.LosesSecretVersions::new),
        broken("g3", BrokenFilters.FoldsCaseOfOwners::new),
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
        broken("c2 p1", BrokenReads.TellsNobodyOfPurges::new),
        broken("c3", BrokenReads.GivesNumbersAgain::new),
        broken("a1 a3 g6 p1 p3", BrokenStores.LeavesOutEntriesOfPurges::new),
        broken("p1 a1", BrokenStores.PurgesAtAnyRevision::new),
        broken("p2", BrokenStores.PurgesWithoutLimit::new),
        broken("t1", BrokenStores.RunsActionsElsewhere::new));
  }

  /** All of them break the same rule, each in another condition. */
  static Stream<Arguments> brokenFilters() {
    return Stream.of(
        broken("q4", BrokenFilters.ShiftsABound::new),
        broken("q4", BrokenFilters.AsksTheNewestVersion::new),
        broken("q4", BrokenFilters.IgnoresDue::new),
        broken("q4", BrokenFilters.ForgetsOwnRules::new),
        broken("q4", BrokenFilters.ForgetsRulesWithoutAge::new),
        broken("q4", BrokenFilters.ShiftsTheEnd::new),
        broken("q4", BrokenFilters.ShiftsTheAge::new),
        broken("q4", BrokenFilters.AsksWhenTheKeyEnds::new),
        broken("q4", BrokenFilters.AsksForAnyOldSecret::new),
        broken("q4", BrokenFilters.WantsEndAndAge::new),
        broken("q4", BrokenFilters.IgnoresOlder::new),
        broken("q4", BrokenFilters.ShiftsTheOlderEnd::new),
        broken("q4", BrokenFilters.TakesNoOlderSecretForEndless::new),
        broken("q4", BrokenFilters.ForgetsTheFixedEnd::new),
        broken("q4", BrokenFilters.AsksTheLastButOne::new),
        broken("q4", BrokenFilters.DerivesOnce::new));
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
  @MethodSource({"broken", "brokenFilters"})
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

  static Stream<Arguments> brokenLimits() {
    return Stream.of(
        brokenLimits("s1", BrokenLimits.TrimsText::new),
        brokenLimits("s1 s10", BrokenLimits.RoundsTimes::new),
        brokenLimits("s1 s2 s4 s10", BrokenLimits.LeavesTimesAsTheyWere::new),
        brokenLimits("s1", BrokenLimits.FoldsCaseOfIds::new),
        brokenLimits("s2", BrokenLimits.JoinsTheHost::new),
        brokenLimits("s3", BrokenLimits.ChecksNoArguments::new),
        brokenLimits("s3", BrokenLimits.SaysTooMuch::new),
        brokenLimits("s1 s2 s4 s5 s6 s9", BrokenLimits.ReadsThroughAnOldSnapshot::new),
        brokenLimits("s4", BrokenLimits.ReadsInTwoStatements::new),
        brokenLimits("s4", BrokenLimits.ReturnsOnePerQuestion::new),
        brokenLimits("s5", BrokenLimits.AsksEachNodeForTheTime::new),
        brokenLimits("s5", BrokenLimits.TellsWhenItBegan::new),
        brokenLimits("s5", BrokenLimits.ReadsTheClockLast::new),
        brokenLimits("s6 s7 s8 s10 s11", BrokenLimits.IgnoresRevisions::new),
        brokenLimits("s6 s7 s8", BrokenLimits.UpdatesDuplicates::new),
        brokenLimits("s6 s7", BrokenLimits.LetsRevisionsJump::new),
        brokenLimits("s7", BrokenLimits.AllOrNothing::new),
        brokenLimits("s7", BrokenLimits.EndsAtTheFirstRefusal::new),
        brokenLimits("s6 s7 s8 s10 s11", BrokenLimits.ReportsAllAsWritten::new),
        brokenLimits("s8 s10", BrokenLimits.ChecksThenWrites::new),
        brokenLimits("s9", BrokenLimits.FailsHalfWay::new),
        brokenLimits("s10", BrokenLimits.PurgesTooMuch::new),
        brokenLimits("s10", BrokenLimits.LooksThenPurges::new),
        brokenLimits("s10", BrokenLimits.PurgesWithoutLimit::new),
        brokenLimits("s11", BrokenLimits.RefusesWhatWasRemoved::new));
  }

  private static Arguments brokenLimits(String rules, Supplier<PassThroughLimits> limits) {
    return arguments(limits.get().getClass().getSimpleName(), Set.of(rules.split(" ")), limits);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @MethodSource("brokenLimits")
  void a_store_that_breaks_shared_limits_fails_the_tests_of_the_rules_it_breaks_and_no_others(
      String name, Set<String> rules, Supplier<PassThroughLimits> limits) {
    assertCaught(name, KitRun.limits(limits), rules);
  }

  static Stream<Arguments> brokenUsage() {
    return Stream.of(
        brokenUsage("b1 b8", BrokenUsage.ForgetsThePlan::new),
        brokenUsage("b1 b8", BrokenUsage.FoldsCaseOfLabels::new),
        brokenUsage("b1 b8", BrokenUsage.TrimsLabels::new),
        brokenUsage("b1", BrokenUsage.RoundsAmounts::new),
        brokenUsage("b2", BrokenUsage.JoinsTheHost::new),
        brokenUsage("b3", BrokenUsage.ChecksNoArguments::new),
        brokenUsage("b3", BrokenUsage.SaysTooMuch::new),
        brokenUsage("b4", BrokenUsage.AddsHalfABatch::new),
        brokenUsage("b4", BrokenUsage.RemembersTheIdFirst::new),
        brokenUsage("b2 b4 b5 b10", BrokenUsage.AddsAgain::new),
        brokenUsage("b2 b5", BrokenUsage.RemembersTheLastIdOnly::new),
        brokenUsage("b5", BrokenUsage.ForgetsEmptyBatches::new),
        brokenUsage("b5", BrokenUsage.LooksThenAdds::new),
        brokenUsage("b6", BrokenUsage.KeepsTheLastMaximum::new),
        brokenUsage("b6", BrokenUsage.AddsMaxima::new),
        brokenUsage("b6 b10", BrokenUsage.ReadsThenWrites::new),
        brokenUsage("b7", BrokenUsage.ReplacesTheOwner::new),
        brokenUsage("b8", BrokenUsage.PagesByOffset::new),
        brokenUsage("b8", BrokenUsage.TakesTheEndForAPart::new),
        brokenUsage("b8", BrokenUsage.SortsWithoutCase::new),
        brokenUsage("b9", BrokenUsage.ReadsInTwoStatements::new),
        brokenUsage("b10", BrokenUsage.PurgesTooMuch::new),
        brokenUsage("b10", BrokenUsage.PurgesWithoutLimit::new),
        brokenUsage("b10", BrokenUsage.PurgesDaysAsHours::new));
  }

  private static Arguments brokenUsage(String rules, Supplier<PassThroughUsage> usage) {
    return arguments(usage.get().getClass().getSimpleName(), Set.of(rules.split(" ")), usage);
  }

  @ParameterizedTest(name = "{0} breaks {1}")
  @MethodSource("brokenUsage")
  void a_store_that_breaks_usage_fails_the_tests_of_the_rules_it_breaks_and_no_others(
      String name, Set<String> rules, Supplier<PassThroughUsage> usage) {
    assertCaught(name, KitRun.usage(usage), rules);
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
