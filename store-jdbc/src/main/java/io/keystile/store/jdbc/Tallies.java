package io.keystile.store.jdbc;

import static io.keystile.store.jdbc.JdbcKeyStore.check;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Keeps how keys were used, in transactions of its own. */
final class Tallies {
  private static final int MAX_TALLIES = 10_000;

  /** One order for all nodes, so that their transactions do not deadlock. */
  private static final Comparator<Tally> ORDER =
      Comparator.comparing((Tally tally) -> tally.subject().keyId())
          .thenComparing(Tally::period)
          .thenComparing(Tally::start)
          .thenComparing(tally -> planOf(tally.subject().plan()))
          .thenComparing(Tally::metric)
          .thenComparing(Tally::label);

  private final Transactions transactions;
  private final Failures failures;
  private final Sql sql;
  private final CountedBatches batches;

  Tallies(Transactions transactions, Failures failures, Sql sql) {
    this.transactions = transactions;
    this.failures = failures;
    this.sql = sql;
    this.batches = new CountedBatches(transactions);
  }

  /** No plan has an empty name, so an empty one is none: a key has no room for null. */
  private static String planOf(@Nullable String plan) {
    return plan == null ? "" : plan;
  }

  private static Period periodOf(long hours) {
    for (Period period : Period.values()) {
      if (period.length().toHours() == hours) {
        return period;
      }
    }
    throw new IllegalArgumentException("no period has so many hours");
  }

  /**
   * The id of a batch is in the same transaction as its tallies: what was undone is not known, and
   * whoever meets the id of another waits until that one has ended.
   */
  boolean add(Batch batch) {
    Objects.requireNonNull(batch, "batch");
    for (int attempt = 0; attempt < Retries.ATTEMPTS; attempt++) {
      boolean added =
          transactions.writeApart("add usage", session -> tryAdd(session, batch), kept -> kept);
      if (added || isKnown(batch.id())) {
        return added;
      }
    }
    throw new StoreException(
        StoreException.Kind.CONFLICT, "add usage: the batch was always in its own way", null);
  }

  private boolean isKnown(String batchId) {
    return transactions.readCommitted(
        "add usage",
        session -> session.query(sql.findBatch, binder -> binder.exact(batchId), Row::next));
  }

  /** False if the id is taken; what was written by then must be undone. */
  private boolean tryAdd(Session session, Batch batch) throws SQLException {
    try {
      session.update(sql.insertBatch, binder -> binder.exact(batch.id()).time(batch.madeAt()));
    } catch (SQLException e) {
      if (failures.isDuplicate(e)) {
        return false;
      }
      throw e;
    }
    merge(session, sql.addToTally, sorted(batch, false));
    merge(session, sql.raiseTally, sorted(batch, true));
    return true;
  }

  private static List<Tally> sorted(Batch batch, boolean maxima) {
    return batch.tallies().stream()
        .filter(tally -> tally.isMaximum() == maxima)
        .sorted(ORDER)
        .toList();
  }

  /** Where the statement looks first and then inserts, another may come in between. */
  private void merge(Session session, String statement, List<Tally> tallies) throws SQLException {
    try {
      if (!tallies.isEmpty()) {
        session.batch(statement, tallies, Tallies::bind);
      }
    } catch (SQLException e) {
      if (failures.isDuplicate(e)) {
        throw new SQLTransactionRollbackException("another came first", "40001", e);
      }
      throw e;
    }
  }

  private static void bind(Binder binder, Tally tally) throws SQLException {
    bindKey(binder, tally).exact(tally.subject().owner()).number(tally.amount());
  }

  private static Binder bindKey(Binder binder, Tally tally) throws SQLException {
    return binder
        .exact(tally.subject().keyId())
        .number(tally.period().length().toHours())
        .time(tally.start())
        .exact(planOf(tally.subject().plan()))
        .exact(tally.metric())
        .exact(tally.label());
  }

  List<Tally> find(Filter filter, @Nullable Tally after, int limit) {
    check(limit >= 1 && limit <= MAX_TALLIES, "limit: must be 1 to " + MAX_TALLIES);
    if (!Encoding.isStorable(filter.keyId())
        || !Encoding.isStorable(filter.owner())
        || !Encoding.isStorable(filter.plan())
        || Objects.equals(filter.plan(), planOf(null))) {
      return List.of();
    }
    return transactions.readCommitted(
        "read usage",
        session ->
            session.query(
                sql.tallies(filter, after == null),
                binder -> bindFilter(binder, filter, after, limit),
                Tallies::read));
  }

  /** In the order of the conditions in {@link Sql#tallies}. */
  private static void bindFilter(Binder binder, Filter filter, @Nullable Tally after, int limit)
      throws SQLException {
    binder.number(filter.period().length().toHours()).time(filter.from()).time(filter.until());
    if (filter.keyId() != null) {
      binder.exact(filter.keyId());
    }
    if (filter.owner() != null) {
      binder.exact(filter.owner());
    }
    if (filter.plan() != null) {
      binder.exact(planOf(filter.plan()));
    }
    for (String metric : filter.metrics()) {
      binder.exact(metric);
    }
    if (after != null) {
      bindAfter(binder.exact(after.subject().keyId()), after);
    }
    binder.number(limit);
  }

  /** Each but the last is compared twice. */
  private static void bindAfter(Binder binder, Tally after) throws SQLException {
    String keyId = after.subject().keyId();
    String plan = planOf(after.subject().plan());
    binder
        .exact(keyId)
        .exact(keyId)
        .time(after.start())
        .time(after.start())
        .exact(plan)
        .exact(plan)
        .exact(after.metric())
        .exact(after.metric())
        .exact(after.label());
  }

  private static List<Tally> read(Row row) throws SQLException {
    List<Tally> tallies = new ArrayList<>();
    while (row.next()) {
      String keyId = Row.present(row.exact());
      Period period = periodOf(row.number());
      Instant start = Row.present(row.time());
      String plan = Row.present(row.exact());
      String metric = Row.present(row.exact());
      String label = Row.present(row.exact());
      String owner = Row.present(row.exact());
      Subject subject = new Subject(keyId, owner, plan.isEmpty() ? null : plan);
      tallies.add(new Tally(subject, period, start, metric, label, row.number()));
    }
    return tallies;
  }

  int purge(Retention retention) {
    return purge(Period.HOUR, retention.hoursBefore(), retention.limit())
        + purge(Period.DAY, retention.daysBefore(), retention.limit())
        + purgeBatches(retention.batchesBefore(), retention.limit());
  }

  /** What a tally is about does not change, so those that were found are old for good. */
  private int purge(Period period, Instant before, int limit) {
    List<Tally> old =
        transactions.readCommitted(
            "purge usage",
            session ->
                session.query(
                    sql.oldestTallies,
                    binder -> binder.number(period.length().toHours()).time(before).number(limit),
                    Tallies::read));
    old.sort(ORDER);
    return batches.delete("purge usage", sql.deleteTally, old, Tallies::bindKey);
  }

  /** An id that was found may be another's by now, who came after a purge: its time is asked. */
  private int purgeBatches(Instant before, int limit) {
    List<String> ids =
        transactions.readCommitted(
            "purge usage",
            session ->
                session.query(
                    sql.oldestBatches,
                    binder -> binder.time(before).number(limit),
                    Ledgers::readIds));
    return batches.delete(
        "purge usage",
        sql.deleteBatch,
        ids.stream().sorted().toList(),
        (binder, id) -> binder.exact(id).time(before));
  }
}
