package io.keystile.limit;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link Cell} may take until this node has spoken to the others again: so much is booked
 * for it in the ledger. Guarded by the mark of its cell, but for the two flags.
 *
 * <p>Where there is no lease, as at the first call of an idle key, a small <em>advance</em> is
 * taken at once, and booked with the next exchange. There is no other before that exchange was
 * made, nor before the ledger, as it was seen then, has room for it.
 */
final class Lease {
  /**
   * What a node says at an exchange.
   *
   * @param count the cell's count at that moment
   * @param used how much of it is new since the last exchange
   * @param unbooked how much of that no lease was booked for
   * @param unused how much was booked and is not used
   * @param kept how much of the unused goes on being used meanwhile; the rest is given back
   * @param wanted how much a new lease should have
   */
  record Report(int count, int used, int unbooked, int unused, int kept, int wanted) {}

  /**
   * What came of an exchange.
   *
   * @param granted how much may be used after the report, what was kept among it
   * @param end the tick at which that is over
   * @param advance how much may be taken without a lease then
   * @param advanceFrom from which tick on
   * @param moreAt the tick at which it is worth to ask again, for who is refused
   * @param used for each window, how many units are in it, of all nodes, without what is granted
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, and never compared
  record Terms(int granted, long end, int advance, long advanceFrom, long moreAt, long[] used) {}

  private static final int MOST = 1 << 30;

  /** The count at the last exchange, and how much was granted then. */
  private int base;

  private int granted;

  /** What the count may reach, by lease or advance. */
  private int ceiling;

  private long end = Long.MIN_VALUE;

  /** Whether the lease is over, and if so the last count it was booked for, and what was left. */
  private boolean over = true;

  private int bookedTo;
  private int unused;

  private int advance;
  private long advanceFrom = Long.MIN_VALUE;
  private boolean advancing;
  private long moreAt;
  private long[] used;

  /** Whether somebody was refused since the last exchange. */
  volatile boolean hungry;

  /** Whether the next exchange looks at it. */
  volatile boolean enlisted;

  /** How it was split when it was last enlisted. */
  volatile @Nullable Split split;

  Lease(int advance, int windows) {
    this.advance = advance;
    used = new long[windows];
  }

  /** How many may be taken now. */
  int left(long now, int count) {
    if (now >= end) {
      finish(count);
    }
    if (over && !advancing && now >= advanceFrom) {
      advancing = true;
      advanceFrom = Long.MAX_VALUE;
      ceiling = count + advance;
    }
    return over && !advancing ? 0 : ceiling - count;
  }

  /** Ends the lease: what is taken from now on is not booked. */
  void finish(int count) {
    if (!over) {
      over = true;
      unused = Math.max(0, base + granted - count);
      bookedTo = count - Math.max(0, count - base - granted);
    }
  }

  /**
   * How many units are in a window, of all nodes, as far as is known; 0 if the last exchange was
   * long ago.
   */
  long used(int window, int count, int grainBits) {
    return enlisted && known(window) > 0 ? known(window) + ((long) (count - base) << grainBits) : 0;
  }

  /** By the plan of the last exchange; one that has more windows now is told with the next. */
  private long known(int window) {
    return window < used.length ? used[window] : 0;
  }

  /** Says in the window that has least left until when to wait, if none refuses by itself. */
  void delay(Reading into, long now) {
    int least = -1;
    for (int i = 0; i < into.waits.length; i++) {
      if (into.waits[i] > 0) {
        return;
      }
      boolean isShared = known(i) > 0 || into.remaining[i] == 0;
      if (least < 0 || (isShared && into.remaining[i] < into.remaining[least])) {
        least = i;
      }
    }
    if (least >= 0) {
      into.waits[least] = moreAt == Reading.NEVER ? Reading.NEVER : Math.max(1, moreAt - now);
    }
  }

  /** Says what was used. Of the lease no more than is kept is used until {@link #renew}. */
  Report report(int count, boolean leaving) {
    int used = count - base;
    long more = used == 0 ? 0 : Math.max(2L * used, advance);
    if (hungry) {
      more = Math.max(2 * more, advance);
    }
    hungry = false;
    int wanted = leaving ? 0 : (int) Math.min(more, MOST);
    if (over) {
      return new Report(count, used, count - bookedTo, unused, 0, wanted);
    }
    int rest = Math.max(0, granted - used);
    int kept = Math.min(rest, wanted);
    ceiling = count + kept;
    return new Report(count, used, Math.max(0, used - granted), rest, kept, wanted);
  }

  /** The report is in the ledger. */
  void renew(Report report, Terms terms, int count) {
    base = report.count;
    granted = terms.granted;
    ceiling = base + granted;
    end = terms.end;
    over = false;
    advancing = false;
    advance = terms.advance;
    advanceFrom = terms.advanceFrom;
    moreAt = terms.moreAt;
    used = terms.used;
    if (granted == 0) {
      finish(count);
    }
  }

  /** The report is not in the ledger: the lease goes on as it was. */
  void keep() {
    if (!over) {
      ceiling = base + granted;
    }
  }

  /** Whether nobody wants anything. */
  boolean isIdle(Report report) {
    return report.wanted == 0 && !hungry;
  }
}
