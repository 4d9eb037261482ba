package io.keystile;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of one instance, all daemons: a bounded set of loaders, which callers can leave at
 * their deadline whatever the driver does, and one thread each for the poller, for writing what was
 * used, for shared limits, for automatic changes, for risk, for the host's listener, for deadlines
 * and for what waits for nothing, so that none waits for another. They inherit nothing from the
 * request that happens to start them.
 */
final class Background {
  private static final Logger log = LoggerFactory.getLogger(Background.class);
  private static final int MAX_STEPS = 1_000;
  private static final int SWEEP_SECONDS = 60;

  private final ThreadPoolExecutor loaders;
  private final int roomForRefreshes;
  private final ThreadPoolExecutor steps = oneByOne("keystile-step", MAX_STEPS);
  private final ThreadPoolExecutor listener = oneByOne("keystile-listener", Integer.MAX_VALUE);
  private final ScheduledThreadPoolExecutor poller = single("keystile-poller");
  private final ThreadPoolExecutor writer = oneByOne("keystile-use", Integer.MAX_VALUE);
  private final ScheduledThreadPoolExecutor ticker = single("keystile-tick");
  private final ScheduledThreadPoolExecutor sharer = single("keystile-limits");
  private final ScheduledThreadPoolExecutor timer = single("keystile-timer");
  private final ScheduledThreadPoolExecutor watch = single("keystile-risk");

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

  private static ThreadPoolExecutor oneByOne(String name, int most) {
    LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>(most);
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(1, 1, 30, TimeUnit.SECONDS, queue, named(name));
    executor.allowCoreThreadTimeOut(true);
    return executor;
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
      if (loaders.getQueue().remainingCapacity() <= roomForRefreshes) {
        throw new RejectedExecutionException("too many loads are waiting");
      }
      loaders.execute(task);
    };
  }

  /** Runs loads that nobody waits for. */
  Executor refreshers() {
    return loaders;
  }

  /** Runs the automatic changes of keys, one after the other; rejects them when too many wait. */
  Executor steps() {
    return steps;
  }

  /** Calls the host's listener, one call after the other; who calls it bounds what waits. */
  Executor listener() {
    return listener;
  }

  /** Runs deadlines of those who do not block for an answer. */
  ScheduledThreadPoolExecutor timer() {
    return timer;
  }

  /** Polls so often, counted from start to start; one poll that hung is not made up for. */
  void poll(Runnable poll, Duration interval) {
    repeat(poller, poll, interval.toNanos(), interval.toNanos());
  }

  /** Speaks to the other nodes about limits so often, counted in the same way. */
  void exchange(Runnable exchange, Duration interval) {
    repeat(sharer, exchange, interval.toNanos(), interval.toNanos());
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the task throws nothing
  private static void repeat(
      ScheduledExecutorService executor, Runnable task, long delay, long interval) {
    try {
      executor.schedule(
          () -> {
            long began = System.nanoTime();
            try {
              task.run();
            } finally {
              repeat(executor, task, Math.max(0, interval - (System.nanoTime() - began)), interval);
            }
          },
          delay,
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // closed meanwhile: this was the last
    }
  }

  /**
   * Collects what was used so often, and lets an executor write it. One that waits for the store
   * keeps nothing from being collected, and takes no second thread.
   *
   * @param executor the host's; null for a thread of this
   */
  @SuppressWarnings("FutureReturnValueIgnored") // neither throws anything
  void flush(Runnable collect, Runnable flush, @Nullable Executor executor, Duration interval) {
    long nanos = interval.toNanos();
    AtomicBoolean underWay = new AtomicBoolean();
    Runnable once =
        () -> {
          try {
            flush.run();
          } finally {
            underWay.set(false);
          }
        };
    Executor chosen = executor == null ? writer : executor;
    ticker.scheduleWithFixedDelay(
        () -> {
          collect.run();
          if (underWay.compareAndSet(false, true) && !hand(once, chosen)) {
            underWay.set(false);
          }
        },
        nanos,
        nanos,
        TimeUnit.NANOSECONDS);
  }

  private static boolean hand(Runnable flush, Executor executor) {
    try {
      executor.execute(flush);
      return true;
    } catch (Throwable e) { // also an Error: the schedule would end for ever
      log.debug("What was used is written later: its executor took no task", e);
      return false;
    }
  }

  /** Drops what has ended from memory, now and then. */
  @SuppressWarnings("FutureReturnValueIgnored") // a sweep throws nothing
  void sweep(Runnable sweep) {
    ticker.scheduleWithFixedDelay(sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
  }

  /** Assesses the risk of keys so often. */
  void assess(Runnable round, Duration interval) {
    repeat(watch, round, interval.toNanos(), interval.toNanos());
  }

  /** Asks for a report so often. It must not do the work itself: deadlines wait for this thread. */
  @SuppressWarnings("FutureReturnValueIgnored") // it throws nothing
  void report(Runnable report, Duration interval) {
    long nanos = interval.toNanos();
    timer.scheduleWithFixedDelay(report, nanos, nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Takes no more work. Interrupts nobody: an interrupt inside a driver can break the host's
   * database (H2 closes a file under it).
   */
  void stop() {
    poller.shutdown();
    sharer.getQueue().clear();
    loaders.shutdown();
    steps.shutdown();
    steps.getQueue().clear(); // each will be found again
    timer.shutdown();
    watch.shutdown();
  }

  /**
   * Ends the writing of what was used with one more write, and the sharing of limits with a
   * farewell, after {@link #stop}.
   *
   * @return whether it and all other work was done in this time
   */
  boolean finish(Callable<Boolean> lastFlush, Callable<Boolean> farewell, Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    ticker.shutdown();
    Future<Boolean> last = writer.submit(lastFlush);
    writer.shutdown();
    Future<Boolean> left = sharer.submit(farewell);
    sharer.shutdown();
    try {
      return last.get(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && left.get(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && poller.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && loaders.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && watch.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)
          && steps.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  /**
   * Ends the calls of the listener with those that wait and one more, after {@link #finish}.
   *
   * @return the calls that were not made in this time and will never be
   */
  List<Runnable> lastWords(Runnable last, Duration deadline) {
    listener.execute(last);
    listener.shutdown();
    List<Runnable> left = new ArrayList<>();
    try {
      if (!listener.awaitTermination(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
        listener.getQueue().drainTo(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      listener.getQueue().drainTo(left);
    }
    return left;
  }
}
