package io.keystile.benchmarks;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.local.LocalBucketBuilder;
import io.github.bucket4j.local.SynchronizationStrategy;
import io.keystile.limit.Limiter;
import io.keystile.limit.Meter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One decision over four windows, of one key. The limits are so high that all calls pass, but for
 * the refusing one. A key that may be used ten times a second is never called in a tight loop, so
 * the honest rows move the clock by 125 ms with each call. Run with {@code -prof gc}; told as
 * multiples of the clock read, which is in all rows.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class LimiterBenchmark {
  private static final long STEP = TimeUnit.MILLISECONDS.toNanos(125);
  private static final long HIGH = 1_000_000_000;

  /** The limiters, one key each, used by one thread. */
  @State(Scope.Thread)
  public static class Limiters {
    private long moved;
    private final Meter standing = meter(HIGH, System::nanoTime);
    private final Meter movingMeter = meter(HIGH, this::moving);
    private final Meter refusing = meter(0, System::nanoTime);
    private final Meter one =
        Limiter.builder(Plan.of("one", Window.perSecond(HIGH))).build().meter("key");
    private final Bucket movingLockFree = bucket(this::moving, SynchronizationStrategy.LOCK_FREE);
    private final Bucket movingSynchronized =
        bucket(this::moving, SynchronizationStrategy.SYNCHRONIZED);

    private long moving() {
      moved += STEP;
      return System.nanoTime() + moved;
    }

    private static Meter meter(long limit, LongSupplier ticker) {
      Plan plan =
          Plan.of(
              "four",
              Window.perSecond(limit),
              Window.perMinute(limit),
              Window.perHour(limit),
              Window.perDay(limit));
      Limiter<String> limiter = Limiter.builder(plan).ticker(ticker).build();
      return limiter.meter("key");
    }

    private static Bucket bucket(LongSupplier ticker, SynchronizationStrategy strategy) {
      LocalBucketBuilder builder = Bucket.builder().withSynchronizationStrategy(strategy);
      for (Duration length :
          new Duration[] {
            Duration.ofSeconds(1), Duration.ofMinutes(1), Duration.ofHours(1), Duration.ofDays(1)
          }) {
        builder.addLimit(Bandwidth.builder().capacity(HIGH).refillGreedy(HIGH, length).build());
      }
      return builder
          .withCustomTimePrecision(
              new TimeMeter() {
                @Override
                public long currentTimeNanos() {
                  return ticker.getAsLong();
                }

                @Override
                public boolean isWallClockBased() {
                  return false;
                }
              })
          .build();
    }
  }

  /**
   * The clock read that all others contain.
   *
   * @return the time
   */
  @Benchmark
  public long clock() {
    return System.nanoTime();
  }

  /**
   * Four windows, within a tick.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean fourWindows(Limiters limiters) {
    return limiters.standing.tryAcquire();
  }

  /**
   * One window, within a tick.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean oneWindow(Limiters limiters) {
    return limiters.one.tryAcquire();
  }

  /**
   * Four windows that refuse.
   *
   * @param limiters the limiters
   * @return false
   */
  @Benchmark
  public boolean fourWindowsRefusing(Limiters limiters) {
    return limiters.refusing.tryAcquire();
  }

  /**
   * Four windows, each call in another tick.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean fourWindowsMovingClock(Limiters limiters) {
    return limiters.movingMeter.tryAcquire();
  }

  /**
   * Bucket4j with four bandwidths, lock-free, each call 125 ms later.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean bucket4jLockFreeMovingClock(Limiters limiters) {
    return limiters.movingLockFree.tryConsume(1);
  }

  /**
   * Bucket4j with four bandwidths, synchronized, each call 125 ms later.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean bucket4jSynchronizedMovingClock(Limiters limiters) {
    return limiters.movingSynchronized.tryConsume(1);
  }
}
