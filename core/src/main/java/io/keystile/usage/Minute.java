package io.keystile.usage;

import io.keystile.store.UsageStore.Subject;

/** What one key has used in one minute, as far as one stripe of the recorder knows. */
final class Minute {
  static final long MILLIS = 60_000;
  private static final long HOUR_MILLIS = 3_600_000;

  final Subject subject;
  final long start;
  final Amounts amounts = new Amounts();

  /**
   * @param start milliseconds since 1970, a multiple of a minute
   */
  Minute(Subject subject, long start) {
    this.subject = subject;
    this.start = start;
  }

  /**
   * Whether something of a minute may be counted here: also what comes late, in the same hour. It
   * is told of responses that took long, and no peak is made of these.
   */
  boolean takes(Subject of, long minute) {
    boolean isSoon = minute <= start && minute >= start - Math.floorMod(start, HOUR_MILLIS);
    return isSoon && subject.equals(of);
  }

  static long startOf(long millis) {
    return millis - Math.floorMod(millis, MILLIS);
  }
}
