package io.keystile.store.jdbc;

class SqliteRaceTest extends Races {
  SqliteRaceTest() {
    super(Database.SQLITE_WAL);
  }
}
