package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.TransactionalKeyStoreContract;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The contract about transactions of the host, on one database at one isolation level. */
abstract class JoinedContract extends TransactionalKeyStoreContract {
  private static final Map<Database, Setup> SETUPS = new ConcurrentHashMap<>();

  private final Setup setup;
  private final HostTransactions host;

  JoinedContract(Database database, int isolation) {
    setup = SETUPS.computeIfAbsent(database, Setup::plain);
    host = new HostTransactions(setup.watched.dataSource(), isolation);
  }

  @Override
  protected KeyStore store() {
    return setup.builder().joining(host).initializeSchema(true).build();
  }

  @Override
  protected void inTransaction(Runnable work) {
    host.run(connection -> work.run());
  }

  @Override
  protected boolean oneWriterAtATime() {
    return setup.database.oneWriterAtATime();
  }
}
