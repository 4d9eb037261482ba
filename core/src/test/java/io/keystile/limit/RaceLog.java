package io.keystile.limit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Permits that many threads took, each with two ticks between which it was taken.
 *
 * <p>The tick in which a permit was counted is not to be seen. But the limiter read the ticker, or
 * was given a value of it, no earlier than {@code from}, which is read before the call; and it
 * counts in no later tick than the newest that anybody has read, which is at most {@code to}, read
 * after the call, if the ticker never goes back. So the permit's time is within both, and one whose
 * both ends are within an interval is in it for sure: a recount of those finds no fault where there
 * is none. What it may miss are faults by permits during whose calls the ticker moved over an end
 * of the interval; {@link #certain} says how few they are.
 */
final class RaceLog {
  /** One call that took something. */
  record Permit(long from, long to, int cost) {}

  private final List<Permit> permits = new ArrayList<>();
  private long calls;

  synchronized void add(List<Permit> taken, long calls) {
    permits.addAll(taken);
    this.calls += calls;
  }

  long calls() {
    return calls;
  }

  long admitted() {
    return permits.stream().mapToLong(Permit::cost).sum();
  }

  /** The permits whose tick is known exactly. */
  long certain() {
    return permits.stream().filter(p -> p.from() == p.to()).mapToLong(Permit::cost).sum();
  }

  /** The most that an interval of this many ticks holds for sure. */
  long worst(long length) {
    permits.sort(Comparator.comparingLong(Permit::from));
    long worst = 0;
    for (int first = 0; first < permits.size(); first++) {
      long begin = permits.get(first).from();
      if (first > 0 && permits.get(first - 1).from() == begin) {
        continue; // the same interval
      }
      long inside = 0;
      for (int i = first; i < permits.size() && permits.get(i).from() <= begin + length; i++) {
        inside += permits.get(i).to() <= begin + length ? permits.get(i).cost() : 0;
      }
      worst = Math.max(worst, inside);
    }
    return worst;
  }
}
