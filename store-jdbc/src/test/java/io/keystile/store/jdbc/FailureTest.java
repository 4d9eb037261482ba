package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** What a store does when its database fails. */
class FailureTest {
  private static final int OPERATIONS = Integer.getInteger("keystile.failures", 1000);

  private final Logger log = (Logger) LoggerFactory.getLogger("io.keystile");
  private final ListAppender<ILoggingEvent> events = new ListAppender<>();

  @BeforeEach
  void listen() {
    log.setLevel(Level.TRACE);
    log.setAdditive(false);
    events.start();
    log.addAppender(events);
  }

  @AfterEach
  void stopListening() {
    log.detachAppender(events);
    log.setAdditive(true);
    log.setLevel(null);
  }

  /** Ways to damage a schema so that the statements on it fail, each with another kind of error. */
  private static final List<String[]> DAMAGES =
      List.of(
          // what to look for in the schema, what to put there
          new String[] {"hash (\\S+) NOT NULL", "hash $1 NOT NULL UNIQUE"},
          new String[] {"plan (\\S+),", "plan $1 CHECK (plan <> 'pro'),"},
          new String[] {"actor (\\S+),", "actor $1 CHECK (actor <> 'actor'),"},
          new String[] {"last_four (\\S+) NOT NULL", "last_four $1 CHECK (last_four <> 'last')"},
          new String[] {"seal (\\S+),", "seal $1 CHECK (seal = 'no'),"},
          new String[] {"created_by (\\S+),", "created_by $1 CHECK (created_by = 'no'),"});

  private static HikariDataSource damaged(Database database, String[] damage) throws SQLException {
    HikariDataSource dataSource = database.fresh();
    List<String> statements =
        Schema.statements(
            Schema.script(SchemaTest.folder(database), "V1__keystile.sql")
                .replace("${prefix}", "keystile_")
                .replaceAll(damage[0], damage[1]));
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
    return dataSource;
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void no_stored_value_is_in_an_exception_or_a_log_line(Database database) throws SQLException {
    int provoked = 0;
    int leaksByDriver = 0;
    for (String[] damage : DAMAGES) {
      KeyRecord record = Keys.full("secretive-owner");
      KeyRecord sameHash =
          Keys.full("secretive-owner").toBuilder().versions(record.versions()).build();
      List<KeyWrite> writes = List.of(Keys.write(record), Keys.write(sameHash));
      List<String> values =
          new ArrayList<>(List.of("secretive-owner", record.id(), "op-", "orders:read"));
      record.versions().forEach(version -> values.add(version.hash()));

      try (HikariDataSource dataSource = damaged(database, damage)) {
        JdbcKeyStore silent = JdbcKeyStore.create(dataSource);
        Throwable thrown = catchThrowable(() -> silent.insert(writes, Keys.NO_MAXIMUM));
        assertThat(thrown).as(damage[1]).isInstanceOf(StoreException.class);
        assertThat(thrown.getMessage()).startsWith("insert: ").contains("SQLState");
        assertThat(print(thrown)).doesNotContain(values);
        provoked++;

        JdbcKeyStore telling = JdbcKeyStore.builder(dataSource).driverCauses(true).build();
        Throwable full = catchThrowable(() -> telling.insert(writes, Keys.NO_MAXIMUM));
        assertThat(full.getMessage()).isEqualTo(thrown.getMessage());
        assertThat(full).hasCauseInstanceOf(SQLException.class);
        leaksByDriver += values.stream().anyMatch(print(full)::contains) ? 1 : 0;
      }
      assertThat(events.list).noneMatch(event -> values.stream().anyMatch(print(event)::contains));
    }
    assertThat(provoked).isEqualTo(DAMAGES.size());
    if (database == Database.POSTGRESQL
        || database == Database.MARIADB
        || database == Database.H2) {
      assertThat(leaksByDriver).as("with the driver's exception there are leaks").isPositive();
    }
    System.out.printf(
        "%s: %d provoked errors without a stored value, %d with one where drivers may speak%n",
        database, provoked, leaksByDriver);
  }

  private static String print(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  private static String print(ILoggingEvent event) {
    return event.getFormattedMessage()
        + (event.getThrowableProxy() == null ? "" : event.getThrowableProxy().getMessage());
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void connections_come_back_as_they_were_whatever_fails(Database database) {
    for (boolean autoCommit : List.of(true, false)) {
      long seed = Long.getLong("keystile.seed", System.nanoTime());
      Setup setup = autoCommit ? Setup.plain(database) : Setup.manualCommitInOtherZone(database);
      setup.store();
      WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);
      JdbcKeyStore store = JdbcKeyStore.builder(watched.dataSource()).build();
      List<KeyRecord> records = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        records.add(Keys.given(store, Keys.of("owner").build()));
      }
      SplittableRandom random = new SplittableRandom(seed);
      // where a rollback or a setting fails, only the pool can put the connection right
      watched.failWhen(
          call -> (call.startsWith("execute") || call.equals("commit")) && random.nextInt(10) == 0);
      int failed = 0;
      for (int i = 0; i < OPERATIONS; i++) {
        KeyRecord record = records.get(random.nextInt(records.size()));
        if (catchThrowable(operation(store, record, random.nextInt(9))) != null) {
          failed++;
        }
      }
      watched.failWhen(call -> false);

      assertThat(watched.closed.get()).isEqualTo(watched.opened.get());
      assertThat(watched.changed.get()).as("given back changed, seed " + seed).isEqualTo(0);
      assertThat(failed).isGreaterThan(OPERATIONS / 20);
      System.out.printf(
          "%s, autocommit %s: %d operations, %d failed, %d connections opened and closed, seed %d%n",
          database, autoCommit, OPERATIONS, failed, watched.closed.get(), seed);
    }
  }

  private static ThrowingCallable operation(JdbcKeyStore store, KeyRecord record, int which) {
    UseMark mark = new UseMark(record.id(), 1, Keys.NOW, Keys.NOW);
    Purge purge = new Purge(List.of(), Keys.NOW, Keys.NOW, 10);
    List<ThrowingCallable> operations =
        List.of(
            () -> store.insert(List.of(Keys.write(Keys.of("other").build())), 1000),
            () -> store.insert(List.of(Keys.write(record)), Keys.NO_MAXIMUM),
            () -> store.replace(Keys.write(Keys.next(record))),
            () -> store.find(record.id()),
            () -> store.load(record.id()),
            () -> store.list(KeyFilter.all(), null, 5),
            () -> store.recordUse(List.of(mark)),
            () -> store.changesSince(ChangeCursor.after(0), 5),
            () -> {
              store.audit(AuditFilter.all(), 0, 5);
              store.purge(purge);
            });
    return operations.get(which);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_lost_answer_to_a_commit_is_unknown_and_the_retry_tells(Database database) {
    for (boolean committed : List.of(true, false)) {
      Setup setup = Setup.plain(database);
      JdbcKeyStore healthy = setup.store();
      WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);
      JdbcKeyStore store = JdbcKeyStore.builder(watched.dataSource()).build();
      KeyWrite insert = Keys.write(Keys.of("owner").build());
      KeyWrite replace = Keys.write(Keys.next(insert.record()));

      loseCommit(watched, committed);
      assertUnknown(() -> store.insert(List.of(insert), 5));
      assertThat(healthy.find(insert.record().id()).isPresent()).isEqualTo(committed);
      WriteOutcome.Kind expected =
          committed ? WriteOutcome.Kind.REPEATED : WriteOutcome.Kind.APPLIED;
      assertThat(store.insert(List.of(insert), 5).kind()).isEqualTo(expected);

      loseCommit(watched, committed);
      assertUnknown(() -> store.replace(replace));
      assertThat(store.replace(replace).kind()).isEqualTo(expected);

      assertThat(healthy.list(KeyFilter.all(), null, 10)).hasSize(1);
      assertThat(healthy.audit(AuditFilter.all(), 0, 10)).hasSize(2);
      assertThat(healthy.changesSince(ChangeCursor.after(0), 10).list()).hasSize(2);
    }
  }

  private static void loseCommit(WatchedDataSource watched, boolean committed) {
    AtomicBoolean once = new AtomicBoolean();
    watched.failWhen(call -> false);
    watched.loseAnswerWhen(call -> false);
    if (committed) {
      watched.loseAnswerWhen(call -> call.equals("commit") && once.compareAndSet(false, true));
    } else {
      watched.failWhen(call -> call.equals("commit") && once.compareAndSet(false, true));
    }
  }

  private static void assertUnknown(ThrowingCallable call) {
    assertThat(catchThrowable(call))
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.OUTCOME_UNKNOWN));
  }

  /** A store on whose data source the next so many writes meet a serialization failure. */
  private static JdbcKeyStore contended(WatchedDataSource watched, int times) {
    AtomicInteger left = new AtomicInteger(times);
    JdbcKeyStore store = JdbcKeyStore.builder(watched.dataSource()).build();
    watched.failAs("40001");
    watched.failWhen(call -> call.startsWith("execute") && left.getAndDecrement() > 0);
    return store;
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void contention_is_tried_again_until_it_is_a_conflict(Database database) {
    Setup setup = Setup.plain(database);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);

    assertThat(contended(watched, 2).replace(Keys.write(Keys.next(record))))
        .isEqualTo(WriteOutcome.APPLIED);

    JdbcKeyStore store = contended(watched, Integer.MAX_VALUE);
    long before = watched.executions.get();
    assertConflict(() -> store.replace(Keys.write(Keys.next(Keys.next(record)))));
    // on a machine that stands still for a second it may be fewer than all
    assertThat(watched.executions.get() - before).isBetween(2L, (long) Retries.ATTEMPTS);
    watched.failWhen(call -> false);
    assertThat(store.load(record.id())).contains(Keys.next(record));
  }

  /** With a limit to the wait for locks of a second or less. */
  private static String impatient(Database database) {
    String url = database.freshUrl();
    return switch (database) {
      case H2 -> url + ";LOCK_TIMEOUT=100";
      case POSTGRESQL -> url + "&options=-c%20lock_timeout=100";
      case MARIADB -> url + "&sessionVariables=innodb_lock_wait_timeout=1";
      default -> url.replace("busy_timeout=10000", "busy_timeout=100");
    };
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "SQLITE", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_lock_is_waited_for_once(Database database) throws SQLException {
    try (HikariDataSource dataSource = database.pool(impatient(database), true, false)) {
      WatchedDataSource watched = new WatchedDataSource(dataSource::getConnection);
      JdbcKeyStore store =
          JdbcKeyStore.builder(watched.dataSource()).initializeSchema(true).build();
      KeyRecord record = Keys.given(store, Keys.of("owner").build());
      long before = watched.executions.get();
      try (Connection holder = dataSource.getConnection();
          Statement statement = holder.createStatement()) {
        holder.setAutoCommit(false);
        statement.execute("UPDATE keystile_key SET name = 'held'");
        assertConflict(() -> store.replace(Keys.write(Keys.next(record))));
        holder.rollback();
        holder.setAutoCommit(true);
      }
      assertThat(watched.executions.get() - before).isEqualTo(1);
      assertThat(store.replace(Keys.write(Keys.next(record)))).isEqualTo(WriteOutcome.APPLIED);
    }
  }

  @Test
  void a_connection_that_is_not_to_be_had_is_unavailable_at_once() {
    Setup setup = Setup.plain(Database.SQLITE);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    AtomicInteger asked = new AtomicInteger();
    AtomicBoolean exhausted = new AtomicBoolean();
    WatchedDataSource pool =
        new WatchedDataSource(
            () -> {
              if (exhausted.get()) {
                asked.incrementAndGet();
                // pools pass on the code of the driver's last failure: SQLite's BUSY
                throw new SQLException("timed out", null, 5);
              }
              return setup.watched.dataSource().getConnection();
            });
    JdbcKeyStore store = JdbcKeyStore.builder(pool.dataSource()).build();
    exhausted.set(true);

    List<ThrowingCallable> operations =
        List.of(
            () -> store.load(record.id()),
            () -> store.find(record.id()),
            () -> store.replace(Keys.write(Keys.next(record))));
    for (ThrowingCallable operation : operations) {
      asked.set(0);
      assertThat(catchThrowable(operation))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.UNAVAILABLE));
      assertThat(asked).hasValue(1);
    }
  }

  @Test
  void contention_in_a_transaction_of_the_host_is_reported_at_once() {
    Setup setup = Setup.plain(Database.H2);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);
    HostTransactions host =
        new HostTransactions(watched.dataSource(), Connection.TRANSACTION_READ_COMMITTED);
    JdbcKeyStore store = setup.builder().joining(host).build();
    watched.failAs("40001");

    host.run(
        connection -> {
          watched.failWhen(call -> call.startsWith("execute"));
          long before = watched.executions.get();
          assertConflict(() -> store.replace(Keys.write(Keys.next(record))));
          assertThat(watched.executions.get() - before).isEqualTo(1);
          watched.failWhen(call -> false);
        });
    assertThat(store.load(record.id())).contains(record);
  }

  @Test
  void a_refusal_that_cannot_be_undone_in_a_transaction_of_the_host_is_a_failure() {
    Setup setup = Setup.plain(Database.H2);
    KeyRecord taken = Keys.given(setup.store(), Keys.of("owner").build());
    WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);
    HostTransactions host =
        new HostTransactions(watched.dataSource(), Connection.TRANSACTION_READ_COMMITTED);
    JdbcKeyStore store = setup.builder().joining(host).build();
    List<KeyWrite> writes = List.of(Keys.write(Keys.of("owner").build()), Keys.write(taken));

    host.run(
        connection -> {
          watched.failWhen(call -> call.equals("rollback"));
          assertThat(catchThrowable(() -> store.insert(writes, Keys.NO_MAXIMUM)))
              .as("half of the keys may be in the transaction")
              .isInstanceOf(StoreException.class)
              .hasMessageContaining("08006");
          watched.failWhen(call -> false);
          assertThat(store.insert(writes, Keys.NO_MAXIMUM)).isEqualTo(WriteOutcome.DUPLICATE);
          connection.rollback();
        });
  }

  @Test
  void an_interrupt_ends_the_attempts_and_is_kept() {
    Setup setup = Setup.plain(Database.H2);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    WatchedDataSource watched = new WatchedDataSource(setup.watched.dataSource()::getConnection);
    JdbcKeyStore store = contended(watched, 10);
    long before = watched.executions.get();

    Thread.currentThread().interrupt();
    try {
      assertConflict(() -> store.replace(Keys.write(Keys.next(record))));
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(watched.executions.get() - before).isEqualTo(1);
    assertThat(watched.closed.get()).isEqualTo(watched.opened.get());
  }

  private static void assertConflict(ThrowingCallable call) {
    assertThat(catchThrowable(call))
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.CONFLICT));
  }

  @Test
  void a_connection_with_autocommit_on_is_no_transaction_to_join() {
    Setup setup = Setup.plain(Database.H2);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    AtomicInteger givenBack = new AtomicInteger();
    ConnectionSource wrong =
        new ConnectionSource() {
          @Override
          public Connection open() throws SQLException {
            return setup.watched.dataSource().getConnection();
          }

          @Override
          public void close(Connection connection) throws SQLException {
            givenBack.incrementAndGet();
            connection.close();
          }

          @Override
          public void afterCommit(Runnable action) {}
        };
    JdbcKeyStore store = setup.builder().joining(wrong).build();

    assertThat(catchThrowable(() -> store.replace(Keys.write(Keys.next(record)))))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("autocommit");
    assertThat(givenBack).hasValue(1);
    assertThat(store.load(record.id())).contains(record);
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void a_read_that_takes_too_long_is_given_up(Database database) throws SQLException {
    Setup setup = Setup.plain(database);
    KeyRecord record = Keys.given(setup.store(), Keys.of("owner").build());
    JdbcKeyStore store = setup.builder().readTimeout(Duration.ofSeconds(1)).build();
    String lock =
        database == Database.POSTGRESQL
            ? "LOCK TABLE keystile_key IN ACCESS EXCLUSIVE MODE"
            : "LOCK TABLES keystile_key WRITE";

    try (Connection connection = setup.watched.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(lock);
      assertThat(catchThrowable(() -> store.load(record.id())))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.UNAVAILABLE));
      connection.rollback();
      if (database == Database.MARIADB) {
        statement.execute("UNLOCK TABLES");
      }
      connection.setAutoCommit(true);
    }
    assertThat(store.load(record.id())).contains(record);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_row_that_makes_no_sense_is_a_failure_and_no_key(Database database) throws SQLException {
    Setup setup = Setup.plain(database);
    JdbcKeyStore store = setup.store();
    List<String> damages =
        List.of(
            "UPDATE keystile_key SET state = 'GARBLED'",
            "UPDATE keystile_key SET state = 'REVOKED'",
            "UPDATE keystile_key SET metadata = 'garbled'",
            "UPDATE keystile_key SET scopes = '" + "x".repeat(101) + "'",
            "UPDATE keystile_key SET limits = 'garbled'",
            "UPDATE keystile_key SET limits = 'requests/10:1000'",
            "UPDATE keystile_key SET limits = 'requests:/1000'",
            "UPDATE keystile_key SET limits = 'requests:10/1000 requests:9/1000'",
            "UPDATE keystile_key SET limits = 'requests:-1/1000'",
            "UPDATE keystile_key SET limits = 'requests:10/99'",
            "UPDATE keystile_key SET limits = ' '",
            "UPDATE keystile_key SET rotation_grace = -1",
            "UPDATE keystile_key SET rotation_grace = NULL",
            "UPDATE keystile_version SET expires_at = NULL WHERE version = 1",
            "DELETE FROM keystile_version");
    for (String damage : damages) {
      KeyRecord record = Keys.given(store, Keys.full("owner"));
      assertThat(store.load(record.id())).contains(record);
      try (Connection connection = setup.watched.dataSource().getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(damage);
      }
      assertThat(catchThrowable(() -> store.load(record.id())))
          .as(damage)
          .isInstanceOf(StoreException.class)
          .hasMessage("load: a stored row makes no sense")
          .hasNoCause();
    }
  }
}
