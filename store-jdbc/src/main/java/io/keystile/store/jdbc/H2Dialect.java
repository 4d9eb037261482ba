package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.BinaryOperator;

/** H2. */
final class H2Dialect extends Dialect {
  private static final int LOCK_TIMEOUT = 50200;
  private static final int CONCURRENT_UPDATE = 90131;

  @Override
  String name() {
    return "H2";
  }

  @Override
  String folder() {
    return "h2";
  }

  /** {@code SET COLLATION} and {@code IGNORECASE} change how text compares. */
  @Override
  boolean exactTextIsBinary() {
    return true;
  }

  @Override
  boolean isDuplicate(SQLException e) {
    return "23505".equals(e.getSQLState());
  }

  @Override
  boolean isContention(SQLException e) {
    return super.isContention(e) || e.getErrorCode() == CONCURRENT_UPDATE;
  }

  @Override
  boolean isLockTimeout(SQLException e) {
    return e.getErrorCode() == LOCK_TIMEOUT;
  }

  @Override
  String merge(Table table, String prefix, BinaryOperator<String> change) {
    return standardMerge(table, prefix, change);
  }

  @Override
  String now() {
    return "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000) AS BIGINT)";
  }

  /** Where empty text becomes null, a key without scopes cannot be kept. */
  @Override
  void checkSettings(Connection connection) throws SQLException {
    super.checkSettings(connection);
    String mode =
        setting(
            connection,
            "SELECT SETTING_VALUE FROM INFORMATION_SCHEMA.SETTINGS WHERE SETTING_NAME = 'MODE'");
    if ("Oracle".equalsIgnoreCase(mode)) {
      throw new IllegalStateException(
          "H2 runs with MODE=Oracle, in which empty text becomes null: take it out of the URL");
    }
  }
}
