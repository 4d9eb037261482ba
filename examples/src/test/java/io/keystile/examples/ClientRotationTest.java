package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.keystile.examples.Service.Issued;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A client that calls without a pause, on several threads, while its secret is replaced. Neither
 * does a request fail, nor is one refused that the client would send again by itself.
 */
class ClientRotationTest {
  private static final int THREADS = 4;

  /** With the rounds of a build 4, with those of a campaign 80. */
  private static final int ROTATIONS = Integer.getInteger("keystile.rounds", 500) / 125;

  @TempDir private Path folder;

  @Test
  void no_request_fails_while_a_client_replaces_its_secret_when_it_is_told() throws Exception {
    try (ForecastServer server = server("PT1S");
        Balancer front = new Balancer(server.service())) {
      Service service = Service.of(server.welcome());
      Issued issued = service.issue("client", "forecast:read", "keys:rotate");
      until(() -> service.administer("GET", "/keys?due", "").body().contains(issued.id()));
      Path file = file(issued.token());
      ForecastClient client = client(front.url(), file);
      Set<String> tokens = new HashSet<>();
      int requests;
      int failed;
      try (Traffic traffic = new Traffic(() -> client.forecast("oslo"))) {
        until(
            () -> {
              tokens.add(read(file));
              return tokens.size() > ROTATIONS;
            });
        traffic.goesOn();
        requests = traffic.requests();
        failed = traffic.failed();
      }

      JsonNode history = history(service, issued.id());
      long rotations =
          history.get("audit").findValuesAsText("action").stream()
              .filter("rotate_self"::equals)
              .count();
      System.out.printf(
          "%,d requests on %d threads during %d rotations: %d failed, %d refused%n",
          requests, THREADS, rotations, failed, front.refused());
      assertThat(failed).isZero();
      assertThat(front.refused()).isZero();
      assertThat(requests).isGreaterThan(10 * THREADS);
      assertThat(rotations).isGreaterThanOrEqualTo(ROTATIONS);
      List<String> secrets = history.get("secrets").findValuesAsText("redacted");
      assertThat(secrets.get(secrets.size() - 1))
          .as("no secret was made that nobody has")
          .endsWith(read(file).substring(read(file).length() - 4));
    }
  }

  @Test
  void the_twin_that_ends_the_old_secret_at_once_is_caught_although_the_client_tries_again()
      throws Exception {
    try (ForecastServer server = server("PT1S");
        Balancer front = new Balancer(server.service())) {
      Service service = Service.of(server.welcome());
      Issued issued = service.issue("client", "forecast:read", "keys:rotate");
      front.afterRotations(
          made -> {
            String old = "{\"secret\":" + (made - 1) + "}";
            service.administer("POST", "/keys/" + issued.id() + "/revoke-secret", old);
          });
      ForecastClient client = client(front.url(), file(issued.token()));

      until(
          () -> {
            try {
              client.forecast("oslo"); // does not fail
            } catch (Exception e) {
              throw new AssertionError(e);
            }
            return front.refused() > 0;
          });

      assertThat(service.read(issued.token())).isEqualTo(401);
    }
  }

  @Test
  void the_twin_that_drops_its_token_before_it_has_another_is_caught() throws Exception {
    try (ForecastServer server = server("PT1S")) {
      Service service = Service.of(server.welcome());
      Issued issued = service.issue("client", "forecast:read", "keys:rotate");
      Path file = file(issued.token());
      AtomicInteger calls = new AtomicInteger();
      AtomicInteger rotations = new AtomicInteger();
      Call forgetful =
          () -> {
            calls.incrementAndGet();
            String token = Files.readString(file);
            HttpResponse<String> answer =
                Http.get(server.service() + "/forecast/oslo", "X-API-Key", token);
            if (answer.headers().firstValue("API-Key-Rotate-By").isPresent()
                && Files.deleteIfExists(file)) {
              int before =
                  calls.get(); // the others come by at a bad moment: at once, not by chance
              until(() -> calls.get() >= before + THREADS);
              HttpResponse<String> rotated = service.rotateSelf(token, "call-" + before);
              Files.writeString(file, Service.json(rotated).at("/token").asText());
              rotations.incrementAndGet();
            }
          };
      try (Traffic traffic = new Traffic(forgetful)) {
        until(() -> rotations.get() > 0);
        System.out.printf(
            "the forgetful twin: %,d of %,d requests failed%n",
            traffic.failed(), traffic.requests());
        assertThat(traffic.failed()).isPositive();
      }
    }
  }

  @Test
  void no_request_fails_while_somebody_else_replaces_the_secret_and_then_the_file()
      throws Exception {
    assertThat(failedDuringRotations("{\"graceHours\":24}")).isZero();
  }

  @Test
  void the_twin_that_leaves_no_grace_is_caught() throws Exception {
    assertThat(failedDuringRotations("{\"graceHours\":0}")).isPositive();
  }

  @Test
  void no_request_fails_while_the_other_node_has_not_heard_of_the_new_secret() throws Exception {
    assertThat(failedOnTwoNodes(true)).isZero();
  }

  @Test
  void the_twin_that_uses_the_new_secret_at_once_is_caught() throws Exception {
    assertThat(failedOnTwoNodes(false)).isPositive();
  }

  /** The requests go to the two nodes in turn, and the administration rotates on one of them. */
  private int failedOnTwoNodes(boolean patient) throws Exception {
    String url = "jdbc:h2:mem:" + patient + ";DB_CLOSE_DELAY=-1";
    try (ForecastServer one = server(null, url);
        ForecastServer other = server(null, url);
        Balancer balancer = new Balancer(one.service(), other.service())) {
      Service service = Service.of(one.welcome());
      Issued issued = service.issue("client", "forecast:read");
      Path file = file(issued.token());
      ForecastClient client = client(balancer.url(), file);
      Call call =
          patient
              ? () -> client.forecast("oslo")
              : () -> {
                String address = balancer.url() + "/forecast/oslo";
                if (Http.get(address, "X-API-Key", read(file)).statusCode() != 200) {
                  throw new IOException("refused");
                }
              };
      try (Traffic traffic = new Traffic(call)) {
        for (int i = 0; i < ROTATIONS; i++) {
          traffic.goesOn();
          replace(file, service.rotate(issued.id(), "{}").token(), 0);
          until(() -> settled(file)); // more than three secrets do not work at a time
        }
        traffic.goesOn();
        System.out.printf(
            "%,d requests to two nodes during %d rotations, %s: %d failed, %d refused%n",
            traffic.requests(),
            ROTATIONS,
            patient ? "with the new secret after two seconds" : "with the new secret at once",
            traffic.failed(),
            balancer.refused());
        return Math.max(traffic.failed(), balancer.refused());
      }
    }
  }

  /** Whether the client uses what is in the file by now. */
  private static boolean settled(Path file) {
    try {
      long age = System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis();
      return age > 2200;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** As if the token had been there for some seconds. */
  private void replace(Path file, String token, int seconds) throws IOException {
    Path next = Files.writeString(folder.resolve("new"), token);
    Files.setLastModifiedTime(next, FileTime.from(Instant.now().minusSeconds(seconds)));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** The administration rotates, the client goes on, and only then gets the new token. */
  private int failedDuringRotations(String wish) throws Exception {
    try (ForecastServer server = server(null);
        Balancer front = new Balancer(server.service())) {
      Service service = Service.of(server.welcome());
      Issued issued = service.issue("client", "forecast:read");
      Path file = file(issued.token());
      ForecastClient client = client(front.url(), file);
      try (Traffic traffic = new Traffic(() -> client.forecast("oslo"))) {
        for (int i = 0; i < ROTATIONS; i++) {
          traffic.goesOn();
          Issued next = service.rotate(issued.id(), wish);
          traffic.goesOn();
          replace(file, next.token(), 3); // it is taken at once: there is one node
        }
        traffic.goesOn();
        System.out.printf(
            "%,d requests on %d threads during %d rotations with %s: %d failed, %d refused%n",
            traffic.requests(), THREADS, ROTATIONS, wish, traffic.failed(), front.refused());
        return Math.max(traffic.failed(), front.refused());
      }
    }
  }

  @Test
  void several_threads_that_are_told_at_the_same_time_ask_once() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CyclicBarrier together = new CyclicBarrier(THREADS);
    try (Stub stub = new Stub(together, asked, 200, "{\"token\":\"new_token\",\"secret\":2}")) {
      Path file = file("old_token");
      ForecastClient client = client(stub.url(), file);

      inParallel(() -> client.forecast("oslo"));
      assertThat(read(file)).isEqualTo("new_token");
      while (!stub.tokens.contains("new_token")) {
        client.forecast("oslo");
      }

      assertThat(stub.tokens.subList(0, THREADS)).containsOnly("old_token");
      assertThat(asked).hasValue(1);
      try (Stream<Path> files = Files.list(folder)) {
        assertThat(files).as("nothing is left over").hasSize(1);
      }
      if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .isEqualTo("rw-------");
      }
    }
  }

  @Test
  void a_client_that_gets_no_new_secret_goes_on_and_does_not_ask_with_each_request()
      throws Exception {
    for (String answer : List.of("503 {}", "403 {}", "200 {}", "200 {\"token\":\"a b\"}")) {
      AtomicInteger asked = new AtomicInteger();
      int status = Integer.parseInt(answer.substring(0, 3));
      try (Stub stub = new Stub(new CyclicBarrier(1), asked, status, answer.substring(4))) {
        Path file = file("old_token");
        ForecastClient client = client(stub.url(), file);

        for (int i = 0; i < 50; i++) {
          assertThat(client.forecast("oslo")).isEqualTo("ok");
        }

        assertThat(asked).hasValue(1);
        assertThat(read(file)).isEqualTo("old_token");
      }
    }
  }

  @Test
  void a_client_that_was_idle_for_long_does_not_send_its_old_token_again() throws Exception {
    try (Stub stub = new Stub(new CyclicBarrier(1), new AtomicInteger(), 200, "")) {
      Path file = file("old_token");
      ForecastClient client = client(stub.url(), file);
      Files.writeString(file, "new_token");
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(3)));

      client.forecast("oslo");

      assertThat(stub.tokens).containsExactly("new_token");
    }
  }

  @Test
  void a_client_with_its_key_in_the_environment_asks_for_no_other() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (Stub stub = new Stub(new CyclicBarrier(1), asked, 200, "{\"token\":\"new_token\"}")) {
      ClientKey key = new ClientKey(Map.of("FORECAST_API_KEY", "old_token"));
      ForecastClient client = new ForecastClient(URI.create(stub.url()), key, seconds -> {});

      assertThat(client.forecast("oslo")).isEqualTo("ok");
      assertThat(client.forecast("oslo")).isEqualTo("ok");

      assertThat(asked).hasValue(0);
    }
  }

  @Test
  void a_link_to_the_file_stays_a_link() throws Exception {
    try (Stub stub =
        new Stub(new CyclicBarrier(1), new AtomicInteger(), 200, "{\"token\":\"new_token\"}")) {
      Path file = file("old_token");
      Path link = Files.createSymbolicLink(folder.resolve("link"), file);

      client(stub.url(), link).forecast("oslo");

      assertThat(link).isSymbolicLink();
      assertThat(read(file)).isEqualTo("new_token");
    }
  }

  private ForecastServer server(String rotationAge) throws Exception {
    return server(rotationAge, null);
  }

  private ForecastServer server(String rotationAge, String jdbcUrl) throws Exception {
    Map<String, String> values = new HashMap<>();
    values.put("forecast.port", "0");
    values.put("forecast.admin.port", "0");
    values.put("forecast.data", folder.resolve("data").toString());
    values.put("forecast.rotation.age", rotationAge);
    values.put("forecast.jdbc.url", jdbcUrl);
    return ForecastServer.start(new Settings(values::get));
  }

  private Path file(String token) throws IOException {
    return Files.writeString(folder.resolve("key"), token);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static ForecastClient client(String url, Path file) throws IOException {
    ClientKey key = new ClientKey(Map.of("FORECAST_API_KEY_FILE", file.toString()));
    return new ForecastClient(URI.create(url), key, seconds -> {});
  }

  private static JsonNode history(Service service, String id) {
    return Service.json(service.administer("GET", "/keys/" + id + "/history", ""));
  }

  private static void until(BooleanSupplier condition) {
    long began = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - began > TimeUnit.MINUTES.toNanos(5)) {
        throw new AssertionError("waited in vain");
      }
      LockSupport.parkNanos(1_000_000); // the cores are for the traffic
    }
  }

  /** What a client does again and again. */
  private interface Call {
    void call() throws Exception;
  }

  private static void inParallel(Call call) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<Callable<Object>> calls = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      calls.add(
          () -> {
            call.call();
            return "";
          });
    }
    for (Future<Object> done : threads.invokeAll(calls)) {
      done.get();
    }
    threads.shutdown();
  }

  /** Calls without a pause until it is closed, and counts. */
  private static final class Traffic implements AutoCloseable {
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private volatile boolean over;

    Traffic(Call call) {
      for (int i = 0; i < THREADS; i++) {
        threads.execute(
            () -> {
              while (!over) {
                try {
                  call.call();
                } catch (Exception e) {
                  failed.incrementAndGet();
                }
                requests.incrementAndGet();
              }
            });
      }
    }

    int requests() {
      return requests.get();
    }

    int failed() {
      return failed.get();
    }

    /** Returns when each thread has begun and ended a request since. */
    void goesOn() {
      int before = requests.get();
      until(() -> requests.get() > before + 10 * THREADS);
    }

    @Override
    public void close() throws InterruptedException {
      over = true;
      threads.shutdown();
      threads.awaitTermination(1, TimeUnit.MINUTES);
    }
  }

  /** A service that tells who has the old token to change it, when all are there. */
  private static final class Stub implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS + 1);
    final List<String> tokens = Collections.synchronizedList(new ArrayList<>());

    Stub(CyclicBarrier together, AtomicInteger asked, int status, String body) throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setExecutor(threads);
      server.createContext(
          "/forecast",
          exchange -> {
            String token = exchange.getRequestHeaders().getFirst("X-API-Key");
            tokens.add(token);
            try {
              if (tokens.size() <= THREADS) {
                together.await();
              }
            } catch (Exception e) {
              throw new IOException(e);
            }
            if (token.equals("old_token")) {
              exchange
                  .getResponseHeaders()
                  .add("API-Key-Rotate-By", "Thu, 08 Jan 2026 00:00:00 GMT");
            }
            answer(exchange, 200, "ok");
          });
      server.createContext(
          "/key/rotate",
          exchange -> {
            assertThat(exchange.getRequestMethod()).isEqualTo("POST");
            asked.incrementAndGet();
            answer(exchange, status, body);
          });
      server.start();
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
      byte[] bytes = body.getBytes(StandardCharsets.US_ASCII);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    }

    String url() {
      return "http://localhost:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
      threads.shutdown();
    }
  }

  /** Hands requests on to one node or to several in turn, and counts those that are refused. */
  private static final class Balancer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(2 * THREADS);
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private volatile IntConsumer afterRotations = secret -> {};

    Balancer(String... nodes) throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setExecutor(threads);
      server.createContext(
          "/",
          exchange -> {
            String node = nodes[Math.floorMod(turn.getAndIncrement(), nodes.length)];
            HttpResponse<String> answer =
                Http.send(
                    exchange.getRequestMethod(),
                    node + exchange.getRequestURI(),
                    "",
                    "X-API-Key",
                    exchange.getRequestHeaders().getFirst("X-API-Key"));
            boolean rotates = exchange.getRequestMethod().equals("POST");
            if (!rotates && answer.statusCode() != 200) {
              refused.incrementAndGet();
            }
            if (rotates && answer.statusCode() == 200) {
              afterRotations.accept(Service.json(answer).at("/secret").asInt());
            }
            answer
                .headers()
                .firstValue("API-Key-Rotate-By")
                .ifPresent(by -> exchange.getResponseHeaders().add("API-Key-Rotate-By", by));
            Stub.answer(exchange, answer.statusCode(), answer.body());
          });
      server.start();
    }

    String url() {
      return "http://localhost:" + server.getAddress().getPort();
    }

    /** How many requests for a forecast were refused. */
    int refused() {
      return refused.get();
    }

    /** What is done when a client was given a secret of this number, before it hears of it. */
    void afterRotations(IntConsumer action) {
      afterRotations = action;
    }

    @Override
    public void close() {
      server.stop(0);
      threads.shutdown();
    }
  }
}
