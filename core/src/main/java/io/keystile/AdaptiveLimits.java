package io.keystile;

import io.keystile.store.KeyRecord.Adapted;
import io.keystile.usage.Risk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How the limit of a key follows its risk: a pure function from one to the next; {@link RiskPolicy}
 * has the rules.
 *
 * @param floor requests in a minute that high risk leaves
 * @param ceiling how many times the plan low risk may give
 */
record AdaptiveLimits(long floor, double ceiling) {
  private static final int MINUTES_OF_A_DAY = 1_440;
  private static final double OF_NORMAL = 1.5;

  /** Between two steps up. */
  private static final Duration STEP = Duration.ofDays(1);

  /** What nobody confirms is dropped after so long. */
  private static final Duration KEPT = Duration.ofDays(30);

  /** A limit that has come to its ceiling is confirmed so often. */
  private static final Duration CONFIRMED = Duration.ofDays(7);

  /**
   * What the limit of a key becomes.
   *
   * @param current how it was adapted; null if it is as the plan says
   * @param planned what the plan says of a minute; null if it does not limit it
   * @return the same object if it stays; null if the plan is to apply
   */
  @Nullable Adapted next(
      @Nullable Adapted current, @Nullable Long planned, Risk risk, Instant now) {
    Adapted capped = capped(current, planned, now);
    return switch (risk.level()) {
      case HIGH -> tightened(capped, planned, risk, now);
      case LOW -> grown(capped, planned, risk, now);
      case MEDIUM, UNKNOWN -> isOlder(current, KEPT, now) ? null : capped;
    };
  }

  /** The plan may have become smaller since. */
  private @Nullable Adapted capped(@Nullable Adapted current, @Nullable Long planned, Instant now) {
    if (current == null || planned == null || current.perMinute() <= most(planned)) {
      return current;
    }
    String why = "its plan became smaller, was " + current.perMinute() + " a minute";
    return new Adapted(now, most(planned), why);
  }

  private @Nullable Adapted tightened(
      @Nullable Adapted current, @Nullable Long planned, Risk risk, Instant now) {
    double normal = risk.summary().averageDailyRequests() / MINUTES_OF_A_DAY;
    long most = Math.max(floor, (long) Math.floor(OF_NORMAL * normal));
    long target = planned == null ? most : Math.min(planned, most);
    long limit = limit(current, planned);
    return target < limit ? new Adapted(now, target, why(risk, limit)) : current;
  }

  private @Nullable Adapted grown(
      @Nullable Adapted current, @Nullable Long planned, Risk risk, Instant now) {
    if (current != null && !isOlder(current, STEP, now)) {
      return current;
    }
    if (planned == null) {
      return null;
    }
    long limit = limit(current, planned);
    long most = most(planned);
    // in whole numbers: 1.1 times 10 is a little more than 11 in floating point, of 30 less than 33
    long target = Math.min(most, Math.max(limit + 1, limit + limit / 10));
    boolean isSame = target == limit;
    if (isSame && (current == null || !isOlder(current, CONFIRMED, now))) {
      return current;
    }
    return new Adapted(now, target, why(risk, limit));
  }

  private long most(long planned) {
    return (long) Math.floor(ceiling * planned);
  }

  private static boolean isOlder(@Nullable Adapted current, Duration age, Instant now) {
    return current != null && !now.isBefore(current.at().plus(age));
  }

  private static long limit(@Nullable Adapted current, @Nullable Long planned) {
    if (current != null) {
      return current.perMinute();
    }
    return planned == null ? Long.MAX_VALUE : planned;
  }

  private static String why(Risk risk, long before) {
    String was = before == Long.MAX_VALUE ? "unlimited" : before + " a minute";
    return note(risk.level() + " risk, was " + was + ": " + risk.reason());
  }

  /** As much of a text as a note may hold. */
  static String note(String text) {
    int end = text.length();
    while (text.substring(0, end).getBytes(StandardCharsets.UTF_8).length > Cause.MAX_NOTE_BYTES) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end);
  }
}
