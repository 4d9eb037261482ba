package io.keystile.benchmarks;

import io.github.bucket4j.Bucket;
import io.keystile.limit.Limiter;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/** How much memory a key takes that is limited by four windows, the map it is found in included. */
final class HeapPerKey {
  private static final int KEYS = 100_000;
  private static final long HIGH = 1_000_000_000;

  private HeapPerKey() {}

  /** Bytes of a key of ours. */
  static double keystile() {
    return measure(
        keys -> {
          Limiter<String> limiter = Limiter.of(Node.fourWindows(HIGH));
          for (String key : keys) {
            limiter.tryAcquire(key);
          }
          return limiter;
        });
  }

  /** Bytes of a bucket with four bandwidths in a map. */
  static double bucket4j() {
    return measure(
        keys -> {
          Map<String, Bucket> buckets = new ConcurrentHashMap<>();
          for (String key : keys) {
            buckets.computeIfAbsent(key, k -> PeerBenchmark.bucket()).tryConsume(1);
          }
          return buckets;
        });
  }

  /** In words. */
  static String text() {
    return String.format(
        Locale.ROOT,
        "Heap per limited key, four windows: %.0f bytes (target 256, stretch 160); Bucket4j in a"
            + " map: %.0f",
        keystile(),
        bucket4j());
  }

  private static double measure(Function<String[], Object> limiters) {
    String[] keys = IntStream.range(0, KEYS).mapToObj(i -> "key-" + i).toArray(String[]::new);
    Object first = limiters.apply(new String[] {"first"}); // so that what all keys share is there
    long before = used();
    Object kept = limiters.apply(keys);
    try {
      return (used() - before) / (double) KEYS;
    } finally {
      Reference.reachabilityFence(first);
      Reference.reachabilityFence(kept);
      Reference.reachabilityFence(keys);
    }
  }

  private static long used() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
