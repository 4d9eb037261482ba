package io.keystile.store.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Something around each call of a data source, of its connections and of their statements. */
interface Around {

  /** Does the call or does it not; what it returns is what the caller gets. */
  @Nullable Object call(String method, Call call) throws Throwable;

  /** The call itself. */
  interface Call {
    @Nullable Object proceed() throws Throwable;
  }

  /** Where connections come from. */
  interface Source {
    Connection get() throws SQLException;
  }

  static DataSource dataSource(Source source, Around around) {
    return proxy(
        DataSource.class,
        (proxy, method, args) -> {
          if (!method.getName().equals("getConnection")) {
            throw new UnsupportedOperationException(method.getName());
          }
          return around.call("getConnection", () -> connection(source.get(), around));
        });
  }

  private static Connection connection(Connection connection, Around around) {
    return proxy(Connection.class, handler(connection, around));
  }

  private static InvocationHandler handler(Object target, Around around) {
    return (proxy, method, args) -> {
      Object result =
          around.call(
              method.getName(),
              () -> {
                try {
                  return method.invoke(target, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
      return result instanceof PreparedStatement
          ? proxy(PreparedStatement.class, handler(result, around))
          : result;
    };
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    ClassLoader loader = Around.class.getClassLoader();
    return type.cast(Proxy.newProxyInstance(loader, new Class<?>[] {type}, handler));
  }
}
