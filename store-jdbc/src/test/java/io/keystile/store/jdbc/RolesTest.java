package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.KeyException;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.ServerSecret;
import io.keystile.limit.Plan;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.StoreException;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.store.UseMark;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Database roles with the fewest rights, as the documentation grants them. */
class RolesTest {
  private static final Ledger LEDGER = new Ledger("ledger", 1, "text", Keys.NOW);
  private static final Batch BATCH =
      new Batch(
          "batch",
          Keys.NOW,
          List.of(
              new Tally(
                  new Subject("0".repeat(22), "owner", null),
                  Period.HOUR,
                  Period.HOUR.startOf(Keys.NOW),
                  "requests",
                  "all",
                  1)));
  private static final Filter OF_HOURS =
      new Filter(Period.HOUR, Instant.EPOCH, Keys.NOW.plusMillis(1), null, null, null, Set.of());
  private static final Retention OLD =
      new Retention(Keys.NOW.plusMillis(1), Keys.NOW.plusMillis(1), Keys.NOW.plusMillis(1), 100);

  @Test
  void a_role_that_only_validates_can_neither_issue_nor_change_on_postgresql() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "validator_" + schema;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      KeyRecord record = given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_version, keystile_change TO " + role));
      String validator = url.replace("user=postgres", "user=" + role);
      assertValidatesOnly(Database.POSTGRESQL, validator, record, "42501");
      assertValidatesWhileThePepperIsChanged(Database.POSTGRESQL, validator, owner);
    }
  }

  @Test
  void a_role_that_only_validates_can_neither_issue_nor_change_on_mariadb() throws SQLException {
    String url = Database.MARIADB.freshUrl();
    try (HikariDataSource owner = Database.MARIADB.pool(url, true, false);
        Connection connection = owner.getConnection()) {
      KeyRecord record = given(owner);
      String database = connection.getCatalog();
      String user = "'validator'@'%'";
      execute(
          owner,
          List.of(
              "CREATE USER " + user,
              "GRANT SELECT ON " + database + ".keystile_key TO " + user,
              "GRANT SELECT ON " + database + ".keystile_version TO " + user,
              "GRANT SELECT ON " + database + ".keystile_change TO " + user));
      String validator = url.replace("user=keystile", "user=validator");
      assertValidatesOnly(Database.MARIADB, validator, record, "42000");
      assertValidatesWhileThePepperIsChanged(Database.MARIADB, validator, owner);
    }
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
  void a_role_that_shares_limits_needs_all_rights_on_one_table_more_on_postgresql()
      throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "sharer_" + schema;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_version, keystile_change TO " + role,
              "GRANT SELECT, INSERT, UPDATE, DELETE ON keystile_ledger TO " + role));
    }
    assertSharesLimits(Database.POSTGRESQL, url.replace("user=postgres", "user=" + role));
  }

  @Test
  void a_role_that_shares_limits_needs_all_rights_on_one_table_more_on_mariadb()
      throws SQLException {
    String url = Database.MARIADB.freshUrl();
    try (HikariDataSource owner = Database.MARIADB.pool(url, true, false);
        Connection connection = owner.getConnection()) {
      given(owner);
      String database = connection.getCatalog();
      String user = "'sharer'@'%'";
      execute(
          owner,
          List.of(
              "CREATE USER " + user,
              "GRANT SELECT ON " + database + ".keystile_key TO " + user,
              "GRANT SELECT ON " + database + ".keystile_version TO " + user,
              "GRANT SELECT ON " + database + ".keystile_change TO " + user,
              "GRANT SELECT, INSERT, UPDATE, DELETE ON "
                  + database
                  + ".keystile_ledger TO "
                  + user));
    }
    assertSharesLimits(Database.MARIADB, url.replace("user=keystile", "user=sharer"));
  }

  private static void assertSharesLimits(Database database, String url) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      JdbcKeyStore store = JdbcKeyStore.create(pool);
      Ledger next = new Ledger(LEDGER.id(), 2, "next", Keys.NOW);
      assertThat(store.replace(List.of(LEDGER))).containsExactly(LEDGER.id());
      assertThat(store.replace(List.of(next))).containsExactly(LEDGER.id());
      assertThat(store.read(List.of(LEDGER.id())).ledgers()).containsExactly(next);
      assertThat(store.purge(Keys.NOW.plusMillis(1), 10)).isEqualTo(1);
    }
  }

  @Test
  void a_role_that_also_renews_hashes_can_make_no_key() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "renewer_" + schema;
    ServerSecret old = secret("p1");
    ServerSecret next = secret("p2");
    Instant start = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT, UPDATE ON keystile_key TO " + role,
              "GRANT SELECT, INSERT, DELETE ON keystile_version TO " + role,
              "GRANT SELECT, INSERT, UPDATE, DELETE ON keystile_use TO " + role,
              "GRANT SELECT, INSERT ON keystile_change, keystile_audit TO " + role));
      String renewer = url.replace("user=postgres", "user=" + role);
      try (HikariDataSource pool = Database.POSTGRESQL.pool(renewer, true, false);
          ApiKeys issuer = node(JdbcKeyStore.create(owner), start).pepper(old).build();
          ApiKeys validator =
              node(JdbcKeyStore.create(pool), start.plus(Duration.ofHours(2)))
                  .pepper(next, old)
                  .build()) {
        String token = issuer.issue(KeySpec.forOwner("owner")).revealToken();
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (issuer.countNeeding("p1") > 0) {
          assertThat(isAccepted(validator, token)).isTrue();
          assertThat(System.nanoTime()).as("the hash was never renewed").isLessThan(deadline);
        }
        assertThat(issuer.countNeeding("p2")).isEqualTo(1);
        assertThat(catchThrowable(() -> validator.issue(KeySpec.forOwner("owner"))))
            .isInstanceOf(KeyException.class)
            .hasStackTraceContaining("SQLState 42501");
      }
    }
  }

  private static boolean isAccepted(ApiKeys node, String token) {
    return node.validate(token, Access.authenticated(), Origin.of("192.0.2.7")).isAccepted();
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

  @Test
  void a_role_that_keeps_usage_needs_rights_on_two_tables_more_on_postgresql() throws SQLException {
    String url = Database.POSTGRESQL.freshUrl();
    String schema = url.substring(url.lastIndexOf('=') + 1);
    String role = "keeper_" + schema;
    try (HikariDataSource owner = Database.POSTGRESQL.pool(url, true, false)) {
      given(owner);
      execute(
          owner,
          List.of(
              "CREATE ROLE " + role + " LOGIN",
              "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
              "GRANT SELECT ON keystile_key, keystile_version, keystile_change TO " + role,
              "GRANT SELECT, INSERT, UPDATE ON keystile_tally TO " + role,
              "GRANT SELECT, INSERT ON keystile_batch TO " + role));
      String asRole = url.replace("user=postgres", "user=" + role);
      assertKeepsUsage(Database.POSTGRESQL, asRole, "42501");
      execute(owner, List.of("GRANT DELETE ON keystile_tally, keystile_batch TO " + role));
      assertPurgesUsage(Database.POSTGRESQL, asRole);
    }
  }

  @Test
  void a_role_that_keeps_usage_needs_rights_on_two_tables_more_on_mariadb() throws SQLException {
    String url = Database.MARIADB.freshUrl();
    try (HikariDataSource owner = Database.MARIADB.pool(url, true, false);
        Connection connection = owner.getConnection()) {
      given(owner);
      String database = connection.getCatalog();
      String user = "'keeper'@'%'";
      execute(
          owner,
          List.of(
              "CREATE USER " + user,
              "GRANT SELECT ON " + database + ".keystile_key TO " + user,
              "GRANT SELECT ON " + database + ".keystile_version TO " + user,
              "GRANT SELECT ON " + database + ".keystile_change TO " + user,
              "GRANT SELECT, INSERT, UPDATE ON " + database + ".keystile_tally TO " + user,
              "GRANT SELECT, INSERT ON " + database + ".keystile_batch TO " + user));
      String asUser = url.replace("user=keystile", "user=keeper");
      assertKeepsUsage(Database.MARIADB, asUser, "42000");
      execute(
          owner,
          List.of(
              "GRANT DELETE ON " + database + ".keystile_tally TO " + user,
              "GRANT DELETE ON " + database + ".keystile_batch TO " + user));
      assertPurgesUsage(Database.MARIADB, asUser);
    }
  }

  private static void assertKeepsUsage(Database database, String url, String refused) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      JdbcKeyStore store = JdbcKeyStore.create(pool);
      assertThat(store.add(BATCH)).isTrue();
      assertThat(store.add(BATCH)).isFalse();
      assertThat(store.tallies(OF_HOURS, null, 10)).isEqualTo(BATCH.tallies());
      assertThat(catchThrowable(() -> store.purge(OLD)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("SQLState " + refused);
    }
  }

  private static void assertPurgesUsage(Database database, String url) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      assertThat(JdbcKeyStore.create(pool).purge(OLD)).isEqualTo(2);
    }
  }

  private static void assertValidatesOnly(
      Database database, String url, KeyRecord record, String refused) {
    try (HikariDataSource pool = database.pool(url, true, false)) {
      JdbcKeyStore store = JdbcKeyStore.create(pool);
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
      writes.add(() -> store.read(List.of("ledger")));
      writes.add(() -> store.replace(List.of(LEDGER)));
      writes.add(() -> store.purge(Keys.NOW, 1));
      writes.add(() -> store.add(BATCH));
      writes.add(() -> store.tallies(OF_HOURS, null, 1));
      writes.add(() -> store.purge(OLD));
      for (ThrowingCallable write : writes) {
        assertThat(catchThrowable(write))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("SQLState " + refused);
      }
      assertThat(store.load(record.id())).contains(record);
    }
  }

  /** What the role cannot do is left, and nobody is refused for it. */
  private static void assertValidatesWhileThePepperIsChanged(
      Database database, String url, HikariDataSource owner) {
    ServerSecret old = secret("p1");
    ServerSecret next = secret("p2");
    List<String> tokens = new ArrayList<>();
    Instant start = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger("io.keystile.Rehasher");
    logger.addAppender(log);
    try (HikariDataSource pool = database.pool(url, true, false);
        ApiKeys issuer = node(JdbcKeyStore.create(owner), start).pepper(old).build();
        ApiKeys validator =
            node(JdbcKeyStore.create(pool), start.plus(Duration.ofHours(2)))
                .pepper(next, old)
                .build()) {
      for (int i = 0; i < 50; i++) {
        tokens.add(issuer.issue(KeySpec.forOwner("owner")).revealToken());
      }
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      int refused = 0;
      for (int round = 0; round < 20 || log.list.isEmpty(); round++) {
        for (String token : tokens) {
          refused += isAccepted(validator, token) ? 0 : 1;
        }
        assertThat(System.nanoTime()).as("the failure was never told").isLessThan(deadline);
      }
      assertThat(refused).isZero();
      assertThat(log.list).hasSize(1);
      assertThat(log.list.get(0).getLevel()).isEqualTo(Level.WARN);
      assertThat(log.list.get(0).getFormattedMessage()).contains("SQLState 42");
      assertThat(issuer.countNeeding("p1")).isEqualTo(50);
    } finally {
      logger.detachAppender(log);
    }
  }

  private static ApiKeysBuilder node(KeyStore store, Instant now) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .time(() -> now, System::nanoTime)
        .loadDeadline(Duration.ofSeconds(30));
  }

  private static ServerSecret secret(String id) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) id.hashCode());
    return ServerSecret.of(id, bytes);
  }
}
