package io.keystile.store.jdbc;

import io.keystile.store.SharedLimits;
import io.keystile.store.tck.SharedLimitsContract;
import java.sql.Connection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The contract about what nodes share of limits, on one database in one set-up. */
abstract class LimitsContract extends SharedLimitsContract {
  private static final Map<String, Setup> SETUPS = new ConcurrentHashMap<>();

  private final Setup setup;
  private final HostTransactions host;

  LimitsContract(Database database, Function<Database, Setup> make) {
    String name = database + getClass().getSimpleName();
    setup = SETUPS.computeIfAbsent(name, key -> make.apply(database));
    int isolation =
        database == Database.MARIADB || database == Database.MYSQL_DRIVER
            ? Connection.TRANSACTION_REPEATABLE_READ
            : Connection.TRANSACTION_SERIALIZABLE;
    host = new HostTransactions(setup.watched.dataSource(), isolation);
  }

  @Override
  protected SharedLimits store() {
    return setup.builder().joining(host).initializeSchema(true).build();
  }

  @Override
  protected Optional<SharedLimits> failingStore(int statements) {
    return Optional.of(setup.failingStore(statements));
  }

  @Override
  protected void inTransaction(Runnable work) {
    host.run(connection -> work.run());
  }
}
