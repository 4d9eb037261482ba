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
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
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
  private static final int MAX_PAUSE = 10;
  private static final int LAST_TRIES = 5;
  private static final long LAST_PAUSE_NANOS = 100_000_000;

  private final KeyStore store;
  private final int maxPending;
  private final ConcurrentHashMap<LastUse.Of, LastUse> pending = new ConcurrentHashMap<>();

  /** What the last flush has written: a key that was read before it does not show it. */
  private final ConcurrentHashMap<LastUse.Of, LastUse> lately = new ConcurrentHashMap<>();

  private final LongAdder dropped = new LongAdder();
  private final LongAdder droppedBefore = new LongAdder();
  private final LongAdder written = new LongAdder();

  /** Held while the store is called. */
  private final ReentrantLock flushing = new ReentrantLock();

  /** Guarded by {@link #flushing}. */
  private int failures;

  private int pause;

  private volatile boolean isClosed;

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
    if (isClosed) {
      return;
    }
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
      LastUse.Of of = new LastUse.Of(stored.record().id(), version.number());
      UseMark mark = merged(pending.get(of), merged(lately.get(of), known));
      if (mark != null) {
        uses.add(mark);
      }
    }
    return new StoredKey(stored.record(), uses);
  }

  private static @Nullable UseMark merged(@Nullable LastUse own, @Nullable UseMark other) {
    return own == null ? other : own.mark(other);
  }

  /**
   * Writes what is pending, unless the store has failed a short while ago. Blocks; throws nothing.
   * What the store does not take stays pending.
   *
   * @return whether the store took all of it
   */
  boolean flush() {
    flushing.lock();
    try {
      if (pause > 0) {
        pause--;
        return false;
      }
      return writeAll();
    } finally {
      flushing.unlock();
    }
  }

  /**
   * The last write, with a few tries within a second; what the store does not take then is
   * abandoned.
   *
   * @return whether the store took all of it
   */
  boolean close() {
    flushing.lock();
    try {
      boolean isWritten = writeAll();
      for (int tries = 1; !isWritten && tries < LAST_TRIES; tries++) {
        LockSupport.parkNanos(LAST_PAUSE_NANOS);
        isWritten = writeAll();
      }
      abandon();
      return isWritten;
    } finally {
      flushing.unlock();
    }
  }

  private boolean writeAll() {
    lately.clear();
    try {
      List<LastUse> all = new ArrayList<>(pending.values());
      for (int from = 0; from < all.size(); from += BATCH) {
        write(all.subList(from, Math.min(from + BATCH, all.size())));
      }
      failures = 0;
      return true;
    } catch (Throwable e) { // an Error too: the schedule would end for ever, without a word
      pause = Math.min(MAX_PAUSE, 1 << Math.min(failures++, 4)) - 1;
      log.warn("Last use was not written and is kept for later: {}", LogText.of(e));
      return false;
    } finally {
      long lost = dropped.sumThenReset();
      if (lost > 0) {
        droppedBefore.add(lost);
        log.warn("{} marks of last use were dropped: too many are waiting", lost);
      }
    }
  }

  /**
   * Drops what is pending and counts it, with what the store was given and has not answered for: if
   * it answers after all, that is no longer counted as dropped. Does not wait for the store.
   */
  void abandon() {
    isClosed = true;
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

  /** How many uses were dropped: each that found no room, and what was abandoned. */
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
          forget(use);
        } else {
          use.pending.set(true);
        }
      }
    }
  }

  /** It is in the store, unless it was used again meanwhile. */
  private void forget(LastUse written) {
    lately.put(written.of, written);
    AtomicBoolean isKnown = new AtomicBoolean();
    pending.computeIfPresent(
        written.of,
        (of, last) -> {
          isKnown.set(true);
          return last.pending.get() ? last : null;
        });
    // abandoned, and counted so, before the store answered; if it was used again, that is lost
    if (!isKnown.get() && !written.pending.get()) {
      droppedBefore.decrement();
    }
  }
}
