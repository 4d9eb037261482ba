package io.keystile.store.jdbc;

import java.sql.SQLException;

/** SQLite, with the driver of Xerial. */
final class SqliteDialect extends Dialect {
  // primary result codes; the driver sets no SQLState
  private static final int BUSY = 5;
  private static final int LOCKED = 6;
  private static final int CONSTRAINT = 19;

  @Override
  String name() {
    return "SQLite";
  }

  @Override
  String folder() {
    return "sqlite";
  }

  @Override
  boolean exactTextIsBinary() {
    return false;
  }

  /** One code stands for all kinds of constraints; which it was, SQLite says in words only. */
  @Override
  boolean isDuplicate(SQLException e) {
    String message = e.getMessage();
    return e.getErrorCode() == CONSTRAINT
        && message != null
        && message.contains("UNIQUE constraint failed");
  }

  @Override
  boolean isContention(SQLException e) {
    return super.isContention(e) || e.getErrorCode() == LOCKED;
  }

  /** It counts time in milliseconds, and tells it as days of the Julian calendar. */
  @Override
  String now() {
    return "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";
  }

  /**
   * It is answered after {@code busy_timeout}, as our transactions never read before they write.
   */
  @Override
  boolean isLockTimeout(SQLException e) {
    return e.getErrorCode() == BUSY;
  }
}
