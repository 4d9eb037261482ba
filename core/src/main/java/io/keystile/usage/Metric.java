package io.keystile.usage;

/** What is counted, by the names under which it is stored; see {@link Usage} for what each is. */
final class Metric {
  static final String REQUESTS = "requests";
  static final String REFUSALS = "refusals";
  static final String ANSWERS = "answers";
  static final String BYTES = "bytes";
  static final String CALLERS = "callers";
  static final String ENDPOINTS = "endpoints";
  static final String NETWORKS = "networks";
  static final String SECRETS = "secrets";
  static final String DURATIONS = "durations";
  static final String DURATION_SUM = "duration-micros";
  static final String DURATION_MAX = "max-duration-micros";
  static final String PEAK_MINUTE = "max-minute";
  static final String PEAK_NETWORKS = "max-networks";

  /** The label of what is not divided further. */
  static final String ALL = "all";

  /** The label of what is beyond a bound. */
  static final String OTHER = "other";

  /** Comes after every metric, and as a label after every other of such a metric. */
  static final String LAST = "z".repeat(32);

  private Metric() {}
}
