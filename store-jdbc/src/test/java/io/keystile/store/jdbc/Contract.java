package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import io.keystile.store.tck.KeyStoreContract;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;

/** The contract on one database, in four set-ups. */
abstract class Contract {
  private static final Map<String, Setup> SETUPS = new ConcurrentHashMap<>();

  private final Database database;

  Contract(Database database) {
    this.database = database;
  }

  private abstract class InSetup extends KeyStoreContract {
    private final Setup setup;

    InSetup(Function<Database, Setup> make) {
      String name = database + getClass().getSimpleName();
      setup = SETUPS.computeIfAbsent(name, key -> make.apply(database));
    }

    @Override
    protected KeyStore store() {
      return setup.store();
    }

    @Override
    protected OptionalLong statements() {
      return setup.statements();
    }

    @Override
    protected Optional<KeyStore> failingStore(int statements) {
      return Optional.of(setup.failingStore(statements));
    }
  }

  @Nested
  class Autocommit extends InSetup {
    Autocommit() {
      super(Setup::plain);
    }
  }

  @Nested
  class Autocommit_prefix_and_other_zone extends InSetup {
    Autocommit_prefix_and_other_zone() {
      super(Setup::prefixInOtherZone);
    }
  }

  @Nested
  class Manual_commit_and_other_zone extends InSetup {
    Manual_commit_and_other_zone() {
      super(Setup::manualCommitInOtherZone);
    }
  }

  @Nested
  class Manual_commit_and_prefix extends InSetup {
    Manual_commit_and_prefix() {
      super(Setup::manualCommitWithPrefix);
    }
  }
}
