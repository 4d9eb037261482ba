package io.keystile.benchmarks;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Draws after Zipf's law: the k-th most frequent of all comes with a weight of 1 / k^skew. */
final class Zipf {
  private Zipf() {}

  /**
   * Draws from 0 to {@code population - 1}. Which of them are frequent is drawn too, so that they
   * are no neighbours in memory.
   *
   * @param population how many there are
   * @param skew 0 for equal chances, about 1 for what is seen of clients
   * @param count how many to draw
   * @param seed the same seed draws the same
   * @return what was drawn
   */
  static int[] draw(int population, double skew, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] places = shuffled(population, random);
    double[] sums = new double[population];
    double sum = 0;
    for (int rank = 0; rank < population; rank++) {
      sum += 1 / Math.pow(rank + 1, skew);
      sums[rank] = sum;
    }
    int[] drawn = new int[count];
    for (int i = 0; i < count; i++) {
      int found = Arrays.binarySearch(sums, random.nextDouble() * sum);
      int rank = found >= 0 ? found + 1 : -found - 1;
      drawn[i] = places[Math.min(rank, population - 1)];
    }
    return drawn;
  }

  private static int[] shuffled(int population, SplittableRandom random) {
    int[] places = new int[population];
    for (int i = 0; i < population; i++) {
      int j = random.nextInt(i + 1);
      places[i] = places[j];
      places[j] = i;
    }
    return places;
  }
}
