package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.examples.Service.Issued;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The service on a database server that it is told of. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class PostgresTest {
  @TempDir private Path data;

  @Test
  void keys_are_kept_in_the_database_of_the_url() throws Exception {
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start()) {
      Map<String, String> values =
          Map.of(
              "forecast.port",
              "0",
              "forecast.admin.port",
              "0",
              "forecast.data",
              data.toString(),
              "forecast.jdbc.url",
              postgres.getJdbcUrl("postgres", "postgres"));
      Issued good;
      Issued revoked;
      try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
        Service service = Service.of(server.welcome());
        good = service.issue("client", "forecast:*");
        revoked = service.issue("client", "forecast:read");
        assertThat(service.write(good.token())).isEqualTo(200);
        assertThat(service.read(revoked.token())).isEqualTo(200);
        service.administer("POST", "/keys/" + revoked.id() + "/revoke", "{}");
        assertThat(service.read(revoked.token())).isEqualTo(401);
      }
      try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
        Service service = Service.of(server.welcome(), "");
        assertThat(service.read(good.token())).isEqualTo(200);
        assertThat(service.read(revoked.token())).isEqualTo(401);
      }
      assertThat(data.resolve("keystile.mv.db")).doesNotExist();
    }
  }
}
