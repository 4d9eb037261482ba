package io.keystile.usage;

import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads what was used, for bills, plans and people. What is read is what nodes have written: it is
 * as old as their flush interval.
 *
 * <pre>{@code
 * Usage november = reports.total(UsageQuery.perDay(from, until).owner("weather-app"));
 * bill(november.requests(), november.bytes());
 * }</pre>
 *
 * <p>Safe for use by many threads. All methods read the store: they block, and throw {@link
 * io.keystile.store.StoreException} if it fails.
 */
public final class UsageReports {
  private static final int PAGE = 5_000;

  private static final int PURGED_AT_ONCE = 10_000;

  /** The baseline, the 24 hours that are judged, and the rest of the day before both. */
  private static final Duration HOURS_READ = Duration.ofDays(30);

  private static final Duration DAYS_READ = Duration.ofDays(92);

  /** What risk is judged by: not how long responses took, which is half of all there is. */
  private static final Set<String> JUDGED =
      Set.of(
          Metric.REQUESTS,
          Metric.REFUSALS,
          Metric.ANSWERS,
          Metric.BYTES,
          Metric.ENDPOINTS,
          Metric.NETWORKS,
          Metric.SECRETS,
          Metric.PEAK_MINUTE,
          Metric.PEAK_NETWORKS);

  private final UsageStore store;
  private final Function<String, @Nullable Instant> issuedAt;
  private final @Nullable String owner;

  private UsageReports(
      UsageStore store, Function<String, @Nullable Instant> issuedAt, @Nullable String owner) {
    this.store = Objects.requireNonNull(store, "store");
    this.issuedAt = Objects.requireNonNull(issuedAt, "issuedAt");
    this.owner = owner;
  }

  /**
   * Reports on what a store holds.
   *
   * @param store the store
   * @return reports on all keys
   */
  public static UsageReports on(UsageStore store) {
    return new UsageReports(store, keyId -> null, null);
  }

  /**
   * The same, knowing when keys were issued. Then risk finds a key that is dormant also if it was
   * not used for as long as usage is read, or never.
   *
   * @param issuedAt tells it of a key id, null if there is no such key; may block. It is asked for
   *     keys without earlier use alone
   * @return such reports
   */
  public UsageReports knowing(Function<String, @Nullable Instant> issuedAt) {
    return new UsageReports(store, issuedAt, owner);
  }

  /**
   * The same for the keys of one owner: those of others look as if they had never been used.
   *
   * @param owner the owner
   * @return reports on his keys
   */
  public UsageReports within(String owner) {
    if (this.owner != null && !this.owner.equals(owner)) {
      throw new IllegalArgumentException("owner: these reports are on another");
    }
    return new UsageReports(store, issuedAt, Objects.requireNonNull(owner, "owner"));
  }

  /**
   * What one key has used in one hour or day, under one plan.
   *
   * @param keyId the key
   * @param owner whose it is
   * @param plan the plan that it had then; null for none
   * @param period whether it is an hour or a day
   * @param start when the hour or day began
   * @param usage what was used
   */
  public record Row(
      String keyId,
      String owner,
      @Nullable String plan,
      Period period,
      Instant start,
      Usage usage) {

    /** Checks that all is given. */
    public Row {
      Objects.requireNonNull(keyId, "keyId");
      Objects.requireNonNull(owner, "owner");
      Objects.requireNonNull(period, "period");
      Objects.requireNonNull(start, "start");
      Objects.requireNonNull(usage, "usage");
    }
  }

  /**
   * Reads a page of usage, in the order of key id, time and plan.
   *
   * @param query which
   * @return the rows; fewer than the limit of the query if these are the last
   */
  public List<Row> rows(UsageQuery query) {
    List<Row> rows = new ArrayList<>();
    scan(
        query.filter(owner, Set.of()),
        query.cursor(),
        row -> {
          rows.add(row);
          return rows.size() < query.limit();
        });
    return rows;
  }

  /**
   * What was used in all, on all pages.
   *
   * @param query which; its limit does not count
   * @return the sum
   */
  public Usage total(UsageQuery query) {
    List<Usage> parts = new ArrayList<>();
    scan(
        query.filter(owner, Set.of()),
        query.cursor(),
        row -> {
          parts.add(row.usage());
          if (parts.size() == PAGE) {
            Usage sum = Usage.sum(parts);
            parts.clear();
            parts.add(sum);
          }
          return true;
        });
    return Usage.sum(parts);
  }

  /**
   * Writes usage as CSV (RFC 4180): a header, then a line for each key, time, plan, metric and
   * label. Text that a spreadsheet would take for a formula is preceded by an apostrophe.
   *
   * @param query which; its limit does not count
   * @param out where to; is not closed
   * @throws IOException if it cannot be written to
   */
  public void csv(UsageQuery query, Appendable out) throws IOException {
    Csv csv = new Csv(out);
    Filter filter = query.filter(owner, Set.of());
    csv.header();
    Tally after = query.cursor();
    List<Tally> page;
    do {
      page = store.tallies(filter, after, PAGE);
      for (Tally tally : page) {
        csv.line(tally);
        after = tally;
      }
    } while (page.size() == PAGE);
  }

  /**
   * Assesses one key: reads what it was used for in the last 30 days by the hour, and in the last
   * 92 by the day.
   *
   * @param keyId the key id
   * @param settings what is odd
   * @param now the time of the judgement
   * @return its risk; unknown for a key that was never used
   */
  public Risk risk(String keyId, RiskSettings settings, Instant now) {
    SortedMap<Instant, Usage> hours =
        byStart(UsageQuery.perHour(back(now, HOURS_READ), after(now)).key(keyId));
    SortedMap<Instant, Usage> days =
        byStart(UsageQuery.perDay(back(now, DAYS_READ), after(now)).key(keyId));
    Instant recent = Span.at(now).recent();
    boolean isAwake =
        isUsed(hours.tailMap(recent))
            && !isUsed(hours.headMap(recent))
            && !isUsed(days.headMap(Span.day(recent)));
    Instant silentSince = isAwake ? silentSince(keyId, settings, now, recent) : null;
    return new Analyst(settings).assess(History.of(keyId, silentSince, hours, days), now);
  }

  private static boolean isUsed(SortedMap<Instant, Usage> usage) {
    return usage.values().stream().anyMatch(some -> Facts.of(some, Measures.USUAL).isUse());
  }

  /** Since when a key without earlier use was there and silent, if it is long ago and known. */
  private @Nullable Instant silentSince(
      String keyId, RiskSettings settings, Instant now, Instant recent) {
    Instant issued = issuedAt.apply(keyId);
    if (issued == null) {
      return null;
    }
    Instant oldest = back(now, DAYS_READ);
    Instant since = issued.isBefore(oldest) ? oldest : issued;
    boolean isLong =
        since.isBefore(back(recent, settings.length(RiskSettings.Option.DORMANT_AFTER)));
    return isLong && wasRecorded(oldest, since) ? since : null;
  }

  /** Whether usage was recorded by then, of any key: what was not recorded was not silent. */
  private boolean wasRecorded(Instant oldest, Instant then) {
    UsageQuery query = UsageQuery.perDay(Span.day(oldest), Span.day(then).plus(Duration.ofDays(1)));
    return !store.tallies(query.filter(null, Set.of(Metric.REQUESTS)), null, 1).isEmpty();
  }

  /**
   * Assesses every key that was used since a time, one after the other.
   *
   * @param settings what is odd
   * @param since in the hour of that time or later
   * @param now the time of the judgement
   * @param risks takes each; what it throws ends this
   */
  public void risks(
      RiskSettings settings, Instant since, Instant now, Consumer<? super Risk> risks) {
    UsageQuery active = UsageQuery.perHour(Period.HOUR.startOf(since), after(now));
    Set<String> keys = new TreeSet<>();
    scan(
        active.filter(owner, Set.of(Metric.REQUESTS, Metric.REFUSALS)),
        null,
        row -> {
          keys.add(row.keyId());
          return true;
        });
    keys.forEach(keyId -> risks.accept(risk(keyId, settings, now)));
  }

  private static Instant back(Instant now, Duration time) {
    Instant from = now.minus(time);
    return from.isBefore(Instant.EPOCH) ? Instant.EPOCH : from;
  }

  /** Just after now: the hour that is going on began before. */
  private static Instant after(Instant now) {
    return now.plusMillis(1);
  }

  private SortedMap<Instant, Usage> byStart(UsageQuery query) {
    SortedMap<Instant, Usage> usage = new TreeMap<>();
    scan(
        query.filter(owner, JUDGED),
        null,
        row -> {
          usage.merge(row.start(), row.usage(), Usage::plus); // under another plan
          return true;
        });
    return usage;
  }

  /**
   * Removes what is old, for good.
   *
   * @param hoursBefore usage per hour from before then is removed, and what is known of batches, so
   *     that a node which has not reached the store since then may be counted twice
   * @param daysBefore usage per day from before then is removed
   * @return how many tallies and batches were removed
   */
  public long purge(Instant hoursBefore, Instant daysBefore) {
    if (owner != null) {
      throw new IllegalStateException("These reports are on one owner");
    }
    Retention retention =
        new Retention(millis(hoursBefore), millis(daysBefore), millis(hoursBefore), PURGED_AT_ONCE);
    long all = 0;
    int removed;
    do {
      removed = store.purge(retention);
      all += removed;
    } while (removed > 0);
    return all;
  }

  private static Instant millis(Instant time) {
    return Instant.ofEpochMilli(time.toEpochMilli());
  }

  /** Whether to go on. */
  private interface Rows {
    boolean take(Row row);
  }

  /** Tallies of one row follow each other, and a page may end between them. */
  private void scan(Filter filter, @Nullable Tally cursor, Rows rows) {
    List<Tally> open = new ArrayList<>();
    Tally after = cursor;
    List<Tally> page;
    do {
      page = store.tallies(filter, after, PAGE);
      for (Tally tally : page) {
        if (!open.isEmpty() && !isSameRow(open.get(0), tally)) {
          if (!rows.take(row(open))) {
            return;
          }
          open.clear();
        }
        open.add(tally);
        after = tally;
      }
    } while (page.size() == PAGE);
    if (!open.isEmpty()) {
      rows.take(row(open));
    }
  }

  private static boolean isSameRow(Tally a, Tally b) {
    return a.subject().keyId().equals(b.subject().keyId())
        && Objects.equals(a.subject().plan(), b.subject().plan())
        && a.start().equals(b.start());
  }

  private static Row row(List<Tally> tallies) {
    Tally first = tallies.get(0);
    Subject subject = first.subject();
    return new Row(
        subject.keyId(),
        subject.owner(),
        subject.plan(),
        first.period(),
        first.start(),
        Usage.of(tallies));
  }
}
