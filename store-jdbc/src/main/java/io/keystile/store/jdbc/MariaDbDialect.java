package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.BinaryOperator;

/** MariaDB, and MySQL, whose own server the tests do not run. */
final class MariaDbDialect extends Dialect {
  private static final int RECORD_CHANGED = 1020;
  private static final int DUPLICATE_ENTRY = 1062;
  private static final int TABLE_ACCESS_DENIED = 1142;
  private static final int LOCK_WAIT_TIMEOUT = 1205;

  private final String name;

  MariaDbDialect(String name) {
    this.name = name;
  }

  @Override
  String name() {
    return name;
  }

  @Override
  String folder() {
    return "mariadb";
  }

  /** {@code 'a' = 'a '} even under most binary collations. */
  @Override
  boolean exactTextIsBinary() {
    return true;
  }

  @Override
  boolean isDuplicate(SQLException e) {
    return e.getErrorCode() == DUPLICATE_ENTRY;
  }

  @Override
  boolean isContention(SQLException e) {
    return super.isContention(e) || e.getErrorCode() == RECORD_CHANGED;
  }

  @Override
  boolean isLockTimeout(SQLException e) {
    return e.getErrorCode() == LOCK_WAIT_TIMEOUT;
  }

  @Override
  boolean isForbidden(SQLException e) {
    return e.getErrorCode() == TABLE_ACCESS_DENIED;
  }

  /** At REPEATABLE READ a write works on what is committed now, but a plain query does not. */
  @Override
  String currentRead() {
    return " LOCK IN SHARE MODE";
  }

  @Override
  boolean limitsStatementTime() {
    return true;
  }

  @Override
  String merge(Table table, String prefix, BinaryOperator<String> change) {
    return insertion(table, prefix)
        + " ON DUPLICATE KEY UPDATE amount = "
        + change.apply("amount", "VALUES(amount)");
  }

  /** {@code NOW} tells local time, in which an hour comes twice a year. */
  @Override
  String now() {
    return "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000";
  }

  /** Where empty text becomes null, a key without scopes cannot be kept. */
  @Override
  void checkSettings(Connection connection) throws SQLException {
    super.checkSettings(connection);
    if (setting(connection, "SELECT @@sql_mode").contains("EMPTY_STRING_IS_NULL")) {
      throw new IllegalStateException(
          "the sql_mode contains EMPTY_STRING_IS_NULL: take it out for the store's connections");
    }
  }
}
