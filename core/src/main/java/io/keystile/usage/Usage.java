package io.keystile.usage;

import io.keystile.store.UsageStore.Tally;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How keys were used in some time: of one key or of several, in an hour, a day or longer. Immutable
 * and additive: what two nodes, two hours or two keys have used together is {@link #plus the sum}.
 *
 * <p>Labels are bounded: what is beyond the bound is counted under {@code other}, so that sums stay
 * right. All amounts are of requests that proved a secret; nobody counts for a key who knows its id
 * alone.
 */
public final class Usage {
  /**
   * The metric under which it is kept of what somebody was told about a key, by the kind of
   * anomaly.
   */
  public static final String ALERTS = "alerts";

  /** Nothing was used. */
  public static final Usage NONE = new Usage(Collections.emptySortedMap());

  /** The greatest amount that stores keep. */
  private static final long MAX_AMOUNT = 1L << 62;

  private final SortedMap<String, SortedMap<String, Long>> amounts;

  private Usage(SortedMap<String, SortedMap<String, Long>> amounts) {
    this.amounts = amounts;
  }

  /**
   * How long responses took, as a histogram: bucket 0 counts those below 1 ms, bucket {@code i}
   * those from {@code 2^(i-1)} ms to below {@code 2^i} ms, and the last one, 19, all that took
   * longer.
   *
   * @param count how many responses the host has told of
   * @param total how long they took together
   * @param longest how long the longest took
   * @param buckets 20 counts
   */
  public record Durations(long count, Duration total, Duration longest, List<Long> buckets) {
    /** How many buckets there are. */
    public static final int BUCKETS = 20;

    /** Copies the list. */
    public Durations {
      buckets = List.copyOf(buckets);
    }

    /** The bucket of a duration. */
    static int bucketOf(long micros) {
      return Math.min(BUCKETS - 1, Long.SIZE - Long.numberOfLeadingZeros(micros / 1_000));
    }

    /**
     * How long they took on average.
     *
     * @return the mean; zero if there were none
     */
    public Duration mean() {
      return count == 0 ? Duration.ZERO : total.dividedBy(count);
    }

    /**
     * A bound that so large a share of the responses kept to: the upper end of a bucket, so it is
     * at most twice the true value; the longest duration if it is in the last bucket.
     *
     * @param share 0 to 1, 0.95 for the 95th percentile
     * @return the bound; zero if there were none
     */
    public Duration atMost(double share) {
      long wanted = (long) Math.ceil(share * count);
      long seen = 0;
      for (int i = 0; i < buckets.size() - 1; i++) {
        seen = Usage.sum(seen, buckets.get(i));
        if (seen >= wanted && seen > 0) {
          Duration end = Duration.ofMillis(1L << i);
          return end.compareTo(longest) < 0 ? end : longest;
        }
      }
      return longest;
    }
  }

  /** The sum of tallies, whatever key, plan and period they are of. */
  static Usage of(Iterable<Tally> tallies) {
    SortedMap<String, SortedMap<String, Long>> sums = new TreeMap<>();
    for (Tally tally : tallies) {
      add(sums, tally.metric(), tally.label(), tally.amount());
    }
    return of(sums);
  }

  /** With amounts by metric and label. */
  static Usage of(Map<String, ? extends Map<String, Long>> amounts) {
    SortedMap<String, SortedMap<String, Long>> copy = new TreeMap<>();
    amounts.forEach(
        (metric, labels) ->
            copy.put(metric, Collections.unmodifiableSortedMap(new TreeMap<>(labels))));
    return copy.isEmpty() ? NONE : new Usage(copy);
  }

  private static void add(
      SortedMap<String, SortedMap<String, Long>> sums, String metric, String label, long amount) {
    SortedMap<String, Long> labels = sums.computeIfAbsent(metric, m -> new TreeMap<>());
    labels.merge(label, amount, metric.startsWith("max-") ? Math::max : Usage::sum);
  }

  /**
   * A sum that is greater than stores keep is the greatest they do, so that reading never fails.
   */
  private static long sum(long a, long b) {
    return Math.min(a, MAX_AMOUNT - Math.min(b, MAX_AMOUNT)) + Math.min(b, MAX_AMOUNT);
  }

  /**
   * What this and another have used together.
   *
   * @param other the other
   * @return the sum; of the peaks the greater
   */
  public Usage plus(Usage other) {
    return sum(List.of(this, other));
  }

  /** What all of these have used together. */
  static Usage sum(Iterable<Usage> all) {
    SortedMap<String, SortedMap<String, Long>> sums = new TreeMap<>();
    for (Usage usage : all) {
      usage.amounts.forEach(
          (metric, labels) -> labels.forEach((label, n) -> add(sums, metric, label, n)));
    }
    return of(sums);
  }

  /** Amounts by metric and label. */
  SortedMap<String, SortedMap<String, Long>> amounts() {
    return Collections.unmodifiableSortedMap(amounts);
  }

  private SortedMap<String, Long> labels(String metric) {
    return amounts.getOrDefault(metric, Collections.emptySortedMap());
  }

  private long sum(String metric) {
    return labels(metric).values().stream().reduce(0L, Usage::sum);
  }

  private long one(String metric) {
    return labels(metric).getOrDefault(Metric.ALL, 0L);
  }

  /**
   * Requests that were let in.
   *
   * @return how many
   */
  public long requests() {
    return sum(Metric.REQUESTS);
  }

  /**
   * Requests that proved a secret and were refused.
   *
   * @return how many
   */
  public long refused() {
    return sum(Metric.REFUSALS);
  }

  /**
   * Refusals by the name of their reason.
   *
   * @return for each reason how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> refusals() {
    return labels(Metric.REFUSALS);
  }

  /**
   * Responses by method and status, as {@code GET 200}.
   *
   * @return for each how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> answers() {
    return labels(Metric.ANSWERS);
  }

  /**
   * Bytes that the host has told of, of all categories.
   *
   * @return how many
   */
  public long bytes() {
    return sum(Metric.BYTES);
  }

  /**
   * Bytes by category; {@code all} for those without one.
   *
   * @return for each how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> bytesByCategory() {
    return labels(Metric.BYTES);
  }

  /**
   * Requests by the name of the caller, where one was given.
   *
   * @return for each how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> callers() {
    return labels(Metric.CALLERS);
  }

  /**
   * Responses by endpoint, where the host has told of it.
   *
   * @return for each how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> endpoints() {
    return labels(Metric.ENDPOINTS);
  }

  /**
   * Requests that were let in, by the network that they came from, {@code 192.0.2.0/24} or {@code
   * 2001:db8:1::/48}.
   *
   * @return for each how many; sorted, unmodifiable
   */
  public SortedMap<String, Long> networks() {
    return labels(Metric.NETWORKS);
  }

  /**
   * Requests by the number of the secret version that they proved, let in or not.
   *
   * @return for each how many; sorted as text, unmodifiable
   */
  public SortedMap<String, Long> secrets() {
    return labels(Metric.SECRETS);
  }

  /**
   * Anomalies that the host was told of, by their kind, see {@link Risk.Kind}.
   *
   * @return for each how often; sorted, unmodifiable
   */
  public SortedMap<String, Long> alerts() {
    return labels(ALERTS);
  }

  /**
   * How long responses took.
   *
   * @return the histogram
   */
  public Durations durations() {
    Long[] buckets = new Long[Durations.BUCKETS];
    long count = 0;
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = labels(Metric.DURATIONS).getOrDefault(bucketLabel(i), 0L);
      count = sum(count, buckets[i]);
    }
    return new Durations(
        count,
        micros(one(Metric.DURATION_SUM)),
        micros(one(Metric.DURATION_MAX)),
        List.of(buckets));
  }

  /** Two digits, so that labels sort as buckets do. */
  static String bucketLabel(int bucket) {
    return bucket < 10 ? "0" + bucket : Integer.toString(bucket);
  }

  private static Duration micros(long micros) {
    return Duration.ofSeconds(micros / 1_000_000, micros % 1_000_000 * 1_000);
  }

  /**
   * Requests that were let in within the busiest minute of one node.
   *
   * @return how many
   */
  public long peakMinute() {
    return one(Metric.PEAK_MINUTE);
  }

  /**
   * Networks that one node saw within one minute, at most.
   *
   * @return how many
   */
  public long networksInOneMinute() {
    return one(Metric.PEAK_NETWORKS);
  }

  /**
   * Two are equal if all amounts are.
   *
   * @param other the other
   * @return whether it is
   */
  @Override
  public boolean equals(Object other) {
    return other instanceof Usage usage && amounts.equals(usage.amounts);
  }

  @Override
  public int hashCode() {
    return amounts.hashCode();
  }

  /**
   * For logs: sums alone, no endpoint and no network.
   *
   * @return requests, refusals and bytes
   */
  @Override
  public String toString() {
    return "Usage[requests=" + requests() + ", refused=" + refused() + ", bytes=" + bytes() + "]";
  }
}
