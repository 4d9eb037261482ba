package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.keystile.examples.Service.Issued;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service over HTTP: what the administration is told of the use of keys. */
class UsageApiTest {
  @TempDir private static Path data;
  private static ForecastServer server;
  private static Service service;

  @BeforeAll
  static void start() throws Exception {
    Map<String, String> values =
        Map.of(
            "forecast.port", "0",
            "forecast.admin.port", "0",
            "forecast.data", data.toString(),
            "forecast.use.interval", "PT1S");
    server = ForecastServer.start(new Settings(values::get));
    service = Service.of(server.welcome());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void the_usage_of_an_owner_is_a_file() {
    Issued key = service.issue("station", "forecast:read");
    Issued other = service.issue("another", "forecast:read");
    for (int i = 0; i < 3; i++) {
      assertThat(service.read(key.token())).isEqualTo(200);
      assertThat(service.read(other.token())).isEqualTo(200);
    }

    String csv = usage("owner=station").body();
    for (int i = 0; i < 10_000 && !csv.contains(",/forecast/{city},3\r\n"); i++) {
      csv = usage("owner=station").body();
    }

    assertThat(csv)
        .startsWith("key_id,owner,plan,period,start,metric,label,amount\r\n")
        .contains(",endpoints,/forecast/{city},3\r\n")
        .doesNotContain("another", other.id(), "oslo");
    assertThat(csv.lines().skip(1)).allMatch(line -> line.startsWith(key.id() + ",station,"));
    assertThat(usage("owner=station").headers().firstValue("Content-Type"))
        .contains("text/csv; charset=utf-8");
    YearMonth before = YearMonth.now(ZoneOffset.UTC).minusMonths(2);
    assertThat(usage("owner=station&month=" + before).body().lines()).hasSize(1);
  }

  private static HttpResponse<String> usage(String query) {
    return service.administer("GET", "/usage?" + query, "");
  }

  @Test
  void what_cannot_be_read_is_answered_without_repeating_it() {
    for (String query :
        List.of("", "owner=a&month=nosuchmonth", "owner=a&month=1969-12", "owner=a&month=")) {
      HttpResponse<String> answer = usage(query);
      assertThat(answer.statusCode()).as(query).isEqualTo(400);
      assertThat(answer.body()).doesNotContain("nosuchmonth");
    }
  }

  @Test
  void the_risk_of_a_key_is_told() {
    Issued key = service.issue("judged", "forecast:read");

    JsonNode risk = Service.json(service.administer("GET", "/keys/" + key.id() + "/risk", ""));

    assertThat(risk.get("level").asText()).isEqualTo("UNKNOWN");
    assertThat(risk.get("reason").asText()).contains("too little history");
    assertThat(risk.get("anomalies")).isEmpty();
    assertThat(service.administer("GET", "/keys/" + "A".repeat(22) + "/risk", "").statusCode())
        .isEqualTo(404);
    assertThat(
            Http.get(
                    service.administration() + "/keys/" + key.id() + "/risk",
                    "X-API-Key",
                    key.token())
                .statusCode())
        .isEqualTo(403);
  }
}
