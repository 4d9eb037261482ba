package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.limit.Plan;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What goes over the wire, which clients hide, and what the server throws after the headers. */
class ApiKeyGuardTest {
  private static final Access READ = Access.requiring("forecast:read");

  private final ApiKeys keys =
      ApiKeys.builder(new InMemoryKeyStore())
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .build();
  private final ApiKeyGuard guard = new ApiKeyGuard(keys, "forecast");
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    keys.close();
  }

  @Test
  void a_refusal_has_a_body_but_not_for_head() throws Exception {
    HttpHandler handler = guard.requiring(READ, (exchange, key) -> exchange.close());

    assertThat(answer("GET", handler)).startsWith("HTTP/1.1 401").endsWith("}");
    assertThat(answer("HEAD", handler)).startsWith("HTTP/1.1 401").endsWith("\r\n\r\n");
  }

  @Test
  void a_route_that_is_not_there_has_a_body_but_not_for_head() throws Exception {
    HttpHandler handler = new Routes(guard).on("PUT", "/", READ, call -> Answer.ok(List.of()));

    assertThat(answer("GET", handler)).startsWith("HTTP/1.1 405").endsWith("}");
    assertThat(answer("HEAD", handler)).startsWith("HTTP/1.1 405").endsWith("\r\n\r\n");
  }

  @Test
  void is_the_adapter_that_the_documents_show() throws IOException {
    String source =
        Files.readString(Path.of("src/main/java/io/keystile/examples/ApiKeyGuard.java"));
    String code = source.substring(source.indexOf("/**")).strip();

    assertThat(code).contains("final class ApiKeyGuard").endsWith("}");
    assertThat(Files.readString(Path.of("../docs/http.md"))).contains(code);
  }

  /** All bytes of an answer; fails with what the handler throws. */
  private String answer(String method, HttpHandler handler)
      throws IOException, InterruptedException, ExecutionException {
    CompletableFuture<Boolean> handled = new CompletableFuture<>();
    var context =
        server.createContext(
            "/",
            exchange -> {
              try (exchange) {
                handler.handle(exchange);
                handled.complete(true);
              } catch (IOException | RuntimeException e) {
                handled.completeExceptionally(e);
              }
            });
    try (Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), server.getAddress().getPort())) {
      socket.setSoTimeout(30_000);
      String request = method + " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(handled.get()).isTrue();
      return answer;
    } finally {
      server.removeContext(context);
    }
  }
}
