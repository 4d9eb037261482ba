package io.keystile.store.jdbc;

import static io.keystile.store.jdbc.JdbcKeyStore.check;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import io.keystile.store.WriteOutcome.Kind;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The conditional writes. Each begins with the statement that can be refused, so that it waits for
 * others before it has read anything, and all that follows is done by whoever got through.
 */
final class KeyWriter {
  private static final int ROWS_PER_PURGE = 1000;

  /** A secret version with its key, so that those of many keys go in one batch. */
  private record VersionOf(String keyId, SecretVersion version) {

    static List<VersionOf> all(List<KeyWrite> writes) {
      List<VersionOf> all = new ArrayList<>();
      for (KeyWrite write : writes) {
        for (SecretVersion version : write.record().versions()) {
          all.add(new VersionOf(write.record().id(), version));
        }
      }
      return all;
    }
  }

  private final Transactions transactions;
  private final Failures failures;
  private final Sql sql;

  KeyWriter(Transactions transactions, Failures failures, Sql sql) {
    this.transactions = transactions;
    this.failures = failures;
    this.sql = sql;
  }

  WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    checkInsert(writes, ownerMaximum);
    return settle("insert", writes, session -> tryInsert(session, writes, ownerMaximum));
  }

  WriteOutcome replace(KeyWrite write) {
    return settle("replace", List.of(write), session -> tryReplace(session, write));
  }

  Purge.Result purge(Purge purge) {
    int keys = 0;
    for (KeyWrite write : purge.keys()) {
      Kind kind = transactions.write("purge", session -> tryPurge(session, write), this::applied);
      keys += kind == Kind.APPLIED ? 1 : 0;
    }
    return new Purge.Result(
        keys,
        purgeOldest(sql.oldestAudit, sql.deleteAudit, purge.auditBefore(), purge.limit()),
        purgeOldest(sql.oldestChanges, sql.deleteChange, purge.changesBefore(), purge.limit()));
  }

  private boolean applied(Kind kind) {
    return kind == Kind.APPLIED;
  }

  /**
   * Does it, and if it is refused, looks whether it had been done before: that is asked last, but
   * answered first, so that a repeated call is recognised whatever else is in its way.
   */
  private WriteOutcome settle(
      String operation, List<KeyWrite> writes, Transactions.Work<Kind> work) {
    Kind kind = transactions.write(operation, work, this::applied);
    if (kind == Kind.APPLIED) {
      return WriteOutcome.APPLIED;
    }
    Optional<AuditEntry> earlier =
        transactions.read(operation, session -> findOperation(session, writes));
    if (earlier.isPresent()) {
      return WriteOutcome.repeated(earlier.get());
    }
    return switch (kind) {
      case DUPLICATE -> WriteOutcome.DUPLICATE;
      case OWNER_FULL -> WriteOutcome.OWNER_FULL;
      case CONFLICT -> WriteOutcome.CONFLICT;
      default ->
          // it stands in the way, but a snapshot of the host's transaction hides it
          throw new StoreException(
              StoreException.Kind.CONFLICT,
              operation + ": another transaction with this operation id cannot be seen yet",
              null);
    };
  }

  private Kind tryInsert(Session session, List<KeyWrite> writes, int ownerMaximum)
      throws SQLException {
    boolean limited = ownerMaximum != Integer.MAX_VALUE;
    String owner = writes.get(0).record().owner();
    if (limited) {
      lockOwner(session, owner);
    }
    try {
      session.batch(
          sql.insertKey, writes, (binder, write) -> Records.bindKey(binder, write.record()));
    } catch (SQLException e) {
      return refusedAs(Kind.DUPLICATE, e);
    }
    Instant at = writes.get(0).entry().at();
    if (limited && countLive(session, owner, at) > ownerMaximum) {
      return Kind.OWNER_FULL;
    }
    List<VersionOf> versions = VersionOf.all(writes);
    insertVersions(session, versions);
    session.batch(
        sql.insertUse,
        versions,
        (binder, of) -> binder.exact(of.keyId()).number(of.version().number()));
    return log(session, writes);
  }

  private Kind tryReplace(Session session, KeyWrite write) throws SQLException {
    KeyRecord key = write.record();
    int replaced =
        session.update(
            sql.replaceKey,
            binder -> {
              Records.bindKey(binder, key);
              binder.number(key.revision() - 1);
            });
    if (replaced == 0) {
      return Kind.CONFLICT;
    }
    session.update(sql.deleteVersions, binder -> binder.exact(key.id()));
    insertVersions(session, VersionOf.all(List.of(write)));
    session.update(sql.deleteUsesOfGoneVersions, binder -> binder.exact(key.id()).exact(key.id()));
    session.update(sql.insertMissingUses, binder -> binder.exact(key.id()));
    return log(session, List.of(write));
  }

  private Kind tryPurge(Session session, KeyWrite write) throws SQLException {
    KeyRecord key = write.record();
    int removed =
        session.update(sql.purgeKey, binder -> binder.exact(key.id()).number(key.revision()));
    if (removed == 0) {
      return Kind.CONFLICT;
    }
    session.update(sql.deleteVersions, binder -> binder.exact(key.id()));
    session.update(sql.deleteUses, binder -> binder.exact(key.id()));
    session.update(sql.deleteIdleOwner, binder -> binder.exact(key.owner()).exact(key.owner()));
    return log(session, List.of(write));
  }

  private void insertVersions(Session session, List<VersionOf> versions) throws SQLException {
    session.batch(
        sql.insertVersion,
        versions,
        (binder, of) -> Records.bindVersion(binder, of.keyId(), of.version()));
  }

  /** Audit entries and change notices, with the time of the entry: a store reads no clock. */
  private Kind log(Session session, List<KeyWrite> writes) throws SQLException {
    try {
      session.batch(
          sql.insertAudit, writes, (binder, write) -> Records.bindEntry(binder, write.entry()));
    } catch (SQLException e) {
      return refusedAs(Kind.REPEATED, e);
    }
    session.batch(
        sql.insertChange,
        writes,
        (binder, write) -> binder.exact(write.record().id()).time(write.entry().at()));
    return Kind.APPLIED;
  }

  private Kind refusedAs(Kind kind, SQLException e) throws SQLException {
    if (failures.isDuplicate(e)) {
      return kind;
    }
    throw e;
  }

  /** Whoever holds the owner's row may count and add; the others wait here. */
  private void lockOwner(Session session, String owner) throws SQLException {
    if (session.update(sql.lockOwner, binder -> binder.exact(owner)) > 0) {
      return;
    }
    try {
      session.update(sql.insertOwner, binder -> binder.exact(owner));
    } catch (SQLException e) {
      if (failures.isDuplicate(e)) {
        // another made the row since: that is contention, and over once this transaction is
        throw new SQLTransactionRollbackException("owner row taken", "40001", e);
      }
      throw e;
    }
  }

  private long countLive(Session session, String owner, Instant at) throws SQLException {
    return session.query(
        session.joined() ? sql.countLiveNow : sql.countLive,
        binder -> binder.exact(owner).time(at),
        row -> {
          row.next();
          return row.number();
        });
  }

  private Optional<AuditEntry> findOperation(Session session, List<KeyWrite> writes)
      throws SQLException {
    for (KeyWrite write : writes) {
      List<AuditEntry> entries =
          session.query(
              sql.findOperation,
              binder -> binder.exact(write.entry().operationId()),
              Records::readEntries);
      if (!entries.isEmpty()) {
        return Optional.of(entries.get(0));
      }
    }
    return Optional.empty();
  }

  /** Looks for rows before it deletes them, and deletes few at a time: issuing must not wait. */
  private int purgeOldest(String oldest, String delete, @Nullable Instant before, int limit) {
    if (before == null) {
      return 0;
    }
    List<Long> numbers =
        transactions.read(
            "purge",
            session ->
                session.query(
                    oldest, binder -> binder.time(before).number(limit), KeyWriter::readNumbers));
    // all nodes delete in one order, so that their batches do not deadlock
    Collections.sort(numbers);
    int deleted = 0;
    for (int from = 0; from < numbers.size(); from += ROWS_PER_PURGE) {
      List<Long> part = numbers.subList(from, Math.min(from + ROWS_PER_PURGE, numbers.size()));
      deleted +=
          transactions.write(
              "purge", session -> session.batch(delete, part, Binder::number), count -> true);
    }
    return deleted;
  }

  private static List<Long> readNumbers(Row row) throws SQLException {
    List<Long> numbers = new ArrayList<>();
    while (row.next()) {
      numbers.add(row.number());
    }
    return numbers;
  }

  private static void checkInsert(List<KeyWrite> writes, int ownerMaximum) {
    check(!writes.isEmpty(), "writes: must not be empty");
    check(ownerMaximum >= 1, "ownerMaximum: must be at least 1");
    Set<String> keyIds = new HashSet<>();
    Set<String> operationIds = new HashSet<>();
    for (KeyWrite write : writes) {
      KeyRecord key = write.record();
      check(key.revision() == 1, "writes: each record must be at revision 1");
      check(keyIds.add(key.id()), "writes: no two may have the same key id");
      check(
          operationIds.add(write.entry().operationId()),
          "writes: no two may have the same operation id");
      check(
          ownerMaximum == Integer.MAX_VALUE || key.owner().equals(writes.get(0).record().owner()),
          "writes: with an ownerMaximum, all must be of one owner");
    }
  }
}
