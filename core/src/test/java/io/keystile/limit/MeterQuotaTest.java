package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;

/** Quotas: checked before, charged after, always counted. */
class MeterQuotaTest {
  private long millis;

  private Meter meter(Plan plan) {
    return Limiter.<String>builder(plan).ticker(() -> millis * 1_000_000).build().meter("key");
  }

  private static Plan plan(Window... windows) {
    return Plan.of("quota").quota("bytes", windows);
  }

  /** An amount of any size below {@code 2^bits}. */
  private static long amount(SplittableRandom random, int bits) {
    return random.nextLong(1L << random.nextInt(1, bits + 1));
  }

  @Test
  void what_is_counted_is_what_was_charged_within_the_stated_error() {
    SplittableRandom random = Seed.of("quotas");
    long charges = 0;
    long refused = 0;
    long errorInGrains = 0;
    for (int round = 0; round < 40; round++) {
      int bits = random.nextInt(1, 62);
      long larger = (1L << bits) + amount(random, bits);
      Window[] windows = {
        new Window(Math.max(1, larger >> random.nextInt(12)), Duration.ofSeconds(1)),
        new Window(larger, Duration.ofSeconds(7)),
      };
      Plan plan = plan(windows).resolution(random.nextInt(2, 60));
      Layout layout = plan.quotaLayouts().get(0);
      long grain = 1L << layout.grainBits;
      Meter meter = meter(plan);
      AdmissionLog log = new AdmissionLog(plan.windows("bytes"));
      for (int i = 0; i < 4_000; i++) {
        millis += random.nextInt(50) == 0 ? random.nextLong(3_000) : random.nextLong(30);
        log.moveTo(millis);
        Decision before = meter.peek(1);
        boolean surely = true;
        boolean perhaps = true;
        for (int w = 0; w < windows.length; w++) {
          long used = log.used(w);
          long portion = layout.portion[w] * grain;
          Decision.Standing told = before.windows().get(w);
          assertThat(told.used()).isGreaterThan(used - grain).isLessThan(used + portion + grain);
          errorInGrains = Math.max(errorInGrains, (used - told.used()) / grain);
          surely &= used + portion + grain < windows[w].limit();
          perhaps &= used - grain < windows[w].limit();
        }
        assertThat(meter.tryAcquire()).isEqualTo(before.isAllowed());
        assertThat(before.isAllowed()).isIn(surely, perhaps);
        refused += before.isAllowed() ? 0 : 1;
        long amount = amount(random, bits - 3 < 1 ? 1 : bits - 3);
        if (log.used(0) + amount <= windows[0].limit() && log.used(1) + amount <= larger) {
          meter.charge("bytes", amount);
          log.add(millis, amount);
          charges++;
        }
      }
    }
    System.out.printf(
        "quotas: %,d charges, %,d refused, never a grain less than what was charged (%d)%n",
        charges, refused, errorInGrains);
    assertThat(charges).isGreaterThan(10_000);
    assertThat(refused).isGreaterThan(1_000);
  }

  @Test
  void what_is_far_above_is_counted_as_well() {
    SplittableRandom random = Seed.of("quotas, above");
    for (int round = 0; round < 40; round++) {
      int bits = random.nextInt(1, 55);
      Window window = new Window((1L << bits) + amount(random, bits), Duration.ofSeconds(1));
      Layout layout = plan(window).quotaLayouts().get(0);
      Meter meter = meter(plan(window));
      AdmissionLog log = new AdmissionLog(List.of(window));
      for (int i = 0; i < 2_000; i++) {
        millis += random.nextInt(50) == 0 ? 1_001 : random.nextLong(100);
        log.moveTo(millis);
        long amount = amount(random, bits + 1);
        meter.charge("bytes", amount);
        log.add(millis, amount);
        Decision told = meter.peek(1);
        long least = Math.min(log.used(0), (long) Integer.MAX_VALUE << layout.grainBits);
        assertThat(told.windows().get(0).used()).isGreaterThan(least - (1L << layout.grainBits));
        assertThat(told.isAllowed() && log.used(0) >= window.limit() + (1L << layout.grainBits))
            .isFalse();
      }
      millis += 1_001;
      assertThat(meter.peek(1).windows().get(0).used()).isZero();
    }
  }

  @Test
  void a_quota_is_passed_by_what_was_in_flight() {
    for (int inFlight : new int[] {1, 2, 100}) {
      Meter meter = meter(plan(Window.perMinute(1_000)));
      meter.charge("bytes", 999);
      for (int i = 0; i < inFlight; i++) {
        assertThat(meter.tryAcquire()).isTrue();
      }
      for (int i = 0; i < inFlight; i++) {
        meter.charge("bytes", 50);
      }
      Decision decision = meter.acquire(1);
      assertThat(decision.isAllowed()).isFalse();
      Decision.Standing bytes = decision.windows().get(0);
      assertThat(bytes.used()).isEqualTo(999 + 50L * inFlight);
      assertThat(bytes.remaining()).isZero();
      assertThat(decision.retryAfter()).isEqualTo(Duration.ofMillis(60_001));
      millis += 60_000;
      assertThat(meter.tryAcquire()).isFalse();
      millis += 1;
      assertThat(meter.tryAcquire()).isTrue();
      assertThat(meter.peek(1).windows().get(0).used()).isZero();
    }
  }

  @Test
  void a_refusal_by_a_quota_takes_no_permit_and_a_permit_charges_no_quota() {
    Plan both = Plan.of("both", Window.perMinute(5)).quota("bytes", Window.perMinute(100));
    Meter meter = meter(both.quota("rows", Window.perMinute(10)));
    assertThat(meter.tryAcquire(2)).isTrue();
    meter.charge("rows", 10);
    List<Decision.Standing> before = meter.peek(1).windows();
    assertThat(meter.tryAcquire()).isFalse();
    Decision refused = meter.acquire(1);
    assertThat(refused.refusing()).extracting(Decision.Standing::unit).containsExactly("rows");
    assertThat(refused.windows()).isEqualTo(before);
    assertThat(before).extracting(Decision.Standing::used).containsExactly(2L, 0L, 10L);
  }

  @Test
  void only_amounts_that_can_be_are_charged_and_only_to_units_of_the_plan() {
    Meter meter = meter(plan(Window.perMinute(100)));
    for (long amount : new long[] {-1, Long.MIN_VALUE}) {
      assertThatThrownBy(() -> meter.charge("bytes", amount))
          .isInstanceOf(IllegalArgumentException.class);
    }
    meter.charge("bytes", 0);
    meter.charge("rows", 7);
    assertThat(meter.peek(1).windows().get(0).used()).isZero();
    meter.charge("bytes", 100);
    assertThat(meter.peek(1).isAllowed()).isFalse();
  }

  @Test
  void of_charges_at_once_none_is_lost() throws Exception {
    SplittableRandom random = Seed.of("charges at once");
    Meter meter = meter(plan(Window.perDay(1L << 30), new Window(7, Duration.ofDays(2))));
    assertThat(lost(random.split(), amount -> meter.charge("bytes", amount), meter)).isZero();

    long[] count = {0};
    Meter twin = meter(plan(Window.perDay(1L << 30)));
    LongConsumer readThenWrite =
        amount -> {
          long before = count[0];
          Thread.yield();
          count[0] = before + amount;
        };
    lost(random, readThenWrite, twin);
    assertThat(charged.get() - count[0]).as("the twin loses").isPositive();
  }

  private final AtomicLong charged = new AtomicLong();

  private long lost(SplittableRandom random, LongConsumer charge, Meter meter) throws Exception {
    charged.set(0);
    try (Threads threads = new Threads()) {
      for (int round = 0; round < Threads.ROUNDS / 20; round++) {
        List<Callable<Void>> calls = new ArrayList<>();
        for (int thread = 0; thread < 64; thread++) {
          List<Long> amounts = new ArrayList<>();
          for (int i = 0; i < 50; i++) {
            amounts.add(random.nextLong(100));
          }
          calls.add(
              () -> {
                for (long amount : amounts) {
                  charged.addAndGet(amount);
                  charge.accept(amount);
                }
                return null;
              });
        }
        Collections.shuffle(calls);
        threads.race(calls);
      }
    }
    return charged.get() - meter.peek(1).windows().get(0).used();
  }
}
