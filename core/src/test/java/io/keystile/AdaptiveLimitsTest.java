package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.store.KeyRecord.Adapted;
import io.keystile.usage.Risk;
import io.keystile.usage.Risk.Level;
import io.keystile.usage.UsageSummary;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdaptiveLimitsTest {
  private static final Instant START = Instant.parse("2026-03-02T12:00:00Z");
  private static final AdaptiveLimits USUAL = new AdaptiveLimits(10, 2);
  private static final Duration DAY = Duration.ofDays(1);

  private static Risk risk(Level level, double daily) {
    UsageSummary summary = new UsageSummary(daily, 28, 0, 0, 0, null, List.of(), null, null);
    return new Risk("0351fcs8Bym6tbejfDMyAJ", level, "told so", List.of(), START, summary);
  }

  private static Adapted adapted(Instant at, long perMinute) {
    return new Adapted(at, perMinute, "before");
  }

  @ParameterizedTest
  @CsvSource({
    // daily requests, plan, limit at high risk
    "14400, 300, 15", // normal 10 a minute
    "14399, 300, 14", // rounded down
    "1440000, 300, 300", // never above the plan
    "100, 300, 10", // the floor
    "0, 300, 10",
    "100, 5, 5", // the floor gives no more than the plan
    "100, 10, 10",
    "100, 0, 0",
    "28800, 1000000, 30",
  })
  void high_risk_leaves_one_and_a_half_times_what_is_normal(double daily, long plan, long limit) {
    Adapted next = USUAL.next(null, plan, risk(Level.HIGH, daily), START);
    if (limit == plan) {
      assertThat(next).isNull();
    } else {
      assertThat(next.perMinute()).isEqualTo(limit);
      assertThat(next.at()).isEqualTo(START);
      assertThat(next.why()).isEqualTo("HIGH risk, was " + plan + " a minute: told so");
    }
  }

  @Test
  void a_plan_that_does_not_limit_a_minute_gets_such_a_limit_while_risk_is_high() {
    Adapted tight = USUAL.next(null, null, risk(Level.HIGH, 14_400), START);
    assertThat(tight.perMinute()).isEqualTo(15);
    assertThat(tight.why()).isEqualTo("HIGH risk, was unlimited: told so");

    assertThat(USUAL.next(tight, null, risk(Level.HIGH, 14_400), START.plus(DAY))).isSameAs(tight);
    assertThat(USUAL.next(tight, null, risk(Level.LOW, 14_400), START.plus(DAY).minusMillis(1)))
        .isSameAs(tight);
    assertThat(USUAL.next(tight, null, risk(Level.LOW, 14_400), START.plus(DAY))).isNull();
    assertThat(USUAL.next(null, null, risk(Level.LOW, 14_400), START)).isNull();
  }

  @Test
  void high_risk_that_lasts_never_widens_a_limit() {
    Adapted tight = USUAL.next(null, 300L, risk(Level.HIGH, 14_400), START);
    assertThat(USUAL.next(tight, 300L, risk(Level.HIGH, 144_000), START.plus(DAY))).isSameAs(tight);
    assertThat(USUAL.next(tight, 300L, risk(Level.HIGH, 0), START.plus(DAY)).perMinute())
        .isEqualTo(10);
  }

  @Test
  void low_risk_adds_a_tenth_and_at_least_one_rounded_down() {
    int checked = 0;
    for (long limit = 0; limit < 200_000; limit++) {
      long grown =
          new BigDecimal(limit)
              .multiply(new BigDecimal("1.1"))
              .setScale(0, RoundingMode.FLOOR)
              .longValueExact();
      long expected = Math.max(limit + 1, grown);
      Adapted next =
          USUAL.next(adapted(START, limit), 200_000L, risk(Level.LOW, 0), START.plus(DAY));
      assertThat(next.perMinute()).isEqualTo(expected);
      checked++;
    }
    assertThat(checked).isEqualTo(200_000);
  }

  @Test
  void low_risk_widens_up_to_the_ceiling_a_step_a_day() {
    Instant now = START;
    Adapted limit = null;
    for (long expected : new long[] {110, 121, 133, 146, 160, 176, 193, 200}) {
      limit = USUAL.next(limit, 100L, risk(Level.LOW, 0), now);
      assertThat(limit.perMinute()).isEqualTo(expected);
      now = now.plus(DAY);
    }
    Adapted top = limit;
    assertThat(USUAL.next(top, 100L, risk(Level.LOW, 0), now)).isSameAs(top);
    Adapted confirmed =
        USUAL.next(top, 100L, risk(Level.LOW, 0), top.at().plus(Duration.ofDays(7)));
    assertThat(confirmed.perMinute()).isEqualTo(200);
    assertThat(confirmed.at()).isAfter(top.at());
    // the plan was made smaller
    assertThat(USUAL.next(top, 50L, risk(Level.LOW, 0), now).perMinute()).isEqualTo(100);
  }

  @Test
  void a_plan_that_became_smaller_takes_its_limit_along_at_once_whatever_the_risk() {
    Adapted wide = adapted(START, 600);
    Instant soon = START.plusSeconds(1);
    for (Level level : List.of(Level.LOW, Level.MEDIUM, Level.UNKNOWN)) {
      Adapted next = USUAL.next(wide, 100L, risk(level, 0), soon);
      assertThat(next.perMinute()).isEqualTo(200);
      assertThat(next.why()).isEqualTo("its plan became smaller, was 600 a minute");
      assertThat(USUAL.next(next, 100L, risk(level, 0), soon)).isSameAs(next);
    }
    assertThat(USUAL.next(wide, 100L, risk(Level.HIGH, 14_400), soon).perMinute()).isEqualTo(15);
    assertThat(USUAL.next(wide, 300L, risk(Level.MEDIUM, 0), soon)).isSameAs(wide);
  }

  @Test
  void medium_and_unknown_risk_change_nothing_but_what_is_old() {
    for (Level level : List.of(Level.MEDIUM, Level.UNKNOWN)) {
      Adapted tight = adapted(START, 10);
      Instant kept = START.plus(Duration.ofDays(30));
      assertThat(USUAL.next(null, 300L, risk(level, 0), START)).isNull();
      assertThat(USUAL.next(tight, 300L, risk(level, 0), START.plus(DAY))).isSameAs(tight);
      assertThat(USUAL.next(tight, 300L, risk(level, 0), kept.minusMillis(1))).isSameAs(tight);
      assertThat(USUAL.next(tight, 300L, risk(level, 0), kept)).isNull();
    }
  }

  /** What risk that goes up and down at random makes of a limit in 200 days. */
  private static int stepsUp(AdaptiveLimits limits, SplittableRandom random, boolean daily) {
    Adapted limit = null;
    long plan = 1 + random.nextLong(1_000);
    Instant lastChange = Instant.MIN;
    int tooSoon = 0;
    Instant now = START;
    for (int round = 0; round < 200 * 96; round++) {
      Level level = Level.values()[random.nextInt(4)];
      // the twin forgets when it was changed
      Adapted known =
          limit == null || daily ? limit : new Adapted(now.minus(DAY), limit.perMinute(), "?");
      Adapted next = limits.next(known, plan, risk(level, random.nextInt(1_000_000)), now);
      long before = limit == null ? plan : limit.perMinute();
      long after = next == null ? plan : next.perMinute();
      assertThat(after).isBetween(Math.min(plan, limits.floor()), 2 * plan);
      if (after > before) {
        assertThat(level).isNotEqualTo(Level.HIGH);
        tooSoon += limit != null && now.isBefore(lastChange.plus(DAY)) ? 1 : 0;
      }
      if (after != before) {
        lastChange = now;
      }
      limit = next;
      now = now.plus(Duration.ofMinutes(15));
    }
    return tooSoon;
  }

  @Test
  void however_risk_goes_up_and_down_a_limit_is_not_widened_twice_a_day() {
    SplittableRandom random = Seed.of("AdaptiveLimitsTest");
    int keys = 50;
    int tooSoon = 0;
    int ofTwin = 0;
    for (int key = 0; key < keys; key++) {
      tooSoon += stepsUp(USUAL, random.split(), true);
      ofTwin += stepsUp(USUAL, random.split(), false);
    }
    System.out.printf(
        "%d keys of 19,200 assessments: widened too soon %d times, if it is forgotten %d%n",
        keys, tooSoon, ofTwin);
    assertThat(tooSoon).isZero();
    assertThat(ofTwin).isPositive();
  }

  @Test
  void a_note_is_cut_between_characters() {
    String note = AdaptiveLimits.note("é".repeat(400) + "😀".repeat(400));
    assertThat(note.getBytes(StandardCharsets.UTF_8)).hasSize(500);
    assertThat(AdaptiveLimits.note("😀".repeat(200)).getBytes(StandardCharsets.UTF_8)).hasSize(500);
    assertThat(AdaptiveLimits.note("short")).isEqualTo("short");
  }

  @Test
  void options_are_refused_by_name() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().adaptingLimits(-1, 2))
        .withMessageStartingWith("floor");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().adaptingLimits(10, 0.9))
        .withMessageStartingWith("ceiling");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().adaptingLimits(10, Double.NaN))
        .withMessageStartingWith("ceiling");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().every(Duration.ofSeconds(59)))
        .withMessageStartingWith("interval");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().alertingFrom(Level.LOW))
        .withMessageStartingWith("level");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RiskPolicy.alerting().endingSecretsWithin(Duration.ofMillis(-1)))
        .withMessageStartingWith("grace");
  }
}
