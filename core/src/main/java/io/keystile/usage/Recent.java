package io.keystile.usage;

import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The last 24 hours of a key, added up. */
final class Recent {
  final SortedMap<Instant, Facts> hours;
  final SortedMap<String, Long> newNetworks = new TreeMap<>();
  final SortedMap<String, Long> newEndpoints = new TreeMap<>();
  @Nullable Instant firstUse;
  double requests;
  double bytes;
  long refused;
  long retired;
  long answers;
  long errors;
  long networksAtOnce;
  int oddHours;

  private final Baseline baseline;
  private final Span span;
  private final Measures measures;

  Recent(History history, Baseline baseline, Span span, Measures measures) {
    this.baseline = baseline;
    this.span = span;
    this.measures = measures;
    hours = history.hours().subMap(span.recent(), span.now().plusMillis(1));
    for (Map.Entry<Instant, Facts> entry : hours.entrySet()) {
      take(entry.getKey(), entry.getValue());
    }
  }

  private void take(Instant hour, Facts facts) {
    if (firstUse == null && facts.isUse()) {
      firstUse = hour;
    }
    requests += soFar(hour, (double) facts.requests());
    bytes += soFar(hour, (double) facts.bytes());
    refused += facts.refused();
    retired += facts.retired();
    answers += facts.answers();
    errors += facts.errors();
    networksAtOnce = Math.max(networksAtOnce, facts.networksAtOnce());
    oddHours += facts.requests() > 0 && baseline.isOdd(hour) ? 1 : 0;
    for (Map.Entry<String, Long> network : facts.networks().entrySet()) {
      if (!baseline.knowsNetwork(network.getKey())) {
        newNetworks.merge(network.getKey(), network.getValue(), Long::sum);
      }
    }
    for (Map.Entry<String, Long> endpoint : facts.endpoints().entrySet()) {
      if (!baseline.knowsEndpoint(endpoint.getKey())) {
        newEndpoints.merge(endpoint.getKey(), endpoint.getValue(), Long::sum);
      }
    }
  }

  /** What is judged of an amount of this hour, which may be going on. */
  double soFar(Instant hour, double amount) {
    boolean over = !hour.equals(Span.hour(span.now()));
    return over ? amount : measures.soFar(amount, span.shareOfHour());
  }
}
