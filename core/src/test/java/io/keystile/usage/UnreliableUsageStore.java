package io.keystile.usage;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Fails before it adds a batch, or adds it and loses the answer, as often as it is told to. */
final class UnreliableUsageStore implements UsageStore {
  private final UsageStore store;
  private final SplittableRandom random;
  private final double failing;
  volatile boolean down;
  volatile int calls;
  volatile int lostAnswers;

  UnreliableUsageStore(UsageStore store, SplittableRandom random, double failing) {
    this.store = store;
    this.random = random;
    this.failing = failing;
  }

  @Override
  public synchronized boolean add(Batch batch) {
    calls++;
    if (down || random.nextDouble() < failing) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "add", null);
    }
    boolean added = store.add(batch);
    if (random.nextDouble() < failing) {
      lostAnswers++;
      throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "add", null);
    }
    return added;
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return store.tallies(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    return store.purge(retention);
  }
}
