package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A change of pepper that is rolled out over two nodes on one database, under traffic. */
class PepperRollOutTest {
  private static final int KEYS = 50;
  private static final int STEPS = 3;
  private static final int ORDERS = 1 << STEPS;

  /** For a build one order and its opposite, in a campaign all. */
  private static final boolean ALL = Integer.getInteger("keystile.rounds", 500) > 500;

  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(60);
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final String OK = "accepted";
  private static final ServerSecret P1 = secret("p1", 1);
  private static final ServerSecret P2 = secret("p2", 2);

  private final AtomicReference<Instant> time =
      new AtomicReference<>(Instant.parse("2026-11-21T12:00:00Z"));

  private static ServerSecret secret(String id, int fill) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) fill);
    return ServerSecret.of(id, bytes);
  }

  private ApiKeys open(KeyStore store, UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(time::get, System::nanoTime)
            .propagation(Duration.ofMillis(500))
            .refreshAfter(Duration.ofSeconds(1)) // a hash that was young is looked at again then
            .loadDeadline(Duration.ofMinutes(1));
    return options.apply(builder).build();
  }

  /** A node under traffic that is replaced by its next version without a pause. */
  private final class Slot implements AutoCloseable {
    private final KeyStore store;
    private final List<String> tokens;
    private final Map<String, LongAdder> verdicts = new ConcurrentHashMap<>();
    private final AtomicInteger passes = new AtomicInteger();
    private final Thread traffic = new Thread(this::run, "traffic");
    private volatile boolean stopped;
    private ApiKeys node;

    Slot(KeyStore store, List<String> tokens, UnaryOperator<ApiKeysBuilder> options) {
      this.store = store;
      this.tokens = tokens;
      node = open(store, options);
      traffic.start();
    }

    private void run() {
      while (!stopped) {
        for (String token : tokens) {
          verdicts.computeIfAbsent(verdict(token), verdict -> new LongAdder()).increment();
        }
        passes.incrementAndGet();
      }
    }

    private synchronized String verdict(String token) {
      Validation result = node.validate(token, ANY, HERE);
      return result instanceof Rejected rejected ? rejected.reason().name() : OK;
    }

    /** The next version takes over; the old one is not used any more when it is closed. */
    void deploy(UnaryOperator<ApiKeysBuilder> options) {
      ApiKeys next = open(store, options);
      ApiKeys old;
      synchronized (this) {
        old = node;
        node = next;
      }
      old.close();
    }

    synchronized ApiKeys node() {
      return node;
    }

    /** Returns when every key was used twice from now on. */
    void awaitTraffic() {
      int now = passes.get();
      until(() -> passes.get() > now + 2);
    }

    long count(String verdict) {
      return verdicts.getOrDefault(verdict, new LongAdder()).sum();
    }

    long refused() {
      return verdicts.entrySet().stream()
          .filter(verdict -> !verdict.getKey().equals(OK))
          .mapToLong(verdict -> verdict.getValue().sum())
          .sum();
    }

    @Override
    public void close() throws InterruptedException {
      stopped = true;
      traffic.join();
      node.close();
    }
  }

  private static void until(BooleanSupplier condition) {
    long began = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - began > LONGEST) {
        throw new AssertionError("waited in vain");
      }
      Thread.onSpinWait();
    }
  }

  /** By two hours, after which no hash is young any more. */
  private void pass() {
    time.updateAndGet(now -> now.plus(Duration.ofHours(2)));
  }

  private List<String> issued(KeyStore store) {
    List<String> tokens = new CopyOnWriteArrayList<>();
    try (ApiKeys issuer = open(store, x -> x.pepper(P1))) {
      for (int i = 0; i < KEYS; i++) {
        tokens.add(issue(issuer));
      }
    }
    pass();
    return tokens;
  }

  private static String issue(ApiKeys node) {
    return node.issue(KeySpec.forOwner("weather-app")).revealToken();
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "POSTGRESQL"})
  void nobody_is_refused_whichever_node_comes_first_in_each_step(Database database)
      throws Exception {
    int drawn = new SplittableRandom(SEED).nextInt(ORDERS);
    for (int order = 0; order < ORDERS; order++) {
      if (ALL || order == drawn || order == ORDERS - 1 - drawn) {
        rollOut(database, order);
      }
    }
  }

  /** The bits of the order say which node comes first in each of the steps. */
  private void rollOut(Database database, int order) throws Exception {
    List<UnaryOperator<ApiKeysBuilder>> steps =
        List.of(x -> x.pepper(P1, P2), x -> x.pepper(P2, P1), x -> x.pepper(P2));
    try (HikariDataSource source = database.fresh()) {
      KeyStore store = JdbcKeyStore.builder(source).initializeSchema(true).build();
      List<String> tokens = issued(store);
      try (Slot a = new Slot(store, tokens, x -> x.pepper(P1));
          Slot b = new Slot(store, tokens, x -> x.pepper(P1))) {
        for (int step = 0; step < STEPS; step++) {
          if (step == 2) {
            pass(); // what was issued meanwhile was left alone for a while
            until(() -> a.node().countNeeding("p1") == 0);
          }
          boolean isSwapped = (order >> step & 1) == 1;
          for (Slot slot : isSwapped ? List.of(b, a) : List.of(a, b)) {
            slot.deploy(steps.get(step));
            a.awaitTraffic();
            b.awaitTraffic();
            tokens.add(issue(slot.node())); // what one issues the other takes
          }
        }
        a.awaitTraffic();
        b.awaitTraffic();
        long rehashes = rehashes(a.node());
        System.out.printf(
            "%s, keystile.seed=%d, order %d: %,d accepted, %d refused, %d rehashes of %d keys%n",
            database,
            SEED,
            order,
            a.count(OK) + b.count(OK),
            a.refused() + b.refused(),
            rehashes,
            KEYS);
        assertThat(a.verdicts).containsOnlyKeys(OK);
        assertThat(b.verdicts).containsOnlyKeys(OK);
        assertThat(rehashes).isEqualTo(KEYS + 2); // and the two of the first step
      }
    }
  }

  private static long rehashes(ApiKeys node) {
    return node.audit(AuditFilter.all(), 0, 1000).stream()
        .map(AuditEntry::action)
        .filter("rehash"::equals)
        .count();
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "POSTGRESQL"})
  void the_twin_that_hashes_with_the_newest_pepper_at_once_is_caught(Database database)
      throws Exception {
    try (HikariDataSource source = database.fresh()) {
      KeyStore store = JdbcKeyStore.builder(source).initializeSchema(true).build();
      List<String> tokens = issued(store);
      try (Slot a = new Slot(store, tokens, x -> x.pepper(P1));
          Slot b = new Slot(store, tokens, x -> x.pepper(P1))) {
        a.deploy(x -> x.pepper(P2, P1));

        until(() -> b.refused() > KEYS);
        System.out.println(
            database + ", the twin without the first step: " + new TreeMap<>(b.verdicts));
        assertThat(a.verdicts).containsOnlyKeys(OK);
        assertThat(b.verdicts).containsOnlyKeys(OK, "PEPPER_MISSING");
      }
    }
  }
}
