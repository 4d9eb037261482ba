package io.keystile.store.jdbc;

class PostgresRaceTest extends Races {
  PostgresRaceTest() {
    super(Database.POSTGRESQL);
  }
}
