package io.keystile.store.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The databases under test, all real: in process, or as servers that the tests start. */
enum Database {
  H2("SET TIME ZONE 'Pacific/Apia'"),
  H2_FILE("SET TIME ZONE 'Pacific/Apia'"),
  HSQLDB("SET TIME ZONE INTERVAL '13:00' HOUR TO MINUTE"),
  HSQLDB_FILE("SET TIME ZONE INTERVAL '13:00' HOUR TO MINUTE"),
  SQLITE(null),
  SQLITE_WAL(null),
  POSTGRESQL("SET TIME ZONE 'Pacific/Apia'"),
  MARIADB("SET time_zone = '+13:00'"),
  /** MySQL's driver on the MariaDB server. */
  MYSQL_DRIVER("SET time_zone = '+13:00'");

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final @Nullable String otherZone;

  Database(@Nullable String otherZone) {
    this.otherZone = otherZone;
  }

  /** The URL of a new, empty database. */
  String freshUrl() {
    String name = "k" + COUNT.incrementAndGet();
    switch (this) {
      case H2:
        return "jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1";
      case H2_FILE:
        return "jdbc:h2:file:" + folder().resolve(name);
      case HSQLDB:
        return "jdbc:hsqldb:mem:" + name + ";hsqldb.tx=mvcc";
      case HSQLDB_FILE:
        return "jdbc:hsqldb:file:" + folder().resolve(name) + ";hsqldb.tx=mvcc";
      case SQLITE:
        return "jdbc:sqlite:" + folder().resolve(name) + "?busy_timeout=10000&synchronous=OFF";
      case SQLITE_WAL:
        return "jdbc:sqlite:"
            + folder().resolve(name)
            + "?journal_mode=WAL&synchronous=NORMAL&busy_timeout=10000";
      case POSTGRESQL:
        return Servers.postgresUrl(name);
      case MARIADB:
        return Servers.mariaDbUrl("mariadb", name);
      default:
        return Servers.mariaDbUrl("mysql", name);
    }
  }

  /** The URL of a new, empty database that keeps what it has committed, whatever is killed. */
  String freshDurableUrl() {
    return switch (this) {
      case H2_FILE -> freshUrl() + ";WRITE_DELAY=0";
      case SQLITE, SQLITE_WAL -> freshUrl().replaceFirst("synchronous=[A-Z]+", "synchronous=FULL");
      case POSTGRESQL -> Servers.durablePostgresUrl("k" + COUNT.incrementAndGet());
      case MARIADB -> freshUrl();
      default -> throw new IllegalStateException(this + " is not kept");
    };
  }

  /** Whether a writer keeps all others waiting. */
  boolean oneWriterAtATime() {
    return this == SQLITE || this == SQLITE_WAL;
  }

  /** A pool of connections to a new, empty database. */
  HikariDataSource fresh() {
    return pool(freshUrl(), true, false);
  }

  /**
   * @param otherZone whether sessions run in a time zone that is not the JVM's
   */
  HikariDataSource pool(String url, boolean autoCommit, boolean otherZone) {
    return pool(url, autoCommit, otherZone, null);
  }

  /**
   * @param isolation the level of all connections, or null for the default
   */
  HikariDataSource pool(
      String url, boolean autoCommit, boolean otherZone, @Nullable String isolation) {
    HikariConfig config = new HikariConfig();
    config.setTransactionIsolation(isolation);
    config.setJdbcUrl(url);
    config.setAutoCommit(autoCommit);
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(20_000);
    if (otherZone) {
      config.setConnectionInitSql(this.otherZone);
    }
    return new HikariDataSource(config);
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory(Path.of("target"), "db").toAbsolutePath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
