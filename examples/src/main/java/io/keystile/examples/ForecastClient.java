package io.keystile.examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How to call a service with an API key: the key comes from the environment or a file, goes out
 * over TLS only, stays out of URLs and messages, and a service that says when to come back is
 * believed. TLS is verified and redirects are not followed because that is {@link HttpClient}'s
 * default.
 */
final class ForecastClient {
  private static final int ATTEMPTS = 4;

  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final URI service;
  private final String key;
  private final Pause pause;

  /** Waits for some seconds; replaced in tests. */
  interface Pause {
    void seconds(long seconds) throws InterruptedException;
  }

  ForecastClient(URI service, String key, Pause pause) {
    String host = String.valueOf(service.getHost());
    boolean loopback = host.matches("localhost|127\\.0\\.0\\.1|\\[::1]");
    if (!"https".equals(service.getScheme()) && !(loopback && "http".equals(service.getScheme()))) {
      throw new IllegalArgumentException("service: must be https, or http on this machine");
    }
    if (!key.matches("[0-9A-Za-z_]+")) { // HttpRequest would repeat it in its exception
      throw new IllegalArgumentException("key: is not well-formed");
    }
    this.service = service;
    this.key = key;
    this.pause = pause;
  }

  static String key(Map<String, String> environment) throws IOException {
    String file = environment.get("FORECAST_API_KEY_FILE");
    String key =
        file == null ? environment.get("FORECAST_API_KEY") : Files.readString(Path.of(file));
    if (key == null) {
      throw new IllegalArgumentException("set FORECAST_API_KEY_FILE or FORECAST_API_KEY");
    }
    return key.strip();
  }

  String forecast(String city) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(service.resolve("/forecast/" + city))
            .timeout(Duration.ofSeconds(10))
            .header("X-API-Key", key)
            .build();
    for (int attempt = 1; ; attempt++) {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() == 200) {
        return response.body();
      }
      String after = response.headers().firstValue("Retry-After").orElse("");
      if (attempt == ATTEMPTS || !after.matches("[0-9]{1,2}")) {
        throw new IOException("The service answered " + response.statusCode());
      }
      pause.seconds(Long.parseLong(after));
    }
  }
}
