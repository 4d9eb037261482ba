package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.OwnerKeys;
import io.keystile.examples.portal.UsageChart.Bar;
import io.keystile.usage.Usage;
import io.keystile.usage.Usage.Durations;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageReports;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How much a key is used: its last 24 hours and 30 days as bars, and what there was in them. */
final class UsagePanel implements KeyPanel {
  private static final int HOURS = 24;
  private static final int DAYS = 30;
  private static final int NAMES = 5;

  /** More than there are hours or days, since what was used under another plan is apart. */
  private static final int ROWS = 1_000;

  private static final DateTimeFormatter HOUR = format("HH:mm");
  private static final DateTimeFormatter DAY = format("d MMM");

  private static DateTimeFormatter format(String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).withZone(ZoneOffset.UTC);
  }

  @Override
  public Html of(OwnerKeys mine, KeyDetails key, Instant now) {
    UsageReports reports = mine.usage();
    Instant end = now.plusMillis(1); // the hour that begins just now is one of them
    Instant firstDay = now.truncatedTo(ChronoUnit.DAYS).minus(Duration.ofDays(DAYS - 1));
    SortedMap<Instant, Usage> days = slots(firstDay, ChronoUnit.DAYS, DAYS);
    fill(days, reports.rows(UsageQuery.perDay(firstDay, end).key(key.id()).limit(ROWS)));
    Usage all = days.values().stream().reduce(Usage.NONE, Usage::plus);
    if (all.equals(Usage.NONE)) {
      return section(empty(key));
    }
    Instant firstHour = now.truncatedTo(ChronoUnit.HOURS).minus(Duration.ofHours(HOURS - 1));
    SortedMap<Instant, Usage> hours = slots(firstHour, ChronoUnit.HOURS, HOURS);
    fill(hours, reports.rows(UsageQuery.perHour(firstHour, end).key(key.id()).limit(ROWS)));
    return section(
        Html.of(
            """
            <h3>Requests in the last 24 hours</h3>{}
            <h3>Requests in the last 30 days</h3>{}
            {}
            <div class="columns">{}{}{}</div>
            """,
            UsageChart.of("hours", "Requests in the last 24 hours", bars(hours, HOUR)),
            UsageChart.of("days", "Requests in the last 30 days", bars(days, DAY)),
            totals(all),
            counts("Busiest endpoints", all.endpoints()),
            counts("Networks", all.networks()),
            counts("Callers", all.callers())));
  }

  private static Html section(Html content) {
    return Html.of(
        """
        <section class="card usage"><div class="heading"><h2>Usage</h2>
        <a href="/portal/usage.csv">All keys of this month as CSV</a></div>
        {}
        </section>
        """,
        content);
  }

  private static Html empty(KeyDetails key) {
    return Html.of(
        "<p class=\"lead\">{}</p>",
        key.lastUsed() == null
            ? "No requests yet. What programs do with this key is counted here, a few seconds"
                + " after they do it."
            : "No requests in the last 30 days.");
  }

  private static SortedMap<Instant, Usage> slots(Instant first, ChronoUnit length, int count) {
    SortedMap<Instant, Usage> slots = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      slots.put(first.plus(i, length), Usage.NONE);
    }
    return slots;
  }

  private static void fill(SortedMap<Instant, Usage> slots, List<UsageReports.Row> rows) {
    rows.forEach(row -> slots.merge(row.start(), row.usage(), Usage::plus));
  }

  private static List<Bar> bars(SortedMap<Instant, Usage> slots, DateTimeFormatter label) {
    return slots.entrySet().stream()
        .map(slot -> new Bar(label.format(slot.getKey()), slot.getValue().requests()))
        .toList();
  }

  private static Html totals(Usage all) {
    return Html.of(
        "<dl class=\"facts\">{}{}{}{}</dl>",
        fact("Requests let in", Html.of("{}", UsageChart.number(all.requests()))),
        fact("Refused", refused(all)),
        fact("Bytes", Html.of("{}", bytes(all.bytes()))),
        fact("19 of 20 answered", Html.of("{}", bound(all.durations()))));
  }

  private static Html fact(String name, Html value) {
    return Html.of("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
  }

  private static Html refused(Usage all) {
    String reasons =
        all.refusals().entrySet().stream()
            .map(reason -> Reasons.text(reason.getKey()) + " " + reason.getValue())
            .collect(Collectors.joining(", "));
    return Html.of(
        "{}{}",
        UsageChart.number(all.refused()),
        reasons.isEmpty() ? Html.NONE : Html.of(" <small>{}</small>", reasons));
  }

  private static String bytes(long bytes) {
    return UsageChart.number(bytes).replaceFirst("([kMGTPE]?)$", " $1B");
  }

  /** The histogram knows a bound only. */
  private static String bound(Durations durations) {
    return durations.count() == 0 ? "Not known" : "within " + length(durations.atMost(0.95));
  }

  static String length(Duration time) {
    double millis = time.toNanos() / 1e6;
    if (millis >= 10_000) {
      return String.format(Locale.ROOT, "%.0f s", millis / 1000);
    }
    return String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%.0f ms", millis);
  }

  /** The most frequent ones; nothing if the service tells of none. */
  private static Html counts(String title, Map<String, Long> counts) {
    if (counts.isEmpty()) {
      return Html.NONE;
    }
    List<Html> most =
        counts.entrySet().stream()
            .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
            .limit(NAMES)
            .map(
                one ->
                    Html.of(
                        "<li><code>{}</code> <b>{}</b></li>\n",
                        one.getKey(),
                        UsageChart.number(one.getValue())))
            .toList();
    return Html.of(
        "<div><h3>{}</h3><ul class=\"counts\">{}{}</ul></div>\n",
        title,
        Html.join(most),
        counts.size() > NAMES
            ? Html.of("<li class=\"more\">and {} more</li>", counts.size() - NAMES)
            : Html.NONE);
  }
}
