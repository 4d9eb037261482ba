package io.keystile.store.jdbc;

import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.UsageStore;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All statements of one store. Plain SQL, the same for every database but for those that ask for
 * the time and that merge a row, with the table prefix as the only other part that is not in this
 * file; values are always bound. Built once; only the queries that take a filter are put together
 * per call, from the fragments here.
 */
final class Sql {
  /** So many gaps one statement of the change feed asks for. */
  static final int GAPS_PER_STATEMENT = 64;

  /** Few statements, that drivers and databases remember, for any number of ids. */
  private static final List<Integer> LEDGERS_PER_STATEMENT = List.of(1, 10, 100, 1000);

  private static final List<String> LEDGER_COLUMNS =
      List.of("revision", "content", "keep_until", "id");

  /** The first condition is for databases that look up no rows by the second. */
  private static final String AFTER_TALLY =
      "key_id >= ? AND (key_id > ? OR key_id = ? AND (starts_at > ? OR starts_at = ?"
          + " AND (plan > ? OR plan = ? AND (metric > ? OR metric = ? AND label > ?))))";

  private static final long MAX_AMOUNT = 1L << 62;
  private static final String OR_OWN_RULE = " OR p.rotation_grace IS NOT NULL)";
  private static final List<String> KEY_COLUMNS =
      List.of(
          "revision",
          "kind",
          "state",
          "brand",
          "environment",
          "owner",
          "subject",
          "name",
          "scopes",
          "networks",
          "callers",
          "plan",
          "limits",
          "adapted_at",
          "adapted_per_minute",
          "adapted_why",
          "metadata",
          "created_at",
          "ends_at",
          "rotation_grace",
          "rotation_age",
          "revoked_at",
          "revoked_reason",
          "revoked_note",
          "revoked_by",
          "revoked_last_used",
          "seal");

  /** In the rows that {@link Records#readKeys} reads, so many columns are the key's. */
  static final int FIRST_VERSION_COLUMN = KEY_COLUMNS.size() + 1;

  private static final List<String> DERIVED_COLUMNS =
      List.of("live_until", "older_until", "newest_created", "newest_end");
  private static final List<String> VERSION_COLUMNS =
      List.of(
          "version",
          "scheme",
          "pepper_id",
          "hash",
          "last_four",
          "created_at",
          "created_by",
          "note",
          "expires_at",
          "retires_at",
          "revoked_at");
  private static final List<String> AUDIT_COLUMNS =
      List.of(
          "operation_id",
          "action",
          "key_id",
          "owner",
          "secret_version",
          "happened_at",
          "actor",
          "reason",
          "note",
          "state_before",
          "state_after");

  final String insertKey;
  final String insertVersion;
  final String insertUse;
  final String insertAudit;
  final String insertChange;
  final String replaceKey;
  final String deleteVersions;
  final String deleteUsesOfGoneVersions;
  final String insertMissingUses;
  final String lockOwner;
  final String insertOwner;
  final String countLive;
  final String countLiveNow;
  final String load;
  final String find;
  final String recordUse;
  final String findOperation;
  final String changesAfter;
  final String changesInGaps;
  final String purgeKey;
  final String deleteUses;
  final String deleteIdleOwner;
  final String oldestAudit;
  final String deleteAudit;
  final String oldestChanges;
  final String deleteChange;

  final String now;
  final String insertLedger;
  final String replaceLedger;
  final String oldestLedgers;
  final String deleteLedger;

  final String insertBatch;
  final String findBatch;
  final String addToTally;
  final String raiseTally;
  final String oldestTallies;
  final String deleteTally;
  final String oldestBatches;
  final String deleteBatch;

  private final List<String> findLedgers;
  private final String listFrom;
  private final String listTo;
  private final String ofPepper;
  private final String neverUsed;
  private final String unusedSince;
  private final String selectAudit;
  private final String selectTallies;

  Sql(String prefix, Dialect dialect) {
    String key = prefix + "key";
    String version = prefix + "version";
    String use = prefix + "use";
    String change = prefix + "change";
    String audit = prefix + "audit";
    String owner = prefix + "owner";
    String ledger = prefix + "ledger";
    String tally = prefix + "tally";
    String batch = prefix + "batch";

    List<String> written = concat(KEY_COLUMNS, DERIVED_COLUMNS);
    insertKey = insert(key, concat(written, List.of("key_id")));
    insertVersion = insert(version, concat(VERSION_COLUMNS, List.of("key_id")));
    insertUse = insert(use, List.of("key_id", "version"));
    insertAudit = insert(audit, AUDIT_COLUMNS);
    insertChange = insert(change, List.of("key_id", "happened_at"));

    replaceKey =
        "UPDATE "
            + key
            + written.stream()
                .map(column -> column + " = ?")
                .collect(Collectors.joining(", ", " SET ", ""))
            + " WHERE key_id = ? AND revision = ?";
    deleteVersions = "DELETE FROM " + version + " WHERE key_id = ?";
    String versionsOfKey = "SELECT version FROM " + version + " WHERE key_id = ?";
    deleteUsesOfGoneVersions =
        "DELETE FROM " + use + " WHERE key_id = ? AND version NOT IN (" + versionsOfKey + ")";
    insertMissingUses =
        "INSERT INTO "
            + use
            + " (key_id, version) SELECT v.key_id, v.version FROM "
            + version
            + " v WHERE v.key_id = ? AND NOT EXISTS (SELECT 1 FROM "
            + use
            + " u WHERE u.key_id = v.key_id AND u.version = v.version)";

    lockOwner = "UPDATE " + owner + " SET ticket = ticket + 1 WHERE owner = ?";
    insertOwner = "INSERT INTO " + owner + " (owner, ticket) VALUES (?, 1)";
    countLive =
        "SELECT COUNT(*) FROM "
            + key
            + " WHERE owner = ? AND state <> 'REVOKED' AND (live_until IS NULL OR live_until > ?)";
    countLiveNow = countLive + dialect.currentRead();

    String keyAndVersion =
        "k.key_id, " + qualify("k", KEY_COLUMNS) + ", " + qualify("v", VERSION_COLUMNS);
    String joinVersions = " LEFT JOIN " + version + " v ON v.key_id = k.key_id";
    String joinUses = " LEFT JOIN " + use + " u ON u.key_id = v.key_id AND u.version = v.version";
    load =
        "SELECT "
            + keyAndVersion
            + " FROM "
            + key
            + " k"
            + joinVersions
            + " WHERE k.key_id = ? ORDER BY v.version";
    String selectStored = "SELECT " + keyAndVersion + ", u.last_used, u.last_seen FROM ";
    find =
        selectStored
            + key
            + " k"
            + joinVersions
            + joinUses
            + " WHERE k.key_id = ? ORDER BY v.version";
    listFrom = selectStored + "(SELECT p.key_id FROM " + key + " p";
    listTo =
        " ORDER BY p.key_id LIMIT ?) page JOIN "
            + key
            + " k ON k.key_id = page.key_id"
            + joinVersions
            + joinUses
            + " ORDER BY k.key_id, v.version";
    ofPepper =
        "EXISTS (SELECT 1 FROM " + version + " w WHERE w.key_id = p.key_id AND w.pepper_id = ?)";
    String notUsed =
        "NOT EXISTS (SELECT 1 FROM " + use + " u WHERE u.key_id = p.key_id AND u.last_used ";
    neverUsed = notUsed + "IS NOT NULL)";
    unusedSince = notUsed + ">= ?)";

    recordUse =
        "UPDATE "
            + use
            + " SET last_used = CASE WHEN last_used IS NULL OR last_used < ? THEN ?"
            + " ELSE last_used END,"
            + " last_seen = CASE WHEN last_seen IS NULL OR last_seen < ? THEN ?"
            + " ELSE last_seen END"
            + " WHERE key_id = ? AND version = ? AND (last_seen IS NULL OR last_seen < ?"
            + " OR last_used IS NULL OR last_used < ?)";

    String selectChange = "SELECT seq, key_id FROM " + change + " WHERE ";
    // the rows without a key carry the bounds, from the same snapshot
    changesAfter =
        "SELECT c.seq, c.key_id FROM ("
            + selectChange
            + "seq > ? ORDER BY seq LIMIT ?) c UNION ALL SELECT MIN(seq), NULL FROM "
            + change
            + " UNION ALL SELECT MAX(seq), NULL FROM "
            + change;
    changesInGaps =
        selectChange
            + String.join(" OR ", Collections.nCopies(GAPS_PER_STATEMENT, "seq BETWEEN ? AND ?"))
            + " ORDER BY seq LIMIT ?";

    purgeKey = "DELETE FROM " + key + " WHERE key_id = ? AND revision = ?";
    deleteUses = "DELETE FROM " + use + " WHERE key_id = ?";
    deleteIdleOwner =
        "DELETE FROM "
            + owner
            + " WHERE owner = ? AND NOT EXISTS (SELECT 1 FROM "
            + key
            + " WHERE owner = ?)";
    oldestAudit = oldest(audit, "happened_at");
    deleteAudit = deleteNumber(audit);
    oldestChanges = oldest(change, "seq");
    deleteChange = deleteNumber(change);
    selectAudit = "SELECT seq, " + String.join(", ", AUDIT_COLUMNS) + " FROM " + audit;
    findOperation = selectAudit + " WHERE operation_id = ?" + dialect.currentRead();

    now = dialect.now();
    insertLedger = insert(ledger, LEDGER_COLUMNS);
    replaceLedger =
        "UPDATE "
            + ledger
            + " SET revision = ?, content = ?, keep_until = ? WHERE id = ? AND revision = ?";
    findLedgers =
        LEDGERS_PER_STATEMENT.stream()
            .map(
                places ->
                    "SELECT id, revision, content, keep_until FROM "
                        + ledger
                        + " WHERE id IN ("
                        + String.join(", ", Collections.nCopies(places, "?"))
                        + ")")
            .toList();
    oldestLedgers =
        "SELECT id FROM " + ledger + " WHERE keep_until < ? ORDER BY keep_until LIMIT ?";
    deleteLedger = "DELETE FROM " + ledger + " WHERE id = ? AND keep_until < ?";

    insertBatch = insert(batch, List.of("id", "made_at"));
    findBatch = "SELECT id FROM " + batch + " WHERE id = ?";
    addToTally = dialect.merge(Table.tallies(), prefix, Sql::sum);
    raiseTally = dialect.merge(Table.tallies(), prefix, Sql::greater);
    selectTallies = "SELECT " + String.join(", ", Table.tallies().names()) + " FROM " + tally;
    oldestTallies =
        selectTallies + " WHERE hours = ? AND starts_at < ? ORDER BY hours, starts_at LIMIT ?";
    deleteTally =
        "DELETE FROM "
            + tally
            + " WHERE key_id = ? AND hours = ? AND starts_at = ?"
            + " AND plan = ? AND metric = ? AND label = ?";
    oldestBatches = "SELECT id FROM " + batch + " WHERE made_at < ? ORDER BY made_at LIMIT ?";
    deleteBatch = "DELETE FROM " + batch + " WHERE id = ? AND made_at < ?";
  }

  /** For so many ids, and some places more. */
  String findLedgers(int ids) {
    return findLedgers.get(LEDGERS_PER_STATEMENT.indexOf(placesForLedgers(ids)));
  }

  /** How many ids that statement asks for. */
  static int placesForLedgers(int ids) {
    return LEDGERS_PER_STATEMENT.stream().filter(places -> places >= ids).findFirst().orElseThrow();
  }

  String list(KeyFilter filter, boolean fromStart) {
    Conditions where = new Conditions();
    where.add(!fromStart, "p.key_id > ?");
    where.add(filter.owner() != null, "p.owner = ?");
    where.add(filter.subject() != null, "p.subject = ?");
    where.add(filter.brand() != null, "p.brand = ?");
    where.add(filter.environment() != null, "p.environment = ?");
    where.add(filter.pepperId() != null, ofPepper);
    where.add(!filter.states().isEmpty(), in("p.state", filter));
    where.add(filter.liveAfter() != null, "(p.live_until IS NULL OR p.live_until > ?)");
    where.add(filter.liveUntil() != null, "p.live_until <= ?");
    where.add(filter.olderLiveAfter() != null, "p.older_until > ?");
    KeyFilter.Due due = filter.due();
    where.add(due != null && due.createdBy() == null, "(p.newest_end <= ?" + OR_OWN_RULE);
    where.add(
        due != null && due.createdBy() != null,
        "(p.newest_end <= ? OR p.newest_created <= ?" + OR_OWN_RULE);
    where.add(filter.revokedBefore() != null, "p.revoked_at < ?");
    where.add(filter.issuedBefore() != null, "p.created_at < ?");
    where.add(filter.unusedSince() != null, unusedSince);
    where.add(filter.neverUsed(), neverUsed);
    return listFrom + where + listTo;
  }

  String audit(AuditFilter filter) {
    Conditions where = new Conditions();
    where.add(true, "seq > ?");
    where.add(filter.keyId() != null, "key_id = ?");
    where.add(filter.owner() != null, "owner = ?");
    where.add(filter.operationId() != null, "operation_id = ?");
    where.add(filter.from() != null, "happened_at >= ?");
    where.add(filter.until() != null, "happened_at < ?");
    return selectAudit + where + " ORDER BY seq LIMIT ?";
  }

  String tallies(UsageStore.Filter filter, boolean fromStart) {
    Conditions where = new Conditions();
    where.add(true, "hours = ? AND starts_at >= ? AND starts_at < ?");
    where.add(filter.keyId() != null, "key_id = ?");
    where.add(filter.owner() != null, "owner = ?");
    where.add(filter.plan() != null, "plan = ?");
    where.add(
        !filter.metrics().isEmpty(),
        "metric IN (" + String.join(", ", Collections.nCopies(filter.metrics().size(), "?")) + ")");
    where.add(!fromStart, AFTER_TALLY);
    return selectTallies + where + " ORDER BY key_id, starts_at, plan, metric, label LIMIT ?";
  }

  private static String sum(String stored, String added) {
    String room = MAX_AMOUNT + " - " + added;
    return "CASE WHEN "
        + stored
        + " > "
        + room
        + " THEN "
        + MAX_AMOUNT
        + " ELSE "
        + stored
        + " + "
        + added
        + " END";
  }

  private static String greater(String stored, String added) {
    return "CASE WHEN " + stored + " < " + added + " THEN " + added + " ELSE " + stored + " END";
  }

  /** The names are those of the constants, so they need not be bound. */
  private static String in(String column, KeyFilter filter) {
    return Arrays.stream(State.values())
        .filter(filter.states()::contains)
        .map(state -> "'" + state.name() + "'")
        .collect(Collectors.joining(", ", column + " IN (", ")"));
  }

  private static String insert(String table, List<String> columns) {
    return "INSERT INTO "
        + table
        + " ("
        + String.join(", ", columns)
        + ") VALUES ("
        + String.join(", ", Collections.nCopies(columns.size(), "?"))
        + ")";
  }

  private static String oldest(String table, String order) {
    return "SELECT seq FROM " + table + " WHERE happened_at < ? ORDER BY " + order + " LIMIT ?";
  }

  /** By number, one by one: on MariaDB a range locks its end, where new rows are put. */
  private static String deleteNumber(String table) {
    return "DELETE FROM " + table + " WHERE seq = ?";
  }

  private static String qualify(String alias, List<String> columns) {
    return columns.stream().map(column -> alias + "." + column).collect(Collectors.joining(", "));
  }

  private static List<String> concat(List<String> first, List<String> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /** A WHERE clause of fixed fragments. */
  private static final class Conditions {
    private final StringBuilder text = new StringBuilder();

    void add(boolean wanted, String condition) {
      if (wanted) {
        text.append(text.isEmpty() ? " WHERE " : " AND ").append(condition);
      }
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }
}
