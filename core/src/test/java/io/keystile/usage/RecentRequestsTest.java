package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Seed;
import io.keystile.Threads;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RecentRequestsTest {

  private static RequestRecord request(String keyId, int number) {
    return new RequestRecord(
        Instant.EPOCH, keyId, "owner", "/e", "GET", number, null, null, null, null);
  }

  private static List<Integer> numbers(RecentRequests recent, String keyId) {
    return recent.of(keyId).stream().map(RequestRecord::status).toList();
  }

  @Test
  void the_last_hundred_of_a_key_are_kept_in_order() {
    RecentRequests recent = new RecentRequests(1_000);
    List<RequestRecord> before = null;
    for (int i = 0; i < 250; i++) {
      recent.record(request("a", i));
      before = i == 120 ? recent.of("a") : before;
    }

    assertThat(numbers(recent, "a")).hasSize(100).startsWith(150, 151).endsWith(249);
    assertThat(before).hasSize(100).last().isEqualTo(request("a", 120)); // a copy
    assertThat(recent.of("b")).isEmpty();
  }

  /** Against a model that keeps every request. */
  @Test
  void of_too_many_keys_the_one_that_was_idle_longest_is_forgotten() {
    SplittableRandom random = Seed.of("recent requests");
    int calls = 200_000;
    int keys = 10;
    RecentRequests recent = new RecentRequests(keys);
    LinkedHashMap<String, List<Integer>> model = new LinkedHashMap<>(16, 0.75f, true);
    for (int i = 0; i < calls; i++) {
      String key = "key " + (int) Math.abs(random.nextGaussian() * keys);
      if (random.nextInt(10) == 0) {
        List<Integer> all = model.getOrDefault(key, List.of());
        assertThat(numbers(recent, key))
            .isEqualTo(all.subList(Math.max(0, all.size() - 100), all.size()));
        continue;
      }
      recent.record(request(key, i));
      model.computeIfAbsent(key, k -> new ArrayList<>()).add(i);
      if (model.size() > keys) {
        model.remove(model.keySet().iterator().next());
      }
    }
    assertThat(model).hasSize(keys);
  }

  /** Whether a request of one key is recorded while those of another are held. */
  private static boolean passes(RecentRequests recent, String held, String other) throws Exception {
    CountDownLatch holding = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Thread holder =
        new Thread(
            () ->
                recent.holding(
                    held,
                    () -> {
                      holding.countDown();
                      awaitUninterrupted(release);
                    }));
    holder.start();
    holding.await();
    Thread hot = new Thread(() -> recent.record(request(held, 1)));
    hot.start();
    while (hot.getState() != Thread.State.WAITING) { // for the records, no longer for the table
      Thread.onSpinWait();
    }
    Thread passing = new Thread(() -> recent.record(request(other, 1)));
    passing.start();
    while (passing.isAlive() && passing.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    boolean passed = !passing.isAlive();
    release.countDown();
    holder.join();
    hot.join();
    passing.join();
    return passed;
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_key_whose_records_are_held_holds_up_no_other() throws Exception {
    assertThat(passes(new RecentRequests(1_000), "hot", "other")).isTrue();
    // the same key has to wait, and that is noticed
    assertThat(passes(new RecentRequests(1_000), "hot", "hot")).isFalse();
  }

  @Test
  void what_threads_add_is_kept_in_the_order_of_each() throws Exception {
    int each = 50_000;
    RecentRequests recent = new RecentRequests(4);
    List<Callable<Integer>> calls = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      int first = thread * each;
      calls.add(
          () -> {
            for (int i = first; i < first + each; i++) {
              recent.record(request("key " + i % 4, i));
            }
            return each;
          });
    }
    calls.add(
        () -> {
          int read = 0;
          for (int i = 0; i < 2_000; i++) {
            List<Integer> numbers = numbers(recent, "key " + i % 4);
            assertThat(numbers.size()).isLessThanOrEqualTo(100);
            assertInOrderOfEach(numbers, each);
            read += numbers.size();
          }
          return read;
        });
    try (Threads threads = new Threads()) {
      threads.race(calls);
    }
    for (int key = 0; key < 4; key++) {
      List<Integer> numbers = numbers(recent, "key " + key);
      assertThat(numbers).hasSize(100);
      assertInOrderOfEach(numbers, each);
    }
  }

  private static void assertInOrderOfEach(List<Integer> numbers, int each) {
    Map<Integer, Integer> last = new HashMap<>();
    for (int number : numbers) {
      Integer before = last.put(number / each, number);
      assertThat(before == null || before < number).isTrue();
    }
  }

  @Test
  void the_number_of_keys_has_a_range() {
    assertThatIllegalArgumentException().isThrownBy(() -> new RecentRequests(0));
    assertThatIllegalArgumentException().isThrownBy(() -> new RecentRequests(1_000_001));
    RecentRequests one = new RecentRequests(1);
    one.record(request("a", 1));
    one.record(request("b", 2));
    assertThat(one.of("a")).isEmpty();
    assertThat(numbers(one, "b")).containsExactly(2);
  }
}
