package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.store.KeyRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KeyCacheTest {
  private final ManualTime time = new ManualTime();
  private final ExecutorService loaders = Executors.newFixedThreadPool(2);

  @AfterEach
  void stop() {
    loaders.shutdownNow();
  }

  @Test
  void many_callers_share_one_load() throws Exception {
    int callers = 64;
    int rounds = 1_000;
    AtomicInteger loads = new AtomicInteger();
    AtomicReference<CountDownLatch> gate = new AtomicReference<>(new CountDownLatch(1));
    KeyCache cache =
        cache(
            id -> {
              loads.incrementAndGet();
              await(gate.get());
              return SampleKeys.cached(id, KeyRecord.State.ACTIVE);
            });
    ExecutorService pool = Executors.newFixedThreadPool(callers);
    try {
      CyclicBarrier start = new CyclicBarrier(callers + 1);
      for (int round = 0; round < rounds; round++) {
        KeyId id = SampleKeys.id(round);
        CountDownLatch open = new CountDownLatch(1);
        gate.set(open);
        List<Future<CachedKey>> answers = new ArrayList<>();
        CountDownLatch joined = new CountDownLatch(callers);
        for (int i = 0; i < callers; i++) {
          answers.add(
              pool.submit(
                  () -> {
                    start.await();
                    CompletableFuture<CachedKey> flight = cache.load(id);
                    joined.countDown();
                    return flight.get();
                  }));
        }
        start.await();
        joined.await();
        open.countDown();
        CachedKey first = answers.get(0).get();
        for (Future<CachedKey> answer : answers) {
          assertThat(answer.get()).isSameAs(first);
        }
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(loads).hasValue(rounds);
    System.out.println(
        "KeyCache: " + callers + " callers x " + rounds + " rounds, " + loads + " loads");
  }

  @Test
  void a_failed_load_is_told_to_all_and_not_remembered() {
    AtomicInteger loads = new AtomicInteger();
    KeyCache cache =
        cache(
            id -> {
              if (loads.incrementAndGet() == 1) {
                throw new IllegalStateException("down");
              }
              return SampleKeys.cached(id, KeyRecord.State.ACTIVE);
            });
    KeyId id = SampleKeys.id(1);

    assertThatThrownBy(() -> cache.load(id).join()).hasRootCauseMessage("down");
    assertThat(cache.get(id)).isNull();
    assertThat(cache.load(id).join().state).isEqualTo(KeyRecord.State.ACTIVE);
    assertThat(cache.get(id)).isNotNull();
  }

  @Test
  void a_rejected_load_is_not_remembered_and_does_not_hang_those_who_joined() {
    AtomicInteger calls = new AtomicInteger();
    KeyCache cache =
        new KeyCache(
            SampleKeys.settings(time),
            id -> SampleKeys.cached(id, KeyRecord.State.ACTIVE),
            task -> {
              if (calls.incrementAndGet() == 1) {
                throw new RejectedExecutionException("full");
              }
              task.run();
            },
            Runnable::run);
    KeyId id = SampleKeys.id(1);

    assertThatThrownBy(() -> cache.load(id)).isInstanceOf(RejectedExecutionException.class);
    assertThat(cache.load(id)).isCompleted();
  }

  @Test
  void a_loader_that_cannot_start_a_thread_poisons_no_key() {
    AtomicInteger calls = new AtomicInteger();
    KeyCache cache =
        new KeyCache(
            SampleKeys.settings(time),
            id -> SampleKeys.cached(id, KeyRecord.State.ACTIVE),
            task -> {
              if (calls.incrementAndGet() == 1) {
                throw new OutOfMemoryError("planted: unable to create native thread");
              }
              task.run();
            },
            Runnable::run);
    KeyId id = SampleKeys.id(1);

    assertThatThrownBy(() -> cache.load(id)).isInstanceOf(RejectedExecutionException.class);
    assertThat(cache.load(id)).isCompleted();
  }

  @Test
  void a_load_that_hangs_is_given_up() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger loads = new AtomicInteger();
    KeyCache cache =
        cache(
            id -> {
              if (loads.incrementAndGet() == 1) {
                await(gate);
              }
              return SampleKeys.cached(id, KeyRecord.State.ACTIVE);
            });
    KeyId id = SampleKeys.id(1);
    CompletableFuture<CachedKey> hanging = cache.load(id);
    Waiting.until(() -> loads.get() != 0);

    time.advance(Duration.ofSeconds(2)); // four deadlines
    assertThat(cache.load(id)).isSameAs(hanging);
    time.advance(Duration.ofNanos(1));
    assertThat(cache.load(id).get(10, TimeUnit.SECONDS)).isNotNull();
    CachedKey kept = cache.get(id);
    gate.countDown();
    hanging.get(10, TimeUnit.SECONDS);
    assertThat(cache.get(id)).isSameAs(kept); // what came late is not put
  }

  @Test
  void what_is_loaded_when_it_closes_is_not_kept() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    KeyCache cache =
        cache(
            id -> {
              await(gate);
              return SampleKeys.cached(id, KeyRecord.State.ACTIVE);
            });
    KeyId id = SampleKeys.id(1);
    CompletableFuture<CachedKey> flight = cache.load(id);
    cache.close();
    gate.countDown();
    flight.get(10, TimeUnit.SECONDS);

    assertThat(cache.get(id)).isNull();
    assertThatThrownBy(() -> cache.load(id)).isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void who_asks_after_an_invalidation_does_not_join_the_old_load() throws Exception {
    int rounds = 20_000;
    AtomicReference<KeyRecord.State> stored = new AtomicReference<>();
    AtomicReference<CountDownLatch> hasRead = new AtomicReference<>(new CountDownLatch(1));
    AtomicReference<CountDownLatch> mayReturn = new AtomicReference<>(new CountDownLatch(1));
    KeyCache cache =
        cache(
            id -> {
              KeyRecord.State read = stored.get();
              CountDownLatch gate = mayReturn.get();
              hasRead.get().countDown();
              if (read == KeyRecord.State.ACTIVE) {
                await(gate);
              }
              return SampleKeys.cached(id, read);
            });
    KeyId id = SampleKeys.id(1);
    for (int round = 0; round < rounds; round++) {
      stored.set(KeyRecord.State.ACTIVE);
      cache.invalidate(id);
      hasRead.set(new CountDownLatch(1));
      mayReturn.set(new CountDownLatch(1));
      CompletableFuture<CachedKey> early = cache.load(id);
      hasRead.get().await(); // the load has read ACTIVE and pauses

      stored.set(KeyRecord.State.REVOKED);
      cache.invalidate(id);
      CachedKey late = cache.load(id).get(10, TimeUnit.SECONDS);
      mayReturn.get().countDown();

      assertThat(late.state).isEqualTo(KeyRecord.State.REVOKED);
      assertThat(early.get(10, TimeUnit.SECONDS).state).isEqualTo(KeyRecord.State.ACTIVE);
      CachedKey cached = cache.get(id);
      assertThat(cached).isNotNull();
      assertThat(cached.state).isEqualTo(KeyRecord.State.REVOKED);
    }
    System.out.println("KeyCache: " + rounds + " revocations during a load, none forgotten");
  }

  @Test
  void forgetting_some_keys_also_drops_what_is_being_loaded() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    KeyCache cache =
        cache(
            id -> {
              await(gate);
              return SampleKeys.cached(id, KeyRecord.State.ACTIVE);
            });
    KeyId id = SampleKeys.id(1);
    CompletableFuture<CachedKey> flight = cache.load(id);
    cache.invalidateIf(key -> false);
    gate.countDown();
    flight.get(10, TimeUnit.SECONDS);

    assertThat(cache.get(id)).isNull();
  }

  /** Trap: what is evicted is not found by a later invalidation, and may be in front again. */
  @Test
  void whatever_leaves_the_cache_is_dead() {
    int count = 150_000;
    KeyCache cache = onThisThread(id -> SampleKeys.cached(id, KeyRecord.State.ACTIVE));
    List<CachedKey> loaded = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      loaded.add(cache.load(SampleKeys.id(i)).join());
    }
    int alive = 0;
    for (CachedKey key : loaded) {
      boolean isCached = cache.get(key.id) == key;
      assertThat(key.isDead()).isEqualTo(!isCached);
      alive += isCached ? 1 : 0;
    }
    assertThat(alive).isBetween(50_000, 100_000);

    cache.invalidateAll();
    for (CachedKey key : loaded) {
      assertThat(key.isDead()).isTrue();
      assertThat(cache.recent(key.idHigh, key.idLow)).isNull();
    }
    System.out.println("KeyCache: " + (count - alive) + " evicted and " + alive + " dropped, dead");
  }

  /**
   * So that an invalidation that finds nothing any more, since another is at it, leaves nothing
   * that is still found in front.
   */
  @Test
  void nothing_is_out_of_the_cache_before_it_is_dead() throws Exception {
    KeyCache cache = onThisThread(id -> SampleKeys.cached(id, KeyRecord.State.ACTIVE));
    KeyId id = SampleKeys.id(1);
    int rounds = 30_000;
    AtomicReference<CachedKey> watched = new AtomicReference<>();
    AtomicBoolean isOver = new AtomicBoolean();
    Future<Integer> watcher =
        loaders.submit(
            () -> {
              int alive = 0;
              while (!isOver.get()) {
                CachedKey key = watched.get();
                alive += key != null && cache.get(id) != key && !key.isDead() ? 1 : 0;
              }
              return alive;
            });
    for (int round = 0; round < rounds; round++) {
      watched.set(cache.load(id).join());
      switch (round % 3) {
        case 0 -> cache.invalidate(id);
        case 1 -> cache.invalidateIf(key -> true);
        default -> cache.load(id).join();
      }
    }
    isOver.set(true);

    assertThat(watcher.get()).isZero();
    System.out.println("KeyCache: " + rounds + " taken out, each of them dead by then");
  }

  @Test
  void an_invalidation_a_successor_and_a_refusal_to_keep_kill() {
    KeyCache cache = cache(id -> SampleKeys.cached(id, KeyRecord.State.ACTIVE));
    KeyId id = SampleKeys.id(1);
    CachedKey first = cache.load(id).join();
    assertThat(cache.get(id)).isSameAs(first);
    assertThat(cache.recent(id.high(), id.low())).isSameAs(first);

    CachedKey second = cache.load(id).join();
    assertThat(first.isDead()).isTrue();
    assertThat(cache.recent(id.high(), id.low())).isNull();
    assertThat(cache.get(id)).isSameAs(second);

    cache.invalidateIf(key -> key == second);
    assertThat(second.isDead()).isTrue();
    CachedKey third = cache.load(id).join();
    cache.invalidate(id);
    assertThat(third.isDead()).isTrue();
    assertThat(cache.get(id)).isNull();
  }

  @Test
  void ids_that_nobody_has_are_forgotten_soon() {
    KeyCache cache = cache(SampleKeys::absent);
    KeyId id = SampleKeys.id(1);
    cache.load(id).join();

    time.advance(Duration.ofMillis(9_999));
    assertThat(cache.get(id)).isNotNull();
    time.advance(Duration.ofMillis(1));
    assertThat(cache.get(id)).isNull();
  }

  @Test
  void a_flood_of_unknown_ids_pushes_out_no_good_key() {
    int good = 10_000;
    int unknown = 200_000;
    KeyCache cache =
        new KeyCache(
            SampleKeys.settings(time),
            id ->
                id.low() < good
                    ? SampleKeys.cached(id, KeyRecord.State.ACTIVE)
                    : SampleKeys.absent(id),
            Runnable::run,
            Runnable::run);
    for (int i = 0; i < good + unknown; i++) {
      cache.load(SampleKeys.id(i)).join();
    }
    int hits = 0;
    for (int i = 0; i < good; i++) {
      hits += cache.get(SampleKeys.id(i)) != null ? 1 : 0;
    }
    assertThat(hits).isEqualTo(good);
    System.out.println("KeyCache: " + hits + " good keys stay through " + unknown + " unknown ids");
  }

  private KeyCache onThisThread(KeyCache.Loader loader) {
    return new KeyCache(SampleKeys.settings(time), loader, Runnable::run, Runnable::run);
  }

  private KeyCache cache(KeyCache.Loader loader) {
    return new KeyCache(SampleKeys.settings(time), loader, loaders, loaders);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
