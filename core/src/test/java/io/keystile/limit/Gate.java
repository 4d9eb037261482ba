package io.keystile.limit;

/** Takes permits of one key, or does not: what limiters and their broken twins have in common. */
interface Gate {
  boolean take(int cost, long nanos);

  /** A real limiter, for one key. */
  static Gate of(Limiter<String> limiter, String key) {
    Meter meter = limiter.meter(key);
    return meter::tryAcquire;
  }
}
