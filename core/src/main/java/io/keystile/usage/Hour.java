package io.keystile.usage;

import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one key has used in one hour and is not in a batch yet. It lives until the hour is over, so
 * that it knows the busiest minute, and lets an hour have only so many labels, however often it is
 * written. Not safe for use by several threads.
 */
final class Hour {
  /** Of which key, and which hour. */
  record Of(Subject subject, Instant start) {}

  private final Of of;
  private final Amounts pending = new Amounts();
  private long peak;
  private long peakNetworks;

  /** The newest minute, which may not be complete. */
  private long newestStart = Long.MIN_VALUE;

  private long newestRequests;
  private Counts newestNetworks = new Counts(Amounts.MAX_NETWORKS);

  Hour(Of of) {
    this.of = of;
  }

  void add(Minute minute) {
    minute.amounts.addTo(pending);
    if (minute.start < newestStart) {
      return; // a clock was set back, or a thread was late: the peak is of the others
    }
    if (minute.start > newestStart) {
      newestStart = minute.start;
      newestRequests = 0;
      newestNetworks = new Counts(Amounts.MAX_NETWORKS);
    }
    newestRequests += minute.amounts.requests;
    minute.amounts.networks.addTo(newestNetworks);
    peak = Math.max(peak, newestRequests);
    peakNetworks = Math.max(peakNetworks, newestNetworks.size());
  }

  long marks() {
    return pending.marks;
  }

  boolean isEmpty() {
    return pending.marks == 0;
  }

  boolean isOver(Instant now) {
    return !now.isBefore(of.start.plus(Period.HOUR.length()));
  }

  /** What is pending. */
  List<Tally> tallies() {
    // two names may have become one label
    SortedMap<String, SortedMap<String, Long>> amounts = new TreeMap<>();
    pending.forEach(
        (metric, label, amount) ->
            amounts
                .computeIfAbsent(metric, m -> new TreeMap<>())
                .merge(label, amount, metric.startsWith("max-") ? Math::max : Amounts::sum));
    put(amounts, Metric.PEAK_MINUTE, peak);
    put(amounts, Metric.PEAK_NETWORKS, peakNetworks);
    List<Tally> tallies = new ArrayList<>();
    amounts.forEach(
        (metric, labels) ->
            labels.forEach(
                (label, amount) ->
                    tallies.add(
                        new Tally(of.subject, Period.HOUR, of.start, metric, label, amount))));
    return tallies;
  }

  /** It is in a batch. */
  void clear() {
    pending.clear();
  }

  private static void put(
      SortedMap<String, SortedMap<String, Long>> amounts, String metric, long amount) {
    if (amount > 0) {
      amounts.put(metric, new TreeMap<>(Map.of(Metric.ALL, amount)));
    }
  }
}
