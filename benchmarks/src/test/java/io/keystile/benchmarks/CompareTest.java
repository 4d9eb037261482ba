package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.benchmarks.Compare.Change;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CompareTest {
  private static final int RUNS = 2_000;

  private static Results run(long seed, double accepted, double machine) {
    return new RunOf(seed)
        .row(Results.FLOOR, 65 * machine)
        .row("ValidationBenchmark.accepted", accepted * machine)
        .row("ValidationBenchmark.malformed", 20 * machine)
        .results();
  }

  private static boolean slower(Results before, Results after) {
    return Compare.changes(before, after).stream().anyMatch(c -> c.isSlower(Compare.TOLERANCE));
  }

  @Test
  void noise_does_not_fool_it() {
    int alarms = 0;
    int lookedAtMedianAlone = 0;
    for (int i = 0; i < RUNS; i++) {
      Results before = run(2L * i, 140, 1);
      Results after = run(2L * i + 1, 140, 1);
      alarms += slower(before, after) ? 1 : 0;
      lookedAtMedianAlone +=
          Compare.changes(before, after).stream().anyMatch(c -> c.factor().median() > 1.25) ? 1 : 0;
    }

    System.out.printf(
        "%d runs of unchanged code: %d alarms, by the median alone %d%n",
        RUNS, alarms, lookedAtMedianAlone);
    assertThat(alarms).isLessThanOrEqualTo(RUNS / 100);
    assertThat(lookedAtMedianAlone).as("the noise is worth resisting").isGreaterThan(RUNS / 20);
  }

  @Test
  void a_real_slowdown_is_caught() {
    int caught = 0;
    for (int i = 0; i < RUNS; i++) {
      caught += slower(run(2L * i, 140, 1), run(2L * i + 1, 2 * 140, 1)) ? 1 : 0;
    }

    System.out.printf("%d runs of code that became twice as slow: %d caught%n", RUNS, caught);
    assertThat(caught).isGreaterThan(RUNS * 9 / 10);
  }

  @Test
  void a_slower_machine_is_no_slowdown() {
    Change change =
        Compare.changes(
                new Results(List.of(exact(Results.FLOOR, 65), exact("A.b", 130))),
                new Results(List.of(exact(Results.FLOOR, 130), exact("A.b", 260))))
            .get(0);

    assertThat(change.factor()).isEqualTo(new Figure(1, 1));
    assertThat(change.isSlower(0)).isFalse();
  }

  @Test
  void both_figures_must_be_worse() {
    Figure old = new Figure(2, 2);

    assertThat(new Change("a", old, new Figure(3, 3)).isSlower(0.25)).isTrue();
    assertThat(new Change("a", old, new Figure(2, 3)).isSlower(0.25)).isFalse();
    assertThat(new Change("a", old, new Figure(3, 2)).isSlower(0.25)).isFalse();
    assertThat(new Change("a", old, new Figure(1, 1)).isSlower(0.25)).isFalse();
  }

  @Test
  void rows_that_are_only_in_one_run_are_left_out() {
    Results before = new Results(List.of(exact(Results.FLOOR, 65), exact("A.old", 130)));
    Results after = new Results(List.of(exact(Results.FLOOR, 65), exact("A.new", 130)));

    assertThat(Compare.changes(before, after)).isEmpty();
  }

  @Test
  void the_table_names_what_became_slower() {
    Change slow = new Change("A.b", new Figure(2, 2.5), new Figure(4, 5));
    Change same = new Change("A.c", new Figure(2, 2.5), new Figure(2, 2.5));

    assertThat(Compare.table(List.of(slow, same), 0.25))
        .contains("| A.b | 2.00 / 2.50 | 4.00 / 5.00 | 2.00 / 2.00 | **slower** |")
        .contains("| A.c | 2.00 / 2.50 | 2.00 / 2.50 | 1.00 / 1.00 |  |");
  }

  private static Results.Row exact(String name, double nanos) {
    return new Results.Row(name, new TreeMap<>(), 1, new Figure(nanos, nanos), null);
  }
}
