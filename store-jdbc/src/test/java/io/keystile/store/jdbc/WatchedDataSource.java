package io.keystile.store.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A data source that counts what goes over the wire, and loses it when told to. Counted are
 * executions, and all calls that end or set up a transaction or change a setting.
 */
final class WatchedDataSource {
  private static final Set<String> EXECUTIONS =
      Set.of("execute", "executeQuery", "executeUpdate", "executeBatch");
  private static final Set<String> TRANSACTIONAL =
      Set.of("commit", "rollback", "setSavepoint", "releaseSavepoint");

  /** What a failure that was made here says: drivers tell values too. */
  static final String LEAK = "Key (owner)=(leaked-owner) already exists";

  final AtomicLong opened = new AtomicLong();
  final AtomicLong closed = new AtomicLong();
  final AtomicLong executions = new AtomicLong();
  final AtomicLong transactional = new AtomicLong();
  final AtomicLong settings = new AtomicLong();

  /** How many connections were given back otherwise than they were taken. */
  final AtomicLong changed = new AtomicLong();

  /** Statements as prepared, with {@code commit} and {@code rollback} between them. */
  final List<String> statements = new CopyOnWriteArrayList<>();

  private final Source source;
  private volatile boolean recording;
  private volatile Set<String> ignored = Set.of();
  private volatile String sqlState = "08006";
  private volatile Predicate<String> failing = call -> false;
  private volatile Predicate<String> failingAfter = call -> false;

  /** Where connections come from. */
  interface Source {
    Connection get() throws SQLException;
  }

  WatchedDataSource(Source source) {
    this.source = source;
  }

  /** From now on keeps the statements. */
  void record() {
    recording = true;
  }

  /** From now on these methods of a connection do nothing. */
  void ignore(String... methods) {
    ignored = Set.of(methods);
  }

  /** Each call that the condition is true for fails before it is done. */
  void failWhen(Predicate<String> condition) {
    failing = condition;
  }

  /** The SQLState of all failures; that of a lost connection unless set. */
  void failAs(String state) {
    sqlState = state;
  }

  /** Each call that the condition is true for is done, and then its answer is lost. */
  void loseAnswerWhen(Predicate<String> condition) {
    failingAfter = condition;
  }

  /** All that goes over the wire, with a driver that asks the server for nothing else. */
  long roundTrips() {
    return executions.get() + transactional.get() + settings.get();
  }

  DataSource dataSource() {
    return proxy(
        DataSource.class,
        (proxy, method, args) -> {
          if (!method.getName().equals("getConnection")) {
            return null;
          }
          Connection connection = source.get();
          opened.incrementAndGet();
          return watch(connection, settingsOf(connection));
        });
  }

  private static List<Object> settingsOf(Connection connection) throws SQLException {
    return List.of(
        connection.getAutoCommit(), connection.getTransactionIsolation(), connection.isReadOnly());
  }

  private Connection watch(Connection connection, List<Object> before) {
    return proxy(
        Connection.class,
        (proxy, method, args) -> {
          String name = method.getName();
          if (name.equals("close")) {
            closed.incrementAndGet();
            if (!settingsOf(connection).equals(before)) {
              changed.incrementAndGet();
            }
          }
          if (ignored.contains(name)) {
            return null;
          }
          if (TRANSACTIONAL.contains(name)) {
            transactional.incrementAndGet();
            keep(name);
            return failing(name, connection, method, args);
          }
          if (name.equals("setAutoCommit") || name.equals("setTransactionIsolation")) {
            settings.incrementAndGet();
            return failing(name, connection, method, args);
          }
          Object result = call(connection, method, args);
          if (name.equals("prepareStatement")) {
            keep((String) args[0]);
            return watch((PreparedStatement) result);
          }
          return result;
        });
  }

  private PreparedStatement watch(PreparedStatement statement) {
    return proxy(
        PreparedStatement.class,
        (proxy, method, args) -> {
          String name = method.getName();
          if (EXECUTIONS.contains(name)) {
            executions.incrementAndGet();
            return failing(name, statement, method, args);
          }
          return call(statement, method, args);
        });
  }

  private void keep(String statement) {
    if (recording) {
      statements.add(statement);
    }
  }

  private @Nullable Object failing(
      String name, Object target, Method method, Object @Nullable [] args) throws Throwable {
    if (failing.test(name)) {
      throw new SQLException(LEAK, sqlState);
    }
    Object result = call(target, method, args);
    if (failingAfter.test(name)) {
      throw new SQLException(LEAK, sqlState);
    }
    return result;
  }

  private static @Nullable Object call(Object target, Method method, Object @Nullable [] args)
      throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    ClassLoader loader = WatchedDataSource.class.getClassLoader();
    return type.cast(Proxy.newProxyInstance(loader, new Class<?>[] {type}, handler));
  }
}
