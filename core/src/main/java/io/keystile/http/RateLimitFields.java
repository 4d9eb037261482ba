package io.keystile.http;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes what a client is told of its limits: {@code Retry-After} (RFC 9110, 10.2.3), and {@code
 * RateLimit} and {@code RateLimit-Policy} in the syntax of draft-ietf-httpapi-ratelimit-headers-10,
 * which is expired, and may change. Names and numbers only: nothing in it tells a key or an owner.
 */
final class RateLimitFields {
  /** The largest integer of a structured field (RFC 9651, 3.3.1). */
  private static final long MAX_INTEGER = 999_999_999_999_999L;

  private RateLimitFields() {}

  /** Policies and their state; of a refusal the state of those that refuse. */
  static List<Map.Entry<String, String>> of(Decision decision) {
    List<Map.Entry<String, String>> fields = new ArrayList<>();
    add(fields, "RateLimit-Policy", policies(decision.windows()));
    // where there is no room for the key no window refuses it, and what is left is of no use
    add(
        fields,
        "RateLimit",
        states(decision.isAllowed() ? decision.windows() : decision.refusing()));
    return fields;
  }

  private static void add(List<Map.Entry<String, String>> fields, String name, String value) {
    if (!value.isEmpty()) {
      fields.add(Map.entry(name, value));
    }
  }

  /** The policies that refused, as a list in JSON. */
  static String violated(Decision decision) {
    return decision.refusing().stream()
        .map(standing -> "\"" + name(standing) + "\"")
        .collect(Collectors.joining(",", "[", "]"));
  }

  /** Whole seconds, rounded up, so that who waits as long is let in. */
  static long seconds(Duration duration) {
    return duration.plusMillis(999).toSeconds();
  }

  private static String policies(List<Decision.Standing> windows) {
    return windows.stream()
        .filter(RateLimitFields::isExpressible)
        .map(RateLimitFields::policy)
        .collect(Collectors.joining(", "));
  }

  private static String policy(Decision.Standing standing) {
    String unit = standing.unit();
    String named = unit.equals(Plan.REQUESTS) ? "" : ";qu=\"" + unit + "\"";
    return "\"%s\";q=%d;w=%d%s"
        .formatted(
            name(standing),
            standing.window().limit(),
            standing.window().length().toSeconds(),
            named);
  }

  private static String states(List<Decision.Standing> windows) {
    return windows.stream()
        .filter(RateLimitFields::isExpressible)
        .map(s -> "\"%s\";r=%d;t=%d".formatted(name(s), s.remaining(), seconds(s.frees())))
        .collect(Collectors.joining(", "));
  }

  /** Windows are whole seconds there, and integers have 15 digits. */
  private static boolean isExpressible(Decision.Standing standing) {
    return standing.window().length().toMillis() % 1000 == 0
        && standing.window().limit() <= MAX_INTEGER;
  }

  /** Of characters that need no escape: units and names of windows have no others. */
  private static String name(Decision.Standing standing) {
    String window = standing.window().name();
    return standing.unit().equals(Plan.REQUESTS) ? window : standing.unit() + "-" + window;
  }
}
