package io.keystile.store.jdbc;

class MariaDbRaceTest extends Races {
  MariaDbRaceTest() {
    super(Database.MARIADB);
  }
}
