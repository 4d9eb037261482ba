package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Transactions as a framework manages them: one connection per thread, until its end. */
final class HostTransactions implements ConnectionSource {
  private final ThreadLocal<Transaction> current = new ThreadLocal<>();
  private final DataSource dataSource;
  private final int isolation;

  private record Transaction(Connection connection, List<Runnable> afterCommit) {}

  HostTransactions(DataSource dataSource, int isolation) {
    this.dataSource = dataSource;
    this.isolation = isolation;
  }

  /** Some work of the host's. */
  interface Work {
    void run(Connection connection) throws SQLException;
  }

  /** Commits if the work returns, rolls back if it throws. */
  void run(Work work) {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      int isolationBefore = connection.getTransactionIsolation();
      connection.setTransactionIsolation(isolation);
      connection.setAutoCommit(false);
      try {
        run(connection, work);
      } finally {
        connection.setAutoCommit(autoCommit);
        connection.setTransactionIsolation(isolationBefore);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void run(Connection connection, Work work) throws SQLException {
    Transaction transaction = new Transaction(connection, new ArrayList<>());
    boolean committed = false;
    current.set(transaction);
    try {
      work.run(connection);
      connection.commit();
      committed = true;
    } finally {
      current.remove();
      if (!committed) {
        connection.rollback();
      }
    }
    transaction.afterCommit().forEach(Runnable::run);
  }

  @Override
  public @Nullable Connection open() {
    Transaction transaction = current.get();
    return transaction == null ? null : transaction.connection();
  }

  @Override
  public void close(Connection connection) {}

  @Override
  public void afterCommit(Runnable action) {
    Transaction transaction = current.get();
    if (transaction == null) {
      action.run();
    } else {
      transaction.afterCommit().add(action);
    }
  }
}
