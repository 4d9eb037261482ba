package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.BinaryOperator;

/** HSQLDB in its MVCC mode. */
final class HsqldbDialect extends Dialect {

  @Override
  String name() {
    return "HSQLDB";
  }

  @Override
  String folder() {
    return "hsqldb";
  }

  /** {@code 'a' = 'a '} in its text columns. */
  @Override
  boolean exactTextIsBinary() {
    return true;
  }

  @Override
  boolean isDuplicate(SQLException e) {
    return "23505".equals(e.getSQLState());
  }

  /** It has no limit to a wait. */
  @Override
  boolean isLockTimeout(SQLException e) {
    return false;
  }

  @Override
  String merge(Table table, String prefix, BinaryOperator<String> change) {
    return standardMerge(table, prefix, change);
  }

  @Override
  String now() {
    return "VALUES (UNIX_MILLIS())";
  }

  /** In the default mode an open write blocks reads of other rows. */
  @Override
  void checkSettings(Connection connection) throws SQLException {
    super.checkSettings(connection);
    String mode =
        setting(
            connection,
            "SELECT property_value FROM information_schema.system_properties"
                + " WHERE property_name = 'hsqldb.tx'");
    if (!"mvcc".equalsIgnoreCase(mode)) {
      throw new IllegalStateException(
          "HSQLDB runs in transaction mode "
              + mode
              + ", in which validation would wait for writers: put hsqldb.tx=mvcc in the URL");
    }
  }
}
