package io.keystile;

/** For tests of other modules that drive the change feed themselves. */
public final class Polls {
  private Polls() {}

  /** Asks once what has changed. */
  public static void poll(ApiKeys keys) {
    keys.poll();
  }
}
