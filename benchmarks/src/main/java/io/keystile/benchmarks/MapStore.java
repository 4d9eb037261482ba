package io.keystile.benchmarks;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoredKey;
import io.keystile.store.UsageStore;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A store for measuring: it keeps the records and forgets the rest, so that a million keys are
 * issued in seconds, and answers as late as it is told. It keeps no contract but that of {@link
 * #load}, {@link #insert} and {@link #replace}.
 */
final class MapStore implements KeyStore, UsageStore {
  private final Map<String, KeyRecord> records = new ConcurrentHashMap<>();
  private final LongAdder loads = new LongAdder();
  private final boolean keeps;
  private final long latencyNanos;

  /** A store that answers at once. */
  MapStore() {
    this(true, 0);
  }

  private MapStore(boolean keeps, long latencyNanos) {
    this.keeps = keeps;
    this.latencyNanos = latencyNanos;
  }

  /** A store of which each load parks its thread so long, as one that waits for a database does. */
  static MapStore late(long latencyNanos) {
    return new MapStore(true, latencyNanos);
  }

  /** A store that keeps nothing, so that any number of keys can be issued. */
  static MapStore forgetful() {
    return new MapStore(false, 0);
  }

  /** Stores a key that was not issued. */
  void put(KeyRecord record) {
    records.put(record.id(), record);
  }

  /** How many loads there were. */
  long loads() {
    return loads.sum();
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    if (keeps) {
      writes.forEach(write -> records.put(write.record().id(), write.record()));
    }
    return WriteOutcome.APPLIED;
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    return Optional.ofNullable(records.get(keyId)).map(record -> new StoredKey(record, List.of()));
  }

  @Override
  public Optional<KeyRecord> load(String keyId) {
    loads.increment();
    if (latencyNanos > 0) {
      long end = System.nanoTime() + latencyNanos;
      for (long rest = latencyNanos; rest > 0; rest = end - System.nanoTime()) {
        LockSupport.parkNanos(rest);
      }
    }
    return Optional.ofNullable(records.get(keyId));
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    records.put(write.record().id(), write.record());
    return WriteOutcome.APPLIED;
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return List.of();
  }

  @Override
  public void recordUse(List<UseMark> marks) {}

  @Override
  public Changes changesSince(ChangeCursor cursor, int limit) {
    return new Changes(List.of(), 0, 0);
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    return List.of();
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return new Purge.Result(0, 0, 0);
  }

  @Override
  public void afterCommit(Runnable action) {
    action.run();
  }

  @Override
  public boolean add(Batch batch) {
    return true;
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return List.of();
  }

  @Override
  public int purge(Retention retention) {
    return 0;
  }
}
