package io.keystile;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that begin at one moment, again and again. */
public final class Threads implements AutoCloseable {

  /** Rounds of a race, {@code -Dkeystile.rounds=...}. */
  public static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);

  private static final int TIMEOUT_SECONDS = 60;

  private final ExecutorService executor = Executors.newCachedThreadPool();

  /** Runs all at once, each on a thread of its own, and returns their results in order. */
  public <T> List<T> race(List<Callable<T>> calls) throws Exception {
    CyclicBarrier start = new CyclicBarrier(calls.size());
    List<Future<T>> futures = new ArrayList<>();
    for (Callable<T> call : calls) {
      futures.add(
          executor.submit(
              () -> {
                start.await(TIMEOUT_SECONDS, TimeUnit.SECONDS);
                return call.call();
              }));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> future : futures) {
      results.add(future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS));
    }
    return results;
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
