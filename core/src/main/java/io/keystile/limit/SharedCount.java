package io.keystile.limit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What all nodes together have used of one unit for one key: the text of a ledger, taken apart. Not
 * safe for use by several threads.
 *
 * <p>Each window has <em>slots</em>: how much was booked, by the time at which it leaves. A node
 * borrows a lease and books it, as if all were used at the lease's last moment; so it leaves the
 * window one length after that, whenever it was used, and what was not used is taken out of the
 * slot again. Times are the store's, in milliseconds; the text also holds the latest that was seen,
 * so that time never goes back.
 *
 * <p>The text is words: {@code 1} (its version), {@code T} and the time; for each window {@code W}
 * with its length and the span of a slot, then its slots; for each node {@code N} with its name and
 * its lease. Numbers are in base 36, with small letters.
 */
final class SharedCount {
  private static final int RADIX = 36;
  private static final String VERSION = "1";

  /** About so many slots fit into a text, whatever the number of windows. */
  private static final int SLOTS = 160;

  private static final int MAX_SLOTS_PER_WINDOW = 20;

  /**
   * The lease of a node.
   *
   * @param end the moment at which it is over, and for which it is booked
   * @param permits how much was booked for it, in units
   * @param sequence one more with each exchange of this node, to know whether one was kept
   */
  record Booking(long end, long permits, long sequence) {}

  /** The slots of one window: units by the number of the slot. */
  private record Slots(long length, long span, TreeMap<Long, Long> booked) {
    static Slots of(long length, int windows) {
      int slots = Math.max(2, Math.min(MAX_SLOTS_PER_WINDOW, SLOTS / windows));
      return new Slots(length, (length + slots - 1) / slots, new TreeMap<>());
    }

    /** The slot whose end is not before a moment. */
    long slot(long moment) {
      return (moment + span - 1) / span;
    }

    void forget(long now) {
      booked.headMap(slot(now - length), false).clear();
    }

    long used() {
      return booked.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  private final List<Slots> windows = new ArrayList<>();
  private final Map<String, Booking> nodes = new TreeMap<>();
  private long now;

  private SharedCount() {}

  /** An empty one for windows of these lengths. */
  static SharedCount of(long[] lengths) {
    SharedCount count = new SharedCount();
    for (long length : lengths) {
      count.windows.add(Slots.of(length, lengths.length));
    }
    return count;
  }

  /**
   * From a text, for windows of these lengths. A window that the text does not have begins with
   * what the next longer one knows, or the longest.
   *
   * @throws IllegalArgumentException if the text is no ledger
   */
  static SharedCount parse(String text, long[] lengths) {
    Map<Long, Slots> found = new LinkedHashMap<>();
    SharedCount count = of(lengths);
    String[] words = text.split(" ");
    if (!words[0].equals(VERSION)) {
      throw new IllegalArgumentException("A ledger of a version that is not known");
    }
    Slots current = null;
    for (int i = 1; i < words.length; i++) {
      String word = words[i];
      switch (word.charAt(0)) {
        case 'T' -> count.now = number(word.substring(1));
        case 'W' -> {
          String[] parts = word.substring(1).split("/", 2);
          current = new Slots(number(parts[0]), number(parts[1]), new TreeMap<>());
          found.put(current.length, current);
        }
        case 'N' -> {
          String[] parts = word.substring(1).split("[=/]", 4);
          count.nodes.put(
              parts[0], new Booking(number(parts[1]), number(parts[2]), number(parts[3])));
        }
        default -> slot(word, current);
      }
    }
    count.windows.forEach(window -> takeOver(window, found));
    return count;
  }

  private static void slot(String word, @Nullable Slots window) {
    String[] parts = word.split("=", 2);
    if (window == null || parts.length < 2) {
      throw new IllegalArgumentException("A ledger with a slot of no window");
    }
    window.booked.merge(number(parts[0]), number(parts[1]), Long::sum);
  }

  private static long number(String word) {
    return Long.parseLong(word, RADIX);
  }

  private static void takeOver(Slots window, Map<Long, Slots> found) {
    Slots source = found.get(window.length);
    for (Slots other : found.values()) {
      boolean isBetter =
          source == null
              || (source.length < window.length
                  ? other.length > source.length
                  : other.length >= window.length && other.length < source.length);
      source = isBetter ? other : source;
    }
    if (source != null) {
      long span = source.span;
      source.booked.forEach(
          (slot, units) -> window.booked.merge(window.slot(slot * span), units, Long::sum));
    }
  }

  /** Goes to the store's time, or stays at the latest that was seen. */
  void moveTo(long time) {
    now = Math.max(now, time);
    windows.forEach(window -> window.forget(now));
  }

  long now() {
    return now;
  }

  /** The lease of a node, or null if it has none. */
  @Nullable Booking booking(String node) {
    return nodes.get(node);
  }

  /** How many nodes but this one have a lease that is not over. */
  long others(String node) {
    return nodes.entrySet().stream()
        .filter(entry -> !entry.getKey().equals(node) && entry.getValue().end > now)
        .count();
  }

  /** Takes out what was booked and not used. */
  void giveBack(long end, long units) {
    for (Slots window : windows) {
      window.booked.computeIfPresent(
          window.slot(end), (slot, booked) -> booked > units ? booked - units : null);
    }
  }

  /** Books units for the end of a lease. */
  void book(String node, Booking booking, long unitsUsedBefore) {
    long units = booking.permits + unitsUsedBefore;
    for (Slots window : windows) {
      if (units > 0) {
        window.booked.merge(window.slot(booking.end), units, SharedCount::plus);
      }
    }
    nodes.put(node, booking);
  }

  private static long plus(long a, long b) {
    return a > Long.MAX_VALUE / 4 || b > Long.MAX_VALUE / 4 ? Long.MAX_VALUE / 4 : a + b;
  }

  /**
   * Forgets leases that were over before a moment: their nodes are gone, and will not give back.
   */
  void forgetNodes(long endedBefore) {
    nodes.values().removeIf(booking -> booking.end < endedBefore);
  }

  /** What counts in a window. */
  long used(int window) {
    return windows.get(window).used();
  }

  /** When so many units will have left a window; never, if there are not as many in it. */
  long leaves(int window, long units) {
    Slots slots = windows.get(window);
    long left = 0;
    for (Map.Entry<Long, Long> slot : slots.booked.entrySet()) {
      left += slot.getValue();
      if (left >= units) {
        return slot.getKey() * slots.span + slots.length + 1;
      }
    }
    return Reading.NEVER;
  }

  /** When nothing of it counts any more. */
  long ends() {
    long end = now;
    for (Slots window : windows) {
      if (!window.booked.isEmpty()) {
        end = Math.max(end, window.booked.lastKey() * window.span + window.length + 1);
      }
    }
    return end;
  }

  /** The text of the ledger. */
  String text() {
    StringBuilder text = new StringBuilder(VERSION).append(" T").append(word(now));
    for (Slots window : windows) {
      text.append(" W").append(word(window.length)).append('/').append(word(window.span));
      window.booked.forEach(
          (slot, units) -> text.append(' ').append(word(slot)).append('=').append(word(units)));
    }
    nodes.forEach(
        (node, booking) ->
            text.append(" N")
                .append(node)
                .append('=')
                .append(word(booking.end))
                .append('/')
                .append(word(booking.permits))
                .append('/')
                .append(word(booking.sequence)));
    return text.toString();
  }

  private static String word(long number) {
    return Long.toString(number, RADIX);
  }
}
