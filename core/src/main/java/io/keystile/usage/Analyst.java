package io.keystile.usage;

import io.keystile.usage.Risk.Anomaly;
import io.keystile.usage.Risk.Kind;
import io.keystile.usage.Risk.Level;
import io.keystile.usage.Risk.Sign;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Judges the last 24 hours of a key by what was before them. Pure: no clock, no I/O, no state. */
final class Analyst {
  private static final int ACTIVE_DAYS_WANTED = 3;

  private final RiskSettings settings;
  private final Measures measures;

  Analyst(RiskSettings settings) {
    this(settings, Measures.USUAL);
  }

  Analyst(RiskSettings settings, Measures measures) {
    this.settings = settings;
    this.measures = measures;
  }

  /** A level with what led to it. */
  record Verdict(Level level, String reason, List<Anomaly> anomalies) {}

  /**
   * Judges a key.
   *
   * @param history what is known of it, up to now
   * @param now the time of the judgement; what is later in the history is not looked at
   * @return the risk
   */
  Risk assess(History history, Instant now) {
    Span span = Span.at(now);
    Baseline baseline = Baseline.of(history, span, measures);
    Verdict verdict = judge(history, baseline, span);
    return new Risk(
        history.keyId(),
        verdict.level(),
        verdict.reason(),
        verdict.anomalies(),
        now,
        Summaries.of(history, baseline, span));
  }

  /** The same with a baseline that was made for this or an earlier hour of the same day. */
  Verdict judge(History history, Baseline baseline, Span span) {
    Findings findings = new Findings(history, baseline, span, settings, measures);
    List<Anomaly> found = new ArrayList<>(findings.withoutHabits());
    boolean known = isKnown(history, baseline, span);
    if (known) {
      found.addAll(findings.besideHabits());
    }
    found.sort(Comparator.comparing(Anomaly::kind));
    return verdict(List.copyOf(found), known, baseline);
  }

  /** Whether it has been used for long enough to have habits. */
  private boolean isKnown(History history, Baseline baseline, Span span) {
    Instant first = history.firstUse();
    return first != null
        && baseline.activeDays() >= ACTIVE_DAYS_WANTED
        && !first.isAfter(span.end().minus(settings.length(RiskSettings.Option.MINIMUM_HISTORY)));
  }

  private Verdict verdict(List<Anomaly> found, boolean known, Baseline baseline) {
    if (found.isEmpty()) {
      return known
          ? new Verdict(Level.LOW, "used as usual", found)
          : new Verdict(Level.UNKNOWN, tooLittle(baseline), found);
    }
    List<Anomaly> grave = found.stream().filter(Anomaly::grave).toList();
    Set<Sign> signs = EnumSet.noneOf(Sign.class);
    found.forEach(anomaly -> signs.add(anomaly.kind().sign()));
    if (!grave.isEmpty()) {
      return new Verdict(Level.HIGH, "grave by itself: " + kinds(grave), found);
    }
    String words = signs.stream().map(sign -> sign.words).collect(Collectors.joining(", and "));
    signs.remove(Sign.TROUBLE);
    Level level = signs.size() > 1 ? Level.HIGH : Level.MEDIUM;
    return new Verdict(level, words + ": " + kinds(found), found);
  }

  private String tooLittle(Baseline baseline) {
    return "too little history: "
        + baseline.activeDays()
        + " days with use in "
        + baseline.wholeDays()
        + ", wanted are "
        + ACTIVE_DAYS_WANTED
        + " in "
        + settings.length(RiskSettings.Option.MINIMUM_HISTORY).toDays();
  }

  private static String kinds(List<Anomaly> found) {
    return found.stream().map(Anomaly::kind).map(Kind::name).collect(Collectors.joining(", "));
  }
}
