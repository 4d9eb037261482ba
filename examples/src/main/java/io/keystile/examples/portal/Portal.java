package io.keystile.examples.portal;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.keystile.ApiKeys;
import io.keystile.KeyException;
import io.keystile.examples.portal.Accounts.Account;
import io.keystile.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pages on which owners look after their keys, below {@value #PATH}. Whoever is not signed in
 * sees the pages for sign-in and registration and nothing else; every change comes by a form that
 * {@link FormGuard} accepts. May be used by many threads.
 */
public final class Portal implements HttpHandler {
  /** Where the portal is. */
  public static final String PATH = "/portal";

  private static final Logger log = LoggerFactory.getLogger(Portal.class);
  private static final String KEY = PATH + "/keys/([0-9A-Za-z]{22})";

  /** Answers a request with the key id of its path, or with "". */
  private interface Action {
    Reply answer(Visit visit, String keyId);
  }

  private record Route(String method, Pattern path, Action action) {}

  private final FormGuard guard;
  private final Sessions sessions;
  private final SignIn signIn;
  private final Registration registration;
  private final InstantSource clock;
  private final List<Route> routes = new ArrayList<>();
  private final byte[] style = resource("style.css");
  private final byte[] icon = resource("icon.svg");

  /** What tests replace. */
  record Parts(FormGuard guard, InstantSource clock, LongSupplier ticker, List<KeyPanel> panels) {}

  Portal(ApiKeys keys, Offer offer, Accounts accounts, Parts parts) {
    guard = parts.guard();
    clock = parts.clock();
    sessions = new Sessions(clock);
    signIn = new SignIn(accounts, sessions, guard, parts.ticker());
    registration = new Registration(accounts, guard, parts.ticker());
    KeyDesk desk = new KeyDesk(keys, offer, parts.panels());
    on("GET", PATH, (visit, none) -> Reply.to(PATH + "/keys"));
    on("POST", PATH + "/sign-out", (visit, none) -> signIn.leave(visit.call()));
    on("GET", PATH + "/keys", desk::list);
    on("POST", PATH + "/keys", desk::create);
    on("GET", PATH + "/keys/new", desk::showCreate);
    on("GET", PATH + "/usage\\.csv", desk::usage);
    on("GET", KEY, desk::show);
    on("GET", KEY + "/rename", desk::showRename);
    on("POST", KEY + "/rename", desk::rename);
    on("GET", KEY + "/rotate", desk::showRotate);
    on("POST", KEY + "/rotate", desk::rotate);
    on("GET", KEY + "/revoke", desk::showRevoke);
    on("POST", KEY + "/revoke", desk::revoke);
    on("GET", KEY + "/revoke-secret", desk::showRevokeSecret);
    on("POST", KEY + "/revoke-secret", desk::revokeSecret);
  }

  /**
   * Makes the portal.
   *
   * @param keys where the keys are; their usage is recorded
   * @param offer what owners may choose
   * @param accounts who may sign in
   * @param origin where browsers find it if that is behind a proxy, as {@code
   *     https://keys.example.com}; null if they reach it in clear, as on this machine
   * @return a handler for {@link #PATH}
   */
  public static Portal create(
      ApiKeys keys, Offer offer, Accounts accounts, @Nullable String origin) {
    Parts parts =
        new Parts(new FormGuard(origin), InstantSource.system(), System::nanoTime, panels());
    return new Portal(keys, offer, accounts, parts);
  }

  /** What the page of a key tells besides. */
  static List<KeyPanel> panels() {
    return List.of(new UsagePanel(), new RiskPanel(), new RequestsPanel());
  }

  private void on(String method, String path, Action action) {
    routes.add(new Route(method, Pattern.compile(path), action));
  }

  private static byte[] resource(String name) {
    try (InputStream in = Portal.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException(name, e);
    }
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try {
      answer(exchange).send(exchange);
    } finally {
      exchange.close();
    }
  }

  private Reply answer(HttpExchange exchange) throws IOException {
    try {
      Call call = Call.of(exchange);
      String address = exchange.getRemoteAddress().getAddress().getHostAddress();
      return answer(call, address);
    } catch (Call.Refused e) {
      return problem(e.status, "This could not be read", "Go back and try it once more.");
    } catch (IllegalArgumentException e) {
      return problem(400, "This could not be read", "Go back and try it once more.");
    } catch (KeyException e) {
      return failed(e.failure());
    } catch (StoreException e) {
      log.warn("Usage could not be read", e);
      return failed(KeyException.Failure.STORE_UNAVAILABLE);
    } catch (RuntimeException e) {
      log.error("A page failed", e);
      return problem(500, "This failed", "It is not your fault. Try again later.");
    }
  }

  private Reply answer(Call call, String address) {
    boolean isGet = call.method().equals("GET");
    if (isGet && call.path().equals(PATH + "/style.css")) {
      return Reply.asset("text/css; charset=utf-8", style);
    }
    if (isGet && call.path().equals(PATH + "/icon.svg")) {
      return Reply.asset("image/svg+xml", icon);
    }
    if (!isGet && !call.method().equals("POST")) {
      return problem(405, "Not allowed", "There are only pages and forms.")
          .with("Allow", "GET, HEAD, POST");
    }
    if (!isGet && !guard.accepts(call)) {
      return problem(
          403,
          "This form was not accepted",
          "It does not come from a page of this portal, or you have signed in again since."
              + " Nothing was changed: open the page again, and send the form from there.");
    }
    if (call.path().equals(SignIn.PATH)) {
      return isGet ? signIn.show(call) : signIn.enter(call, address);
    }
    if (call.path().equals(Registration.PATH)) {
      return isGet ? registration.show(call) : registration.register(call);
    }
    Optional<Account> account = sessions.find(call.sessionId());
    return account.isEmpty()
        ? Reply.to(SignIn.PATH)
        : route(new Visit(call, account.get(), guard.token(call.sessionId()), clock.instant()));
  }

  private Reply route(Visit visit) {
    for (Route route : routes) {
      Matcher matcher = route.path().matcher(visit.call().path());
      if (route.method().equals(visit.call().method()) && matcher.matches()) {
        return route.action().answer(visit, matcher.groupCount() == 0 ? "" : matcher.group(1));
      }
    }
    return nothingHere();
  }

  /** For what nobody has and for what somebody else has: not a byte differs. */
  static Reply nothingHere() {
    return problem(404, "There is nothing here", "Perhaps it is an old link.");
  }

  private static Reply problem(int status, String title, String text) {
    return Reply.page(status, Layout.problem(title, text));
  }

  private static Reply failed(KeyException.Failure failure) {
    return switch (failure) {
      case UNKNOWN_KEY -> nothingHere();
      case NOT_PERMITTED ->
          problem(403, "Not permitted", "The service does not let you choose this.");
      case STATE_FORBIDS ->
          problem(409, "Not possible now", "The state of the key does not allow it.");
      case OWNER_FULL -> problem(409, "Too many keys", "Revoke one that you do not need before.");
      case OPERATION_ID_REUSED ->
          problem(409, "Done before", "This form was sent already, for something else.");
      case CONFLICT -> problem(409, "Somebody else was faster", "Nothing was changed. Try again.");
      case STORE_UNAVAILABLE ->
          problem(503, "Not available", "Nothing was changed. Try again in a while.");
      case OUTCOME_UNKNOWN ->
          problem(
              503,
              "It may have happened, or not",
              "Look at your keys. If you reload this page, it is not done twice.");
    };
  }
}
