package io.keystile.usage;

import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which usage to read. Immutable: the methods that look like setters return a changed copy.
 *
 * <pre>{@code
 * UsageQuery november =
 *     UsageQuery.perDay(Instant.parse("2026-11-01T00:00:00Z"), Instant.parse("2026-12-01T00:00:00Z"))
 *         .owner("weather-app");
 * }</pre>
 */
public final class UsageQuery {
  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_LIMIT = 1_000;

  private final Period period;
  private final Instant from;
  private final Instant until;

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private @Nullable String key;
  private @Nullable String owner;
  private @Nullable String plan;
  private UsageReports.@Nullable Row after;
  private int limit = DEFAULT_LIMIT;

  private UsageQuery(Period period, Instant from, Instant until) {
    this.period = period;
    this.from = Objects.requireNonNull(from, "from");
    this.until = Objects.requireNonNull(until, "until");
    if (from.isBefore(Instant.EPOCH) || until.isBefore(from)) {
      throw new IllegalArgumentException("until: must not be before from, nor from before 1970");
    }
  }

  private UsageQuery copy() {
    UsageQuery copy = new UsageQuery(period, from, until);
    copy.key = key;
    copy.owner = owner;
    copy.plan = plan;
    copy.after = after;
    copy.limit = limit;
    return copy;
  }

  /**
   * Usage per hour.
   *
   * @param from hours that begin then or later, not before 1970; its milliseconds count
   * @param until hours that begin before then
   * @return a query for all keys
   * @throws IllegalArgumentException if the times are out of order
   */
  public static UsageQuery perHour(Instant from, Instant until) {
    return new UsageQuery(Period.HOUR, from, until);
  }

  /**
   * Usage per day of UTC.
   *
   * @param from days that begin then or later, not before 1970; its milliseconds count
   * @param until days that begin before then
   * @return a query for all keys
   * @throws IllegalArgumentException if the times are out of order
   */
  public static UsageQuery perDay(Instant from, Instant until) {
    return new UsageQuery(Period.DAY, from, until);
  }

  /**
   * Of one key alone.
   *
   * @param keyId the key id
   * @return a changed copy
   */
  public UsageQuery key(String keyId) {
    UsageQuery copy = copy();
    copy.key = Objects.requireNonNull(keyId, "keyId");
    return copy;
  }

  /**
   * Of the keys of one owner alone.
   *
   * @param owner the owner
   * @return a changed copy
   */
  public UsageQuery owner(String owner) {
    UsageQuery copy = copy();
    copy.owner = Objects.requireNonNull(owner, "owner");
    return copy;
  }

  /**
   * Under one plan alone: what a key used while it had that plan.
   *
   * @param plan the name of the plan
   * @return a changed copy
   */
  public UsageQuery plan(String plan) {
    UsageQuery copy = copy();
    copy.plan = Objects.requireNonNull(plan, "plan");
    return copy;
  }

  /**
   * Goes on after the last row of the page before.
   *
   * @param row the row
   * @return a changed copy
   */
  public UsageQuery after(UsageReports.Row row) {
    UsageQuery copy = copy();
    copy.after = Objects.requireNonNull(row, "row");
    return copy;
  }

  /**
   * Sets how many rows a page has at most.
   *
   * @param rows 1 to 1,000; default 100
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public UsageQuery limit(int rows) {
    if (rows < 1 || rows > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: must be 1 to " + MAX_LIMIT + ", is " + rows);
    }
    UsageQuery copy = copy();
    copy.limit = rows;
    return copy;
  }

  int limit() {
    return limit;
  }

  /**
   * What to ask the store for.
   *
   * @param within the only owner whose keys may be seen; null for all
   * @param metrics of these metrics; empty for all
   */
  Filter filter(@Nullable String within, Set<String> metrics) {
    boolean isOfAnother = within != null && owner != null && !owner.equals(within);
    // nothing begins before an instant and at it
    Instant end = isOfAnother ? from : until;
    String asked = within != null ? within : owner;
    return new Filter(period, millis(from), millis(end), key, asked, plan, metrics);
  }

  private static Instant millis(Instant time) {
    return Instant.ofEpochMilli(time.toEpochMilli());
  }

  /** What comes after it in the store's order comes after the whole row. */
  @Nullable Tally cursor() {
    if (after == null) {
      return null;
    }
    Subject subject = new Subject(after.keyId(), after.owner(), after.plan());
    return new Tally(subject, after.period(), after.start(), Metric.LAST, Metric.LAST, 0);
  }
}
