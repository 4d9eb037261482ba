package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.KeySpec;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ForecastClientTest {
  private static final String KEY = "acme_live_something";

  private final Deque<Integer> statuses = new ArrayDeque<>();
  private final List<String> seen = new ArrayList<>();
  private final List<Long> pauses = new ArrayList<>();
  private HttpServer stub;

  @TempDir private Path folder;

  @AfterEach
  void stop() {
    if (stub != null) {
      stub.stop(0);
    }
  }

  @Test
  void reads_a_forecast_of_the_real_service() throws Exception {
    Map<String, String> values =
        Map.of(
            "forecast.port", "0", "forecast.admin.port", "0", "forecast.data", folder.toString());
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      String token = Service.tokens(server.welcome()).get(0);

      assertThat(client(server.service(), token).forecast("oslo"))
          .isEqualTo("{\"city\":\"oslo\",\"celsius\":4,\"sky\":\"snow\"}");
      assertThatThrownBy(() -> client(server.service(), KEY).forecast("oslo"))
          .isInstanceOf(IOException.class)
          .hasMessage("The service answered 401");
    }
  }

  @Test
  void comes_back_when_the_service_says() throws Exception {
    String url = start(HttpServer.create(loopback(), 0), "7");
    statuses.addAll(List.of(503, 429, 200));

    assertThat(client(url, KEY).forecast("oslo")).isEqualTo("ok");

    assertThat(pauses).containsExactly(7L, 7L);
    assertThat(seen).containsExactly(KEY, KEY, KEY);
  }

  @Test
  void waits_as_long_as_a_limit_says_and_is_let_in() throws Exception {
    AtomicLong millis = new AtomicLong();
    Plan plan = Plan.of("small", Window.perSecond(2), Window.perMinute(5));
    try (ApiKeys keys =
        ApiKeys.builder(new InMemoryKeyStore())
            .brand("acme")
            .environment("live")
            .defaultPlan(plan)
            .time(InstantSource.system(), () -> millis.get() * 1_000_000)
            .build()) {
      stub = HttpServer.create(loopback(), 0);
      stub.createContext(
          "/",
          new ApiKeyGuard(keys, "forecast")
              .requiring(
                  Access.authenticated(),
                  (exchange, accepted) -> {
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                  }));
      stub.start();
      ForecastClient client =
          new ForecastClient(
              URI.create("http://localhost:" + stub.getAddress().getPort()),
              key(keys.issue(KeySpec.forOwner("client")).revealToken()),
              seconds -> {
                pauses.add(seconds);
                millis.addAndGet(seconds * 1_000);
              });
      for (int i = 0; i < 6; i++) {
        client.forecast("oslo");
      }
    }

    assertThat(pauses).containsExactly(2L, 2L, 57L);
  }

  @Test
  void gives_up_after_four_attempts() throws Exception {
    String url = start(HttpServer.create(loopback(), 0), "1");
    statuses.addAll(List.of(503, 503, 503, 503, 200));

    assertThatThrownBy(() -> client(url, KEY).forecast("oslo"))
        .hasMessage("The service answered 503");
    assertThat(seen).hasSize(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "100", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"})
  void does_not_try_again_when_it_is_not_told_or_for_too_long(String after) throws Exception {
    String url = start(HttpServer.create(loopback(), 0), after);
    statuses.addAll(List.of(503, 200));

    assertThatThrownBy(() -> client(url, KEY).forecast("oslo"))
        .hasMessage("The service answered 503");
    assertThat(seen).hasSize(1);
    assertThat(pauses).isEmpty();
  }

  @Test
  void does_not_take_its_key_to_where_it_is_redirected() throws Exception {
    String url = start(HttpServer.create(loopback(), 0), "");
    statuses.addAll(List.of(307, 200));

    assertThatThrownBy(() -> client(url, KEY).forecast("oslo"))
        .hasMessage("The service answered 307");
    assertThat(seen).hasSize(1);
  }

  @Test
  void sends_nothing_to_a_server_that_nobody_vouches_for() throws Exception {
    HttpsServer server = HttpsServer.create(loopback(), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(selfSigned()));
    String url = start(server, "");

    assertThatThrownBy(() -> client(url.replace("http:", "https:"), KEY).forecast("oslo"))
        .isInstanceOf(SSLHandshakeException.class);
    assertThat(seen).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://example.org",
        "http://localhost.example.org",
        "http://localhost@example.org",
        "http://127.0.0.1.example.org",
        "http://10.0.0.1",
        "ftp://localhost",
        "//localhost",
        "localhost"
      })
  void refuses_to_send_the_key_in_clear(String url) {
    assertThatIllegalArgumentException().isThrownBy(() -> client(url, KEY));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://example.org",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]"
      })
  void accepts_tls_and_this_machine(String url) throws IOException {
    assertThat(client(url, KEY)).isNotNull();
  }

  @Test
  void takes_its_key_from_a_file_or_the_environment() throws Exception {
    Path file = Files.writeString(folder.resolve("key"), KEY + "\n");

    assertThat(new ClientKey(Map.of("FORECAST_API_KEY_FILE", file.toString())).read())
        .isEqualTo(KEY);
    assertThat(new ClientKey(Map.of("FORECAST_API_KEY", KEY)).read()).isEqualTo(KEY);
    assertThatIOException().isThrownBy(() -> new ClientKey(Map.of()));
  }

  @Test
  void does_not_repeat_a_key_that_cannot_be_sent() {
    assertThatIOException()
        .isThrownBy(() -> client("https://example.org", KEY + "\r\nX-Other: 1"))
        .withMessageNotContaining(KEY);
  }

  private ForecastClient client(String url, String key) throws IOException {
    return new ForecastClient(URI.create(url), key(key), pauses::add);
  }

  private static ClientKey key(String key) throws IOException {
    return new ClientKey(Map.of("FORECAST_API_KEY", key));
  }

  /** Answers with the statuses in turn. */
  private String start(HttpServer server, String retryAfter) {
    stub = server;
    stub.createContext(
        "/",
        exchange -> {
          seen.add(exchange.getRequestHeaders().getFirst("X-API-Key"));
          if (!retryAfter.isEmpty()) {
            exchange.getResponseHeaders().add("Retry-After", retryAfter);
          }
          exchange.getResponseHeaders().add("Location", "/elsewhere");
          exchange.sendResponseHeaders(statuses.remove(), 2);
          exchange.getResponseBody().write("ok".getBytes(StandardCharsets.US_ASCII));
          exchange.close();
        });
    stub.start();
    return "http://localhost:" + stub.getAddress().getPort();
  }

  private static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  private SSLContext selfSigned() throws Exception {
    Path file = folder.resolve("tls.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "tls",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost",
                "-keystore",
                file.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("keytool.log").toFile())
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }
}
