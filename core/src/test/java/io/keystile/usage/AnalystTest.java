package io.keystile.usage;

import static java.time.temporal.ChronoUnit.DAYS;
import static java.time.temporal.ChronoUnit.HOURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.InMemoryKeyStore;
import io.keystile.Reason;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.usage.Risk.Anomaly;
import io.keystile.usage.Risk.Kind;
import io.keystile.usage.Risk.Level;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AnalystTest {
  /** A Wednesday, a third of an hour after three in the afternoon. */
  private static final Instant NOW = Instant.parse("2026-03-04T15:20:00Z");

  private static final String HOME = "192.0.2.0/24";
  private static final String ELSEWHERE = "203.0.113.0/24";

  private final Map<Instant, Sheet> sheets = new HashMap<>();

  /** Mean and standard deviation, as everybody writes it first. */
  private static final Measures NOT_ROBUST =
      new Measures() {
        @Override
        double middle(double[] values) {
          return Arrays.stream(values).average().orElse(0);
        }

        @Override
        double spread(double[] values) {
          double mean = middle(values);
          return Math.sqrt(
              Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElse(0));
        }
      };

  private static final Measures ALL_HOURS_ALIKE =
      new Measures() {
        @Override
        boolean knowsTimeOfWeek() {
          return false;
        }
      };

  private static final Measures EXTRAPOLATES =
      new Measures() {
        @Override
        double soFar(double amount, double shareOfHour) {
          return amount / shareOfHour;
        }
      };

  private static final Measures COUNTS_ANYTHING =
      new Measures() {
        @Override
        boolean isProven(String reason) {
          return true;
        }
      };

  private Sheet at(Instant hour) {
    return sheets.computeIfAbsent(Span.hour(hour), h -> new Sheet());
  }

  private static Instant ago(int hours) {
    return Span.hour(NOW).minus(hours, HOURS);
  }

  /** 100 requests an hour in the hours of an office, for so many days, until now. */
  private AnalystTest office(int days) {
    Instant begin = Span.day(NOW).minus(days, DAYS);
    for (Instant hour = begin; !hour.isAfter(NOW); hour = hour.plus(1, HOURS)) {
      int time = hour.atOffset(ZoneOffset.UTC).getHour();
      DayOfWeek day = hour.atOffset(ZoneOffset.UTC).getDayOfWeek();
      if (time >= 8 && time < 18 && day.compareTo(DayOfWeek.SATURDAY) < 0) {
        // Not all alike: 96 to 104.
        long requests = 96 + hour.getEpochSecond() / 3_600 * 7 % 9;
        at(hour).let(requests, HOME, 1, "/a", "GET 200").most(Metric.PEAK_NETWORKS, 1);
        at(hour).add(Metric.BYTES, Metric.ALL, 100_000 * requests);
        at(hour).most(Metric.PEAK_MINUTE, 5);
      }
    }
    return this;
  }

  private History history(Measures measures, Instant created) {
    SortedMap<Instant, Facts> hours = new TreeMap<>();
    Map<Instant, Sheet> byDay = new TreeMap<>();
    sheets.forEach(
        (hour, sheet) -> {
          hours.put(hour, Facts.of(sheet.usage(), measures));
          byDay.computeIfAbsent(Span.day(hour), d -> new Sheet()).addAll(sheet);
        });
    SortedMap<Instant, Facts> days = new TreeMap<>();
    byDay.forEach((day, sheet) -> days.put(day, Facts.of(sheet.usage(), measures)));
    return new History("key", created, hours.tailMap(NOW.minus(31, DAYS)), days);
  }

  private Risk assess(Measures measures) {
    return new Analyst(RiskSettings.usual(), measures).assess(history(measures, null), NOW);
  }

  private Risk assess() {
    return assess(Measures.USUAL);
  }

  private Anomaly only(Kind kind) {
    Risk risk = assess();
    assertThat(risk.anomalies()).extracting(Anomaly::kind).containsExactly(kind);
    assertThat(risk.level()).isEqualTo(Level.MEDIUM);
    return risk.anomalies().get(0);
  }

  @Test
  void a_summary_tells_peaks_the_busiest_endpoints_and_the_ends() {
    office(60);
    at(ago(24 * 10)).let(5_000, HOME, 1, "/report", "GET 200").most(Metric.PEAK_MINUTE, 700);
    for (int i = 1; i <= 6; i++) {
      at(ago(30 + i)).let(i, HOME, 1, "/few" + i, "GET 200");
    }

    UsageSummary summary = assess().summary();

    assertThat(summary.averagedDays()).isEqualTo(28);
    assertThat(summary.peakMinute()).isEqualTo(700);
    assertThat(summary.peakHour()).isBetween(5_000L, 5_104L);
    assertThat(summary.peakHourStart()).isEqualTo(ago(24 * 10));
    assertThat(summary.busiestEndpoints())
        .extracting(UsageSummary.Endpoint::name)
        .containsExactly("/a", "/report", "/few6", "/few5", "/few4");
    assertThat(summary.busiestEndpoints().get(1).responses()).isEqualTo(5_000);
    assertThat(summary.firstUse()).isEqualTo("2026-01-05T00:00:00Z"); // the first Monday
    assertThat(summary.lastUse()).isEqualTo(Span.hour(NOW));
  }

  @Test
  void each_key_in_use_is_assessed_once_however_many_pages_they_take() {
    InMemoryKeyStore store = new InMemoryKeyStore();
    int keys = 2_600; // of two tallies each, where a page has 5,000
    List<Tally> tallies = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      Subject subject = new Subject("0351fcs8Bym6t%09d".formatted(i), "owner", null);
      tallies.add(new Tally(subject, Period.HOUR, ago(1), Metric.REQUESTS, Metric.ALL, 1));
      tallies.add(new Tally(subject, Period.HOUR, ago(1), Metric.REFUSALS, "EXPIRED", 1));
      if (tallies.size() == 1_040) {
        store.add(new Batch("batch-" + i, NOW, tallies));
        tallies.clear();
      }
    }
    Subject old = new Subject("0351fcs8Bym6tbejfDMyAJ", "owner", null);
    Tally before = new Tally(old, Period.HOUR, ago(9), Metric.REQUESTS, Metric.ALL, 1);
    store.add(new Batch("before", NOW, List.of(before)));

    List<String> assessed = new ArrayList<>();
    UsageReports.on(store)
        .risks(RiskSettings.usual(), ago(2), NOW, risk -> assessed.add(risk.keyId()));

    assertThat(assessed).hasSize(keys).doesNotHaveDuplicates().doesNotContain(old.keyId());
  }

  @Test
  void what_is_usual_is_low() {
    Risk risk = office(60).assess();

    assertThat(risk.level()).isEqualTo(Level.LOW);
    assertThat(risk.anomalies()).isEmpty();
    assertThat(risk.reason()).isEqualTo("used as usual");
  }

  @Test
  void with_too_little_history_nothing_is_known_and_it_says_so() {
    Risk risk = office(4).assess();

    assertThat(risk.level()).isEqualTo(Level.UNKNOWN);
    assertThat(risk.reason()).startsWith("too little history: ");
    assertThat(new AnalystTest().assess().level()).isEqualTo(Level.UNKNOWN);
  }

  @Test
  void what_needs_no_history_is_found_without() {
    office(4).at(NOW).refuse(1, "RETIRED", 1);

    assertThat(only(Kind.RETIRED_SECRET).observed()).isEqualTo(1);
  }

  @Test
  void a_rate_is_found_with_its_hour_and_what_is_usual_then() {
    office(60).at(ago(2)).let(500, HOME, 1, "/a", "GET 200");

    Anomaly rate = only(Kind.RATE);

    assertThat(rate.observed()).isBetween(596.0, 604.0);
    assertThat(rate.expected()).isBetween(96.0, 104.0);
    assertThat(rate.observed()).isGreaterThan(rate.threshold());
    assertThat(rate.evidence()).contains("in the hour from 2026-03-04T13:00:00Z");
  }

  @Test
  void growth_is_no_anomaly_and_three_requests_instead_of_one_are_none() {
    office(60).at(ago(2)).let(150, HOME, 1, "/a", "GET 200");
    assertThat(assess().level()).isEqualTo(Level.LOW);

    AnalystTest tiny = new AnalystTest();
    for (int day = 0; day < 60; day++) {
      tiny.at(ago(24 * day)).let(day == 0 ? 3 : 1, HOME, 1, "/a", "GET 200");
    }
    assertThat(tiny.assess().level()).isEqualTo(Level.LOW);
  }

  @Test
  void an_outlier_in_the_past_hides_nothing() {
    office(60).at(ago(2)).let(700, HOME, 1, "/a", "GET 200");
    at(ago(2 + 14 * 24)).let(20_000, HOME, 1, "/a", "GET 200");

    assertThat(kinds(assess())).contains(Kind.RATE);
    assertThat(kinds(assess(NOT_ROBUST))).doesNotContain(Kind.RATE);
  }

  @Test
  void a_baseline_that_is_poisoned_for_a_week_hides_nothing() {
    office(60).at(ago(2)).let(700, HOME, 1, "/a", "GET 200");
    for (int hour = 48; hour < 9 * 24; hour++) {
      at(ago(hour)).let(3_000, HOME, 1, "/a", "GET 200");
    }

    assertThat(kinds(assess())).contains(Kind.RATE);
    assertThat(kinds(assess(NOT_ROBUST))).doesNotContain(Kind.RATE);
  }

  @Test
  void work_at_night_is_found_though_it_is_less_than_by_day() {
    office(60);
    for (int hour = 9; hour < 15; hour++) {
      at(ago(hour)).let(40, HOME, 1, "/a", "GET 200");
    }

    assertThat(only(Kind.ODD_HOURS).observed()).isEqualTo(6);
    assertThat(kinds(assess(ALL_HOURS_ALIKE))).isEmpty();
  }

  @Test
  void an_hour_that_is_going_on_is_judged_for_what_has_happened() {
    for (int day = 0; day < 60; day++) {
      at(ago(24 * day)).let(1_500, HOME, 1, "/a", "GET 200");
    }

    assertThat(assess().level()).isEqualTo(Level.LOW);
    // 1,500 in twenty minutes are 4,500 in an hour only for those who guess.
    assertThat(kinds(assess(EXTRAPOLATES))).contains(Kind.RATE);
  }

  @Test
  void a_day_that_has_only_begun_is_no_quiet_day() {
    UsageSummary summary = office(60).assess().summary();

    assertThat(summary.averageDailyRequests()).isBetween(20 * 960 / 28.0, 20 * 1_040 / 28.0);
    assertThat(summary.averagedDays()).isEqualTo(28);
    assertThat(summary.peakMinute()).isEqualTo(5);
    assertThat(summary.peakHour()).isBetween(100L, 104L);
    assertThat(summary.lastUse()).isEqualTo(Span.hour(NOW));
    assertThat(summary.firstUse()).isEqualTo(Instant.parse("2026-01-05T00:00:00Z"));
    assertThat(summary.busiestEndpoints().get(0).name()).isEqualTo("/a");
  }

  @Test
  void what_is_judged_is_not_in_the_average() {
    double before = office(60).assess().summary().averageDailyRequests();
    at(ago(2)).let(1_000_000, HOME, 1, "/a", "GET 200");

    assertThat(assess().summary().averageDailyRequests()).isEqualTo(before);
  }

  @Test
  void requests_that_proved_nothing_change_nothing() {
    Risk before = office(60).assess();
    for (String reason : new String[] {"WRONG_SECRET", "UNKNOWN", "MALFORMED", "OF_LATER"}) {
      at(NOW).add(Metric.REFUSALS, reason, 100_000);
    }

    assertThat(assess()).isEqualTo(before);
    assertThat(kinds(assess(COUNTS_ANYTHING))).containsExactly(Kind.REFUSALS);
  }

  @Test
  void the_reasons_that_count_are_those_for_which_a_secret_was_proven_but_limits() {
    assertThat(
            Arrays.stream(Reason.values())
                .filter(reason -> Measures.USUAL.isProven(reason.name()))
                .toList())
        .isEqualTo(
            Arrays.stream(Reason.values())
                .filter(reason -> reason.compareTo(Reason.WRONG_ENVIRONMENT) >= 0)
                .filter(reason -> reason.compareTo(Reason.SUPERSEDED) <= 0)
                // or a limit that was tightened would keep the risk alive
                .filter(reason -> reason != Reason.LIMIT_EXCEEDED)
                .toList());
  }

  @Test
  void refusals_and_errors_are_found_by_their_share() {
    office(60).at(NOW).refuse(400, "SCOPE_MISSING", 1);
    assertThat(only(Kind.REFUSALS).evidence()).contains("requests were refused");

    AnalystTest errors = new AnalystTest().office(60);
    errors.at(NOW).add(Metric.ANSWERS, "GET 503", 400);
    assertThat(errors.only(Kind.ERRORS).evidence()).contains("answers were errors");
  }

  @Test
  void bytes_are_found_where_requests_are_as_usual() {
    office(60).at(ago(1)).add(Metric.BYTES, Metric.ALL, 150_000_000);

    assertThat(only(Kind.BYTES).observed()).isGreaterThan(200_000_000);
  }

  @Test
  void a_new_network_is_found_and_many_are_grave() {
    office(60).at(ago(1)).let(6, ELSEWHERE, 1, "/a", "GET 200");
    assertThat(only(Kind.NEW_NETWORK).evidence()).contains("\"203.0.113.0/24\"");

    for (int i = 0; i < 10; i++) {
      at(ago(1)).let(2, "203.0." + i + ".0/24", 1, "/a", "GET 200");
    }
    assertThat(assess().level()).isEqualTo(Level.HIGH);
    assertThat(assess().reason()).isEqualTo("grave by itself: NEW_NETWORK");
  }

  @Test
  void more_networks_at_once_than_two_days_have_seen_are_found() {
    office(60).at(ago(1)).most(Metric.PEAK_NETWORKS, 2);

    assertThat(only(Kind.NETWORKS_AT_ONCE).expected()).isEqualTo(1);

    at(ago(24 * 5)).let(1, HOME, 1, "/a", "GET 200").most(Metric.PEAK_NETWORKS, 2);
    at(ago(24 * 7)).let(1, HOME, 1, "/a", "GET 200").most(Metric.PEAK_NETWORKS, 2);
    assertThat(assess().level()).isEqualTo(Level.LOW);
  }

  @Test
  void something_else_from_elsewhere_is_high() {
    office(60);
    for (int hour = 9; hour < 15; hour++) {
      at(ago(hour)).let(4, ELSEWHERE, 1, "/a", "GET 200");
    }

    assertThat(assess().level()).isEqualTo(Level.HIGH);
    assertThat(assess().reason())
        .isEqualTo("used from elsewhere, and used in another way: ODD_HOURS, NEW_NETWORK");
  }

  @Test
  void several_anomalies_of_one_sign_are_medium() {
    office(60).at(NOW).let(900, HOME, 1, "/a", "GET 500");

    assertThat(assess().level()).isEqualTo(Level.MEDIUM);
    assertThat(kinds(assess())).containsExactlyInAnyOrder(Kind.RATE, Kind.ERRORS);
  }

  @Test
  void names_that_clients_choose_are_escaped_and_cut() {
    office(60);
    for (int i = 0; i < 12; i++) {
      at(NOW).let(1, HOME, 1, "/\r\n\"<\u202e" + "x".repeat(100) + i, "GET 200");
    }

    String evidence = only(Kind.PROBING).evidence();

    assertThat(evidence)
        .matches("[ -~]*")
        .contains("\\u000d\\u000a\\u0022<\\u202e")
        .contains("...");
    assertThat(evidence.length()).isLessThan(400);
    assertThat(evidence).contains("and 9 more");
  }

  @Test
  void a_dormant_key_that_wakes_is_found_at_any_rate() {
    Instant then = NOW.minus(80, DAYS);
    at(then).let(10, HOME, 1, "/a", "GET 200");
    at(NOW).let(1, HOME, 1, "/a", "GET 200");
    assertThat(only(Kind.DORMANT_AWAKE).observed()).isEqualTo(79);

    AnalystTest never = new AnalystTest();
    never.at(NOW).let(1, HOME, 1, "/a", "GET 200");
    Risk risk =
        new Analyst(RiskSettings.usual())
            .assess(never.history(Measures.USUAL, NOW.minus(200, DAYS)), NOW);
    assertThat(risk.anomalies().get(0).evidence())
        .isEqualTo("used after 199 days without use, as far as is known");
  }

  @Test
  void an_old_secret_is_found_only_after_the_new_one_was_used_alone() {
    AnalystTest moved = new AnalystTest();
    for (int hour = 0; hour < 30 * 24; hour++) {
      int secret = hour < 5 * 24 && hour != 3 ? 2 : 1;
      moved.at(ago(hour)).let(10, HOME, secret, "/a", "GET 200");
    }
    Anomaly old = moved.only(Kind.OLD_SECRET);
    assertThat(old.evidence())
        .isEqualTo("secret 1 is used again, after 115 hours in which secret 2 was used alone");

    AnalystTest inSteps = new AnalystTest();
    for (int hour = 0; hour < 30 * 24; hour++) {
      inSteps.at(ago(hour)).let(10, HOME, hour < 5 * 24 ? 2 : 1, "/a", "GET 200");
      if (hour % 24 == 3) {
        inSteps.at(ago(hour)).let(10, HOME, 1, "/a", "GET 200");
      }
    }
    assertThat(inSteps.assess().level()).isEqualTo(Level.LOW);
  }

  @Test
  void what_is_later_than_now_is_not_looked_at() {
    Risk before = office(60).assess();
    at(NOW.plus(1, HOURS)).let(100_000, ELSEWHERE, 1, "/a", "GET 200");

    assertThat(assess().level()).isEqualTo(before.level());
    assertThat(assess().summary()).isEqualTo(before.summary());
  }

  private static Set<Kind> kinds(Risk risk) {
    return risk.anomalies().stream().map(Anomaly::kind).collect(Collectors.toSet());
  }
}
