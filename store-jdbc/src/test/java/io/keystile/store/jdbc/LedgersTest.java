package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.StoreException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What drivers answer to a batch, and what the store makes of it. */
class LedgersTest {
  private static final Instant PAST = Keys.NOW.minusSeconds(1);

  private static Ledger ledger(String id, long revision) {
    return new Ledger(id, revision, "at " + revision, PAST);
  }

  private static List<Ledger> ledgers(long revision, String... ids) {
    return Arrays.stream(ids).map(id -> ledger(id, revision)).toList();
  }

  private static JdbcKeyStore store(DataSource dataSource) {
    return JdbcKeyStore.builder(dataSource).initializeSchema(true).build();
  }

  /** A driver that says of no element of a batch whether it has changed anything. */
  private static DataSource silent(HikariDataSource dataSource, AtomicInteger batches) {
    return Around.dataSource(
        dataSource::getConnection,
        (method, call) -> {
          Object result = call.proceed();
          if (method.equals("executeBatch")) {
            batches.incrementAndGet();
            Arrays.fill((int[]) result, Statement.SUCCESS_NO_INFO);
          }
          return result;
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB", "MYSQL_DRIVER"})
  void what_a_silent_driver_does_not_tell_is_found_out(Database database) {
    try (HikariDataSource dataSource = database.fresh()) {
      AtomicInteger batches = new AtomicInteger();
      JdbcKeyStore store = store(silent(dataSource, batches));

      assertWritesAndTells(store);
      int used = batches.get();
      assertWritesAndTells(store);
      assertThat(batches.get() - used).as("only insertions are still sent as a batch").isEqualTo(2);
    }
  }

  /** Both put a batch into one statement; whether they still count is theirs to know. */
  @ParameterizedTest
  @CsvSource({"MARIADB, &useBulkStmts=true", "MYSQL_DRIVER, &rewriteBatchedStatements=true"})
  void drivers_that_rewrite_a_batch_are_not_believed_more_than_they_tell(
      Database database, String option) throws SQLException {
    try (HikariDataSource dataSource = database.pool(database.freshUrl() + option, true, false)) {
      assertWritesAndTells(store(dataSource));
      List<Integer> counts = new ArrayList<>();
      try (var connection = dataSource.getConnection();
          var update =
              connection.prepareStatement("UPDATE keystile_ledger SET revision = 2 WHERE id = ?")) {
        for (int i = 0; i < 5; i++) {
          update.setBytes(1, new byte[] {1});
          update.addBatch();
        }
        Arrays.stream(update.executeBatch()).forEach(counts::add);
      }
      System.out.printf("%s%s: a batch without effect answers %s%n", database, option, counts);
    }
  }

  /** Some fit and some do not, in one call; afterwards all are gone. */
  private static void assertWritesAndTells(JdbcKeyStore store) {
    assertThat(store.replace(ledgers(1, "a", "b", "c", "d"))).hasSize(4);
    List<Ledger> mixed = new ArrayList<>(ledgers(2, "a", "c", "missing"));
    mixed.addAll(ledgers(3, "b"));
    mixed.addAll(ledgers(1, "d", "e"));
    Collections.shuffle(mixed);

    assertThat(store.replace(mixed)).isEqualTo(Set.of("a", "c", "e"));
    assertThat(store.replace(ledgers(2, "a", "c", "missing"))).isEmpty();
    assertThat(store.read(List.of("a", "b", "c", "d", "e", "missing")).ledgers())
        .containsExactlyInAnyOrder(
            ledger("a", 2), ledger("b", 1), ledger("c", 2), ledger("d", 1), ledger("e", 1));
    assertThat(store.purge(Keys.NOW, 3)).isEqualTo(3);
    assertThat(store.purge(Keys.NOW, 100)).isEqualTo(2);
    assertThat(store.purge(Keys.NOW, 100)).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_purge_takes_more_ledgers_than_one_transaction_does(Database database) {
    try (HikariDataSource dataSource = database.fresh()) {
      JdbcKeyStore store = store(dataSource);
      for (int part = 0; part < 3; part++) {
        List<Ledger> ledgers = new ArrayList<>();
        for (int i = 0; i < 900; i++) {
          ledgers.add(ledger("l" + part + "-" + i, 1));
        }
        assertThat(store.replace(ledgers)).hasSize(900);
      }
      assertThat(store.purge(PAST, 100_000)).as("none is over yet").isZero();
      assertThat(store.purge(Keys.NOW, 100_000)).isEqualTo(2700);
    }
  }

  @Test
  void who_never_comes_first_is_told_of_a_conflict() {
    try (HikariDataSource dataSource = Database.H2.fresh()) {
      AtomicInteger attempts = new AtomicInteger();
      JdbcKeyStore store =
          store(
              Around.dataSource(
                  dataSource::getConnection,
                  (method, call) -> {
                    if (method.equals("executeBatch")) {
                      attempts.incrementAndGet();
                      throw new BatchUpdateException(
                          WatchedDataSource.LEAK, "23505", new int[0], null);
                    }
                    return call.proceed();
                  }));

      assertThat(catchThrowable(() -> store.replace(ledgers(1, "a", "b"))))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.CONFLICT))
          .hasMessage("replace ledgers: others always came first");
      assertThat(attempts).hasValue(10);
      assertThat(store.read(List.of("a", "b")).ledgers()).isEmpty();
    }
  }

  @Test
  void a_time_that_is_no_number_of_milliseconds_is_refused() {
    try (HikariDataSource dataSource = Database.H2.fresh()) {
      JdbcKeyStore store = store(dataSource);
      for (Instant time : List.of(Instant.MIN, Instant.MAX, Keys.NOW.plusNanos(1))) {
        assertThat(catchThrowable(() -> store.purge(time, 1)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("before: must be whole milliseconds");
      }
    }
  }
}
