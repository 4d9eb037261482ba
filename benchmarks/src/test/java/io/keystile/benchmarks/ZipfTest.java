package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class ZipfTest {
  private static final int COUNT = 1_000_000;

  private static int[] sortedCounts(int population, double skew) {
    int[] counts = new int[population];
    IntStream.of(Zipf.draw(population, skew, COUNT, 7)).forEach(drawn -> counts[drawn]++);
    Arrays.sort(counts);
    return counts;
  }

  @Test
  void without_skew_all_come_equally_often() {
    int[] counts = sortedCounts(100, 0);

    assertThat(counts[0]).isCloseTo(COUNT / 100, Percentage.withPercentage(5));
    assertThat(counts[99]).isCloseTo(COUNT / 100, Percentage.withPercentage(5));
  }

  @Test
  void with_skew_the_first_comes_as_often_as_the_law_says() {
    int population = 1000;
    double sum = IntStream.rangeClosed(1, population).mapToDouble(k -> Math.pow(k, -0.99)).sum();

    int[] counts = sortedCounts(population, 0.99);

    assertThat((double) counts[population - 1])
        .isCloseTo(COUNT / sum, Percentage.withPercentage(2));
    assertThat((double) counts[population - 2])
        .isCloseTo(COUNT / sum * Math.pow(2, -0.99), Percentage.withPercentage(3));
  }

  @Test
  void one_seed_draws_the_same_and_another_does_not() {
    assertThat(Zipf.draw(1000, 0.99, 5000, 1)).isEqualTo(Zipf.draw(1000, 0.99, 5000, 1));
    assertThat(Zipf.draw(1000, 0.99, 5000, 1)).isNotEqualTo(Zipf.draw(1000, 0.99, 5000, 2));
  }

  @Test
  void the_frequent_ones_are_no_neighbours() {
    int[] counts = new int[10_000];
    IntStream.of(Zipf.draw(counts.length, 0.99, COUNT, 7)).forEach(drawn -> counts[drawn]++);

    int[] places =
        IntStream.range(0, counts.length).filter(i -> counts[i] > COUNT / 500).sorted().toArray();
    assertThat(places.length).isGreaterThan(20);
    assertThat(places[places.length - 1] - places[0]).isGreaterThan(counts.length / 2);
  }
}
