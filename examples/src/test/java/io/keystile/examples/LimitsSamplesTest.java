package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.Validation;
import io.keystile.http.HttpDenial;
import io.keystile.http.HttpGate;
import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The code of the page on limits does what it says, and so do its figures. */
class LimitsSamplesTest {
  private static final Path PAGE = Path.of("../docs/limits.md");
  private static final Origin ANYWHERE = Origin.of("192.0.2.7");

  private final ApiKeys keys = LimitsSamples.open(new InMemoryKeyStore());
  private final IssuedKey issued = LimitsSamples.issue(keys);
  private final String token = issued.revealToken();

  @AfterEach
  void close() {
    keys.close();
  }

  private Decision limits() {
    return ((Accepted) keys.peek(token, Access.authenticated(), ANYWHERE)).limits();
  }

  @Test
  void a_key_has_the_windows_of_its_plan_then_its_own_then_those_of_its_plan_again() {
    assertThat(limits().windows()).hasSize(3);

    LimitsSamples.own(keys, issued.id());
    assertThat(limits().windows())
        .extracting(Decision.Standing::window)
        .containsExactly(Window.perSecond(100), Window.perDay(5_000_000));
    LimitsSamples.usual(keys, issued.id());
    assertThat(limits().windows()).hasSize(3);

    LimitsSamples.change(keys);
    assertThat(limits().windows())
        .extracting(Decision.Standing::window)
        .containsExactly(Window.perSecond(100));
  }

  @Test
  void what_was_sent_is_charged_and_a_dear_request_costs_what_it_says() {
    LimitsSamples.charge(keys, token, ANYWHERE, key -> 1_000_000);
    assertThat(limits().windows().get(2).used()).isEqualTo(1_000_000);
    assertThat(LimitsSamples.whenToComeBack(keys, token, ANYWHERE)).isZero();

    IssuedKey exporter = keys.issue(KeySpec.forOwner("exporter").plan("team").scopes("export:csv"));
    Access export = LimitsSamples.dear();
    keys.validate(exporter.revealToken(), export, ANYWHERE);
    Validation second = keys.validate(exporter.revealToken(), export, ANYWHERE);
    assertThat(((Accepted) second).limits().windows().get(1).used()).isEqualTo(40);
  }

  @Test
  void who_is_refused_is_told_when_to_come_back() {
    Plan small = Plan.of("team", Window.perDay(1));
    keys.changePlans(Plan.free(), small);

    assertThat(LimitsSamples.whenToComeBack(keys, token, ANYWHERE)).isZero();
    assertThat(LimitsSamples.whenToComeBack(keys, token, ANYWHERE))
        .isBetween(Duration.ofHours(23), Duration.ofDays(1).plusMillis(1));
  }

  @Test
  void nodes_share_limits_through_the_store() {
    InMemoryKeyStore store = new InMemoryKeyStore();
    Plan team = Plan.of("team", Window.perDay(100));
    try (ApiKeys one = LimitsSamples.openShared(store, team);
        ApiKeys two = LimitsSamples.openShared(store, team)) {
      IssuedKey shared = one.issue(KeySpec.forOwner("weather-app").plan("team"));
      int accepted = 0;
      for (int i = 0; i < 200; i++) {
        ApiKeys node = i % 2 == 0 ? one : two;
        accepted +=
            node.validate(shared.revealToken(), Access.authenticated(), ANYWHERE).isAccepted()
                ? 1
                : 0;
      }
      assertThat(accepted).isBetween(1, 110);
    }
  }

  @Test
  void the_limiter_alone_limits_addresses() {
    Limiter<String> addresses = LimitsSamples.alone();
    int letIn = 0;
    for (int i = 0; i < 15; i++) {
      letIn += LimitsSamples.before(addresses, "192.0.2.7") == 200 ? 1 : 0;
    }

    assertThat(letIn).isEqualTo(15);
    assertThat(addresses.peek("192.0.2.7", 100).refusing()).hasSize(1);
    assertThat(addresses.peek("192.0.2.8", 1).windows().get(1).used()).isZero();
  }

  /** An eleventh request on the smallest plan of the example. */
  @Test
  void the_answer_on_the_page_is_that_of_the_example() throws Exception {
    AtomicLong millis = new AtomicLong();
    try (ApiKeys node =
        ApiKeys.builder(new InMemoryKeyStore())
            .brand("acme")
            .environment("live")
            .plans(Plans.of(new Settings(name -> null)))
            .time(InstantSource.system(), () -> millis.get() * 1_000_000)
            .build()) {
      String trial = node.issue(KeySpec.forOwner("client").plan(Plans.TRIAL)).revealToken();
      Access access = Access.authenticated();
      for (int i = 0; i < 10; i++) {
        assertThat(node.validate(trial, access, ANYWHERE).isAccepted()).isTrue();
      }
      millis.addAndGet(4_200);
      HttpDenial denial =
          HttpDenial.of((Rejected) node.validate(trial, access, ANYWHERE), access)
              .withRateLimitFields();

      String headers =
          denial.headers().stream()
              .map(header -> header.getKey() + ": " + header.getValue() + "\n")
              .collect(Collectors.joining());
      assertThat(Files.readString(PAGE))
          .contains("HTTP/1.1 429 Too Many Requests\n" + headers + "\n" + denial.body() + "\n");
      assertThat(HttpGate.rateLimitFieldsOf(accepted())).hasSize(2);
      HttpGate<HttpExchange> gate = LimitsSamples.gate(node, new ApiKeyGuard(node, "forecast"));
      assertThat(gate).isNotNull();
    }
  }

  private Accepted accepted() {
    return (Accepted) keys.validate(token, Access.authenticated(), ANYWHERE);
  }

  /** Limit, and what is let through at least: as the page says it of the default plan. */
  @ParameterizedTest
  @CsvSource({"10, 10", "300, 267", "5000, 4445", "50000, 44445"})
  void so_much_is_let_through_at_least_whatever_came_before(int limit, int least) throws Exception {
    AtomicLong millis = new AtomicLong();
    Limiter<String> limiter =
        Limiter.builder(Plan.of("one", Window.perMinute(limit)))
            .ticker(() -> millis.get() * 1_000_000)
            .build();
    Deque<Long> inside = new ArrayDeque<>();
    int fewest = limit;
    for (int i = 0; i < 8 * limit; i++) { // twice as often as it may, for four minutes
      millis.set(30_000L * i / limit);
      while (!inside.isEmpty() && inside.peekFirst() < millis.get() - 60_000) {
        inside.removeFirst();
      }
      if (limiter.tryAcquire("key")) {
        inside.addLast(millis.get());
      } else {
        fewest = Math.min(fewest, inside.size());
      }
    }

    assertThat(fewest).isBetween(least, limit);
    assertThat(Files.readString(PAGE)).contains("| %,d | %,d |".formatted(limit, least));
  }

  private static final int LIMIT = 100;
  private static final long MINUTE = 60_000;

  @Test
  void the_usual_ways_let_twice_the_limit_through() {
    AtomicLong millis = new AtomicLong();
    Limiter<String> ours =
        Limiter.builder(Plan.of("ours", Window.perMinute(LIMIT)))
            .ticker(() -> millis.get() * 1_000_000)
            .build();
    int worst =
        worst(
            now -> {
              millis.set(now);
              return ours.tryAcquire("key");
            });
    int fixed = worst(fixedWindow());
    int bucket = worst(tokenBucket());
    int two = worst(twoBuckets());

    System.out.printf(
        "worst minute of %d: here %d; fixed window %d, token bucket %d, two buckets %d%n",
        LIMIT, worst, fixed, bucket, two);
    assertThat(worst).isEqualTo(LIMIT);
    assertThat(fixed).isEqualTo(2 * LIMIT);
    assertThat(bucket).isGreaterThan(2 * LIMIT - 3);
    assertThat(two).isGreaterThan(2 * LIMIT - 3);
  }

  /** A burst in the last moment of a window, and then all that is let in, at each millisecond. */
  private static int worst(LongPredicate limiter) {
    Deque<Long> inside = new ArrayDeque<>();
    int worst = 0;
    for (long now = MINUTE - 1; now < 4 * MINUTE; now++) {
      for (int i = 0; i < 2 * LIMIT && limiter.test(now); i++) {
        inside.addLast(now);
      }
      while (!inside.isEmpty() && inside.peekFirst() <= now - MINUTE) {
        inside.removeFirst();
      }
      worst = Math.max(worst, inside.size());
    }
    return worst;
  }

  private static LongPredicate fixedWindow() {
    long[] windowAndCount = new long[2];
    return now -> {
      if (windowAndCount[0] != now / MINUTE) {
        windowAndCount[0] = now / MINUTE;
        windowAndCount[1] = 0;
      }
      return windowAndCount[1]++ < LIMIT;
    };
  }

  private static LongPredicate tokenBucket() {
    double[] tokensAndTime = {LIMIT, MINUTE - 1};
    return now -> {
      double flown = (now - tokensAndTime[1]) * LIMIT / MINUTE;
      double tokens = Math.min(LIMIT, tokensAndTime[0] + flown);
      boolean enough = tokens >= 1;
      tokensAndTime[0] = enough ? tokens - 1 : tokens;
      tokensAndTime[1] = now;
      return enough;
    };
  }

  private static LongPredicate twoBuckets() {
    long[] windowAndCounts = new long[3];
    return now -> {
      long window = now / MINUTE;
      if (windowAndCounts[0] != window) {
        windowAndCounts[2] = windowAndCounts[0] + 1 == window ? windowAndCounts[1] : 0;
        windowAndCounts[1] = 0;
        windowAndCounts[0] = window;
      }
      double share = 1 - (double) (now % MINUTE) / MINUTE;
      boolean enough = windowAndCounts[1] + windowAndCounts[2] * share + 1 <= LIMIT;
      windowAndCounts[1] += enough ? 1 : 0;
      return enough;
    };
  }
}
