package io.keystile.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.keystile.limit.Limiter;
import io.keystile.limit.Meter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * How much limiters let through in their worst window. All are set to the same limit a second, in
 * the way their documentation says, and get the same calls in real time: none for most of a second,
 * then a burst at the end of it, and from then on as many as they take. What was let in is
 * recounted in every interval of a second.
 *
 * <p>Run {@code java -cp benchmarks.jar io.keystile.benchmarks.WorstWindow}; it takes about four
 * seconds, and prints a table.
 */
public final class WorstWindow {
  private static final long SECOND = 1_000_000_000L;

  private WorstWindow() {}

  /**
   * What one limiter did.
   *
   * @param limit what it was set to, for each second
   * @param admitted how many calls it let in
   * @param worst the most it let in within one second, wherever it began
   */
  public record Row(int limit, long admitted, long worst) {
    /**
     * The worst window as a share of the limit.
     *
     * @return 1 if it kept to the limit, and used it
     */
    public double ratio() {
      return (double) worst / limit;
    }
  }

  /** A limiter, and when it let calls in: read before each call, and after it. */
  private static final class Subject {
    final BooleanSupplier limiter;
    final List<long[]> admitted = new ArrayList<>();

    Subject(BooleanSupplier limiter) {
      this.limiter = limiter;
    }

    void call() {
      long before = System.nanoTime();
      if (limiter.getAsBoolean()) {
        admitted.add(new long[] {before, System.nanoTime()});
      }
    }

    /** Counts a call only where all of it is inside, so a slow machine can only hide a fault. */
    long worst() {
      long worst = 0;
      for (int first = 0; first < admitted.size(); first++) {
        long end = admitted.get(first)[0] + SECOND;
        int inside = 0;
        for (int i = first; i < admitted.size() && admitted.get(i)[1] - end <= 0; i++) {
          inside++;
        }
        worst = Math.max(worst, inside);
      }
      return worst;
    }
  }

  /**
   * Prints the table, for limits of 10, 100 and 1,000 a second.
   *
   * @param args none
   */
  public static void main(String[] args) {
    System.out.println(table(List.of(measure(10), measure(100), measure(1_000))));
  }

  /**
   * Runs all limiters through the schedule.
   *
   * @param limit permits a second
   * @return what each did, by its name
   */
  public static Map<String, Row> measure(int limit) {
    Map<String, Subject> subjects = new LinkedHashMap<>();
    limiters(limit).forEach((name, limiter) -> subjects.put(name, new Subject(limiter)));
    long start = System.nanoTime();
    long burst = start + SECOND * 98 / 100;
    long end = start + SECOND * 21 / 10;
    while (System.nanoTime() - burst < 0) {
      Thread.onSpinWait();
    }
    while (System.nanoTime() - end < 0) {
      subjects.values().forEach(Subject::call);
    }
    Map<String, Row> rows = new LinkedHashMap<>();
    subjects.forEach((name, s) -> rows.put(name, new Row(limit, s.admitted.size(), s.worst())));
    return rows;
  }

  private static Map<String, BooleanSupplier> limiters(int limit) {
    Plan plan = Plan.of("plan", Window.perSecond(limit));
    Meter meter = Limiter.<String>of(plan).meter("key");
    Bucket bucket =
        Bucket.builder()
            .addLimit(
                Bandwidth.builder()
                    .capacity(limit)
                    .refillGreedy(limit, Duration.ofSeconds(1))
                    .build())
            .build();
    var resilience =
        io.github.resilience4j.ratelimiter.RateLimiter.of(
            "limiter",
            io.github.resilience4j.ratelimiter.RateLimiterConfig.custom()
                .limitForPeriod(limit)
                .limitRefreshPeriod(Duration.ofSeconds(1))
                .timeoutDuration(Duration.ZERO)
                .build());
    RateLimiter guava = RateLimiter.create(limit);
    var failsafe = dev.failsafe.RateLimiter.burstyBuilder(limit, Duration.ofSeconds(1)).build();
    Map<String, BooleanSupplier> all = new LinkedHashMap<>();
    all.put("Keystile", meter::tryAcquire);
    all.put("Bucket4j (greedy refill)", () -> bucket.tryConsume(1));
    all.put("Resilience4j", resilience::acquirePermission);
    all.put("Guava (after a second of rest)", guava::tryAcquire);
    all.put("Failsafe (bursty)", failsafe::tryAcquirePermit);
    return all;
  }

  /**
   * The results in Markdown.
   *
   * @param results of {@link #measure}, for several limits
   * @return a table with a line for each limiter
   */
  public static String table(List<Map<String, Row>> results) {
    StringBuilder table = new StringBuilder("| Worst second, over the limit |");
    results.forEach(rows -> table.append(' ').append(limitOf(rows)).append(" a second |"));
    table.append("\n|---|").append("---:|".repeat(results.size()));
    for (String name : results.get(0).keySet()) {
      table.append("\n| ").append(name).append(" |");
      results.forEach(
          rows -> table.append(String.format(Locale.ROOT, " %.2f |", rows.get(name).ratio())));
    }
    return table.toString();
  }

  private static int limitOf(Map<String, Row> rows) {
    return rows.values().iterator().next().limit();
  }
}
