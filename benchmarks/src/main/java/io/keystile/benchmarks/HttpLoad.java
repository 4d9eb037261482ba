package io.keystile.benchmarks;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Sends requests with a key to a service on this machine, at a fixed rate and whether it keeps up
 * or not, and tells how long they took from when they were <em>due</em>. So a request that had to
 * wait because the one before it was slow is as late as its client would see it.
 *
 * <pre>{@code
 * java -cp benchmarks.jar io.keystile.benchmarks.HttpLoad http://localhost:8080/forecast/oslo <token> 500 30
 * }</pre>
 */
public final class HttpLoad {
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|\\[::1]");
  private static final int WARM_UP_SECONDS = 5;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** Times up to this are told apart, in microseconds. */
  private static final long LONGEST = TimeUnit.MINUTES.toMicros(10);

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final HttpRequest request;
  private final long interval;

  /**
   * @param rate requests per second
   */
  HttpLoad(URI url, String token, int rate) {
    request =
        HttpRequest.newBuilder(url)
            .timeout(TIMEOUT)
            .header("Authorization", "Bearer " + token)
            .build();
    interval = TimeUnit.SECONDS.toNanos(1) / rate;
  }

  /**
   * What came of a run.
   *
   * @param micros from when each request was due to its answer, in microseconds
   * @param answers how many there were of each status; 0 stands for none at all
   * @param seconds from when the first was due to the last answer
   */
  record Outcome(Histogram micros, Map<Integer, LongAdder> answers, double seconds) {
    private double millis(double percentile) {
      return micros.getValueAtPercentile(percentile) / 1e3;
    }

    /** In words. */
    String text() {
      return String.format(
          Locale.ROOT,
          "%d answers %s in %.1f s: %.0f a second%n"
              + "ms since each was due: p50 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f",
          micros.getTotalCount(),
          answers,
          seconds,
          micros.getTotalCount() / seconds,
          millis(50),
          millis(99),
          millis(99.9),
          millis(100));
    }
  }

  /**
   * Sends, and waits for the last answer.
   *
   * @param count how many requests
   * @return what came of it
   */
  Outcome run(int count) {
    Histogram micros = new ConcurrentHistogram(LONGEST, 3);
    Map<Integer, LongAdder> answers = new ConcurrentSkipListMap<>();
    Phaser pending = new Phaser(1);
    long begin = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long due = begin + i * interval;
      for (long rest = due - System.nanoTime(); rest > 0; rest = due - System.nanoTime()) {
        LockSupport.parkNanos(rest);
      }
      pending.register();
      send(due, micros, answers, pending);
    }
    await(pending);
    return new Outcome(micros, answers, (System.nanoTime() - begin) / 1e9);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what comes of it is counted
  private void send(long due, Histogram micros, Map<Integer, LongAdder> answers, Phaser pending) {
    client
        .sendAsync(request, HttpResponse.BodyHandlers.discarding())
        .whenComplete(
            (answer, failure) -> {
              long took = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - due);
              micros.recordValue(Math.min(took, LONGEST));
              int status = failure == null ? answer.statusCode() : 0;
              answers.computeIfAbsent(status, s -> new LongAdder()).increment();
              pending.arriveAndDeregister();
            });
  }

  private static void await(Phaser pending) {
    try {
      pending.awaitAdvanceInterruptibly(pending.arrive(), 1, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException e) {
      throw new IllegalStateException("requests without an answer", e);
    }
  }

  /** Whether a URL is on this machine, as it is written: no name is looked up. */
  static boolean isHere(URI url) {
    String host = url.getHost();
    return "http".equals(url.getScheme()) && host != null && LOOPBACK.matcher(host).matches();
  }

  /**
   * Runs it, after five seconds to warm up.
   *
   * @param args the URL, a token, the rate per second, for how many seconds, and, if the share of
   *     the validation is to be told, what one costs in nanoseconds
   */
  public static void main(String[] args) {
    if (args.length < 4 || args.length > 5) {
      System.err.println("Usage: HttpLoad <url> <token> <rate> <seconds> [validation nanoseconds]");
      System.exit(2);
      return;
    }
    URI url = URI.create(args[0]);
    if (!isHere(url)) {
      System.err.println(
          "Only http URLs of localhost: this is no tool against the services of others");
      System.exit(2);
      return;
    }
    int rate = Integer.parseInt(args[2]);
    HttpLoad load = new HttpLoad(url, args[1], rate);
    load.run(WARM_UP_SECONDS * rate);
    Outcome outcome = load.run(Integer.parseInt(args[3]) * rate);
    System.out.println(outcome.text());
    if (args.length == 5) {
      double share = Double.parseDouble(args[4]) / 1e3 / outcome.micros().getValueAtPercentile(50);
      System.out.printf(Locale.ROOT, "A validation is %.3f %% of the median.%n", 100 * share);
    }
    System.exit(outcome.answers().keySet().stream().allMatch(s -> s / 100 == 2) ? 0 : 1);
  }
}
