package io.keystile.usage;

import io.keystile.store.UsageStore.Subject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A part of what is being counted, for one thread at a time: whoever {@linkplain #take takes} it
 * touches nothing that blocks before it {@linkplain #giveBack gives it back}.
 */
final class Stripe {
  private final AtomicBoolean taken = new AtomicBoolean();
  private final AtomicInteger minutes;
  private final int maxMinutes;
  private Map<String, Minute> current = new HashMap<>();

  /** For responses that took long: of an hour before that of the current ones. */
  private Map<String, Minute> late = new HashMap<>();

  private List<Minute> past = new ArrayList<>();
  private long recorded;
  private long dropped;

  /**
   * @param minutes counts those of all stripes
   * @param maxMinutes how many there may be
   */
  Stripe(AtomicInteger minutes, int maxMinutes) {
    this.minutes = minutes;
    this.maxMinutes = maxMinutes;
  }

  boolean take() {
    return !taken.getPlain() && taken.compareAndSet(false, true);
  }

  void giveBack() {
    taken.set(false);
  }

  /** Where to count for a key now; null if too much is being counted, and then it is dropped. */
  @Nullable Amounts amounts(Subject subject, long now) {
    recorded++;
    long start = Minute.startOf(Math.max(0, now)); // some hosts' clocks begin below
    Minute minute = current.get(subject.keyId());
    if (minute != null && minute.takes(subject, start)) {
      return minute.amounts;
    }
    boolean isLate = minute != null && start < minute.start;
    Minute earlier = isLate ? late.get(subject.keyId()) : null;
    if (earlier != null && earlier.takes(subject, start)) {
      return earlier.amounts;
    }
    if (minutes.get() >= maxMinutes) {
      dropped++;
      return null;
    }
    minutes.incrementAndGet();
    Minute next = new Minute(subject, start);
    Minute before = (isLate ? late : current).put(subject.keyId(), next);
    if (before != null) {
      past.add(before);
    }
    return next.amounts;
  }

  /** What was counted since the last time. */
  record Drained(List<Minute> minutes, long recorded, long dropped) {}

  Drained drain() {
    List<Minute> all = past;
    all.addAll(current.values());
    all.addAll(late.values());
    Drained drained = new Drained(all, recorded, dropped);
    past = new ArrayList<>();
    current = new HashMap<>();
    late = new HashMap<>();
    recorded = 0;
    dropped = 0;
    minutes.addAndGet(-all.size());
    return drained;
  }
}
