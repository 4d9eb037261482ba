package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.keystile.examples.Service.Issued;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many clients at once, over HTTP, and a recount of what was let through. The recount cannot count
 * too much: the limiter let a request in at some time between the one at which its client began to
 * send it and the one at which the client had its answer, and both are read from the clock that the
 * limiter reads. A request is counted in an interval only if both lie in it, so whatever network
 * and threads did, it was let in there. At the edges it may count too little; how much it counts is
 * checked as well, and a bucket of tokens must be caught by it.
 */
class LimitsLoadTest {
  private static final int CLIENTS = 32;
  private static final Duration SECOND = Duration.ofSeconds(1);

  @TempDir private Path data;

  /** A request that was let in. */
  private record Passed(long sent, long answered) {}

  /** What came of the requests of all clients. */
  private record Outcome(List<Passed> passed, int refused) {

    /** The most that were let in within one interval of this length, for certain. */
    int worst(Duration length) {
      List<Passed> inOrder =
          passed.stream().sorted(Comparator.comparingLong(Passed::sent)).toList();
      int worst = 0;
      for (int first = 0; first < inOrder.size(); first++) {
        long end = inOrder.get(first).sent() + length.toNanos();
        int inside = 0;
        for (int i = first; i < inOrder.size() && inOrder.get(i).sent() <= end; i++) {
          inside += inOrder.get(i).answered() <= end ? 1 : 0;
        }
        worst = Math.max(worst, inside);
      }
      return worst;
    }
  }

  @Test
  void no_second_and_no_minute_lets_more_through_than_its_limit() throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      Service service = Service.of(server.welcome());
      List<Issued> team = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        team.add(service.issueOn("team", "a team of four keys", "forecast:read"));
      }
      Issued trial = service.issueOn("trial", "client", "forecast:read");
      String url = server.service() + "/forecast/oslo";

      Outcome ofTrial = hammer(url, List.of(trial), Duration.ofMillis(500));
      Outcome ofTeam = hammer(url, team, Duration.ofMillis(3_100));

      print("trial, 10 a minute", ofTrial, Duration.ofMinutes(1), 10);
      print("team, 50 a second", ofTeam, SECOND, 50);
      assertThat(ofTrial.worst(Duration.ofMinutes(1))).isEqualTo(10);
      assertThat(ofTeam.worst(SECOND)).isBetween(25, 50);
      assertThat(ofTeam.refused()).isGreaterThan(100);
    }
  }

  @Test
  void a_bucket_of_tokens_is_caught() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    Bucket bucket = new Bucket(50);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(bucket.take() ? 200 : 429, -1);
          exchange.close();
        });
    server.start();
    try {
      String url = "http://localhost:" + server.getAddress().getPort() + "/";
      Outcome outcome = hammer(url, List.of(new Issued("", "anything")), Duration.ofMillis(1_500));

      print("a bucket of tokens, 50 a second", outcome, SECOND, 50);
      assertThat(outcome.worst(SECOND)).isGreaterThan(50);
    } finally {
      server.stop(0);
      threads.shutdown();
    }
  }

  private static void print(String what, Outcome outcome, Duration length, int limit) {
    int worst = outcome.worst(length);
    System.out.printf(
        "%s, %d clients: %,d let through, %,d refused; worst window %d, above the limit %d%n",
        what,
        CLIENTS,
        outcome.passed().size(),
        outcome.refused(),
        worst,
        Math.max(0, worst - limit));
  }

  /** All clients send one request after the other, for so long. */
  private static Outcome hammer(String url, List<Issued> keys, Duration time) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    List<Passed> passed = Collections.synchronizedList(new ArrayList<>());
    List<Callable<Integer>> clients = new ArrayList<>();
    long began = System.nanoTime();
    for (int i = 0; i < CLIENTS; i++) {
      String token = keys.get(i % keys.size()).token();
      clients.add(
          () -> {
            int refused = 0;
            while (System.nanoTime() - began < time.toNanos()) {
              long sent = System.nanoTime();
              int status = Http.get(url, "X-API-Key", token).statusCode();
              long answered = System.nanoTime();
              assertThat(status).isIn(200, 429);
              if (status == 200) {
                passed.add(new Passed(sent, answered));
              } else {
                refused++;
              }
            }
            return refused;
          });
    }
    int refused = 0;
    for (Future<Integer> client : threads.invokeAll(clients)) {
      refused += client.get();
    }
    threads.shutdown();
    return new Outcome(List.copyOf(passed), refused);
  }

  /** What is often used: it is filled again as fast as the limit says, and full at first. */
  private static final class Bucket {
    private final double size;
    private double tokens;
    private long filledAt = System.nanoTime();

    Bucket(int size) {
      this.size = size;
      tokens = size;
    }

    synchronized boolean take() {
      long now = System.nanoTime();
      tokens = Math.min(size, tokens + (now - filledAt) * size / SECOND.toNanos());
      filledAt = now;
      boolean enough = tokens >= 1;
      tokens -= enough ? 1 : 0;
      return enough;
    }
  }
}
