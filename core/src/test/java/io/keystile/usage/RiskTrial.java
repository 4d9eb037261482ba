package io.keystile.usage;

import io.keystile.usage.Risk.Anomaly;
import io.keystile.usage.Risk.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Lets an analyst judge made-up clients, honest ones every third hour and misused ones each hour,
 * when a third of it is over, and counts what is found of misuse within 24 hours and how often
 * honest clients are suspected.
 */
final class RiskTrial {
  private static final Instant BEGIN = Instant.parse("2026-01-05T00:00:00Z");
  private static final int FIRST_DAY = 7;
  private static final double SHARE_OF_HOUR = 1 / 3.0;
  private static final Duration KEPT = Duration.ofDays(30);
  private static final int PATIENCE = 24;
  private static final int PACE = 3;

  private final Measures measures;
  private final Analyst analyst;
  private final Map<Misuse.Kind, int[]> found = new EnumMap<>(Misuse.Kind.class);
  private final Map<Risk.Kind, Integer> trueKinds = new EnumMap<>(Risk.Kind.class);
  private final Map<Risk.Kind, Integer> falseKinds = new EnumMap<>(Risk.Kind.class);
  final List<String> falseHighs = new ArrayList<>();
  int clients;
  long honestHours;
  int falseMedium;
  int falseHigh;

  RiskTrial(RiskSettings settings, Measures measures) {
    this.measures = measures;
    analyst = new Analyst(settings, measures);
    for (Misuse.Kind kind : Misuse.Kind.values()) {
      found.put(kind, new int[3]);
    }
  }

  /** So many honest clients, and so many of each kind of misuse. */
  RiskTrial run(long seed, int honest, int misusedOfEach) {
    for (int i = 0; i < honest; i++) {
      watch(new MadeUpClient(mix(seed, i), true), null);
    }
    int next = honest;
    for (Misuse.Kind kind : Misuse.Kind.values()) {
      for (int i = 0; i < misusedOfEach; next++) {
        boolean rotates = kind != Misuse.Kind.OLD_SECRET && kind != Misuse.Kind.RETIRED_SECRET;
        MadeUpClient client = new MadeUpClient(mix(seed, next), rotates);
        if (Misuse.fits(kind, client)) {
          watch(client, new Misuse(kind, client, mix(seed, -next)));
          i++;
        }
      }
    }
    return this;
  }

  private static long mix(long seed, int client) {
    return seed * 1_000_003 + client * 7_919L;
  }

  /** One key: what is known of it, and how it was judged before. */
  private final class Watched {
    final SortedMap<Instant, Facts> hours = new TreeMap<>();
    final SortedMap<Instant, Facts> days = new TreeMap<>();
    Sheet today = new Sheet();
    Baseline baseline;
    Instant baselineEnd;

    Watched copy() {
      Watched copy = new Watched();
      copy.hours.putAll(hours);
      copy.days.putAll(days);
      copy.today = new Sheet().addAll(today);
      return copy;
    }

    /** Takes in the next hour, and judges when a third of it is over, if that is wanted. */
    Analyst.Verdict take(int hour, Sheet sheet, boolean atOnce, boolean judged) {
      Instant start = at(hour);
      if (hour % 24 == 0) {
        if (!today.isEmpty()) {
          days.put(start.minus(Duration.ofDays(1)), Facts.of(today.usage(), measures));
        }
        today = new Sheet();
      }
      today.addAll(sheet);
      Analyst.Verdict verdict = null;
      if (judged) {
        Sheet part = atOnce ? sheet : sheet.part(SHARE_OF_HOUR);
        if (!part.isEmpty()) {
          hours.put(start, Facts.of(part.usage(), measures));
        }
        if (!hours.tailMap(start.minus(Duration.ofDays(1))).isEmpty()) {
          verdict = judge(start.plus(Duration.ofMinutes(20)));
        }
      }
      if (!sheet.isEmpty()) {
        hours.put(start, Facts.of(sheet.usage(), measures));
      }
      while (!hours.isEmpty() && hours.firstKey().isBefore(start.minus(KEPT))) {
        hours.remove(hours.firstKey());
      }
      return verdict;
    }

    private Analyst.Verdict judge(Instant now) {
      History history = new History("key", null, hours, days);
      Span present = Span.at(now);
      if (baseline == null || !baselineEnd.equals(present.end())) {
        baseline = Baseline.of(history, present, measures);
        baselineEnd = present.end();
      }
      return analyst.judge(history, baseline, present);
    }
  }

  private static Instant at(int hour) {
    return BEGIN.plus(Duration.ofHours(hour));
  }

  private void watch(MadeUpClient client, Misuse misuse) {
    clients++;
    Watched clean = new Watched();
    Episodes episodes = new Episodes(client);
    int until = misuse == null ? MadeUpClient.HOURS : misuse.start;
    for (int hour = 0; hour < until; hour++) {
      boolean judged = hour >= FIRST_DAY * 24 && hour % PACE == 0;
      episodes.see(hour, clean.take(hour, client.hour(hour), client.comesAtOnce(), judged));
    }
    if (misuse != null) {
      attack(client, misuse, clean);
    }
  }

  /** Beside the same client without misuse, so that what is found by chance does not count. */
  private void attack(MadeUpClient client, Misuse misuse, Watched clean) {
    Watched misused = clean.copy();
    boolean atOnce = client.comesAtOnce();
    Level worst = Level.LOW;
    Set<Risk.Kind> newKinds = EnumSet.noneOf(Risk.Kind.class);
    for (int hour = misuse.start; hour < misuse.onset + PATIENCE; hour++) {
      Sheet sheet = client.hour(hour);
      Analyst.Verdict without = clean.take(hour, sheet, atOnce, true);
      Analyst.Verdict with = misused.take(hour, misuse.add(hour, sheet), atOnce, true);
      if (with != null && isNews(with, without) && with.level().compareTo(worst) > 0) {
        worst = with.level();
      }
      if (with != null) {
        Set<Risk.Kind> kinds = kinds(with);
        kinds.removeAll(without == null ? Set.of() : kinds(without));
        newKinds.addAll(kinds);
      }
    }
    newKinds.forEach(kind -> trueKinds.merge(kind, 1, Integer::sum));
    int[] counts = found.get(misuse.kind);
    counts[0]++;
    counts[1] += worst.compareTo(Level.MEDIUM) >= 0 ? 1 : 0;
    counts[2] += worst == Level.HIGH ? 1 : 0;
  }

  private static boolean isNews(Analyst.Verdict with, Analyst.Verdict without) {
    return without == null
        || with.level().compareTo(without.level()) > 0
        || !kinds(without).containsAll(kinds(with));
  }

  private static Set<Risk.Kind> kinds(Analyst.Verdict verdict) {
    Set<Risk.Kind> kinds = EnumSet.noneOf(Risk.Kind.class);
    verdict.anomalies().stream().map(Anomaly::kind).forEach(kinds::add);
    return kinds;
  }

  /** Suspicions of an honest client; one that goes on, or comes back within a day, is one. */
  private final class Episodes {
    private final MadeUpClient client;
    private int lastMedium = -PATIENCE - 1;
    private int lastHigh = -PATIENCE - 1;
    private final Map<Risk.Kind, Integer> lastOfKind = new EnumMap<>(Risk.Kind.class);

    Episodes(MadeUpClient client) {
      this.client = client;
    }

    void see(int hour, Analyst.Verdict verdict) {
      if (hour < FIRST_DAY * 24) {
        return;
      }
      honestHours++;
      if (verdict == null) {
        return;
      }
      if (verdict.level().compareTo(Level.MEDIUM) >= 0) {
        if (hour - lastMedium > PATIENCE) {
          falseMedium++;
        }
        lastMedium = hour;
        for (Risk.Kind kind : kinds(verdict)) {
          Integer last = lastOfKind.put(kind, hour);
          falseKinds.merge(kind, last == null || hour - last > PATIENCE ? 1 : 0, Integer::sum);
        }
      }
      if (verdict.level() == Level.HIGH) {
        if (hour - lastHigh > PATIENCE) {
          falseHigh++;
          falseHighs.add(client.type + " at hour " + hour + ", " + verdict.reason());
        }
        lastHigh = hour;
      }
    }
  }

  double recall() {
    return share(1, found.values());
  }

  double recall(Misuse.Kind kind) {
    return share(1, List.of(found.get(kind)));
  }

  private static double share(int which, Iterable<int[]> counts) {
    double all = 0;
    double some = 0;
    for (int[] count : counts) {
      all += count[0];
      some += count[which];
    }
    return all == 0 ? 0 : some / all;
  }

  private double perKeysAndMonth(int episodes) {
    return episodes * 100 * 720.0 / honestHours;
  }

  double falseHighs() {
    return perKeysAndMonth(falseHigh);
  }

  double falseMediums() {
    return perKeysAndMonth(falseMedium);
  }

  /** Of all that was judged so, how much was misuse. */
  double precision(Level level) {
    int which = level == Level.HIGH ? 2 : 1;
    double right = found.values().stream().mapToInt(count -> count[which]).sum();
    return right / (right + (level == Level.HIGH ? falseHigh : falseMedium));
  }

  /** In the form of the page on risk. */
  String table() {
    StringBuilder table = new StringBuilder();
    table.append("| Misuse | Planted | At least MEDIUM within 24 h | HIGH within 24 h |\n");
    table.append("|---|---|---|---|\n");
    for (Misuse.Kind kind : Misuse.Kind.values()) {
      int[] count = found.get(kind);
      table.append(row(kind.words, count[0], share(1, List.of(count)), share(2, List.of(count))));
    }
    int planted = found.values().stream().mapToInt(count -> count[0]).sum();
    table.append(row("**all**", planted, recall(), share(2, found.values())));
    table.append('\n');
    table.append("| Honest use | |\n|---|---|\n");
    table.append(line("keys, those misused later among them", "%,d", clients));
    table.append(line("keys and months of 30 days judged", "%,.0f", honestHours / 720.0));
    table.append(line("false HIGH per 100 keys and month", "%.2f", falseHighs()));
    table.append(line("false MEDIUM per 100 keys and month", "%.1f", falseMediums()));
    table.append(line("precision of HIGH", "%.2f", precision(Level.HIGH)));
    table.append(line("precision of MEDIUM and HIGH", "%.2f", precision(Level.MEDIUM)));
    table.append('\n');
    table.append("| Anomaly | Found because of misuse | In honest use | Precision |\n");
    table.append("|---|---|---|---|\n");
    for (Risk.Kind kind : Risk.Kind.values()) {
      int right = trueKinds.getOrDefault(kind, 0);
      int wrong = falseKinds.getOrDefault(kind, 0);
      String precision =
          right + wrong == 0
              ? "-"
              : String.format(Locale.ROOT, "%.2f", (double) right / (right + wrong));
      table.append("| `" + kind + "` | " + right + " | " + wrong + " | " + precision + " |\n");
    }
    return table.toString();
  }

  private static String row(String name, int planted, double medium, double high) {
    return String.format(Locale.ROOT, "| %s | %d | %.2f | %.2f |\n", name, planted, medium, high);
  }

  private static String line(String name, String format, Object value) {
    return "| " + name + " | " + String.format(Locale.ROOT, format, value) + " |\n";
  }
}
