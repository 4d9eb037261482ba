package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/** PostgreSQL. Compared columns are declared with the collation {@code "C"}. */
final class PostgresDialect extends Dialect {
  private static final String INSUFFICIENT_PRIVILEGE = "42501";
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  @Override
  String name() {
    return "PostgreSQL";
  }

  @Override
  String folder() {
    return "postgresql";
  }

  @Override
  boolean exactTextIsBinary() {
    return false;
  }

  @Override
  boolean isDuplicate(SQLException e) {
    return "23505".equals(e.getSQLState());
  }

  @Override
  boolean isLockTimeout(SQLException e) {
    return LOCK_NOT_AVAILABLE.equals(e.getSQLState());
  }

  @Override
  boolean isForbidden(SQLException e) {
    return INSUFFICIENT_PRIVILEGE.equals(e.getSQLState());
  }

  @Override
  boolean limitsStatementTime() {
    return true;
  }

  @Override
  String now() {
    return "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)";
  }

  /** Other encodings refuse some text, or keep bytes that nobody checks. */
  @Override
  void checkSettings(Connection connection) throws SQLException {
    super.checkSettings(connection);
    String encoding = setting(connection, "SHOW server_encoding");
    if (!"UTF8".equals(encoding)) {
      throw new IllegalStateException(
          "the database has the encoding " + encoding + ": create one with ENCODING 'UTF8'");
    }
  }
}
