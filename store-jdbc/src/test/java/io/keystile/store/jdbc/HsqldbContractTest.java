package io.keystile.store.jdbc;

class HsqldbContractTest extends Contract {
  HsqldbContractTest() {
    super(Database.HSQLDB);
  }
}
