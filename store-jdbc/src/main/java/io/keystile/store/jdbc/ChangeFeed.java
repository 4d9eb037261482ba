package io.keystile.store.jdbc;

import io.keystile.store.ChangeCursor;
import io.keystile.store.ChangeCursor.Gap;
import io.keystile.store.Changes;
import io.keystile.store.Changes.Change;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads notices. Gaps are asked for first and in rising order, so what becomes visible between two
 * statements is either returned or still a gap at the next call. Without gaps it is one statement.
 */
final class ChangeFeed {
  private ChangeFeed() {}

  static Changes read(Session session, Sql sql, ChangeCursor cursor, int limit)
      throws SQLException {
    List<Change> changes = new ArrayList<>();
    List<Gap> gaps = cursor.gaps();
    for (int from = 0; from < gaps.size() && changes.size() < limit; ) {
      int to = Math.min(from + Sql.GAPS_PER_STATEMENT, gaps.size());
      changes.addAll(readGaps(session, sql, gaps.subList(from, to), limit - changes.size()));
      from = to;
    }
    // also when the list is full: the bounds come with it, and must not be older than the list
    return readAfter(session, sql, cursor.after(), changes, limit);
  }

  private static List<Change> readGaps(Session session, Sql sql, List<Gap> gaps, int limit)
      throws SQLException {
    return session.query(
        sql.changesInGaps,
        binder -> {
          for (int i = 0; i < Sql.GAPS_PER_STATEMENT; i++) {
            Gap gap = gaps.get(Math.min(i, gaps.size() - 1));
            binder.number(gap.first()).number(gap.last());
          }
          binder.number(limit);
        },
        row -> {
          List<Change> found = new ArrayList<>();
          while (row.next()) {
            found.add(new Change(row.number(), Row.present(row.exact())));
          }
          return found;
        });
  }

  private static Changes readAfter(
      Session session, Sql sql, long after, List<Change> changes, int limit) throws SQLException {
    int room = limit - changes.size();
    return session.query(
        sql.changesAfter,
        binder -> binder.number(after).number(Math.max(1, room)),
        row -> {
          long oldest = Long.MAX_VALUE;
          long newest = 0;
          List<Change> found = new ArrayList<>();
          while (row.next()) {
            long number = row.number();
            String keyId = row.exact();
            if (keyId != null) {
              found.add(new Change(number, keyId));
            } else if (number > 0) { // null in an empty table
              oldest = Math.min(oldest, number);
              newest = Math.max(newest, number);
            }
          }
          if (room > 0) {
            found.sort(Comparator.comparingLong(Change::number));
            changes.addAll(found);
          }
          return new Changes(changes, newest == 0 ? 0 : oldest, newest);
        });
  }
}
