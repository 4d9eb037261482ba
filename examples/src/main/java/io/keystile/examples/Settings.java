package io.keystile.examples;

import com.zaxxer.hikari.HikariConfig;
import io.keystile.RotationPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How the service is to run. No record, because one would print the password of the database.
 *
 * <table>
 *   <caption>Settings, as system properties or as environment variables</caption>
 *   <tr><th>Property<th>Variable<th>Default
 *   <tr><td>forecast.port<td>FORECAST_PORT<td>8080; 0 takes a free one
 *   <tr><td>forecast.admin.port<td>FORECAST_ADMIN_PORT<td>8081; 0 takes a free one
 *   <tr><td>forecast.data<td>FORECAST_DATA<td>data, below the current directory
 *   <tr><td>forecast.rotation.age<td>FORECAST_ROTATION_AGE<td>none; PT1M makes keys due for rotation
 *       when their secret is a minute old
 *   <tr><td>forecast.trial.requests<td>FORECAST_TRIAL_REQUESTS<td>10 requests a minute on the plan
 *       {@code trial}
 *   <tr><td>forecast.use.interval<td>FORECAST_USE_INTERVAL<td>PT2S: how late usage may be; 1 second to
 *       1 hour
 *   <tr><td>forecast.portal.origin<td>FORECAST_PORTAL_ORIGIN<td>none; https://keys.example.com, where
 *       a proxy with TLS is in front of the portal
 *   <tr><td>forecast.jdbc.url<td>FORECAST_JDBC_URL<td>an H2 file in that directory
 *   <tr><td>forecast.jdbc.user<td>FORECAST_JDBC_USER<td>none
 *   <tr><td>forecast.jdbc.password<td>FORECAST_JDBC_PASSWORD<td>none
 * </table>
 */
final class Settings {
  private static final String NEW_ADMIN_KEY = "--new-admin-key";

  private final UnaryOperator<@Nullable String> lookup;
  private final boolean newAdminKey;

  /**
   * @param lookup the value of a property, or null if it is not set
   * @param arguments what was said on the command line
   */
  Settings(UnaryOperator<@Nullable String> lookup, String... arguments) {
    if (!List.of(NEW_ADMIN_KEY).containsAll(List.of(arguments))) {
      throw new IllegalArgumentException("the only argument is " + NEW_ADMIN_KEY);
    }
    this.lookup = lookup;
    this.newAdminKey = arguments.length > 0;
  }

  /** Reads system properties, and where one is missing, environment variables. */
  static Settings ofThisProcess(String... arguments) {
    return new Settings(Settings::propertyOrVariable, arguments);
  }

  private static @Nullable String propertyOrVariable(@Nullable String name) {
    String property = System.getProperty(Objects.requireNonNull(name));
    return property != null
        ? property
        : System.getenv(name.toUpperCase(Locale.ROOT).replace('.', '_'));
  }

  int port() {
    return number("forecast.port", 8080);
  }

  int adminPort() {
    return number("forecast.admin.port", 8081);
  }

  Path data() {
    String data = lookup.apply("forecast.data");
    return Path.of(data == null ? "data" : data).toAbsolutePath().normalize();
  }

  /** When keys are due. */
  RotationPolicy rotation() {
    String age = lookup.apply("forecast.rotation.age");
    return age == null ? RotationPolicy.usual() : RotationPolicy.usual().age(Duration.parse(age));
  }

  /** Where browsers find the portal; null where they reach it in clear. */
  @Nullable String portalOrigin() {
    return lookup.apply("forecast.portal.origin");
  }

  /** How many requests a minute the smallest plan allows. */
  int trialRequests() {
    return number("forecast.trial.requests", 10);
  }

  /**
   * How often usage is written: people who try it out want to see it, busy services wait longer.
   */
  Duration useInterval() {
    String interval = lookup.apply("forecast.use.interval");
    return interval == null ? Duration.ofSeconds(2) : Duration.parse(interval);
  }

  /** Whether a new administration key is to be made in place of the old ones. */
  boolean newAdminKey() {
    return newAdminKey;
  }

  HikariConfig pool() {
    HikariConfig config = new HikariConfig();
    String url = lookup.apply("forecast.jdbc.url");
    if (url != null) {
      config.setJdbcUrl(url);
      config.setUsername(lookup.apply("forecast.jdbc.user"));
      config.setPassword(lookup.apply("forecast.jdbc.password"));
    } else {
      // without WRITE_DELAY=0, H2 loses what was committed in the last half second before a kill;
      // without a long RETENTION_TIME, it may lose the last commit once it uses space again, which
      // it does after 45 s; without TRACE_LEVEL_FILE=0, it writes statements that fail to a file
      config.setJdbcUrl(
          "jdbc:h2:file:"
              + data().resolve("keystile")
              + ";WRITE_DELAY=0;RETENTION_TIME=2000000000;TRACE_LEVEL_FILE=0");
      config.setUsername("sa");
    }
    return config;
  }

  private int number(String name, int otherwise) {
    String value = lookup.apply(name);
    return value == null ? otherwise : Integer.parseInt(value);
  }
}
