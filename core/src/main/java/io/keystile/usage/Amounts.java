package io.keystile.usage;

import io.keystile.usage.Usage.Durations;
import org.jspecify.annotations.Nullable;

/**
 * What one key has used in some time, while it is being counted: see {@link Usage} for what is
 * counted. Not safe for use by several threads.
 */
final class Amounts {
  /** How many of each are told apart in an hour, so that no client can make rows without end. */
  static final int MAX_ENDPOINTS = 50;

  /** How many more, of those that come later and are busy. */
  static final int MAX_BUSY_ENDPOINTS = 50;

  static final int MAX_NETWORKS = 50;
  private static final int MAX_ANSWERS = 50;
  private static final int MAX_FEW = 20;

  /** What a single request may add: a terabyte, or 12 days. */
  static final long MOST = 1L << 40;

  /** Where sums end, as they do in stores. */
  private static final long MOST_OF_ALL = 1L << 62;

  /** Calls that were counted. */
  long marks;

  long requests;
  long durationSum;
  long durationMax;
  long @Nullable [] durations;
  final Counts networks = new Counts(MAX_NETWORKS);
  private @Nullable Counts refusals;
  private @Nullable Counts answers;
  private @Nullable Counts endpoints;
  private @Nullable Counts bytes;
  private @Nullable Counts callers;
  private final Counts secrets = new Counts(MAX_FEW);

  /** The sum of two amounts, neither of which is above where sums end. */
  static long sum(long a, long b) {
    return Math.min(a, MOST_OF_ALL - b) + b;
  }

  /** Takes an amount. */
  interface Visitor {
    void visit(String metric, String label, long amount);
  }

  void accepted(int secret, long network, @Nullable String caller) {
    marks++;
    requests++;
    secrets.add(null, secret, 1);
    if (network != Network.UNKNOWN) {
      networks.add(null, network, 1);
    }
    if (caller != null) {
      callers = added(callers, MAX_FEW, caller, 0, 1);
    }
  }

  /** Not where from: who has found an old secret must not make the key look as if it had moved. */
  void refused(String reason, int secret) {
    marks++;
    refusals = added(refusals, MAX_FEW, reason, 0, 1);
    secrets.add(null, secret, 1);
  }

  void answered(String method, @Nullable String endpoint, int status, long micros) {
    marks++;
    answers = added(answers, MAX_ANSWERS, method, status, 1);
    if (endpoint != null) {
      endpoints = endpoints == null ? new Counts(MAX_ENDPOINTS) : endpoints;
      endpoints.addToBusiest(endpoint, 0, 1);
    }
    long took = Math.max(0, Math.min(micros, MOST));
    if (durations == null) {
      durations = new long[Durations.BUCKETS];
    }
    durations[Durations.bucketOf(took)]++;
    durationSum = sum(durationSum, took);
    durationMax = Math.max(durationMax, took);
  }

  void sent(String category, long amount) {
    marks++;
    bytes = added(bytes, MAX_FEW, category, 0, Math.min(amount, MOST));
  }

  private static Counts added(
      @Nullable Counts counts, int max, String name, long code, long amount) {
    Counts some = counts == null ? new Counts(max) : counts;
    some.add(name, code, amount);
    return some;
  }

  void addTo(Amounts more) {
    more.marks += marks;
    more.requests += requests;
    more.durationSum = sum(more.durationSum, durationSum);
    more.durationMax = Math.max(more.durationMax, durationMax);
    if (durations != null) {
      long[] sums = more.durations == null ? new long[Durations.BUCKETS] : more.durations;
      for (int i = 0; i < sums.length; i++) {
        sums[i] += durations[i];
      }
      more.durations = sums;
    }
    networks.addTo(more.networks);
    secrets.addTo(more.secrets);
    more.refusals = merged(refusals, more.refusals, MAX_FEW);
    more.answers = merged(answers, more.answers, MAX_ANSWERS);
    if (endpoints != null) {
      more.endpoints = more.endpoints == null ? new Counts(MAX_ENDPOINTS) : more.endpoints;
      endpoints.addTo(more.endpoints, MAX_BUSY_ENDPOINTS);
    }
    more.bytes = merged(bytes, more.bytes, MAX_FEW);
    more.callers = merged(callers, more.callers, MAX_FEW);
  }

  private static @Nullable Counts merged(@Nullable Counts from, @Nullable Counts into, int max) {
    if (from == null) {
      return into;
    }
    Counts some = into == null ? new Counts(max) : into;
    from.addTo(some);
    return some;
  }

  /** Visits all amounts above 0, by the names under which they are stored. */
  void forEach(Visitor visitor) {
    visit(visitor, Metric.REQUESTS, Metric.ALL, requests);
    visit(visitor, Metric.DURATION_SUM, Metric.ALL, durationSum);
    visit(visitor, Metric.DURATION_MAX, Metric.ALL, durationMax);
    if (durations != null) {
      for (int i = 0; i < durations.length; i++) {
        visit(visitor, Metric.DURATIONS, Usage.bucketLabel(i), durations[i]);
      }
    }
    visit(visitor, Metric.NETWORKS, networks, (name, code) -> Network.text(code));
    visit(visitor, Metric.SECRETS, secrets, (name, code) -> Long.toString(code));
    visit(visitor, Metric.REFUSALS, refusals, (name, code) -> name);
    visit(visitor, Metric.ANSWERS, answers, (name, code) -> name + " " + code);
    visit(visitor, Metric.ENDPOINTS, endpoints, (name, code) -> name);
    visit(visitor, Metric.BYTES, bytes, (name, code) -> name);
    visit(visitor, Metric.CALLERS, callers, (name, code) -> name);
  }

  private interface Naming {
    String label(String name, long code);
  }

  private static void visit(
      Visitor visitor, String metric, @Nullable Counts counts, Naming naming) {
    if (counts != null) {
      counts.forEach(
          (name, code, amount) ->
              visit(visitor, metric, naming.label(name == null ? "" : name, code), amount));
      visit(visitor, metric, Metric.OTHER, counts.other());
    }
  }

  private static void visit(Visitor visitor, String metric, String label, long amount) {
    if (amount > 0) {
      visitor.visit(metric, Labels.clean(label), amount);
    }
  }

  /** Sets all amounts to 0; the same labels go on being told apart. */
  void clear() {
    marks = 0;
    requests = 0;
    durationSum = 0;
    durationMax = 0;
    durations = null;
    clear(networks);
    clear(secrets);
    clear(refusals);
    clear(answers);
    clear(endpoints);
    clear(bytes);
    clear(callers);
  }

  private static void clear(@Nullable Counts counts) {
    if (counts != null) {
      counts.clear();
    }
  }
}
