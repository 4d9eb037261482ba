package io.keystile;

import io.keystile.store.RevocationReason;
import io.keystile.store.StoredKey;

/** What administration asks of the rest of its own node. Nothing here blocks or throws. */
@FunctionalInterface
interface LocalNode {

  /** A key has changed, or may have: forget what is cached of it. Called after the commit. */
  void changed(String keyId);

  /**
   * The same key with the use that this node knows of and has not written yet, so that a revocation
   * says truly when the key was last used. Writing it first would let a revocation wait for it.
   */
  default StoredKey withOwnUse(StoredKey stored) {
    return stored;
  }

  /** A key was changed for a reason that somebody should look into. Called after the commit. */
  default void alert(String keyId, RevocationReason reason) {}
}
