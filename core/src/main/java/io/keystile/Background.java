package io.keystile;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of one instance, all daemons: a bounded set of loaders, which callers can leave at
 * their deadline whatever the driver does, and one thread each for the poller, for last use and for
 * deadlines, so that none waits for another. They inherit nothing from the request that happens to
 * start them.
 */
final class Background {
  private final ThreadPoolExecutor loaders;
  private final int roomForRefreshes;
  private final ScheduledThreadPoolExecutor poller = single("keystile-poller");
  private final ScheduledThreadPoolExecutor writer = single("keystile-use");
  private final ScheduledThreadPoolExecutor timer = single("keystile-timer");

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
    roomForRefreshes = loaderQueue / 8;
  }

  private static ScheduledThreadPoolExecutor single(String name) {
    ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, named(name));
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    executor.setRemoveOnCancelPolicy(true);
    return executor;
  }

  private static ThreadFactory named(String name) {
    AtomicInteger count = new AtomicInteger();
    ClassLoader classes = Thread.currentThread().getContextClassLoader();
    return task -> {
      String numbered = name + "-" + count.incrementAndGet();
      // without inheriting thread locals: the tenant of one request must not load for another
      Thread thread = new Thread(null, task, numbered, 0, false);
      thread.setContextClassLoader(classes);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Runs loads that requests wait for; rejects them when the queue is full or this is closed. */
  Executor loaders() {
    return task -> {
      // a flood of unknown ids must not keep the keys in use from being refreshed
      if (loaders.getQueue().remainingCapacity() <= roomForRefreshes
          && loaders.getActiveCount() == loaders.getMaximumPoolSize()) {
        throw new RejectedExecutionException("too many loads are waiting");
      }
      loaders.execute(task);
    };
  }

  /** Runs loads that nobody waits for. */
  Executor refreshers() {
    return loaders;
  }

  /** Runs deadlines of those who do not block for an answer. */
  ScheduledThreadPoolExecutor timer() {
    return timer;
  }

  /** Polls so often, counted from start to start; one poll that hung is not made up for. */
  void poll(Runnable poll, Duration interval) {
    repeat(poll, interval.toNanos(), interval.toNanos());
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a poll throws nothing
  private void repeat(Runnable poll, long delay, long interval) {
    try {
      poller.schedule(
          () -> {
            long began = System.nanoTime();
            try {
              poll.run();
            } finally {
              repeat(poll, Math.max(0, interval - (System.nanoTime() - began)), interval);
            }
          },
          delay,
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // closed meanwhile: this was the last
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a flush throws nothing
  void flush(Runnable flush, Duration interval) {
    long nanos = interval.toNanos();
    writer.scheduleWithFixedDelay(flush, nanos, nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Takes no more work. Interrupts nobody: an interrupt inside a driver can break the host's
   * database (H2 closes a file under it).
   */
  void stop() {
    poller.shutdown();
    loaders.shutdown();
    timer.shutdown();
  }

  /**
   * Ends the writing of last use with one more write, after {@link #stop}.
   *
   * @return whether it and all other work was done in this time
   */
  boolean finish(Callable<Boolean> lastFlush, Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    Future<Boolean> last = writer.submit(lastFlush);
    writer.shutdown();
    try {
      return last.get(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && poller.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && loaders.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }
}
