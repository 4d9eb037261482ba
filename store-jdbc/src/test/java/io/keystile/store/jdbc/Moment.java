package io.keystile.store.jdbc;

/** A moment at which several threads begin, of whatever processes of a machine. */
final class Moment {
  private static final int SPINS = 10_000;

  private Moment() {}

  /** Near enough that nobody waits long, and far enough that all hear of it before. */
  static long soon(long leadNanos) {
    return System.nanoTime() + leadNanos;
  }

  /**
   * Waits.
   *
   * @param moment by {@link System#nanoTime}
   */
  static void await(long moment) {
    for (int spins = 0; System.nanoTime() - moment < 0; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield(); // there may be fewer processors than threads
      }
    }
  }
}
