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
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UsageStore;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A store in memory that counts loads, and can be down, or slow in loading. */
final class WatchedStore implements KeyStore, UsageStore {
  private final KeyStore real;
  final AtomicInteger loads = new AtomicInteger();
  final AtomicInteger polls = new AtomicInteger();
  private final Map<String, Integer> byKey = new ConcurrentHashMap<>();

  /** While true, everything fails. */
  volatile boolean down;

  /** While true, loads fail. */
  volatile boolean loadsDown;

  /** While true, polling fails. */
  volatile boolean feedDown;

  /** If not null, polling throws it. */
  volatile @Nullable Error feedThrows;

  /** While true, last use is not taken. */
  volatile boolean usesDown;

  /** If not null, last use waits for it. */
  volatile @Nullable CountDownLatch usesGate;

  /** Whether last use waits. */
  volatile boolean usesWaiting;

  /** If not null, loads wait for it after they have read. */
  volatile @Nullable CountDownLatch gate;

  WatchedStore() {
    this(new InMemoryKeyStore());
  }

  WatchedStore(KeyStore real) {
    this.real = real;
  }

  /** How often this key was loaded. */
  int loadsOf(String keyId) {
    return byKey.getOrDefault(keyId, 0);
  }

  private void check() {
    if (down) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "down for the test", null);
    }
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    check();
    return real.insert(writes, ownerMaximum);
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    check();
    return real.find(keyId);
  }

  @Override
  public Optional<KeyRecord> load(String keyId) {
    loads.incrementAndGet();
    byKey.merge(keyId, 1, Integer::sum);
    check();
    if (loadsDown) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "loads are down", null);
    }
    Optional<KeyRecord> record = real.load(keyId);
    CountDownLatch latch = gate;
    if (latch != null) {
      await(latch);
    }
    return record;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "interrupted", e);
    }
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    check();
    return real.replace(write);
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    check();
    return real.list(filter, after, limit);
  }

  @Override
  public void recordUse(List<UseMark> marks) {
    check();
    if (usesDown) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "no uses for the test", null);
    }
    CountDownLatch latch = usesGate;
    if (latch != null) {
      usesWaiting = true;
      await(latch);
    }
    real.recordUse(marks);
  }

  @Override
  public Changes changesSince(ChangeCursor cursor, int limit) {
    polls.incrementAndGet();
    check();
    Error planted = feedThrows;
    if (planted != null) {
      throw planted;
    }
    if (feedDown) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "no feed for the test", null);
    }
    return real.changesSince(cursor, limit);
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    check();
    return real.audit(filter, after, limit);
  }

  @Override
  public Purge.Result purge(Purge purge) {
    check();
    return real.purge(purge);
  }

  @Override
  public boolean add(Batch batch) {
    check();
    return ((UsageStore) real).add(batch);
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    check();
    return ((UsageStore) real).tallies(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    check();
    return ((UsageStore) real).purge(retention);
  }

  @Override
  public void afterCommit(Runnable action) {
    real.afterCommit(action);
  }
}
