package io.keystile;

import io.keystile.store.KeyStore;
import io.keystile.store.UseMark;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes last use to the store in batches, so that no request waits for it. A cached secret stands
 * on the list at most once, however often it is used; what the store does not take stays on it.
 */
final class UseRecorder {
  private static final Logger log = LoggerFactory.getLogger(UseRecorder.class);
  private static final int BATCH = 1_000;

  private final KeyStore store;
  private final ConcurrentLinkedQueue<CachedKey.Secret> list = new ConcurrentLinkedQueue<>();
  private final ReentrantLock flushing = new ReentrantLock();

  UseRecorder(KeyStore store) {
    this.store = store;
  }

  /** Notes a proven use. Called on the hot path; never blocks. */
  void record(CachedKey.Secret secret, long now, boolean accepted) {
    secret.lastUse.mark(now, accepted);
    if (!secret.lastUse.listed.get() && secret.lastUse.listed.compareAndSet(false, true)) {
      list.add(secret);
    }
  }

  /**
   * Writes what is on the list. Blocks; a failing store is logged and tried again next time.
   *
   * @return whether the store took all of it
   */
  boolean flush() {
    flushing.lock();
    try {
      List<CachedKey.Secret> batch = take();
      while (!batch.isEmpty()) {
        try {
          store.recordUse(marks(batch));
        } catch (RuntimeException e) { // any: the schedule would end for ever, without a word
          putBack(batch);
          log.warn("Last use was not written and is kept for later: {}", e.getMessage());
          return false;
        }
        batch = take();
      }
      return true;
    } finally {
      flushing.unlock();
    }
  }

  private List<CachedKey.Secret> take() {
    List<CachedKey.Secret> batch = new ArrayList<>();
    while (batch.size() < BATCH) {
      CachedKey.Secret secret = list.poll();
      if (secret == null) {
        break;
      }
      // before its times are read: a use from now on puts it on the list again
      secret.lastUse.listed.set(false);
      batch.add(secret);
    }
    return batch;
  }

  private void putBack(List<CachedKey.Secret> batch) {
    for (CachedKey.Secret secret : batch) {
      if (secret.lastUse.listed.compareAndSet(false, true)) {
        list.add(secret);
      }
    }
  }

  /** One mark per key and version: a key that was reloaded in between is on the list twice. */
  private static List<UseMark> marks(List<CachedKey.Secret> batch) {
    record Version(String keyId, int number) {}
    Map<Version, UseMark> marks = new HashMap<>();
    for (CachedKey.Secret secret : batch) {
      long used = secret.lastUse.used();
      UseMark mark =
          new UseMark(
              secret.keyId,
              secret.number,
              used == 0 ? null : Instant.ofEpochMilli(used),
              Instant.ofEpochMilli(secret.lastUse.seen()));
      marks.merge(new Version(secret.keyId, secret.number), mark, UseRecorder::later);
    }
    List<UseMark> sorted = new ArrayList<>(marks.values());
    sorted.sort(Comparator.comparing(UseMark::keyId)); // rows are locked in one order everywhere
    return sorted;
  }

  private static UseMark later(UseMark a, UseMark b) {
    Instant used = a.lastUsed();
    Instant other = b.lastUsed();
    if (used == null || (other != null && other.isAfter(used))) {
      used = other;
    }
    Instant seen = a.lastSeen().isAfter(b.lastSeen()) ? a.lastSeen() : b.lastSeen();
    return new UseMark(a.keyId(), a.version(), used, seen);
  }
}
