package io.keystile.store.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Origin;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One node of a cluster that shares limits, in a process of its own: validates a set of keys at
 * full speed, and notes what was let in. All times are {@link System#nanoTime}, which all processes
 * of a machine share.
 */
final class LimitNode {
  /** A call is counted between its start and its end: those that take longer say too little. */
  static final long SLOW = TimeUnit.MILLISECONDS.toNanos(50);

  private static final Origin CLIENT = Origin.of("192.0.2.7");

  /**
   * How a node is set up.
   *
   * @param origin what its wall clock says when {@link System#nanoTime} is 0
   * @param windows limits and milliseconds, in pairs
   * @param shared whether it speaks to the others, or counts for itself
   */
  record Setting(String url, Instant origin, Duration interval, long[] windows, boolean shared)
      implements Serializable {
    Setting withClock(Duration ahead) {
      return new Setting(url, origin.plus(ahead), interval, windows, shared);
    }

    Plan plan() {
      Window[] all = new Window[windows.length / 2];
      for (int i = 0; i < all.length; i++) {
        all[i] = new Window(windows[2 * i], Duration.ofMillis(windows[2 * i + 1]));
      }
      return Plan.of("shared", all);
    }
  }

  /**
   * What a node let in.
   *
   * @param starts for each key when the calls started that were let in, but for slow ones
   * @param slow how many were let in that took longer than {@link #SLOW}
   * @param calls how many there were in all
   */
  record Journal(List<long[]> starts, long slow, long calls) implements Serializable {}

  private HikariDataSource pool;
  private ApiKeys keys;

  /** Builds the node; returns when it has signed on. */
  boolean join(Setting setting) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(setting.url());
    config.setMaximumPoolSize(6);
    pool = new HikariDataSource(config);
    var builder =
        ApiKeys.builder(JdbcKeyStore.create(pool))
            .defaultPlan(setting.plan())
            .brand("acme")
            .environment("live")
            .time(() -> setting.origin().plusNanos(System.nanoTime()), System::nanoTime)
            .loadDeadline(Duration.ofSeconds(10));
    if (setting.shared()) {
      builder.sharedLimits(setting.interval());
    }
    keys = builder.build();
    return true;
  }

  /** Asks for all keys, again and again, until then. */
  Journal load(List<String> tokens, long until) {
    List<long[]> starts = new ArrayList<>();
    int[] admitted = new int[tokens.size()];
    for (int key = 0; key < tokens.size(); key++) {
      starts.add(new long[1 << 16]);
    }
    long slow = 0;
    long calls = 0;
    for (long now = System.nanoTime(); now < until; now = System.nanoTime()) {
      for (int key = 0; key < tokens.size(); key++) {
        long start = System.nanoTime();
        calls++;
        if (keys.validate(tokens.get(key), Access.authenticated(), CLIENT).isAccepted()) {
          if (System.nanoTime() - start > SLOW) {
            slow++;
          } else {
            starts.get(key)[admitted[key]++] = start;
          }
        }
      }
    }
    for (int key = 0; key < tokens.size(); key++) {
      starts.set(key, Arrays.copyOf(starts.get(key), admitted[key]));
    }
    return new Journal(starts, slow, calls);
  }

  boolean leave() {
    keys.close();
    pool.close();
    return true;
  }
}
