package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How a limiter finds, makes and forgets the counts of its keys. */
class LimiterTest {
  private long millis;

  private Limiter<Object> limiter(Plan plan, int maxKeys) {
    return Limiter.builder(plan).maxKeys(maxKeys).ticker(() -> millis * 1_000_000).build();
  }

  /** Equal to others of its name; lets something happen when it is looked up. */
  private record Hooked(String name, Runnable hook) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Hooked hooked && hooked.name.equals(name);
    }

    @Override
    public int hashCode() {
      hook.run();
      return name.hashCode();
    }
  }

  @Test
  void a_call_that_is_overtaken_by_a_whole_life_of_its_key_is_counted_after_it() {
    for (int lookUp = 1; lookUp <= 4; lookUp++) {
      Limiter<Object> limiter = limiter(Plan.of("one", Window.perSecond(1)), 10);
      millis = 0;
      int at = lookUp;
      AtomicInteger lookUps = new AtomicInteger();
      Runnable overtake =
          () -> {
            if (lookUps.incrementAndGet() == at) {
              millis = 10;
              assertThat(limiter.tryAcquire(new Hooked("key", () -> {}))).isTrue();
              millis = 2_000;
              limiter.sweep();
            }
          };
      boolean taken = limiter.tryAcquire(new Hooked("key", overtake));
      if (lookUps.get() < at) {
        assertThat(at).isGreaterThan(2);
        return;
      }
      // as of time 0, the other is in the window still; so this one may only be of time 2,000
      assertThat(taken).isTrue();
      millis = 2_500;
      assertThat(limiter.tryAcquire(new Hooked("key", () -> {}))).isFalse();
    }
  }

  @Test
  void a_reset_forgets_the_quotas_of_a_plan_of_the_keys_own() {
    Limiter<Object> limiter = limiter(Plan.standard(), 10);
    Plan own = Plan.of("own", Window.perDay(1)).quota("bytes", Window.perDay(100));
    Meter meter = limiter.meter("key", own);
    assertThat(meter.tryAcquire()).isTrue();
    meter.charge("bytes", 100);
    assertThat(meter.peek(1).refusing()).hasSize(2);

    limiter.reset("key");

    assertThat(meter.peek(1).refusing()).isEmpty();
  }

  @Test
  void quotas_that_nothing_was_charged_to_do_not_drop_each_other() {
    Plan plan =
        Plan.of("two", Window.perMinute(10))
            .quota("bytes", Window.perDay(9))
            .quota("rows", Window.perDay(9));
    Limiter<Object> limiter = limiter(plan, 10);
    Meter meter = limiter.meter("key");
    for (int i = 0; i < 3; i++) {
      assertThat(meter.tryAcquire()).isTrue();
      assertThat(limiter.trackedKeys()).isEqualTo(3);
    }
  }
}
