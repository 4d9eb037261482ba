package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.keystile.examples.Service.Issued;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The running service, over HTTP. */
class ForecastServerTest {
  private static final int KEYS = 100;

  @TempDir private static Path data;
  private static ForecastServer server;
  private static String welcome;
  private static Service service;

  @BeforeAll
  static void start() throws Exception {
    server = ForecastServer.start(settings());
    welcome = server.welcome();
    service = Service.of(welcome);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Settings settings(String... arguments) {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    return new Settings(values::get, arguments);
  }

  @Test
  void lets_a_new_key_in_for_what_it_was_granted() {
    Issued reader = service.issue("reader", "forecast:read");
    Issued writer = service.issue("writer", "forecast:*");

    assertThat(service.read(reader.token())).isEqualTo(200);
    assertThat(service.write(reader.token())).isEqualTo(403);
    assertThat(service.read(writer.token())).isEqualTo(200);
    assertThat(service.write(writer.token())).isEqualTo(200);
  }

  @Test
  void serves_what_was_written() {
    Issued writer = service.issue("writer", "forecast:read", "forecast:write");
    String url = server.service() + "/forecast/reykjavik";

    HttpResponse<String> before = Http.get(url, "X-API-Key", writer.token());
    Http.send("PUT", url, "{\"celsius\":-2,\"sky\":\"sleet\"}", "X-API-Key", writer.token());
    HttpResponse<String> after = Http.get(url, "X-API-Key", writer.token());

    assertThat(before.statusCode()).isEqualTo(404);
    assertThat(after.body()).isEqualTo("{\"city\":\"reykjavik\",\"celsius\":-2,\"sky\":\"sleet\"}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Bearer ", "ApiKey ", "api-key ", "bEARER "})
  void takes_the_key_from_the_authorization_header(String scheme) {
    Issued reader = service.issue("reader", "forecast:read");

    assertThat(get("Authorization", scheme + reader.token()).statusCode()).isEqualTo(200);
  }

  @Test
  void refuses_a_request_without_a_key() {
    HttpResponse<String> answer = get();

    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(answer.headers().allValues("WWW-Authenticate"))
        .containsExactly("Bearer realm=\"forecast\"", "ApiKey realm=\"forecast\"");
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
  }

  @Test
  void answers_wrong_revoked_and_disabled_keys_alike() {
    Issued revoked = service.issue("client", "forecast:read");
    Issued disabled = service.issue("client", "forecast:read");
    service.administer("POST", "/keys/" + revoked.id() + "/revoke", "{}");
    service.administer("POST", "/keys/" + disabled.id() + "/disable", "");
    String mixed = disabled.token().substring(0, 33) + revoked.token().substring(33);

    List<HttpResponse<String>> answers =
        List.of(
            get("X-API-Key", "nonsense"),
            get("X-API-Key", mixed),
            get("X-API-Key", revoked.token()),
            get("X-API-Key", disabled.token()));

    assertThat(answers).extracting(HttpResponse::statusCode).containsOnly(401);
    assertThat(answers).extracting(HttpResponse::body).containsOnly(answers.get(0).body());
    assertThat(answers)
        .extracting(answer -> answer.headers().allValues("WWW-Authenticate"))
        .containsOnly(
            List.of(
                "Bearer realm=\"forecast\", error=\"invalid_token\"", "ApiKey realm=\"forecast\""));
  }

  @Test
  void tells_which_scope_is_missing() {
    Issued writer = service.issue("writer", "forecast:write");

    HttpResponse<String> answer = get("X-API-Key", writer.token());

    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.headers().allValues("WWW-Authenticate").get(0))
        .isEqualTo(
            "Bearer realm=\"forecast\", error=\"insufficient_scope\", scope=\"forecast:read\"");
  }

  @Test
  void refuses_two_keys_and_takes_one_that_is_sent_twice() {
    Issued one = service.issue("client", "forecast:read");
    Issued other = service.issue("client", "forecast:read");

    assertThat(
            get("X-API-Key", one.token(), "Authorization", "Bearer " + other.token()).statusCode())
        .isEqualTo(400);
    assertThat(get("X-API-Key", one.token(), "X-API-Key", other.token()).statusCode())
        .isEqualTo(400);
    assertThat(get("X-API-Key", one.token(), "Authorization", "Bearer " + one.token()).statusCode())
        .isEqualTo(200);
  }

  @Test
  void does_not_read_keys_from_the_query() {
    Issued reader = service.issue("reader", "forecast:read");
    String url = server.service() + "/forecast/oslo?api_key=" + reader.token();

    assertThat(Http.get(url).statusCode()).isEqualTo(401);
    assertThat(Http.get(url, "X-API-Key", reader.token()).statusCode()).isEqualTo(200);
  }

  @Test
  void refuses_a_good_key_that_a_proxy_received_in_clear() {
    Issued reader = service.issue("reader", "forecast:read");

    HttpResponse<String> answer =
        get("X-API-Key", reader.token(), "X-Forwarded-For", "203.0.113.9");

    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.body()).contains("insecure_transport");
  }

  @Test
  void refuses_every_revoked_key_at_once() {
    int refused = 0;
    for (int i = 0; i < KEYS; i++) {
      Issued key = service.issue("client-" + i, "forecast:read");
      assertThat(service.read(key.token())).isEqualTo(200);

      HttpResponse<String> revoked =
          service.administer("POST", "/keys/" + key.id() + "/revoke", "{\"reason\":\"LEAKED\"}");
      assertThat(revoked.statusCode()).isEqualTo(200);

      refused += service.read(key.token()) == 401 ? 1 : 0;
    }

    System.out.println(refused + " of " + KEYS + " revoked keys were refused at once");
    assertThat(refused).isEqualTo(KEYS);
  }

  @Test
  void a_disabled_key_works_again_when_enabled_and_a_revoked_one_never() {
    Issued key = service.issue("client", "forecast:read");

    service.administer("POST", "/keys/" + key.id() + "/disable", "");
    assertThat(service.read(key.token())).isEqualTo(401);
    service.administer("POST", "/keys/" + key.id() + "/enable", "");
    assertThat(service.read(key.token())).isEqualTo(200);

    service.administer("POST", "/keys/" + key.id() + "/revoke", "{}");
    assertThat(service.administer("POST", "/keys/" + key.id() + "/enable", "").statusCode())
        .isEqualTo(409);
    assertThat(service.read(key.token())).isEqualTo(401);
  }

  @Test
  void administration_needs_the_administration_key() {
    Issued client = service.issue("client", "forecast:*");
    String url = server.administration() + "/keys";
    int refused = 0;
    for (String[] request :
        new String[][] {
          {"POST", url, "{\"owner\":\"thief\",\"scopes\":[\"*\"]}"},
          {"GET", url, ""},
          {"GET", url + "/" + client.id(), ""},
          {"POST", url + "/" + client.id() + "/disable", ""},
          {"POST", url + "/" + client.id() + "/enable", ""},
          {"POST", url + "/" + client.id() + "/revoke", "{}"},
          {"POST", url + "/" + client.id() + "/rotate", "{}"},
          {"POST", url + "/" + client.id() + "/revoke-secret", "{\"secret\":1}"},
          {"GET", url + "/" + client.id() + "/history", ""},
          {"POST", server.administration() + "/leaks", client.token()},
          {"POST", server.administration() + "/imports", "[]"}
        }) {
      assertThat(Http.send(request[0], request[1], request[2]).statusCode()).isEqualTo(401);
      assertThat(
              Http.send(request[0], request[1], request[2], "X-API-Key", client.token())
                  .statusCode())
          .isEqualTo(403);
      refused++;
    }

    assertThat(refused).isEqualTo(11);
    assertThat(service.read(service.admin())).as("and that key is for nothing else").isEqualTo(403);
    assertThat(service.read(client.token())).isEqualTo(200);
  }

  @Test
  void from_the_network_administration_is_not_reached_and_keys_need_tls() throws IOException {
    Issued reader = service.issue("reader", "forecast:read");
    int addresses = 0;
    for (NetworkInterface device : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      for (InetAddress address : Collections.list(device.getInetAddresses())) {
        if (address instanceof Inet4Address && !address.isLoopbackAddress()) {
          String url = "http://" + address.getHostAddress() + ":" + port(server.service());
          HttpResponse<String> answer =
              Http.get(url + "/forecast/oslo", "X-API-Key", reader.token());
          assertThat(answer.statusCode()).isEqualTo(403);
          assertThat(answer.body()).contains("insecure_transport");

          InetSocketAddress administration =
              new InetSocketAddress(address, port(server.administration()));
          try (Socket socket = new Socket()) {
            assertThatThrownBy(() -> socket.connect(administration, 2000))
                .isInstanceOf(IOException.class);
          }
          addresses++;
        }
      }
    }
    System.out.println("tried from the network at " + addresses + " addresses");
  }

  private static int port(String url) {
    return URI.create(url).getPort();
  }

  @Test
  void no_answer_but_those_that_hand_one_out_has_a_token_in_it() {
    Issued key = service.issue("quiet", "forecast:read");
    String path = "/keys/" + key.id();
    service.read(key.token());

    List<HttpResponse<String>> answers =
        List.of(
            service.administer("GET", path, ""),
            service.administer("GET", "/keys?owner=quiet", ""),
            service.administer("GET", path + "/history", ""),
            service.administer("GET", path + "/history?after=" + key.token(), ""),
            service.administer("POST", path + "/rotate", "{\"reason\":\"" + key.token() + "\"}"),
            service.administer("POST", path + "/revoke-secret", "{\"secret\":2}"),
            service.rotateSelf(key.token(), "no scope"),
            service.administer("POST", "/imports", "[{\"sha256\":\"" + key.token() + "\"}]"),
            service.administer("POST", path + "/disable", ""),
            service.administer("POST", path + "/enable", ""),
            service.administer("POST", path + "/revoke", "{\"note\":\"" + key.token() + "}"),
            service.administer("POST", path + "/revoke", "{}"),
            service.administer("POST", "/keys/" + key.token() + "/revoke", "{}"),
            service.administer("GET", "/keys?after=" + key.token(), ""),
            get("X-API-Key", key.token()),
            get("X-API-Key", key.token(), "X-API-Key", service.admin()),
            service.administer("POST", "/leaks?seen=" + key.token(), key.token()),
            service.administer("GET", path + "/history", ""));

    System.out.println(answers.size() + " answers were searched for tokens");
    assertThat(answers)
        .allSatisfy(
            answer -> {
              assertThat(Service.tokens(answer.body())).isEmpty();
              assertThat(Service.tokens(answer.headers().toString())).isEmpty();
            });
    String issue = service.administer("POST", "/keys", "{\"owner\":\"loud\"}").body();
    assertThat(Service.tokens(issue)).as("the search finds tokens").hasSize(1);
  }

  @Test
  void lists_keys_redacted_and_by_owner_and_status() {
    Issued one = service.issue("listed", "forecast:read");
    Issued two = service.issue("listed", "forecast:read");
    service.administer("POST", "/keys/" + two.id() + "/disable", "");

    JsonNode all = Service.json(service.administer("GET", "/keys?owner=listed", "")).get("keys");
    JsonNode active =
        Service.json(service.administer("GET", "/keys?owner=listed&status=ACTIVE", ""));

    assertThat(all.findValuesAsText("id")).containsExactlyInAnyOrder(one.id(), two.id());
    assertThat(active.get("keys").findValuesAsText("id")).containsExactly(one.id());
    String end = one.token().substring(one.token().length() - 4);
    assertThat(active.at("/keys/0/redacted").asText())
        .isEqualTo("acme_live_" + one.id().substring(0, 8) + "…" + end);
    assertThat(active.at("/keys/0/status").asText()).isEqualTo("ACTIVE");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{",
        "{\"name\":\"nobody's\"}",
        "{\"owner\":\"o\",\"scopes\":[null]}",
        "{\"owner\":\"o\",\"scopes\":[\"a b\"]}",
        "{\"owner\":\"o\",\"networks\":[\"example.org\"]}",
        "{\"owner\":\"o\",\"lifetimeDays\":0}",
        "{\"owner\":\"o\",\"other\":1}"
      })
  void refuses_a_wish_that_makes_no_sense(String body) {
    assertThat(service.administer("POST", "/keys", body).statusCode()).isEqualTo(400);
  }

  @ParameterizedTest
  @ValueSource(strings = {"status=quux", "status=", "status=active", "after=quux"})
  void refuses_a_question_that_makes_no_sense_and_does_not_repeat_it(String query) {
    HttpResponse<String> answer = service.administer("GET", "/keys?" + query, "");

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).doesNotContain("quux", "io.keystile", "KeyDetails", "enum");
  }

  @Test
  void refuses_bodies_without_end() {
    String body = "{\"owner\":\"" + "o".repeat(20_000) + "\"}";

    assertThat(service.administer("POST", "/keys", body).statusCode()).isEqualTo(400);
  }

  @Test
  void says_what_is_not_there_or_not_allowed() {
    assertThat(Http.get(server.service() + "/").statusCode()).isEqualTo(404);
    assertThat(Http.get(server.service() + "/keys").statusCode()).isEqualTo(404);
    HttpResponse<String> answer = Http.send("DELETE", server.service() + "/forecast/oslo", "");
    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.headers().firstValue("Allow")).contains("GET, PUT");
    assertThat(service.administer("GET", "/keys/nobody", "").statusCode()).isEqualTo(404);
    assertThat(service.administer("POST", "/keys/nobody/disable", "").statusCode()).isEqualTo(404);
  }

  @Test
  void a_restart_keeps_keys_and_a_new_administration_key_replaces_the_old_one() throws Exception {
    Issued client = service.issue("client", "forecast:read");
    String old = service.admin();
    server.close();

    server = ForecastServer.start(settings());
    String second = server.welcome();
    assertThat(Service.tokens(second)).as("tokens are shown once").isEmpty();
    service = Service.of(second, old);
    assertThat(service.read(client.token())).isEqualTo(200);
    assertThat(service.administer("GET", "/keys", "").statusCode()).isEqualTo(200);
    server.close();

    server = ForecastServer.start(settings("--new-admin-key"));
    String third = server.welcome();
    assertThat(Service.tokens(third)).hasSize(1);
    service = Service.of(third, old);
    assertThat(service.administer("GET", "/keys", "").statusCode()).isEqualTo(401);
    service = Service.of(third, Service.tokens(third).get(0));
    assertThat(service.administer("GET", "/keys", "").statusCode()).isEqualTo(200);
    assertThat(service.read(client.token())).isEqualTo(200);
  }

  @Test
  void every_request_is_served_for_its_own_key() throws Exception {
    Issued reader = service.issue("reader", "forecast:read");
    Issued writer = service.issue("writer", "forecast:write");
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Callable<List<Integer>>> calls =
        Collections.nCopies(
            8,
            () -> {
              List<Integer> answers = new ArrayList<>();
              for (int i = 0; i < 50; i++) {
                answers.add(service.read(reader.token()));
                answers.add(service.read(writer.token()));
                answers.add(get().statusCode());
              }
              return answers;
            });
    List<Integer> all = new ArrayList<>();
    for (Future<List<Integer>> answers : threads.invokeAll(calls)) {
      all.addAll(answers.get());
    }
    threads.shutdown();

    System.out.println(all.size() + " requests on 8 threads");
    assertThat(all).hasSize(1200);
    for (int i = 0; i < all.size(); i++) {
      assertThat(all.get(i)).isEqualTo(List.of(200, 403, 401).get(i % 3));
    }
  }

  private static HttpResponse<String> get(String... headers) {
    return Http.get(server.service() + "/forecast/oslo", headers);
  }
}
