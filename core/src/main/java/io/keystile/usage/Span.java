package io.keystile.usage;

import io.keystile.store.UsageStore.Period;
import java.time.Duration;
import java.time.Instant;

/**
 * Which part of a history is judged, and by which: the last 24 hours, of which the last one is
 * going on, by the whole days before them. So what is judged is in no baseline, and a baseline
 * stays the same for a day.
 *
 * @param now the time of the judgement
 * @param recent the start of the hour with which the last 24 begin
 * @param end where the baseline ends, the start of a day in UTC
 */
record Span(Instant now, Instant recent, Instant end) {
  static final int HOURS_A_DAY = 24;
  static final int HOURS_A_WEEK = 168;

  /** How much of the past is in a baseline: four of each hour of the week. */
  static final Duration BASELINE = Duration.ofDays(28);

  static Span at(Instant now) {
    Instant recent = hour(now).minus(Duration.ofHours(HOURS_A_DAY - 1));
    return new Span(now, recent, day(recent));
  }

  static Instant hour(Instant time) {
    return Period.HOUR.startOf(time);
  }

  static Instant day(Instant time) {
    return Period.DAY.startOf(time);
  }

  static int hours(Instant from, Instant to) {
    return (int) ((to.getEpochSecond() - from.getEpochSecond()) / 3_600);
  }

  /** How much of the hour is over. */
  double shareOfHour() {
    return Math.max(1, Duration.between(hour(now), now).toMillis()) / 3_600_000.0;
  }
}
