package io.keystile.examples;

import io.keystile.examples.portal.Offer;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How much clients may use. The administration chooses a plan when it issues a key: one of these,
 * or {@code free}, {@code pro} or {@code unlimited}, which Keystile has ready. A key without a plan
 * has the default limits of Keystile.
 */
final class Plans {
  /** What the service has sent, counted for each day. */
  static final String BYTES = "bytes";

  /** To try it out: so small that one sees its end. */
  static final String TRIAL = "trial";

  static final String UNLIMITED = "unlimited";

  private static final List<String> NAMES = List.of(TRIAL, "team", "free", "pro", UNLIMITED);

  /** What owners may choose in the portal. */
  static final Offer OFFER =
      new Offer(
          texts(
              "forecast:read", "read forecasts",
              "forecast:write", "send observations",
              "keys:rotate", "replace its own secret"),
          texts(
              TRIAL,
              "to try it out: a few requests a minute",
              "free",
              "1,000 requests a day",
              "pro",
              "100,000 requests a day"));

  private Plans() {}

  /** In the order in which they are named. */
  private static Map<String, String> texts(String... namesAndTexts) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTexts.length; i += 2) {
      texts.put(namesAndTexts[i], namesAndTexts[i + 1]);
    }
    return texts;
  }

  static Plan[] of(Settings settings) {
    return new Plan[] {
      Plan.of(TRIAL, Window.perMinute(settings.trialRequests()))
          .quota(BYTES, Window.perDay(100_000)),
      Plan.of("team", Window.perSecond(50), Window.perDay(1_000_000))
          .quota(BYTES, Window.perDay(1_000_000_000))
          .perOwner()
    };
  }

  /** Keystile would give a key with another name the default limits. */
  static String require(String name) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException("plan: must be one of " + String.join(", ", NAMES));
    }
    return name;
  }
}
