package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.KeyRecord;
import io.keystile.store.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SchemaTest {
  private static final List<String> TABLES =
      List.of("key", "version", "use", "change", "audit", "owner", "ledger", "tally", "batch");
  private static final Pattern SIZE = Pattern.compile("\\((\\d+)\\)");
  private static final Pattern TABLE = Pattern.compile("CREATE TABLE IF NOT EXISTS p_(\\w+) \\(");

  private static List<String> script(Database database) {
    return Schema.script(folder(database), "V1__keystile.sql")
        .replace("${prefix}", "p_")
        .lines()
        .filter(line -> !line.startsWith("--"))
        .toList();
  }

  static String folder(Database database) {
    return database == Database.SQLITE_WAL ? "sqlite" : database.name().toLowerCase(Locale.ROOT);
  }

  /** Runs a script without the lines that would not work any more. */
  private static void run(DataSource dataSource, List<String> lines) throws SQLException {
    String script = String.join("\n", lines).replaceAll(",(\\s*\\))", "$1");
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : Schema.statements(script)) {
        statement.execute(sql);
      }
    }
  }

  private static void dropAll(DataSource dataSource) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String table : TABLES) {
        statement.execute("DROP TABLE IF EXISTS p_" + table);
      }
    }
  }

  private static Throwable build(DataSource dataSource) {
    return catchThrowable(() -> JdbcKeyStore.builder(dataSource).tablePrefix("p_").build());
  }

  @ParameterizedTest
  @CsvSource({"H2, 1", "HSQLDB, 1", "SQLITE_WAL, 1", "POSTGRESQL, 3", "MARIADB, 7"})
  void each_column_that_is_missing_is_named(Database database, int everySo) throws SQLException {
    List<String> script = script(database);
    int checked = 0;
    int seen = 0;
    try (HikariDataSource dataSource = database.fresh()) {
      String table = "";
      for (int i = 0; i < script.size(); i++) {
        Matcher start = TABLE.matcher(script.get(i));
        if (start.find()) {
          table = start.group(1);
        } else if (script.get(i).matches("  [a-z_]+ .*") && seen++ % everySo == 0) {
          String column = script.get(i).trim().split(" ")[0];
          List<String> lines = new ArrayList<>(script);
          lines.remove(i);
          String inTable = table;
          lines.removeIf(line -> usesColumn(line, inTable, column));
          run(dataSource, lines);

          assertThat(build(dataSource))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("column p_" + table + "." + column + " is missing");
          dropAll(dataSource);
          checked++;
        }
      }
    }
    assertThat(checked).isGreaterThan(50 / everySo);
    System.out.printf("%s: %d missing columns named%n", database, checked);
  }

  /** Whether an index of a table is on a column; keys and inline indexes go for all tables. */
  private static boolean usesColumn(String line, String table, String column) {
    boolean index =
        line.contains("INDEX p_" + table + "_") || line.contains(" ON p_" + table + " ");
    boolean key = line.contains("PRIMARY KEY (");
    return (index || key) && line.matches(".*[(, ]" + column + "[,)].*");
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void each_index_and_table_that_is_missing_is_named(Database database) throws SQLException {
    List<String> script = script(database);
    int checked = 0;
    try (HikariDataSource dataSource = database.fresh()) {
      for (int i = 0; i < script.size(); i++) {
        String line = script.get(i);
        if (line.contains("INDEX ") || line.contains("PRIMARY KEY (")) {
          List<String> lines = new ArrayList<>(script);
          lines.remove(i);
          run(dataSource, lines);
          String columns = line.substring(line.lastIndexOf('('), line.lastIndexOf(')') + 1);
          assertThat(build(dataSource))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("index on " + columns);
          dropAll(dataSource);
          checked++;
        }
      }
      for (String table : TABLES) {
        run(dataSource, script);
        run(dataSource, List.of("DROP TABLE p_" + table));
        assertThat(build(dataSource))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("table p_" + table + " is missing")
            .hasMessageContaining("db-migration/" + folder(database));
        dropAll(dataSource);
        checked++;
      }
    }
    assertThat(checked).isEqualTo(24);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_column_of_the_wrong_type_is_named_and_one_more_is_fine(Database database)
      throws SQLException {
    List<String> script = script(database);
    try (HikariDataSource dataSource = database.fresh()) {
      List<String> wrong = new ArrayList<>();
      List<String> more = new ArrayList<>();
      for (String line : script) {
        wrong.add(line.startsWith("  live_until") ? "  live_until VARCHAR(20)," : line);
        more.add(line);
        if (line.startsWith("  plan")) {
          more.add("  later VARCHAR(20),");
        }
      }
      run(dataSource, wrong);
      assertThat(build(dataSource))
          .hasMessageContaining("column p_key.live_until must hold NUMBER, holds TEXT");
      dropAll(dataSource);
      run(dataSource, more);
      assertThat(build(dataSource)).isNull();
    }
  }

  /** SQLite limits no column. */
  @ParameterizedTest
  @CsvSource({"H2, 1", "HSQLDB, 1", "POSTGRESQL, 3", "MARIADB, 5"})
  void each_column_that_is_too_small_is_named(Database database, int everySo) throws SQLException {
    List<String> script = script(database);
    int checked = 0;
    int seen = 0;
    try (HikariDataSource dataSource = database.fresh()) {
      String table = "";
      for (int i = 0; i < script.size(); i++) {
        String line = script.get(i);
        Matcher start = TABLE.matcher(line);
        String smaller = smaller(line);
        if (start.find()) {
          table = start.group(1);
        } else if (!smaller.equals(line) && seen++ % everySo == 0) {
          String column = "column p_" + table + "." + line.trim().split(" ")[0];
          assertProblem(dataSource, with(script, i, smaller), column + " must hold " + size(line));
          checked++;
        }
      }
    }
    assertThat(checked).isGreaterThan(50 / everySo);
    System.out.printf("%s: %d small columns named%n", database, checked);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "POSTGRESQL", "MARIADB"})
  void columns_that_are_larger_are_fine(Database database) throws SQLException {
    List<String> larger = new ArrayList<>();
    for (String line : script(database)) {
      String text = database == Database.POSTGRESQL ? " TEXT" : " VARCHAR(12301)";
      line = line.replace(" TEXT ", " LONGTEXT ");
      line = line.contains("VARBINARY") ? line : line.replaceFirst(" VARCHAR\\(\\d+\\)", text);
      larger.add(line.contains(" seq ") ? line : line.replace(" BIGINT", " NUMERIC(19)"));
    }
    if (database == Database.MARIADB) {
      // a row has room for 65,535 bytes
      larger.replaceAll(line -> line.replace("VARCHAR(12301)", "VARCHAR(1301)"));
    }
    try (HikariDataSource dataSource = database.fresh()) {
      run(dataSource, larger);
      assertThat(build(dataSource)).isNull();
      JdbcKeyStore store = JdbcKeyStore.builder(dataSource).tablePrefix("p_").build();
      KeyRecord record = Keys.given(store, Keys.full("owner"));
      assertThat(store.load(record.id())).contains(record);

      // that table is right, and no excuse for one of the same name in another schema
      try (HikariDataSource other = database.fresh()) {
        List<String> keyless = new ArrayList<>(script(database));
        keyless.removeIf(line -> line.contains("PRIMARY KEY ("));
        assertProblem(other, keyless, "table p_version has no unique index on (key_id, version)");
      }
    }
  }

  private static String smaller(String line) {
    Matcher size = SIZE.matcher(line);
    if (size.find()) {
      return size.replaceFirst("(" + (Integer.parseInt(size.group(1)) - 1) + ")");
    }
    return line.contains(" seq ") ? line : line.replace(" BIGINT", " INTEGER");
  }

  private static String size(String line) {
    Matcher size = SIZE.matcher(line);
    return size.find() ? size.group(1) : "64 bits, holds 32";
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void rows_without_a_key_or_a_number_are_named(Database database) throws SQLException {
    List<String> script = script(database);
    int checked = 0;
    try (HikariDataSource dataSource = database.fresh()) {
      for (int i = 0; i < script.size(); i++) {
        String line = script.get(i);
        String column = line.trim().split(" ")[0];
        if (line.endsWith(" PRIMARY KEY,")) {
          // MariaDB numbers no rows without any index
          String index = line.contains("AUTO_INCREMENT") ? ", INDEX (seq)," : ",";
          assertProblem(
              dataSource,
              with(script, i, line.replace(" PRIMARY KEY,", index)),
              "no unique index on (" + column + ")");
          checked++;
        }
        if (column.equals("seq")) {
          String type = database == Database.SQLITE_WAL ? "INTEGER" : "BIGINT";
          assertProblem(
              dataSource,
              with(script, i, "  seq " + type + " PRIMARY KEY,"),
              ".seq must be numbered by the database");
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(database == Database.SQLITE_WAL ? 6 : 8);
  }

  private static List<String> with(List<String> script, int at, String line) {
    List<String> lines = new ArrayList<>(script);
    lines.set(at, line);
    return lines;
  }

  private static void assertProblem(DataSource dataSource, List<String> script, String problem)
      throws SQLException {
    run(dataSource, script);
    assertThat(build(dataSource))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(problem);
    dropAll(dataSource);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void nodes_that_start_together_may_all_create_the_schema(Database database) throws Exception {
    int nodes = 4;
    ExecutorService threads = Executors.newFixedThreadPool(nodes);
    try {
      for (int round = 0; round < 5; round++) {
        DataSource dataSource = database.fresh();
        Callable<JdbcKeyStore> start =
            () -> JdbcKeyStore.builder(dataSource).initializeSchema(true).build();
        List<Future<JdbcKeyStore>> stores = new ArrayList<>();
        for (int i = 0; i < nodes; i++) {
          stores.add(threads.submit(start));
        }
        KeyRecord record = Keys.of("owner").build();
        Keys.given(stores.get(0).get(), record);
        for (Future<JdbcKeyStore> store : stores) {
          assertThat(store.get().load(record.id())).contains(record);
        }
        dataSource.unwrap(HikariDataSource.class).close();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void hostile_prefixes_are_refused() {
    DataSource dataSource = Database.H2.fresh();
    long seed = Long.getLong("keystile.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    String hostile = " ;'\"`-./\\()*%#\0\n\u00e4\u212a\ud83d\ude00";
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      StringBuilder prefix = new StringBuilder("keystile_");
      int at = random.nextInt(prefix.length() + 1);
      prefix.insert(at, hostile.charAt(random.nextInt(hostile.length())));
      assertRefused(dataSource, prefix.toString());
      refused++;
    }
    for (String prefix : List.of("", "_a", "1a", "a".repeat(31))) {
      assertRefused(dataSource, prefix);
    }
    assertThat(refused).isEqualTo(1000);
    System.out.printf("%d hostile prefixes refused, seed %d%n", refused, seed);
  }

  private static void assertRefused(DataSource dataSource, String prefix) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JdbcKeyStore.builder(dataSource).tablePrefix(prefix))
        .withMessageStartingWith("tablePrefix: must match");
  }

  @Test
  void read_timeouts_are_whole_seconds() {
    JdbcKeyStore.Builder builder = JdbcKeyStore.builder(Database.H2.fresh());
    for (long millis : new long[] {-1000, 0, 999, 1500, 3_601_000}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.readTimeout(Duration.ofMillis(millis)))
          .withMessageStartingWith("readTimeout:");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "H2, 2.5.252 (2026), H2",
    "HSQL Database Engine, 2.7.4, HSQLDB",
    "SQLite, 3.54.1, SQLite",
    "PostgreSQL, 18.6, PostgreSQL",
    "MariaDB, 11.4.5-MariaDB, MariaDB",
    "MySQL, 11.4.5-MariaDB, MariaDB",
    "MySQL, 5.5.5-10.11.2-mariadb-log, MariaDB",
    "MySQL, 9.4.0, MySQL"
  })
  void a_database_is_known_by_its_product_and_version(String product, String version, String name) {
    assertThat(Dialect.of(product, version).name()).isEqualTo(name);
  }

  @Test
  void an_unknown_product_is_refused_by_name() {
    assertThatIllegalStateException()
        .isThrownBy(() -> Dialect.of("Oracle", "23.26"))
        .withMessageContaining("Oracle 23.26")
        .withMessageContaining("PostgreSQL");
  }

  @Test
  void mysqls_driver_on_mariadb_is_known_as_mariadb() throws SQLException {
    try (HikariDataSource dataSource = Database.MYSQL_DRIVER.fresh();
        Connection connection = dataSource.getConnection()) {
      assertThat(connection.getMetaData().getDatabaseProductName()).isEqualTo("MySQL");
      assertThat(Dialect.of(connection.getMetaData()).name()).isEqualTo("MariaDB");
    }
  }

  @ParameterizedTest
  @CsvSource({"locks", "mvlocks"})
  void hsqldb_is_refused_in_its_locking_modes_with_the_way_out(String mode) {
    DataSource dataSource =
        Database.HSQLDB.pool("jdbc:hsqldb:mem:" + mode + ";hsqldb.tx=" + mode, true, false);
    assertThat(catchThrowable(() -> JdbcKeyStore.create(dataSource)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("hsqldb.tx=mvcc");
  }

  private static void assertRefused(Database database, String url, String message) {
    try (HikariDataSource dataSource = database.pool(url, true, false)) {
      assertThat(
              catchThrowable(() -> JdbcKeyStore.builder(dataSource).initializeSchema(true).build()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void settings_that_make_empty_text_null_are_refused() {
    assertRefused(Database.H2, Database.H2.freshUrl() + ";MODE=Oracle", "MODE=Oracle");
    assertRefused(
        Database.MARIADB,
        Database.MARIADB.freshUrl() + "&sessionVariables=sql_mode=EMPTY_STRING_IS_NULL",
        "EMPTY_STRING_IS_NULL");
  }

  @Test
  void a_postgresql_database_in_another_encoding_than_utf8_is_refused() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    try (HikariDataSource dataSource = Database.POSTGRESQL.pool(url, true, false);
        Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String encoding : List.of("SQL_ASCII", "LATIN1")) {
        String name = "in_" + encoding.toLowerCase(Locale.ROOT);
        statement.execute(
            "CREATE DATABASE "
                + name
                + " ENCODING '"
                + encoding
                + "' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        String other =
            url.replace("/postgres?", "/" + name + "?").replaceAll("&currentSchema=.*", "");
        assertRefused(Database.POSTGRESQL, other, "encoding " + encoding);
      }
    }
  }

  @Test
  void a_connection_comes_back_without_a_transaction_though_the_schema_is_refused()
      throws SQLException {
    try (HikariDataSource dataSource = Database.H2.pool(Database.H2.freshUrl(), false, false)) {
      JdbcKeyStore.builder(dataSource).initializeSchema(true).build();
      try (Connection connection = dataSource.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("DROP INDEX keystile_key_by_owner");
      }
      WatchedDataSource watched = new WatchedDataSource(dataSource::getConnection);
      watched.record();
      assertThat(catchThrowable(() -> JdbcKeyStore.create(watched.dataSource())))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("has no index on (owner, key_id)");
      assertThat(watched.statements).containsExactly("rollback");
      assertThat(watched.closed).hasValue(1);
    }
  }

  @Test
  void read_uncommitted_is_refused() {
    HikariDataSource dataSource = Database.MARIADB.fresh();
    WatchedDataSource watched =
        new WatchedDataSource(
            () -> {
              Connection connection = dataSource.getConnection();
              connection.setTransactionIsolation(Connection.TRANSACTION_READ_UNCOMMITTED);
              return connection;
            });
    assertThat(catchThrowable(() -> JdbcKeyStore.create(watched.dataSource())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("READ UNCOMMITTED");
  }

  @Test
  void a_database_that_cannot_be_reached_is_unavailable() {
    WatchedDataSource watched =
        new WatchedDataSource(
            () -> {
              throw new SQLException(WatchedDataSource.LEAK, "08001");
            });
    assertThat(catchThrowable(() -> JdbcKeyStore.create(watched.dataSource())))
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.UNAVAILABLE))
        .hasMessage("build: java.sql.SQLException, SQLState 08001, vendor code 0")
        .hasNoCause();
  }
}
