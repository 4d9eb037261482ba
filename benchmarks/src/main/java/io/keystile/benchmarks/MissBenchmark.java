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
import org.openjdk.jmh.infra.ThreadParams;

/**
 * Validation where some keys are not in memory: most requests come from the clients of the stream,
 * the others each from a client that was not seen for long, whose key the store has to give. Wall
 * time, since the store is waited for; {@code -bm sample} shows percentiles, which mean something
 * here: a miss is far longer than a look at the clock.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class MissBenchmark {
  /** Many more than the cache holds, so that none is in it when its turn comes again. */
  private static final int STRANGERS = 100_000;

  /** The share of requests whose key is in memory. */
  @Param({"0.99", "0.9"})
  public double hits;

  /** How long the store parks the thread that loads a key, in microseconds. */
  @Param({"0", "200", "2000"})
  public int latency;

  private MapStore store;
  private ApiKeys node;
  private String[] stream;
  private long loadsBefore;

  /** Counts what a thread has sent. */
  @State(Scope.Thread)
  public static class Count {
    private int before;

    /**
     * Remembers where the client begins.
     *
     * @param client the client
     */
    @Setup
    public void begin(Client client) {
      before = client.sent();
    }

    /**
     * Makes sure that the store was asked about as often as it should, or else the row would not
     * show what it is named after. Only one thread can tell.
     *
     * @param client what was sent
     * @param benchmark what was asked
     * @param threads how many sent
     */
    @TearDown
    public void check(Client client, MissBenchmark benchmark, ThreadParams threads) {
      if (threads.getThreadCount() > 1) {
        return;
      }
      double sent = client.sent() - before;
      double share = (benchmark.store.loads() - benchmark.loadsBefore) / sent;
      double expected = 1 - benchmark.hits;
      if (sent > 10_000 && (share < expected / 2 || share > expected * 2)) {
        throw new IllegalStateException("The share of misses was " + share);
      }
    }
  }

  /**
   * Issues the keys, and puts strangers in among the clients of the stream.
   *
   * @param order of the tokens
   */
  @Setup
  public void prepare(TokenStream order) {
    store = MapStore.late(TimeUnit.MICROSECONDS.toNanos(latency));
    String[] known = Node.tokens(Kind.GOOD, order, store, List.of(), Node.SPEC);
    TokenStream others = new TokenStream();
    others.population = STRANGERS;
    String[] strangers = Node.tokens(Kind.GOOD, others, store, List.of(), Node.SPEC);
    node =
        Node.builder(store, order.population)
            .cachedKeys(order.population + 100)
            .loaders(4, 1000)
            .build();
    SplittableRandom random = new SplittableRandom(20261122);
    stream = order.of(known);
    int stranger = 0;
    for (int i = 0; i < stream.length; i++) {
      if (random.nextDouble() >= hits) {
        stream[i] = strangers[stranger++ % STRANGERS];
      }
    }
    for (int round = 0; round < 3; round++) { // so that the cache knows who comes often
      for (String token : known) {
        node.validate(token, Node.READ, Node.HERE);
      }
    }
    loadsBefore = store.loads();
  }

  /** Closes what was opened. */
  @TearDown
  public void close() {
    node.close();
  }

  /**
   * A good token.
   *
   * @param client who sends it
   * @param count counts it
   * @return accepted
   */
  @Benchmark
  public Validation accepted(Client client, Count count) {
    Validation answer = node.validate(client.next(stream), Node.READ, Node.HERE);
    if (!answer.isAccepted()) {
      throw new IllegalStateException("a good token was answered with " + answer);
    }
    return answer;
  }
}
