package io.keystile;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.KeyStoreRaceContract;

class InMemoryKeyStoreRaceTest extends KeyStoreRaceContract {
  private final InMemoryKeyStore store = new InMemoryKeyStore();

  @Override
  protected KeyStore store() {
    return store;
  }
}
