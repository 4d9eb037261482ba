package io.keystile.usage;

import java.util.Arrays;
import java.util.Set;

/**
 * The choices on which the analysis stands. A class of its own, so that tests can put a wrong one
 * in the place of each and see what becomes of the results.
 */
class Measures {
  static final Measures USUAL = new Measures();

  /**
   * The reasons for which a request is refused after its secret was proven. A list of what counts,
   * not of what does not: a reason that is added later must not count for a key by oversight.
   * Limits are not in it: one that was tightened for a risk would keep the risk alive.
   */
  private static final Set<String> PROVEN =
      Set.of(
          "WRONG_ENVIRONMENT",
          "REVOKED",
          "DISABLED",
          "KEY_ENDED",
          "VERSION_REVOKED",
          "RETIRED",
          "EXPIRED",
          "INSECURE_TRANSPORT",
          "CALLER_NOT_ALLOWED",
          "ADDRESS_NOT_ALLOWED",
          "SCOPE_MISSING",
          "SUPERSEDED");

  /** What makes a median absolute deviation of normal data its standard deviation: 1 / 0.6745. */
  private static final double TO_SIGMA = 1.4826;

  /**
   * The median. Up to half of the values may be anything, so neither an outlier nor an attack that
   * has gone on for less than half of the history moves it far.
   */
  double middle(double[] values) {
    return quantile(values, 0.5);
  }

  /** The median absolute deviation, as robust as the median, in units of a standard deviation. */
  double spread(double[] values) {
    double middle = middle(values);
    return TO_SIGMA * middle(Arrays.stream(values).map(v -> Math.abs(v - middle)).toArray());
  }

  /** Whether a request that was refused for this reason counts for the key. */
  boolean isProven(String reason) {
    return PROVEN.contains(reason);
  }

  /** Whether the hours of a week are told apart. */
  boolean knowsTimeOfWeek() {
    return true;
  }

  /** What is judged of an hour that is not over: what has happened, and no guess at the rest. */
  double soFar(double amount, double shareOfHour) {
    return amount;
  }

  /** The value below which this share of all values is, between neighbours if need be. */
  static double quantile(double[] values, double share) {
    if (values.length == 0) {
      return 0;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
