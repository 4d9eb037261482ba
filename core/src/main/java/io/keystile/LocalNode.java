package io.keystile;

/** What administration asks of the rest of its own node. */
@FunctionalInterface
interface LocalNode {

  /**
   * A key has changed, or may have: forget what is cached of it. Called after the commit. Does not
   * block and does not throw.
   */
  void changed(String keyId);

  /**
   * Writes the last use of keys that this node has not written yet, as far as it can. May block;
   * does not throw.
   */
  default void flushUse() {}
}
