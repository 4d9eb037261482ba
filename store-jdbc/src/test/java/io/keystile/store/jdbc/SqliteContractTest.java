package io.keystile.store.jdbc;

class SqliteContractTest extends Contract {
  SqliteContractTest() {
    super(Database.SQLITE);
  }
}
