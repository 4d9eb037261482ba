package io.keystile.benchmarks;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.limit.Plan;
import java.time.Duration;
import java.util.Random;
import java.util.SplittableRandom;
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

/** Warm validation of tokens that clients send in a fixed random order. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class ValidationBenchmark {
  private static final int STREAM = 1 << 18;
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  /** How many keys there are; all of them fit the cache. */
  @Param({"1000"})
  public int population;

  /** Whether hashes are keyed with a pepper. */
  @Param({"false", "true"})
  public boolean pepper;

  private ApiKeys keys;
  private String[] accepted;
  private String[] malformed;
  private String[] unknown;

  /** One client thread: its place in the stream. */
  @State(Scope.Thread)
  public static class Client {
    private int at;

    private String next(String[] stream) {
      return stream[at++ & (STREAM - 1)];
    }
  }

  /** Issues the keys and warms every one of them. */
  @Setup
  public void issue() {
    keys = node();
    String[] good = tokens(keys);
    String[] others;
    try (ApiKeys elsewhere = node()) {
      others = tokens(elsewhere);
    }
    String[] broken = new String[population];
    for (int i = 0; i < population; i++) {
      broken[i] = good[i].substring(0, good[i].length() - 1) + '-';
    }
    SplittableRandom random = new SplittableRandom(20261121);
    accepted = new String[STREAM];
    malformed = new String[STREAM];
    unknown = new String[STREAM];
    for (int i = 0; i < STREAM; i++) {
      int drawn = random.nextInt(population);
      accepted[i] = good[drawn];
      malformed[i] = broken[drawn];
      unknown[i] = others[drawn];
    }
    for (String token : good) {
      if (!keys.validate(token, READ, HERE).isAccepted()) {
        throw new IllegalStateException("a token that was just issued is not accepted");
      }
    }
  }

  private ApiKeys node() {
    var builder =
        ApiKeys.builder(new InMemoryKeyStore())
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .unknownIds(1_000_000, Duration.ofHours(1))
            // so that the polls of a cluster of one are not measured
            .propagation(Duration.ofHours(1))
            .maxStale(Duration.ofDays(1))
            .refreshAfter(Duration.ofDays(1))
            .entryAge(Duration.ofDays(1));
    if (pepper) {
      byte[] bytes = new byte[32];
      new Random(1).nextBytes(bytes);
      builder.pepper(ServerSecret.of("p1", bytes));
    }
    return builder.build();
  }

  private String[] tokens(ApiKeys at) {
    String[] tokens = new String[population];
    for (int i = 0; i < population; i++) {
      tokens[i] =
          at.issue(KeySpec.forOwner("owner").scopes("forecast:read", "forecast:write"))
              .revealToken();
    }
    return tokens;
  }

  /** Closes what was opened. */
  @TearDown
  public void close() {
    keys.close();
  }

  /**
   * A good token of a cached key.
   *
   * @param client who sends it
   * @return accepted
   */
  @Benchmark
  public Validation accepted(Client client) {
    return keys.validate(client.next(accepted), READ, HERE);
  }

  /**
   * A token with a character in it that no token has.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation malformed(Client client) {
    return keys.validate(client.next(malformed), READ, HERE);
  }

  /**
   * A well-formed token of an id that is known not to exist.
   *
   * @param client who sends it
   * @return rejected
   */
  @Benchmark
  public Validation unknown(Client client) {
    return keys.validate(client.next(unknown), READ, HERE);
  }
}
