package io.keystile.examples.portal;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the portal answers, with the headers that keep it private and free of foreign script. */
final class Reply {
  private static final String POLICY =
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
          + " base-uri 'none'; frame-ancestors 'none'";

  private static final List<Map.Entry<String, String>> ALWAYS =
      List.of(
          Map.entry("Content-Security-Policy", POLICY),
          Map.entry("X-Content-Type-Options", "nosniff"),
          // nothing to other sites; with no-referrer, browsers would not tell the origin of our
          // own forms either
          Map.entry("Referrer-Policy", "same-origin"),
          Map.entry("Cross-Origin-Opener-Policy", "same-origin"),
          Map.entry("Cross-Origin-Resource-Policy", "same-origin"));

  private final int status;
  private final byte[] body;
  private final List<Map.Entry<String, String>> headers;

  private Reply(int status, byte[] body, List<Map.Entry<String, String>> headers) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  static Reply page(int status, Html html) {
    return new Reply(
        status,
        html.markup().getBytes(StandardCharsets.UTF_8),
        List.of(
            Map.entry("Content-Type", "text/html; charset=utf-8"),
            Map.entry("Cache-Control", "no-store")));
  }

  /** To another page, by GET. */
  static Reply to(String path) {
    return new Reply(
        303,
        new byte[0],
        List.of(Map.entry("Location", path), Map.entry("Cache-Control", "no-store")));
  }

  /** What is the same for everybody. */
  static Reply asset(String type, byte[] body) {
    return new Reply(
        200,
        body,
        List.of(Map.entry("Content-Type", type), Map.entry("Cache-Control", "max-age=600")));
  }

  /** To be saved, not shown. */
  static Reply file(String name, String type, byte[] body) {
    return new Reply(
        200,
        body,
        List.of(
            Map.entry("Content-Type", type),
            Map.entry("Content-Disposition", "attachment; filename=\"" + name + "\""),
            Map.entry("Cache-Control", "no-store")));
  }

  Reply with(String name, String value) {
    List<Map.Entry<String, String>> more = new ArrayList<>(headers);
    more.add(Map.entry(name, value));
    return new Reply(status, body, more);
  }

  void send(HttpExchange exchange) throws IOException {
    Headers out = exchange.getResponseHeaders();
    ALWAYS.forEach(header -> out.add(header.getKey(), header.getValue()));
    headers.forEach(header -> out.add(header.getKey(), header.getValue()));
    boolean isEmpty = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, isEmpty ? -1 : body.length);
    if (!isEmpty) {
      exchange.getResponseBody().write(body);
    }
  }
}
