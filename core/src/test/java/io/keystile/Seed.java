package io.keystile;

import java.security.SecureRandom;
import java.util.SplittableRandom;

/** Randomness that can be repeated: {@code -Dkeystile.seed=...} replaces the fixed default. */
public final class Seed {

  private static final long VALUE = Long.getLong("keystile.seed", 20_261_121L);

  private Seed() {}

  /** A generator for one test; prints how to repeat it. */
  public static SplittableRandom of(String test) {
    System.out.printf("%s: -Dkeystile.seed=%d%n", test, VALUE);
    return new SplittableRandom(VALUE);
  }

  /** The generator in the clothes of a secure one. */
  static SecureRandom secure(SplittableRandom random) {
    return new Seeded(random);
  }

  private static final class Seeded extends SecureRandom {

    private static final long serialVersionUID = 1L;

    private final transient SplittableRandom random;

    Seeded(SplittableRandom random) {
      this.random = random;
    }

    @Override
    public void nextBytes(byte[] bytes) {
      random.nextBytes(bytes);
    }
  }
}
