package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.Validation;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a process pays that has just started: each figure is of one call in a fresh JVM, so classes
 * are loaded and code is interpreted. The work of the store is not in it, as the store is a map.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(10)
public class ColdStartBenchmark {

  /**
   * Builds a node, issues a key and validates it for the first time.
   *
   * @return accepted
   */
  @Benchmark
  public Validation firstValidation() {
    try (ApiKeys node =
        ApiKeys.builder(new InMemoryKeyStore()).brand("acme").environment("live").build()) {
      String token = node.issue(Node.SPEC).revealToken();
      Validation answer = node.validate(token, Node.READ, Node.HERE);
      if (!answer.isAccepted()) {
        throw new IllegalStateException("a new token was answered with " + answer);
      }
      return answer;
    }
  }
}
