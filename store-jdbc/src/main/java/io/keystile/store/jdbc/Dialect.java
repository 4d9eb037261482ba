package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.stream.Collectors;

/** In what the databases differ. All other statements are the same for all, see {@link Sql}. */
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

  /**
   * The query for the time of the database's machine in milliseconds since 1970, whatever the time
   * zone of the session. In a transaction that has just begun; in an older one some databases still
   * tell when it began.
   */
  abstract String now();

  /**
   * The statement that inserts a row or, where there is one with the same key, changes the amount
   * of that. All columns are bound, in their order.
   *
   * @param change the new amount, from those that is stored and that is added
   */
  String merge(Table table, String prefix, BinaryOperator<String> change) {
    String name = prefix + table.name();
    return insertion(table, prefix)
        + " ON CONFLICT ("
        + String.join(", ", table.key())
        + ") DO UPDATE SET amount = "
        + change.apply(name + ".amount", "excluded.amount");
  }

  static String insertion(Table table, String prefix) {
    return "INSERT INTO "
        + prefix
        + table.name()
        + " ("
        + String.join(", ", table.names())
        + ") VALUES ("
        + String.join(", ", Collections.nCopies(table.columns().size(), "?"))
        + ")";
  }

  /**
   * As the SQL standard has it. Parameters that stand for themselves have no type there, so each is
   * told its own.
   */
  static String standardMerge(Table table, String prefix, BinaryOperator<String> change) {
    String columns = String.join(", ", table.names());
    return "MERGE INTO "
        + prefix
        + table.name()
        + " AS stored USING (VALUES ("
        + table.columns().stream().map(Dialect::typed).collect(Collectors.joining(", "))
        + ")) AS added ("
        + columns
        + ") ON "
        + table.key().stream()
            .map(column -> "stored." + column + " = added." + column)
            .collect(Collectors.joining(" AND "))
        + " WHEN MATCHED THEN UPDATE SET amount = "
        + change.apply("stored.amount", "added.amount")
        + " WHEN NOT MATCHED THEN INSERT ("
        + columns
        + ") VALUES (added."
        + String.join(", added.", table.names())
        + ")";
  }

  private static String typed(Table.Column column) {
    String type =
        column.exact()
            ? "VARBINARY(" + column.size() + ")"
            : column.size() > 32 ? "BIGINT" : "INTEGER";
    return "CAST(? AS " + type + ")";
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
