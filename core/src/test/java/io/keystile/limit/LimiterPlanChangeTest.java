package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What was taken under one plan counts under the next. */
class LimiterPlanChangeTest {
  private static final int CHANGES = 20 * Threads.ROUNDS;
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final AtomicLong millis = new AtomicLong();

  private long nanos() {
    return millis.get() * 1_000_000;
  }

  private Limiter<String> limiter(Plan plan) {
    return Limiter.builder(plan).ticker(this::nanos).build();
  }

  @Test
  void while_limits_are_raised_and_lowered_no_interval_holds_more_than_the_greater()
      throws Exception {
    SplittableRandom random = Seed.of("plan changes under load");
    Duration length = Duration.ofMillis(100);
    List<Plan> plans =
        List.of(
            Plan.of("low", new Window(20, length)),
            Plan.of("high", new Window(50, length)),
            Plan.of("low, finer", new Window(20, length)).resolution(40),
            Plan.of("high, and more", new Window(50, length), new Window(400, LONGEST)));
    int perRound = 400;
    long admitted = 0;
    long worst = 0;
    try (Threads threads = new Threads()) {
      for (int changes = 0; changes < CHANGES; changes += perRound) {
        Limiter<String> limiter = limiter(plans.get(0));
        RaceLog log = new RaceLog();
        List<Callable<Void>> calls = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
          SplittableRandom own = random.split();
          calls.add(
              () -> {
                log.add(taken(limiter, own), 0);
                return null;
              });
        }
        calls.add(
            () -> {
              for (int i = 1; i <= perRound; i++) {
                limiter.changePlan(plans.get(i % plans.size()));
                Thread.yield();
              }
              return null;
            });
        threads.race(calls);
        worst = Math.max(worst, log.worst(length.toMillis()));
        admitted += log.admitted();
        assertThat(worst).isLessThanOrEqualTo(50);
      }
    }
    System.out.printf(
        "%,d changes of plan under load, limits 20 and 50: %,d admitted, worst interval %d%n",
        CHANGES, admitted, worst);
    assertThat(worst).isGreaterThan(40);
  }

  private List<RaceLog.Permit> taken(Limiter<String> limiter, SplittableRandom random) {
    List<RaceLog.Permit> taken = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      long before = millis.get();
      if (limiter.tryAcquire("key")) {
        taken.add(new RaceLog.Permit(before, millis.get(), 1));
      }
      if (random.nextInt(10) == 0) {
        millis.addAndGet(random.nextLong(12));
      }
    }
    return taken;
  }

  /** Always with a window of the longest length, so that nothing that counts was forgotten. */
  private static Plan randomPlan(SplittableRandom random) {
    List<Window> windows = new ArrayList<>();
    windows.add(new Window(random.nextLong(30, 300), LONGEST));
    for (int i = random.nextInt(4); i > 0; i--) {
      Duration length = Duration.ofMillis(100 * random.nextLong(1, 50));
      windows.removeIf(window -> window.length().equals(length));
      windows.add(random.nextInt(windows.size() + 1), new Window(random.nextLong(1, 80), length));
    }
    return Plan.of("random", windows.toArray(Window[]::new)).resolution(random.nextInt(2, 60));
  }

  @Test
  void whatever_the_next_plan_is_its_windows_know_all_that_was_taken() {
    assertThat(takenAboveALimit(false)).isZero();
    assertThat(takenAboveALimit(true)).as("the twin that begins anew").isPositive();
  }

  /** Random plans, one after the other, against a log of all that was taken. */
  private long takenAboveALimit(boolean beginAnew) {
    SplittableRandom random = Seed.of("plan changes");
    Plan plan = randomPlan(random);
    Limiter<String> limiter = limiter(plan);
    Deque<long[]> log = new ArrayDeque<>();
    long above = 0;
    long forgotten = 0;
    long admitted = 0;
    int changes = 0;
    for (int i = 0; i < 50_000; i++) {
      millis.addAndGet(random.nextInt(100) == 0 ? random.nextLong(3_000) : random.nextLong(20));
      if (random.nextInt(5) == 0) {
        plan = randomPlan(random);
        limiter = beginAnew ? limiter(plan) : limiter;
        limiter.changePlan(plan);
        changes++;
      }
      long cost = random.nextInt(10) == 0 ? random.nextLong(1, 10) : 1;
      Decision decision = limiter.acquire("key", cost);
      long now = millis.get();
      if (decision.isAllowed()) {
        log.addLast(new long[] {now, cost});
        admitted++;
      }
      while (!log.isEmpty() && log.peekFirst()[0] < now - LONGEST.toMillis()) {
        log.removeFirst();
      }
      for (Decision.Standing told : decision.windows()) {
        long used = usedSince(log, now - told.window().length().toMillis());
        above += decision.isAllowed() && used > told.window().limit() ? 1 : 0;
        forgotten += told.used() < used ? 1 : 0;
      }
    }
    assertThat(admitted).isGreaterThan(5_000);
    System.out.printf("%,d changes of plan, %,d admitted, %,d above%n", changes, admitted, above);
    assertThat(forgotten > 0).isEqualTo(beginAnew);
    millis.addAndGet(LONGEST.toMillis() + 1);
    assertThat(limiter.peek("key", 1).windows()).allMatch(told -> told.used() == 0);
    return above;
  }

  private static long usedSince(Deque<long[]> log, long oldest) {
    long used = 0;
    for (long[] entry : log) {
      used += entry[0] >= oldest ? entry[1] : 0;
    }
    return used;
  }

  @Test
  void the_same_plan_built_anew_loses_and_gains_nothing() {
    SplittableRandom random = Seed.of("same plan");
    Limiter<String> kept = limiter(same(9));
    Limiter<String> changed = limiter(same(9));
    for (int i = 0; i < 30_000; i++) {
      millis.addAndGet(random.nextLong(40));
      if (random.nextInt(10) == 0) {
        changed.changePlan(same(9));
      }
      long cost = random.nextLong(1, 4);
      Decision expected = kept.acquire("key", cost);
      Decision decision = changed.acquire("key", cost);
      assertThat(decision.isAllowed()).isEqualTo(expected.isAllowed());
      assertThat(decision.windows()).isEqualTo(expected.windows());
      assertThat(decision.retryAfter()).isEqualTo(expected.retryAfter());
    }
  }

  private static Plan same(long perSecond) {
    return Plan.of("same", Window.perSecond(perSecond), Window.perMinute(301));
  }

  @Test
  void a_lowered_limit_holds_when_what_was_taken_before_has_left() {
    Limiter<String> limiter = limiter(same(10));
    assertThat(limiter.tryAcquire("key", 10)).isTrue();
    limiter.changePlan(same(4));
    Decision decision = limiter.acquire("key", 1);
    assertThat(decision.isAllowed()).isFalse();
    assertThat(decision.retryAfter()).isEqualTo(Duration.ofMillis(1_001));
    assertThat(decision.windows().get(0).used()).isEqualTo(10);
    assertThat(decision.windows().get(0).remaining()).isZero();
    millis.addAndGet(1_001);
    assertThat(limiter.tryAcquire("key", 5)).isFalse();
    assertThat(limiter.tryAcquire("key", 4)).isTrue();
    limiter.changePlan(same(10));
    assertThat(limiter.tryAcquire("key", 6)).isTrue();
    assertThat(limiter.tryAcquire("key")).isFalse();
  }

  @Test
  void what_was_charged_counts_in_units_of_any_size() {
    SplittableRandom random = Seed.of("grains");
    long[] limits = {1_000, 1L << 31, 1L << 40, (1L << 45) + 12_345, 1L << 62};
    for (int i = 0; i < 1_000; i++) {
      Limiter<String> limiter = limiter(Plan.of("none"));
      long charged = 0;
      for (int change = 0; change < 6; change++) {
        long limit = limits[random.nextInt(limits.length)];
        limiter.changePlan(Plan.of("units").quota("bytes", Window.perDay(limit)));
        long amount = random.nextLong(1L << random.nextInt(1, 50));
        limiter.charge("key", "bytes", amount);
        long most = Integer.MAX_VALUE * Math.max(1, limit >> 30); // far above the limit
        charged = Math.min(charged + amount, most);
        long used = limiter.peek("key", 1).windows().get(0).used();
        assertThat(used).isGreaterThanOrEqualTo(charged);
      }
    }
  }
}
