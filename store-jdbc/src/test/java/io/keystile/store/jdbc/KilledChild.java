package io.keystile.store.jdbc;

import io.keystile.ApiKeys;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Set;

/**
 * A process that runs one verb and dies at one of its calls of JDBC. It says to which points it has
 * come, before and after each call that reaches the database.
 */
final class KilledChild {
  /** What lines begin with that are for the parent. */
  static final String SAYS = "> ";

  /** Said when the verb has returned. */
  static final String DONE = "done";

  /** The status of one that was not killed by a signal. */
  static final int HALTED = 99;

  /** How it dies. */
  enum Death {
    /** By itself, at the point. */
    HALT,
    /** Killed by its parent, while it waits at the point. */
    KILL,
    /** Killed by its parent, while it runs on from the point. */
    KILL_RUNNING
  }

  private static final Set<String> CALLS =
      Set.of(
          "getConnection",
          "setAutoCommit",
          "executeQuery",
          "executeUpdate",
          "executeBatch",
          "commit",
          "rollback");

  private final Thread thread = Thread.currentThread();
  private final Set<String> broken;
  private final int last;
  private final Death death;
  private boolean running;
  private int points;

  private KilledChild(Set<String> broken, int last, Death death) {
    this.broken = broken;
    this.last = last;
    this.death = death;
  }

  /**
   * @param args URL, verb, its target, its operation id, the last point from 1, how to die, and a
   *     list of the methods of a connection that do nothing
   */
  public static void main(String[] args) throws Exception {
    KilledChild child =
        new KilledChild(
            Set.of(args[6].split(",")), Integer.parseInt(args[4]), Death.valueOf(args[5]));
    // while it is open, H2 does not close the file between two others
    try (Connection open = DriverManager.getConnection(args[0])) {
      ApiKeys keys =
          Trial.node(
              JdbcKeyStore.create(
                  Around.dataSource(() -> DriverManager.getConnection(args[0]), child::call)));
      child.running = true;
      Verb.valueOf(args[1]).run(keys, args[2], args[3]);
      say(DONE);
      await();
    }
  }

  private Object call(String method, Around.Call call) throws Throwable {
    if (broken.contains(method)) {
      return null;
    }
    if (Thread.currentThread() != thread || !running || !CALLS.contains(method)) {
      return call.proceed();
    }
    at("before " + method);
    Object result = call.proceed();
    at("after " + method);
    return result;
  }

  private void at(String point) throws IOException {
    say(point);
    if (++points == last) {
      switch (death) {
        case HALT -> Runtime.getRuntime().halt(HALTED);
        case KILL -> await();
        case KILL_RUNNING -> {
          // as fast as it can
        }
      }
    }
  }

  private static void say(String line) {
    System.out.println(SAYS + line);
    System.out.flush();
  }

  /** Until it is killed, or its parent is gone or has had enough. */
  private static void await() throws IOException {
    System.in.read();
    Runtime.getRuntime().halt(HALTED);
  }
}
