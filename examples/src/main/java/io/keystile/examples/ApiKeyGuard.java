package io.keystile.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsExchange;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.http.HeaderGetter;
import io.keystile.http.HttpDenial;
import io.keystile.http.HttpGate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that stands between Keystile and the JDK's HTTP server. A handler is given the key it was
 * called with: attributes of an exchange would be seen by later requests of the same context.
 */
final class ApiKeyGuard implements HeaderGetter<HttpExchange> {
  private final HttpGate<HttpExchange> gate;

  ApiKeyGuard(ApiKeys keys, String realm) {
    gate = HttpGate.of(keys, this).withRealm(realm).withRateLimitFields();
  }

  interface KeyHandler {
    void handle(HttpExchange exchange, Accepted accepted) throws IOException;
  }

  HttpHandler requiring(Access access, KeyHandler next) {
    return exchange -> {
      HttpGate.Result result = gate.check(exchange, access);
      result.headers().forEach(h -> exchange.getResponseHeaders().add(h.getKey(), h.getValue()));
      if (result instanceof HttpGate.Passed passed) {
        next.handle(exchange, passed.accepted());
      } else if (result instanceof HttpDenial denial) {
        byte[] body = denial.body().getBytes(StandardCharsets.US_ASCII);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(denial.status(), head ? -1 : body.length);
        if (!head) {
          exchange.getResponseBody().write(body);
        }
        exchange.close();
      }
    };
  }

  @Override
  public @Nullable List<String> headers(HttpExchange exchange, String name) {
    return exchange.getRequestHeaders().get(name);
  }

  @Override
  public @Nullable String rawQuery(HttpExchange exchange) {
    return exchange.getRequestURI().getRawQuery();
  }

  @Override
  public boolean isSecure(HttpExchange exchange) {
    return exchange instanceof HttpsExchange;
  }

  @Override
  public String peerAddress(HttpExchange exchange) {
    return exchange.getRemoteAddress().getAddress().getHostAddress();
  }
}
