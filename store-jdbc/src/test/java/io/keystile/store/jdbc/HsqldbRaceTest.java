package io.keystile.store.jdbc;

class HsqldbRaceTest extends Races {
  HsqldbRaceTest() {
    super(Database.HSQLDB_FILE);
  }
}
