package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The settings were chosen with the tuning seeds; the judging seeds were not looked at before, and
 * nothing may be changed because of what they show. {@code -Dkeystile.tune=true} runs the former.
 */
class RiskTableTest {
  private static final Path PAGE = Path.of("../docs/risk.md");
  private static final long[] TUNING = {1, 2};
  private static final long JUDGING = 1_001;

  /** More of the same in a campaign. */
  private static final int MORE = Integer.getInteger("keystile.rounds", 500) >= 10_000 ? 10 : 0;

  private static RiskTrial trial() {
    return new RiskTrial(RiskSettings.usual(), Measures.USUAL);
  }

  @Test
  void finds_nine_in_ten_of_misuse_and_suspects_one_key_in_a_hundred_a_month() throws Exception {
    if (Boolean.getBoolean("keystile.tune")) {
      for (long seed : TUNING) {
        print(trial().run(seed, 100, 6));
      }
      return;
    }
    RiskTrial trial = print(trial().run(JUDGING, 200, 5));

    holds(trial);
    assertThat(Files.readString(PAGE)).contains(trial.table());
  }

  @Test
  void holds_what_it_promises_with_other_seeds() {
    RiskTrial trial = trial();
    for (long seed = JUDGING + 1; seed <= JUDGING + MORE; seed++) {
      trial.run(seed, 200, 10);
    }
    if (MORE > 0) {
      holds(print(trial));
    }
  }

  private static void holds(RiskTrial trial) {
    assertThat(trial.recall()).isGreaterThanOrEqualTo(0.9);
    assertThat(trial.falseHighs()).isLessThanOrEqualTo(1);
  }

  private static RiskTrial print(RiskTrial trial) {
    System.out.println(trial.table());
    trial.falseHighs.forEach(System.out::println);
    return trial;
  }
}
