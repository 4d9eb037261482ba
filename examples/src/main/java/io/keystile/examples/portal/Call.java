package io.keystile.examples.portal;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request, as far as the portal reads it.
 *
 * @param method GET for HEAD, too
 * @param path decoded
 * @param sessionId what the cookie says, whether or not there is such a session; random without one
 * @param isNew whether the cookie is still to be set
 * @param fields of the query or, with POST, of the form
 */
record Call(
    String method,
    String path,
    Headers headers,
    String sessionId,
    boolean isNew,
    Map<String, List<String>> fields) {

  static final String COOKIE = "keystile_portal";

  private static final int MAX_BYTES = 16 * 1024;

  /** A request that cannot be read. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    final int status;

    Refused(int status) {
      super("status " + status, null, false, false);
      this.status = status;
    }
  }

  static Call of(HttpExchange exchange) throws IOException, Refused {
    String cookie = cookie(exchange.getRequestHeaders());
    String method = exchange.getRequestMethod();
    String raw = exchange.getRequestURI().getRawQuery();
    return new Call(
        method.equals("HEAD") ? "GET" : method,
        exchange.getRequestURI().getPath(),
        exchange.getRequestHeaders(),
        cookie == null ? Randoms.text() : cookie,
        cookie == null,
        method.equals("POST") ? form(exchange) : parse(raw == null ? "" : raw));
  }

  private static Map<String, List<String>> form(HttpExchange exchange) throws IOException, Refused {
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    if (type == null || !type.startsWith("application/x-www-form-urlencoded")) {
      throw new Refused(415);
    }
    byte[] body = exchange.getRequestBody().readNBytes(MAX_BYTES + 1);
    if (body.length > MAX_BYTES) {
      throw new Refused(413);
    }
    return parse(new String(body, StandardCharsets.ISO_8859_1));
  }

  private static Map<String, List<String>> parse(String encoded) throws Refused {
    Map<String, List<String>> fields = new HashMap<>();
    try {
      for (String pair : encoded.split("&")) {
        String[] parts = pair.split("=", 2);
        fields
            .computeIfAbsent(decode(parts[0]), name -> new ArrayList<>())
            .add(decode(parts.length < 2 ? "" : parts[1]));
      }
    } catch (IllegalArgumentException e) {
      throw new Refused(400);
    }
    return fields;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  /** None if there are several that differ: one of them was slipped in by somebody. */
  private static @Nullable String cookie(Headers headers) {
    List<String> found =
        headers.getOrDefault("Cookie", List.of()).stream()
            .flatMap(line -> List.of(line.split(";")).stream())
            .map(String::strip)
            .filter(pair -> pair.startsWith(COOKIE + "="))
            .map(pair -> pair.substring(COOKIE.length() + 1))
            .distinct()
            .toList();
    return found.size() == 1 && Randoms.looksLike(found.get(0)) ? found.get(0) : null;
  }

  /** None if it is there more than once. */
  @Nullable String header(String name) {
    List<String> values = headers.getOrDefault(name, List.of());
    return values.size() == 1 ? values.get(0) : null;
  }

  /** The value of a field, or "". */
  String field(String name) {
    return fields.getOrDefault(name, List.of("")).get(0);
  }

  List<String> all(String name) {
    return fields.getOrDefault(name, List.of());
  }
}
