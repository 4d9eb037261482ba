package io.keystile;

import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What this node has seen of the change feed: the highest number, and the numbers below it that it
 * has not seen. A gap is a transaction that is still open, or one that was rolled back; nobody can
 * tell which, so a gap is asked for until it is {@code gapAge} old. Pure bookkeeping, for one
 * thread.
 *
 * <p>Why numbers and not times: a transaction that was open for longer than any overlap of clocks
 * would become visible behind the cursor and never be delivered.
 */
final class ChangeTracker {

  private record Gap(long last, long foundAt) {}

  private final long gapAge;
  private final long maxMissing;
  private final TreeMap<Long, Gap> gaps = new TreeMap<>();
  private long after;

  /**
   * A tracker for a node that has cached nothing yet.
   *
   * @param newest the highest number that counts as seen
   * @param now by the nano ticker
   * @param gapAge in nanoseconds
   * @param maxMissing how many numbers may be missing before this gives up
   */
  ChangeTracker(long newest, long now, long gapAge, long maxMissing) {
    this.gapAge = gapAge;
    this.maxMissing = maxMissing;
    after = newest;
    // a transaction that is open now may hold any of the numbers just below
    long first = Math.max(1, newest - maxMissing / 2);
    if (first < newest) {
      gaps.put(first, new Gap(newest - 1, now));
    }
  }

  ChangeCursor cursor() {
    List<ChangeCursor.Gap> open = new ArrayList<>(gaps.size());
    gaps.forEach((first, gap) -> open.add(new ChangeCursor.Gap(first, gap.last())));
    return new ChangeCursor(after, open);
  }

  /**
   * Takes in an answer to {@link #cursor()}.
   *
   * @return false if notices may have been missed: then nothing that is cached may be trusted, and
   *     a new tracker must take over
   */
  boolean takeIn(Changes changes, long now) {
    boolean emptied = changes.newest() < after; // or begun anew
    boolean purged = changes.oldest() > after + 1;
    if (emptied || purged) {
      return false;
    }
    for (Changes.Change change : changes.list()) {
      see(change.number(), now);
    }
    gaps.values().removeIf(gap -> now - gap.foundAt() >= gapAge);
    return missing() <= maxMissing;
  }

  private void see(long number, long now) {
    if (number > after) {
      if (number > after + 1) {
        gaps.put(after + 1, new Gap(number - 1, now));
      }
      after = number;
      return;
    }
    Map.Entry<Long, Gap> entry = gaps.floorEntry(number);
    if (entry == null || entry.getValue().last() < number) {
      return; // given up already
    }
    long first = entry.getKey();
    Gap gap = entry.getValue();
    gaps.remove(first);
    if (first < number) {
      gaps.put(first, new Gap(number - 1, gap.foundAt()));
    }
    if (number < gap.last()) {
      gaps.put(number + 1, new Gap(gap.last(), gap.foundAt()));
    }
  }

  private long missing() {
    long missing = 0;
    for (Map.Entry<Long, Gap> gap : gaps.entrySet()) {
      missing += gap.getValue().last() - gap.getKey() + 1;
    }
    return missing;
  }
}
