package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Stores with one mistake each in what they read and tell, of the kind that people make. */
final class BrokenReads {
  private BrokenReads() {}

  /** Begins a page where the one before ended, counted in keys. */
  static final class PagesByOffset extends PassThroughStore {
    private final Map<List<Object>, Integer> offsets = new ConcurrentHashMap<>();

    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      right.list(filter, after, limit);
      Integer offset = after == null ? Integer.valueOf(0) : offsets.get(List.of(filter, after));
      if (offset == null) {
        return right.list(filter, after, limit);
      }
      List<StoredKey> page =
          right.list(filter, null, 1000).stream().skip(offset).limit(limit).toList();
      if (!page.isEmpty()) {
        String last = page.get(page.size() - 1).record().id();
        offsets.put(List.of(filter, last), offset + page.size());
      }
      return page;
    }
  }

  /** Reads the row of the key and the rows of its versions one after the other. */
  static final class ReadsInTwoStatements extends PassThroughStore {
    @Override
    public Optional<KeyRecord> load(String keyId) {
      Optional<KeyRecord> row = super.load(keyId);
      BrokenStores.roundTrip();
      Optional<KeyRecord> children = super.load(keyId);
      return row.flatMap(
          record ->
              children.map(
                  later ->
                      record.toBuilder()
                          .versions(later.versions())
                          .scopes(later.scopes())
                          .build()));
    }
  }

  /** Asks once more for each key of a page. */
  static final class QueriesPerKey extends PassThroughStore {
    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      List<StoredKey> page = super.list(filter, after, limit);
      page.forEach(key -> find(key.record().id()));
      return page;
    }
  }

  /** Leaves out the notices of some writes. */
  abstract static class HidesNotices extends PassThroughStore {
    private final Set<Long> hidden = ConcurrentHashMap.newKeySet();

    final void hideLast(int notices) {
      long newest = right.changesSince(ChangeCursor.after(0), 1).newest();
      for (int i = 0; i < notices; i++) {
        hidden.add(newest - i);
      }
    }

    @Override
    public Changes changesSince(ChangeCursor cursor, int limit) {
      Changes changes = right.changesSince(cursor, limit);
      return new Changes(
          changes.list().stream().filter(change -> !hidden.contains(change.number())).toList(),
          changes.oldest(),
          changes.newest());
    }
  }

  /** A key that is gone needs no notice, or so it thought. */
  static final class TellsNobodyOfPurges extends HidesNotices {
    @Override
    public Purge.Result purge(Purge purge) {
      Purge.Result result = right.purge(purge);
      hideLast(result.keys());
      return result;
    }
  }

  /** One notice per call is enough, or so it thought. */
  static final class TellsOfTheFirstKeyOnly extends HidesNotices {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      if (outcome == WriteOutcome.APPLIED) {
        hideLast(writes.size() - 1);
      }
      return outcome;
    }
  }

  /** Gives numbers again once the table is empty, as some identity columns do. */
  static final class GivesNumbersAgain extends PassThroughStore {
    private long given;

    @Override
    public synchronized Purge.Result purge(Purge purge) {
      long newest = right.changesSince(ChangeCursor.after(0), 1).newest();
      Purge.Result result = right.purge(purge);
      if (newest > 0 && right.changesSince(ChangeCursor.after(0), 1).newest() == 0) {
        given = newest;
      }
      return result;
    }

    @Override
    public synchronized Changes changesSince(ChangeCursor cursor, int limit) {
      List<ChangeCursor.Gap> gaps =
          cursor.gaps().stream()
              .map(gap -> new ChangeCursor.Gap(gap.first() + given, gap.last() + given))
              .toList();
      Changes changes = right.changesSince(new ChangeCursor(cursor.after() + given, gaps), limit);
      return new Changes(
          changes.list().stream()
              .map(change -> new Changes.Change(change.number() - given, change.keyId()))
              .toList(),
          Math.max(0, changes.oldest() - given),
          Math.max(0, changes.newest() - given));
    }
  }

  /** Lets anything pass that its database lets pass. */
  static final class ChecksNoArguments extends PassThroughStore {
    @Override
    public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
      return right.audit(filter, Math.max(0, after), Math.min(1000, Math.max(1, limit)));
    }
  }

  /** Lets the text of its driver out. */
  static final class SaysTooMuch extends PassThroughStore {
    @Override
    RuntimeException failure(String operation, Object[] arguments) {
      return new StoreException(
          StoreException.Kind.UNAVAILABLE, operation + List.of(arguments), null);
    }
  }
}
