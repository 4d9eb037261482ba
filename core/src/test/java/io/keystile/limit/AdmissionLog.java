package io.keystile.limit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Every permit taken, and when, in ticks: what a limiter must be right about. */
final class AdmissionLog {
  private record Entry(long tick, long cost) {}

  /** One window over the log, as it slides on. */
  private static final class Slide {
    final Window window;
    final Deque<Entry> inside = new ArrayDeque<>();
    long used;

    Slide(Window window) {
      this.window = window;
    }

    /** As of a tick: what was taken a whole length before still counts, as the limiter says. */
    void moveTo(long tick) {
      long oldest = tick - window.length().toMillis();
      while (!inside.isEmpty() && inside.peekFirst().tick() < oldest) {
        used -= inside.removeFirst().cost();
      }
    }
  }

  private final List<Slide> slides = new ArrayList<>();
  private final List<Entry> entries = new ArrayList<>();
  private long latest = Long.MIN_VALUE;

  AdmissionLog(List<Window> windows) {
    windows.forEach(window -> slides.add(new Slide(window)));
  }

  /** The newest tick there was: time never goes back. */
  long moveTo(long tick) {
    latest = Math.max(latest, tick);
    slides.forEach(slide -> slide.moveTo(latest));
    return latest;
  }

  void add(long tick, long cost) {
    Entry entry = new Entry(moveTo(tick), cost);
    entries.add(entry);
    for (Slide slide : slides) {
      slide.inside.addLast(entry);
      slide.used += cost;
    }
  }

  /** What is in one of the windows at the newest tick, exactly. */
  long used(int window) {
    return slides.get(window).used;
  }

  int size() {
    return entries.size();
  }

  /** The most that one interval of this length holds, recounted from the log alone. */
  static long worst(List<long[]> ticksAndCosts, long length) {
    long worst = 0;
    long inside = 0;
    int first = 0;
    for (long[] entry : ticksAndCosts) {
      inside += entry[1];
      while (ticksAndCosts.get(first)[0] < entry[0] - length) {
        inside -= ticksAndCosts.get(first)[1];
        first++;
      }
      worst = Math.max(worst, inside);
    }
    return worst;
  }

  /** The same for this log. */
  long worst(Window window) {
    return worst(
        entries.stream().map(e -> new long[] {e.tick(), e.cost()}).toList(),
        window.length().toMillis());
  }
}
