package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.UseMark;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Database roles with the fewest rights, as the documentation grants them. */
class RolesTest {

  @Test
  void a_role_that_only_validates_can_neither_issue_nor_change_on_postgresql() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "validator_" + schema;
    KeyRecord record;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      record = given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_version, keystile_change TO " + role));
    }
    assertValidatesOnly(
        Database.POSTGRESQL, url.replace("user=postgres", "user=" + role), record, "42501");
  }

  @Test
  void a_role_that_only_validates_can_neither_issue_nor_change_on_mariadb() throws SQLException {
    String url = Database.MARIADB.freshUrl();
    KeyRecord record;
    String database;
    try (HikariDataSource owner = Database.MARIADB.pool(url, true, false);
        Connection connection = owner.getConnection()) {
      record = given(owner);
      database = connection.getCatalog();
      String user = "'validator'@'%'";
      execute(
          owner,
          List.of(
              "CREATE USER " + user,
              "GRANT SELECT ON " + database + ".keystile_key TO " + user,
              "GRANT SELECT ON " + database + ".keystile_version TO " + user,
              "GRANT SELECT ON " + database + ".keystile_change TO " + user));
    }
    assertValidatesOnly(
        Database.MARIADB, url.replace("user=keystile", "user=validator"), record, "42000");
  }

  @Test
  void a_role_that_also_records_use_needs_one_right_more() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "recorder_" + schema;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      KeyRecord record = given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_version, keystile_change TO " + role,
              "GRANT SELECT, UPDATE ON keystile_use TO " + role));
      try (HikariDataSource pool =
          Database.POSTGRESQL.pool(url.replace("user=postgres", "user=" + role), true, false)) {
        UseMark mark = new UseMark(record.id(), 1, Keys.NOW, Keys.NOW);
        JdbcKeyStore.create(pool).recordUse(List.of(mark));
        assertThat(JdbcKeyStore.create(owner).find(record.id()).orElseThrow().uses())
            .containsExactly(mark);
      }
    }
  }

  @Test
  void a_role_without_rights_on_what_every_store_needs_is_refused() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "nobody_" + schema;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_use, keystile_audit TO " + role));
    }
    assertNotReadable(Database.POSTGRESQL, url.replace("user=postgres", "user=" + role));
  }

  @Test
  void a_role_with_rights_on_tables_that_do_not_exist_for_it_is_refused_on_mariadb()
      throws SQLException {
    String url = Database.MARIADB.freshUrl();
    try (HikariDataSource owner = Database.MARIADB.pool(url, true, false);
        Connection connection = owner.getConnection()) {
      String user = "'nobody'@'%'";
      String table = connection.getCatalog() + ".keystile_key";
      given(owner);
      execute(
          owner,
          List.of(
              "CREATE USER " + user,
              "GRANT SELECT ON " + table + " TO " + user,
              "DROP TABLE keystile_version, keystile_change"));
    }
    assertNotReadable(Database.MARIADB, url.replace("user=keystile", "user=nobody"));
  }

  private static void assertNotReadable(Database database, String url) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      assertThat(catchThrowable(() -> JdbcKeyStore.create(pool)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("table keystile_version is missing, or not readable")
          .hasMessageContaining("table keystile_change is missing, or not readable")
          .hasMessageNotContainingAny("keystile_key", "_use", "_audit", "_owner");
    }
  }

  private static KeyRecord given(HikariDataSource owner) {
    KeyStore store = JdbcKeyStore.builder(owner).initializeSchema(true).build();
    return Keys.given(store, Keys.full("owner"));
  }

  private static void execute(HikariDataSource dataSource, List<String> statements)
      throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private static void assertValidatesOnly(
      Database database, String url, KeyRecord record, String refused) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      KeyStore store = JdbcKeyStore.create(pool);
      assertThat(store.load(record.id())).contains(record);
      assertThat(store.changesSince(ChangeCursor.after(0), 10).list()).hasSize(1);

      List<ThrowingCallable> writes = new ArrayList<>();
      writes.add(() -> Keys.given(store, Keys.of("owner").build()));
      writes.add(() -> store.insert(List.of(Keys.write(Keys.of("owner").build())), 5));
      writes.add(() -> store.replace(Keys.write(Keys.next(record))));
      writes.add(() -> store.purge(new Purge(List.of(Keys.write(record)), null, null, 1)));
      writes.add(() -> store.purge(new Purge(List.of(), Keys.NOW, null, 1)));
      writes.add(() -> store.purge(new Purge(List.of(), null, Keys.NOW.plusSeconds(1), 1)));
      writes.add(() -> store.recordUse(List.of(new UseMark(record.id(), 1, Keys.NOW, Keys.NOW))));
      for (ThrowingCallable write : writes) {
        assertThat(catchThrowable(write))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("SQLState " + refused);
      }
      assertThat(store.load(record.id())).contains(record);
    }
  }
}
