package io.keystile.store.jdbc;

class PostgresContractTest extends Contract {
  PostgresContractTest() {
    super(Database.POSTGRESQL);
  }
}
