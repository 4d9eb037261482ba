package io.keystile;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The totals of this node by their public names, and how much of them was told. Each part of the
 * library counts in its own adders and adds them here when it is made; nothing on a request's path
 * knows of this. Not for several threads at once.
 */
final class Counts {

  /** Hears what was added to a total. */
  @FunctionalInterface
  interface Reader {
    void count(String metric, String result, long added);
  }

  private static final class Count {
    private final String metric;
    private final String result;
    private final LongSupplier total;
    private long told;

    Count(String metric, String result, LongSupplier total) {
      this.metric = metric;
      this.result = result;
      this.total = total;
    }
  }

  private final List<Count> all = new ArrayList<>();

  /**
   * Adds a total.
   *
   * @param total never falls for long: if it is a difference, and one part of it runs ahead, the
   *     other will follow
   */
  Counts add(String metric, String result, LongSupplier total) {
    all.add(new Count(metric, result, total));
    return this;
  }

  /** The names of all metrics. */
  Set<String> names() {
    Set<String> names = new HashSet<>();
    all.forEach(count -> names.add(count.metric));
    return names;
  }

  /** Hands over what was added since the last call. The sum of all calls is the total. */
  void tell(Reader reader) {
    for (Count count : all) {
      long added = count.total.getAsLong() - count.told;
      if (added > 0) {
        count.told += added;
        reader.count(count.metric, count.result, added);
      }
    }
  }
}
