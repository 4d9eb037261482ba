package io.keystile;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Lends {@link Scratch} to threads without a lock and, once warm, without allocation. Not a {@code
 * ThreadLocal}: a virtual thread would never meet its scratch again, and a redeployed application
 * would leak it. A thread looks first where its id points, so that threads rarely meet.
 *
 * <p>A pool that is empty gives a new scratch, one that is full drops what comes back: wrong use
 * costs allocation, never correctness. Do not hold a scratch while waiting for something.
 */
final class ScratchPool {

  /** Slots are this far apart, so that two of them do not share a cache line. */
  private static final int STRIDE = 16;

  /** Slots looked at before giving up; threads whose ids point to one slot still find a second. */
  private static final int PROBES = 4;

  private final AtomicReferenceArray<@Nullable Scratch> slots;
  private final int mask;

  ScratchPool() {
    this(Runtime.getRuntime().availableProcessors());
  }

  ScratchPool(int processors) {
    int size = Integer.highestOneBit(Math.max(PROBES, 4 * processors - 1)) << 1;
    slots = new AtomicReferenceArray<>(size * STRIDE);
    mask = size - 1;
  }

  /** A scratch for this thread alone, until {@link #release}. */
  Scratch acquire() {
    int home = home();
    for (int i = 0; i < PROBES; i++) {
      int slot = slot(home + i);
      if (slots.getPlain(slot) != null) {
        Scratch scratch = slots.getAndSet(slot, null);
        if (scratch != null) {
          return scratch;
        }
      }
    }
    return new Scratch();
  }

  /** Wipes the scratch and takes it back. The caller must not touch it again. */
  void release(Scratch scratch) {
    scratch.wipe();
    int home = home();
    for (int i = 0; i < PROBES; i++) {
      int slot = slot(home + i);
      // two that see one empty slot: the first scratch is dropped, which is harmless
      if (slots.getPlain(slot) == null) {
        slots.lazySet(slot, scratch);
        return;
      }
    }
  }

  private int slot(int index) {
    return (index & mask) * STRIDE;
  }

  private static int home() {
    long id = Thread.currentThread().getId();
    return (int) ((id * 0x9E37_79B9_7F4A_7C15L) >>> 32); // neighbours in id are not neighbours here
  }
}
