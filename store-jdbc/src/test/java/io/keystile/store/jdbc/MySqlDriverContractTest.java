package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.KeyStoreContract;
import java.util.Optional;
import java.util.OptionalLong;

/** MySQL's driver on a MariaDB server, in one set-up. MySQL's own server is not run. */
class MySqlDriverContractTest extends KeyStoreContract {
  private static final Setup SETUP = Setup.manualCommitInOtherZone(Database.MYSQL_DRIVER);

  @Override
  protected KeyStore store() {
    return SETUP.store();
  }

  @Override
  protected OptionalLong statements() {
    return SETUP.statements();
  }

  @Override
  protected Optional<KeyStore> failingStore(int statements) {
    return Optional.of(SETUP.failingStore(statements));
  }
}
