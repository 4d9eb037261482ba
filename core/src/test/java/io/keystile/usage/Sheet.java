package io.keystile.usage;

import java.util.HashMap;
import java.util.Map;

/** Usage that is being made up. */
final class Sheet {
  private final Map<String, Map<String, Long>> amounts = new HashMap<>();

  Sheet add(String metric, String label, long amount) {
    if (amount > 0) {
      amounts.computeIfAbsent(metric, m -> new HashMap<>()).merge(label, amount, Long::sum);
    }
    return this;
  }

  Sheet most(String metric, long amount) {
    amounts.computeIfAbsent(metric, m -> new HashMap<>()).merge(Metric.ALL, amount, Math::max);
    return this;
  }

  /** Requests that were let in, all alike. */
  Sheet let(long requests, String network, int secret, String endpoint, String answer) {
    return add(Metric.REQUESTS, Metric.ALL, requests)
        .add(Metric.NETWORKS, network, requests)
        .add(Metric.SECRETS, Integer.toString(secret), requests)
        .add(Metric.ENDPOINTS, endpoint, requests)
        .add(Metric.ANSWERS, answer, requests);
  }

  Sheet refuse(long requests, String reason, int secret) {
    return add(Metric.REFUSALS, reason, requests)
        .add(Metric.SECRETS, Integer.toString(secret), requests);
  }

  Sheet addAll(Sheet other) {
    other.amounts.forEach(
        (metric, labels) ->
            labels.forEach(
                (label, amount) -> {
                  if (metric.startsWith("max-")) {
                    most(metric, amount);
                  } else {
                    add(metric, label, amount);
                  }
                }));
    return this;
  }

  /** What of it has happened when this share of the hour is over, if it comes evenly. */
  Sheet part(double share) {
    Sheet part = new Sheet();
    amounts.forEach(
        (metric, labels) ->
            labels.forEach(
                (label, amount) -> {
                  if (metric.startsWith("max-")) {
                    part.most(metric, amount);
                  } else {
                    part.add(metric, label, Math.round(amount * share));
                  }
                }));
    return part;
  }

  long requests() {
    return amounts.getOrDefault(Metric.REQUESTS, Map.of()).getOrDefault(Metric.ALL, 0L);
  }

  boolean isEmpty() {
    return amounts.isEmpty();
  }

  Usage usage() {
    return Usage.of(amounts);
  }
}
