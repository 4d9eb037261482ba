package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.SimpleTimeZone;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What time a database tells. It runs on the machine of the test, whose clock is the measure. */
class ClockTest {
  private static final List<String> JVM_ZONES =
      List.of("UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati");
  private static final List<String> NAMED =
      List.of("SET TIME ZONE 'America/St_Johns'", "SET TIME ZONE 'Pacific/Kiritimati'");
  private static final List<String> OFFSETS =
      List.of("SET time_zone = '-11:59'", "SET time_zone = '+05:45'", "SET time_zone = '+13:00'");
  private static final List<String> INTERVALS =
      List.of(
          "SET TIME ZONE INTERVAL '-11:30' HOUR TO MINUTE",
          "SET TIME ZONE INTERVAL '+14:00' HOUR TO MINUTE");

  /** SQLite has no session zones. */
  private static final Map<Database, List<String>> SESSIONS =
      Map.of(
          Database.H2, NAMED,
          Database.HSQLDB, INTERVALS,
          Database.SQLITE, List.of("SELECT 1", "SELECT 2"),
          Database.POSTGRESQL, NAMED,
          Database.MARIADB, OFFSETS,
          Database.MYSQL_DRIVER, OFFSETS);

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE", "POSTGRESQL", "MARIADB", "MYSQL_DRIVER"})
  @ResourceLock(Resources.TIME_ZONE)
  void it_tells_the_time_of_its_machine_in_whatever_zone_it_is_asked(Database database)
      throws SQLException {
    TimeZone zone = TimeZone.getDefault();
    int checked = 0;
    try (HikariDataSource pool = database.fresh()) {
      for (String jvmZone : JVM_ZONES) {
        TimeZone.setDefault(TimeZone.getTimeZone(jvmZone));
        for (String session : SESSIONS.get(database)) {
          pool.getHikariPoolMXBean().softEvictConnections();
          try (Connection connection = pool.getConnection();
              Statement statement = connection.createStatement()) {
            statement.execute(session);
            for (int i = 0; i < 100; i++) {
              Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
              Instant now = now(connection);
              assertThat(now)
                  .as("in the zone %s, after %s", jvmZone, session)
                  .isBetween(before.minusMillis(1), Instant.now().plusMillis(1));
              checked++;
            }
          }
        }
      }
    } finally {
      TimeZone.setDefault(zone);
    }
    assertThat(checked).isGreaterThanOrEqualTo(800);
    System.out.printf("%s: %d times told, all right to the millisecond%n", database, checked);
  }

  /** Where a time of day stands for two times, one of them is wrong by an hour. */
  @ParameterizedTest
  @EnumSource(names = {"HSQLDB", "SQLITE"})
  @ResourceLock(Resources.TIME_ZONE)
  void it_tells_the_right_one_of_two_hours_that_look_alike(Database database) throws SQLException {
    TimeZone zone = TimeZone.getDefault();
    try (HikariDataSource pool = database.fresh()) {
      TimeZone.setDefault(summerTimeThatEnded(Instant.now().minusSeconds(600)));
      try (Connection connection = pool.getConnection()) {
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        assertThat(now(connection)).isBetween(before.minusMillis(1), Instant.now().plusMillis(1));
      }
    } finally {
      TimeZone.setDefault(zone);
    }
  }

  /** A zone in which it is about noon, and summer time ended then. */
  private static TimeZone summerTimeThatEnded(Instant end) {
    int hour = 3_600_000;
    int ofDay = (int) (end.toEpochMilli() % (24 * hour));
    LocalDate day = LocalDate.ofInstant(end, ZoneOffset.UTC);
    int month = day.getMonthValue() - 1;
    int summerNoon = 13 * hour;
    TimeZone zone =
        new SimpleTimeZone(
            12 * hour - ofDay,
            "Test/Twice",
            (month + 6) % 12,
            1,
            0,
            0,
            month,
            day.getDayOfMonth(),
            0,
            summerNoon);
    Instant now = end.plusSeconds(600);
    assertThat(zone.getOffset(end.minusMillis(1).toEpochMilli()))
        .isEqualTo(zone.getOffset(now.toEpochMilli()) + hour);
    return zone;
  }

  private static Instant now(Connection connection) throws SQLException {
    Dialect dialect = Dialect.of(connection.getMetaData());
    Session session = new Session(connection, dialect, false, 0);
    return session.query(
        dialect.now(),
        binder -> {},
        row -> {
          assertThat(row.next()).isTrue();
          return Row.present(row.time());
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE", "POSTGRESQL", "MARIADB", "MYSQL_DRIVER"})
  void it_moves_on_on_one_connection_in_steps_of_a_millisecond(Database database)
      throws SQLException {
    try (HikariDataSource pool = database.fresh();
        Connection connection = pool.getConnection()) {
      int steps = 0;
      long shortest = Long.MAX_VALUE;
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      Instant last = now(connection);
      // a busy machine may skip many; a clock of coarser steps skips always
      while ((steps < 100 || shortest > 1) && System.nanoTime() - deadline < 0) {
        Instant now = now(connection);
        assertThat(now).isAfterOrEqualTo(last);
        if (now.isAfter(last)) {
          shortest = Math.min(shortest, ChronoUnit.MILLIS.between(last, now));
          steps++;
        }
        last = now;
      }
      assertThat(steps).isGreaterThanOrEqualTo(100);
      assertThat(shortest).isEqualTo(1);
    }
  }
}
