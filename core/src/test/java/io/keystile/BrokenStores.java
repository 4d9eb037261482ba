package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Limit;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Stores with one mistake each in what they write, of the kind that people make. */
final class BrokenStores {
  private static final int NO_MAXIMUM = Integer.MAX_VALUE;

  private BrokenStores() {}

  /** The time between two statements. */
  static void roundTrip() {
    LockSupport.parkNanos(50_000);
  }

  private static KeyWrite withRecord(KeyWrite write, KeyRecord record) {
    return new KeyWrite(record, write.entry());
  }

  /** Looks whether the revision fits, and then writes over whatever is there. */
  static final class ChecksThenReplaces extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      KeyRecord record = write.record();
      Optional<KeyRecord> stored = right.load(record.id());
      if (stored.isEmpty() || stored.get().revision() != record.revision() - 1) {
        return right.replace(write);
      }
      roundTrip();
      return writeOver(write);
    }

    private WriteOutcome writeOver(KeyWrite write) {
      WriteOutcome outcome;
      Optional<KeyRecord> stored;
      do {
        stored = right.load(write.record().id());
        long revision = stored.map(KeyRecord::revision).orElse(0L) + 1;
        outcome =
            right.replace(withRecord(write, write.record().toBuilder().revision(revision).build()));
      } while (outcome == WriteOutcome.CONFLICT && stored.isPresent());
      return outcome;
    }
  }

  /** Leaves what it had inserted when it comes to a duplicate. */
  static final class InsertsOneByOne extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      if (outcome == WriteOutcome.DUPLICATE) {
        for (KeyWrite write : writes) {
          if (right.insert(List.of(write), ownerMaximum) != WriteOutcome.APPLIED) {
            break;
          }
        }
      }
      return outcome;
    }
  }

  /** Writes over a key that is stored already. */
  static final class UpdatesDuplicates extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      if (outcome == WriteOutcome.DUPLICATE && writes.size() == 1) {
        KeyRecord record = writes.get(0).record();
        long revision = right.load(record.id()).orElseThrow().revision() + 1;
        return right.replace(
            withRecord(writes.get(0), record.toBuilder().revision(revision).build()));
      }
      return outcome;
    }
  }

  /** Looks whether the key id is free, and then writes over whatever is there. */
  static final class ChecksThenInserts extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      KeyRecord record = writes.isEmpty() ? null : writes.get(0).record();
      if (writes.size() != 1 || right.load(record.id()).isPresent()) {
        return right.insert(writes, ownerMaximum);
      }
      roundTrip();
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      return outcome == WriteOutcome.DUPLICATE
          ? right.replace(withRecord(writes.get(0), record.toBuilder().revision(2).build()))
          : outcome;
    }
  }

  /** Does again what was done with this operation id. */
  static final class RepeatsReplacements extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      WriteOutcome outcome = right.replace(write);
      return outcome.kind() == WriteOutcome.Kind.REPEATED
          ? right.replace(withNewOperationId(write))
          : outcome;
    }
  }

  /** Does again what was done with this operation id. */
  static final class RepeatsInserts extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      return outcome.kind() == WriteOutcome.Kind.REPEATED
          ? right.insert(
              writes.stream().map(BrokenStores::withNewOperationId).toList(), ownerMaximum)
          : outcome;
    }
  }

  private static KeyWrite withNewOperationId(KeyWrite write) {
    return withEntry(write, "again " + System.nanoTime(), write.entry().secretVersion());
  }

  private static KeyWrite withEntry(
      KeyWrite write, String operationId, @Nullable Integer secretVersion) {
    AuditEntry entry = write.entry();
    return new KeyWrite(
        write.record(),
        new AuditEntry(
            0,
            operationId,
            entry.action(),
            entry.keyId(),
            entry.owner(),
            secretVersion,
            entry.at(),
            entry.actor(),
            entry.reason(),
            entry.note(),
            entry.before(),
            entry.after()));
  }

  /**
   * Says conflict, where it should first look whether it was that very call that got in its way.
   */
  static final class AnswersConflictBeforeRepeated extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      boolean fits =
          right
              .load(write.record().id())
              .filter(stored -> stored.revision() == write.record().revision() - 1)
              .isPresent();
      return fits ? right.replace(write) : WriteOutcome.CONFLICT;
    }
  }

  /** Counts, and then inserts: between the two, another may have inserted. */
  static final class CountsThenInserts extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      if (ownerMaximum == NO_MAXIMUM || ownerMaximum < 1 || writes.size() != 1) {
        return right.insert(writes, ownerMaximum);
      }
      KeyWrite write = writes.get(0);
      if (countLive(right, write.record().owner(), write.entry().at()) >= ownerMaximum) {
        return right.insert(writes, ownerMaximum);
      }
      roundTrip();
      return right.insert(writes, NO_MAXIMUM);
    }
  }

  /** Looks at the clock of its machine to tell which keys have ended. */
  static final class ReadsTheClock extends PassThroughStore {
    @Override
    public synchronized WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      if (ownerMaximum == NO_MAXIMUM || ownerMaximum < 1 || writes.size() != 1) {
        return right.insert(writes, ownerMaximum);
      }
      AuditEntry entry = writes.get(0).entry();
      AuditFilter earlier = new AuditFilter(null, null, entry.operationId(), null, null);
      boolean isFull = countLive(right, entry.owner(), Instant.now()) >= ownerMaximum;
      return isFull && right.audit(earlier, 0, 1).isEmpty()
          ? WriteOutcome.OWNER_FULL
          : right.insert(writes, NO_MAXIMUM);
    }
  }

  private static int countLive(KeyStore store, String owner, Instant at) {
    KeyFilter live =
        KeyFilter.builder()
            .owner(owner)
            .states(Set.of(KeyRecord.State.ACTIVE, KeyRecord.State.DISABLED))
            .liveAfter(Instant.ofEpochMilli(at.toEpochMilli()))
            .build();
    return store.list(live, null, 1000).size();
  }

  /** Tidies up what people typed. */
  static final class TrimsNames extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      return right.insert(writes.stream().map(TrimsNames::trimmed).toList(), ownerMaximum);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      return right.replace(trimmed(write));
    }

    private static KeyWrite trimmed(KeyWrite write) {
      KeyRecord record = write.record();
      return withRecord(write, record.toBuilder().name(record.name().strip()).build());
    }
  }

  /** Has no column for the secret version of an entry. */
  static final class LosesSecretVersions extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      return right.insert(
          writes.stream().map(LosesSecretVersions::ofTheWholeKey).toList(), ownerMaximum);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      return right.replace(ofTheWholeKey(write));
    }

    private static KeyWrite ofTheWholeKey(KeyWrite write) {
      return withEntry(write, write.entry().operationId(), null);
    }
  }

  /** Forgets the rule for rotation in its UPDATE statement. */
  static final class LeavesRulesAsTheyWere extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      KeyRecord record = write.record();
      KeyRecord stored = right.load(record.id()).orElse(record);
      return right.replace(
          withRecord(write, record.toBuilder().rotation(stored.rotation()).build()));
    }
  }

  /** Keeps the rule for rotation in seconds. */
  static final class RoundsRules extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      return right.insert(writes.stream().map(RoundsRules::rounded).toList(), ownerMaximum);
    }

    private static KeyWrite rounded(KeyWrite write) {
      KeyRecord record = write.record();
      KeyRecord.RotationRule rule = record.rotation();
      if (rule == null) {
        return write;
      }
      KeyRecord.RotationRule seconds =
          new KeyRecord.RotationRule(rule.grace().truncatedTo(ChronoUnit.SECONDS), rule.age());
      return withRecord(write, record.toBuilder().rotation(seconds).build());
    }
  }

  /** Forgets the limits in its UPDATE statement. */
  static final class LeavesLimitsAsTheyWere extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      KeyRecord record = write.record();
      KeyRecord stored = right.load(record.id()).orElse(record);
      return right.replace(withRecord(write, record.toBuilder().limits(stored.limits()).build()));
    }
  }

  /** The update statement was not told of the columns that were added for adapted limits. */
  static final class LeavesAdaptedAsItWas extends PassThroughStore {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      KeyRecord record = write.record();
      KeyRecord stored = right.load(record.id()).orElse(record);
      return right.replace(withRecord(write, record.toBuilder().adapted(stored.adapted()).build()));
    }
  }

  /** Keeps why limits were adapted in a column that is too narrow, and lets it be cut. */
  static final class CutsWhyLimitsWereAdapted extends PassThroughStore {
    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      return right.insert(
          writes.stream().map(write -> withRecord(write, cut(write.record()))).toList(),
          ownerMaximum);
    }

    private static KeyRecord cut(KeyRecord record) {
      KeyRecord.Adapted adapted = record.adapted();
      if (adapted == null || adapted.why().codePointCount(0, adapted.why().length()) < 100) {
        return record;
      }
      String why = adapted.why().substring(0, adapted.why().offsetByCodePoints(0, 100));
      return record.toBuilder()
          .adapted(new KeyRecord.Adapted(adapted.at(), adapted.perMinute(), why))
          .build();
    }
  }

  /** Changes limits on their way into the store. */
  abstract static class ChangesLimits extends PassThroughStore {
    abstract List<Limit> changed(List<Limit> limits);

    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      return right.insert(writes.stream().map(this::changed).toList(), ownerMaximum);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      return right.replace(changed(write));
    }

    private KeyWrite changed(KeyWrite write) {
      KeyRecord record = write.record();
      return withRecord(write, record.toBuilder().limits(changed(record.limits())).build());
    }
  }

  /** Keeps limits in a table of their own, with the unit in its key. */
  static final class SortsLimits extends ChangesLimits {
    @Override
    List<Limit> changed(List<Limit> limits) {
      return limits.stream()
          .sorted(Comparator.comparing(Limit::unit).thenComparing(Limit::window))
          .toList();
    }
  }

  /** Keeps amounts as JSON does in JavaScript: in 53 bits. */
  static final class RoundsAmounts extends ChangesLimits {
    @Override
    List<Limit> changed(List<Limit> limits) {
      return limits.stream()
          .map(limit -> new Limit(limit.unit(), (long) (double) limit.amount(), limit.window()))
          .toList();
    }
  }

  /** Keeps windows in milliseconds of 32 bits, as a database does that cuts off what is more. */
  static final class CutsLongWindows extends ChangesLimits {
    @Override
    List<Limit> changed(List<Limit> limits) {
      return limits.stream()
          .map(
              limit -> {
                long millis = Math.min(limit.window().toMillis(), Integer.MAX_VALUE);
                return new Limit(limit.unit(), limit.amount(), Duration.ofMillis(millis));
              })
          .toList();
    }
  }

  /** Keeps the mark that came last, not the newest. */
  static final class KeepsTheLastMark extends PassThroughStore {
    private final Map<String, UseMark> last = new ConcurrentHashMap<>();

    @Override
    public void recordUse(List<UseMark> marks) {
      right.recordUse(marks);
      marks.forEach(mark -> last.put(mark.keyId() + mark.version(), mark));
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      return right.find(keyId).map(this::withLast);
    }

    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      return right.list(filter, after, limit).stream().map(this::withLast).toList();
    }

    private StoredKey withLast(StoredKey key) {
      return new StoredKey(
          key.record(),
          key.uses().stream()
              .map(use -> last.getOrDefault(use.keyId() + use.version(), use))
              .toList());
    }
  }

  /** Keeps marks for keys that may yet come. */
  static final class KeepsMarksOfUnknownKeys extends PassThroughStore {
    private final List<UseMark> waiting = new ArrayList<>();

    @Override
    public synchronized void recordUse(List<UseMark> marks) {
      right.recordUse(marks);
      marks.stream().filter(mark -> right.load(mark.keyId()).isEmpty()).forEach(waiting::add);
    }

    @Override
    public synchronized WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = right.insert(writes, ownerMaximum);
      right.recordUse(waiting);
      return outcome;
    }
  }

  /** Keeps last use in the row of the key, and writes the row anew. */
  static final class LosesLastUse extends PassThroughStore {
    private final Set<String> replaced = ConcurrentHashMap.newKeySet();

    @Override
    public WriteOutcome replace(KeyWrite write) {
      replaced.add(write.record().id());
      return right.replace(write);
    }

    @Override
    public void recordUse(List<UseMark> marks) {
      marks.forEach(mark -> replaced.remove(mark.keyId()));
      right.recordUse(marks);
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      return right
          .find(keyId)
          .map(key -> replaced.contains(keyId) ? new StoredKey(key.record(), List.of()) : key);
    }
  }

  /** Writes no entry when it removes a key. */
  static final class LeavesOutEntriesOfPurges extends PassThroughStore {
    private final Set<String> removals = ConcurrentHashMap.newKeySet();

    @Override
    public Purge.Result purge(Purge purge) {
      purge.keys().forEach(write -> removals.add(write.entry().operationId()));
      return right.purge(purge);
    }

    @Override
    public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
      Predicate<AuditEntry> kept = entry -> !removals.contains(entry.operationId());
      return right.audit(filter, after, limit).stream().filter(kept).toList();
    }
  }

  /** Removes a key by its id alone. */
  static final class PurgesAtAnyRevision extends PassThroughStore {
    @Override
    public Purge.Result purge(Purge purge) {
      List<KeyWrite> keys = new ArrayList<>();
      for (KeyWrite write : purge.keys()) {
        keys.add(withRecord(write, right.load(write.record().id()).orElse(write.record())));
      }
      return right.purge(
          new Purge(keys, purge.auditBefore(), purge.changesBefore(), purge.limit()));
    }
  }

  /** Removes all that is old, in one long transaction. */
  static final class PurgesWithoutLimit extends PassThroughStore {
    @Override
    public Purge.Result purge(Purge purge) {
      return right.purge(
          new Purge(purge.keys(), purge.auditBefore(), purge.changesBefore(), 100_000));
    }
  }

  /** Fails after the first key of a list, and leaves it. */
  static final class FailsHalfWay extends PassThroughStore {
    @Override
    KeyStore failingAfter(int calls) {
      return new PassThroughStore(super.failingAfter(calls)) {
        @Override
        public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
          if (calls > 0 && calls < writes.size()) {
            right.insert(writes.subList(0, calls), ownerMaximum);
            throw new StoreException(StoreException.Kind.UNAVAILABLE, "insert", null);
          }
          return right.insert(writes, ownerMaximum);
        }
      };
    }
  }

  /** Hands actions to a thread of its own. */
  static final class RunsActionsElsewhere extends PassThroughStore {
    @Override
    public void afterCommit(Runnable action) {
      Thread thread = new Thread(action);
      thread.start();
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
