package io.keystile.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Sums up a history. */
final class Summaries {
  private static final int BUSIEST = 5;

  private Summaries() {}

  static UsageSummary of(History history, Baseline baseline, Span span) {
    SortedMap<Instant, Facts> hours = history.hours().headMap(span.now().plusMillis(1));
    long requests = 0;
    long peakMinute = 0;
    long peakHour = 0;
    @Nullable Instant peakHourStart = null;
    Map<String, Long> endpoints = new TreeMap<>();
    for (Map.Entry<Instant, Facts> entry : hours.entrySet()) {
      Facts facts = entry.getValue();
      requests += facts.requests();
      peakMinute = Math.max(peakMinute, facts.peakMinute());
      if (facts.requests() > peakHour) {
        peakHour = facts.requests();
        peakHourStart = entry.getKey();
      }
      facts.endpoints().forEach((name, n) -> endpoints.merge(name, n, Long::sum));
    }
    Instant firstDay = Span.day(baseline.from());
    int days = (int) Duration.between(firstDay, span.end()).toDays();
    long inDays =
        hours.subMap(firstDay, span.end()).values().stream().mapToLong(Facts::requests).sum();
    return new UsageSummary(
        days == 0 ? 0 : (double) inDays / days,
        days,
        requests,
        peakMinute,
        peakHour,
        peakHourStart,
        busiest(endpoints),
        history.firstUse(),
        lastUse(history.days(), hours));
  }

  private static @Nullable Instant lastUse(
      SortedMap<Instant, Facts> days, SortedMap<Instant, Facts> hours) {
    if (!hours.isEmpty()) {
      return hours.lastKey();
    }
    return days.isEmpty() ? null : days.lastKey();
  }

  private static List<UsageSummary.Endpoint> busiest(Map<String, Long> endpoints) {
    return endpoints.entrySet().stream()
        .map(entry -> new UsageSummary.Endpoint(entry.getKey(), entry.getValue()))
        .sorted(
            Comparator.comparingLong(UsageSummary.Endpoint::responses)
                .reversed()
                .thenComparing(UsageSummary.Endpoint::name))
        .limit(BUSIEST)
        .toList();
  }
}
