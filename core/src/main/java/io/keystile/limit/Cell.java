package io.keystile.limit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Counts one unit for one key, under all windows of its {@link Layout} at once.
 *
 * <p><b>What it remembers.</b> All windows count the same permits, so there is one count of those
 * ever taken. Each window divides them into <em>portions</em> of a fixed size and keeps, in a ring,
 * the tick at which each portion was used up. A portion leaves the window when the last permit in
 * it does; of the portion that is still being used that is the last permit taken at all. So what a
 * window counts is never less than what was taken within its length, and more by less than a
 * portion: only the oldest portion can hold permits that have left. With portions of one permit
 * this is an exact log.
 *
 * <p><b>How it decides.</b> At the first call of a tick (a millisecond) one thread folds all
 * windows into one number: the <em>ceiling</em>, which the count may reach within this tick. Every
 * other decision of the tick is one comparison, and one compare-and-set of the count: all windows
 * at once, all or nothing, without allocation. Refusals write nothing.
 *
 * <p><b>The word.</b> {@code word} holds the count, modulo 2^32, and a version that moves on with
 * each fold, so a permit is only taken under the ceiling that was read with it. The thread that
 * folds marks the word; nothing that can block or call out is done meanwhile, and the mark is taken
 * off whatever happens. The others wait for it, yielding their processor.
 *
 * <p><b>Time</b> never goes back: what comes with an older tick is decided, and counted, in the
 * newest tick that was seen. The time of a permit is the later of its clock value and the beginning
 * of the tick it was counted in. A permit is held for one tick more than the length of the window,
 * so that the bound holds for intervals that begin within a tick.
 */
final class Cell {
  /** What came of a try to take permits. */
  enum Outcome {
    TAKEN,
    REFUSED,
    /** This cell counts no more: the key has, or will have, another one. */
    CLOSED
  }

  private static final VarHandle WORD;

  static {
    try {
      WORD = MethodHandles.lookup().findVarHandle(Cell.class, "word", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final Layout CLOSED = Layout.ofPermits(List.of(), 1);
  private static final long LOCKED = Long.MIN_VALUE;
  private static final long COUNT = 0xffff_ffffL;
  private static final long VERSION = 1L << 32;
  private static final int SPINS = 100;

  // numbers that a window keeps before its ring
  private static final int BASE = 0; // the count at the end of its newest whole portion
  private static final int HEAD = 1; // where the oldest portion stands, and how many there are
  static final int RING = 2;

  private volatile long word;

  // the rest is written under the mark; it is published, and validated, by the word

  /** The tick of the last fold. */
  private long tick;

  /** What the count may reach in this tick. */
  private int ceiling;

  /** The count at the last fold. */
  private int folded;

  /** The tick in which permits were last taken before the last fold, modulo 2^32. */
  private int lastTaken;

  /**
   * What is charged counts in whole grains, rounded up: how much of the last one is left, below
   * 2^32.
   */
  private int credit;

  /** {@link #CLOSED} once this is closed. */
  private Layout layout;

  private int[] memory;

  /** Null if no other node counts for the key. */
  private final @Nullable Lease lease;

  Cell(Layout layout, long tick, @Nullable Lease lease) {
    this.layout = layout;
    this.lease = lease;
    this.tick = tick;
    memory = new int[layout.size];
    lastTaken = (int) tick;
    fold(tick, 0);
  }

  /**
   * Takes permits, all or none.
   *
   * @param wanted the layout in force; if the cell has another, what it knows is carried over
   * @param cost at least 1
   */
  Outcome take(Layout wanted, long now, int cost) {
    return attempt(wanted, now, cost, true);
  }

  /** Whether one permit could be taken. */
  Outcome look(Layout wanted, long now) {
    return attempt(wanted, now, 1, false);
  }

  private Outcome attempt(Layout wanted, long now, int cost, boolean take) {
    for (int spins = 0; ; spins++) {
      long seen = word;
      if (seen < 0) {
        pause(spins);
      } else if (layout != wanted || tick < now) {
        if (WORD.compareAndSet(this, seen, seen | LOCKED)) {
          return attemptLocked(seen, wanted, now, cost, take);
        }
      } else {
        boolean enough = ceiling - (int) seen >= cost;
        // a refusal, too: what was read may be of two layouts, and neither would refuse
        if ((enough && take) ? WORD.compareAndSet(this, seen, plus(seen, cost)) : isStill(seen)) {
          return enough ? Outcome.TAKEN : Outcome.REFUSED;
        }
      }
    }
  }

  /** Whether all that was read since the word was read belongs to it. */
  private boolean isStill(long seen) {
    VarHandle.loadLoadFence();
    return word == seen;
  }

  private Outcome attemptLocked(long seen, Layout wanted, long now, int cost, boolean take) {
    int count = (int) seen;
    try {
      if (!adopt(wanted, count)) {
        return Outcome.CLOSED;
      }
      fold(Math.max(now, tick), count);
      if (ceiling - count < cost) {
        return Outcome.REFUSED;
      }
      count += take ? cost : 0;
      return Outcome.TAKEN;
    } finally {
      unlock(seen, count);
    }
  }

  private static long plus(long word, int cost) {
    return (word & ~COUNT) | (((int) word + cost) & COUNT);
  }

  /**
   * Takes permits if it can, and tells how all windows stand then.
   *
   * @param cost how much, in units; what is above every limit is refused
   * @param take whether to take them, or only to say whether they could be
   */
  Outcome decide(Layout wanted, long now, long cost, boolean take, Reading into) {
    long seen = lock();
    int count = (int) seen;
    try {
      if (!adopt(wanted, count)) {
        return Outcome.CLOSED;
      }
      fold(Math.max(now, tick), count);
      boolean enough = ceiling - count >= grains(cost, wanted.grainBits);
      read(into, now, count, enough ? 0 : cost);
      if (enough && take) {
        count += (int) cost;
        fold(tick, count);
        read(into, now, count, 0);
      }
      return enough ? Outcome.TAKEN : Outcome.REFUSED;
    } finally {
      unlock(seen, count);
    }
  }

  /**
   * Counts what was used, whether or not it is within the limits. No more than 2^31 grains, which
   * is at least twice any limit, are told apart: what is above holds all of them up.
   *
   * @return false if this is closed
   */
  boolean charge(Layout wanted, long now, long units) {
    long seen = lock();
    int count = (int) seen;
    try {
      if (!adopt(wanted, count)) {
        return false;
      }
      fold(Math.max(now, tick), count);
      long rest = Integer.toUnsignedLong(credit) - units;
      int more = grains(-rest, wanted.grainBits);
      if (more <= room(count)) {
        count += more;
      } else {
        pile(more, count);
      }
      credit = (int) (rest & ((1L << wanted.grainBits) - 1));
      fold(tick, count);
      return true;
    } finally {
      unlock(seen, count);
    }
  }

  /** Forgets all that was counted; false if this is closed. */
  boolean reset(long now) {
    long seen = lock();
    int count = (int) seen;
    try {
      Layout current = layout;
      if (current == CLOSED) {
        return false;
      }
      for (int i = 0; i < current.count(); i++) {
        empty(current.offset[i], count);
      }
      credit = 0;
      fold(Math.max(now, tick), count);
      return true;
    } finally {
      unlock(seen, count);
    }
  }

  /** The last tick it has counted in; for who found it closed. */
  long tick() {
    return tick;
  }

  /**
   * Closes this if nothing is in any window any more; true if it is closed.
   *
   * @param unusedSince if it was used after this tick, it stays in any case
   */
  boolean closeIfEnded(long now, long unusedSince) {
    long seen = lock();
    int count = (int) seen;
    try {
      Layout current = layout;
      if (current == CLOSED) {
        return true;
      }
      if (lease != null && lease.enlisted) {
        return false; // the other nodes must hear of it first
      }
      if (tick > unusedSince) {
        return false;
      }
      fold(Math.max(now, tick), count);
      for (int i = 0; i < current.count(); i++) {
        if (used(i, count) > 0) {
          return false;
        }
      }
      layout = CLOSED;
      return true;
    } finally {
      unlock(seen, count);
    }
  }

  @Nullable Lease lease() {
    return lease;
  }

  /** What the lease reports at an exchange; null if this is closed. */
  Lease.@Nullable Report report(long now, boolean leaving) {
    Lease of = Objects.requireNonNull(lease);
    long seen = lock();
    int count = (int) seen;
    try {
      if (layout == CLOSED) {
        return null;
      }
      fold(Math.max(now, tick), count);
      Lease.Report report = of.report(count, leaving);
      fold(tick, count);
      return report;
    } finally {
      unlock(seen, count);
    }
  }

  /**
   * Ends an exchange.
   *
   * @param terms null if the report was not kept
   */
  void settle(Lease.Report report, Lease.@Nullable Terms terms) {
    Lease of = Objects.requireNonNull(lease);
    long seen = lock();
    int count = (int) seen;
    try {
      if (layout == CLOSED) {
        return;
      }
      if (terms == null) {
        of.keep();
      } else {
        of.renew(report, terms, count);
      }
      fold(tick, count);
    } finally {
      unlock(seen, count);
    }
  }

  /** Whether nothing was taken since the count was this. */
  boolean isAt(int count) {
    return (int) word == count;
  }

  private long lock() {
    for (int spins = 0; ; spins++) {
      long seen = word;
      if (seen >= 0 && WORD.compareAndSet(this, seen, seen | LOCKED)) {
        return seen;
      }
      pause(spins);
    }
  }

  /** Takes the mark off; the version moves on, so nobody takes permits under what was before. */
  private void unlock(long seen, int count) {
    long version = ((seen & ~COUNT) + VERSION) & ~LOCKED;
    WORD.setRelease(this, version | (count & COUNT));
  }

  @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it: it is the polite way to wait
  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield(); // who folds may wait for this processor
    }
  }

  /** Whole grains for units, rounded up, and never more than any limit can be. */
  private static int grains(long units, int grainBits) {
    long whole = (units >> grainBits) + ((units & (1L << grainBits) - 1) == 0 ? 0 : 1);
    return (int) Math.min(whole, Integer.MAX_VALUE);
  }

  // from here on only under the mark

  /** Brings all windows to a tick that is not before the last, and sets the ceiling. */
  private void fold(long now, int count) {
    Layout current = layout;
    if (count != folded) {
      lastTaken = (int) tick;
      folded = count;
    }
    int left = Integer.MAX_VALUE;
    for (int i = 0; i < current.count(); i++) {
      roll(i, now, count);
      left = Math.min(left, current.limit[i] - used(i, count));
    }
    if (lease != null) {
      if (current.leased) {
        left = Math.min(left, lease.left(now, count));
      } else {
        lease.finish(count);
      }
    }
    tick = now;
    ceiling = count + left;
  }

  /** Stamps the portions that were used up since the last fold, and lets go those that left. */
  private void roll(int window, long now, int count) {
    int at = layout.offset[window];
    if (used(window, count) == 0) {
      return;
    }
    long oldest = now - layout.length[window];
    if (time(lastTaken) < oldest) {
      empty(at, count);
      return;
    }
    stamp(window, count);
    int slots = layout.slots[window];
    int first = memory[at + HEAD] >>> 16;
    int portions = memory[at + HEAD] & 0xffff;
    while (portions > 0 && time(memory[at + RING + first]) < oldest) {
      first = index(first + 1, slots);
      portions--;
    }
    memory[at + HEAD] = first << 16 | portions;
    stamp(window, count);
  }

  /** More portions than the ring holds are only charged, never taken: they wait for room in it. */
  private void stamp(int window, int count) {
    int at = layout.offset[window];
    int portion = layout.portion[window];
    int slots = layout.slots[window];
    while (count - memory[at + BASE] >= portion && (memory[at + HEAD] & 0xffff) < slots) {
      int head = memory[at + HEAD];
      memory[at + RING + index((head >>> 16) + (head & 0xffff), slots)] = lastTaken;
      memory[at + HEAD] = head + 1;
      memory[at + BASE] += portion;
    }
  }

  private static int index(int position, int slots) {
    return position < slots ? position : position - slots;
  }

  /** The whole tick of which the ring keeps the low half: it is in a window, so not long ago. */
  private long time(int low) {
    return tick - Integer.toUnsignedLong((int) tick - low);
  }

  private int used(int window, int count) {
    int at = layout.offset[window];
    return (memory[at + HEAD] & 0xffff) * layout.portion[window] + count - memory[at + BASE];
  }

  private void empty(int at, int count) {
    memory[at + BASE] = count;
    memory[at + HEAD] = 0;
  }

  /** How all windows stand, and for those with less than {@code cost} left, until when. */
  private void read(Reading into, long now, int count, long cost) {
    Layout current = layout;
    int grainBits = current.grainBits;
    for (int i = 0; i < current.count(); i++) {
      int used = used(i, count);
      long lacking = (long) grains(cost, grainBits) - current.limit[i] + used;
      long inWindow = (long) used << grainBits;
      if (lease != null && current.leased) {
        inWindow = Math.max(inWindow, lease.used(i, count, grainBits));
      }
      into.used[i] = inWindow;
      into.remaining[i] = Math.max(0, current.units[i] - inWindow);
      into.frees[i] = used == 0 ? 0 : leaves(i, 1) - now;
      into.resets[i] = used == 0 ? 0 : leaves(i, used) - now;
      boolean hopeless = lacking > used;
      into.waits[i] = lacking <= 0 ? 0 : hopeless ? Reading.NEVER : leaves(i, (int) lacking) - now;
    }
    if (lease != null && current.leased && lease.left(tick, count) < grains(cost, grainBits)) {
      lease.delay(into, now);
    }
  }

  /** How much more can be counted in every window. */
  private int room(int count) {
    int most = 0;
    for (int i = 0; i < layout.count(); i++) {
      most = Math.max(most, used(i, count));
    }
    return Integer.MAX_VALUE - most;
  }

  /** Counts more than there is room for: so that none of it leaves early, all counts as of now. */
  private void pile(int more, int count) {
    for (int i = 0; i < layout.count(); i++) {
      int all = (int) Math.min(Integer.MAX_VALUE, (long) used(i, count) + more);
      empty(layout.offset[i], count - all);
    }
    lastTaken = (int) tick;
  }

  /** The first tick at which so many of those in the window, at most all, have left it. */
  private long leaves(int window, int permits) {
    int at = layout.offset[window];
    int head = memory[at + HEAD];
    int portion = layout.portion[window];
    int nth = (permits - 1) / portion;
    boolean isWhole = nth < (head & 0xffff);
    int low =
        isWhole ? memory[at + RING + index((head >>> 16) + nth, layout.slots[window])] : lastTaken;
    return time(low) + layout.length[window] + 1;
  }

  /** Changes to another layout; false if this is closed. */
  private boolean adopt(Layout wanted, int count) {
    Layout current = layout;
    if (current == CLOSED) {
      return false;
    }
    if (current == wanted) {
      return true;
    }
    if (!current.isSame(wanted)) {
      fold(tick, count);
      memory = converted(current, wanted);
      credit = 0;
    }
    layout = wanted;
    return true;
  }

  /** What is remembered, in another layout: nothing less, and nothing earlier, than it was. */
  private int[] converted(Layout from, Layout to) {
    int[] next = new int[to.size];
    for (int i = 0; i < to.count(); i++) {
      convert(from, from.nearest(to.length[i]), to, i, next);
    }
    return next;
  }

  private void convert(Layout from, int source, Layout to, int target, int[] next) {
    int old = from.offset[source];
    int at = to.offset[target];
    int head = memory[old + HEAD];
    long portion = (long) to.portion[target] << to.grainBits;
    int portions = 0;
    long rest = 0; // units that fill no portion yet
    for (int i = 0; i < (head & 0xffff); i++) {
      rest += (long) from.portion[source] << from.grainBits;
      for (; rest >= portion && portions < to.slots[target]; portions++, rest -= portion) {
        next[at + RING + portions] =
            memory[old + RING + index((head >>> 16) + i, from.slots[source])];
      }
    }
    rest += (long) (folded - memory[old + BASE]) << from.grainBits;
    int room = Integer.MAX_VALUE - portions * to.portion[target];
    next[at + HEAD] = portions;
    next[at + BASE] = folded - Math.min(room, grains(rest, to.grainBits));
  }
}
