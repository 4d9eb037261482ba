package io.keystile;

import io.keystile.store.KeyStore;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes last use to the store in batches, so that no request waits for it. What waits to be
 * written is merged per secret and bounded: while the store takes nothing, uses of more secrets
 * than that are dropped and counted.
 */
final class UseRecorder {
  private static final Logger log = LoggerFactory.getLogger(UseRecorder.class);
  private static final int BATCH = 1_000;

  private final KeyStore store;
  private final int maxPending;
  private final ConcurrentHashMap<LastUse.Of, LastUse> pending = new ConcurrentHashMap<>();
  private final LongAdder dropped = new LongAdder();
  private final LongAdder droppedBefore = new LongAdder();
  private final LongAdder written = new LongAdder();
  private final ReentrantLock flushing = new ReentrantLock();

  UseRecorder(KeyStore store, int maxPending) {
    this.store = store;
    this.maxPending = maxPending;
  }

  /** Adds its counters. */
  void countIn(Counts counts) {
    counts.add("keystile.uses", "written", this::written);
    counts.add("keystile.uses", "dropped", this::dropped);
  }

  /** Notes a proven use. Called on the hot path; never blocks. */
  void record(LastUse use, long now, boolean accepted) {
    use.mark(now, accepted);
    if (!use.pending.get() && use.pending.compareAndSet(false, true)) {
      enlist(use);
    }
  }

  @SuppressWarnings("ReferenceEquality") // two objects may stand for one secret
  private void enlist(LastUse use) {
    if (pending.size() >= maxPending && !pending.containsKey(use.of)) {
      dropped.increment();
      use.pending.set(false);
      return;
    }
    pending.merge(
        use.of,
        use,
        (older, newer) -> {
          if (older != newer) { // the key was reloaded in between
            newer.takeIn(older);
            older.pending.set(false);
          }
          return newer;
        });
  }

  /** The key with what waits to be written. */
  StoredKey merged(StoredKey stored) {
    List<UseMark> uses = new ArrayList<>();
    for (SecretVersion version : stored.record().versions()) {
      UseMark known =
          stored.uses().stream()
              .filter(use -> use.version() == version.number())
              .findFirst()
              .orElse(null);
      LastUse own = pending.get(new LastUse.Of(stored.record().id(), version.number()));
      UseMark mark = own == null ? known : own.mark(known);
      if (mark != null) {
        uses.add(mark);
      }
    }
    return new StoredKey(stored.record(), uses);
  }

  /**
   * Writes what is pending. Blocks; throws nothing. What the store does not take stays pending.
   *
   * @return whether the store took all of it
   */
  boolean flush() {
    flushing.lock();
    try {
      List<LastUse> all = new ArrayList<>(pending.values());
      for (int from = 0; from < all.size(); from += BATCH) {
        write(all.subList(from, Math.min(from + BATCH, all.size())));
      }
      return true;
    } catch (Throwable e) { // an Error too: the schedule would end for ever, without a word
      log.warn("Last use was not written and is kept for later: {}", LogText.of(e));
      return false;
    } finally {
      flushing.unlock();
      long lost = dropped.sumThenReset();
      if (lost > 0) {
        droppedBefore.add(lost);
        log.warn("{} marks of last use were dropped: too many are waiting", lost);
      }
    }
  }

  /**
   * The last write; what the store does not take then is abandoned.
   *
   * @return whether the store took all of it
   */
  boolean close() {
    boolean isWritten = flush();
    abandon();
    return isWritten;
  }

  /**
   * Drops what is pending and counts it, with what the store was given and has not answered for: if
   * it answers after all, that is no longer counted as dropped. Does not wait for the store.
   */
  void abandon() {
    int lost = 0;
    for (LastUse.Of of : pending.keySet()) {
      lost += pending.remove(of) == null ? 0 : 1;
    }
    if (lost > 0) {
      droppedBefore.add(lost);
      log.warn("{} marks of last use were dropped: closed before they were written", lost);
    }
  }

  /** How many marks were written, merged per secret. */
  long written() {
    return written.sum();
  }

  /** How many marks were dropped, merged per secret. */
  long dropped() {
    return droppedBefore.sum() + dropped.sum();
  }

  private void write(List<LastUse> batch) {
    // before the times are read: whoever uses it from now on makes it pending again
    batch.forEach(use -> use.pending.set(false));
    boolean written = false;
    try {
      store.recordUse(
          batch.stream()
              .map(use -> use.mark(null))
              // rows are locked in one order everywhere
              .sorted(Comparator.comparing(UseMark::keyId).thenComparingInt(UseMark::version))
              .toList());
      written = true;
      this.written.add(batch.size());
    } finally {
      for (LastUse use : batch) {
        if (written) {
          forget(use.of);
        } else {
          use.pending.set(true);
        }
      }
    }
  }

  /** It is in the store, unless it was used again meanwhile. */
  private void forget(LastUse.Of written) {
    AtomicBoolean isKnown = new AtomicBoolean();
    pending.computeIfPresent(
        written,
        (of, last) -> {
          isKnown.set(true);
          return last.pending.get() ? last : null;
        });
    if (!isKnown.get()) { // abandoned, and counted so, before the store answered
      droppedBefore.decrement();
    }
  }
}
