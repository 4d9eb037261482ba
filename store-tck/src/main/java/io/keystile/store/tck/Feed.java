package io.keystile.store.tck;

import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** What a node does with the change feed: it keeps the highest number and the gaps below it. */
final class Feed {
  private final KeyStore store;
  private final TreeSet<Long> missing = new TreeSet<>();
  private long after;

  /** Starts at the end of the feed: only what changes from now on is new. */
  Feed(KeyStore store) {
    this.store = store;
    this.after = store.changesSince(ChangeCursor.after(0), 1).newest();
  }

  /** The ids of the keys whose notices have become visible since the last poll, in order. */
  List<String> poll() {
    return pollChanges().stream().map(Changes.Change::keyId).toList();
  }

  List<Changes.Change> pollChanges() {
    List<Changes.Change> all = new ArrayList<>();
    List<Changes.Change> page;
    do {
      page = store.changesSince(cursor(), 1000).list();
      page.forEach(this::see);
      all.addAll(page);
    } while (page.size() == 1000);
    return all;
  }

  private void see(Changes.Change change) {
    long number = change.number();
    for (long skipped = after + 1; skipped < number; skipped++) {
      missing.add(skipped);
    }
    missing.remove(number);
    after = Math.max(after, number);
  }

  ChangeCursor cursor() {
    List<ChangeCursor.Gap> gaps = new ArrayList<>();
    for (long number : missing) {
      int last = gaps.size() - 1;
      if (last >= 0 && gaps.get(last).last() == number - 1) {
        gaps.set(last, new ChangeCursor.Gap(gaps.get(last).first(), number));
      } else {
        gaps.add(new ChangeCursor.Gap(number, number));
      }
    }
    return new ChangeCursor(after, gaps);
  }
}
