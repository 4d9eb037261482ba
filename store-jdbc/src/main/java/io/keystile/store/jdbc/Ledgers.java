package io.keystile.store.jdbc;

import static io.keystile.store.jdbc.JdbcKeyStore.check;

import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import io.keystile.store.StoreException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Keeps what nodes share of limits, in transactions of its own. */
final class Ledgers {
  private static final int MAX_LEDGERS = 1000;
  private static final int MAX_PURGE = 100_000;

  private final Transactions transactions;
  private final Failures failures;
  private final Sql sql;
  private final CountedBatches batches;

  Ledgers(Transactions transactions, Failures failures, Sql sql) {
    this.transactions = transactions;
    this.failures = failures;
    this.sql = sql;
    this.batches = new CountedBatches(transactions);
  }

  Snapshot read(Collection<String> ids) {
    check(ids.size() <= MAX_LEDGERS, "ids: must be at most " + MAX_LEDGERS);
    List<String> possible = ids.stream().distinct().filter(Encoding::isLedgerId).toList();
    // a transaction for both could have a snapshot that is older than the time it tells
    Instant now =
        transactions.readCommitted(
            "read time", session -> session.query(sql.now, binder -> {}, Ledgers::readTime));
    return new Snapshot(now, possible.isEmpty() ? List.of() : find("read ledgers", possible));
  }

  private static Instant readTime(Row row) throws SQLException {
    row.next();
    return Row.present(row.time());
  }

  private List<Ledger> find(String operation, List<String> ids) {
    return transactions.readCommitted(
        operation,
        session ->
            session.query(
                sql.findLedgers(ids.size()),
                binder -> {
                  for (int i = 0; i < Sql.placesForLedgers(ids.size()); i++) {
                    binder.exact(ids.get(Math.min(i, ids.size() - 1)));
                  }
                },
                Ledgers::readLedgers));
  }

  private static List<Ledger> readLedgers(Row row) throws SQLException {
    List<Ledger> ledgers = new ArrayList<>();
    while (row.next()) {
      ledgers.add(
          new Ledger(
              Row.present(row.exact()),
              row.number(),
              Row.present(row.text()),
              Row.present(row.time())));
    }
    return ledgers;
  }

  /**
   * A batch of insertions is refused as a whole; so whoever meets a duplicate looks which ledgers
   * are there, and does the rest again without these. Each time another node has come first.
   */
  Set<String> replace(List<Ledger> ledgers) {
    // all nodes write in one order, so that their batches do not deadlock
    List<Ledger> left = new ArrayList<>(ledgers);
    left.sort(Comparator.comparing(Ledger::id));
    checkReplace(left);
    for (int attempt = 0; attempt < Retries.ATTEMPTS; attempt++) {
      if (left.isEmpty()) {
        return Set.of();
      }
      Optional<Set<String>> written = tryReplace(List.copyOf(left));
      if (written.isPresent()) {
        return written.get();
      }
      List<String> inserted = idsOf(left.stream().filter(Ledgers::isNew).toList());
      if (!inserted.isEmpty()) {
        Set<String> stored = new HashSet<>(idsOf(find("replace ledgers", inserted)));
        left.removeIf(ledger -> isNew(ledger) && stored.contains(ledger.id()));
      }
    }
    throw new StoreException(
        StoreException.Kind.CONFLICT, "replace ledgers: others always came first", null);
  }

  private static void checkReplace(List<Ledger> sorted) {
    check(sorted.size() <= MAX_LEDGERS, "ledgers: must be at most " + MAX_LEDGERS);
    for (int i = 1; i < sorted.size(); i++) {
      check(
          !sorted.get(i).id().equals(sorted.get(i - 1).id()),
          "ledgers: no two may have the same id");
    }
  }

  private static boolean isNew(Ledger ledger) {
    return ledger.revision() == 1;
  }

  private static List<String> idsOf(List<Ledger> ledgers) {
    return ledgers.stream().map(Ledger::id).toList();
  }

  /** Which were written; empty if that cannot be said, and then none was. */
  private Optional<Set<String>> tryReplace(List<Ledger> ledgers) {
    return transactions.writeApart(
        "replace ledgers", session -> tryReplace(session, ledgers), Optional::isPresent);
  }

  /**
   * Insertions come first: whoever waits in them holds no row yet that others could update, and so
   * two lists do not deadlock.
   */
  private Optional<Set<String>> tryReplace(Session session, List<Ledger> ledgers)
      throws SQLException {
    List<Ledger> insertions = ledgers.stream().filter(Ledgers::isNew).toList();
    List<Ledger> updates = ledgers.stream().filter(ledger -> !isNew(ledger)).toList();
    if (!insertions.isEmpty()) {
      try {
        session.batch(sql.insertLedger, insertions, Ledgers::bind);
      } catch (SQLException e) {
        if (failures.isDuplicate(e)) {
          return Optional.empty();
        }
        throw e;
      }
    }
    Set<String> written = new HashSet<>(idsOf(insertions));
    Optional<int[]> counts =
        batches.run(
            session,
            sql.replaceLedger,
            updates,
            (binder, ledger) -> bind(binder, ledger).number(ledger.revision() - 1));
    for (int i = 0; counts.isPresent() && i < updates.size(); i++) {
      if (counts.get()[i] > 0) {
        written.add(updates.get(i).id());
      }
    }
    return counts.map(known -> written);
  }

  private static Binder bind(Binder binder, Ledger ledger) throws SQLException {
    return binder
        .number(ledger.revision())
        .text(ledger.text())
        .time(ledger.keepUntil())
        .exact(ledger.id());
  }

  /** Looks for ledgers before it deletes them, as all purges do. */
  int purge(Instant before, int limit) {
    check(isMillis(before), "before: must be whole milliseconds");
    check(limit >= 1 && limit <= MAX_PURGE, "limit: must be 1 to " + MAX_PURGE);
    List<String> ids =
        transactions.readCommitted(
            "purge ledgers",
            session ->
                session.query(
                    sql.oldestLedgers,
                    binder -> binder.time(before).number(limit),
                    Ledgers::readIds));
    Collections.sort(ids);
    // by then some may have been replaced: the time is looked at again
    return batches.delete(
        "purge ledgers", sql.deleteLedger, ids, (binder, id) -> binder.exact(id).time(before));
  }

  private static boolean isMillis(Instant time) {
    try {
      return Instant.ofEpochMilli(time.toEpochMilli()).equals(time);
    } catch (ArithmeticException e) {
      return false;
    }
  }

  static List<String> readIds(Row row) throws SQLException {
    List<String> ids = new ArrayList<>();
    while (row.next()) {
      ids.add(Row.present(row.exact()));
    }
    return ids;
  }
}
