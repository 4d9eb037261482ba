package io.keystile.store.jdbc;

import io.keystile.store.StoreException;
import io.keystile.store.StoreException.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs work on the right connection and leaves that connection as it was.
 *
 * <p>On a connection of our own: autocommit as found (pools come with either), with autocommit off
 * a new transaction, so that nothing is read through an old snapshot; a writing transaction is
 * committed or rolled back, a reading one is ended too. Contention is retried. On the host's: one
 * attempt, under a savepoint where it writes, and nothing else.
 */
final class Transactions {
  private static final Logger LOG = LoggerFactory.getLogger(Transactions.class);

  private final DataSource dataSource;
  private final @Nullable ConnectionSource host;
  private final Dialect dialect;
  private final Failures failures;
  private final Retries retries;
  private final int readTimeoutSeconds;

  /** What to do on a connection. */
  interface Work<T> {
    T run(Session session) throws SQLException;
  }

  Transactions(
      DataSource dataSource,
      @Nullable ConnectionSource host,
      Dialect dialect,
      Failures failures,
      int readTimeoutSeconds) {
    this.dataSource = dataSource;
    this.host = host;
    this.dialect = dialect;
    this.failures = failures;
    this.retries = new Retries(failures, System::nanoTime);
    this.readTimeoutSeconds = dialect.limitsStatementTime() ? readTimeoutSeconds : 0;
  }

  /** Reads in the host's transaction, if there is one. */
  <T> T read(String operation, Work<T> work) {
    return joining(
        operation, connection -> work.run(hosted(connection)), () -> readAlone(operation, work));
  }

  /** Reads what is committed, whatever the calling thread has open. */
  <T> T readCommitted(String operation, Work<T> work) {
    return retries.run(operation, () -> readAlone(operation, work));
  }

  /** Writes in the host's transaction, if there is one; undone if the result is not to be kept. */
  <T> T write(String operation, Work<T> work, Predicate<T> keep) {
    return joining(
        operation,
        connection -> writeUnderSavepoint(connection, work, keep),
        () -> writeAlone(operation, work, keep));
  }

  /** Writes in a transaction of its own. */
  <T> T writeApart(String operation, Work<T> work) {
    return writeApart(operation, work, result -> true);
  }

  /** Writes in a transaction of its own; undone if the result is not to be kept. */
  <T> T writeApart(String operation, Work<T> work, Predicate<T> keep) {
    return retries.run(operation, () -> writeAlone(operation, work, keep));
  }

  void afterCommit(Runnable action) {
    if (host == null) {
      action.run();
    } else {
      host.afterCommit(action);
    }
  }

  private interface Joined<T> {
    T run(Connection connection) throws SQLException;
  }

  private <T> T joining(String operation, Joined<T> joined, Retries.Attempt<T> alone) {
    Connection connection = null;
    if (host != null) {
      try {
        connection = host.open();
      } catch (SQLException | RuntimeException e) {
        throw failures.of(operation, e);
      }
    }
    if (connection == null) {
      return retries.run(operation, alone);
    }
    try {
      if (connection.getAutoCommit()) {
        throw new StoreException(
            Kind.UNAVAILABLE,
            operation
                + ": the connection source gave a connection with autocommit on,"
                + " which is no transaction",
            null);
      }
      return joined.run(connection);
    } catch (StoreException e) {
      throw e;
    } catch (SQLException | RuntimeException e) {
      throw failures.of(operation, e);
    } finally {
      giveBack(connection);
    }
  }

  private void giveBack(Connection connection) {
    try {
      if (host != null) {
        host.close(connection);
      }
    } catch (SQLException | RuntimeException e) {
      LOG.warn("The host's connection could not be given back ({})", Failures.describe(e));
    }
  }

  private <T> T writeUnderSavepoint(Connection connection, Work<T> work, Predicate<T> keep)
      throws SQLException {
    Savepoint savepoint = connection.setSavepoint();
    boolean answered = false;
    try {
      T result = work.run(hosted(connection));
      boolean kept = keep.test(result);
      answered = true;
      if (kept) {
        connection.releaseSavepoint(savepoint);
      } else {
        // if this fails, half a write stays in the host's transaction, and the host must hear of it
        connection.rollback(savepoint);
      }
      return result;
    } finally {
      if (!answered) {
        tryUndo(connection, savepoint);
      }
    }
  }

  /**
   * For a failure that is on its way to the host already. Databases that gave the whole transaction
   * up have lost the savepoint, and all else, before.
   */
  private static void tryUndo(Connection connection, Savepoint savepoint) {
    try {
      connection.rollback(savepoint);
    } catch (SQLException | RuntimeException e) {
      LOG.debug("No savepoint to roll back to ({})", Failures.describe(e));
    }
  }

  private Session hosted(Connection connection) {
    return new Session(connection, dialect, true, 0);
  }

  /** Without a connection nothing has met any other transaction, whatever code the pool reports. */
  private Connection connect(String operation) {
    try {
      return dataSource.getConnection();
    } catch (SQLException | RuntimeException e) {
      throw failures.of(Kind.UNAVAILABLE, operation, e);
    }
  }

  private <T> T readAlone(String operation, Work<T> work) throws SQLException {
    Connection connection = connect(operation);
    try {
      boolean autoCommit = connection.getAutoCommit();
      refresh(connection, autoCommit);
      try {
        return work.run(new Session(connection, dialect, false, readTimeoutSeconds));
      } finally {
        if (!autoCommit) {
          rollBack(connection);
        }
      }
    } finally {
      close(connection);
    }
  }

  private <T> T writeAlone(String operation, Work<T> work, Predicate<T> keep) throws SQLException {
    Connection connection = connect(operation);
    try {
      boolean autoCommit = connection.getAutoCommit();
      refresh(connection, autoCommit);
      if (autoCommit) {
        connection.setAutoCommit(false);
      }
      boolean ended = false;
      try {
        T result = work.run(new Session(connection, dialect, false, 0));
        if (keep.test(result)) {
          commit(operation, connection);
          ended = true;
        }
        return result;
      } finally {
        if (!ended) {
          ended = rollBack(connection);
        }
        // switching autocommit on would commit what could not be rolled back
        if (autoCommit && ended) {
          restoreAutoCommit(connection);
        }
      }
    } finally {
      close(connection);
    }
  }

  /**
   * The pool may have begun a transaction by asking whether the connection is alive, and on HSQLDB
   * one begins where the last one ended: its snapshot would hide what was committed since.
   */
  private static void refresh(Connection connection, boolean autoCommit) throws SQLException {
    if (!autoCommit) {
      connection.rollback();
    }
  }

  /** A commit that fails without saying that it had no effect may have had one. */
  private void commit(String operation, Connection connection) throws SQLException {
    try {
      connection.commit();
    } catch (SQLException | RuntimeException e) {
      if (failures.isConflict(e) || failures.isDuplicate(e)) {
        throw e;
      }
      throw failures.of(Kind.OUTCOME_UNKNOWN, operation, e);
    }
  }

  static boolean rollBack(Connection connection) {
    try {
      connection.rollback();
      return true;
    } catch (SQLException | RuntimeException e) {
      LOG.debug("Rollback failed ({})", Failures.describe(e));
      return false;
    }
  }

  private static void restoreAutoCommit(Connection connection) {
    try {
      connection.setAutoCommit(true);
    } catch (SQLException | RuntimeException e) {
      LOG.warn("Autocommit could not be switched on again ({})", Failures.describe(e));
    }
  }

  /** By now the outcome is known, and a failing close does not change it. */
  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException | RuntimeException e) {
      LOG.debug("Close failed ({})", Failures.describe(e));
    }
  }
}
