package io.keystile.store.jdbc;

class H2RaceTest extends Races {
  H2RaceTest() {
    super(Database.H2_FILE);
  }
}
