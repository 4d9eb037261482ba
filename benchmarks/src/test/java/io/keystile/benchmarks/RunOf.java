package io.keystile.benchmarks;

import io.keystile.benchmarks.Results.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

/** A run that never was: rows with a true cost each, and noise as a shared machine makes it. */
final class RunOf {
  private final Random random;
  private final List<Row> rows = new ArrayList<>();

  RunOf(long seed) {
    random = new Random(seed);
  }

  /** Three forks of five iterations: most a little slow, some much, all in a fork at times. */
  RunOf row(String name, double nanos) {
    double[] samples = new double[15];
    for (int fork = 0; fork < 3; fork++) {
      double busy = random.nextInt(4) == 0 ? 1 + random.nextDouble() / 2 : 1;
      for (int i = 0; i < 5; i++) {
        double noise = Math.abs(random.nextGaussian()) * 0.05;
        double outlier = random.nextInt(10) == 0 ? 3 * random.nextDouble() : 0;
        samples[fork * 5 + i] = nanos * busy * (1 + noise + outlier);
      }
    }
    rows.add(new Row(name, new TreeMap<>(), 1, Figure.of(samples), null));
    return this;
  }

  Results results() {
    return new Results(rows);
  }
}
