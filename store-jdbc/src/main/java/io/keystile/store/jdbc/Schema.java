package io.keystile.store.jdbc;

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

  private static final List<Table> TABLES =
      List.of(
          new Table(
              "key",
              List.of("key_id", "brand", "environment", "owner", "subject"),
              List.of(
                  "kind",
                  "state",
                  "name",
                  "scopes",
                  "networks",
                  "callers",
                  "plan",
                  "metadata",
                  "revoked_reason",
                  "revoked_note",
                  "revoked_by",
                  "seal"),
              List.of(
                  "revision",
                  "created_at",
                  "ends_at",
                  "revoked_at",
                  "revoked_last_used",
                  "live_until",
                  "newest_created"),
              List.of(
                  Index.unique("key_id"),
                  Index.of("owner", "key_id"),
                  Index.of("subject", "key_id"),
                  Index.of("live_until"),
                  Index.of("revoked_at"))),
          new Table(
              "version",
              List.of("key_id"),
              List.of("scheme", "pepper_id", "hash", "last_four", "created_by", "note"),
              List.of("version", "created_at", "expires_at", "retires_at", "revoked_at"),
              List.of(Index.unique("key_id", "version"))),
          new Table(
              "use",
              List.of("key_id"),
              List.of(),
              List.of("version", "last_used", "last_seen"),
              List.of(Index.unique("key_id", "version"))),
          new Table(
              "change", List.of("key_id"), List.of(), List.of("seq", "happened_at"), List.of()),
          new Table(
              "audit",
              List.of("operation_id", "key_id", "owner"),
              List.of("action", "actor", "reason", "note", "state_before", "state_after"),
              List.of("seq", "happened_at"),
              List.of(
                  Index.unique("operation_id"),
                  Index.of("key_id", "seq"),
                  Index.of("owner", "seq"),
                  Index.of("happened_at"))),
          new Table(
              "owner",
              List.of("owner"),
              List.of(),
              List.of("ticket"),
              List.of(Index.unique("owner"))));

  /** Without these a store can do nothing; a role that only validates may read no others. */
  private static final Set<String> NEEDED_BY_ALL = Set.of("key", "version", "change");

  private final Dialect dialect;
  private final String prefix;

  private record Table(
      String name,
      List<String> exact,
      List<String> texts,
      List<String> numbers,
      List<Index> indexes) {}

  private record Index(boolean unique, List<String> columns) {
    static Index of(String... columns) {
      return new Index(false, List.of(columns));
    }

    static Index unique(String... columns) {
      return new Index(true, List.of(columns));
    }

    /** Whether a query that needs the one is served by the other, whatever its name. */
    boolean isServedBy(Index found) {
      if (unique) {
        return found.unique && found.columns.equals(columns);
      }
      return found.columns.size() >= columns.size()
          && found.columns.subList(0, columns.size()).equals(columns);
    }

    @Override
    public String toString() {
      return (unique ? "unique index" : "index") + " on (" + String.join(", ", columns) + ")";
    }
  }

  private enum Family {
    TEXT,
    BINARY,
    NUMBER,
    OTHER
  }

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
    for (Table table : TABLES) {
      Map<String, Family> found;
      try {
        found = columns(connection, prefix + table.name);
      } catch (SQLException e) {
        // a failed statement ends the transaction on PostgreSQL
        rollBack(connection);
        if (!connection.isValid(VALIDATION_SECONDS)) {
          throw e;
        }
        // MariaDB forbids a role with few rights what does not exist, too
        if (!dialect.isForbidden(e)) {
          problems.add("table " + prefix + table.name + " is missing");
        } else if (NEEDED_BY_ALL.contains(table.name)) {
          problems.add("table " + prefix + table.name + " is missing, or not readable");
        }
        continue;
      }
      Family exact = dialect.exactTextIsBinary() ? Family.BINARY : Family.TEXT;
      checkColumns(table, table.exact, exact, found, problems);
      checkColumns(table, table.texts, Family.TEXT, found, problems);
      checkColumns(table, table.numbers, Family.NUMBER, found, problems);
      Collection<Index> indexes = indexes(connection, prefix + table.name);
      for (Index index : table.indexes) {
        if (indexes.stream().noneMatch(index::isServedBy)) {
          problems.add("table " + prefix + table.name + " has no " + index);
        }
      }
    }
    return problems;
  }

  /** Where the files are, for who runs them otherwise. */
  String location() {
    return "io/keystile/store/jdbc/db-migration/" + dialect.folder();
  }

  private void checkColumns(
      Table table,
      List<String> wanted,
      Family family,
      Map<String, Family> found,
      List<String> problems) {
    for (String column : wanted) {
      Family is = found.get(column);
      String name = "column " + prefix + table.name + "." + column;
      if (is == null) {
        problems.add(name + " is missing");
      } else if (is != family) {
        problems.add(name + " must hold " + family + ", holds " + is);
      }
    }
  }

  /** Asks with a query, so that the names resolve as they will later. */
  private static Map<String, Family> columns(Connection connection, String table)
      throws SQLException {
    Map<String, Family> columns = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("SELECT * FROM " + table + " WHERE 1 = 0")) {
      ResultSetMetaData data = result.getMetaData();
      for (int i = 1; i <= data.getColumnCount(); i++) {
        columns.put(lower(data.getColumnName(i)), family(data.getColumnType(i)));
      }
    }
    return columns;
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
    Collection<Index> indexes = indexes(connection, connection.getSchema(), stored);
    // the table may stand in another schema of the search path
    return indexes.isEmpty() ? indexes(connection, null, stored) : indexes;
  }

  private static Collection<Index> indexes(
      Connection connection, @Nullable String schema, String table) throws SQLException {
    Map<String, Index> indexes = new HashMap<>();
    Map<String, TreeMap<Integer, String>> columns = new HashMap<>();
    try (ResultSet result =
        connection
            .getMetaData()
            .getIndexInfo(connection.getCatalog(), schema, table, false, true)) {
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
    return indexes.values();
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
