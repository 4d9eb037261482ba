package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.ChangeCursor.Gap;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes over the wire, and how often. */
class StatementTest {
  private static final List<String> IDS =
      IntStream.range(0, 100).mapToObj(number -> "ledger-" + number).toList();

  private static final Filter OF_HOURS =
      new Filter(Period.HOUR, Instant.EPOCH, Keys.NOW, null, null, null, Set.of());

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB", "MYSQL_DRIVER"})
  void each_operation_costs_a_fixed_number_of_round_trips(Database database) {
    Setup setup = Setup.plain(database);
    JdbcKeyStore store = setup.store();
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      records.add(Keys.given(store, Keys.full("owner")));
    }
    KeyRecord record = records.get(0);
    UseMark mark = new UseMark(record.id(), 1, Keys.NOW, Keys.NOW);
    ChangeCursor gaps = new ChangeCursor(5, List.of(new Gap(1, 1), new Gap(3, 3)));

    assertThat(cost(setup, () -> store.load(record.id()))).as("load").isEqualTo(1);
    assertThat(cost(setup, () -> store.find(record.id()))).as("find").isEqualTo(1);
    assertThat(cost(setup, () -> store.list(KeyFilter.all(), null, 2)))
        .as("page of 2")
        .isEqualTo(1);
    assertThat(cost(setup, () -> store.list(KeyFilter.all(), null, 50)))
        .as("page of 50")
        .isEqualTo(1);
    assertThat(cost(setup, () -> store.audit(AuditFilter.all(), 0, 50))).as("audit").isEqualTo(1);
    assertThat(cost(setup, () -> store.changesSince(ChangeCursor.after(0), 100)))
        .as("poll without gaps")
        .isEqualTo(1);
    assertThat(cost(setup, () -> store.changesSince(gaps, 100))).as("poll with gaps").isEqualTo(2);
    // autocommit off, the statements, commit, autocommit on
    assertThat(cost(setup, () -> store.recordUse(List.of(mark)))).as("recordUse").isEqualTo(4);
    assertThat(cost(setup, () -> store.read(IDS))).as("time and 100 ledgers").isEqualTo(2);
    assertThat(cost(setup, insertion(store))).as("100 new ledgers").isEqualTo(4);
    assertThat(cost(setup, replacement(store))).as("100 ledgers replaced").isEqualTo(4);
    assertThat(cost(setup, () -> store.purge(Keys.NOW, 10))).as("nothing to purge").isEqualTo(1);
    assertThat(cost(setup, () -> store.purge(Keys.NOW.plusMillis(1), 10)))
        .as("10 ledgers purged")
        .isEqualTo(5);
    assertThat(cost(setup, addition(store))).as("tallies added").isEqualTo(6);
    assertThat(cost(setup, () -> store.tallies(OF_HOURS, null, 100)))
        .as("page of tallies")
        .isEqualTo(1);
    KeyRecord[] current = {record};
    Runnable replace =
        () -> {
          current[0] = Keys.next(current[0]);
          assertThat(store.replace(Keys.write(current[0]))).isEqualTo(WriteOutcome.APPLIED);
        };
    assertThat(cost(setup, replace)).as("replace").isEqualTo(10);
    assertThat(cost(setup, () -> Keys.given(store, Keys.full("owner")))).as("insert").isEqualTo(8);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void with_autocommit_off_an_operation_also_costs_the_ends_of_two_transactions(Database database) {
    Setup setup = Setup.manualCommitInOtherZone(database);
    JdbcKeyStore store = setup.store();
    KeyRecord record = Keys.given(store, Keys.full("owner"));

    // the one that the pool may have begun, and ours
    assertThat(cost(setup, () -> store.load(record.id()))).as("load").isEqualTo(3);
    UseMark mark = new UseMark(record.id(), 1, Keys.NOW, Keys.NOW);
    assertThat(cost(setup, () -> store.recordUse(List.of(mark)))).as("recordUse").isEqualTo(3);
    assertThat(cost(setup, () -> store.read(IDS))).as("time and 100 ledgers").isEqualTo(6);
    assertThat(cost(setup, replacement(store))).as("100 ledgers replaced").isEqualTo(3);
    assertThat(cost(setup, addition(store))).as("tallies added").isEqualTo(5);
    assertThat(cost(setup, () -> store.tallies(OF_HOURS, null, 100)))
        .as("page of tallies")
        .isEqualTo(3);
    assertThat(cost(setup, () -> Keys.given(store, Keys.full("owner")))).as("insert").isEqualTo(7);
  }

  private static Runnable insertion(JdbcKeyStore store) {
    int[] calls = {0};
    return () -> {
      calls[0]++;
      assertThat(store.replace(ledgers(id -> new Ledger(id + "." + calls[0], 1, "text", Keys.NOW))))
          .hasSize(100);
    };
  }

  private static Runnable addition(JdbcKeyStore store) {
    int[] calls = {0};
    return () -> {
      calls[0]++;
      List<Tally> tallies = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        String metric = i % 2 == 0 ? "requests" : "max-requests";
        Subject subject = new Subject("0".repeat(22), "owner", null);
        tallies.add(new Tally(subject, Period.HOUR, Instant.EPOCH, metric, "label " + i, 1));
      }
      assertThat(store.add(new Batch("batch-" + calls[0], Keys.NOW, tallies))).isTrue();
    };
  }

  private static Runnable replacement(JdbcKeyStore store) {
    long[] revision = {0};
    return () -> {
      revision[0]++;
      assertThat(store.replace(ledgers(id -> new Ledger(id, revision[0], "text", Keys.NOW))))
          .hasSize(100);
    };
  }

  private static List<Ledger> ledgers(Function<String, Ledger> make) {
    return IDS.stream().map(make).toList();
  }

  private static long cost(Setup setup, Runnable operation) {
    operation.run();
    long before = setup.watched.roundTrips();
    operation.run();
    return setup.watched.roundTrips() - before;
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void numbers_begin_with_1(Database database) {
    JdbcKeyStore store = Setup.plain(database).store();
    Keys.given(store, Keys.of("owner").build());

    assertThat(store.audit(AuditFilter.all(), 0, 10).get(0).number()).isEqualTo(1);
    assertThat(store.changesSince(ChangeCursor.after(0), 10).list().get(0).number()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  @ResourceLock(Resources.TIME_ZONE)
  void times_are_the_same_in_whatever_zone_the_jvm_runs(Database database) {
    TimeZone zone = TimeZone.getDefault();
    Setup setup = Setup.prefixInOtherZone(database);
    JdbcKeyStore store = setup.store();
    Map<String, String> zones =
        Map.of(
            "UTC", "2026-11-21T00:00:00Z",
            "Australia/Lord_Howe", "2026-10-03T15:30:00Z", // half an hour of summer time begins
            "Pacific/Apia", "2011-12-30T09:59:59.999Z", // and a day is left out
            "Asia/Kathmandu", "1985-12-31T18:30:00Z",
            "America/New_York", "2026-11-01T06:00:00Z"); // an hour comes twice
    int checked = 0;
    try {
      for (String writer : zones.keySet()) {
        for (String time : zones.values()) {
          for (long shift : new long[] {-3_600_000, -1, 0, 1, 3_600_000}) {
            TimeZone.setDefault(TimeZone.getTimeZone(writer));
            KeyRecord record =
                Keys.of("owner")
                    .createdAt(Instant.parse(time).plusMillis(shift))
                    .endsAt(Instant.parse("9999-12-31T23:59:59.999Z"))
                    .build();
            Keys.given(store, record);
            TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
            assertThat(store.load(record.id())).contains(record);
            checked++;
          }
        }
      }
    } finally {
      TimeZone.setDefault(zone);
    }
    assertThat(checked).isEqualTo(125);
  }

  @ParameterizedTest
  @EnumSource(names = {"HSQLDB", "MARIADB"})
  void text_columns_ignore_trailing_blanks_and_ours_do_not(Database database) throws Exception {
    Setup setup = Setup.plain(database);
    JdbcKeyStore store = setup.store();
    Keys.given(store, Keys.of("a").name("a").build());

    try (var connection = setup.watched.dataSource().getConnection();
        var statement =
            connection.prepareStatement("SELECT COUNT(*) FROM keystile_key WHERE name = ?")) {
      statement.setString(1, "a ");
      try (var result = statement.executeQuery()) {
        result.next();
        assertThat(result.getInt(1)).as("a text column must be caught").isEqualTo(1);
      }
    }
    KeyFilter blank = KeyFilter.builder().owner("a ").build();
    assertThat(store.list(blank, null, 10)).isEmpty();
    assertThat(store.insert(List.of(Keys.write(Keys.of("a ").build())), 1))
        .isEqualTo(WriteOutcome.APPLIED);
  }
}
