package io.keystile;

import io.keystile.usage.Risk;
import io.keystile.usage.RiskSettings;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the host wants to be done about the risk of a key, see {@link Risk}. By default somebody is
 * told, and nothing else is done. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * RiskPolicy.alerting().adaptingLimits().endingSecretsWithin(Duration.ofDays(2));
 * }</pre>
 *
 * <p>The keys that were used within the last interval or the hour before, on any node, are assessed
 * once per interval, by one of the nodes. What is done to a key is in its audit trail, by {@code
 * keystile}, with the reasons of the risk.
 *
 * <h2>Adapted limits</h2>
 *
 * <p>With {@code normal} = {@linkplain io.keystile.usage.UsageSummary#averageDailyRequests average
 * daily requests} / 1,440, and the limit of any minute as the plan says it:
 *
 * <ul>
 *   <li>At {@code HIGH} risk it becomes {@code min(plan, max(floor, 1.5 * normal))}, rounded down,
 *       if that is less than it is now. A plan that does not limit a minute gets such a limit.
 *   <li>At {@code LOW} risk it grows, not more than once in 24 hours, to {@code min(ceiling,
 *       max(limit + 1, 1.1 * limit))}, rounded down: back to what the plan says, and beyond up to
 *       the ceiling. Of a plan that does not limit a minute the limit is dropped.
 *   <li>At {@code MEDIUM} and {@code UNKNOWN} risk it stays; but what was last changed 30 days ago
 *       is dropped, and the plan applies again.
 *   <li>Whatever the risk, a limit above the ceiling, because the plan was changed, comes down to
 *       it.
 * </ul>
 *
 * <p>So a limit that was tightened stays for a day at least, however risk goes up and down
 * meanwhile, and comes back by a tenth a day. {@link KeyDetails#adapted} tells what it is and why.
 * Plans that count for owners are not adapted. All nodes know of it within {@link
 * ApiKeysBuilder#propagation}.
 */
public final class RiskPolicy {
  private static final Duration SHORTEST = Duration.ofMinutes(1);
  private static final Duration LONGEST = Duration.ofHours(1);
  private static final long DEFAULT_FLOOR = 10;
  private static final double DEFAULT_CEILING = 2;

  private static final RiskPolicy ALERTING = new RiskPolicy();

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private RiskSettings settings = RiskSettings.usual();
  private Duration interval = Duration.ofMinutes(15);
  private Risk.Level alertFrom = Risk.Level.MEDIUM;
  private @Nullable AdaptiveLimits adaptive;
  private @Nullable Duration secretsEnd;
  private boolean disables;
  private boolean reportsOnly;

  private RiskPolicy() {}

  private RiskPolicy copy() {
    RiskPolicy copy = new RiskPolicy();
    copy.settings = settings;
    copy.interval = interval;
    copy.alertFrom = alertFrom;
    copy.adaptive = adaptive;
    copy.secretsEnd = secretsEnd;
    copy.disables = disables;
    copy.reportsOnly = reportsOnly;
    return copy;
  }

  /**
   * Tells the listener ({@link KeyListener#riskFound}) from medium risk on, and does nothing else.
   *
   * @return the policy
   */
  public static RiskPolicy alerting() {
    return ALERTING;
  }

  /**
   * Sets from when on what is odd.
   *
   * @param settings the thresholds; default: {@link RiskSettings#usual()}
   * @return a changed copy
   */
  public RiskPolicy settings(RiskSettings settings) {
    RiskPolicy copy = copy();
    copy.settings = Objects.requireNonNull(settings, "settings");
    return copy;
  }

  /**
   * Sets how often keys are assessed.
   *
   * @param interval 1 minute to 1 hour; default 15 minutes
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskPolicy every(Duration interval) {
    if (interval.compareTo(SHORTEST) < 0 || interval.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("interval: must be 1 minute to 1 hour, is " + interval);
    }
    RiskPolicy copy = copy();
    copy.interval = Duration.ofMillis(interval.toMillis());
    return copy;
  }

  /**
   * Sets from what risk on the listener is told, at most once per key, kind of anomaly and day of
   * UTC; a second time only if the store's answer to the mark that says so was lost.
   *
   * @param level medium or high; default medium
   * @return a changed copy
   * @throws IllegalArgumentException if it is another
   */
  public RiskPolicy alertingFrom(Risk.Level level) {
    if (level != Risk.Level.MEDIUM && level != Risk.Level.HIGH) {
      throw new IllegalArgumentException("level: must be MEDIUM or HIGH, is " + level);
    }
    RiskPolicy copy = copy();
    copy.alertFrom = level;
    return copy;
  }

  /**
   * Adapts the limits of keys, with a floor of 10 requests a minute and a ceiling of twice the
   * plan.
   *
   * @return a changed copy
   */
  public RiskPolicy adaptingLimits() {
    return adaptingLimits(DEFAULT_FLOOR, DEFAULT_CEILING);
  }

  /**
   * Adapts the limits of keys.
   *
   * @param floor what high risk leaves to a key at least, if its plan gives it as much: requests in
   *     any minute, 0 to 2^30
   * @param ceiling how many times its plan a key may get at low risk, 1 to 100
   * @return a changed copy
   * @throws IllegalArgumentException if one of them is out of range
   */
  public RiskPolicy adaptingLimits(long floor, double ceiling) {
    if (floor < 0 || floor > 1L << 30) {
      throw new IllegalArgumentException("floor: must be 0 to 2^30, is " + floor);
    }
    if (!(ceiling >= 1 && ceiling <= 100)) {
      throw new IllegalArgumentException("ceiling: must be 1 to 100, is " + ceiling);
    }
    RiskPolicy copy = copy();
    copy.adaptive = new AdaptiveLimits(floor, ceiling);
    return copy;
  }

  /**
   * Forces a rotation at high risk: the secrets of the key end after the grace, unless they end
   * before. The key is due from then on, so its client is told by when to change its secret, and a
   * client that may do so does it by itself; a thief that has the newest secret may, too, if the
   * key has the scope {@code keys:rotate}. Done once per secret, and not to one that was made
   * within the last 24 hours.
   *
   * @param grace 0 to 36,500 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RiskPolicy endingSecretsWithin(Duration grace) {
    RiskPolicy copy = copy();
    copy.secretsEnd = RotationPolicy.requireGrace(grace);
    return copy;
  }

  /**
   * Disables a key at high risk, until somebody enables it: at most once in 48 hours, so that who
   * enables it has time to look.
   *
   * @return a changed copy
   */
  public RiskPolicy disabling() {
    RiskPolicy copy = copy();
    copy.disables = true;
    return copy;
  }

  /**
   * Changes no key: what would be done at high risk is logged, once per key and day, and the
   * listener is told.
   *
   * @return a changed copy
   */
  public RiskPolicy reportingOnly() {
    RiskPolicy copy = copy();
    copy.reportsOnly = true;
    return copy;
  }

  RiskSettings settings() {
    return settings;
  }

  Duration interval() {
    return interval;
  }

  Risk.Level alertFrom() {
    return alertFrom;
  }

  @Nullable AdaptiveLimits adaptive() {
    return adaptive;
  }

  @Nullable Duration secretsEnd() {
    return secretsEnd;
  }

  boolean disables() {
    return disables;
  }

  boolean reportsOnly() {
    return reportsOnly;
  }
}
