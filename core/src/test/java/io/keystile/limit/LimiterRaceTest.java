package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * 64 threads at one key: all that they took is recounted in every interval, see {@link RaceLog}.
 */
class LimiterRaceTest {
  private static final int THREADS = 64;
  private static final int CALLS = 40;
  private static final int TWIN_ROUNDS = 100;
  private static final int FIRST_TOUCHES = 10 * Threads.ROUNDS;

  /** Keys of one race, and between two meetings of all threads. */
  private static final int CHUNK = 1_000;

  private static final int BATCH = 20;

  private final Threads threads = new Threads();

  /** One round: a plan, a ticker that threads move while they take, and what they took. */
  private final class Round {
    final SplittableRandom random;
    final Window window;
    final LongSupplier ticker;
    final AtomicLong nanos = new AtomicLong(-3_000_000_000L);
    final RaceLog log = new RaceLog();

    /** How far the ticker goes on, on average, with each call. */
    long step;

    int maxCost = 3;

    Round(SplittableRandom random, boolean realTime) {
      this.random = random;
      long limit = random.nextBoolean() ? random.nextLong(1, 20) : random.nextLong(1, 1_001);
      window = new Window(limit, Duration.ofMillis(random.nextLong(100, 400)));
      ticker = realTime ? () -> System.nanoTime() * 1_000 : nanos::get;
      long windows = Math.max(2, Math.min(20, THREADS * CALLS / limit / 2));
      step = realTime ? 0 : windows * window.length().toNanos() / (THREADS * CALLS);
    }

    Limiter<String> limiter() {
      Window longer = new Window(5 * window.limit() / 2, window.length().multipliedBy(4));
      Plan plan = Plan.of("race", window, longer).resolution(random.nextInt(2, 60));
      return Limiter.builder(plan).ticker(ticker).build();
    }

    RaceLog run(Gate gate) throws Exception {
      List<Callable<Void>> calls = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        SplittableRandom own = random.split();
        calls.add(
            () -> {
              take(gate, own);
              return null;
            });
      }
      threads.race(calls);
      return log;
    }

    private void take(Gate gate, SplittableRandom own) {
      List<RaceLog.Permit> taken = new ArrayList<>();
      for (int call = 0; call < CALLS; call++) {
        int cost = own.nextInt(8) == 0 ? own.nextInt(1, maxCost + 1) : 1;
        long before = ticker.getAsLong();
        if (own.nextInt(16) == 0) {
          Thread.yield(); // and take with a value that grew old
        }
        if (gate.take(cost, before)) {
          long after = ticker.getAsLong();
          taken.add(new RaceLog.Permit(Limiter.tick(before), Limiter.tick(after), cost));
        }
        if (own.nextInt(10) == 0) {
          nanos.addAndGet(own.nextLong(20 * step + 1));
        }
      }
      log.add(taken, CALLS);
    }
  }

  @AfterEach
  void close() {
    threads.close();
  }

  @Test
  void no_interval_holds_more_than_the_limit_while_64_threads_take_and_time_goes_on()
      throws Exception {
    recount("manual ticker", false, Threads.ROUNDS);
  }

  @Test
  void no_interval_holds_more_than_the_limit_in_real_time() throws Exception {
    recount("real time, 1000 times as fast", true, Threads.ROUNDS / 2);
  }

  private void recount(String name, boolean realTime, int rounds) throws Exception {
    SplittableRandom random = Seed.of("limiter race");
    long calls = 0;
    long admitted = 0;
    long certain = 0;
    double worst = 0;
    int full = 0;
    for (int i = 0; i < rounds; i++) {
      Round round = new Round(random.split(), realTime);
      RaceLog log = round.run(Gate.of(round.limiter(), "key"));
      long length = round.window.length().toMillis();
      long most = log.worst(length);
      assertThat(most).as("%s, round %d", name, i).isLessThanOrEqualTo(round.window.limit());
      assertThat(log.worst(4 * length)).isLessThanOrEqualTo(5 * round.window.limit() / 2);
      worst = Math.max(worst, (double) most / round.window.limit());
      full += most == round.window.limit() ? 1 : 0;
      calls += log.calls();
      admitted += log.admitted();
      certain += log.certain();
    }
    System.out.printf(
        "%s: %,d rounds of %d threads, %,d calls, %,d admitted, the tick known of %.1f %%;"
            + " worst interval %.2f of the limit, full in %d rounds; 0 above%n",
        name, rounds, THREADS, calls, admitted, 100.0 * certain / admitted, worst, full);
    assertThat(full).as("rounds that come to the limit").isGreaterThan(rounds / 4);
  }

  @Test
  void all_of_the_limit_is_taken_when_time_stands_still() throws Exception {
    SplittableRandom random = Seed.of("limiter race, no time");
    int rounds = Threads.ROUNDS / 5;
    for (int i = 0; i < rounds; i++) {
      Round round = new Round(random.split(), false);
      round.step = 0;
      round.maxCost = 1;
      RaceLog log = round.run(Gate.of(round.limiter(), "key"));
      assertThat(log.admitted()).as("round %d", i).isEqualTo(round.window.limit());
    }
    System.out.printf("time stands still: %,d rounds, each admitted its limit%n", rounds);
  }

  @Test
  void the_twin_that_looks_before_it_takes_is_caught() throws Exception {
    assertThat(isCaught(Twins::checkThenAct)).isTrue();
  }

  @Test
  void the_twin_of_two_buckets_is_caught() throws Exception {
    assertThat(isCaught(Twins::twoBuckets)).isTrue();
  }

  @Test
  void an_exact_log_is_not_taken_for_a_twin() throws Exception {
    assertThat(isCaught(Twins::exact)).isFalse();
  }

  private boolean isCaught(Function<Window, Gate> twin) throws Exception {
    SplittableRandom random = Seed.of("limiter race, twin");
    for (int i = 0; i < TWIN_ROUNDS; i++) {
      Round round = new Round(random.split(), false);
      RaceLog log = round.run(twin.apply(round.window));
      if (log.worst(round.window.length().toMillis()) > round.window.limit()) {
        System.out.printf("caught in round %d of %d%n", i + 1, TWIN_ROUNDS);
        return true;
      }
    }
    return false;
  }

  @Test
  void of_64_threads_that_touch_a_fresh_key_one_is_let_in() throws Exception {
    Plan plan = Plan.of("once", Window.perDay(1));
    Limiter<Integer> limiter = Limiter.builder(plan).ticker(() -> 1).build();

    for (int first = 0; first < FIRST_TOUCHES; first += CHUNK) {
      assertThat(admittedOfEach(first, CHUNK, limiter::tryAcquire)).containsOnly(1);
    }

    assertThat(limiter.trackedKeys()).isEqualTo(FIRST_TOUCHES);
    System.out.printf(
        "first touch: %,d fresh keys, %d threads at each, 1 let in%n", FIRST_TOUCHES, THREADS);
  }

  @Test
  void a_first_touch_that_looks_before_it_takes_is_caught() throws Exception {
    Set<Integer> touched = ConcurrentHashMap.newKeySet();
    Predicate<Integer> twin =
        key -> {
          boolean isFirst = !touched.contains(key);
          Thread.yield();
          touched.add(key);
          return isFirst;
        };
    int most = 0;
    for (int first = 0; first < FIRST_TOUCHES && most <= 1; first += 5 * BATCH) {
      most = IntStream.of(admittedOfEach(first, 5 * BATCH, twin)).max().orElseThrow();
    }
    assertThat(most).isGreaterThan(1);
  }

  /** How many threads were let in with each of so many keys; they meet every few keys. */
  private int[] admittedOfEach(int first, int keys, Predicate<Integer> touch) throws Exception {
    CyclicBarrier meeting = new CyclicBarrier(THREADS);
    AtomicIntegerArray admitted = new AtomicIntegerArray(keys);
    threads.race(
        Collections.nCopies(
            THREADS,
            () -> {
              for (int i = 0; i < keys; i++) {
                if (i % BATCH == 0) {
                  meeting.await();
                }
                if (touch.test(first + i)) {
                  admitted.incrementAndGet(i);
                }
              }
              return null;
            }));
    return IntStream.range(0, keys).map(admitted::get).toArray();
  }
}
