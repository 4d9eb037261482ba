package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.KeyStoreRaceContract;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The races of the contract on one database. */
abstract class Races extends KeyStoreRaceContract {
  private static final Map<Database, Setup> SETUPS = new ConcurrentHashMap<>();

  private final Setup setup;

  Races(Database database) {
    setup = SETUPS.computeIfAbsent(database, Setup::plain);
  }

  @Override
  protected KeyStore store() {
    return setup.store();
  }
}
