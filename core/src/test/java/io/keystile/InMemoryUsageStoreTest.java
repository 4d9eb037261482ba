package io.keystile;

import io.keystile.store.UsageStore;
import io.keystile.store.tck.UsageStoreContract;

class InMemoryUsageStoreTest extends UsageStoreContract {
  private final InMemoryKeyStore store = new InMemoryKeyStore();

  @Override
  protected UsageStore store() {
    return store;
  }

  /** There are none, so whatever the host does is outside of them. */
  @Override
  protected void inTransaction(Runnable work) {
    work.run();
  }
}
