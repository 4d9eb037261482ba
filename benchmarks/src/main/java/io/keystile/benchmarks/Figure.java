package io.keystile.benchmarks;

import java.util.Arrays;

/**
 * What a row costs, over all iterations of all forks: the lowest of them is nearest to the true
 * cost, the median shows how much of the others was noise.
 *
 * @param lowest of all iterations
 * @param median of all iterations
 */
record Figure(double lowest, double median) {

  /**
   * Of samples in any order.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Figure of(double... samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Figure(sorted[0], median);
  }

  /** This as a multiple of another: lowest by lowest, median by median. */
  Figure over(Figure other) {
    return new Figure(lowest / other.lowest, median / other.median);
  }

  /** Whether both are within a bound. */
  boolean isWithin(double bound) {
    return lowest <= bound && median <= bound;
  }
}
