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

/**
 * Stands in front of a data source and counts what goes over the wire; and loses it when told to.
 * Counted are executions, and all calls that end or set up a transaction or that change or ask the
 * server for a setting.
 */
final class WatchedDataSource {
  private static final Set<String> EXECUTIONS =
      Set.of("execute", "executeQuery", "executeUpdate", "executeBatch");
  private static final Set<String> TRANSACTIONAL =
      Set.of("commit", "rollback", "setSavepoint", "releaseSavepoint");

  /** A failure as drivers make it: it tells the value it failed on. */
  static final String LEAK = "Key (owner)=(leaked-owner) already exists";

  final AtomicLong opened = new AtomicLong();
  final AtomicLong closed = new AtomicLong();
  final AtomicLong executions = new AtomicLong();
  final AtomicLong transactional = new AtomicLong();
  final AtomicLong settings = new AtomicLong();
  final List<Object> bound = new CopyOnWriteArrayList<>();

  private final DataSource target;
  private volatile boolean recording;
  private volatile Predicate<String> failing = call -> false;

  WatchedDataSource(DataSource target) {
    this.target = target;
  }

  /** From now on keeps what is bound. */
  void recordBound() {
    recording = true;
  }

  /** Each execution, commit or rollback that the condition is true for fails before it is done. */
  void failWhen(Predicate<String> condition) {
    failing = condition;
  }

  DataSource dataSource() {
    return proxy(
        DataSource.class,
        (proxy, method, args) -> {
          Object result = call(target, method, args);
          if (method.getName().equals("getConnection")) {
            opened.incrementAndGet();
            return watch((Connection) result);
          }
          return result;
        });
  }

  private Connection watch(Connection connection) {
    return proxy(
        Connection.class,
        (proxy, method, args) -> {
          String name = method.getName();
          if (TRANSACTIONAL.contains(name)) {
            transactional.incrementAndGet();
            fail(name);
          } else if (name.equals("close")) {
            closed.incrementAndGet();
          } else if (name.equals("setAutoCommit") || name.equals("setTransactionIsolation")) {
            settings.incrementAndGet();
          }
          Object result = call(connection, method, args);
          if (name.equals("prepareStatement")) {
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
            fail(name);
          } else if (recording && name.startsWith("set") && args != null && args.length == 2) {
            bound.add(args[1] == null ? "null" : args[1]);
          }
          return call(statement, method, args);
        });
  }

  private void fail(String call) throws SQLException {
    if (failing.test(call)) {
      throw new SQLException(LEAK, "08006");
    }
  }

  private static Object call(Object target, Method method, Object[] args) throws Throwable {
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
