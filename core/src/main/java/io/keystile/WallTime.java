package io.keystile;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The wall clock, for who has read the ticker a moment ago. The system's own is read at most every
 * half millisecond, since times count in whole ones: a reading takes a third of the time of a hash,
 * which would be a tenth of a warm validation. Any other clock is read each time. For any thread.
 */
final class WallTime {
  /** The ticker of the system. */
  static final LongSupplier SYSTEM_TICKER = System::nanoTime;

  private static final long HOLDS = 500_000;

  /** What was read, and what the ticker said before. */
  private record Reading(long nanos, long millis) {}

  private final InstantSource clock;
  private final boolean isSystem;
  private volatile Reading last;

  WallTime(InstantSource clock, LongSupplier ticker) {
    this.clock = clock;
    isSystem = clock.equals(InstantSource.system()) && ticker.equals(SYSTEM_TICKER);
    last = new Reading(Long.MIN_VALUE, 0);
  }

  /**
   * Milliseconds since 1970, at most half of one old.
   *
   * @param nanos what the ticker says now
   */
  long millis(long nanos) {
    Reading known = last;
    long age = nanos - known.nanos;
    if (isSystem && age >= 0 && age < HOLDS) {
      return known.millis;
    }
    long millis = clock.millis();
    if (isSystem) {
      last = new Reading(nanos, millis);
    }
    return millis;
  }
}
