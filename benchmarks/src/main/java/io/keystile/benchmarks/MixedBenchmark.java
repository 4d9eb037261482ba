package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.Validation;
import io.keystile.benchmarks.TokenStream.Client;
import java.util.List;
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

/** Good tokens of keys with four windows, and bad ones among them, in no order to be foreseen. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class MixedBenchmark {

  /** What the bad ones are. */
  @Param({"MALFORMED", "BAD_CHECKSUM", "UNKNOWN", "WRONG_SECRET", "REVOKED", "EXPIRED"})
  public Kind kind = Kind.UNKNOWN;

  /** Which share of all they are. */
  @Param({"0.01", "0.5"})
  public double bad;

  private ApiKeys node;
  private String[] stream;

  /**
   * Issues the keys, and puts bad tokens in among the good ones of the stream.
   *
   * @param order of the tokens
   */
  @Setup
  public void prepare(TokenStream order) {
    MapStore store = new MapStore();
    String[] good = Node.tokens(Kind.GOOD, order, store, List.of(), Node.SPEC);
    String[] others = Node.tokens(kind, order, store, List.of(), Node.SPEC);
    node =
        Node.builder(store, 2 * order.population)
            .defaultPlan(Node.fourWindows(1_000_000_000))
            .build();
    Node.warm(node, good, Kind.GOOD);
    Node.warm(node, others, kind);
    SplittableRandom random = new SplittableRandom(20261123);
    stream = order.of(good);
    String[] badStream = order.of(others);
    for (int i = 0; i < stream.length; i++) {
      if (random.nextDouble() < bad) {
        stream[i] = badStream[i];
      }
    }
  }

  /** Closes what was opened. */
  @TearDown
  public void close() {
    node.close();
  }

  /**
   * A token, good or bad.
   *
   * @param client who sends it
   * @return the answer
   */
  @Benchmark
  public Validation validated(Client client) {
    return node.validate(client.next(stream), Node.READ, Node.HERE);
  }
}
