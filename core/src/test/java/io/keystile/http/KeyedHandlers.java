package io.keystile.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsExchange;
import io.keystile.Access;
import io.keystile.ApiKey;
import io.keystile.ApiKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The adapter for the server of the JDK. */
final class KeyedHandlers implements HeaderGetter<HttpExchange> {

  /** What a route does for a key. */
  interface KeyedHandler {
    void handle(HttpExchange exchange, ApiKey key) throws IOException;
  }

  private final HttpGate<HttpExchange> gate;

  KeyedHandlers(ApiKeys keys) {
    gate = HttpGate.of(keys, this).withRealm("forecast");
  }

  HttpHandler requiring(Access access, KeyedHandler handler) {
    return exchange -> {
      HttpGate.Result result = gate.check(exchange, access);
      result.headers().forEach(h -> exchange.getResponseHeaders().add(h.getKey(), h.getValue()));
      if (result instanceof HttpGate.Passed passed) {
        handler.handle(exchange, passed.accepted().key());
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
  public List<String> headers(HttpExchange exchange, String name) {
    return exchange.getRequestHeaders().get(name);
  }

  @Override
  public String rawQuery(HttpExchange exchange) {
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
