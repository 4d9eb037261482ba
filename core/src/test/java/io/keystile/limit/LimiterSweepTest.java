package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Counts that end are dropped, in the midst of use as well, and no flood drops one that has not.
 */
class LimiterSweepTest {
  private static final int OTHER_KEYS = 600 * Threads.ROUNDS;
  private static final int KEYS = 3;
  private static final Window WINDOW = new Window(3, Duration.ofMillis(100));

  private final Threads threads = new Threads();
  private final AtomicLong millis = new AtomicLong();

  private long nanos() {
    return millis.get() * 1_000_000;
  }

  private Limiter<String> limiter(Plan plan, int maxKeys) {
    return Limiter.builder(plan).maxKeys(maxKeys).ticker(this::nanos).build();
  }

  @AfterEach
  void close() {
    threads.close();
  }

  @Test
  void a_meter_goes_on_when_its_key_was_dropped() {
    Limiter<String> limiter = limiter(Plan.of("plan", WINDOW), 10);
    Meter early = limiter.meter("key");
    for (int life = 0; life < 5; life++) {
      Meter late = limiter.meter("key");
      assertThat(early.tryAcquire()).isTrue();
      assertThat(late.tryAcquire()).isTrue();
      assertThat(limiter.tryAcquire("key")).isTrue();
      assertThat(early.tryAcquire()).isFalse();
      assertThat(late.tryAcquire()).isFalse();
      millis.addAndGet(100);
      assertThat(limiter.sweep()).isZero();
      millis.addAndGet(1);
      assertThat(limiter.sweep()).isEqualTo(1);
      assertThat(limiter.trackedKeys()).isZero();
    }
  }

  @Test
  void new_keys_drop_those_that_ended() {
    Limiter<String> limiter = limiter(Plan.of("plan", WINDOW), 1_000_000);
    for (int i = 0; i < 100_000; i++) {
      millis.addAndGet(1);
      assertThat(limiter.tryAcquire("key" + i)).isTrue();
      assertThat(limiter.trackedKeys())
          .isLessThan(3_000); // 1,100 are in their window, or just were
    }
  }

  /** What a round of takes against sweeps is done to. */
  private interface Subject {
    boolean take(int key);

    int sweep();
  }

  /** Threads that take of few keys, and two that sweep; the worst interval of any key. */
  private long worstWhileSwept(Subject subject, SplittableRandom random, AtomicInteger dropped)
      throws Exception {
    Map<Integer, RaceLog> logs = new HashMap<>();
    for (int key = 0; key < KEYS; key++) {
      logs.put(key, new RaceLog());
    }
    List<Callable<Void>> calls = new ArrayList<>();
    for (int thread = 0; thread < 6; thread++) {
      SplittableRandom own = random.split();
      int key = thread % KEYS;
      calls.add(
          () -> {
            logs.get(key).add(taken(subject, key, own), 0);
            return null;
          });
    }
    for (int thread = 0; thread < 2; thread++) {
      calls.add(
          () -> {
            for (int i = 0; i < 100; i++) {
              dropped.addAndGet(subject.sweep());
              Thread.yield();
            }
            return null;
          });
    }
    threads.race(calls);
    return logs.values().stream().mapToLong(log -> log.worst(100)).max().orElseThrow();
  }

  private List<RaceLog.Permit> taken(Subject subject, int key, SplittableRandom random) {
    List<RaceLog.Permit> taken = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      long before = millis.get();
      if (subject.take(key)) {
        taken.add(new RaceLog.Permit(before, millis.get(), 1));
      }
      if (random.nextInt(6) == 0) {
        millis.addAndGet(random.nextInt(8) == 0 ? 101 : random.nextLong(10));
      }
    }
    return taken;
  }

  @Test
  void no_interval_holds_more_while_keys_are_dropped_in_the_midst_of_use() throws Exception {
    SplittableRandom random = Seed.of("take against sweep");
    AtomicInteger dropped = new AtomicInteger();
    for (int round = 0; round < Threads.ROUNDS; round++) {
      Limiter<String> limiter = limiter(Plan.of("plan", WINDOW), KEYS);
      List<Meter> kept = new ArrayList<>();
      for (int key = 0; key < KEYS; key++) {
        kept.add(limiter.meter("key" + key));
      }
      AtomicInteger calls = new AtomicInteger();
      Subject subject =
          new Subject() {
            @Override
            public boolean take(int key) {
              return calls.incrementAndGet() % 2 == 0
                  ? kept.get(key).tryAcquire()
                  : limiter.tryAcquire("key" + key);
            }

            @Override
            public int sweep() {
              return limiter.sweep();
            }
          };
      assertThat(worstWhileSwept(subject, random, dropped)).isLessThanOrEqualTo(WINDOW.limit());
      assertThat(limiter.trackedKeys()).isBetween(0, KEYS);
    }
    System.out.printf(
        "takes against sweeps: %,d rounds, %,d counts dropped meanwhile, 0 intervals above%n",
        Threads.ROUNDS, dropped.get());
    assertThat(dropped).hasValueGreaterThan(Threads.ROUNDS);
  }

  @Test
  void a_twin_that_drops_what_has_not_ended_is_caught() throws Exception {
    SplittableRandom random = Seed.of("take against sweep, twin");
    Twins.Forgetful twin = Twins.forgetful(WINDOW);
    Subject subject =
        new Subject() {
          @Override
          public boolean take(int key) {
            return twin.take("key" + key, KEYS, nanos());
          }

          @Override
          public int sweep() {
            twin.drop("key0");
            return 1;
          }
        };
    long worst = 0;
    for (int round = 0; round < 50 && worst <= WINDOW.limit(); round++) {
      worst = worstWhileSwept(subject, random, new AtomicInteger());
    }
    assertThat(worst).isGreaterThan(WINDOW.limit());
  }

  @Test
  void no_number_of_other_keys_gives_a_limited_key_its_budget_back() {
    int maxKeys = 1_000;
    Plan day = Plan.of("day", Window.perSecond(10), Window.perDay(20));
    Plan brief = Plan.of("brief", WINDOW);
    Limiter<String> limiter = limiter(day, maxKeys);
    Meter victim = limiter.meter("victim");
    assertThat(victim.tryAcquire(10)).isTrue();
    millis.addAndGet(1_001);
    assertThat(victim.tryAcquire(10)).isTrue();
    long in = 0;
    long refused = 0;
    int tries = 0;
    for (int i = 0; i < OTHER_KEYS; i++) {
      Meter other = limiter.meter("other" + i, i % 100 == 0 ? day : brief);
      if (other.tryAcquire()) {
        in++;
      } else {
        refused++;
      }
      if (i % 20 == 0) {
        millis.addAndGet(1);
        tries++;
        assertThat(i % 40 == 0 ? victim.tryAcquire() : limiter.tryAcquire("victim")).isFalse();
        assertThat(limiter.trackedKeys()).isLessThanOrEqualTo(maxKeys);
      }
    }
    System.out.printf(
        "evict to reset: %,d other keys with room for %,d: %,d let in, %,d refused;"
            + " the limited key let in 0 of %,d times%n",
        OTHER_KEYS, maxKeys, in, refused, tries);
    assertThat(in).isGreaterThan(2L * maxKeys);
    assertThat(refused).isPositive();
    millis.addAndGet(Duration.ofDays(1).toMillis() + 1);
    assertThat(victim.tryAcquire(10)).isTrue();
    assertThat(victim.tryAcquire()).isFalse();
  }

  @Test
  void a_twin_that_makes_room_by_forgetting_is_caught() {
    Twins.Forgetful twin = Twins.forgetful(Window.perDay(1));
    assertThat(twin.take("victim", 100, 0)).isTrue();
    int in = 0;
    for (int i = 0; i < 10_000; i++) {
      twin.take("other" + i, 100, 0);
      in += i % 20 == 0 && twin.take("victim", 100, 0) ? 1 : 0;
    }
    assertThat(in).isPositive();
    assertThat(twin.dropped()).isPositive();
  }

  @Test
  void at_the_maximum_further_keys_are_refused_until_others_have_ended() {
    Limiter<String> limiter = limiter(Plan.of("plan", WINDOW), 5);
    for (int i = 0; i < 5; i++) {
      assertThat(limiter.tryAcquire("key" + i)).isTrue();
    }

    Decision refused = limiter.acquire("further", 1);
    assertThat(refused.isAllowed()).isFalse();
    assertThat(refused.retryAfter()).isEqualTo(Duration.ofSeconds(1));
    assertThat(refused.refusing()).isEmpty();
    assertThat(refused.windows()).extracting(Decision.Standing::used).containsExactly(0L);
    assertThat(limiter.peek("further", 1).isAllowed()).isFalse();
    assertThat(limiter.tryAcquire("further")).isFalse();
    assertThat(limiter.tryAcquire("key3")).isTrue();
    assertThat(limiter.trackedKeys()).isEqualTo(5);

    millis.addAndGet(101);
    assertThat(limiter.tryAcquire("further")).isTrue();
    assertThat(limiter.trackedKeys()).isBetween(1, 5);
  }

  @Test
  void threads_that_race_for_the_last_place_with_one_key_all_get_in() throws Exception {
    int count = 16;
    for (int round = 0; round < Threads.ROUNDS / 2; round++) {
      Limiter<String> limiter = limiter(Plan.of("plan", Window.perDay(count)), 1);
      List<Boolean> taken =
          threads.race(Collections.nCopies(count, () -> limiter.tryAcquire("key")));
      assertThat(taken).doesNotContain(false);
      assertThat(limiter.tryAcquire("key")).isFalse();
    }
  }
}
