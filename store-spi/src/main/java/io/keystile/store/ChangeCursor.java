package io.keystile.store;

import java.util.List;

/**
 * What a node has seen of the change feed.
 *
 * @param after the highest number it has seen; 0 for none
 * @param gaps the numbers below that it has not seen and still expects, in rising order, not
 *     overlapping
 */
public record ChangeCursor(long after, List<Gap> gaps) {

  /**
   * A run of numbers that have not been seen.
   *
   * @param first the first, at least 1
   * @param last the last, not below the first
   */
  public record Gap(long first, long last) {
    /** Checks the values. */
    public Gap {
      Checks.require(first >= 1 && last >= first, "gap: must be a rising run of numbers from 1");
    }
  }

  /** Checks and copies the values. */
  public ChangeCursor {
    Checks.require(after >= 0, "after: must not be negative");
    gaps = List.copyOf(gaps);
    long below = 0;
    for (Gap gap : gaps) {
      Checks.require(
          gap.first() > below && gap.last() < after, "gaps: must rise and lie below after");
      below = gap.last();
    }
  }

  /**
   * A cursor without gaps.
   *
   * @param after the highest number seen
   * @return the cursor
   */
  public static ChangeCursor after(long after) {
    return new ChangeCursor(after, List.of());
  }
}
