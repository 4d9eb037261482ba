package io.keystile.store.jdbc;

class MariaDbContractTest extends Contract {
  MariaDbContractTest() {
    super(Database.MARIADB);
  }
}
