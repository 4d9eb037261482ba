package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.keystile.store.StoreException;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetriesTest {
  private final AtomicLong nanos = new AtomicLong();
  private final AtomicInteger attempts = new AtomicInteger();

  private Throwable thrownBy(Dialect dialect, long millisPerAttempt, SQLException failure) {
    Retries retries = new Retries(new Failures(dialect, false), nanos::get);
    return catchThrowable(
        () ->
            retries.run(
                "test",
                () -> {
                  attempts.incrementAndGet();
                  nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millisPerAttempt));
                  throw failure;
                }));
  }

  private static void assertConflict(Throwable thrown) {
    assertThat(thrown)
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.CONFLICT));
  }

  @ParameterizedTest
  @CsvSource({"0, 10", "100, 10", "300, 5", "999, 3", "1000, 2", "60000, 2"})
  void contention_is_repeated_ten_times_or_for_a_second_after_the_first_failure(
      long millisPerAttempt, int expected) {
    SQLException deadlock = new SQLException("deadlock", "40001");

    assertConflict(thrownBy(new PostgresDialect(), millisPerAttempt, deadlock));
    assertThat(attempts).hasValue(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "H2, HYT00, 50200",
    "SQLite, , 5",
    "PostgreSQL, 55P03, 0",
    "MariaDB, HY000, 1205",
    "MySQL, 40001, 1205" // its driver reports the SQLState of a deadlock
  })
  void a_lock_that_was_waited_for_in_vain_is_a_conflict_at_once(
      String product, String state, int code) {
    SQLException timeout = new SQLException("lock timeout", state, code);

    assertConflict(thrownBy(Dialect.of(product, "1"), 0, timeout));
    assertThat(attempts).hasValue(1);
  }

  @Test
  void what_is_no_contention_is_not_repeated() {
    Throwable thrown = thrownBy(new PostgresDialect(), 0, new SQLException("gone", "08006"));

    assertThat(thrown)
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.UNAVAILABLE));
    assertThat(attempts).hasValue(1);
  }
}
