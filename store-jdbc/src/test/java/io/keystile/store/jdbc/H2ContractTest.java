package io.keystile.store.jdbc;

class H2ContractTest extends Contract {
  H2ContractTest() {
    super(Database.H2);
  }
}
