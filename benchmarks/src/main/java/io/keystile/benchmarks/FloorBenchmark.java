package io.keystile.benchmarks;

import io.keystile.benchmarks.TokenStream.Client;
import java.security.DigestException;
import java.security.MessageDigest;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The floor under a validation: what nobody can leave out. A validation has to read one token, to
 * hash it and to read one clock, so its cost is told as a multiple of these.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class FloorBenchmark {

  /** The tokens that clients send: real ones, in the order in which all rows read them. */
  @State(Scope.Benchmark)
  public static class Tokens {
    private String[] stream;

    /**
     * Makes the tokens.
     *
     * @param order the stream
     */
    @Setup
    public void make(TokenStream order) {
      stream = order.of(order.texts());
    }
  }

  /** One client thread: a digest, room for its input and its result. */
  @State(Scope.Thread)
  public static class Hasher {
    private final byte[] text = new byte[Sha256.LENGTH];
    private final byte[] hash = new byte[32];
    private final MessageDigest sha256 = Sha256.digest();
  }

  /**
   * Reads the next token and does nothing with it: how much of the others the stream is.
   *
   * @param tokens the stream
   * @param client who sends it
   * @return the token
   */
  @Benchmark
  public String token(Tokens tokens, Client client) {
    return client.next(tokens.stream);
  }

  /**
   * Reads the next token and hashes the 55 bytes of it that a validation hashes, with a digest that
   * is at hand and no allocation.
   *
   * @param tokens the stream
   * @param client who sends it
   * @param hasher hashes it
   * @return the hash
   * @throws DigestException never: the room is large enough
   */
  @Benchmark
  public byte[] sha256(Tokens tokens, Client client, Hasher hasher) throws DigestException {
    Sha256.copy(client.next(tokens.stream), hasher.text);
    hasher.sha256.update(hasher.text, 0, Sha256.LENGTH);
    hasher.sha256.digest(hasher.hash, 0, hasher.hash.length);
    return hasher.hash;
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
