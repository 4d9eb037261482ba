package io.keystile.examples.portal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A headless browser, driven through ChromeDriver by the few calls of the WebDriver protocol that
 * the portal's test needs: a library for it would bring twenty jars.
 */
final class Chromium implements AutoCloseable {
  private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
  private static final Pattern PORT = Pattern.compile("started successfully on port ([0-9]+)");
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();

  private final Process driver;
  private final String session;

  Chromium(Path profile) throws IOException {
    driver = start(System.getProperty("keystile.chromedriver", "chromedriver"));
    String url = "http://localhost:" + port(driver) + "/session";
    List<String> arguments =
        List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--user-data-dir=" + profile);
    JsonNode started =
        send(
            "POST",
            url,
            Map.of(
                "capabilities",
                Map.of(
                    "alwaysMatch",
                    Map.of(
                        "browserName",
                        "chrome",
                        "goog:chromeOptions",
                        Map.of("args", arguments),
                        "goog:loggingPrefs",
                        Map.of("browser", "ALL")))));
    session = url + "/" + started.get("sessionId").asText();
  }

  private static Process start(String program) throws IOException {
    try {
      return new ProcessBuilder(program, "--port=0").redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new IOException(
          "There is no " + program + ": CONTRIBUTING.md says what -Pbrowser needs", e);
    }
  }

  private static int port(Process driver) throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(driver.getInputStream(), StandardCharsets.UTF_8));
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      Matcher port = PORT.matcher(line);
      if (port.find()) {
        return Integer.parseInt(port.group(1));
      }
    }
    throw new IOException("chromedriver did not start");
  }

  void open(String url) {
    send("POST", session + "/url", Map.of("url", url));
  }

  String url() {
    return send("GET", session + "/url", null).asText();
  }

  /**
   * The address once it is this one, or after ten seconds: a click returns before its page is
   * there.
   */
  String urlSoon(String expected) throws InterruptedException {
    String url = url();
    for (int i = 0; i < 100 && !url.equals(expected); i++) {
      Thread.sleep(100);
      url = url();
    }
    return url;
  }

  String source() {
    return send("GET", session + "/source", null).asText();
  }

  void type(String css, String text) {
    String element = session + "/element/" + find(css);
    send("POST", element + "/clear", Map.of());
    send("POST", element + "/value", Map.of("text", text));
  }

  void click(String css) {
    send("POST", session + "/element/" + find(css) + "/click", Map.of());
  }

  /** What people read there. */
  String text(String css) {
    return send("GET", session + "/element/" + find(css) + "/text", null).asText();
  }

  /** Scripts of the driver run even where the page's policy forbids its own. */
  JsonNode run(String script) {
    return send("POST", session + "/execute/sync", Map.of("script", script, "args", List.of()));
  }

  void reload() {
    send("POST", session + "/refresh", Map.of());
  }

  /** What the browser has complained about since the last time. */
  List<String> complaints() {
    JsonNode log = send("POST", session + "/se/log", Map.of("type", "browser"));
    return log.findValuesAsText("message");
  }

  /** Whether a page has opened a dialog, as {@code alert} does. */
  boolean hasDialog() {
    return request("GET", session + "/alert/text", null).statusCode() == 200;
  }

  /** One of {@code light} and {@code dark}, and a width in CSS pixels. */
  void look(String scheme, int width) {
    command(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    command(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 800, "deviceScaleFactor", 1, "mobile", width < 600));
  }

  /** The whole page, however long. */
  void photograph(Path file) throws IOException {
    JsonNode picture =
        command("Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true));
    Files.createDirectories(file.getParent());
    Files.write(file, Base64.getDecoder().decode(picture.get("data").asText()));
  }

  private JsonNode command(String name, Map<String, Object> parameters) {
    return send("POST", session + "/goog/cdp/execute", Map.of("cmd", name, "params", parameters));
  }

  private String find(String css) {
    return send("POST", session + "/element", Map.of("using", "css selector", "value", css))
        .get(ELEMENT)
        .asText();
  }

  private static JsonNode send(String method, String url, @Nullable Map<String, ?> body) {
    HttpResponse<String> answer = request(method, url, body);
    if (answer.statusCode() != 200) {
      throw new AssertionError(url + ": " + answer.body());
    }
    try {
      return MAPPER.readTree(answer.body()).get("value");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static HttpResponse<String> request(
      String method, String url, @Nullable Map<String, ?> body) {
    try {
      String json = body == null ? "" : MAPPER.writeValueAsString(body);
      return CLIENT.send(
          HttpRequest.newBuilder(URI.create(url))
              .timeout(Duration.ofMinutes(2))
              .header("Content-Type", "application/json")
              .method(method, HttpRequest.BodyPublishers.ofString(json))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    try {
      send("DELETE", session, null);
    } finally {
      driver.descendants().forEach(ProcessHandle::destroyForcibly);
      driver.destroyForcibly();
    }
  }
}
