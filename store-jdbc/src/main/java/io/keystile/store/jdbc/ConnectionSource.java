package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Gives the store the connection of the transaction that the calling thread has open, so that keys
 * are issued, changed and revoked together with the host's own rows, or not at all. It is what an
 * adapter for a framework's transactions implements; hosts that manage no transactions around the
 * life cycle of keys do not need it.
 *
 * <p>Only administration joins: {@code insert}, {@code find}, {@code replace}, {@code list}, {@code
 * audit} and {@code purge} ask this source first, and use a connection of the store's own {@link
 * javax.sql.DataSource} when it has none. {@code load}, {@code changesSince} and {@code recordUse}
 * never ask: what they read is cached for everybody, so it must be what is committed, not what an
 * old or an unfinished transaction shows. Neither do the methods of {@link
 * io.keystile.store.SharedLimits}.
 *
 * <p>In a joined transaction the store makes one attempt, under a savepoint: it never commits,
 * rolls back or changes a setting of the connection, and a write that is refused (a duplicate, a
 * conflict) leaves the transaction usable. When the database itself gives the transaction up
 * (deadlock, serialization failure), the store throws {@code StoreException} of kind {@code
 * CONFLICT}; the host rolls back and repeats the transaction.
 *
 * <p>Implementations are safe for use by many threads.
 */
public interface ConnectionSource {

  /**
   * Opens the connection of the calling thread's transaction. The connection must be to the
   * database of the store's data source, with autocommit off: one with autocommit on is no
   * transaction, and the store refuses to write or read on it.
   *
   * @return the connection, or null if the thread has no transaction open
   * @throws SQLException if the connection cannot be had
   */
  @Nullable Connection open() throws SQLException;

  /**
   * Takes back a connection from {@link #open}, on the same thread, once per call of it. Must not
   * end the transaction.
   *
   * @param connection the connection
   * @throws SQLException if it cannot be given back
   */
  void close(Connection connection) throws SQLException;

  /**
   * Runs an action on the calling thread's transaction having been committed: after the commit,
   * never after a rollback, and at once if the thread has no transaction open.
   *
   * @param action what to run; does not block and does not throw
   */
  void afterCommit(Runnable action);
}
