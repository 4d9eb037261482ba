package io.keystile.benchmarks;

import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The floor under a validation: what nobody can leave out. A validation has to hash one token and
 * to read one clock, so its cost is told as a multiple of these.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class FloorBenchmark {
  /** Bytes that are hashed of each token: an id of 22, a separator, a secret of 32. */
  private static final int HASHED_BYTES = 55;

  /** Length of the stream of draws, a power of two. */
  private static final int STREAM = 1 << 18;

  /** Tokens made before the measurement, and the order in which clients send them. */
  @State(Scope.Benchmark)
  public static class Tokens {
    private static final String DIGITS =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /** How many different tokens there are: these fit a cache of the processor, or do not. */
    @Param({"1000", "1000000"})
    public int population;

    private byte[][] tokens = {};
    private final int[] order = new int[STREAM];

    /** Makes the tokens from a fixed seed, so that every run hashes the same. */
    @Setup
    public void make() {
      SplittableRandom random = new SplittableRandom(20261121);
      byte[] digits = DIGITS.getBytes(StandardCharsets.US_ASCII);
      tokens = new byte[population][HASHED_BYTES];
      for (byte[] token : tokens) {
        for (int i = 0; i < token.length; i++) {
          token[i] = digits[random.nextInt(digits.length)];
        }
        token[22] = '_';
      }
      for (int i = 0; i < order.length; i++) {
        order[i] = random.nextInt(population);
      }
    }
  }

  /** One client thread: its place in the stream, a digest and room for its result. */
  @State(Scope.Thread)
  public static class Client {
    private final byte[] hash = new byte[32];
    private final MessageDigest sha256 = digest();
    private int at;

    private static MessageDigest digest() {
      try {
        return MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every Java platform has SHA-256", e);
      }
    }

    private byte[] next(Tokens tokens) {
      return tokens.tokens[tokens.order[at++ & (STREAM - 1)]];
    }
  }

  /**
   * Reads the next token and does nothing with it: to be taken off from the others.
   *
   * @param tokens the stream
   * @param client who reads it
   * @return the token
   */
  @Benchmark
  public byte[] token(Tokens tokens, Client client) {
    return client.next(tokens);
  }

  /**
   * Hashes the next token, with a digest that is at hand and no allocation.
   *
   * @param tokens the stream
   * @param client who reads it
   * @return the hash
   * @throws DigestException never: the room is large enough
   */
  @Benchmark
  public byte[] sha256(Tokens tokens, Client client) throws DigestException {
    client.sha256.update(client.next(tokens), 0, HASHED_BYTES);
    client.sha256.digest(client.hash, 0, client.hash.length);
    return client.hash;
  }

  /**
   * Reads the wall clock, as each validation does once.
   *
   * @return milliseconds since 1970
   */
  @Benchmark
  public long clock() {
    return System.currentTimeMillis();
  }
}
