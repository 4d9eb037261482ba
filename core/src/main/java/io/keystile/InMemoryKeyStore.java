package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.SecretVersion;
import io.keystile.store.SharedLimits;
import io.keystile.store.StoredKey;
import io.keystile.store.UsageStore;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps keys in memory: for tests, and for hosts that are one process and issue their keys anew at
 * each start.
 *
 * <p>Nothing is durable, nothing is shared between processes, and there are no transactions: each
 * call is one of its own, and {@link #afterCommit} runs its action at once. Listing, and inserting
 * under an owner's maximum, look at every key. The audit trail and the notices of changes grow with
 * each change until {@link #purge(Purge)} removes old ones, which is for the host to call now and
 * then.
 *
 * <p>What {@link SharedLimits} says of nodes is true of those that have one store object in common;
 * their clock is the system's.
 *
 * <p>Usage grows until {@link #purge(Retention)} removes what is old.
 *
 * <p>Safe for use by many threads: one lock guards the keys and one the usage, and each is held for
 * no longer than a look at the maps takes. No method throws {@link
 * io.keystile.store.StoreException}.
 */
public final class InMemoryKeyStore implements KeyStore, SharedLimits, UsageStore {
  // The natural order of strings is the byte order of key ids, which are ASCII
  private final NavigableMap<String, KeyRecord> records = new TreeMap<>();
  private final Map<String, NavigableMap<Integer, UseMark>> uses = new HashMap<>();
  private final NavigableMap<Long, AuditEntry> trail = new TreeMap<>();
  private final Map<String, AuditEntry> operations = new HashMap<>();
  private final NavigableMap<Long, Notice> notices = new TreeMap<>();
  private final Map<String, Ledger> ledgers = new HashMap<>();
  private final InMemoryUsage usage = new InMemoryUsage();
  private final InstantSource clock;
  private long lastEntry;
  private long lastNotice;

  /** Remembers its time, because only notices older than some time are purged. */
  private record Notice(Changes.Change change, Instant at) {}

  /** Makes an empty store. */
  public InMemoryKeyStore() {
    this(InstantSource.system());
  }

  /**
   * @param clock the time that {@link #read} tells; nothing else depends on it
   */
  InMemoryKeyStore(InstantSource clock) {
    this.clock = Objects.requireNonNull(clock, "clock");
  }

  @Override
  public synchronized WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    checkInsert(writes, ownerMaximum);
    for (KeyWrite write : writes) {
      AuditEntry earlier = operations.get(write.entry().operationId());
      if (earlier != null) {
        return WriteOutcome.repeated(earlier);
      }
    }
    for (KeyWrite write : writes) {
      if (records.containsKey(write.record().id())) {
        return WriteOutcome.DUPLICATE;
      }
    }
    if (ownerMaximum < Integer.MAX_VALUE && liveAfter(writes) > ownerMaximum) {
      return WriteOutcome.OWNER_FULL;
    }
    writes.forEach(this::write);
    return WriteOutcome.APPLIED;
  }

  private static void checkInsert(List<KeyWrite> writes, int ownerMaximum) {
    require(!writes.isEmpty(), "writes: must not be empty");
    require(ownerMaximum >= 1, "ownerMaximum: must be at least 1");
    Set<String> ids = new HashSet<>();
    Set<String> operationIds = new HashSet<>();
    Set<String> owners = new HashSet<>();
    for (KeyWrite write : writes) {
      require(write.record().revision() == 1, "writes: each must be at revision 1");
      require(ids.add(write.record().id()), "writes: no two may have one key id");
      require(
          operationIds.add(write.entry().operationId()),
          "writes: no two may have one operation id");
      owners.add(write.record().owner());
    }
    require(
        ownerMaximum == Integer.MAX_VALUE || owners.size() == 1,
        "writes: must be of one owner where a maximum is given");
  }

  /** How many live keys their owner would have with these. */
  private long liveAfter(List<KeyWrite> writes) {
    String owner = writes.get(0).record().owner();
    Instant at = writes.get(0).entry().at();
    return Stream.concat(records.values().stream(), writes.stream().map(KeyWrite::record))
        .filter(record -> record.owner().equals(owner) && isLive(record, at))
        .count();
  }

  private static boolean isLive(KeyRecord record, Instant at) {
    Instant end = record.liveUntil();
    return record.state() != KeyRecord.State.REVOKED && (end == null || end.isAfter(at));
  }

  @Override
  public synchronized Optional<StoredKey> find(String keyId) {
    return Optional.ofNullable(records.get(keyId)).map(this::withUses);
  }

  @Override
  public synchronized Optional<KeyRecord> load(String keyId) {
    return Optional.ofNullable(records.get(keyId));
  }

  @Override
  public synchronized WriteOutcome replace(KeyWrite write) {
    AuditEntry earlier = operations.get(write.entry().operationId());
    if (earlier != null) {
      return WriteOutcome.repeated(earlier);
    }
    if (!isStored(write.record().id(), write.record().revision() - 1)) {
      return WriteOutcome.CONFLICT;
    }
    write(write);
    return WriteOutcome.APPLIED;
  }

  @Override
  public synchronized List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    require(limit >= 1 && limit <= 1000, "limit: must be 1 to 1000");
    NavigableMap<String, KeyRecord> rest = after == null ? records : records.tailMap(after, false);
    return rest.values().stream()
        .map(this::withUses)
        .filter(key -> matches(key, filter))
        .limit(limit)
        .toList();
  }

  private static boolean matches(StoredKey key, KeyFilter filter) {
    KeyRecord record = key.record();
    Instant end = record.liveUntil();
    KeyRecord.Revoked revoked = record.revoked();
    Instant used = key.lastUsed();
    return (filter.owner() == null || filter.owner().equals(record.owner()))
        && (filter.subject() == null || filter.subject().equals(record.subject()))
        && (filter.brand() == null || filter.brand().equals(record.brand()))
        && (filter.environment() == null || filter.environment().equals(record.environment()))
        && (filter.pepperId() == null || hasPepper(record, filter.pepperId()))
        && (filter.states().isEmpty() || filter.states().contains(record.state()))
        && (filter.liveAfter() == null || end == null || end.isAfter(filter.liveAfter()))
        && (filter.liveUntil() == null || (end != null && !end.isAfter(filter.liveUntil())))
        && (filter.olderLiveAfter() == null
            || isAfter(record.olderUntil(), filter.olderLiveAfter()))
        && (filter.due() == null || mayBeDue(record, filter.due()))
        && (filter.revokedBefore() == null
            || (revoked != null && revoked.at().isBefore(filter.revokedBefore())))
        && (filter.issuedBefore() == null || record.createdAt().isBefore(filter.issuedBefore()))
        && (filter.unusedSince() == null || used == null || used.isBefore(filter.unusedSince()))
        && (!filter.neverUsed() || used == null);
  }

  private static boolean isAfter(@Nullable Instant time, Instant other) {
    return time != null && time.isAfter(other);
  }

  private static boolean mayBeDue(KeyRecord record, KeyFilter.Due due) {
    Instant end = record.newest().end();
    Instant createdBy = due.createdBy();
    return record.rotation() != null
        || (end != null && !end.isAfter(due.endsBy()))
        || (createdBy != null && !record.newest().createdAt().isAfter(createdBy));
  }

  private static boolean hasPepper(KeyRecord record, String pepperId) {
    return record.versions().stream().anyMatch(version -> pepperId.equals(version.pepperId()));
  }

  @Override
  public synchronized void recordUse(List<UseMark> marks) {
    for (UseMark mark : marks) {
      KeyRecord record = records.get(mark.keyId());
      if (record != null && numbers(record).contains(mark.version())) {
        uses.computeIfAbsent(mark.keyId(), id -> new TreeMap<>())
            .merge(mark.version(), mark, InMemoryKeyStore::later);
      }
    }
  }

  /** Each time by itself: a key may be seen, and refused, after it was last let in. */
  private static UseMark later(UseMark a, UseMark b) {
    Instant used = a.lastUsed();
    if (used == null || (b.lastUsed() != null && b.lastUsed().isAfter(used))) {
      used = b.lastUsed();
    }
    Instant seen = a.lastSeen().isAfter(b.lastSeen()) ? a.lastSeen() : b.lastSeen();
    return new UseMark(a.keyId(), a.version(), used, seen);
  }

  @Override
  public synchronized Changes changesSince(ChangeCursor cursor, int limit) {
    require(limit >= 1 && limit <= 10_000, "limit: must be 1 to 10000");
    List<Notice> unseen = new ArrayList<>();
    for (ChangeCursor.Gap gap : cursor.gaps()) {
      unseen.addAll(notices.subMap(gap.first(), true, gap.last(), true).values());
    }
    unseen.addAll(notices.tailMap(cursor.after(), false).values());
    return new Changes(
        unseen.stream().limit(limit).map(Notice::change).toList(),
        notices.isEmpty() ? 0 : notices.firstKey(),
        notices.isEmpty() ? 0 : notices.lastKey());
  }

  @Override
  public synchronized List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    require(after >= 0, "after: must not be negative");
    require(limit >= 1 && limit <= 1000, "limit: must be 1 to 1000");
    return trail.tailMap(after, false).values().stream()
        .filter(entry -> matches(entry, filter))
        .limit(limit)
        .toList();
  }

  private static boolean matches(AuditEntry entry, AuditFilter filter) {
    return (filter.keyId() == null || filter.keyId().equals(entry.keyId()))
        && (filter.owner() == null || filter.owner().equals(entry.owner()))
        && (filter.operationId() == null || filter.operationId().equals(entry.operationId()))
        && (filter.from() == null || !entry.at().isBefore(filter.from()))
        && (filter.until() == null || entry.at().isBefore(filter.until()));
  }

  @Override
  public synchronized Purge.Result purge(Purge purge) {
    int keys = 0;
    for (KeyWrite write : purge.keys()) {
      String id = write.record().id();
      if (isStored(id, write.record().revision())
          && !operations.containsKey(write.entry().operationId())) {
        records.remove(id);
        uses.remove(id);
        note(write.entry());
        keys++;
      }
    }
    int entries = removeOld(trail, AuditEntry::at, purge.auditBefore(), purge.limit());
    operations.values().removeIf(entry -> !trail.containsKey(entry.number()));
    int changes = removeOld(notices, Notice::at, purge.changesBefore(), purge.limit());
    return new Purge.Result(keys, entries, changes);
  }

  @Override
  public void afterCommit(Runnable action) {
    action.run();
  }

  @Override
  public synchronized Snapshot read(Collection<String> ids) {
    require(ids.size() <= 1000, "ids: must be at most 1000");
    Instant now = Instant.ofEpochMilli(clock.millis());
    Set<String> distinct = new HashSet<>(ids);
    return new Snapshot(now, distinct.stream().map(ledgers::get).filter(Objects::nonNull).toList());
  }

  @Override
  public synchronized Set<String> replace(List<Ledger> replacements) {
    require(replacements.size() <= 1000, "ledgers: must be at most 1000");
    Set<String> ids = new HashSet<>();
    for (Ledger ledger : replacements) {
      require(ids.add(ledger.id()), "ledgers: no two may have one id");
    }
    for (Ledger ledger : replacements) {
      Ledger stored = ledgers.get(ledger.id());
      if ((stored == null ? 0 : stored.revision()) == ledger.revision() - 1) {
        ledgers.put(ledger.id(), ledger);
      } else {
        ids.remove(ledger.id());
      }
    }
    return ids;
  }

  @Override
  public synchronized int purge(Instant before, int limit) {
    require(before.getNano() % 1_000_000 == 0, "before: must be whole milliseconds");
    require(limit >= 1 && limit <= 100_000, "limit: must be 1 to 100000");
    return removeOld(ledgers, Ledger::keepUntil, before, limit);
  }

  @Override
  public boolean add(Batch batch) {
    return usage.add(batch);
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return usage.find(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    return usage.purge(retention);
  }

  private void write(KeyWrite write) {
    KeyRecord record = write.record();
    records.put(record.id(), record);
    uses.getOrDefault(record.id(), new TreeMap<>()).keySet().retainAll(numbers(record));
    note(write.entry());
  }

  private static Set<Integer> numbers(KeyRecord record) {
    return record.versions().stream().map(SecretVersion::number).collect(Collectors.toSet());
  }

  /** Leaves what each applied change leaves: an audit entry and a notice. */
  private void note(AuditEntry entry) {
    AuditEntry numbered = entry.numbered(++lastEntry);
    trail.put(numbered.number(), numbered);
    operations.put(numbered.operationId(), numbered);
    Changes.Change change = new Changes.Change(++lastNotice, entry.keyId());
    notices.put(change.number(), new Notice(change, entry.at()));
  }

  private boolean isStored(String id, long revision) {
    KeyRecord record = records.get(id);
    return record != null && record.revision() == revision;
  }

  private StoredKey withUses(KeyRecord record) {
    NavigableMap<Integer, UseMark> marks = uses.get(record.id());
    return new StoredKey(record, marks == null ? List.of() : List.copyOf(marks.values()));
  }

  /** Removes the first so many that are older than a time, and says how many these were. */
  private static <T> int removeOld(
      Map<?, T> map, Function<T, Instant> at, @Nullable Instant before, int limit) {
    int removed = 0;
    if (before != null) {
      Iterator<T> values = map.values().iterator();
      while (removed < limit && values.hasNext()) {
        if (at.apply(values.next()).isBefore(before)) {
          values.remove();
          removed++;
        }
      }
    }
    return removed;
  }

  static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
