package io.keystile;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.KeyStoreContract;
import java.util.OptionalLong;

class InMemoryKeyStoreTest extends KeyStoreContract {
  private final InMemoryKeyStore store = new InMemoryKeyStore();

  @Override
  protected KeyStore store() {
    return store;
  }

  @Override
  protected OptionalLong statements() {
    // Nothing leaves the process
    return OptionalLong.of(0);
  }
}
