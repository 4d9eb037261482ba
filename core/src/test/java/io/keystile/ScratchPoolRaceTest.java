package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A scratch is never in two hands. */
class ScratchPoolRaceTest {

  private static final int THREADS = 8;
  private static final int ROUNDS = 250_000;

  @Test
  void a_scratch_is_lent_to_one_thread_at_a_time() throws Exception {
    ScratchPool pool = new ScratchPool(1);

    assertThat(sharedBy(pool::acquire, pool::release, ROUNDS)).isZero();
    System.out.printf("ScratchPoolRaceTest: %,d loans, 0 shared%n", THREADS * ROUNDS);
  }

  @Test
  void a_pool_that_looks_before_it_takes_is_caught() throws Exception {
    AtomicReference<Scratch> slot = new AtomicReference<>();
    Supplier<Scratch> acquire =
        () -> {
          Scratch scratch = slot.get();
          Thread.yield();
          slot.set(null);
          return scratch == null ? new Scratch() : scratch;
        };

    long shared = 0;
    for (int attempt = 0; attempt < 20 && shared == 0; attempt++) {
      shared = sharedBy(acquire, slot::set, ROUNDS / 10);
    }
    assertThat(shared).isPositive();
  }

  @Test
  void virtual_threads_share_a_few() throws Exception {
    assumeTrue(Runtime.version().feature() >= 21, "virtual threads came with Java 21");
    ScratchPool pool = new ScratchPool(2);
    Set<Scratch> seen =
        Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
    int tasks = 10_000;
    CountDownLatch done = new CountDownLatch(tasks);
    ExecutorService executor =
        (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    for (int i = 0; i < tasks; i++) {
      executor.execute(
          () -> {
            Scratch scratch = pool.acquire();
            pool.release(scratch);
            seen.add(scratch); // not before: a thread that waits here would keep its scratch
            done.countDown();
          });
    }
    done.await();
    executor.shutdown();
    assertThat(seen).hasSizeLessThan(tasks / 10);
  }

  /** How often a thread found that another had used its scratch meanwhile. */
  private static long sharedBy(Supplier<Scratch> acquire, Consumer<Scratch> release, int rounds)
      throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(THREADS);
    AtomicLong shared = new AtomicLong();
    List<Future<?>> running = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      long mark = thread + 1;
      running.add(
          executor.submit(
              () -> {
                for (int i = 0; i < rounds; i++) {
                  Scratch scratch = acquire.get();
                  scratch.idHigh = mark;
                  if (i % 16 == 0) {
                    Thread.yield();
                  }
                  if (scratch.idHigh != mark) {
                    shared.incrementAndGet();
                  }
                  release.accept(scratch);
                }
              }));
    }
    for (Future<?> future : running) {
      future.get();
    }
    executor.shutdown();
    return shared.get();
  }
}
