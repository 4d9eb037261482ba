package io.keystile.examples;

import io.keystile.Access;
import io.keystile.examples.Forecasts.Forecast;
import java.io.IOException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The public side: what clients with keys are let in for. */
final class ForecastApi {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Access WRITE = Access.requiring("forecast:write");

  private final Forecasts forecasts;

  ForecastApi(Forecasts forecasts) {
    this.forecasts = forecasts;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard)
        .on("GET", "/forecast/{city}", READ, this::show)
        .on("PUT", "/forecast/{city}", WRITE, this::save);
  }

  private Answer show(Routes.Call call) throws SQLException {
    return forecasts
        .find(call.parameter())
        .map(Answer::ok)
        .orElse(Answer.problem(404, "There is no forecast for this city."));
  }

  private record Weather(int celsius, @Nullable String sky) {}

  private Answer save(Routes.Call call) throws IOException, SQLException {
    Weather weather = Json.read(call.exchange(), Weather.class);
    String sky = weather.sky() == null ? "" : weather.sky();
    Forecast forecast = new Forecast(call.parameter(), weather.celsius(), sky);
    forecasts.save(forecast);
    return Answer.ok(forecast);
  }
}
