package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/** A connection while one operation uses it. */
final class Session {
  private final Connection connection;
  private final Dialect dialect;
  private final boolean joined;
  private final int timeoutSeconds;

  /**
   * @param timeoutSeconds how long a query may take, 0 for no limit
   */
  Session(Connection connection, Dialect dialect, boolean joined, int timeoutSeconds) {
    this.connection = connection;
    this.dialect = dialect;
    this.joined = joined;
    this.timeoutSeconds = timeoutSeconds;
  }

  interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  interface BindingOf<E> {
    void bind(Binder binder, E element) throws SQLException;
  }

  interface Reading<T> {
    T read(Row row) throws SQLException;
  }

  /** Whether a transaction of the host's is under way, which may have begun long ago. */
  boolean joined() {
    return joined;
  }

  <T> T query(String sql, Binding binding, Reading<T> reading) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      if (timeoutSeconds > 0) {
        statement.setQueryTimeout(timeoutSeconds);
      }
      binding.bind(new Binder(statement, dialect));
      try (ResultSet result = statement.executeQuery()) {
        return reading.read(new Row(result, dialect));
      }
    }
  }

  int update(String sql, Binding binding) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      binding.bind(new Binder(statement, dialect));
      return statement.executeUpdate();
    }
  }

  /** Returns how many rows were changed; drivers that do not tell count as one per element. */
  <E> int batch(String sql, Collection<E> elements, BindingOf<E> binding) throws SQLException {
    int changed = 0;
    for (int count : batchCounts(sql, elements, binding)) {
      changed += count == Statement.SUCCESS_NO_INFO ? 1 : count;
    }
    return changed;
  }

  /** Returns how many rows each element has changed, if the driver does {@link #tell}. */
  <E> int[] batchCounts(String sql, Collection<E> elements, BindingOf<E> binding)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      Binder binder = new Binder(statement, dialect);
      for (E element : elements) {
        binding.bind(binder.restart(), element);
        statement.addBatch();
      }
      return statement.executeBatch();
    }
  }

  /** Whether the counts of a batch say what happened to each element. */
  static boolean tell(int[] counts) {
    return IntStream.of(counts).noneMatch(count -> count == Statement.SUCCESS_NO_INFO);
  }

  /** Like a batch, with a round trip for each element, and a count that is always told. */
  <E> int[] updateEach(String sql, List<E> elements, BindingOf<E> binding) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      Binder binder = new Binder(statement, dialect);
      int[] counts = new int[elements.size()];
      for (int i = 0; i < counts.length; i++) {
        binding.bind(binder.restart(), elements.get(i));
        counts[i] = statement.executeUpdate();
      }
      return counts;
    }
  }
}
