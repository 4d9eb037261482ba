package io.keystile;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for what another thread does. */
final class Waiting {
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(60);

  private Waiting() {}

  /** Returns when the condition holds, and fails if it never does. */
  static void until(BooleanSupplier condition) {
    long began = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - began > LONGEST) {
        throw new AssertionError("waited in vain");
      }
      Thread.onSpinWait();
    }
  }
}
