package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpLoadTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"http://localhost:8080/a", "http://127.0.0.1/", "http://[::1]:8080/forecast/oslo"})
  void this_machine_may_be_called(String url) {
    assertThat(HttpLoad.isHere(URI.create(url))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost@example.com/",
        "http://192.168.0.1/",
        "https://localhost/",
        "/forecast/oslo"
      })
  void nobody_else_may(String url) {
    assertThat(HttpLoad.isHere(URI.create(url))).isFalse();
  }

  @Test
  void each_request_is_counted_by_its_answer() throws IOException {
    InetAddress here = InetAddress.getLoopbackAddress();
    HttpServer server = HttpServer.create(new InetSocketAddress(here, 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String key = exchange.getRequestHeaders().getFirst("Authorization");
          exchange.sendResponseHeaders("Bearer token".equals(key) ? 204 : 401, -1);
          exchange.close();
        });
    server.start();
    try {
      URI url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");

      HttpLoad.Outcome outcome = new HttpLoad(url, "token", 1000).run(200);

      assertThat(outcome.micros().getTotalCount()).isEqualTo(200);
      assertThat(outcome.answers()).containsOnlyKeys(204);
      assertThat(outcome.text()).contains("200 answers {204=200}").contains("p99.9");
    } finally {
      server.stop(0);
    }
  }
}
