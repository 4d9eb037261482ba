package io.keystile.store.jdbc;

import io.keystile.store.StoreException;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats what met contention, for about a second: a deadlock or a serialization failure is over as
 * soon as the other transaction is. A lock that was waited for in vain is not asked for again, for
 * the caller has waited as long as the database was told to.
 */
final class Retries {
  private static final Logger LOG = LoggerFactory.getLogger(Retries.class);
  static final int ATTEMPTS = 10;
  private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long MAX_PAUSE_MILLIS = 64;

  private final Failures failures;
  private final LongSupplier nanoTime;

  /** One go at some work. */
  interface Attempt<T> {
    T run() throws SQLException;
  }

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  Retries(Failures failures, LongSupplier nanoTime) {
    this.failures = failures;
    this.nanoTime = nanoTime;
  }

  <T> T run(String operation, Attempt<T> attempt) {
    long firstFailure = 0;
    for (int failed = 1; ; failed++) {
      try {
        return attempt.run();
      } catch (StoreException e) {
        throw e;
      } catch (SQLException | RuntimeException e) {
        long now = nanoTime.getAsLong();
        if (failed == 1) {
          firstFailure = now;
        }
        boolean more = failed < ATTEMPTS && now - firstFailure < MAX_NANOS;
        if (!more || !failures.isWorthRepeating(e) || !pause(failed)) {
          throw failures.of(operation, e);
        }
        LOG.debug("{}: attempt {} met contention ({})", operation, failed, Failures.describe(e));
      }
    }
  }

  /** Waits longer after each failure, by chance, so that those in each other's way part. */
  private static boolean pause(int failed) {
    long longest = Math.min(MAX_PAUSE_MILLIS, 1L << failed);
    long millis = ThreadLocalRandom.current().nextLong(longest) + 1;
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    return !Thread.currentThread().isInterrupted();
  }
}
