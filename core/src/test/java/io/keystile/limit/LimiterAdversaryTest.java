package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules that are made to get the most, or the least, out of a limiter. */
class LimiterAdversaryTest {
  private static final int SEARCHED = 40 * Threads.ROUNDS;
  private static final long LIMIT = 40;
  private static final Window WINDOW = new Window(LIMIT, Duration.ofMillis(1_000));

  private long millis;

  private Limiter<String> limiter(Plan plan) {
    return Limiter.builder(plan).ticker(() -> millis * 1_000_000).build();
  }

  private static Gate fresh(Plan plan) {
    return Gate.of(Limiter.<String>of(plan), "key");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 10, 16, 17, 100, 1_000, 12_345})
  void a_burst_at_the_end_of_a_window_and_greed_after_it_get_the_limit(long limit) {
    Window window = new Window(limit, Duration.ofSeconds(1));
    for (int resolution : new int[] {2, 9, 50}) {
      Plan plan = Plan.of("burst", window).resolution(resolution);
      assertThat(worstOfBursts(window, () -> fresh(plan))).isEqualTo(limit);
    }
    assertThat(worstOfBursts(window, () -> Twins.exact(window))).isEqualTo(limit);
    long twin = worstOfBursts(window, () -> Twins.twoBuckets(window));
    assertThat(twin).as("the twin").isGreaterThan(limit - (limit == 1 ? 1 : 0));
  }

  /** Bursts at each of the last ticks of a window, and the first of the next, then greed. */
  private static long worstOfBursts(Window window, Supplier<Gate> gates) {
    long length = window.length().toMillis();
    long worst = 0;
    for (long burst = length - 2; burst <= length + 1; burst++) {
      Gate gate = gates.get();
      AdmissionLog log = new AdmissionLog(List.of(window));
      takeAll(gate, 0, window.limit() / 3, log);
      for (long tick = burst; tick < burst + 3 * length; tick++) {
        takeAll(gate, tick, Long.MAX_VALUE, log);
      }
      worst = Math.max(worst, log.worst(window));
    }
    return worst;
  }

  private static void takeAll(Gate gate, long tick, long most, AdmissionLog log) {
    for (long i = 0; i < most && gate.take(1, tick * 1_000_000); i++) {
      log.add(tick, 1);
    }
  }

  /** What an adversary does: waits so long, asks for so much, so often; over and over. */
  private record Move(long pause, int cost, int times) {
    static Move random(SplittableRandom random) {
      long pause =
          switch (random.nextInt(4)) {
            case 0 -> random.nextLong(3);
            case 1 -> random.nextLong(WINDOW.length().toMillis() + 3);
            case 2 -> WINDOW.length().toMillis() - random.nextLong(3);
            default -> random.nextLong(100);
          };
      int times = random.nextBoolean() ? 2 * (int) LIMIT : random.nextInt(1, 10);
      return new Move(pause, random.nextInt(6) == 0 ? random.nextInt(1, 9) : 1, times);
    }
  }

  @Test
  void no_schedule_that_a_search_finds_gets_more_than_the_limit() {
    SplittableRandom random = Seed.of("adversary");
    double ours = 0;
    for (int resolution : new int[] {2, 7, 9, 39}) {
      Plan plan = Plan.of("searched", WINDOW, Window.perMinute(7 * LIMIT)).resolution(resolution);
      ours = Math.max(ours, searched(random.split(), SEARCHED / 4, () -> fresh(plan)));
    }
    double twin = searched(random, SEARCHED / 10, () -> Twins.twoBuckets(WINDOW));
    System.out.printf(
        "searched adversary, %,d schedules: worst window over limit %.2f; two buckets: %.2f%n",
        SEARCHED, ours, twin);
    assertThat(ours).isEqualTo(1.0);
    assertThat(twin).isGreaterThan(1.5);
  }

  /** Climbs: changes the best schedule so far a little, and keeps what is no worse. */
  private static double searched(SplittableRandom random, int tries, Supplier<Gate> gates) {
    double best = 0;
    List<Move> schedule = List.of();
    long last = -1;
    for (int i = 0; i < tries; i++) {
      if (i % 500 == 0) {
        schedule = List.of();
        last = -1;
      }
      List<Move> next = new ArrayList<>(schedule);
      if (next.size() < 12 && random.nextBoolean()) {
        next.add(random.nextInt(next.size() + 1), Move.random(random));
      } else if (!next.isEmpty()) {
        next.set(random.nextInt(next.size()), Move.random(random));
      }
      long worst = worst(gates.get(), next);
      if (worst >= last) {
        schedule = next;
        last = worst;
      }
      best = Math.max(best, (double) worst / LIMIT);
    }
    return best;
  }

  private static long worst(Gate gate, List<Move> schedule) {
    List<long[]> taken = new ArrayList<>();
    long tick = 0;
    for (Move move : schedule) {
      tick += move.pause();
      for (int i = 0; i < move.times() && gate.take(move.cost(), tick * 1_000_000); i++) {
        taken.add(new long[] {tick, move.cost()});
      }
    }
    return AdmissionLog.worst(taken, WINDOW.length().toMillis());
  }

  @ParameterizedTest
  @CsvSource({"9, 0.88", "50, 0.98"})
  void who_takes_all_he_can_gets_nearly_the_limit(int resolution, double share) {
    SplittableRandom random = Seed.of("greedy");
    double least = 1;
    for (long limit : new long[] {1, 10, 16, 17, 19, 28, 64, 100, 300, 1_000}) {
      Window window = Window.perMinute(limit);
      for (int start = 0; start < 8; start++) {
        Plan plan = Plan.of("greedy", window).resolution(resolution);
        double got = greedyShare(plan, start, random.split());
        assertThat(got).as("limit %d, start %d", limit, start).isBetween(share, 1.0);
        least = Math.min(least, got);
      }
    }
    System.out.printf("greedy, resolution %d: least share %.3f of the limit%n", resolution, least);
  }

  /** The share of the limit that greed gets over many windows, after one of another pattern. */
  private double greedyShare(Plan plan, int start, SplittableRandom random) {
    Window window = plan.windows().get(0);
    long length = window.length().toMillis();
    Limiter<String> limiter = limiter(plan);
    long asked = 0;
    for (millis = 0; millis < length; millis += 10) {
      long evenly = window.limit() * (millis + 10) / length;
      long times = start == 0 ? 0 : start == 1 ? evenly - asked : random.nextLong(1L << start);
      asked += times;
      for (long i = 0; i < times; i++) {
        limiter.tryAcquire("key");
      }
    }
    long windows = 100;
    long got = 0;
    while (millis < (windows + 1) * length) {
      if (limiter.tryAcquire("key")) {
        got++;
      } else {
        millis += limiter.peek("key", 1).retryAfter().toMillis();
      }
    }
    return (double) got / (windows * window.limit());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"PT1.001S", "PT12H", "P25D", "P30D", "P49DT18H", "P400D", "P3652D", "P106751D"})
  void after_any_time_of_rest_the_first_call_is_let_in_and_the_limit_is_there(Duration rest) {
    for (long start : new long[] {0, -7, Long.MIN_VALUE / 1_000_000, -(1L << 32) / 2}) {
      Plan plan = Plan.of("rest", Window.perSecond(10), new Window(1_000, Duration.ofDays(1)));
      Limiter<String> limiter = limiter(plan);
      Meter meter = limiter.meter("key");
      millis = start;
      while (meter.tryAcquire()) {
        millis += 101;
      }
      millis += Math.max(rest.toMillis(), Duration.ofDays(1).toMillis() + 1);
      if (start == 0) {
        limiter.sweep();
      }
      assertThat(meter.tryAcquire()).isTrue();
      assertThat(meter.tryAcquire(9)).isTrue();
      assertThat(meter.tryAcquire()).isFalse();
      assertThat(meter.peek(1).windows().get(1).used()).isEqualTo(10);
    }
  }

  @Test
  void the_whole_range_of_the_ticker_may_pass_at_once() {
    Limiter<String> limiter = limiter(Plan.of("rest", Window.perSecond(10)));
    millis = -1;
    assertThat(limiter.tryAcquire("key", 10)).isTrue();
    millis = Long.MAX_VALUE / 1_000_000 - 1;
    assertThat(limiter.tryAcquire("key", 10)).isTrue();
    assertThat(limiter.tryAcquire("key")).isFalse();
  }

  @Test
  void a_twin_whose_ticks_overflow_is_caught() {
    int[] last = {0};
    Gate twin =
        (cost, nanos) -> {
          int tick = (int) Limiter.tick(nanos);
          boolean enough = tick - last[0] > 1_000;
          last[0] = enough ? tick : last[0];
          return enough;
        };
    assertThat(twin.take(1, Duration.ofHours(12).toNanos())).isTrue();
    assertThat(twin.take(1, Duration.ofDays(30).toNanos())).as("after 30 days").isFalse();
  }

  @Test
  void two_clocks_a_second_apart_get_no_more_than_the_limit() {
    Window window = new Window(150, Duration.ofSeconds(10));
    assertThat(worstOfTwoClocks(window, fresh(Plan.of("clocks", window)))).isEqualTo(150);
    assertThat(worstOfTwoClocks(window, beginsAnewWhenTimeGoesBack(window)))
        .as("the twin")
        .isGreaterThan(150);
  }

  private static long worstOfTwoClocks(Window window, Gate gate) {
    AdmissionLog log = new AdmissionLog(List.of(window));
    for (int call = 0; call < 200_000; call++) {
      long tick = call / 4 + call % 2 * 1_000;
      log.moveTo(tick);
      if (gate.take(1, tick * 1_000_000)) {
        log.add(tick, 1);
      }
    }
    return log.worst(window);
  }

  private static Gate beginsAnewWhenTimeGoesBack(Window window) {
    long[] bucketAndCount = {0, 0};
    return (cost, nanos) -> {
      long bucket = Limiter.tick(nanos) / window.length().toMillis();
      if (bucket != bucketAndCount[0]) {
        bucketAndCount[0] = bucket;
        bucketAndCount[1] = 0;
      }
      return ++bucketAndCount[1] <= window.limit();
    };
  }

  @Test
  void no_cost_gains_anything() {
    assertThat(gained(limiter -> Gate.of(limiter, "key"))).isZero();
    assertThat(gained(limiter -> Twins.exact(WINDOW))).as("the twin").isPositive();
  }

  /** What can be taken beyond the limit after calls with costs of all kinds. */
  private long gained(Function<Limiter<String>, Gate> gates) {
    Limiter<String> limiter = limiter(Plan.of("costs", WINDOW));
    Gate gate = gates.apply(limiter);
    long taken = 0;
    int limit = (int) LIMIT;
    int[] costs = {
      0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, limit + 1, -limit, limit, limit + 1, 0, -1
    };
    for (int cost : costs) {
      try {
        taken += gate.take(cost, 0) ? Math.max(0, cost) : 0;
      } catch (IllegalArgumentException e) {
        assertThat(cost).isLessThan(1);
      }
    }
    for (int i = 0; i < 100; i++) {
      taken += gate.take(1, 0) ? 1 : 0;
    }
    return taken - LIMIT;
  }

  @Test
  void costs_that_cannot_be_are_refused_without_a_change() {
    SplittableRandom random = Seed.of("costs");
    Limiter<String> limiter = limiter(Plan.of("costs", WINDOW, Window.perMinute(5 * LIMIT)));
    for (int i = 0; i < 500; i++) {
      millis += random.nextInt(200);
      limiter.tryAcquire("key", random.nextLong(1, LIMIT));
      List<Decision.Standing> before = limiter.peek("key", 1).windows();
      for (long cost : new long[] {0, -1, Long.MIN_VALUE, Integer.MIN_VALUE}) {
        assertThatThrownBy(() -> limiter.tryAcquire("key", cost))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limiter.acquire("key", cost))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limiter.peek("key", cost))
            .isInstanceOf(IllegalArgumentException.class);
      }
      for (long cost : new long[] {LIMIT + 1, 1L << 31, (1L << 32) + 1, Long.MAX_VALUE}) {
        assertThat(limiter.tryAcquire("key", cost)).isFalse();
        assertThat(limiter.acquire("key", cost).retryAfter()).isNull();
        assertThat(limiter.peek("key", cost).refusing()).isNotEmpty();
      }
      assertThat(limiter.peek("key", 1).windows()).isEqualTo(before);
    }
  }

  @Test
  void refusals_put_off_nothing() {
    assertThat(putOff(() -> fresh(Plan.of("refusals", WINDOW)))).isZero();
    Supplier<Gate> twin =
        () -> {
          Gate exact = Twins.exact(WINDOW);
          Gate counted = Twins.exact(new Window(10 * LIMIT, WINDOW.length()));
          return (cost, nanos) -> counted.take(cost, nanos) && exact.take(cost, nanos);
        };
    assertThat(putOff(twin)).as("the twin that counts refusals").isPositive();
  }

  /** How often one that is asked again when it refuses decides other than one that is not. */
  private static long putOff(Supplier<Gate> gates) {
    SplittableRandom random = Seed.of("refusals");
    Gate asked = gates.get();
    Gate spared = gates.get();
    long differences = 0;
    long nanos = 0;
    for (int i = 0; i < 100_000; i++) {
      nanos += random.nextLong(60_000_000);
      int cost = random.nextInt(5) == 0 ? random.nextInt(1, (int) LIMIT) : 1;
      boolean taken = spared.take(cost, nanos);
      differences += asked.take(cost, nanos) == taken ? 0 : 1;
      for (int again = random.nextInt(40); again > 0 && !taken; again--) {
        asked.take(cost, nanos);
      }
    }
    return differences;
  }

  @Test
  void refusals_change_nothing_that_can_be_seen() {
    SplittableRandom random = Seed.of("refusals");
    Plan plan = Plan.of("refusals", WINDOW, new Window(5 * LIMIT, Duration.ofSeconds(30)));
    Limiter<String> limiter = limiter(plan);
    long refusals = 0;
    for (int i = 0; i < 50_000; i++) {
      millis += random.nextInt(60);
      long cost = random.nextInt(5) == 0 ? random.nextLong(1, LIMIT + 1) : 1;
      Decision before = limiter.peek("key", cost);
      if (limiter.tryAcquire("key", cost)) {
        continue;
      }
      Decision refusal = limiter.acquire("key", cost);
      assertThat(refusal.windows()).isEqualTo(before.windows());
      assertThat(refusal.retryAfter()).isEqualTo(before.retryAfter());
      refusals++;
    }
    System.out.printf("%,d refusals changed nothing%n", refusals);
    assertThat(refusals).isGreaterThan(10_000);
  }
}
