package io.keystile.examples;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/** The forecasts, in a table beside those of the keys. */
final class Forecasts {
  private static final Pattern CITY = Pattern.compile("[a-z][a-z-]{0,59}");

  private final DataSource dataSource;

  Forecasts(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * The weather to come in a city.
   *
   * @param city small letters and hyphens
   * @param celsius -100 to 100
   * @param sky up to 100 characters
   */
  record Forecast(String city, int celsius, String sky) {
    Forecast {
      if (!CITY.matcher(city).matches()) {
        throw new IllegalArgumentException("city: must match " + CITY);
      }
      if (celsius < -100 || celsius > 100) {
        throw new IllegalArgumentException("celsius: must be -100 to 100");
      }
      if (sky.isBlank() || sky.length() > 100) {
        throw new IllegalArgumentException("sky: must have 1 to 100 characters");
      }
    }
  }

  void createTable() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table if not exists forecast (
            city varchar(60) not null primary key,
            celsius integer not null,
            sky varchar(100) not null)
          """);
    }
    for (Forecast forecast :
        new Forecast[] {
          new Forecast("oslo", 4, "snow"),
          new Forecast("nairobi", 24, "sunny"),
          new Forecast("lima", 19, "mist")
        }) {
      if (find(forecast.city()).isEmpty()) {
        save(forecast);
      }
    }
  }

  Optional<Forecast> find(String city) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement =
            connection.prepareStatement("select celsius, sky from forecast where city = ?")) {
      statement.setString(1, city);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(new Forecast(city, row.getInt(1), row.getString(2)))
            : Optional.empty();
      }
    }
  }

  void save(Forecast forecast) throws SQLException {
    if (update(forecast)) {
      return;
    }
    try {
      execute("insert into forecast (celsius, sky, city) values (?, ?, ?)", forecast);
    } catch (SQLException e) {
      // somebody else was faster; each database has its own way to say so
      if (!update(forecast)) {
        throw e;
      }
    }
  }

  private boolean update(Forecast forecast) throws SQLException {
    return execute("update forecast set celsius = ?, sky = ? where city = ?", forecast) == 1;
  }

  private int execute(String sql, Forecast forecast) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, forecast.celsius());
      statement.setString(2, forecast.sky());
      statement.setString(3, forecast.city());
      return statement.executeUpdate();
    }
  }
}
