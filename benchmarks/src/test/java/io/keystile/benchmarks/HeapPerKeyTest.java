package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapPerKeyTest {

  @Test
  void a_limited_key_takes_less_than_a_bucket() {
    System.out.println(HeapPerKey.text());

    assertThat(HeapPerKey.keystile()).isBetween(32.0, HeapPerKey.bucket4j());
  }
}
