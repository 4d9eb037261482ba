package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.examples.Service.Issued;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service over HTTP: how much a client may use, and what it is told of it. */
class PlansTest {
  @TempDir private static Path data;
  private static ForecastServer server;
  private static Service service;

  @BeforeAll
  static void start() throws Exception {
    Map<String, String> values =
        Map.of(
            "forecast.port",
            "0",
            "forecast.admin.port",
            "0",
            "forecast.data",
            data.toString(),
            "forecast.trial.requests",
            "3");
    server = ForecastServer.start(new Settings(values::get));
    service = Service.of(server.welcome());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<String> get(Issued key) {
    return Http.get(server.service() + "/forecast/oslo", "X-API-Key", key.token());
  }

  private static String field(HttpResponse<String> answer, String name) {
    return String.join("|", answer.headers().allValues(name));
  }

  @Test
  void a_client_is_told_what_is_left_and_then_when_to_come_back() {
    Issued key = service.issueOn("trial", "client", "forecast:read");

    for (int left : List.of(2, 1, 0)) {
      HttpResponse<String> answer = get(key);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(field(answer, "RateLimit-Policy"))
          .isEqualTo("\"minute\";q=3;w=60, \"bytes-day\";q=100000;w=86400;qu=\"bytes\"");
      assertThat(field(answer, "RateLimit")).contains("\"minute\";r=" + left + ";t=");
      assertThat(answer.headers().firstValue("Retry-After")).isEmpty();
    }
    HttpResponse<String> refused = get(key);
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(Long.parseLong(field(refused, "Retry-After"))).isBetween(1L, 61L);
    assertThat(field(refused, "RateLimit")).startsWith("\"minute\";r=0;t=");
    assertThat(Service.json(refused).at("/violated-policies/0").asText()).isEqualTo("minute");
    assertThat(refused.body() + refused.headers().map())
        .doesNotContain(key.id(), "client", "trial");
    assertThat(get(service.issueOn("trial", "client", "forecast:read")).statusCode())
        .as("another key")
        .isEqualTo(200);
  }

  @Test
  void what_the_service_sends_is_charged() {
    Issued key = service.issueOn("trial", "client", "forecast:read");

    HttpResponse<String> first = get(key);
    HttpResponse<String> second = get(key);

    assertThat(field(first, "RateLimit")).contains("\"bytes-day\";r=100000;");
    long left = 100_000 - first.body().length();
    assertThat(field(second, "RateLimit")).contains("\"bytes-day\";r=" + left + ";");
  }

  @Test
  void a_refusal_of_another_kind_costs_nothing() {
    Issued key = service.issueOn("trial", "client", "forecast:read");
    for (int i = 0; i < 10; i++) {
      assertThat(service.write(key.token())).isEqualTo(403);
    }

    assertThat(field(get(key), "RateLimit")).contains("\"minute\";r=2;");
  }

  @Test
  void the_keys_of_an_owner_share_the_plan_of_a_team() {
    Issued one = service.issueOn("team", "sharing", "forecast:read");
    Issued other = service.issueOn("team", "sharing", "forecast:read");
    Issued apart = service.issueOn("team", "apart", "forecast:read");
    get(one);
    get(one);

    assertThat(field(get(other), "RateLimit")).contains("\"day\";r=999997;");
    assertThat(field(get(apart), "RateLimit")).contains("\"day\";r=999999;");
  }

  @Test
  void a_client_that_replaces_its_secret_pays_twice_and_keeps_its_count() {
    Issued key = service.issueOn("trial", "client", "forecast:read", "keys:rotate");

    HttpResponse<String> rotated = service.rotateSelf(key.token(), "call-1");
    assertThat(rotated.statusCode()).as(rotated.body()).isEqualTo(200);
    Issued next = new Issued(key.id(), Service.json(rotated).at("/token").asText());

    assertThat(field(get(next), "RateLimit")).contains("\"minute\";r=0;");
    assertThat(get(key).statusCode()).isEqualTo(429);
  }

  @Test
  void a_key_without_a_plan_has_the_default_limits_and_the_administration_none() {
    HttpResponse<String> issued =
        service.administer("POST", "/keys", "{\"owner\":\"o\",\"scopes\":[\"forecast:read\"]}");
    Issued key = new Issued("", Service.json(issued).at("/token").asText());

    assertThat(field(get(key), "RateLimit-Policy"))
        .isEqualTo(
            "\"second\";q=10;w=1, \"minute\";q=300;w=60, \"hour\";q=5000;w=3600,"
                + " \"day\";q=50000;w=86400");
    HttpResponse<String> answer = service.administer("GET", "/keys?owner=o", "");
    assertThat(field(answer, "RateLimit-Policy")).isEmpty();
    assertThat(Service.json(issued).at("/key/plan").isNull()).isTrue();
  }

  @Test
  void only_plans_that_there_are_can_be_chosen() {
    Issued key = service.issueOn("pro", "client", "forecast:read");
    HttpResponse<String> shown = service.administer("GET", "/keys/" + key.id(), "");
    HttpResponse<String> refused =
        service.administer("POST", "/keys", "{\"owner\":\"o\",\"plan\":\"quux\"}");

    assertThat(Service.json(shown).at("/plan").asText()).isEqualTo("pro");
    assertThat(field(get(key), "RateLimit-Policy")).contains("\"day\";q=100000;w=86400");
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains("trial, team").doesNotContain("quux");
  }
}
