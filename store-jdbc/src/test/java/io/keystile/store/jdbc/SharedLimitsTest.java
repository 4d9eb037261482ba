package io.keystile.store.jdbc;

import org.junit.jupiter.api.Nested;

/** The contract on every database, with connections that commit by themselves and that do not. */
class SharedLimitsTest {

  @Nested
  class H2_autocommit_and_other_zone extends LimitsContract {
    H2_autocommit_and_other_zone() {
      super(Database.H2, Setup::prefixInOtherZone);
    }
  }

  @Nested
  class Hsqldb_manual_commit_serializable extends LimitsContract {
    Hsqldb_manual_commit_serializable() {
      super(Database.HSQLDB, Setup::manualCommitWithPrefix);
    }
  }

  @Nested
  class Sqlite_autocommit extends LimitsContract {
    Sqlite_autocommit() {
      super(Database.SQLITE, Setup::plain);
    }
  }

  @Nested
  class Sqlite_wal_manual_commit extends LimitsContract {
    Sqlite_wal_manual_commit() {
      super(Database.SQLITE_WAL, Setup::manualCommitWithPrefix);
    }
  }

  @Nested
  class Postgres_autocommit_and_other_zone extends LimitsContract {
    Postgres_autocommit_and_other_zone() {
      super(Database.POSTGRESQL, Setup::prefixInOtherZone);
    }
  }

  @Nested
  class Postgres_manual_commit_serializable extends LimitsContract {
    Postgres_manual_commit_serializable() {
      super(Database.POSTGRESQL, Setup::manualCommitWithPrefix);
    }
  }

  @Nested
  class Maria_db_autocommit extends LimitsContract {
    Maria_db_autocommit() {
      super(Database.MARIADB, Setup::plain);
    }
  }

  @Nested
  class Maria_db_manual_commit_repeatable_read_and_other_zone extends LimitsContract {
    Maria_db_manual_commit_repeatable_read_and_other_zone() {
      super(Database.MARIADB, Setup::manualCommitInOtherZone);
    }
  }

  @Nested
  class Mysql_driver_manual_commit_repeatable_read extends LimitsContract {
    Mysql_driver_manual_commit_repeatable_read() {
      super(Database.MYSQL_DRIVER, Setup::manualCommitInOtherZone);
    }
  }
}
