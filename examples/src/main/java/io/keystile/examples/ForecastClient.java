package io.keystile.examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * How to call a service with an API key: the key goes out over TLS only, stays out of URLs and
 * messages, and is replaced when the service says that it is time; a service that says when to come
 * back is believed. TLS is verified and redirects are not followed because that is {@link
 * HttpClient}'s default.
 */
final class ForecastClient {
  private static final int ATTEMPTS = 4;

  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final URI service;
  private final ClientKey key;
  private final Pause pause;

  /** Waits for some seconds; replaced in tests. */
  interface Pause {
    void seconds(long seconds) throws InterruptedException;
  }

  ForecastClient(URI service, ClientKey key, Pause pause) {
    boolean loopback =
        String.valueOf(service.getHost()).matches("localhost|127\\.0\\.0\\.1|\\[::1]");
    if (!String.valueOf(service.getScheme()).matches(loopback ? "https?" : "https")) {
      throw new IllegalArgumentException("service: must be https, or http on this machine");
    }
    this.service = service;
    this.key = key;
    this.pause = pause;
  }

  String forecast(String city) throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      String token = key.read();
      HttpRequest request =
          HttpRequest.newBuilder(service.resolve("/forecast/" + city))
              .timeout(Duration.ofSeconds(10))
              .header("X-API-Key", token)
              .build();
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.headers().firstValue("API-Key-Rotate-By").isPresent()) {
        key.replace(token, http, service.resolve("/key/rotate"));
      }
      if (response.statusCode() == 200) {
        return response.body();
      }
      boolean replaced = response.statusCode() == 401 && key.hasOtherThan(token);
      String after = replaced ? "0" : response.headers().firstValue("Retry-After").orElse("");
      if (attempt == ATTEMPTS || !after.matches("[0-9]{1,2}")) {
        throw new IOException("The service answered " + response.statusCode());
      }
      pause.seconds(Long.parseLong(after));
    }
  }
}
