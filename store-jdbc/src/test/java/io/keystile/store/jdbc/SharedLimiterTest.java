package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two limiters keep to one limit through each database, by its clock. */
class SharedLimiterTest {
  private static final Duration INTERVAL = Duration.ofMillis(50);
  private static final long LIMIT = 40;
  private static final long RUN = TimeUnit.MILLISECONDS.toNanos(2_500);

  private static Limiter<String> limiter(HikariDataSource pool) {
    return Limiter.builder(Plan.of("shared", Window.perSecond(LIMIT)))
        .shared(JdbcKeyStore.builder(pool).initializeSchema(true).build(), INTERVAL)
        .build();
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE", "POSTGRESQL", "MARIADB"})
  void two_limiters_keep_to_one_limit(Database database) {
    List<Long> admitted = new ArrayList<>();
    int answered = 0;
    try (HikariDataSource pool = database.fresh()) {
      List<Limiter<String>> nodes = List.of(limiter(pool), limiter(pool));
      for (int i = 0; i < 8; i++) { // until they have heard of each other
        nodes.forEach(Limiter::exchange);
      }
      long start = System.nanoTime();
      long exchangeAt = start;
      for (long now = start; now < start + RUN; now = System.nanoTime()) {
        if (now >= exchangeAt) {
          exchangeAt = now + INTERVAL.toNanos();
          for (Limiter<String> node : nodes) {
            answered += node.exchange() ? 1 : 0;
          }
        }
        for (Limiter<String> node : nodes) {
          long before = System.nanoTime();
          if (node.tryAcquire("key")) {
            admitted.add(before);
          }
        }
      }
      nodes.forEach(node -> assertThat(node.leave()).isTrue());
    }
    int worst = worst(admitted);
    System.out.printf(
        "%s: %d exchanges, %d let through in 2.5 s, worst second %d of %d%n",
        database, answered, admitted.size(), worst, LIMIT);
    assertThat(answered).isGreaterThan(5);
    // an advance of each, once
    assertThat((long) worst).isLessThanOrEqualTo(LIMIT + 2 * Math.max(1, LIMIT / 20));
    assertThat((long) admitted.size()).isGreaterThanOrEqualTo(LIMIT);
  }

  /** On one thread, so a permit is taken at the very time that is noted, or soon after. */
  private static int worst(List<Long> admitted) {
    long second = TimeUnit.SECONDS.toNanos(1) - TimeUnit.MILLISECONDS.toNanos(5);
    int worst = 0;
    int first = 0;
    for (int last = 0; last < admitted.size(); last++) {
      while (admitted.get(last) - admitted.get(first) >= second) {
        first++;
      }
      worst = Math.max(worst, last - first + 1);
    }
    return worst;
  }
}
