package io.keystile.examples;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keystile.TokenFormat;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A running service, in this process or in another one, as those who call it see it. */
final class Service {
  private static final Pattern TOKEN =
      Pattern.compile(TokenFormat.scannerRegex(Set.of("acme"), Set.of("live")));
  private static final Pattern URL = Pattern.compile("http://localhost:[0-9]+");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String forecasts;
  private final String administration;
  private final String admin;

  private Service(String welcome, String admin) {
    List<String> urls = URL.matcher(welcome).results().map(MatchResult::group).toList();
    this.forecasts = urls.get(0);
    this.administration = urls.get(1);
    this.admin = admin;
  }

  /** From what the service prints at its first start, with the token of the first client. */
  static Service of(String welcome) {
    return new Service(welcome, tokens(welcome).get(1));
  }

  /** From what a later start prints. */
  static Service of(String welcome, String admin) {
    return new Service(welcome, admin);
  }

  String forecasts() {
    return forecasts;
  }

  String administration() {
    return administration;
  }

  String admin() {
    return admin;
  }

  static List<String> tokens(String text) {
    return TOKEN.matcher(text).results().map(MatchResult::group).toList();
  }

  /** A key that was just issued. */
  record Issued(String id, String token) {}

  /** Issues a key without limits, for what is not about them. */
  Issued issue(String owner, String... scopes) {
    return issueOn("unlimited", owner, scopes);
  }

  Issued issueOn(String plan, String owner, String... scopes) {
    String body =
        MAPPER
            .createObjectNode()
            .put("owner", owner)
            .put("plan", plan)
            .set("scopes", MAPPER.valueToTree(scopes))
            .toString();
    HttpResponse<String> answer = administer("POST", "/keys", body);
    if (answer.statusCode() != 201) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    JsonNode json = json(answer);
    return new Issued(json.at("/key/id").asText(), json.at("/token").asText());
  }

  /** Rotates as the body says, and returns the key with its new token. */
  Issued rotate(String id, String body) {
    HttpResponse<String> answer = administer("POST", "/keys/" + id + "/rotate", body);
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    return new Issued(id, json(answer).at("/token").asText());
  }

  /** Asks for a new token with one that the client has. */
  HttpResponse<String> rotateSelf(String token, String operationId) {
    return Http.send(
        "POST", forecasts + "/key/rotate", "", "X-API-Key", token, "Idempotency-Key", operationId);
  }

  /** Names and values of more headers in turn. */
  HttpResponse<String> administer(String method, String path, String body, String... headers) {
    List<String> all = new ArrayList<>(List.of("X-API-Key", admin));
    all.addAll(List.of(headers));
    return Http.send(method, administration + path, body, all.toArray(String[]::new));
  }

  /** The status of a read with this token. */
  int read(String token) {
    return Http.get(forecasts + "/forecast/oslo", "X-API-Key", token).statusCode();
  }

  int write(String token) {
    return Http.send(
            "PUT",
            forecasts + "/forecast/oslo",
            "{\"celsius\":7,\"sky\":\"rain\"}",
            "X-API-Key",
            token)
        .statusCode();
  }

  static JsonNode json(HttpResponse<String> answer) {
    try {
      return MAPPER.readTree(answer.body());
    } catch (JsonProcessingException e) {
      throw new AssertionError(answer.body(), e);
    }
  }
}
