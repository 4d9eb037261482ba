package io.keystile.store.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * All rows of a store as they are, read past the store, and whether they agree: each change of a
 * key is its record, its versions, its audit entry and its notice, so a part of them without the
 * others is a half of a change.
 */
final class Ledger {
  private static final List<String> TABLES =
      List.of("key", "version", "use", "change", "audit", "owner");

  private final Map<String, Account> accounts = new TreeMap<>();
  private final List<String> halves = new ArrayList<>();

  /** What there is about one key. */
  private static final class Account {
    long revision;
    @Nullable String state;
    int notices;
    final List<String> actions = new ArrayList<>();
    final Set<Integer> versions = new TreeSet<>();
    final Set<Integer> retiring = new TreeSet<>();
    final Set<Integer> uses = new TreeSet<>();

    /** What is not as the audit says. */
    List<String> halves() {
      List<String> halves = new ArrayList<>();
      check(halves, !actions.isEmpty(), "rows without an audit entry");
      check(halves, notices == actions.size(), "notices: " + notices);
      check(halves, uses.equals(versions), "uses: " + uses + " of versions " + versions);
      if (actions.contains("purge")) {
        check(halves, state == null, "a record that was purged");
        check(halves, versions.isEmpty(), "versions that were purged");
        return halves;
      }
      int rotations = Collections.frequency(actions, "rotate");
      check(halves, state != null, "no record");
      check(halves, revision == actions.size(), "revision: " + revision);
      check(halves, versions.size() == 1 + rotations, "versions: " + versions);
      check(halves, retiring.size() == rotations, "retiring: " + retiring);
      check(halves, !retiring.contains(versions.size()), "the newest version retires");
      check(halves, "REVOKED".equals(state) == actions.contains("revoke"), "state: " + state);
      return halves;
    }

    private static void check(List<String> halves, boolean condition, String half) {
      if (!condition) {
        halves.add(half);
      }
    }
  }

  private Ledger() {}

  /** Reads all tables; there are to be few rows, and nobody who writes. */
  static Ledger read(DataSource source) throws SQLException {
    Ledger ledger = new Ledger();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      ledger.read(statement);
    }
    ledger.accounts.forEach(
        (id, account) ->
            account.halves().forEach(half -> ledger.halves.add(account.actions + ", " + half)));
    return ledger;
  }

  /** Deletes all rows. */
  static void wipe(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      for (String table : TABLES) {
        statement.execute("DELETE FROM keystile_" + table);
      }
    }
  }

  /** What is there without what belongs to it. */
  List<String> halves() {
    return halves;
  }

  /** How often something was done, by the audit. */
  int count(String action) {
    return accounts.values().stream()
        .mapToInt(account -> Collections.frequency(account.actions, action))
        .sum();
  }

  private void read(Statement statement) throws SQLException {
    each(
        statement,
        "SELECT key_id, revision, state FROM keystile_key",
        row -> {
          Account account = account(row);
          account.revision = row.getLong(2);
          account.state = row.getString(3);
        });
    each(
        statement,
        "SELECT key_id, version, retires_at FROM keystile_version",
        row -> {
          Account account = account(row);
          account.versions.add(row.getInt(2));
          row.getLong(3);
          if (!row.wasNull()) {
            account.retiring.add(row.getInt(2));
          }
        });
    each(
        statement,
        "SELECT key_id, version FROM keystile_use",
        row -> account(row).uses.add(row.getInt(2)));
    each(statement, "SELECT key_id FROM keystile_change", row -> account(row).notices++);
    each(
        statement,
        "SELECT key_id, action FROM keystile_audit ORDER BY seq",
        row -> account(row).actions.add(row.getString(2)));
    each(
        statement,
        "SELECT COUNT(*) FROM keystile_owner WHERE owner NOT IN (SELECT owner FROM keystile_key)",
        row -> {
          if (row.getInt(1) > 0) {
            halves.add("an owner without keys");
          }
        });
  }

  private Account account(ResultSet row) throws SQLException {
    return accounts.computeIfAbsent(row.getString(1), id -> new Account());
  }

  private interface Reading {
    void read(ResultSet row) throws SQLException;
  }

  private static void each(Statement statement, String query, Reading reading) throws SQLException {
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        reading.read(rows);
      }
    }
  }
}
