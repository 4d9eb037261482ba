package io.keystile;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks on threads of their own, one at a time, in every order that there is: a task goes on
 * until it comes to a {@link #stop}, and there each that is left may be the next. Deterministic,
 * and without a wait for time to pass. No task may wait for another.
 */
final class Interleavings implements AutoCloseable {

  /** What is done at once, made anew for each order. */
  interface Round {
    List<Runnable> tasks();

    /** What is wrong after all tasks are done, or null. */
    @Nullable String problem();
  }

  /** What came of it. */
  record Outcome(int orders, int wrong, @Nullable String firstWrong) {
    Outcome plus(Outcome other) {
      return new Outcome(
          orders + other.orders,
          wrong + other.wrong,
          firstWrong != null ? firstWrong : other.firstWrong);
    }
  }

  private static final ThreadLocal<Worker> CURRENT = new ThreadLocal<>();

  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** A task and where it stands. */
  private final class Worker implements Runnable {
    final Order order;
    final Runnable task;
    final Semaphore turn = new Semaphore(0);

    Worker(Order order, Runnable task) {
      this.order = order;
      this.task = task;
    }

    @Override
    public void run() {
      CURRENT.set(this);
      try {
        await(turn);
        task.run();
      } catch (Throwable e) {
        order.failure = e;
      } finally {
        CURRENT.remove();
        order.waiting.remove(this);
        order.next();
      }
    }
  }

  /** One order of the tasks: the first choices are given, and the rest are the first there are. */
  private static final class Order {
    final List<Worker> waiting = new ArrayList<>();
    final List<Integer> given;
    final List<Integer> taken = new ArrayList<>();
    final List<Integer> possible = new ArrayList<>();
    final Semaphore done = new Semaphore(0);
    volatile @Nullable Throwable failure;

    Order(List<Integer> given) {
      this.given = given;
    }

    /** Lets one of those who wait go on. Called by the one thread that runs. */
    void next() {
      if (waiting.isEmpty()) {
        done.release();
      } else {
        choose().turn.release();
      }
    }

    Worker choose() {
      int step = taken.size();
      int choice = step < given.size() ? given.get(step) : 0;
      taken.add(choice);
      possible.add(waiting.size());
      return waiting.get(choice);
    }

    /** The choices of the next order, or null if this was the last. */
    @Nullable List<Integer> following() {
      for (int step = taken.size() - 1; step >= 0; step--) {
        if (taken.get(step) + 1 < possible.get(step)) {
          List<Integer> choices = new ArrayList<>(taken.subList(0, step));
          choices.add(taken.get(step) + 1);
          return choices;
        }
      }
      return null;
    }
  }

  /** Lets the other tasks run here; does nothing outside of a task. */
  static void stop() {
    Worker worker = CURRENT.get();
    if (worker == null) {
      return;
    }
    Worker next = worker.order.choose();
    if (next != worker) {
      next.turn.release();
      await(worker.turn);
    }
  }

  private static void await(Semaphore semaphore) {
    try {
      if (!semaphore.tryAcquire(60, TimeUnit.SECONDS)) {
        throw new AssertionError("a task waits for another");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs all orders. */
  Outcome all(Supplier<? extends Round> rounds) {
    int orders = 0;
    int wrong = 0;
    String firstWrong = null;
    List<Integer> choices = List.of();
    while (choices != null) {
      Round round = rounds.get();
      Order order = run(round.tasks(), choices);
      String problem = order.failure != null ? String.valueOf(order.failure) : round.problem();
      if (problem != null) {
        wrong++;
        firstWrong = firstWrong != null ? firstWrong : problem + ", in the order " + order.taken;
      }
      orders++;
      choices = order.following();
    }
    return new Outcome(orders, wrong, firstWrong);
  }

  private Order run(List<Runnable> tasks, List<Integer> choices) {
    Order order = new Order(choices);
    tasks.forEach(task -> order.waiting.add(new Worker(order, task)));
    new ArrayList<>(order.waiting).forEach(threads::execute);
    order.next();
    await(order.done);
    return order;
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
