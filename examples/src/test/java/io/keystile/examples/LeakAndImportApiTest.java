package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.keystile.examples.Service.Issued;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The service over HTTP: keys that were seen elsewhere, and keys that come from elsewhere. */
class LeakAndImportApiTest {
  @TempDir private static Path data;
  private static ForecastServer server;
  private static Service service;

  @BeforeAll
  static void start() throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    server = ForecastServer.start(new Settings(values::get));
    service = Service.of(server.welcome());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void of_a_leaked_text_the_keys_that_work_are_revoked() {
    Issued leaked = service.issue("client", "forecast:read");
    Issued old = service.issue("client", "forecast:read");
    Issued next = service.rotate(old.id(), "{\"graceHours\":0}");
    Issued safe = service.issue("client", "forecast:read");
    String wrong = safe.token().substring(0, 33) + leaked.token().substring(33);
    String text =
        "export KEY=\"%s\"\n%s\n%s\n".formatted(leaked.token(), old.token(), wrong)
            + "#".repeat(100_000);

    HttpResponse<String> answer =
        service.administer("POST", "/leaks?seen=https://paste.example/1", text);

    JsonNode report = Service.json(answer);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(Service.tokens(answer.body())).isEmpty();
    assertThat(report.get("complete").asBoolean()).isTrue();
    assertThat(report.get("findings").findValuesAsText("keyId")).startsWith(leaked.id(), old.id());
    assertThat(report.get("findings").findValuesAsText("outcome")).startsWith("REVOKED", "ENDED");
    assertThat(service.read(leaked.token())).isEqualTo(401);
    assertThat(service.read(next.token())).as("only its old secret is known").isEqualTo(200);
    assertThat(service.read(safe.token())).as("nothing was proven").isEqualTo(200);
    assertThat(service.administer("GET", "/keys/" + leaked.id() + "/history", "").body())
        .contains("https://paste.example/1", "LEAKED");
  }

  @Test
  void a_key_from_elsewhere_goes_on_and_moves_to_a_token_of_ours_by_a_rotation() throws Exception {
    String foreign = "wx-5f3a9c0b1d7e4f62a8c1b0e9d2f4a6c8";
    String row =
        "{\"sha256\":\"%s\",\"owner\":\"old-customer\",\"scopes\":[\"forecast:read\"]}"
            .formatted(sha256(foreign));
    assertThat(service.read(foreign)).isEqualTo(401);

    JsonNode first = importing("[" + row + ",{\"sha256\":\"abc\",\"owner\":\"o\"}]");
    JsonNode again = importing("[" + row + "]");

    assertThat(first.get("imported").asInt()).isEqualTo(1);
    assertThat(first.at("/refusals/0/index").asInt()).isEqualTo(1);
    assertThat(first.at("/refusals/0/reason").asText()).startsWith("sha256:");
    assertThat(again.get("present").asInt()).isEqualTo(1);
    assertThat(service.read(foreign)).isEqualTo(200);

    JsonNode key =
        Service.json(service.administer("GET", "/keys?owner=old-customer", "")).at("/keys/0");
    Issued next = service.rotate(key.get("id").asText(), "{}");

    assertThat(next.token()).startsWith("acme_live_");
    assertThat(service.read(next.token())).isEqualTo(200);
    assertThat(Http.get(server.service() + "/forecast/oslo", "X-API-Key", foreign).headers().map())
        .containsKey("api-key-rotate-by");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "[null]", "[{\"token\":\"x\"}]", "[{\"scopes\":[null]}]"})
  void refuses_an_import_that_makes_no_sense(String body) {
    assertThat(service.administer("POST", "/imports", body).statusCode()).isEqualTo(400);
  }

  private static JsonNode importing(String rows) {
    HttpResponse<String> answer = service.administer("POST", "/imports", rows);
    assertThat(answer.statusCode()).isEqualTo(200);
    return Service.json(answer);
  }

  private static String sha256(String text) throws Exception {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
  }
}
