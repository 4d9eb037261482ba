package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.keystile.examples.Service.Issued;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The service over HTTP: secrets that are replaced, by the administration and by clients. */
class RotationApiTest {
  private static final String ROTATE_BY = "API-Key-Rotate-By";

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
  void an_old_token_works_for_the_grace_and_is_told_until_when() {
    Issued old = service.issue("client", "forecast:read");
    assertThat(get(old.token()).headers().firstValue(ROTATE_BY)).isEmpty();

    Issued next = service.rotate(old.id(), "{\"graceHours\":2,\"note\":\"every March\"}");

    HttpResponse<String> answer = get(old.token());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(time(answer))
        .isBetween(Instant.now().plus(Duration.ofMinutes(118)), Instant.now().plusSeconds(7200));
    assertThat(get(next.token()).statusCode()).isEqualTo(200);
    assertThat(get(next.token()).headers().firstValue(ROTATE_BY)).isEmpty();
  }

  private static Instant time(HttpResponse<String> answer) {
    String date = answer.headers().firstValue(ROTATE_BY).orElseThrow();
    return ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
  }

  @Test
  void a_rotation_that_is_forced_leaves_no_grace_unless_it_says_so() {
    Issued old = service.issue("client", "forecast:read");
    Issued next = service.rotate(old.id(), "{\"reason\":\"SUSPICIOUS_ACTIVITY\"}");
    assertThat(service.read(old.token())).isEqualTo(401);
    assertThat(service.read(next.token())).isEqualTo(200);

    service.rotate(old.id(), "{\"reason\":\"LEAKED\",\"graceHours\":1}");
    assertThat(service.read(next.token())).isEqualTo(200);
  }

  @Test
  void a_client_replaces_its_own_secret_once() {
    Issued old = service.issue("client", "forecast:read", "keys:rotate");

    HttpResponse<String> first = service.rotateSelf(old.token(), "call-1");
    HttpResponse<String> repeated = service.rotateSelf(old.token(), "call-1");
    HttpResponse<String> another = service.rotateSelf(old.token(), "call-2");

    assertThat(first.statusCode()).isEqualTo(200);
    assertThat(first.headers().firstValue("Cache-Control")).contains("no-store");
    String token = Service.json(first).at("/token").asText();
    assertThat(service.read(token)).isEqualTo(200);
    assertThat(service.read(old.token())).as("for 24 hours").isEqualTo(200);
    assertThat(repeated.statusCode()).isEqualTo(409);
    assertThat(Service.tokens(repeated.body())).isEmpty();
    assertThat(another.statusCode()).isEqualTo(403);
    assertThat(another.body()).contains("\"error\":\"superseded\"");
    assertThat(service.rotateSelf(token, "call-1").statusCode())
        .as("the same call, whatever secret proves it")
        .isEqualTo(409);
    assertThat(service.rotateSelf(token, "call-3").statusCode()).isEqualTo(200);
  }

  @Test
  void a_client_needs_the_scope_to_replace_its_secret_and_one_good_key() {
    Issued reader = service.issue("client", "forecast:read");
    String url = server.service() + "/key/rotate";

    HttpResponse<String> refused = service.rotateSelf(reader.token(), "call-1");

    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.headers().firstValue("WWW-Authenticate").orElseThrow())
        .contains("scope=\"keys:rotate\"");
    assertThat(Http.send("POST", url, "").statusCode()).isEqualTo(401);
    assertThat(Http.send("POST", url, "", "X-API-Key", "nonsense").statusCode()).isEqualTo(401);
    assertThat(
            Http.send("POST", url, "", "X-API-Key", reader.token(), "X-API-Key", "other")
                .statusCode())
        .isEqualTo(400);
    assertThat(Http.send("GET", url, "", "X-API-Key", reader.token()).statusCode()).isEqualTo(405);
    assertThat(service.rotateSelf(reader.token(), "x".repeat(256)).statusCode()).isEqualTo(403);
  }

  @Test
  void an_operation_id_that_cannot_be_kept_is_refused() {
    Issued key = service.issue("client", "keys:rotate");
    String ofTheLibrary = "auto:retired:" + key.id() + ":1";

    assertThat(service.rotateSelf(key.token(), "x".repeat(256)).statusCode()).isEqualTo(400);
    HttpResponse<String> refused = service.rotateSelf(key.token(), ofTheLibrary);
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains("operationId: must not begin with auto:");
    String path = "/keys/" + key.id() + "/rotate";
    assertThat(service.administer("POST", path, "{}", "Idempotency-Key", ofTheLibrary).statusCode())
        .isEqualTo(400);
    assertThat(service.rotateSelf(key.token(), "x".repeat(255)).statusCode()).isEqualTo(200);
  }

  @Test
  void a_rotation_is_repeated_safely_but_never_shows_its_token_again() {
    Issued key = service.issue("client", "forecast:read");
    String path = "/keys/" + key.id() + "/rotate";

    HttpResponse<String> first =
        service.administer("POST", path, "{}", "Idempotency-Key", "ticket-7");
    HttpResponse<String> repeated =
        service.administer("POST", path, "{}", "Idempotency-Key", "ticket-7");

    assertThat(first.statusCode()).isEqualTo(200);
    assertThat(repeated.statusCode()).isEqualTo(409);
    assertThat(repeated.body()).contains("secret 2").doesNotContain("acme_live_");
    assertThat(history(key).at("/secrets")).hasSize(2);
  }

  @Test
  void one_secret_is_revoked_alone() {
    Issued old = service.issue("client", "forecast:read");
    Issued next = service.rotate(old.id(), "{}");
    String path = "/keys/" + old.id() + "/revoke-secret";

    HttpResponse<String> revoked =
        service.administer("POST", path, "{\"secret\":1,\"reason\":\"LEAKED\"}");

    assertThat(revoked.statusCode()).isEqualTo(200);
    assertThat(service.read(old.token())).isEqualTo(401);
    assertThat(service.read(next.token())).isEqualTo(200);
    assertThat(service.administer("POST", path, "{\"secret\":7}").statusCode()).isEqualTo(409);
    assertThat(service.administer("POST", path, "{}").statusCode()).isEqualTo(400);
  }

  @Test
  void the_history_says_who_did_what_and_which_secrets_there_are() {
    Issued key = service.issue("client", "forecast:read", "keys:rotate");
    service.rotate(key.id(), "{\"note\":\"every March\"}");
    service.rotate(key.id(), "{\"reason\":\"SUSPICIOUS_ACTIVITY\",\"note\":\"odd addresses\"}");

    JsonNode history = history(key);

    assertThat(history.at("/secrets").findValuesAsText("number")).containsExactly("1", "2", "3");
    assertThat(history.at("/secrets/1/note").asText()).isEqualTo("every March");
    assertThat(history.at("/secrets/1/retiresAt").asText()).isNotEmpty();
    assertThat(history.at("/secrets/2/retiresAt").isNull()).isTrue();
    assertThat(history.at("/audit").findValuesAsText("action"))
        .containsExactly("issue", "rotate", "rotate");
    assertThat(history.at("/audit/2/reason").asText()).isEqualTo("SUSPICIOUS_ACTIVITY");
    assertThat(history.at("/audit/2/secret").asInt()).isEqualTo(3);
    assertThat(history.at("/audit/2/by").asText()).isEqualTo(service.admin().substring(10, 32));
    String second = service.administer("GET", "/keys/" + key.id() + "/history?after=1", "").body();
    assertThat(second).contains("every March");
  }

  private static JsonNode history(Issued key) {
    return Service.json(service.administer("GET", "/keys/" + key.id() + "/history", ""));
  }

  @Test
  void lists_the_keys_that_are_rotating() {
    Issued still = service.issue("rotating", "forecast:read");
    Issued other = service.issue("rotating", "forecast:read");
    service.rotate(still.id(), "{}");
    service.rotate(other.id(), "{\"graceHours\":0}");

    JsonNode rotating =
        Service.json(service.administer("GET", "/keys?owner=rotating&status=ROTATING", ""));
    JsonNode due = Service.json(service.administer("GET", "/keys?owner=rotating&due", ""));

    assertThat(rotating.get("keys").findValuesAsText("id")).containsExactly(still.id());
    assertThat(due.get("keys")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{\"graceHours\":-1}",
        "{\"graceHours\":\"long\"}",
        "{\"reason\":\"MOOD\"}",
        "{\"note\":\"\"}"
      })
  void refuses_a_wish_that_makes_no_sense(String body) {
    Issued key = service.issue("client", "forecast:read");

    assertThat(service.administer("POST", "/keys/" + key.id() + "/rotate", body).statusCode())
        .isEqualTo(400);
    assertThat(service.read(key.token())).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"quux", "-1", "1.5", "99999999999999999999"})
  void refuses_a_place_in_the_history_that_makes_no_sense(String after) {
    Issued key = service.issue("client");

    HttpResponse<String> answer =
        service.administer("GET", "/keys/" + key.id() + "/history?after=" + after, "");

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).doesNotContain(after);
  }

  @Test
  void says_what_is_not_there() {
    for (List<String> request :
        List.of(
            List.of("POST", "rotate", "{}"),
            List.of("POST", "revoke-secret", "{\"secret\":1}"),
            List.of("GET", "history", ""))) {
      assertThat(
              service
                  .administer(request.get(0), "/keys/nobody/" + request.get(1), request.get(2))
                  .statusCode())
          .isEqualTo(404);
    }
  }

  private static HttpResponse<String> get(String token) {
    return Http.get(server.service() + "/forecast/oslo", "X-API-Key", token);
  }
}
