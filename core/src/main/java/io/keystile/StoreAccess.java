package io.keystile;

import io.keystile.KeyException.Failure;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls a store for administration: says what a failure means, and makes the node forget what was
 * written, or may have been. For any thread.
 */
final class StoreAccess {

  /**
   * How often in a row a write is begun that the database gives up. Few: a store tries again
   * itself, and each time may have waited long for a lock.
   */
  private static final int ATTEMPTS = 3;

  private final KeyStore store;
  private final LocalNode node;
  private final int attempts;

  StoreAccess(KeyStore store, LocalNode node) {
    this(store, node, ATTEMPTS);
  }

  private StoreAccess(KeyStore store, LocalNode node, int attempts) {
    this.store = store;
    this.node = node;
    this.attempts = attempts;
  }

  /** The same, but a write that the database gives up is not begun again. */
  StoreAccess yielding() {
    return new StoreAccess(store, node, 1);
  }

  <T> T read(Supplier<T> call) {
    try {
      return call.get();
    } catch (StoreException e) {
      throw e.kind() == StoreException.Kind.CONFLICT ? conflict(e) : unavailable(e);
    }
  }

  /** Writes to these keys. */
  <T> T write(Operation operation, List<String> keyIds, Supplier<T> call) {
    T outcome = attempt(operation, keyIds, call);
    changed(keyIds);
    return outcome;
  }

  private <T> T attempt(Operation operation, List<String> keyIds, Supplier<T> call) {
    for (int attempt = 1; ; attempt++) {
      try {
        return call.get();
      } catch (StoreException e) {
        switch (e.kind()) {
          case OUTCOME_UNKNOWN -> {
            keyIds.forEach(node::changed);
            throw new OutcomeUnknownException(operation.id(), e);
          }
          case CONFLICT -> {
            lost(e);
            if (attempt == attempts) {
              throw conflict(e);
            }
          }
          case UNAVAILABLE -> throw unavailable(e);
        }
      }
    }
  }

  /** Makes the node forget these keys, after the commit. */
  void changed(List<String> keyIds) {
    store.afterCommit(() -> keyIds.forEach(node::changed));
  }

  /** Tells the host to look into a key, after the commit. */
  void alert(String keyId, RevocationReason reason) {
    store.afterCommit(() -> node.alert(keyId, reason));
  }

  /** Somebody else was first: returns if it may be tried again. */
  void lost(@Nullable StoreException cause) {
    if (isInHostTransaction()) {
      throw conflict(cause);
    }
  }

  /** The key with the use that this node has not written yet. */
  StoredKey withOwnUse(StoredKey stored) {
    return node.withOwnUse(stored);
  }

  /**
   * Whether the calling thread writes in a transaction of the host's: without one, an action after
   * the commit runs at once.
   */
  private boolean isInHostTransaction() {
    boolean[] ran = new boolean[1];
    store.afterCommit(() -> ran[0] = true);
    return !ran[0];
  }

  static KeyException conflict(@Nullable StoreException cause) {
    return new KeyException(Failure.CONFLICT, "others were changing the same data", cause);
  }

  private static KeyException unavailable(StoreException cause) {
    return new KeyException(Failure.STORE_UNAVAILABLE, "the store is not available", cause);
  }
}
