package io.keystile.store.jdbc;

import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A database with a way to connect to it. The four set-ups of a database cover all pairs of
 * autocommit, prefix and time zone; those without autocommit run at higher isolation levels.
 */
final class Setup {
  final Database database;
  final String prefix;
  final WatchedDataSource watched;

  private Setup(
      Database database,
      boolean autoCommit,
      String prefix,
      boolean otherZone,
      @Nullable String isolation) {
    this.database = database;
    this.prefix = prefix;
    this.watched =
        new WatchedDataSource(
            database.pool(database.freshUrl(), autoCommit, otherZone, isolation)::getConnection);
  }

  static Setup plain(Database database) {
    return new Setup(database, true, "keystile_", false, null);
  }

  static Setup prefixInOtherZone(Database database) {
    return new Setup(database, true, "Acme_1", true, null);
  }

  static Setup manualCommitInOtherZone(Database database) {
    String level = database.oneWriterAtATime() ? null : "TRANSACTION_REPEATABLE_READ";
    return new Setup(database, false, "keystile_", true, level);
  }

  static Setup manualCommitWithPrefix(Database database) {
    return new Setup(database, false, "Acme_1", false, "TRANSACTION_SERIALIZABLE");
  }

  JdbcKeyStore.Builder builder() {
    return JdbcKeyStore.builder(watched.dataSource()).tablePrefix(prefix);
  }

  JdbcKeyStore store() {
    return builder().initializeSchema(true).build();
  }

  OptionalLong statements() {
    return OptionalLong.of(watched.executions.get());
  }

  /** A store that loses its connection for good after some statements. */
  JdbcKeyStore failingStore(int statements) {
    WatchedDataSource failing = new WatchedDataSource(watched.dataSource()::getConnection);
    JdbcKeyStore store = JdbcKeyStore.builder(failing.dataSource()).tablePrefix(prefix).build();
    AtomicInteger left = new AtomicInteger(statements);
    failing.failWhen(
        call -> call.startsWith("execute") ? left.getAndDecrement() <= 0 : left.get() <= 0);
    return store;
  }
}
