package io.keystile.usage;

import java.util.SplittableRandom;

/** The distributions that made-up clients are drawn from. */
final class Chance {
  private final SplittableRandom random;

  Chance(long seed) {
    random = new SplittableRandom(seed);
  }

  boolean in(double probability) {
    return random.nextDouble() < probability;
  }

  int between(int least, int most) {
    return random.nextInt(least, most + 1);
  }

  double between(double least, double most) {
    return least + random.nextDouble() * (most - least);
  }

  /** As likely in each order of magnitude. */
  double magnitude(double least, double most) {
    return StrictMath.exp(between(StrictMath.log(least), StrictMath.log(most)));
  }

  double noise(double sigma) {
    return StrictMath.exp(sigma * normal());
  }

  /** After Box and Muller: the same on every JDK. */
  private double normal() {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
  }

  long poisson(double mean) {
    if (mean > 30) {
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    }
    double limit = StrictMath.exp(-mean);
    double product = random.nextDouble();
    long n = 0;
    while (product > limit) {
      product *= random.nextDouble();
      n++;
    }
    return n;
  }

  /** A network that nobody else has. */
  String network() {
    int n = random.nextInt(1 << 24);
    return (n >> 16) + "." + (n >> 8 & 255) + "." + (n & 255) + ".0/24";
  }
}
