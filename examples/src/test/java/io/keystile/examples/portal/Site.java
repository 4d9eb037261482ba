package io.keystile.examples.portal;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.Origin;
import io.keystile.Validation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A portal that runs, with accounts for Alice and Bob, and a clock that tests turn. */
final class Site implements AutoCloseable {
  static final String ALICE = "acme";
  static final String BOB = "globex";
  static final Offer OFFER =
      new Offer(
          ordered("forecast:read", "read forecasts", "forecast:write", "send observations"),
          ordered("free", "1,000 requests a day", "pro", "100,000 requests a day"));

  static {
    // as ForecastServer does: else each answer waits 40 ms for the client's acknowledgement
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final HttpServer server;
  private final Map<String, String> passwords; // of those who registered, too
  final Accounts accounts;
  private final CompletableFuture<Runnable> writer = new CompletableFuture<>();
  final InMemoryKeyStore store = new InMemoryKeyStore();
  private volatile Instant now = Instant.parse("2026-11-28T12:00:00Z");
  final ApiKeys keys;

  /**
   * With what a test changes about the portal, to see whether its checks notice.
   *
   * @param more panels besides the usual ones
   */
  Site(FormGuard guard, List<KeyPanel> more) throws IOException {
    keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .time(() -> now, System::nanoTime)
            .recordUsage()
            .keepRequests(1_000)
            .useInterval(Duration.ofSeconds(1))
            .useExecutor(writer::complete)
            .build();
    accounts = Accounts.demo(ordered("alice", ALICE, "bob", BOB));
    passwords =
        Pattern.compile("([a-z]+) ([^,]+)")
            .matcher(accounts.revealPasswords())
            .results()
            .collect(Collectors.toMap(m -> m.group(1), m -> m.group(2)));
    List<KeyPanel> panels = new ArrayList<>(Portal.panels());
    panels.addAll(more);
    HttpHandler portal =
        new Portal(
            keys,
            OFFER,
            accounts,
            new Portal.Parts(guard, () -> now, () -> now.toEpochMilli() * 1_000_000, panels));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(Portal.PATH, portal);
    server.start();
  }

  static Site open() throws IOException {
    return new Site(new FormGuard(null), List.of());
  }

  static Map<String, String> ordered(String... namesAndTexts) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTexts.length; i += 2) {
      texts.put(namesAndTexts[i], namesAndTexts[i + 1]);
    }
    return texts;
  }

  /** A request with a key, of somebody at an address, which may name itself. */
  Validation ask(String token, String scope, String address, @Nullable String caller) {
    Origin origin = Origin.of(address).secure(true).caller(caller);
    return keys.validate(token, Access.requiring(scope), origin);
  }

  /** A request that is let in and answered, as a service tells of it. */
  void use(String token, String address, String method, String endpoint) {
    Accepted accepted = (Accepted) ask(token, "forecast:read", address, null);
    accepted.answered(method, endpoint, 200, 1_500_000, 100);
  }

  /** Writes what was used, which else would be done at some time. */
  void write() {
    try {
      writer.get(1, TimeUnit.MINUTES).run();
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  String origin() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  String password(String name) {
    return passwords.get(name);
  }

  Instant now() {
    return now;
  }

  void turn(Duration time) {
    now = now.plus(time);
  }

  /** Somebody with a browser, who has signed in. */
  Visitor signedIn(String name) {
    return signIn(visitor(), name);
  }

  private Visitor signIn(Visitor visitor, String name) {
    visitor.get("/portal/sign-in");
    visitor.send("/portal/sign-in", "name", name, "password", password(name));
    turn(Duration.ofMinutes(1)); // so that tests may sign in as often as they like
    return visitor;
  }

  /** Somebody who has made an account, and has signed in with the password he was shown. */
  Visitor registered(String name) {
    Visitor visitor = visitor();
    passwords.put(name, Visitor.password(visitor.register(name)));
    return signIn(visitor, name);
  }

  /** Whose keys an account looks after. */
  String owner(String name) {
    return accounts.find(name, password(name)).orElseThrow().owner();
  }

  Visitor visitor() {
    return new Visitor(origin());
  }

  static List<String> all(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(MatchResult::group).toList();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdown();
    keys.close();
  }
}
