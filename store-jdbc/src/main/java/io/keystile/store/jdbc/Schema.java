package io.keystile.store.jdbc;

import io.keystile.store.jdbc.Table.Column;
import io.keystile.store.jdbc.Table.Family;
import io.keystile.store.jdbc.Table.Index;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The tables that a store needs: creates them, and says what is missing. */
final class Schema {
  /** The migration files of each database, in order; the first makes the whole schema. */
  private static final List<String> MIGRATIONS = List.of("V1__keystile.sql");

  private static final Logger LOG = LoggerFactory.getLogger(Schema.class);
  private static final int CREATE_ATTEMPTS = 3;
  private static final int VALIDATION_SECONDS = 5;
  private static final int LONG_DIGITS = 19;

  /** Without these a store can do nothing; a role that only validates may read no others. */
  private static final Set<String> NEEDED_BY_ALL = Set.of("key", "version", "change");

  private final Dialect dialect;
  private final String prefix;

  /** A column as the database has it. */
  private record Found(Family family, int size, boolean numbered) {}

  Schema(Dialect dialect, String prefix) {
    this.dialect = dialect;
    this.prefix = prefix;
  }

  /**
   * Creates what does not exist yet and leaves what exists as it is. Several nodes may do it at
   * once, and the one that is late may fail on what the other has just made; so it is repeated, and
   * the schema as it is then counts.
   */
  List<String> createAndCheck(Connection connection) throws SQLException {
    List<String> problems = List.of();
    for (int i = 0; i < CREATE_ATTEMPTS; i++) {
      try {
        create(connection);
      } catch (SQLException e) {
        LOG.info("The schema could not be created ({})", Failures.describe(e));
        rollBack(connection);
      }
      problems = problems(connection);
      if (problems.isEmpty()) {
        break;
      }
    }
    return problems;
  }

  private void create(Connection connection) throws SQLException {
    for (String migration : MIGRATIONS) {
      String script = script(dialect.folder(), migration).replace("${prefix}", prefix);
      for (String sql : statements(script)) {
        try (Statement statement = connection.createStatement()) {
          statement.execute(sql);
        }
      }
    }
    if (!connection.getAutoCommit()) {
      connection.commit();
    }
  }

  /** What is missing or wrong, in words; empty if the schema is right. More columns are fine. */
  List<String> problems(Connection connection) throws SQLException {
    List<String> problems = new ArrayList<>();
    for (Table table : Table.ALL) {
      Map<String, Found> found;
      try {
        found = columns(connection, prefix + table.name());
      } catch (SQLException e) {
        // a failed statement ends the transaction on PostgreSQL
        rollBack(connection);
        if (!connection.isValid(VALIDATION_SECONDS)) {
          throw e;
        }
        // MariaDB forbids a role with few rights what does not exist, too
        if (!dialect.isForbidden(e)) {
          problems.add("table " + prefix + table.name() + " is missing");
        } else if (NEEDED_BY_ALL.contains(table.name())) {
          problems.add("table " + prefix + table.name() + " is missing, or not readable");
        }
        continue;
      }
      for (Column column : table.columns()) {
        problem(column, found.get(column.name()))
            .ifPresent(
                problem ->
                    problems.add(
                        "column " + prefix + table.name() + "." + column.name() + " " + problem));
      }
      Collection<Index> indexes = indexes(connection, prefix + table.name());
      for (Index index : table.indexes()) {
        if (indexes.stream().noneMatch(index::isServedBy)) {
          problems.add("table " + prefix + table.name() + " has no " + index);
        }
      }
    }
    return problems;
  }

  /** Where the files are, for who runs them otherwise. */
  String location() {
    return "io/keystile/store/jdbc/db-migration/" + dialect.folder();
  }

  private Optional<String> problem(Column column, @Nullable Found found) {
    Family family = column.family(dialect.exactTextIsBinary());
    if (found == null) {
      return Optional.of("is missing");
    }
    if (found.family != family) {
      return Optional.of("must hold " + family + ", holds " + found.family);
    }
    if (found.size < column.size()) {
      return Optional.of(
          "must hold " + column.size() + " " + family.unit + ", holds " + found.size);
    }
    return column.numbered() && !found.numbered
        ? Optional.of("must be numbered by the database")
        : Optional.empty();
  }

  /** Asks with a query, so that the names resolve as they will later. */
  private static Map<String, Found> columns(Connection connection, String table)
      throws SQLException {
    Map<String, Found> columns = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("SELECT * FROM " + table + " WHERE 1 = 0")) {
      ResultSetMetaData data = result.getMetaData();
      for (int i = 1; i <= data.getColumnCount(); i++) {
        columns.put(lower(data.getColumnName(i)), found(data, i));
      }
    }
    return columns;
  }

  private static Found found(ResultSetMetaData data, int column) throws SQLException {
    int type = data.getColumnType(column);
    int precision = data.getPrecision(column);
    int size =
        switch (type) {
          case Types.BIGINT -> Long.SIZE;
          case Types.INTEGER -> Integer.SIZE;
          case Types.NUMERIC, Types.DECIMAL -> precision < LONG_DIGITS ? Integer.SIZE : Long.SIZE;
          default -> precision;
        };
    // SQLite says no precision, and limits nothing
    return new Found(
        family(type), precision > 0 ? size : Integer.MAX_VALUE, data.isAutoIncrement(column));
  }

  private static void rollBack(Connection connection) throws SQLException {
    if (!connection.getAutoCommit()) {
      connection.rollback();
    }
  }

  private Collection<Index> indexes(Connection connection, String table) throws SQLException {
    DatabaseMetaData data = connection.getMetaData();
    String stored = table;
    if (data.storesUpperCaseIdentifiers()) {
      stored = table.toUpperCase(Locale.ROOT);
    } else if (data.storesLowerCaseIdentifiers()) {
      stored = lower(table);
    }
    String schema = connection.getSchema();
    // the table may stand in another schema of the search path
    return indexes(connection, isIn(connection, schema, stored) ? schema : null, stored);
  }

  private static boolean isIn(Connection connection, @Nullable String schema, String table)
      throws SQLException {
    DatabaseMetaData data = connection.getMetaData();
    String pattern = table.replace("_", data.getSearchStringEscape() + "_");
    try (ResultSet tables = data.getTables(connection.getCatalog(), schema, pattern, null)) {
      return tables.next();
    }
  }

  private static Collection<Index> indexes(
      Connection connection, @Nullable String schema, String table) throws SQLException {
    Map<String, Index> indexes = new HashMap<>();
    Map<String, TreeMap<Integer, String>> columns = new HashMap<>();
    DatabaseMetaData data = connection.getMetaData();
    try (ResultSet result =
        data.getIndexInfo(connection.getCatalog(), schema, table, false, true)) {
      while (result.next()) {
        String name = result.getString("INDEX_NAME");
        String column = result.getString("COLUMN_NAME");
        if (name != null && column != null) {
          columns
              .computeIfAbsent(name, key -> new TreeMap<>())
              .put(result.getInt("ORDINAL_POSITION"), lower(column));
          boolean unique = !result.getBoolean("NON_UNIQUE");
          indexes.put(name, new Index(unique, List.copyOf(columns.get(name).values())));
        }
      }
    }
    TreeMap<Integer, String> primary = new TreeMap<>();
    // SQLite has no index for a key that is the number of its row
    try (ResultSet result = data.getPrimaryKeys(connection.getCatalog(), schema, table)) {
      while (result.next()) {
        primary.put(result.getInt("KEY_SEQ"), lower(result.getString("COLUMN_NAME")));
      }
    }
    List<Index> all = new ArrayList<>(indexes.values());
    if (!primary.isEmpty()) {
      all.add(new Index(true, List.copyOf(primary.values())));
    }
    return all;
  }

  private static Family family(int type) {
    return switch (type) {
      case Types.CHAR, Types.VARCHAR, Types.LONGVARCHAR, Types.CLOB -> Family.TEXT;
      case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB -> Family.BINARY;
      case Types.INTEGER, Types.BIGINT, Types.NUMERIC, Types.DECIMAL -> Family.NUMBER;
      default -> Family.OTHER;
    };
  }

  /** A migration as it is in the jar, with the placeholder for the prefix. */
  static String script(String folder, String migration) {
    String path = "db-migration/" + folder + "/" + migration;
    try (InputStream in = Schema.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("not in the jar: " + path);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Our own files hold no semicolon but at the end of a statement, and whole lines of comment. */
  static List<String> statements(String script) {
    StringBuilder code = new StringBuilder();
    script.lines().filter(line -> !line.startsWith("--")).forEach(l -> code.append(l).append('\n'));
    List<String> statements = new ArrayList<>();
    for (String statement : code.toString().split(";")) {
      if (!statement.isBlank()) {
        statements.add(statement.strip());
      }
    }
    return statements;
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
