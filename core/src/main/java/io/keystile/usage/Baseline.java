package io.keystile.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.ToDoubleFunction;

/**
 * What is usual for a key: how much in each hour of the week and in a day, how many new names a day
 * brings, and which networks, endpoints and secrets it has used. Built from the whole days before
 * what is judged; nothing changes it, so it may be kept for as long as {@link Span#end} is the
 * same.
 *
 * <p>Amounts vary by factors: a client twice as busy has twice the noise. So the spread is one of
 * logarithms, of all hours beside what is usual for them, and one for the whole key: of the three
 * or four values of an hour of the week nobody can tell a spread.
 */
final class Baseline {
  /** A share of errors on a day with fewer answers says nothing. */
  private static final int ANSWERS_WANTED = 20;

  /** What is new on the first days of a key is not what is new on any day. */
  private static final int DAYS_OF_LEARNING = 7;

  /** With fewer days nobody knows how many new names a day brings. */
  private static final int DAYS_WANTED = 3;

  private static final Duration DAYS_BACK = Duration.ofDays(90);

  /** What is judged begins at most a day after the end, and lasts for a day. */
  private static final int AHEAD = 2 * Span.HOURS_A_DAY;

  /** Of so many hours one is asked how far it is from what is usual: coprime with a week. */
  private static final int SAMPLE = 5;

  /** What one day in ten shows is no news. */
  private static final double ONE_DAY_IN_TEN = 0.9;

  /**
   * What is usual of something that is counted per day.
   *
   * @param middle the median
   * @param spread the median absolute deviation, in standard deviations
   * @param often one day in ten has more
   * @param isKnown whether there were enough days to say
   */
  record Daily(double middle, double spread, double often, boolean isKnown) {
    static Daily of(double[] days, Measures measures) {
      return new Daily(
          measures.middle(days),
          measures.spread(days),
          Measures.quantile(days, ONE_DAY_IN_TEN),
          days.length >= DAYS_WANTED);
    }
  }

  private final Measures measures;
  private final Instant from;
  private final int length;
  private final int wholeDays;
  private final TimeOfWeek requests;
  private final double[] requestsUntil;
  private final double[] bytesUntil;
  private final double hourlySpread;
  private final double[] usualAhead = new double[AHEAD];
  private final boolean[] oddAhead = new boolean[AHEAD];

  private final Set<String> networks = new HashSet<>();
  private final Set<String> endpoints = new HashSet<>();
  private final SecretTrail secrets = new SecretTrail();
  private final SortedMap<Instant, Facts> days;
  private final double secondRequests;
  private final double secondBytes;

  private final Daily newNetworks;
  private final Daily newEndpoints;
  private final Daily oddHours;
  private final Daily errorShares;
  private final Daily refusedShares;
  private final Daily sizes;
  private final double networksAtOnce;
  private final int activeDays;

  private Baseline(History history, Span span, Measures measures) {
    this.measures = measures;
    Instant end = span.end();
    Instant first = history.firstUse();
    Instant oldest = end.minus(Span.BASELINE);
    from = first == null || first.isAfter(end) ? end : first.isBefore(oldest) ? oldest : first;
    length = Span.hours(from, end);
    wholeDays = length / Span.HOURS_A_DAY;
    SortedMap<Instant, Facts> hours = history.hours().subMap(from, end);
    double[] counts = new double[length];
    double[] bytes = new double[length];
    hours.forEach(
        (start, facts) -> {
          int i = Span.hours(from, start);
          counts[i] = facts.requests();
          bytes[i] = facts.bytes();
          secrets.follow(start, facts);
        });
    requests = new TimeOfWeek(counts, from, measures);
    requestsUntil = sums(counts);
    bytesUntil = sums(bytes);
    hourlySpread = hourlySpread();
    for (int i = 0; i < AHEAD; i++) {
      usualAhead[i] = requests.usual(length + i);
      oddAhead[i] = requests.isOdd(length + i);
    }
    days = history.days().subMap(end.minus(DAYS_BACK), end);
    secondRequests = secondGreatest(Facts::requests);
    secondBytes = secondGreatest(Facts::bytes);
    DayByDay byDay = new DayByDay(end);
    newNetworks = daily(byDay.learned(byDay.newNetworks));
    newEndpoints = daily(byDay.learned(byDay.newEndpoints));
    oddHours = daily(oddHoursOfDays());
    errorShares = daily(known(byDay.errorShares));
    refusedShares = daily(known(byDay.refusedShares));
    sizes = daily(known(byDay.sizes));
    networksAtOnce = second(byDay.networksAtOnce);
    activeDays = byDay.active;
  }

  static Baseline of(History history, Span span, Measures measures) {
    return new Baseline(history, span, measures);
  }

  /** Goes through the days in their order, since what is new depends on what was before. */
  private final class DayByDay {
    final double[] newNetworks;
    final double[] newEndpoints;
    final double[] networksAtOnce;
    final double[] errorShares;
    final double[] refusedShares;
    final double[] sizes;
    int active;

    DayByDay(Instant end) {
      int count = days.isEmpty() ? 0 : Span.hours(days.firstKey(), end) / Span.HOURS_A_DAY;
      newNetworks = new double[count];
      newEndpoints = new double[count];
      networksAtOnce = new double[count];
      errorShares = new double[count];
      refusedShares = new double[count];
      sizes = new double[count];
      Arrays.fill(errorShares, Double.NaN);
      Arrays.fill(refusedShares, Double.NaN);
      Arrays.fill(sizes, Double.NaN);
      days.forEach((start, facts) -> take(count - Span.hours(start, end) / 24, facts));
    }

    private void take(int day, Facts facts) {
      int networksBefore = networks.size();
      int endpointsBefore = endpoints.size();
      networks.addAll(facts.networks().keySet());
      endpoints.addAll(facts.endpoints().keySet());
      newNetworks[day] = networks.size() - networksBefore;
      newEndpoints[day] = endpoints.size() - endpointsBefore;
      networksAtOnce[day] = facts.networksAtOnce();
      errorShares[day] = share(facts.errors(), facts.answers());
      refusedShares[day] = share(facts.refused(), facts.requests() + facts.refused());
      boolean enough = facts.requests() >= ANSWERS_WANTED && facts.bytes() > 0;
      sizes[day] = enough ? Math.log((double) facts.bytes() / facts.requests()) : Double.NaN;
      active += facts.isUse() ? 1 : 0;
    }

    private double share(long part, long all) {
      return all < ANSWERS_WANTED ? Double.NaN : (double) part / all;
    }

    /** Without the first days. */
    double[] learned(double[] daily) {
      return Arrays.copyOfRange(daily, Math.min(DAYS_OF_LEARNING, daily.length), daily.length);
    }
  }

  /** In how many hours of each day the key is used that are usually silent. */
  private double[] oddHoursOfDays() {
    double[] odd = new double[wholeDays];
    int begin = length - wholeDays * Span.HOURS_A_DAY;
    for (int i = begin; i < length; i++) {
      odd[(i - begin) / Span.HOURS_A_DAY] += requests.isUsed(i) && requests.isOdd(i) ? 1 : 0;
    }
    return odd;
  }

  private Daily daily(double[] values) {
    return Daily.of(values, measures);
  }

  private static double[] known(double[] shares) {
    return Arrays.stream(shares).filter(share -> !Double.isNaN(share)).toArray();
  }

  private double hourlySpread() {
    double[] distances = new double[length / SAMPLE + 1];
    int n = 0;
    for (int i = 0; i < length; i += SAMPLE) {
      double usual = requests.usual(i);
      if (usual > 0 && requests.isUsed(i)) {
        distances[n++] = Math.log(requests.at(i) / usual);
      }
    }
    return measures.spread(Arrays.copyOf(distances, n));
  }

  Instant from() {
    return from;
  }

  int wholeDays() {
    return wholeDays;
  }

  int activeDays() {
    return activeDays;
  }

  boolean knowsNetwork(String network) {
    return networks.contains(network);
  }

  boolean knowsEndpoint(String endpoint) {
    return endpoints.contains(endpoint);
  }

  SecretTrail secrets() {
    return secrets.copy();
  }

  /** What is usual for requests in an hour that is judged; its spread is one of logarithms. */
  Usual requestsIn(Instant hour) {
    return new Usual(usualAhead[Span.hours(from, hour) - length], hourlySpread);
  }

  /** Whether the key is silent around the time of an hour that is judged, but for once. */
  boolean isOdd(Instant hour) {
    return oddAhead[Span.hours(from, hour) - length];
  }

  /**
   * What is usual, as a factor.
   *
   * @param middle the median
   * @param spread the deviation of the logarithm
   */
  record Usual(double middle, double spread) {}

  /** What is usual for requests in the 24 hours that begin at this time of day. */
  Usual dailyRequests(Instant start) {
    return daily(requestsUntil, start);
  }

  /** The same for bytes. */
  Usual dailyBytes(Instant start) {
    return daily(bytesUntil, start);
  }

  private static double[] sums(double[] amounts) {
    double[] until = new double[amounts.length + 1];
    for (int i = 0; i < amounts.length; i++) {
      until[i + 1] = until[i] + amounts[i];
    }
    return until;
  }

  private Usual daily(double[] until, Instant start) {
    int offset = Span.hours(from, start);
    double[] windows = new double[wholeDays + 1];
    double[] sameOfWeek = new double[wholeDays / 7 + 1];
    int n = 0;
    int same = 0;
    for (int back = 1; back * Span.HOURS_A_DAY <= offset; back++) {
      int begin = offset - back * Span.HOURS_A_DAY;
      if (begin + Span.HOURS_A_DAY <= length) {
        double sum = until[begin + Span.HOURS_A_DAY] - until[begin];
        windows[n++] = sum;
        if (back % 7 == 0) {
          sameOfWeek[same++] = sum;
        }
      }
    }
    boolean weekly = same >= TimeOfWeek.WEEKS_WANTED && measures.knowsTimeOfWeek();
    double[] all = Arrays.copyOf(windows, n);
    double middle = measures.middle(weekly ? Arrays.copyOf(sameOfWeek, same) : all);
    double[] logarithms = Arrays.stream(all).filter(sum -> sum > 0).map(Math::log).toArray();
    return new Usual(middle, measures.spread(logarithms));
  }

  /** The requests of the second busiest day: once may be a mishap, twice is a habit. */
  double secondBusiestDay() {
    return secondRequests;
  }

  /** The same for bytes. */
  double secondHeaviestDay() {
    return secondBytes;
  }

  private double secondGreatest(ToDoubleFunction<Facts> amount) {
    return second(days.values().stream().mapToDouble(amount).toArray());
  }

  private static double second(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted.length < 2 ? 0 : sorted[sorted.length - 2];
  }

  /** The most networks within a minute that two days have seen. */
  double networksAtOnce() {
    return networksAtOnce;
  }

  /** How many networks of a day are new. */
  Daily newNetworks() {
    return newNetworks;
  }

  /** How many endpoints of a day are new. */
  Daily newEndpoints() {
    return newEndpoints;
  }

  /** In how many hours of a day it is used that are usually silent. */
  Daily oddHours() {
    return oddHours;
  }

  /** The shares of errors in the answers of days. */
  Daily errorShares() {
    return errorShares;
  }

  /** The shares of refusals in the requests of days. */
  Daily refusedShares() {
    return refusedShares;
  }

  /** The logarithms of the bytes per request of days. */
  Daily sizes() {
    return sizes;
  }

  /** Requests of one earlier day. */
  double requestsOn(Instant day) {
    Facts facts = days.get(day);
    return facts == null ? 0 : facts.requests();
  }
}
