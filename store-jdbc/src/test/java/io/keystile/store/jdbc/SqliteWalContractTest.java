package io.keystile.store.jdbc;

class SqliteWalContractTest extends Contract {
  SqliteWalContractTest() {
    super(Database.SQLITE_WAL);
  }
}
