package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many at once, and those who had to wait. Time is the test's. */
class LimitsRaceTest {
  private static final int THREADS = 32;
  private static final int LIMIT = 100;

  /** With the rounds of a build 50, with those of a campaign 1,000. */
  private static final int ROUNDS = Threads.ROUNDS / 10;

  private final WatchedStore store = new WatchedStore();
  private final Nodes nodes = new Nodes(store);
  private final Threads threads = new Threads();
  private final CountDownLatch gate = new CountDownLatch(1);

  @AfterEach
  void close() {
    gate.countDown();
    nodes.close();
    threads.close();
  }

  private static int sum(List<Integer> counts) {
    return counts.stream().mapToInt(Integer::intValue).sum();
  }

  @Test
  void thirty_two_threads_get_the_limit_exactly_from_the_first_request_on() throws Exception {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", LIMIT)));
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
      IssuedKey key = node.issue(KeySpec.forOwner("owner").plan("team"));
      List<Integer> counts =
          threads.race(Collections.nCopies(THREADS, () -> Uses.accepted(node, key, 10)));
      assertThat(sum(counts)).isEqualTo(LIMIT);
      accepted += sum(counts);
    }
    System.out.printf(
        "%,d requests on %d threads for %d keys: %,d accepted, %d above a limit%n",
        ROUNDS * THREADS * 10, THREADS, ROUNDS, accepted, accepted - ROUNDS * LIMIT);
  }

  @Test
  void so_do_the_keys_of_one_owner_while_the_clock_moves_within_the_window() throws Exception {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", LIMIT).perOwner()));
    for (int round = 0; round < ROUNDS; round++) {
      List<Callable<Integer>> calls = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        IssuedKey key = node.issue(KeySpec.forOwner("owner " + round).plan("team"));
        calls.add(
            () -> {
              int accepted = 0;
              for (int call = 0; call < 10; call++) {
                nodes.time.advance(Duration.ofMillis(1));
                accepted += Uses.accepted(node, key, 1);
              }
              return accepted;
            });
      }
      assertThat(sum(threads.race(calls))).isEqualTo(LIMIT);
    }
  }

  /** It asks first, and counts afterwards. */
  @Test
  void the_twin_that_checks_and_then_acts_is_caught() throws Exception {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", 10)));
    IssuedKey key = node.issue(KeySpec.forOwner("owner").plan("team"));
    CyclicBarrier checked = new CyclicBarrier(THREADS);

    List<Integer> counts =
        threads.race(
            Collections.nCopies(
                THREADS,
                () -> {
                  boolean hasRoom =
                      node.peek(key.revealToken(), Nodes.ANY, Nodes.HERE).isAccepted();
                  checked.await(1, TimeUnit.MINUTES);
                  node.validate(key.revealToken(), Nodes.ANY, Nodes.HERE);
                  return hasRoom ? 1 : 0;
                }));

    assertThat(sum(counts)).isEqualTo(THREADS);
  }

  @Test
  void who_waited_for_the_store_is_counted_with_the_time_after_the_wait() throws Exception {
    assertThat(acceptedAroundAWait(false)).isEqualTo(10);
  }

  /** It reads the time once, before it waits. */
  @Test
  void the_twin_that_keeps_the_time_from_before_the_wait_is_caught() throws Exception {
    assertThat(acceptedAroundAWait(true)).isEqualTo(20);
  }

  /** Ten wait for the store, for 1.2 seconds, and ten more come at once when they are let in. */
  private int acceptedAroundAWait(boolean remembers) throws Exception {
    Set<Thread> waiting = ConcurrentHashMap.newKeySet();
    ThreadLocal<Long> first = ThreadLocal.withInitial(() -> nodes.time.nanos());
    LongSupplier ticker =
        () -> {
          long remembered = first.get();
          waiting.add(Thread.currentThread());
          return remembers ? remembered : nodes.time.nanos();
        };
    ApiKeys node =
        nodes.node(b -> b.time(nodes.time, ticker).plans(Plan.of("team", Window.perSecond(10))));
    IssuedKey key = node.issue(KeySpec.forOwner("owner").plan("team"));
    store.gate = gate;
    waiting.clear();
    ExecutorService executor = Executors.newCachedThreadPool();
    try {
      List<Future<Integer>> early = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        early.add(executor.submit(() -> Uses.accepted(node, key, 1)));
      }
      // those ten have read the time, and so has the loader
      Waiting.until(() -> waiting.size() >= 11);
      nodes.time.advance(Duration.ofMillis(1_200));
      gate.countDown();
      int accepted = 0;
      for (Future<Integer> one : early) {
        accepted += one.get(1, TimeUnit.MINUTES);
      }
      Thread late = new Thread(() -> lateAccepted = Uses.accepted(node, key, 10));
      late.start();
      late.join();
      return accepted + lateAccepted;
    } finally {
      executor.shutdownNow();
    }
  }

  private volatile int lateAccepted;

  @Test
  void at_the_maximum_of_keys_others_are_refused_and_those_in_a_window_go_on() {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", 3)).limitedKeys(2));
    IssuedKey one = node.issue(KeySpec.forOwner("owner").plan("team"));
    IssuedKey two = node.issue(KeySpec.forOwner("owner").plan("team"));
    Uses.accepted(node, one, 2);
    nodes.time.advance(Duration.ofSeconds(30));
    Uses.accepted(node, two, 2);
    int refused = 0;
    for (int i = 0; i < 1_000; i++) {
      IssuedKey other = node.issue(KeySpec.forOwner("owner").plan("team"));
      Decision refusal = Uses.refusal(node, other.revealToken());
      assertThat(refusal.refusing()).isEmpty();
      assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(1));
      assertThat(refusal.windows())
          .allMatch(window -> window.used() == 0 && window.remaining() == 3);
      refused++;
    }
    IssuedKey unlimited = node.issue(KeySpec.forOwner("owner").plan("unlimited"));

    System.out.printf("%,d keys above the maximum were refused%n", refused);
    assertThat(Uses.accepted(node, one, 10)).isEqualTo(1);
    assertThat(Uses.accepted(node, two, 10)).as("nothing came back").isEqualTo(1);
    assertThat(Uses.accepted(node, unlimited, 100)).as("needs no place").isEqualTo(100);

    nodes.time.advance(Duration.ofMillis(30_001));
    assertThat(Uses.accepted(node, two, 10)).isZero();
    nodes.time.advance(Duration.ofMillis(30_000));
    assertThat(Uses.accepted(node, two, 10)).as("its place was kept").isEqualTo(3);
    IssuedKey next = node.issue(KeySpec.forOwner("owner").plan("team"));
    assertThat(Uses.accepted(node, next, 10)).as("there is a place again").isEqualTo(3);
  }
}
