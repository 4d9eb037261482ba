package io.keystile.usage;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Amounts of a few things, each named by a text, a number or both: small arrays instead of a map,
 * because most keys have few. Beyond a bound things are counted as one, {@code other}: {@link #add}
 * tells those apart that come first, {@link #addToBusiest} those that come most. Not safe for use
 * by several threads.
 */
final class Counts {
  /** One part in so many of what comes together is busy. */
  static final int BUSY_PART = 50;

  /** Less is not busy, whatever comes with it. */
  static final int BUSY_LEAST = 10;

  private final int max;
  private @Nullable String[] names = new String[2];
  private long[] codes = new long[2];
  private long[] amounts = new long[2];

  /** See {@link #addToBusiest}; the amounts while nothing has been replaced. */
  private long @Nullable [] ranks;

  private int size;
  private long other;

  /**
   * @param max how many things are told apart
   */
  Counts(int max) {
    this.max = max;
  }

  /** Takes an amount of a thing; null for {@link #other}. */
  interface Visitor {
    void visit(@Nullable String name, long code, long amount);
  }

  /** Tells a new thing apart while there is room, for good. */
  void add(@Nullable String name, long code, long amount) {
    add(name, code, amount, max);
  }

  private void add(@Nullable String name, long code, long amount, int room) {
    String text = cut(name);
    int i = indexOf(text, code);
    if (i < 0 && size >= room) {
      other = Amounts.sum(other, amount);
    } else if (i < 0) {
      append(text, code, amount);
    } else {
      amounts[i] = Amounts.sum(amounts[i], amount);
    }
  }

  /**
   * Tells a new thing apart in any case: if there is no room, in place of the one with the lowest
   * rank, whose amount becomes {@code other}, and with that rank on top of its own amount. So
   * whatever is more than one part in {@code max} of all is told apart in the end, in whatever
   * order it came (Space-Saving: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent
   * and top-k elements in data streams", ICDT 2005). What came of it before it was told apart is in
   * {@code other}.
   */
  void addToBusiest(@Nullable String name, long code, long amount) {
    String text = cut(name);
    int i = indexOf(text, code);
    if (i < 0 && size < max) {
      append(text, code, amount);
      return;
    }
    if (i < 0) {
      ranks = ranks == null ? Arrays.copyOf(amounts, size) : ranks;
      i = lowest(ranks);
      other = Amounts.sum(other, amounts[i]);
      names[i] = text;
      codes[i] = code;
      amounts[i] = 0;
    }
    amounts[i] = Amounts.sum(amounts[i], amount);
    if (ranks != null) {
      ranks[i] = Amounts.sum(ranks[i], amount);
    }
  }

  private static @Nullable String cut(@Nullable String name) {
    return name != null && name.length() > Labels.MAX_CHARS
        ? name.substring(0, Labels.MAX_CHARS)
        : name;
  }

  private int indexOf(@Nullable String name, long code) {
    for (int i = 0; i < size; i++) {
      if (codes[i] == code && Objects.equals(names[i], name)) {
        return i;
      }
    }
    return -1;
  }

  private void append(@Nullable String name, long code, long amount) {
    if (size == amounts.length) {
      names = Arrays.copyOf(names, 2 * size);
      codes = Arrays.copyOf(codes, 2 * size);
      amounts = Arrays.copyOf(amounts, 2 * size);
    }
    names[size] = name;
    codes[size] = code;
    amounts[size++] = amount;
  }

  private static int lowest(long[] ranks) {
    int lowest = 0;
    for (int i = 1; i < ranks.length; i++) {
      lowest = ranks[i] < ranks[lowest] ? i : lowest;
    }
    return lowest;
  }

  /** The greatest first, so that whoever has less room takes those. */
  void addTo(Counts more) {
    addTo(more, 0);
  }

  /**
   * As {@link #addTo(Counts)}; what is busy here has so much room besides.
   *
   * @param busyRoom how many more things may be told apart there
   */
  void addTo(Counts more, int busyRoom) {
    long busy = Math.max(BUSY_LEAST, (total() + BUSY_PART - 1) / BUSY_PART);
    boolean[] taken = new boolean[size];
    for (int n = 0; n < size; n++) {
      int greatest = -1;
      for (int i = 0; i < size; i++) {
        if (!taken[i] && (greatest < 0 || amounts[i] > amounts[greatest])) {
          greatest = i;
        }
      }
      taken[greatest] = true;
      int room = more.max + (amounts[greatest] >= busy ? busyRoom : 0);
      more.add(names[greatest], codes[greatest], amounts[greatest], room);
    }
    more.other = Amounts.sum(more.other, other);
  }

  private long total() {
    long total = other;
    for (int i = 0; i < size; i++) {
      total = Amounts.sum(total, amounts[i]);
    }
    return total;
  }

  /** Visits what is there; those that were cleared keep their place and are left out. */
  void forEach(Visitor visitor) {
    for (int i = 0; i < size; i++) {
      if (amounts[i] > 0) {
        visitor.visit(names[i], codes[i], amounts[i]);
      }
    }
  }

  long other() {
    return other;
  }

  /** How many things are told apart. */
  int size() {
    return size;
  }

  /** Sets all amounts to 0 and keeps the names: the same things go on being told apart. */
  void clear() {
    Arrays.fill(amounts, 0);
    other = 0;
  }
}
