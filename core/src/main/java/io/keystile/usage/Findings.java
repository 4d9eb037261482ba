package io.keystile.usage;

import io.keystile.usage.Risk.Anomaly;
import io.keystile.usage.Risk.Kind;
import io.keystile.usage.RiskSettings.Option;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** The anomalies of one key in the last 24 hours: each rule by itself, none knows of another. */
final class Findings {
  /** Hours of a surge: fewer are a queue that is worked off. */
  private static final int SURGE_HOURS = 6;

  /** A share that is usually tiny may be three times as large and still be tiny. */
  private static final double SHARE_FACTOR = 3;

  /** How many times its usual size an answer may have: data grow, too. */
  private static final double SIZE_FACTOR = 1.5;

  /** How far work that is done once a month may move, in days, and how many months back. */
  private static final int DAYS_AROUND = 2;

  private static final int MONTHS_BACK = 2;

  /** By how much monthly work stands out, and how many times as much as the last it may be. */
  private static final double MONTHLY_SHARE = 0.3;

  private static final double MONTHLY_FACTOR = 1.5;

  private final History history;
  private final Baseline baseline;
  private final Span span;
  private final RiskSettings settings;
  private final Recent recent;
  private final Baseline.Usual usualRequests;
  private final List<Anomaly> found = new ArrayList<>();

  Findings(
      History history, Baseline baseline, Span span, RiskSettings settings, Measures measures) {
    this.history = history;
    this.baseline = baseline;
    this.span = span;
    this.settings = settings;
    recent = new Recent(history, baseline, span, measures);
    usualRequests = baseline.dailyRequests(span.recent());
  }

  /** What is an anomaly whatever the habits of the key. */
  List<Anomaly> withoutHabits() {
    found.clear();
    dormantAwake();
    oldSecret();
    retiredSecret();
    return List.copyOf(found);
  }

  /** What is an anomaly beside the habits of the key. */
  List<Anomaly> besideHabits() {
    found.clear();
    if (!recent.hours.isEmpty()) {
      rate();
      bytes();
      oddHours();
      errors();
      refusals();
      probing();
      newNetworks();
      networksAtOnce();
    }
    return List.copyOf(found);
  }

  private void add(Kind kind, double observed, double expected, double threshold, String evidence) {
    found.add(new Anomaly(kind, observed, expected, threshold, false, evidence));
  }

  private double get(Option option) {
    return settings.get(option);
  }

  /** What may be of an amount: the most of what speaks for it. */
  private double allowed(Baseline.Usual usual, Option factor, double least) {
    double deviations = get(Option.DEVIATION);
    double middle = usual.middle();
    double counted = middle + deviations * Math.sqrt(middle);
    double varied = middle * Math.exp(deviations * usual.spread());
    return Math.max(Math.max(least, get(factor) * middle), Math.max(counted, varied));
  }

  private void rate() {
    double worst = 0;
    @Nullable Anomaly anomaly = null;
    int surge = 0;
    for (Map.Entry<Instant, Facts> entry : recent.hours.entrySet()) {
      Instant hour = entry.getKey();
      double requests = recent.soFar(hour, (double) entry.getValue().requests());
      Baseline.Usual usual = baseline.requestsIn(hour);
      double allowed = allowed(usual, Option.RATE_FACTOR, get(Option.MINIMUM_REQUESTS));
      surge += requests > allowed * get(Option.SURGE_FACTOR) ? 1 : 0;
      if (requests > allowed && requests > worst * allowed) {
        worst = requests / allowed;
        String evidence =
            Words.number(requests)
                + " requests in the hour from "
                + hour
                + ", usual are "
                + Words.number(usual.middle());
        anomaly = new Anomaly(Kind.RATE, requests, usual.middle(), allowed, false, evidence);
      }
    }
    if (anomaly == null) {
      anomaly = dailyRate();
    }
    if (anomaly != null && !isMonthly()) {
      boolean grave = surge >= SURGE_HOURS;
      found.add(
          new Anomaly(
              Kind.RATE,
              anomaly.observed(),
              anomaly.expected(),
              anomaly.threshold(),
              grave,
              anomaly.evidence() + (grave ? "; far above in " + surge + " hours" : "")));
    }
  }

  private @Nullable Anomaly dailyRate() {
    double middle = usualRequests.middle();
    double allowed =
        Math.max(
            allowed(usualRequests, Option.DAILY_FACTOR, 2 * get(Option.MINIMUM_REQUESTS)),
            baseline.secondBusiestDay());
    if (recent.requests <= allowed) {
      return null;
    }
    String evidence =
        Words.number(recent.requests) + " requests in 24 hours, usual are " + Words.number(middle);
    return new Anomaly(Kind.RATE, recent.requests, middle, allowed, false, evidence);
  }

  /**
   * Whether about as much more than usual was done around this day of an earlier month. In two days
   * together: a night's work is in both.
   */
  private boolean isMonthly() {
    LocalDate today = LocalDate.ofInstant(span.now(), ZoneOffset.UTC);
    double usual = usualRequests.middle();
    for (int months = 1; months <= MONTHS_BACK; months++) {
      LocalDate then = today.minusMonths(months);
      for (int shift = -DAYS_AROUND; shift < DAYS_AROUND; shift++) {
        Instant day = then.plusDays(shift).atStartOfDay(ZoneOffset.UTC).toInstant();
        double more =
            baseline.requestsOn(day)
                + baseline.requestsOn(day.plus(Duration.ofDays(1)))
                - 2 * usual;
        if (more > MONTHLY_SHARE * usual && recent.requests - usual < MONTHLY_FACTOR * more) {
          return true;
        }
      }
    }
    return false;
  }

  private void bytes() {
    double bytes = recent.bytes;
    if (bytes < get(Option.MINIMUM_BYTES)) {
      return;
    }
    Baseline.Usual usual = baseline.dailyBytes(span.recent());
    double allowed =
        Math.max(
            allowed(usual, Option.DAILY_FACTOR, get(Option.MINIMUM_BYTES)),
            baseline.secondHeaviestDay());
    if (bytes > allowed && !isMonthly()) {
      add(
          Kind.BYTES,
          bytes,
          usual.middle(),
          allowed,
          Words.number(bytes) + " bytes in 24 hours, usual are " + Words.number(usual.middle()));
    } else {
      bytesPerRequest();
    }
  }

  /** Larger answers than usual, however many. */
  private void bytesPerRequest() {
    Baseline.Daily sizes = baseline.sizes();
    double size = recent.bytes / Math.max(1, recent.requests);
    double usual = Math.exp(sizes.middle());
    double spread = Math.exp(get(Option.DEVIATION) * sizes.spread());
    double allowed =
        Math.max(usual * Math.max(SIZE_FACTOR, spread), Math.exp(sizes.often()) * SIZE_FACTOR);
    if (sizes.isKnown() && size > allowed) {
      add(
          Kind.BYTES,
          size,
          usual,
          allowed,
          Words.number(size) + " bytes per request in 24 hours, usual are " + Words.number(usual));
    }
  }

  private void oddHours() {
    int odd = recent.oddHours;
    double usual = baseline.oddHours().middle();
    double allowed = Math.max(get(Option.ODD_HOURS) - 1, baseline.oddHours().often());
    if (odd > allowed) {
      add(
          Kind.ODD_HOURS,
          odd,
          usual,
          allowed,
          "used in " + odd + " hours of the last 24 that are usually silent");
    }
  }

  private void errors() {
    share(Kind.ERRORS, recent.errors, (double) recent.answers, baseline.errorShares());
  }

  private void refusals() {
    double all = recent.requests + recent.refused;
    share(Kind.REFUSALS, recent.refused, all, baseline.refusedShares());
  }

  private void share(Kind kind, long part, double all, Baseline.Daily daily) {
    double share = all == 0 ? 0 : part / all;
    double usual = daily.middle();
    double allowed =
        Math.max(
            SHARE_FACTOR * usual,
            usual + Math.max(get(Option.ERROR_SHARE), get(Option.DEVIATION) * daily.spread()));
    if (part >= get(Option.MINIMUM_ERRORS) && share > allowed) {
      String what = kind == Kind.ERRORS ? " answers were errors" : " requests were refused";
      add(
          kind,
          share,
          usual,
          allowed,
          Words.number(part)
              + " of "
              + Words.number(all)
              + what
              + ", "
              + Words.percent(share)
              + " in 24 hours, usual are "
              + Words.percent(usual));
    }
  }

  /** How many new names of a day are no anomaly. */
  private double allowedNew(Baseline.Daily daily, double least) {
    double middle = daily.middle();
    double spread = Math.max(daily.spread(), Math.sqrt(middle));
    return Math.max(least, Math.max(middle + get(Option.DEVIATION) * spread, daily.often()));
  }

  private void probing() {
    SortedMap<String, Long> unknown = recent.newEndpoints;
    Baseline.Daily daily = baseline.newEndpoints();
    double allowed = allowedNew(daily, get(Option.NEW_ENDPOINTS));
    if (daily.isKnown() && unknown.size() > allowed) {
      add(
          Kind.PROBING,
          unknown.size(),
          daily.middle(),
          allowed,
          Words.number(unknown.size())
              + " endpoints that were never used before, as "
              + Words.names(unknown.keySet()));
    }
  }

  private void newNetworks() {
    SortedMap<String, Long> unknown = recent.newNetworks;
    long requests = unknown.values().stream().mapToLong(Long::longValue).sum();
    Baseline.Daily daily = baseline.newNetworks();
    double allowed = allowedNew(daily, 0);
    if (daily.isKnown() && unknown.size() > allowed && requests >= get(Option.NETWORK_REQUESTS)) {
      String evidence =
          Words.number(requests)
              + " requests from networks that were never seen before: "
              + Words.names(unknown.keySet());
      boolean grave = unknown.size() >= 2 * allowed + get(Option.MANY_NETWORKS);
      found.add(
          new Anomaly(Kind.NEW_NETWORK, unknown.size(), daily.middle(), allowed, grave, evidence));
    }
  }

  private void networksAtOnce() {
    long most = recent.networksAtOnce;
    double usual = baseline.networksAtOnce();
    double spread = Math.sqrt(usual);
    double allowed = usual <= 2 ? usual : usual + spread;
    if (usual > 0 && most > allowed) {
      add(
          Kind.NETWORKS_AT_ONCE,
          (double) most,
          usual,
          allowed,
          Words.number(most)
              + " networks within one minute, before at most "
              + Words.number(usual));
    }
  }

  private void dormantAwake() {
    Instant first = recent.firstUse;
    if (first == null) {
      return;
    }
    Instant last = lastUseBefore(span.recent());
    Instant since = last == null ? history.silentSince() : last;
    if (since == null) {
      return;
    }
    Duration silent = Duration.between(since, first);
    Duration allowed = settings.length(Option.DORMANT_AFTER);
    if (silent.compareTo(allowed) > 0) {
      add(
          Kind.DORMANT_AWAKE,
          (double) silent.toDays(),
          0,
          (double) allowed.toDays(),
          "used after "
              + silent.toDays()
              + " days without use"
              + (last == null ? ", as far as is known" : ""));
    }
  }

  /** The end of the last hour or day with use before then. */
  private @Nullable Instant lastUseBefore(Instant time) {
    Instant last = lastUse(history.hours().headMap(time), Duration.ofHours(1));
    Instant day = lastUse(history.days().headMap(Span.day(time)), Duration.ofDays(1));
    return last == null || (day != null && day.isAfter(last) && !coveredByHours(day)) ? day : last;
  }

  /** Where hours are kept, they say it more exactly than days. */
  private boolean coveredByHours(Instant day) {
    return history.hours().firstKey().isBefore(day);
  }

  private static @Nullable Instant lastUse(SortedMap<Instant, Facts> some, Duration length) {
    SortedMap<Instant, Facts> left = some;
    while (!left.isEmpty()) {
      Instant start = left.lastKey();
      if (Objects.requireNonNull(left.get(start)).isUse()) {
        return start.plus(length);
      }
      left = left.headMap(start);
    }
    return null;
  }

  private void oldSecret() {
    SecretTrail trail = baseline.secrets();
    history
        .hours()
        .subMap(span.end(), span.recent())
        .forEach((hour, facts) -> trail.follow(hour, facts));
    SecretTrail.@Nullable Return longest = null;
    for (Map.Entry<Instant, Facts> entry : recent.hours.entrySet()) {
      SecretTrail.Return back = trail.follow(entry.getKey(), entry.getValue());
      if (back != null && (longest == null || back.alone().compareTo(longest.alone()) > 0)) {
        longest = back;
      }
    }
    Duration allowed = settings.length(Option.ALONE_FOR);
    if (longest != null && longest.alone().compareTo(allowed) > 0) {
      add(
          Kind.OLD_SECRET,
          (double) longest.alone().toHours(),
          0,
          (double) allowed.toHours(),
          "secret "
              + longest.version()
              + " is used again, after "
              + longest.alone().toHours()
              + " hours in which secret "
              + longest.newest()
              + " was used alone");
    }
  }

  private void retiredSecret() {
    long retired = recent.retired;
    if (retired > 0) {
      add(
          Kind.RETIRED_SECRET,
          (double) retired,
          0,
          0,
          Words.number(retired)
              + " requests in 24 hours with a secret that was retired or revoked");
    }
  }
}
