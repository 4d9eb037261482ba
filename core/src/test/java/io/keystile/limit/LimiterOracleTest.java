package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Random use against a log of all that was taken. */
class LimiterOracleTest {
  private static final int OPERATIONS = 1_000_000;

  private long millis = -7_000; // tickers may be negative
  private long waits;

  private Limiter<String> limiter(Plan plan) {
    return Limiter.builder(plan).ticker(() -> millis * 1_000_000).build();
  }

  private static long step(SplittableRandom random) {
    return switch (random.nextInt(20)) {
      case 0 -> random.nextLong(1, 5_000);
      case 1 -> random.nextLong(1, 100);
      case 2 -> -random.nextLong(1, 1_000);
      case 3 -> random.nextInt(500) == 0 ? random.nextLong(Duration.ofDays(40).toMillis()) : 0;
      default -> random.nextLong(0, 12);
    };
  }

  @Test
  void no_window_ever_holds_more_than_its_limit_and_little_less_is_let_through() {
    SplittableRandom random = Seed.of("limiter oracle");
    long admitted = 0;
    long refused = 0;
    for (int round = 0; round < 20; round++) {
      Window[] windows = {
        new Window(random.nextLong(0, 40), Duration.ofMillis(random.nextLong(100, 2_000))),
        new Window(random.nextLong(1, 17), Duration.ofMillis(random.nextLong(2_000, 9_000))),
        new Window(random.nextLong(50, 3_000), Duration.ofMillis(random.nextLong(10_000, 600_000))),
        new Window(random.nextLong(1_000, 9_000), Duration.ofDays(random.nextInt(1, 32))),
      };
      if (round > 1 && windows[0].limit() == 0) {
        windows[0] = new Window(3, windows[0].length());
      }
      Plan plan = Plan.of("random", windows).resolution(random.nextInt(2, 60));
      Layout layout = plan.requestLayout();
      Limiter<String> limiter = limiter(plan);
      AdmissionLog log = new AdmissionLog(plan.windows());
      for (int i = 0; i < OPERATIONS / 20; i++) {
        millis += step(random);
        long cost = random.nextInt(10) == 0 ? random.nextLong(1, 20) : 1;
        long now = log.moveTo(millis);
        Decision before = limiter.peek("key", cost);
        boolean taken =
            random.nextBoolean()
                ? limiter.tryAcquire("key", cost)
                : limiter.acquire("key", cost).isAllowed();
        assertThat(taken).isEqualTo(before.isAllowed());
        boolean exactlyAllowed = true;
        boolean surelyAllowed = true;
        for (int w = 0; w < windows.length; w++) {
          long used = log.used(w);
          Decision.Standing told = before.windows().get(w);
          assertThat(told.used()).isBetween(used, used + layout.portion[w] - 1);
          exactlyAllowed &= used + cost <= windows[w].limit();
          surelyAllowed &= used + layout.portion[w] - 1 + cost <= windows[w].limit();
        }
        if (taken) {
          assertThat(exactlyAllowed).as("above a limit").isTrue();
          log.add(now, cost);
          admitted++;
        } else {
          assertThat(surelyAllowed).as("refused for more than a portion").isFalse();
          refused++;
          if (random.nextInt(50) == 0) {
            checkWait(limiter, before, cost);
            log.moveTo(millis);
          }
        }
      }
      for (Window window : windows) {
        assertThat(log.worst(window)).isLessThanOrEqualTo(window.limit());
      }
    }
    System.out.printf(
        "%d operations: %d let through, %d refused, %d waits checked%n",
        OPERATIONS, admitted, refused, waits);
    assertThat(admitted).isGreaterThan(OPERATIONS / 100);
    assertThat(refused).isGreaterThan(OPERATIONS / 100);
    assertThat(waits).isGreaterThan(OPERATIONS / 10_000);
  }

  /** Waiting for as long as it says would let the call in, a millisecond less would not. */
  private void checkWait(Limiter<String> limiter, Decision refusal, long cost) {
    assertThat(refusal.refusing()).isNotEmpty();
    if (refusal.retryAfter() == null) {
      assertThat(refusal.refusing()).anyMatch(s -> s.window().limit() < cost);
      return;
    }
    millis += refusal.retryAfter().toMillis() - 1;
    assertThat(limiter.peek("key", cost).isAllowed()).as("a millisecond less").isFalse();
    millis++;
    assertThat(limiter.peek("key", cost).isAllowed()).as("after the wait").isTrue();
    waits++;
  }

  @Test
  void small_limits_are_exact() {
    SplittableRandom random = Seed.of("small limits");
    List<Window> windows = List.of(Window.perSecond(10), Window.perMinute(16));
    Limiter<String> limiter = limiter(Plan.of("small", windows.toArray(Window[]::new)));
    AdmissionLog log = new AdmissionLog(windows);
    for (int i = 0; i < 200_000; i++) {
      millis += step(random);
      long now = log.moveTo(millis);
      boolean exactly = log.used(0) < 10 && log.used(1) < 16;
      assertThat(limiter.tryAcquire("key")).isEqualTo(exactly);
      if (exactly) {
        log.add(now, 1);
      }
    }
    assertThat(log.size()).isGreaterThan(1_000);
  }
}
