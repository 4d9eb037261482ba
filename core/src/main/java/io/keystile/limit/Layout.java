package io.keystile.limit;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The windows of one unit, compiled: how a {@link Cell} lays out what it remembers. Counts are in
 * <em>grains</em>, of one permit each, or of as many units as keep the largest limit below 2^30.
 */
final class Layout {
  private static final int MAX_GRAINS = 1 << 30;

  /** Limits up to this remember each permit. */
  private static final int EXACT = 16;

  final String unit;
  final List<Window> windows;

  /** How many bits of a unit are below a grain. */
  final int grainBits;

  /** Each window's length in ticks, limit and portion in grains, and how many portions it has. */
  final long[] length;

  final int[] limit;

  /** The limits in units. */
  final long[] units;

  final int[] portion;
  final int[] slots;

  /** Where the numbers of each window begin, see {@link Cell}. */
  final int[] offset;

  final int size;

  /** Whether a {@link Lease} limits it as well. */
  final boolean leased;

  private volatile @Nullable Split split;

  /** Another's, with other limits. */
  private Layout(Layout whole, int[] limit, boolean leased) {
    unit = whole.unit;
    windows = whole.windows;
    grainBits = whole.grainBits;
    length = whole.length;
    this.limit = limit;
    units = Arrays.stream(limit).mapToLong(l -> (long) l << whole.grainBits).toArray();
    portion = whole.portion;
    slots = whole.slots;
    offset = whole.offset;
    size = whole.size;
    this.leased = leased;
  }

  private Layout(String unit, List<Window> windows, int grainBits, int resolution) {
    this.unit = unit;
    this.windows = windows;
    this.grainBits = grainBits;
    int count = windows.size();
    length = new long[count];
    limit = new int[count];
    units = windows.stream().mapToLong(Window::limit).toArray();
    portion = new int[count];
    slots = new int[count];
    offset = new int[count];
    int end = 0;
    for (int i = 0; i < count; i++) {
      Window window = windows.get(i);
      length[i] = window.length().toMillis();
      limit[i] = (int) (window.limit() >> grainBits);
      boolean exact = limit[i] <= Math.max(EXACT, resolution);
      portion[i] = exact ? 1 : ceilDiv(limit[i], resolution);
      slots[i] = ceilDiv(limit[i], portion[i]);
      offset[i] = end;
      end += Cell.RING + slots[i];
    }
    size = end;
    leased = false;
  }

  /** For requests, which are counted one by one. */
  static Layout ofPermits(List<Window> windows, int resolution) {
    for (Window window : windows) {
      if (window.limit() > MAX_GRAINS) {
        throw new IllegalArgumentException(
            "limit: of requests it must be at most 2^30, is " + window.limit());
      }
    }
    return new Layout(Plan.REQUESTS, windows, 0, resolution);
  }

  /** For any other unit. */
  static Layout ofUnits(String unit, List<Window> windows, int resolution) {
    long largest = windows.stream().mapToLong(Window::limit).max().orElse(0);
    int grainBits = 0;
    while (largest >> grainBits > MAX_GRAINS) {
      grainBits++;
    }
    for (Window window : windows) {
      if (window.limit() > 0 && window.limit() >> grainBits == 0) {
        throw new IllegalArgumentException(
            "limit: the largest of a unit may be at most 2^30 times the smallest");
      }
    }
    return new Layout(unit, windows, grainBits, resolution);
  }

  private static int ceilDiv(int dividend, int divisor) {
    return dividend / divisor + (dividend % divisor == 0 ? 0 : 1);
  }

  /** How nodes that exchange so often keep it together; the same object each time. */
  Split split(long intervalMillis) {
    Split known = split;
    if (known == null || known.interval != intervalMillis) {
      known = new Split(this, intervalMillis);
      split = known;
    }
    return known;
  }

  /** With a part of each limit, at least 1 where there is any. */
  Layout shared(IntUnaryOperator divisor, boolean leased) {
    int[] shares = new int[count()];
    for (int i = 0; i < shares.length; i++) {
      shares[i] = Math.min(limit[i], Math.max(1, limit[i] / divisor.applyAsInt(i)));
    }
    return new Layout(this, shares, leased);
  }

  int count() {
    return length.length;
  }

  /** Whether what a cell remembers by one means the same by the other. */
  boolean isSame(Layout other) {
    return grainBits == other.grainBits
        && Arrays.equals(length, other.length)
        && Arrays.equals(portion, other.portion)
        && Arrays.equals(slots, other.slots);
  }

  /**
   * The window that knows most of the last {@code ticks}: as short as it can be, but no shorter.
   */
  int nearest(long ticks) {
    int best = 0;
    for (int i = 1; i < count(); i++) {
      boolean isBetter =
          length[best] < ticks
              ? length[i] > length[best]
              : length[i] >= ticks && length[i] < length[best];
      best = isBetter ? i : best;
    }
    return best;
  }
}
