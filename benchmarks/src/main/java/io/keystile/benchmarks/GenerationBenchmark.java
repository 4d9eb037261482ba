package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.TokenTexts;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a new token costs, against the random text that is taken for one elsewhere. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class GenerationBenchmark {
  private final TokenTexts texts = new TokenTexts();
  private final ApiKeys node = Node.builder(MapStore.forgetful(), 1000).build();

  /** Closes what was opened. */
  @TearDown
  public void close() {
    node.close();
  }

  /**
   * The text of a new token: id, 190 random bits, checksum. Not hashed, and no mark on the id.
   *
   * @return the text
   */
  @Benchmark
  public String issueToken() {
    return texts.next();
  }

  /**
   * All of an issue, on a store that forgets the key: token, hash, record and audit entry.
   *
   * @return the key
   */
  @Benchmark
  public IssuedKey issue() {
    return node.issue(Node.SPEC);
  }

  /**
   * A random UUID as text: 122 random bits.
   *
   * @return the text
   */
  @Benchmark
  public String uuidString() {
    return UUID.randomUUID().toString();
  }
}
