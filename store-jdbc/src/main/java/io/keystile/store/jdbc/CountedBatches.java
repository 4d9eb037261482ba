package io.keystile.store.jdbc;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Batches that must tell how many rows each of their elements has changed. */
final class CountedBatches {
  /** Few at a time, so that a purge holds no lock for long. */
  private static final int ROWS_PER_DELETION = 1000;

  private final Transactions transactions;

  /** Drivers that send a batch as one statement may not tell which of its rows were changed. */
  private volatile boolean batchesTell = true;

  CountedBatches(Transactions transactions) {
    this.transactions = transactions;
  }

  /**
   * How many rows each element has changed; empty if the driver does not tell. Then the transaction
   * is to be undone, and the next attempt will know.
   */
  <E> Optional<int[]> run(
      Session session, String statement, List<E> elements, Session.BindingOf<E> binding)
      throws SQLException {
    if (elements.isEmpty()) {
      return Optional.of(new int[0]);
    }
    if (!batchesTell) {
      return Optional.of(session.updateEach(statement, elements, binding));
    }
    int[] counts = session.batchCounts(statement, elements, binding);
    if (Session.tell(counts)) {
      return Optional.of(counts);
    }
    batchesTell = false;
    return Optional.empty();
  }

  /** Deletes what is still there of rows that were found before, and says how many these were. */
  <E> int delete(String operation, String statement, List<E> rows, Session.BindingOf<E> binding) {
    int deleted = 0;
    for (int from = 0; from < rows.size(); from += ROWS_PER_DELETION) {
      List<E> part = rows.subList(from, Math.min(from + ROWS_PER_DELETION, rows.size()));
      Optional<int[]> counts;
      do {
        counts =
            transactions.writeApart(
                operation, session -> run(session, statement, part, binding), Optional::isPresent);
      } while (counts.isEmpty());
      deleted += IntStream.of(counts.get()).sum();
    }
    return deleted;
  }
}
