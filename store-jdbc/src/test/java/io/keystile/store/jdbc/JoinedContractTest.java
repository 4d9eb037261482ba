package io.keystile.store.jdbc;

import static java.sql.Connection.TRANSACTION_READ_COMMITTED;
import static java.sql.Connection.TRANSACTION_REPEATABLE_READ;
import static java.sql.Connection.TRANSACTION_SERIALIZABLE;

import org.junit.jupiter.api.Nested;

/**
 * Hosts choose the isolation of their transactions, so the contract holds at each. MariaDB at
 * SERIALIZABLE is left out: there every read locks what it reads, so others wait by design.
 */
class JoinedContractTest {

  @Nested
  class H2_read_committed extends JoinedContract {
    H2_read_committed() {
      super(Database.H2, TRANSACTION_READ_COMMITTED);
    }
  }

  @Nested
  class H2_repeatable_read extends JoinedContract {
    H2_repeatable_read() {
      super(Database.H2, TRANSACTION_REPEATABLE_READ);
    }
  }

  @Nested
  class H2_serializable extends JoinedContract {
    H2_serializable() {
      super(Database.H2, TRANSACTION_SERIALIZABLE);
    }
  }

  @Nested
  class Hsqldb_read_committed extends JoinedContract {
    Hsqldb_read_committed() {
      super(Database.HSQLDB, TRANSACTION_READ_COMMITTED);
    }
  }

  @Nested
  class Hsqldb_repeatable_read extends JoinedContract {
    Hsqldb_repeatable_read() {
      super(Database.HSQLDB, TRANSACTION_REPEATABLE_READ);
    }
  }

  @Nested
  class Hsqldb_serializable extends JoinedContract {
    Hsqldb_serializable() {
      super(Database.HSQLDB, TRANSACTION_SERIALIZABLE);
    }
  }

  @Nested
  class Sqlite_serializable extends JoinedContract {
    Sqlite_serializable() {
      super(Database.SQLITE, TRANSACTION_SERIALIZABLE);
    }
  }

  @Nested
  class Sqlite_wal_serializable extends JoinedContract {
    Sqlite_wal_serializable() {
      super(Database.SQLITE_WAL, TRANSACTION_SERIALIZABLE);
    }
  }

  @Nested
  class Postgres_read_committed extends JoinedContract {
    Postgres_read_committed() {
      super(Database.POSTGRESQL, TRANSACTION_READ_COMMITTED);
    }
  }

  @Nested
  class Postgres_repeatable_read extends JoinedContract {
    Postgres_repeatable_read() {
      super(Database.POSTGRESQL, TRANSACTION_REPEATABLE_READ);
    }
  }

  @Nested
  class Postgres_serializable extends JoinedContract {
    Postgres_serializable() {
      super(Database.POSTGRESQL, TRANSACTION_SERIALIZABLE);
    }
  }

  @Nested
  class Maria_db_read_committed extends JoinedContract {
    Maria_db_read_committed() {
      super(Database.MARIADB, TRANSACTION_READ_COMMITTED);
    }
  }

  @Nested
  class Maria_db_repeatable_read extends JoinedContract {
    Maria_db_repeatable_read() {
      super(Database.MARIADB, TRANSACTION_REPEATABLE_READ);
    }
  }
}
