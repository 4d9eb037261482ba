package io.keystile;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
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
  private static final long MAX_COLLECT_NANOS = TimeUnit.SECONDS.toNanos(30);

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

  /** Takes in what was used so often, or more often. Nothing that it does may wait for a store. */
  void collect(Runnable collect, Duration interval) {
    long nanos = Math.min(interval.toNanos(), MAX_COLLECT_NANOS);
    tick(collect, nanos);
  }

  /**
   * Lets an executor write so often. One that waits for the store takes no second thread.
   *
   * @param executor the host's; null for a thread of this
   */
  void flush(Runnable flush, @Nullable Executor executor, Duration interval) {
    tick(new Flush(flush, executor == null ? writer : executor), interval.toNanos());
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the task throws nothing
  private void tick(Runnable task, long nanos) {
    ticker.scheduleWithFixedDelay(
        () -> {
          try {
            task.run();
          } catch (Throwable e) { // an Error too: the schedule would end for ever, without a word
            warn(e);
          }
        },
        nanos,
        nanos,
        TimeUnit.NANOSECONDS);
  }

  private static void warn(Throwable e) {
    try {
      log.warn("What was used is taken in or written later: {}", LogText.of(e));
    } catch (Throwable again) { // where there is no memory for the message
      // the next tick says it
    }
  }

  /** Hands one task at a time to an executor. */
  private static final class Flush implements Runnable {
    /** An executor that has not begun by then has dropped it. */
    private static final int MAX_TICKS = 10;

    private final Runnable flush;
    private final Executor executor;
    private final AtomicBoolean isToldOf = new AtomicBoolean();
    private @Nullable Task last;
    private int ticks;

    Flush(Runnable flush, Executor executor) {
      this.flush = flush;
      this.executor = executor;
    }

    /** One that was handed over. */
    private final class Task implements Runnable {
      volatile boolean hasBegun;
      volatile boolean isDone;

      @Override
      public void run() {
        hasBegun = true;
        try {
          flush.run();
        } finally {
          isDone = true;
        }
      }
    }

    @Override
    public void run() {
      Task open = last;
      if (open != null && !open.isDone && (open.hasBegun || ++ticks < MAX_TICKS)) {
        return;
      }
      ticks = 0;
      Task task = new Task();
      try {
        executor.execute(task);
        last = task;
      } catch (Throwable e) { // an Error too: no thread may be left for it
        last = null;
        tell(e);
      }
    }

    private void tell(Throwable e) {
      if (isToldOf.compareAndSet(false, true)) {
        log.warn(
            "What was used is written later: its executor took no task; this is logged once: {}",
            LogText.of(e));
      }
    }
  }

  /** Drops what has ended from memory, now and then. */
  void sweep(Runnable sweep) {
    tick(sweep, TimeUnit.SECONDS.toNanos(SWEEP_SECONDS));
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
    return uninterruptibly(
        () ->
            isDone(last, end)
                && isDone(left, end)
                && isDone(poller, end)
                && isDone(loaders, end)
                && isDone(watch, end)
                && isDone(steps, end));
  }

  /** What may take its time until a deadline. */
  @FunctionalInterface
  private interface Wait {
    boolean isDone() throws InterruptedException;
  }

  /** An interrupt must not lose what is pending while the store is well: it is told afterwards. */
  private static boolean uninterruptibly(Wait wait) {
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          return wait.isDone();
        } catch (InterruptedException e) {
          wasInterrupted = true;
        }
      }
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static boolean isDone(Future<Boolean> task, long end) throws InterruptedException {
    try {
      return task.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private static boolean isDone(ExecutorService executor, long end) throws InterruptedException {
    return executor.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  /**
   * Ends the calls of the listener with those that wait and one more, after {@link #finish}.
   *
   * @return the calls that were not made in this time and will never be
   */
  List<Runnable> lastWords(Runnable last, Duration deadline) {
    listener.execute(last);
    listener.shutdown();
    long end = System.nanoTime() + deadline.toNanos();
    List<Runnable> left = new ArrayList<>();
    if (!uninterruptibly(() -> isDone(listener, end))) {
      listener.getQueue().drainTo(left);
    }
    return left;
  }
}
