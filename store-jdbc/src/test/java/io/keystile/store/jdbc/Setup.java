package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A database with a way to connect to it. The four set-ups of a database cover all pairs of
 * autocommit, prefix and time zone.
 */
final class Setup {
  final Database database;
  final String prefix;
  final WatchedDataSource watched;
  private final String url;

  private Setup(Database database, boolean autoCommit, String prefix, boolean otherZone) {
    this.database = database;
    this.prefix = prefix;
    this.url = database.freshUrl();
    this.watched = new WatchedDataSource(database.pool(url, autoCommit, otherZone));
  }

  static Setup plain(Database database) {
    return new Setup(database, true, "keystile_", false);
  }

  static Setup prefixInOtherZone(Database database) {
    return new Setup(database, true, "Acme_1", true);
  }

  static Setup manualCommitInOtherZone(Database database) {
    return new Setup(database, false, "keystile_", true);
  }

  static Setup manualCommitWithPrefix(Database database) {
    return new Setup(database, false, "Acme_1", false);
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
  KeyStore failingStore(int statements) {
    WatchedDataSource failing = new WatchedDataSource(watched.dataSource());
    JdbcKeyStore store = JdbcKeyStore.builder(failing.dataSource()).tablePrefix(prefix).build();
    AtomicInteger left = new AtomicInteger(statements);
    failing.failWhen(
        call -> call.startsWith("execute") ? left.getAndDecrement() <= 0 : left.get() <= 0);
    return store;
  }
}
