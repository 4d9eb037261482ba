package io.keystile.limit;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Limiters that are wrong on purpose: each test that says "never" must catch one of them. */
final class Twins {
  private Twins() {}

  /** An exact log that looks, and then writes: right on one thread. */
  static Gate checkThenAct(Window window) {
    ExactLog log = new ExactLog(window);
    return (cost, nanos) -> {
      boolean enough = log.used(nanos) + cost <= window.limit();
      Thread.yield();
      if (enough) {
        log.add(cost, nanos);
      }
      return enough;
    };
  }

  /** The same in one step: right, and slow. */
  static Gate exact(Window window) {
    ExactLog log = new ExactLog(window);
    return (cost, nanos) -> log.take(cost, nanos);
  }

  /** The count of this window, and of the one before by the share of it that is still inside. */
  static Gate twoBuckets(Window window) {
    return new TwoBuckets(window);
  }

  /** Right for as long as nobody drops its key. */
  static Forgetful forgetful(Window window) {
    return new Forgetful(window);
  }

  private static final class ExactLog {
    private final Window window;
    private final Deque<long[]> entries = new ArrayDeque<>();
    private long used;

    ExactLog(Window window) {
      this.window = window;
    }

    synchronized long used(long nanos) {
      long oldest = Limiter.tick(nanos) - window.length().toMillis();
      while (!entries.isEmpty() && entries.peekFirst()[0] < oldest) {
        used -= entries.removeFirst()[1];
      }
      return used;
    }

    synchronized void add(int cost, long nanos) {
      long newest = entries.isEmpty() ? Long.MIN_VALUE : entries.peekLast()[0];
      entries.addLast(new long[] {Math.max(newest, Limiter.tick(nanos)), cost});
      used += cost;
    }

    synchronized boolean take(int cost, long nanos) {
      if (used(nanos) + cost > window.limit()) {
        return false;
      }
      add(cost, nanos);
      return true;
    }
  }

  private static final class TwoBuckets implements Gate {
    private final Window window;
    private long current = Long.MIN_VALUE;
    private long count;
    private long before;

    TwoBuckets(Window window) {
      this.window = window;
    }

    @Override
    public synchronized boolean take(int cost, long nanos) {
      long length = window.length().toMillis();
      long tick = Limiter.tick(nanos);
      long bucket = Math.floorDiv(tick, length);
      if (bucket > current) {
        before = bucket == current + 1 ? count : 0;
        count = 0;
        current = bucket;
      }
      double share = 1 - (double) Math.floorMod(tick, length) / length;
      if (count + before * share + cost > window.limit()) {
        return false;
      }
      count += cost;
      return true;
    }
  }

  /** A limiter of many keys that makes room by dropping any of them. */
  static final class Forgetful {
    private final ConcurrentHashMap<String, Gate> keys = new ConcurrentHashMap<>();
    private final AtomicLong dropped = new AtomicLong();
    private final Window window;

    private Forgetful(Window window) {
      this.window = window;
    }

    boolean take(String key, int maxKeys, long nanos) {
      if (keys.size() >= maxKeys && !keys.containsKey(key)) {
        keys.keySet().stream().findAny().ifPresent(this::drop);
      }
      return keys.computeIfAbsent(key, k -> exact(window)).take(1, nanos);
    }

    void drop(String key) {
      keys.remove(key);
      dropped.incrementAndGet();
    }

    long dropped() {
      return dropped.get();
    }
  }
}
