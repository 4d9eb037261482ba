package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.KeySpec;
import io.keystile.limit.Plan;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Four processes on one PostgreSQL share limits and are all asked at full speed; what they let in
 * is recounted from their journals.
 */
class LimitClusterTest {
  private static final int NODES = 4;
  private static final int KEYS = 5;
  private static final Duration INTERVAL = Duration.ofMillis(250);

  /** A split window and a leased one: 40 in a second, 300 in 6 seconds. */
  private static final long[] WINDOWS = {40, 1_000, 300, 6_000};

  private static final long SECONDS =
      Math.max(12, Math.min(120, Integer.getInteger("keystile.rounds", 500) / 40));

  private final Instant origin = Instant.now().minusNanos(System.nanoTime());

  /** The most of one key that was surely let in within an interval of a window's length. */
  private static long worst(List<LimitNode.Journal> journals, int key, long windowMillis) {
    long[] starts =
        journals.stream()
            .flatMapToLong(journal -> LongStream.of(journal.starts().get(key)))
            .sorted()
            .toArray();
    // what started within this time was counted, at its end at the latest, within the window
    long length = TimeUnit.MILLISECONDS.toNanos(windowMillis) - LimitNode.SLOW;
    int worst = 0;
    for (int first = 0, last = 0; last < starts.length; last++) {
      while (starts[last] - starts[first] >= length) {
        first++;
      }
      worst = Math.max(worst, last - first + 1);
    }
    return worst;
  }

  private static long worst(List<LimitNode.Journal> journals, long windowMillis) {
    long worst = 0;
    for (int key = 0; key < KEYS; key++) {
      worst = Math.max(worst, worst(journals, key, windowMillis));
    }
    return worst;
  }

  private static long bound(long limit) {
    return limit + NODES * Math.max(1, limit / (10L * NODES));
  }

  private List<LimitNode.Journal> play(String url, boolean shared, long seconds) throws Exception {
    LimitNode.Setting setting = new LimitNode.Setting(url, origin, INTERVAL, WINDOWS, shared);
    List<NodeProcess<LimitNode>> nodes = new ArrayList<>();
    try {
      for (int i = 0; i < NODES; i++) {
        nodes.add(new NodeProcess<>(LimitNode.class));
      }
      for (int i = 0; i < NODES; i++) {
        LimitNode.Setting own = setting.withClock(Duration.ofSeconds(5L * i));
        NodeProcess<LimitNode> node = nodes.get(i);
        node.await(node.ask(state -> state.join(own)));
      }
      List<String> tokens = issue(url);
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      List<Future<LimitNode.Journal>> loads = new ArrayList<>();
      for (NodeProcess<LimitNode> node : nodes) {
        loads.add(node.ask(state -> state.load(tokens, until)));
      }
      List<LimitNode.Journal> journals = new ArrayList<>();
      for (int i = 0; i < NODES; i++) {
        journals.add(nodes.get(i).await(loads.get(i)));
      }
      return journals;
    } finally {
      for (NodeProcess<LimitNode> node : nodes) {
        node.close(); // kills it: it signs off from nothing
      }
    }
  }

  private List<String> issue(String url) throws Exception {
    List<String> tokens = new ArrayList<>();
    try (HikariDataSource pool = Database.POSTGRESQL.pool(url, true, false);
        ApiKeys issuer = issuer(pool)) {
      for (int i = 0; i < KEYS; i++) {
        tokens.add(issuer.issue(KeySpec.forOwner("owner")).revealToken());
      }
    }
    return tokens;
  }

  private ApiKeys issuer(HikariDataSource pool) {
    return ApiKeys.builder(JdbcKeyStore.builder(pool).initializeSchema(true).build())
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .build();
  }

  private String freshUrl() throws Exception {
    String url = Database.POSTGRESQL.freshUrl();
    issue(url); // makes the tables
    return url;
  }

  @Test
  void four_processes_at_full_load_keep_to_one_limit_and_use_it() throws Exception {
    List<LimitNode.Journal> journals = play(freshUrl(), true, SECONDS);

    long inSecond = worst(journals, WINDOWS[1]);
    long inSix = worst(journals, WINDOWS[3]);
    long calls = journals.stream().mapToLong(LimitNode.Journal::calls).sum();
    long slow = journals.stream().mapToLong(LimitNode.Journal::slow).sum();
    double admitted =
        slow + journals.stream().flatMap(j -> j.starts().stream()).mapToLong(s -> s.length).sum();
    double possible = KEYS * WINDOWS[2] * (1 + (double) (SECONDS * 1_000) / WINDOWS[3]);
    System.out.printf(
        "4 processes, clocks 5 s apart, %d s, %d calls: worst second %d of %d, worst 6 s %d of %d"
            + " (bound %d), %.2f of what an exact limit could let in; %d calls were slow%n",
        SECONDS,
        calls,
        inSecond,
        WINDOWS[0],
        inSix,
        WINDOWS[2],
        bound(WINDOWS[2]),
        admitted / possible,
        slow);
    assertThat(slow).as("recounted all but a few").isLessThan((long) admitted / 4);
    assertThat(inSecond).isLessThanOrEqualTo(WINDOWS[0]);
    assertThat(inSix).isLessThanOrEqualTo(bound(WINDOWS[2]));
    assertThat(admitted).isGreaterThan(possible / 6);
  }

  @Test
  void processes_that_do_not_share_are_caught() throws Exception {
    List<LimitNode.Journal> journals = play(freshUrl(), false, 3);

    System.out.printf(
        "4 processes that count for themselves: worst 6 s %d%n", worst(journals, 6_000));
    assertThat(worst(journals, WINDOWS[1])).isGreaterThan(WINDOWS[0]);
  }
}
