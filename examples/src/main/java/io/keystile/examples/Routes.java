package io.keystile.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKey;
import io.keystile.KeyException;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the route of a request, has its key checked, and writes the answer. */
final class Routes implements HttpHandler {
  private static final Logger log = LoggerFactory.getLogger(Routes.class);

  private final ApiKeyGuard guard;
  private final List<Route> routes = new ArrayList<>();

  Routes(ApiKeyGuard guard) {
    this.guard = guard;
  }

  /** A request that was let in, with what its path holds in place of the braces, or "". */
  record Call(HttpExchange exchange, String parameter, Accepted accepted) {

    ApiKey key() {
      return accepted.key();
    }

    /** What the client calls this one request, so that repeating it does no harm; or null. */
    @Nullable String operationId() {
      return exchange.getRequestHeaders().getFirst("Idempotency-Key");
    }

    /** The parameters of the query, decoded. */
    Map<String, String> query() {
      Map<String, String> query = new HashMap<>();
      String raw = exchange.getRequestURI().getRawQuery();
      if (raw != null) {
        for (String pair : raw.split("&")) {
          String[] parts = pair.split("=", 2);
          query.put(
              URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
              URLDecoder.decode(parts.length < 2 ? "" : parts[1], StandardCharsets.UTF_8));
        }
      }
      return query;
    }
  }

  /** Answers a request. */
  interface Action {
    Answer answer(Call call) throws IOException, SQLException;
  }

  /**
   * What is answered by one action.
   *
   * @param endpoint the path as it was added, which usage is counted by: never what a client sent
   */
  private record Route(
      String method, String endpoint, Pattern path, Access access, Action action) {}

  /**
   * Adds a route.
   *
   * @param path with at most one part in braces, as in {@code /forecast/{city}}
   */
  Routes on(String method, String path, Access access, Action action) {
    Pattern pattern = Pattern.compile(path.replaceAll("\\{[a-z]+}", "([^/]+)"));
    routes.add(new Route(method, path, pattern, access, action));
    return this;
  }

  /** Adds the routes of another part of the service. */
  Routes and(Routes more) {
    routes.addAll(more.routes);
    return this;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try {
      dispatch(exchange);
    } catch (IOException | RuntimeException e) {
      log.warn("A request could not be answered", e);
      throw e;
    } finally {
      exchange.close();
    }
  }

  private void dispatch(HttpExchange exchange) throws IOException {
    long began = System.nanoTime();
    String path = String.valueOf(exchange.getRequestURI().getPath());
    List<Route> here =
        routes.stream().filter(route -> route.path().matcher(path).matches()).toList();
    for (Route route : here) {
      if (route.method().equals(exchange.getRequestMethod())) {
        Matcher matcher = route.path().matcher(path);
        String parameter = matcher.matches() && matcher.groupCount() > 0 ? matcher.group(1) : "";
        guard
            .requiring(
                route.access(),
                (let, accepted) -> {
                  Answer answer = answer(route.action(), new Call(let, parameter, accepted));
                  int bytes = write(let, answer);
                  accepted.charge(Plans.BYTES, bytes);
                  long took = System.nanoTime() - began;
                  accepted.answered(route.method(), route.endpoint(), answer.status(), took, bytes);
                })
            .handle(exchange);
        return;
      }
    }
    if (here.isEmpty()) {
      write(exchange, Answer.problem(404, "There is nothing here."));
      return;
    }
    String allowed = here.stream().map(Route::method).collect(Collectors.joining(", "));
    exchange.getResponseHeaders().add("Allow", allowed);
    write(exchange, Answer.problem(405, "Allowed here: " + allowed));
  }

  private static Answer answer(Action action, Call call) throws IOException {
    try {
      return action.answer(call);
    } catch (IllegalArgumentException e) {
      return Answer.problem(400, String.valueOf(e.getMessage()));
    } catch (KeyException e) {
      return Answer.problem(status(e.failure()), String.valueOf(e.getMessage()));
    } catch (SQLException e) {
      log.error("The database does not answer", e);
      return Answer.problem(503, "Try again later.");
    } catch (RuntimeException e) {
      log.error("A request failed", e);
      return Answer.problem(500, "The service failed.");
    }
  }

  private static int status(KeyException.Failure failure) {
    return switch (failure) {
      case UNKNOWN_KEY -> 404;
      case NOT_PERMITTED -> 403;
      case STATE_FORBIDS, OWNER_FULL, OPERATION_ID_REUSED, CONFLICT -> 409;
      case STORE_UNAVAILABLE, OUTCOME_UNKNOWN -> 503;
    };
  }

  /** How many bytes the body has. */
  private static int write(HttpExchange exchange, Answer answer) throws IOException {
    byte[] body = Json.write(answer.body());
    answer.headers().forEach(h -> exchange.getResponseHeaders().add(h.getKey(), h.getValue()));
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(answer.status(), head ? -1 : body.length);
    if (!head) {
      exchange.getResponseBody().write(body);
    }
    return head ? 0 : body.length;
  }
}
