package io.keystile.limit;

import java.util.Arrays;

/**
 * How one layout is kept by several nodes: windows of at least ten exchange intervals by leases,
 * shorter ones by an even split.
 */
final class Split {
  private static final int INTERVALS = 10;

  /** An advance, of all nodes together, is at most this part of the limit, or one each. */
  private static final int ADVANCE_PART = 10;

  final Layout whole;
  final long interval;

  /** Which windows are kept by leases, by their index in the layout. */
  final int[] leased;

  /** Their lengths in milliseconds. */
  final long[] lengths;

  private volatile Shares known;

  /**
   * The limits of this node while so many nodes share them.
   *
   * @param nodes how many
   * @param joining whether the others may not have heard of this one
   * @param leasing with the others: long windows whole, under a lease, short ones split
   * @param alone without the others: all windows split
   */
  record Shares(int nodes, boolean joining, Layout leasing, Layout alone) {}

  Split(Layout whole, long intervalMillis) {
    this.whole = whole;
    interval = intervalMillis;
    int count = whole.count();
    int[] indexes = new int[count];
    int found = 0;
    for (int i = 0; i < count; i++) {
      if (whole.length[i] >= INTERVALS * intervalMillis) {
        indexes[found++] = i;
      }
    }
    leased = Arrays.copyOf(indexes, found);
    lengths = Arrays.stream(leased).mapToLong(i -> whole.length[i]).toArray();
    known = newShares(1, false);
  }

  boolean isLeased(int window) {
    return Arrays.stream(leased).anyMatch(i -> i == window);
  }

  /**
   * The limits for so many nodes.
   *
   * @param joining whether the others may not have heard of this one yet: then it takes the least
   */
  Shares shares(int nodes, boolean joining) {
    Shares shares = known;
    if (shares.nodes != nodes || shares.joining != joining) {
      shares = newShares(nodes, joining);
      known = shares;
    }
    return shares;
  }

  private Shares newShares(int nodes, boolean joining) {
    int divisor = joining ? Integer.MAX_VALUE : nodes;
    return new Shares(
        nodes,
        joining,
        whole.shared(i -> isLeased(i) ? 1 : divisor, leased.length > 0),
        whole.shared(i -> divisor, false));
  }

  /** How much may be taken without a lease by each of so many nodes, in grains. */
  int advance(int nodes) {
    int least = Integer.MAX_VALUE;
    for (int window : leased) {
      int limit = whole.limit[window];
      least = Math.min(least, Math.min(limit, Math.max(1, limit / (ADVANCE_PART * nodes))));
    }
    return least;
  }

  /** The limit of a leased window, in units. */
  long limit(int leasedIndex) {
    return whole.windows.get(leased[leasedIndex]).limit();
  }
}
