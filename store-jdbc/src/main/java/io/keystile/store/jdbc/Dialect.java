package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;

/** In what the databases differ. All statements are the same for all of them, see {@link Sql}. */
abstract class Dialect {

  /**
   * Chooses by product name and version: MySQL's driver calls a MariaDB server {@code MySQL} and
   * tells the truth in the version only.
   *
   * @throws IllegalStateException if the database is none of ours
   */
  static Dialect of(DatabaseMetaData database) throws SQLException {
    return of(database.getDatabaseProductName(), database.getDatabaseProductVersion());
  }

  static Dialect of(String product, String version) {
    return switch (product) {
      case "H2" -> new H2Dialect();
      case "HSQL Database Engine" -> new HsqldbDialect();
      case "SQLite" -> new SqliteDialect();
      case "PostgreSQL" -> new PostgresDialect();
      case "MariaDB" -> new MariaDbDialect("MariaDB");
      case "MySQL" -> {
        boolean mariaDb = version.toLowerCase(Locale.ROOT).contains("mariadb");
        yield new MariaDbDialect(mariaDb ? "MariaDB" : "MySQL");
      }
      default ->
          throw new IllegalStateException(
              "unknown database product: "
                  + product
                  + " "
                  + version
                  + " (known are H2, HSQLDB, SQLite, PostgreSQL, MariaDB and MySQL)");
    };
  }

  /** The database as people call it. */
  abstract String name();

  /** The folder of its migrations. */
  abstract String folder();

  /**
   * Whether compared text is kept as its UTF-8 in binary columns, because the database would fold
   * or pad text.
   */
  abstract boolean exactTextIsBinary();

  /** Whether one exception of a chain says that a unique value is taken. */
  abstract boolean isDuplicate(SQLException e);

  /** Whether one exception of a chain says that transactions were in each other's way. */
  boolean isContention(SQLException e) {
    // class 40 is "transaction rollback", but 40003 says that nobody knows
    String state = e.getSQLState();
    return state != null && state.startsWith("40") && !state.equals("40003");
  }

  /**
   * Whether one exception of a chain says that a lock was waited for until the database's own limit
   * ended it; trying again would wait as long once more.
   */
  abstract boolean isLockTimeout(SQLException e);

  /** Whether an exception says that the role may not read a table. */
  boolean isForbidden(SQLException e) {
    return false;
  }

  /**
   * What makes a query read what is committed now, even in a transaction whose snapshot is older.
   * Empty where a write refuses to build on an old snapshot anyway.
   */
  String currentRead() {
    return "";
  }

  /** Whether a statement's time limit works and changes nothing but that statement. */
  boolean limitsStatementTime() {
    return false;
  }

  /** What a query for one setting answers; empty if it answers nothing. */
  static String setting(Connection connection, String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      return result.next() ? String.valueOf(result.getString(1)) : "";
    }
  }

  /**
   * Refuses settings under which the contract cannot hold.
   *
   * @throws IllegalStateException with the way out
   */
  void checkSettings(Connection connection) throws SQLException {
    int isolation = connection.getTransactionIsolation();
    if (isolation < Connection.TRANSACTION_READ_COMMITTED) {
      throw new IllegalStateException(
          "isolation READ UNCOMMITTED would cache what may never be committed:"
              + " set the data source to READ COMMITTED or above");
    }
  }
}
