package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.Validation;
import io.keystile.benchmarks.TokenStream.Client;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * Warm validation by several threads ({@code -t 2}), each with clients of its own: what they get in
 * each other's way over is then not the keys but the library. All of {@link ValidationBenchmark}
 * runs with several threads as well, which share their keys there.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class ThreadsBenchmark {

  /** A node that all threads share. */
  @State(Scope.Benchmark)
  public static class Shared {
    private ApiKeys node;
    private String[] tokens;

    /**
     * Issues the keys, with four windows each, and warms them.
     *
     * @param order of the tokens
     */
    @Setup
    public void prepare(TokenStream order) {
      MapStore store = new MapStore();
      tokens = Node.tokens(Kind.GOOD, order, store, List.of(), Node.SPEC);
      node =
          Node.builder(store, order.population)
              .defaultPlan(Node.fourWindows(1_000_000_000))
              .build();
      Node.warm(node, tokens, Kind.GOOD);
    }

    /** Closes what was opened. */
    @TearDown
    public void close() {
      node.close();
    }
  }

  /** The clients of one thread. */
  @State(Scope.Thread)
  public static class Own {
    private String[] stream;

    /**
     * Takes a part of the clients.
     *
     * @param order of the tokens
     * @param shared the tokens
     * @param threads tells which part
     */
    @Setup
    public void take(TokenStream order, Shared shared, ThreadParams threads) {
      stream = order.of(shared.tokens, threads.getThreadIndex(), threads.getThreadCount());
    }
  }

  /**
   * A good token of a key with four windows, which no other thread uses.
   *
   * @param shared the node
   * @param own the clients of this thread
   * @param client which of them is next
   * @return accepted
   */
  @Benchmark
  public Validation acceptedOwnKeys(Shared shared, Own own, Client client) {
    return shared.node.validate(client.next(own.stream), Node.READ, Node.HERE);
  }
}
