package io.keystile;

import io.keystile.store.UsageStore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Hands everything on, usage included, so that a test can change one thing. */
class UsageStoreWrapper extends ForwardingKeyStore implements UsageStore {
  private final UsageStore usage;

  UsageStoreWrapper(InMemoryKeyStore store) {
    super(store);
    usage = store;
  }

  @Override
  public boolean add(Batch batch) {
    return usage.add(batch);
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return usage.tallies(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    return usage.purge(retention);
  }
}
