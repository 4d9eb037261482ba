package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.limit.ManualLedgers.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Nodes that share limits, in simulated time: what all of them let through is recounted. */
class SharedLimiterTest {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final String KEY = "key";

  private final ManualLedgers store = new ManualLedgers();

  /** One node. Its ticks have an origin of their own. */
  private final class Node {
    final long origin;
    final Limiter<String> limiter;
    final List<long[]> admitted = new ArrayList<>();
    long nextExchange;
    int failed;

    Node(Plan plan, long origin) {
      this.origin = origin;
      limiter =
          Limiter.builder(plan)
              .ticker(() -> (store.millis + origin) * 1_000_000)
              .shared(store, INTERVAL)
              .build();
      exchange();
    }

    void exchange() {
      limiter.exchange();
      nextExchange = store.millis + INTERVAL.toMillis();
    }

    void exchangeIfDue() {
      if (store.millis >= nextExchange) {
        exchange();
      }
    }

    /** At most two in a row fail: a lease outlives that, and the node is not cut off. */
    void exchangeIfDue(SplittableRandom random) {
      if (store.millis >= nextExchange) {
        boolean fails = failed < 2 && random.nextInt(4) == 0;
        store.fault = fails ? Fault.values()[random.nextInt(1, 5)] : Fault.NONE;
        exchange();
        store.fault = Fault.NONE;
        failed = fails ? failed + 1 : 0;
      }
    }

    boolean tryAcquire(long cost) {
      boolean taken = limiter.tryAcquire(KEY, cost);
      if (taken) {
        admitted.add(new long[] {store.millis, cost});
      }
      return taken;
    }
  }

  private List<Node> nodes(int count, Plan plan) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      nodes.add(new Node(plan, i * 5_000_000_000L - 7));
    }
    // until all have heard of each other
    for (int i = 0; i < 6; i++) {
      store.millis += INTERVAL.toMillis();
      nodes.forEach(Node::exchange);
    }
    return nodes;
  }

  private static List<long[]> all(List<Node> nodes) {
    return nodes.stream()
        .flatMap(node -> node.admitted.stream())
        .sorted((a, b) -> Long.compare(a[0], b[0]))
        .toList();
  }

  private static long bound(long limit, int nodes) {
    return limit + nodes * Math.max(1, limit / (10L * nodes));
  }

  @Test
  void four_nodes_keep_to_one_limit_however_the_load_moves() {
    SplittableRandom random = Seed.of("shared limiter");
    double worst = 0;
    long admitted = 0;
    for (int round = 0; round < 30; round++) {
      store.ledgers.clear();
      long perMinute = random.nextLong(1, 400);
      Plan plan = Plan.of("shared", Window.perSecond(12), Window.perMinute(perMinute));
      List<Node> nodes = nodes(4, plan);
      int favourite = 0;
      long idleUntil = 0;
      for (long end = store.millis + 300_000; store.millis < end; store.millis += 10) {
        if (random.nextInt(300) == 0) {
          favourite = random.nextInt(4);
        }
        if (random.nextInt(2_000) == 0) {
          idleUntil = store.millis + random.nextLong(1, 90_000);
        }
        for (Node node : nodes) {
          node.exchangeIfDue(random);
        }
        Node node = nodes.get(random.nextInt(3) == 0 ? random.nextInt(4) : favourite);
        if (store.millis > idleUntil && random.nextInt(3) == 0) {
          node.tryAcquire(random.nextInt(10) == 0 ? 2 : 1);
        }
      }
      List<long[]> log = all(nodes);
      admitted += log.size();
      long inMinute = AdmissionLog.worst(log, 60_000);
      long inSecond = AdmissionLog.worst(log, 1_000);
      worst = Math.max(worst, (double) inMinute / perMinute);
      assertThat(inMinute).as("limit %d", perMinute).isLessThanOrEqualTo(bound(perMinute, 4));
      assertThat(inSecond).isLessThanOrEqualTo(12);
    }
    System.out.printf(
        "4 nodes, 30 limits: %d let through, worst minute %.2f of its limit, ledger of %d characters%n",
        admitted, worst, store.longest);
    assertThat(admitted).isGreaterThan(3_000);
  }

  @Test
  void a_greedy_client_gets_most_of_the_limit_from_one_node_and_from_all() {
    for (int used = 1; used <= 4; used++) {
      store.ledgers.clear();
      List<Node> nodes = nodes(4, Plan.of("greedy", Window.perMinute(300)));
      long start = store.millis;
      for (; store.millis < start + 600_000; store.millis += 5) {
        for (Node node : nodes) {
          node.exchangeIfDue();
        }
        for (int i = 0; i < used; i++) {
          nodes.get(i).tryAcquire(1);
        }
      }
      List<long[]> log = all(nodes);
      double share = log.size() / (300.0 * 10);
      long worst = AdmissionLog.worst(log, 60_000);
      System.out.printf(
          "300 a minute, %d of 4 nodes used: %.2f of the limit, worst minute %d%n",
          used, share, worst);
      assertThat(share).isGreaterThan(0.8);
      assertThat(worst).isLessThanOrEqualTo(bound(300, 4));
    }
  }

  @Test
  void no_call_speaks_to_the_store() {
    List<Node> nodes = nodes(2, Plan.standard());
    int before = store.calls;

    for (int i = 0; i < 1_000; i++) {
      store.millis++;
      nodes.get(i % 2).tryAcquire(1);
      nodes.get(i % 2).limiter.peek(KEY, 1);
    }

    assertThat(store.calls).isEqualTo(before);
  }

  @Test
  void what_was_used_outlives_a_restart_and_a_lease_of_a_killed_node_costs_no_more() {
    Plan plan = Plan.of("hourly", Window.perHour(1_000));
    Node first = nodes(1, plan).get(0);
    long used = 0;
    for (int i = 0; i < 100_000 && used < 600; i++) {
      store.millis += 100;
      first.exchangeIfDue();
      used += first.tryAcquire(1) ? 1 : 0;
    }
    first.exchange();
    // killed: it neither gives back nor signs off
    store.millis += 60_000;
    Node second = nodes(1, plan).get(0);
    long more = 0;
    for (int i = 0; i < 20_000; i++) {
      store.millis += 20;
      second.exchangeIfDue();
      more += second.tryAcquire(1) ? 1 : 0;
    }

    assertThat(used).isEqualTo(600);
    assertThat(used + more).isBetween(1_000L - 100, bound(1_000, 1));
  }

  @Test
  void a_node_goes_on_alone_while_the_store_is_away_and_refuses_if_told_to() {
    List<Node> nodes = nodes(4, Plan.of("away", Window.perMinute(400)));
    for (Node node : nodes) {
      node.tryAcquire(1);
      node.exchange();
    }
    store.fault = Fault.AWAY;
    long start = store.millis;
    for (; store.millis < start + 120_000; store.millis += 10) {
      for (Node node : nodes) {
        node.exchangeIfDue();
        node.tryAcquire(1);
      }
    }
    List<long[]> away = all(nodes);
    long worst = AdmissionLog.worst(away, 60_000);
    System.out.printf("the store away, 400 a minute on 4 nodes: worst minute %d%n", worst);
    assertThat(worst).isBetween(300L, 400L + bound(400, 4) - 400);

    store.fault = Fault.NONE;
    for (; store.millis < start + 400_000; store.millis += 10) {
      for (Node node : nodes) {
        node.exchangeIfDue();
        node.tryAcquire(1);
      }
    }
    assertThat(AdmissionLog.worst(all(nodes), 60_000)).isLessThanOrEqualTo(2 * 400 + 40);
  }

  /** The most that was taken in any interval of this length. */
  private static long most(List<long[]> admitted, long from, long length) {
    long most = 0;
    for (long[] first : admitted) {
      if (first[0] >= from) {
        long taken = 0;
        for (long[] other : admitted) {
          boolean isIn = other[0] >= first[0] && other[0] < first[0] + length;
          taken += isIn ? other[1] : 0;
        }
        most = Math.max(most, taken);
      }
    }
    return most;
  }

  @Test
  void a_plan_that_changes_while_a_key_is_busy_holds_on_all_nodes() {
    Plan hour = Plan.of("p", Window.perHour(100_000));
    Plan wide = hour.window(Window.perMinute(3_000));
    for (Plan before : List.of(wide, hour)) {
      store.millis += 7_200_000;
      List<Node> nodes = nodes(4, before);
      Plan after = before.window(Window.perMinute(100));
      for (int step = 0; step < 300; step++) { // half a minute
        store.millis += 100;
        for (Node node : nodes) {
          node.tryAcquire(1);
          node.exchangeIfDue();
        }
      }
      nodes.forEach(node -> node.limiter.changePlan(after));
      long changed = store.millis;
      for (int step = 0; step < 3_000; step++) { // five minutes
        store.millis += 100;
        for (Node node : nodes) {
          if (!node.tryAcquire(1)) {
            assertThat(node.limiter.peek(KEY, 1).windows()).hasSize(2);
          }
          node.exchangeIfDue();
        }
      }
      // the first minute has what was let in before the change
      long most = most(all(nodes), changed + 60_000, 60_000);
      System.out.printf(
          "4 nodes, busy, %s becomes %s: at most %d in a minute%n",
          before.windows(), after.windows(), most);
      assertThat(most).isBetween(1L, bound(100, 4));
    }
  }
}
