package io.keystile.store.jdbc;

import io.keystile.usage.UsageRecorder;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;

/**
 * A process that counts requests without end, writes them every so many, and says after each write
 * how many it has counted. Its parent kills it.
 */
final class CountingChild {
  static final String KEY = "0351fcs8Bym6tbejfDMyAJ";
  static final Instant HOUR = Instant.parse("2026-03-02T12:00:00Z");

  /** How many requests are counted between two writes. */
  static final int INTERVAL = 100;

  private CountingChild() {}

  /**
   * @param args the URL, and whether it says that it has written before it has
   */
  public static void main(String[] args) throws SQLException {
    boolean boasts = Boolean.parseBoolean(args[1]);
    // while it is open, H2 does not close the file between two others
    try (Connection open = DriverManager.getConnection(args[0])) {
      count(
          JdbcKeyStore.create(
              new WatchedDataSource(() -> DriverManager.getConnection(args[0])).dataSource()),
          boasts);
    }
  }

  private static void count(JdbcKeyStore store, boolean boasts) {
    UsageRecorder recorder = new UsageRecorder(store, InstantSource.fixed(HOUR), 10);
    UsageRecorder.OfKey key = recorder.of(KEY, "owner", null);
    long counted = 0;
    while (true) {
      for (int i = 0; i < INTERVAL; i++) {
        key.accepted(HOUR.toEpochMilli(), 1, 0, null);
        counted++;
      }
      if (boasts) {
        System.out.println(KilledChild.SAYS + counted);
      }
      if (recorder.flush() && !boasts) {
        System.out.println(KilledChild.SAYS + counted);
      }
    }
  }
}
