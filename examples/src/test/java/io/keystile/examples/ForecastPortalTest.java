package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The portal as the service prints it: where it is, and who may sign in. */
class ForecastPortalTest {
  private static final Pattern PRINTED =
      Pattern.compile(
          "(?m)^Portal +(\\S+)/portal \\(demo sign-in, .*: alice (\\S+), bob (\\S+)\\)$");
  private static final Pattern TOKEN = Pattern.compile("name=\"token\" value=\"([^\"]+)\"");
  private static final Pattern OPERATION = Pattern.compile("name=\"operation\" value=\"([^\"]+)\"");
  private static final Pattern PASSWORD = Pattern.compile("<code id=\"password\">([^<]+)</code>");

  @TempDir private Path data;

  @Test
  void whoever_reads_what_is_printed_sees_his_keys_and_no_others() throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      String welcome = server.welcome();
      Matcher printed = PRINTED.matcher(welcome);
      assertThat(printed.find()).as(welcome).isTrue();
      String url = printed.group(1);

      String ofAlice = keysOf(url, "alice", printed.group(2));
      assertThat(ofAlice).contains("first key", "trial").doesNotContain("bootstrap");
      assertThat(ofAlice).doesNotContain(Service.tokens(welcome).get(0));
      assertThat(keysOf(url, "bob", printed.group(3))).contains("No keys yet");
      assertThat(server.welcome()).as("once").doesNotContain(printed.group(2));
    }
  }

  @Test
  void what_was_asked_is_on_the_page_of_the_key_soon() throws Exception {
    Map<String, String> values =
        Map.of(
            "forecast.port", "0",
            "forecast.admin.port", "0",
            "forecast.data", data.toString(),
            "forecast.use.interval", "PT1S",
            "forecast.trial.requests", "100");
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      String welcome = server.welcome();
      Matcher printed = PRINTED.matcher(welcome);
      assertThat(printed.find()).as(welcome).isTrue();
      String url = printed.group(1);
      String token = Service.tokens(welcome).get(0);
      int bytes = 0;
      for (String city : List.of("oslo", "oslo", "lima", "nowhere")) {
        bytes += Http.get(url + "/forecast/" + city, "X-API-Key", token).body().length();
      }
      for (int i = 0; i < 2; i++) {
        Http.send("PUT", url + "/forecast/oslo", "{}", "X-API-Key", token);
        Http.get(url + "/forecast/oslo", "X-API-Key", token.replaceFirst(".$", "x"));
        Http.get(url + "/forecast/oslo");
      }

      String cookie = signIn(url, "alice", printed.group(2));
      String address = url + "/portal/keys/" + token.split("_")[2].substring(0, 22);
      String page = Http.get(address, "Cookie", cookie).body();
      for (int i = 0;
          i < 10_000 && !(page.contains("<b>4</b>") && page.contains("missing 2"));
          i++) {
        page = Http.get(address, "Cookie", cookie).body();
      }

      assertThat(page)
          .contains("<code>/forecast/{city}</code> <b>4</b>")
          .contains("<dt>Requests let in</dt><dd>4</dd>")
          .contains("<dt>Refused</dt><dd>2 <small>scope missing 2</small></dd>")
          .contains("<dt>Bytes</dt><dd>" + bytes + " B</dd>", "127.0.0.0/24", ">404<")
          .doesNotContain("oslo", "lima", "nowhere");
    }
  }

  @Test
  void whoever_registers_gets_keys_that_work_and_only_so_many() throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      String first = Service.tokens(server.welcome()).get(0);
      String url = server.service();
      HttpResponse<String> form = Http.get(url + "/portal/register");
      HttpResponse<String> made = post(url, "/portal/register", form, "name=weather-app");
      assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
      Matcher password = PASSWORD.matcher(made.body());
      assertThat(password.find()).isTrue();
      String cookie = signIn(url, "weather-app", password.group(1));

      assertThat(Http.get(url + "/portal/keys", "Cookie", cookie).body()).contains("No keys yet");
      String address = url + "/portal/keys/" + first.split("_")[2].substring(0, 22);
      assertThat(Http.get(address, "Cookie", cookie).statusCode()).isEqualTo(404);
      String token = "";
      for (int i = 0; i < ForecastServer.KEYS_PER_OWNER; i++) {
        HttpResponse<String> key = createKey(url, cookie);
        assertThat(key.statusCode()).isEqualTo(200);
        token = Service.tokens(key.body()).get(0);
      }
      HttpResponse<String> oneMore = createKey(url, cookie);
      assertThat(oneMore.statusCode()).isEqualTo(409);
      assertThat(oneMore.body()).contains("Too many keys");
      assertThat(Http.get(url + "/forecast/oslo", "X-API-Key", token).statusCode()).isEqualTo(200);
    }
  }

  private static HttpResponse<String> createKey(String url, String cookie) {
    HttpResponse<String> page = Http.get(url + "/portal/keys/new", "Cookie", cookie);
    Matcher operation = OPERATION.matcher(page.body());
    assertThat(operation.find()).isTrue();
    String fields = "name=a&scope=forecast:read&plan=pro&operation=" + operation.group(1);
    return post(url, "/portal/keys", page, fields, cookie);
  }

  private static String keysOf(String url, String name, String password) {
    return Http.get(url + "/portal/keys", "Cookie", signIn(url, name, password)).body();
  }

  private static String signIn(String url, String name, String password) {
    HttpResponse<String> page = Http.get(url + "/portal/sign-in");
    String fields =
        "name=%s&password=%s".formatted(name, URLEncoder.encode(password, StandardCharsets.UTF_8));
    HttpResponse<String> signedIn = post(url, "/portal/sign-in", page, fields);
    assertThat(signedIn.statusCode()).isEqualTo(303);
    return cookie(signedIn);
  }

  /** Sends the form of a page that has set a cookie. */
  private static HttpResponse<String> post(
      String url, String path, HttpResponse<String> page, String fields) {
    return post(url, path, page, fields, cookie(page));
  }

  private static HttpResponse<String> post(
      String url, String path, HttpResponse<String> page, String fields, String cookie) {
    Matcher token = TOKEN.matcher(page.body());
    assertThat(token.find()).isTrue();
    return Http.send(
        "POST",
        url + path,
        "token=" + token.group(1) + "&" + fields,
        "Cookie",
        cookie,
        "Origin",
        url,
        "Content-Type",
        "application/x-www-form-urlencoded");
  }

  private static String cookie(HttpResponse<String> answer) {
    return answer.headers().firstValue("Set-Cookie").orElseThrow().split(";", 2)[0];
  }
}
