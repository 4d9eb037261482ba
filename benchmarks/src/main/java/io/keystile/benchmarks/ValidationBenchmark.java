package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.KeySpec;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.benchmarks.TokenStream.Client;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * Warm validation: every outcome, with all keys in memory. Each row has a node of its own, with
 * what it is named after and nothing else: no limits, no usage, no pepper unless asked for.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class ValidationBenchmark {
  private static final long HIGH = 1_000_000_000;
  private static final List<ServerSecret> PEPPER = List.of(Node.secret("p1", 1));

  /** Whether hashes are keyed with a pepper. */
  @Param({"false"})
  public boolean pepper;

  /** {@code system}, or {@code moving}: half a millisecond goes by with each call. */
  @Param({"system"})
  public String clock = "system";

  private ApiKeys node;
  private String[] stream;
  private long moved;

  /**
   * Issues the keys of the row that is to be measured, sends every token once, and makes sure that
   * each is answered as the row says.
   *
   * @param order of the tokens
   * @param params name the row
   */
  @Setup
  public void prepare(TokenStream order, BenchmarkParams params) {
    String name = params.getBenchmark();
    String row = name.substring(name.lastIndexOf('.') + 1);
    List<ServerSecret> peppers = pepper ? PEPPER : List.of();
    MapStore store = new MapStore();
    KeySpec spec =
        row.equals("scopesAndNetworks")
            ? Node.SPEC
                .scopes("forecast:*", "orders:read")
                .networks("192.0.2.0/24", "2001:db8::/32")
            : Node.SPEC;
    Kind kind = kind(row);
    String[] tokens = Node.tokens(kind, order, store, peppers, spec);
    node = node(row, store, order.population, peppers);
    if (row.equals("refusedByLimits")) {
      Node.warm(node, tokens, Kind.GOOD);
      requireRefused(Node.warm(node, tokens));
    } else {
      Node.warm(node, tokens, kind);
    }
    stream = order.of(tokens);
  }

  private static Kind kind(String row) {
    return switch (row) {
      case "malformed" -> Kind.MALFORMED;
      case "badChecksum" -> Kind.BAD_CHECKSUM;
      case "unknown", "forgedId" -> Kind.UNKNOWN;
      case "wrongSecret" -> Kind.WRONG_SECRET;
      case "revoked" -> Kind.REVOKED;
      case "expired" -> Kind.EXPIRED;
      case "graceOldSecret" -> Kind.OLD_SECRET;
      default -> Kind.GOOD;
    };
  }

  private ApiKeys node(String row, MapStore store, int population, List<ServerSecret> peppers) {
    ApiKeysBuilder builder = Node.builder(store, population);
    peppers.forEach(builder::pepper);
    if (clock.equals("moving")) {
      InstantSource wall = () -> Instant.now().plusNanos(moved);
      builder.time(wall, this::movingNanos);
    }
    switch (row) {
      case "acceptedWithLimits" -> builder.defaultPlan(Node.fourWindows(HIGH));
      case "acceptedOneWindow" -> builder.defaultPlan(Node.oneWindow(HIGH));
      case "refusedByLimits" -> builder.defaultPlan(Node.fourWindows(1));
      case "acceptedWithUsage" -> builder.recordUsage();
      case "forgedId" -> builder.idKey(Node.secret("i1", 2)).requireMintedIds();
      default -> {}
    }
    return builder.build();
  }

  /** One thread at a time moves it; with more, some steps are lost, which does no harm. */
  private long movingNanos() {
    moved += 500_000;
    return System.nanoTime() + moved;
  }

  private static void requireRefused(List<Validation> answers) {
    for (Validation answer : answers) {
      if (!(answer instanceof Rejected rejected) || rejected.reason() != Reason.LIMIT_EXCEEDED) {
        throw new IllegalStateException("not refused by its limits: " + answer);
      }
    }
  }

  /** Closes what was opened. */
  @TearDown
  public void close() {
    node.close();
  }

  private Validation next(Client client) {
    return node.validate(client.next(stream), Node.READ, Node.HERE);
  }

  /**
   * A good token.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation accepted(Client client) {
    return next(client);
  }

  /**
   * A good token of a key with four windows, all of them far from full.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation acceptedWithLimits(Client client) {
    return next(client);
  }

  /**
   * A good token of a key with one window.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation acceptedOneWindow(Client client) {
    return next(client);
  }

  /**
   * A good token where usage is recorded.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation acceptedWithUsage(Client client) {
    return next(client);
  }

  /**
   * The older secret of a key that has two.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation graceOldSecret(Client client) {
    return next(client);
  }

  /**
   * A good token of a key with a scope that covers others, and two networks.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation scopesAndNetworks(Client client) {
    return next(client);
  }

  /**
   * A good token of a key whose four windows are full.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation refusedByLimits(Client client) {
    return next(client);
  }

  /**
   * A token with a character in it that no token has.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation malformed(Client client) {
    return next(client);
  }

  /**
   * A token with a digit that was mistyped.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation badChecksum(Client client) {
    return next(client);
  }

  /**
   * A well-formed token of an id that is known not to exist. Not for a moving clock: such knowledge
   * lasts for an hour.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation unknown(Client client) {
    return next(client);
  }

  /**
   * A well-formed token of an id that does not carry the mark of our id key.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation forgedId(Client client) {
    return next(client);
  }

  /**
   * The id of a key with the secret of another.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation wrongSecret(Client client) {
    return next(client);
  }

  /**
   * A good token of a key that was revoked.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation revoked(Client client) {
    return next(client);
  }

  /**
   * A good token whose lifetime is over.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation expired(Client client) {
    return next(client);
  }
}
