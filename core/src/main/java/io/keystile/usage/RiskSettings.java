package io.keystile.usage;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * What is an anomaly in the use of a key. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * RiskSettings.usual().rateFactor(5).dormantAfter(Duration.ofDays(60));
 * }</pre>
 *
 * <p>The defaults were chosen with simulated clients and misuse; what they find of others, and how
 * often they are wrong, is in the table of {@code docs/risk.md}.
 */
public final class RiskSettings {
  /** What can be set, with its default and range; lengths of time are in seconds. */
  enum Option {
    MINIMUM_HISTORY("minimumHistory", days(14), days(1), days(28), "1 to 28 days"),
    DEVIATION("deviation", 3.5, 1, 100, "1 to 100"),
    RATE_FACTOR("rateFactor", 3, 1, 1000, "1 to 1,000"),
    DAILY_FACTOR("dailyFactor", 1.75, 1, 1000, "1 to 1,000"),
    SURGE_FACTOR("surgeFactor", 4, 1, 1000, "1 to 1,000"),
    MINIMUM_REQUESTS("minimumRequests", 50, 1, 1e9, "1 to 10^9"),
    MINIMUM_BYTES("minimumBytes", 1e6, 1, 1e15, "1 to 10^15"),
    ODD_HOURS("oddHours", 5, 1, 24, "1 to 24"),
    ERROR_SHARE("errorShare", 0.07, 0.001, 1, "0.001 to 1"),
    MINIMUM_ERRORS("minimumErrors", 20, 1, 1e9, "1 to 10^9"),
    NEW_ENDPOINTS("newEndpoints", 8, 1, 10000, "1 to 10,000"),
    NETWORK_REQUESTS("networkRequests", 5, 1, 1e9, "1 to 10^9"),
    MANY_NETWORKS("manyNetworks", 8, 2, 10000, "2 to 10,000"),
    DORMANT_AFTER("dormantAfter", days(45), days(1), days(90), "1 to 90 days"),
    ALONE_FOR("aloneFor", days(3), 3600, days(28), "1 hour to 28 days");

    private final String text;
    private final double usual;
    private final double least;
    private final double most;
    private final String range;

    Option(String text, double usual, double least, double most, String range) {
      this.text = text;
      this.usual = usual;
      this.least = least;
      this.most = most;
      this.range = range;
    }

    @Override
    public String toString() {
      return text;
    }

    private static double days(int days) {
      return Duration.ofDays(days).toSeconds();
    }
  }

  private static final RiskSettings USUAL = new RiskSettings(defaults());

  private final Map<Option, Double> values;

  private RiskSettings(Map<Option, Double> values) {
    this.values = values;
  }

  private static Map<Option, Double> defaults() {
    Map<Option, Double> defaults = new EnumMap<>(Option.class);
    for (Option option : Option.values()) {
      defaults.put(option, option.usual);
    }
    return defaults;
  }

  /**
   * Returns the settings that apply where nothing is said.
   *
   * @return the settings
   */
  public static RiskSettings usual() {
    return USUAL;
  }

  /**
   * Sets for how long a key must have been in use before it has habits. Until then its risk is
   * {@link Risk.Level#UNKNOWN}, unless something is found that needs no habits. The default is 14
   * days: each hour of the week twice.
   *
   * @param length 1 to 28 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings minimumHistory(Duration length) {
    return with(Option.MINIMUM_HISTORY, seconds(length, Option.MINIMUM_HISTORY));
  }

  /**
   * Sets how many deviations above its median an amount may be. A deviation is 1.4826 times the
   * median absolute deviation, which for normal data is the standard deviation. The default is 3.5,
   * as Iglewicz and Hoaglin advise for this measure (How to Detect and Handle Outliers, ASQC 1993).
   *
   * @param deviations 1 to 100
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings deviation(double deviations) {
    return with(Option.DEVIATION, deviations);
  }

  /**
   * Sets how many times what is usual in an hour is still no anomaly, however steady a key is. The
   * default is 3: clients grow, and queues fill up.
   *
   * @param factor 1 to 1,000
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings rateFactor(double factor) {
    return with(Option.RATE_FACTOR, factor);
  }

  /**
   * The same for the requests and for the bytes of 24 hours. The default is 1.75: a whole day
   * varies less than an hour.
   *
   * @param factor 1 to 1,000
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings dailyFactor(double factor) {
    return with(Option.DAILY_FACTOR, factor);
  }

  /**
   * Sets how many times its threshold a rate must be, in six hours of the last 24, to be grave by
   * itself. The default is 4, so 12 times what is usual.
   *
   * @param factor 1 to 1,000
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings surgeFactor(double factor) {
    return with(Option.SURGE_FACTOR, factor);
  }

  /**
   * Sets how many requests in an hour are never an anomaly, and twice as many in 24 hours. The
   * default is 50: three requests instead of one mean nothing.
   *
   * @param requests 1 to 10^9
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings minimumRequests(long requests) {
    return with(Option.MINIMUM_REQUESTS, (double) requests);
  }

  /**
   * Sets how many bytes in 24 hours are never an anomaly. The default is 1,000,000.
   *
   * @param bytes 1 to 10^15
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings minimumBytes(long bytes) {
    return with(Option.MINIMUM_BYTES, (double) bytes);
  }

  /**
   * Sets in how many hours of the last 24 a key must be used that are usually silent. The default
   * is 5: people work late now and then.
   *
   * @param hours 1 to 24
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings oddHours(int hours) {
    return with(Option.ODD_HOURS, hours);
  }

  /**
   * Sets by how much the share of errors, or of refusals, in 24 hours may be above its own median;
   * it must also be three times as high. The default is 0.07: a failed deployment that is mended
   * within an hour or two stays below.
   *
   * @param share 0.001 to 1
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings errorShare(double share) {
    return with(Option.ERROR_SHARE, share);
  }

  /**
   * Sets how many errors or refusals in 24 hours are never an anomaly. The default is 20.
   *
   * @param errors 1 to 10^9
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings minimumErrors(long errors) {
    return with(Option.MINIMUM_ERRORS, (double) errors);
  }

  /**
   * Sets how many endpoints a key may use within 24 hours for the first time. The default is 8: new
   * versions of clients use new ones, but not as many.
   *
   * @param endpoints 1 to 10,000
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings newEndpoints(int endpoints) {
    return with(Option.NEW_ENDPOINTS, endpoints);
  }

  /**
   * Sets how many requests must come from new networks within 24 hours. The default is 5.
   *
   * @param requests 1 to 10^9
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings networkRequests(long requests) {
    return with(Option.NETWORK_REQUESTS, (double) requests);
  }

  /**
   * Sets from how many new networks within 24 hours, above twice what may be, it is grave by
   * itself: the key has been published. The default is 8: more than a client gets that moves to
   * another provider.
   *
   * @param networks 2 to 10,000
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings manyNetworks(int networks) {
    return with(Option.MANY_NETWORKS, networks);
  }

  /**
   * Sets after which time without use a key is dormant. The default is 45 days, so that monthly
   * work is not. Usage is read 90 days back, so a key that was silent for longer is one without
   * history.
   *
   * @param length 1 to 90 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings dormantAfter(Duration length) {
    return with(Option.DORMANT_AFTER, seconds(length, Option.DORMANT_AFTER));
  }

  /**
   * Sets for how long the newest secret must have been used alone before the use of an older one is
   * an anomaly. The default is 3 days: deployments come in steps, and nightly work changes last.
   *
   * @param length 1 hour to 28 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskSettings aloneFor(Duration length) {
    return with(Option.ALONE_FOR, seconds(length, Option.ALONE_FOR));
  }

  private static double seconds(Duration length, Option option) {
    return Objects.requireNonNull(length, option.text).toSeconds();
  }

  private RiskSettings with(Option option, double value) {
    if (!(value >= option.least && value <= option.most)) {
      throw new IllegalArgumentException(option.text + ": must be " + option.range);
    }
    Map<Option, Double> changed = new EnumMap<>(values);
    changed.put(option, value);
    return new RiskSettings(changed);
  }

  double get(Option option) {
    return Objects.requireNonNull(values.get(option));
  }

  Duration length(Option option) {
    return Duration.ofSeconds((long) get(option));
  }

  /**
   * Describes the settings, for logs.
   *
   * @return all of them
   */
  @Override
  public String toString() {
    return "RiskSettings" + values;
  }
}
