package io.keystile.usage;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the analysis asks of one hour or day of one key, read from its {@link Usage} once.
 *
 * @param requests that were let in
 * @param refused that proved a secret and were refused, but for a secret that had ended
 * @param retired that were refused because their secret was retired or revoked
 * @param answers responses that the host has told of
 * @param errors those of them with status 400 and above
 * @param bytes that the host has told of
 * @param peakMinute let in within one minute
 * @param networksAtOnce seen within one minute
 * @param networks requests by network, without those beyond the bound
 * @param endpoints responses by endpoint, without those beyond the bound
 * @param secrets requests by secret version
 */
record Facts(
    long requests,
    long refused,
    long retired,
    long answers,
    long errors,
    long bytes,
    long peakMinute,
    long networksAtOnce,
    SortedMap<String, Long> networks,
    SortedMap<String, Long> endpoints,
    SortedMap<Integer, Long> secrets) {

  static Facts of(Usage usage, Measures measures) {
    long refused = 0;
    long retired = 0;
    for (Map.Entry<String, Long> refusal : usage.refusals().entrySet()) {
      String reason = refusal.getKey();
      if (reason.equals("RETIRED") || reason.equals("VERSION_REVOKED")) {
        retired += refusal.getValue();
      } else if (measures.isProven(reason)) {
        refused += refusal.getValue();
      }
    }
    long answers = 0;
    long errors = 0;
    for (Map.Entry<String, Long> answer : usage.answers().entrySet()) {
      answers += answer.getValue();
      errors += isError(answer.getKey()) ? answer.getValue() : 0;
    }
    return new Facts(
        usage.requests(),
        refused,
        retired,
        answers,
        errors,
        usage.bytes(),
        usage.peakMinute(),
        usage.networksInOneMinute(),
        named(usage.networks()),
        named(usage.endpoints()),
        versions(usage.secrets()));
  }

  /** Whether a secret in force was proven: who has an old one does not use the key. */
  boolean isUse() {
    return requests + refused > 0;
  }

  /** Of {@code GET 404}: the digit after the blank. */
  private static boolean isError(String answer) {
    int digit = answer.lastIndexOf(' ') + 1;
    return digit > 0
        && digit < answer.length()
        && (answer.charAt(digit) == '4' || answer.charAt(digit) == '5');
  }

  private static SortedMap<String, Long> named(SortedMap<String, Long> labels) {
    if (!labels.containsKey(Metric.OTHER)) {
      return labels;
    }
    SortedMap<String, Long> named = new TreeMap<>(labels);
    named.remove(Metric.OTHER);
    return named;
  }

  private static SortedMap<Integer, Long> versions(SortedMap<String, Long> labels) {
    SortedMap<Integer, Long> versions = new TreeMap<>();
    labels.forEach(
        (label, count) -> {
          if (label.matches("[1-9][0-9]{0,8}")) {
            versions.put(Integer.valueOf(label), count);
          }
        });
    return versions;
  }
}
