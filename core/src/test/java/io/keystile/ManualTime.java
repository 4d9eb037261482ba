package io.keystile;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Time that only the test moves: a wall clock, and a ticker that never goes back. */
final class ManualTime implements InstantSource {
  private final AtomicLong millis = new AtomicLong(SampleKeys.CREATED.toEpochMilli());
  private final AtomicLong nanos = new AtomicLong(-5_000_000_000L); // tickers may be negative

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis.get());
  }

  @Override
  public long millis() {
    return millis.get();
  }

  long nanos() {
    return nanos.get();
  }

  /** Moves both. */
  void advance(Duration duration) {
    millis.addAndGet(duration.toMillis());
    nanos.addAndGet(duration.toNanos());
  }

  /** Moves the wall clock alone. */
  void set(Instant instant) {
    millis.set(instant.toEpochMilli());
  }
}
