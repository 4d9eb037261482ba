package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.TokenTexts;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * The order in which clients send their tokens, the same for every row that is compared: drawn from
 * a fixed seed, so that each row reads its tokens from memory as the others do. (The tokens
 * themselves are issued anew in each run.)
 */
@State(Scope.Benchmark)
public class TokenStream {
  /** Length of the stream, a power of two: long enough that most of a million keys are in it. */
  static final int LENGTH = 1 << 20;

  private static final long SEED = 20261121;

  /** How many different tokens there are: these fit a cache of the processor, or do not. */
  @Param({"1000"})
  public int population;

  /** How unequal the clients are: 0 draws all keys equally often, 0.99 a few most of the time. */
  @Param({"0.99"})
  public double zipf;

  private int[] order = {};

  /** Draws the order. */
  @Setup
  public void draw() {
    order = Zipf.draw(population, zipf, LENGTH, SEED);
  }

  /** As many tokens as there are clients, of no keys yet. */
  String[] texts() {
    TokenTexts texts = new TokenTexts();
    return IntStream.range(0, population)
        .parallel()
        .mapToObj(i -> texts.next())
        .toArray(String[]::new);
  }

  /**
   * Issues as many keys as there are in the stream, on all processors.
   *
   * @param issuer issues them
   * @param spec of each key
   * @return them
   */
  IssuedKey[] issue(ApiKeys issuer, KeySpec spec) {
    return IntStream.range(0, population)
        .parallel()
        .mapToObj(i -> issuer.issue(spec))
        .toArray(IssuedKey[]::new);
  }

  /**
   * The stream of these tokens.
   *
   * @param tokens one of each client
   * @return {@link #LENGTH} of them, in the order of the stream
   */
  String[] of(String[] tokens) {
    String[] stream = new String[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      stream[i] = tokens[order[i]];
    }
    return stream;
  }

  /**
   * A part of the stream that holds whole clients only.
   *
   * @param tokens one of each client
   * @param part from 0
   * @param parts how many parts there are
   * @return those of the clients of this part, in the order of the stream, as long as all of it
   */
  String[] of(String[] tokens, int part, int parts) {
    int[] own = IntStream.of(order).filter(client -> client % parts == part).toArray();
    String[] stream = new String[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      stream[i] = tokens[own[i % own.length]];
    }
    return stream;
  }

  /**
   * The tokens of keys.
   *
   * @param keys the keys
   * @param token what is sent for a key
   * @return one for each
   */
  static String[] tokens(IssuedKey[] keys, Function<IssuedKey, String> token) {
    return IntStream.range(0, keys.length)
        .parallel()
        .mapToObj(i -> token.apply(keys[i]))
        .toArray(String[]::new);
  }

  /** One thread that sends: its place in the stream. */
  @State(Scope.Thread)
  public static class Client {
    private int at;

    /**
     * Each thread begins elsewhere.
     *
     * @param threads tells which one this is
     */
    @Setup
    public void begin(ThreadParams threads) {
      at = threads.getThreadIndex() * (LENGTH / threads.getThreadCount());
    }

    String next(String[] stream) {
      return stream[at++ & (LENGTH - 1)];
    }

    /** How many were sent. */
    int sent() {
      return at;
    }
  }
}
