package io.keystile;

import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyStore;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the store, again and again, which keys have changed, and drops them from the cache. The
 * shared store is the cluster: what another node revokes reaches this one here.
 */
final class ChangeFeed {
  private static final Logger log = LoggerFactory.getLogger(ChangeFeed.class);

  /** How many notices are read at a time. */
  static final int PAGE = 1_000;

  /**
   * From how far back a node reads when it starts. What it finds missing there may be a transaction
   * that is still open; of what is farther back it hears no more.
   */
  static final int LOOK_BACK = 50_000;

  private final KeyStore store;
  private final KeyCache cache;
  private final Settings settings;
  private final LongAdder polls = new LongAdder();
  private final LongAdder failedPolls = new LongAdder();
  private @Nullable ChangeTracker tracker;

  private volatile long lastGoodPoll;
  private volatile @Nullable Instant lastGoodPollAt;
  private volatile boolean answering;

  ChangeFeed(KeyStore store, KeyCache cache, Settings settings) {
    this.store = store;
    this.cache = cache;
    this.settings = settings;
  }

  /**
   * Finds out where the feed stands and what is missing in it, before the first key is cached, so
   * that no change to one of them can be missed.
   *
   * @throws io.keystile.store.StoreException if the store does not answer
   */
  void start() {
    long began = settings.ticker().getAsLong();
    Instant at = settings.clock().instant();
    Changes bounds = store.changesSince(ChangeCursor.after(Long.MAX_VALUE), 1);
    // what the tracker begins with counts as seen, and only the oldest that is kept surely was
    tracker = newTracker(Math.max(bounds.oldest(), bounds.newest() - LOOK_BACK - 1), began);
    if (!catchUp(began)) { // nothing is cached yet that could not be trusted
      log.warn(
          "More than {} of the last {} notices of changed keys are missing: what is in a"
              + " transaction that is open now may reach this node after {} only",
          settings.maxMissing(),
          LOOK_BACK,
          settings.entryAge());
    }
    succeeded(began, at);
  }

  /** Asks once what has changed. Called by one thread at a time; blocks; throws nothing. */
  void poll() {
    long began = settings.ticker().getAsLong();
    Instant at = settings.clock().instant();
    try {
      if (!catchUp(began)) {
        log.warn("Notices of changed keys may have been missed; forgetting all cached keys");
        cache.invalidateAll();
      }
      succeeded(began, at);
    } catch (Throwable e) { // an Error too: polling must go on
      if (answering) {
        log.warn("The change feed cannot be read: {}", LogText.of(e));
      }
      answering = false;
    }
    long took = settings.ticker().getAsLong() - began;
    if (took > settings.pollDeadline().toNanos()) {
      log.warn("A poll of the change feed took {} ms", took / 1_000_000);
      answering = false;
    }
    (answering ? polls : failedPolls).increment();
  }

  /** Adds its counters. */
  void countIn(Counts counts) {
    counts.add("keystile.polls", "done", polls::sum);
    counts.add("keystile.polls", "failed", failedPolls::sum);
  }

  private void succeeded(long began, Instant at) {
    lastGoodPoll = began;
    lastGoodPollAt = at;
    answering = true;
  }

  /** Returns whether all was seen; if not, nothing that is cached may be trusted. */
  private boolean catchUp(long now) {
    ChangeTracker from = Objects.requireNonNull(tracker, "not started");
    Changes changes;
    do {
      changes = store.changesSince(from.cursor(), PAGE);
      if (!from.takeIn(changes, now)) {
        tracker = newTracker(changes.newest(), now);
        return false;
      }
      for (Changes.Change change : changes.list()) {
        KeyId id = KeyId.parse(change.keyId());
        if (id != null) {
          cache.invalidate(id);
        }
      }
    } while (changes.list().size() == PAGE);
    return true;
  }

  private ChangeTracker newTracker(long newest, long now) {
    return new ChangeTracker(newest, now, settings.gapAge().toNanos(), settings.maxMissing());
  }

  /** When the last good poll began, by the nano ticker. */
  long lastGoodPoll() {
    return lastGoodPoll;
  }

  /** When the last good poll began, or null if there was none. */
  @Nullable Instant lastGoodPollAt() {
    return lastGoodPollAt;
  }

  /** Whether the last poll succeeded in time. */
  boolean answering() {
    return answering;
  }
}
