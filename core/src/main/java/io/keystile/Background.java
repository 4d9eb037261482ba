package io.keystile;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of one instance, all daemons: a bounded set of loaders, which callers can leave at
 * their deadline whatever the driver does, and one thread each for the poller and for last use, so
 * that neither waits for the other.
 */
final class Background {
  private final ThreadPoolExecutor loaders;
  private final ScheduledExecutorService poller;
  private final ScheduledExecutorService writer;

  Background(int loaderThreads, int loaderQueue) {
    loaders =
        new ThreadPoolExecutor(
            loaderThreads,
            loaderThreads,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(loaderQueue),
            named("keystile-loader"));
    loaders.allowCoreThreadTimeOut(true);
    poller = Executors.newSingleThreadScheduledExecutor(named("keystile-poller"));
    writer = Executors.newSingleThreadScheduledExecutor(named("keystile-use"));
  }

  private static ThreadFactory named(String name) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Runs loads; rejects them when the queue is full or this is closed. */
  Executor loaders() {
    return loaders;
  }

  /**
   * Polls at a fixed rate, so that a slow poll does not push the next one back.
   *
   * @param poll must not throw: that would end the schedule
   */
  @SuppressWarnings("FutureReturnValueIgnored")
  void poll(Runnable poll, Duration interval) {
    long nanos = interval.toNanos();
    poller.scheduleAtFixedRate(poll, nanos, nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Flushes again and again, with a pause of the interval in between.
   *
   * @param flush must not throw: that would end the schedule
   */
  @SuppressWarnings("FutureReturnValueIgnored")
  void flush(Runnable flush, Duration interval) {
    long nanos = interval.toNanos();
    writer.scheduleWithFixedDelay(flush, nanos, nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Ends all threads; the last flush may take some time.
   *
   * @return whether it was done in that time
   */
  boolean close(Callable<Boolean> lastFlush, Duration deadline) {
    poller.shutdownNow();
    loaders.shutdownNow();
    Future<Boolean> last = writer.submit(lastFlush);
    try {
      return last.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    } finally {
      writer.shutdownNow();
    }
  }
}
