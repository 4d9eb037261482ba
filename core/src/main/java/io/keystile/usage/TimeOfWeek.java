package io.keystile.usage;

import java.time.Instant;
import java.util.Arrays;

/**
 * Requests by hour, and what is usual for an hour.
 *
 * <p>An hour is compared with the same hour of other weeks, if there are three; else with that hour
 * of other weekdays or weekend days, if there are five; else of all days; else with all hours in
 * which the key was used. Of the hour and its two neighbours the greatest is usual: work begins
 * late, a batch takes longer, and clocks change in spring.
 */
final class TimeOfWeek {
  static final int WEEKS_WANTED = 3;
  private static final int DAYS_WANTED = 5;

  /** The first day of 1970, counted from Monday. */
  private static final int THURSDAY = 3;

  private static final int SATURDAY = 5;

  private final Measures measures;
  private final double[] amounts;
  private final long firstHour;
  private final double anyHour;

  /** How often each hour of the week was there, and how often it was used. */
  private final int[] weeks = new int[Span.HOURS_A_WEEK];

  private final int[] weeksUsed = new int[Span.HOURS_A_WEEK];

  TimeOfWeek(double[] amounts, Instant from, Measures measures) {
    this.amounts = amounts;
    this.measures = measures;
    firstHour = from.getEpochSecond() / 3_600;
    anyHour = measures.middle(Arrays.stream(amounts).filter(n -> n > 0).toArray());
    for (int i = 0; i < amounts.length; i++) {
      weeks[i % Span.HOURS_A_WEEK]++;
      weeksUsed[i % Span.HOURS_A_WEEK] += isUsed(i) ? 1 : 0;
    }
  }

  double at(int i) {
    return amounts[i];
  }

  boolean isUsed(int i) {
    return amounts[i] > 0;
  }

  /** What is usual for an hour, which may be after those that are known. */
  double usual(int i) {
    if (!measures.knowsTimeOfWeek()) {
      return anyHour;
    }
    double usual = 0;
    for (int neighbour = i - 1; neighbour <= i + 1; neighbour++) {
      double[] values = comparable(neighbour);
      usual = Math.max(usual, values.length == 0 ? anyHour : measures.middle(values));
    }
    return usual;
  }

  /** Whether the key is silent at this time, and an hour before and after it, but for once. */
  boolean isOdd(int i) {
    if (!measures.knowsTimeOfWeek()) {
      return false;
    }
    int hours = 0;
    int active = 0;
    for (int neighbour = i - 1; neighbour <= i + 1; neighbour++) {
      int slot = Math.floorMod(neighbour, Span.HOURS_A_WEEK);
      boolean itself = neighbour >= 0 && neighbour < amounts.length;
      int others = weeks[slot] - (itself ? 1 : 0);
      if (others >= WEEKS_WANTED) {
        hours += others;
        active += weeksUsed[slot] - (itself && isUsed(neighbour) ? 1 : 0);
      } else {
        for (double amount : comparable(neighbour)) {
          hours++;
          active += amount > 0 ? 1 : 0;
        }
      }
    }
    return hours >= 3 * WEEKS_WANTED && active <= 1;
  }

  /** The hours that an hour is compared with, itself left out; may be none. */
  private double[] comparable(int i) {
    double[] sameOfWeek = every(Span.HOURS_A_WEEK, i, false);
    if (sameOfWeek.length >= WEEKS_WANTED) {
      return sameOfWeek;
    }
    double[] sameOfDay = every(Span.HOURS_A_DAY, i, true);
    if (sameOfDay.length >= DAYS_WANTED) {
      return sameOfDay;
    }
    double[] anyDay = every(Span.HOURS_A_DAY, i, false);
    return anyDay.length >= DAYS_WANTED ? anyDay : new double[0];
  }

  private double[] every(int step, int i, boolean sameKindOfDay) {
    double[] found = new double[amounts.length / step + 1];
    int n = 0;
    for (int j = Math.floorMod(i, step); j < amounts.length; j += step) {
      if (j != i && !(sameKindOfDay && isWeekend(j) != isWeekend(i))) {
        found[n++] = amounts[j];
      }
    }
    return n == found.length ? found : Arrays.copyOf(found, n);
  }

  private boolean isWeekend(int i) {
    long day = Math.floorDiv(firstHour + i, (long) Span.HOURS_A_DAY);
    return Math.floorMod(day + THURSDAY, 7) >= SATURDAY;
  }
}
