package io.keystile.usage;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Amounts of a few things, each named by a text, a number or both: small arrays instead of a map,
 * because most keys have few. Beyond a bound new things are counted as one, {@code other}. Not safe
 * for use by several threads.
 */
final class Counts {
  private final int max;
  private @Nullable String[] names = new String[2];
  private long[] codes = new long[2];
  private long[] amounts = new long[2];
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

  void add(@Nullable String name, long code, long amount) {
    for (int i = 0; i < size; i++) {
      if (codes[i] == code && Objects.equals(names[i], name)) {
        amounts[i] = Amounts.sum(amounts[i], amount);
        return;
      }
    }
    if (name != null && name.length() > Labels.MAX_CHARS) {
      add(name.substring(0, Labels.MAX_CHARS), code, amount);
      return;
    }
    if (size == max) {
      other = Amounts.sum(other, amount);
      return;
    }
    if (size == amounts.length) {
      int room = Math.min(max, size * 2);
      names = Arrays.copyOf(names, room);
      codes = Arrays.copyOf(codes, room);
      amounts = Arrays.copyOf(amounts, room);
    }
    names[size] = name;
    codes[size] = code;
    amounts[size++] = amount;
  }

  /** The greatest first, so that whoever has less room takes those. */
  void addTo(Counts more) {
    boolean[] taken = new boolean[size];
    for (int n = 0; n < size; n++) {
      int greatest = -1;
      for (int i = 0; i < size; i++) {
        if (!taken[i] && (greatest < 0 || amounts[i] > amounts[greatest])) {
          greatest = i;
        }
      }
      taken[greatest] = true;
      more.add(names[greatest], codes[greatest], amounts[greatest]);
    }
    more.other = Amounts.sum(more.other, other);
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
