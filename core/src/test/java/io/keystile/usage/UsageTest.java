package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.usage.Usage.Durations;
import java.math.BigInteger;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class UsageTest {
  /** The greatest amount that a store keeps. */
  private static final long MOST = 1L << 62;

  private static Usage of(String metric, Map<String, Long> labels) {
    return Usage.of(Map.of(metric, labels));
  }

  @Test
  void what_was_used_together_is_the_sum_and_of_peaks_the_greater() {
    Usage one =
        Usage.of(
            Map.of(Metric.REQUESTS, Map.of(Metric.ALL, 3L), Metric.PEAK_MINUTE, Map.of("all", 2L)));
    Usage two =
        Usage.of(
            Map.of(
                Metric.REQUESTS,
                Map.of(Metric.ALL, 4L),
                Metric.PEAK_MINUTE,
                Map.of("all", 1L),
                Metric.BYTES,
                Map.of("image", 5L)));

    Usage sum = one.plus(two);

    assertThat(sum.requests()).isEqualTo(7);
    assertThat(sum.peakMinute()).isEqualTo(2);
    assertThat(sum.bytes()).isEqualTo(5);
    assertThat(sum).isEqualTo(two.plus(one)).hasSameHashCodeAs(two.plus(one));
    assertThat(sum.plus(Usage.NONE)).isEqualTo(sum);
  }

  @Test
  void a_sum_stays_at_2_to_the_62_as_in_stores() {
    SplittableRandom random = Seed.of("UsageTest.sums");
    long[] amounts = {0, 1, 2, 1L << 61, MOST - 1, MOST};
    int rounds = 100_000;
    int capped = 0;
    for (int i = 0; i < rounds; i++) {
      long a = amounts[random.nextInt(amounts.length)] >> random.nextInt(2);
      long b = amounts[random.nextInt(amounts.length)];
      BigInteger exact = BigInteger.valueOf(a).add(BigInteger.valueOf(b));
      long expected = exact.min(BigInteger.valueOf(MOST)).longValueExact();
      capped += exact.longValue() == expected ? 0 : 1;
      Usage sum =
          of(Metric.REQUESTS, Map.of(Metric.ALL, a)).plus(of(Metric.REQUESTS, Map.of("all", b)));
      if (sum.requests() != expected) {
        assertThat(sum.requests()).as("%d + %d", a, b).isEqualTo(expected);
      }
    }
    System.out.printf("sums of usage: %,d, of which %,d at the most%n", rounds, capped);
    assertThat(capped).isPositive();
  }

  @Test
  void whatever_a_store_holds_can_be_read() {
    Map<String, Long> full = new HashMap<>();
    for (int i = 0; i < Durations.BUCKETS; i++) {
      full.put(Usage.bucketLabel(i), MOST);
    }
    Usage usage =
        Usage.of(
            Map.of(
                Metric.BYTES, Map.of("a", MOST, "b", MOST, "c", MOST),
                Metric.REFUSALS, Map.of("a", MOST, "b", MOST),
                Metric.DURATIONS, full,
                Metric.DURATION_SUM, Map.of(Metric.ALL, MOST),
                Metric.DURATION_MAX, Map.of(Metric.ALL, MOST)));
    usage = usage.plus(usage);

    assertThat(usage.bytes()).isEqualTo(MOST);
    assertThat(usage.refused()).isEqualTo(MOST);
    Durations durations = usage.durations();
    assertThat(durations.count()).isEqualTo(MOST);
    assertThat(durations.mean()).isEqualTo(Duration.ofNanos(1_000));
    assertThat(durations.atMost(0.95)).isEqualTo(Duration.ofMillis(1));
    assertThat(usage.toString()).contains("bytes=" + MOST);
  }
}
