package io.keystile.store.tck;

import io.keystile.store.StoreException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Two threads that begin at the same moment, as often as asked. */
final class Race implements AutoCloseable {
  /** How often each race is run; with a name of its own, for a build that has other races, too. */
  static final int ROUNDS =
      Integer.getInteger("keystile.kit.rounds", Integer.getInteger("keystile.rounds", 500));

  private static final int TRIES = 100;
  private static final int SECONDS = 600;

  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private final AtomicInteger retries = new AtomicInteger();

  /** Runs both, and returns what they returned, the first one's first. */
  <T> List<T> run(Callable<T> one, Callable<T> two) {
    Start start = new Start();
    Future<T> first = threads.submit(() -> together(start, one));
    Future<T> second = threads.submit(() -> together(start, two));
    return List.of(await(first), await(second));
  }

  /** Whoever comes last sets the moment, a little ahead, so that he has no lead. */
  private static final class Start {
    private static final long LEAD_NANOS = 20_000;
    private static final int SPINS = 10_000;

    private final AtomicInteger arrived = new AtomicInteger();
    private volatile long moment;
    private volatile boolean set;

    @SuppressWarnings("ThreadPriorityCheck") // gives a core to a party that has none yet
    void await() {
      if (arrived.incrementAndGet() == 2) {
        moment = System.nanoTime() + LEAD_NANOS;
        set = true;
      }
      for (int spins = 0; !set; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          // There may be one processor only
          Thread.yield();
        }
      }
      while (System.nanoTime() - moment < 0) {
        Thread.onSpinWait();
      }
    }
  }

  /** How often a store gave up a call as a conflict, and the call was tried again. */
  int retries() {
    return retries.get();
  }

  private <T> T together(Start start, Callable<T> call) throws Exception {
    start.await();
    return retrying(call);
  }

  /** A conflict of transactions has changed nothing and may be tried again: so it is here. */
  <T> T retrying(Callable<T> call) throws Exception {
    for (int tries = 1; ; tries++) {
      try {
        return call.call();
      } catch (StoreException e) {
        if (e.kind() != StoreException.Kind.CONFLICT || tries == TRIES) {
          throw e;
        }
        retries.incrementAndGet();
      }
    }
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.get(SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("a thread of the race failed: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("a thread of the race hangs since " + SECONDS + " seconds", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while a race was running", e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
