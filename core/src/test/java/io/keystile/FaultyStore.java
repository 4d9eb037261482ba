package io.keystile;

import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.StoreException.Kind;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Fails the next writes, before or after they are done; may be in a transaction of a host's. */
final class FaultyStore extends ForwardingKeyStore {
  Kind kind = Kind.UNAVAILABLE;
  boolean appliesFirst;
  int faults;
  int writes;
  boolean losesRaces;
  boolean inTransaction;
  final List<Runnable> atCommit = new ArrayList<>();

  FaultyStore() {
    super(new InMemoryKeyStore());
  }

  void fail(Kind kind, boolean appliesFirst, int faults) {
    this.kind = kind;
    this.appliesFirst = appliesFirst;
    this.faults = faults;
  }

  private <T> T write(Supplier<T> call) {
    writes++;
    if (faults == 0) {
      return call.get();
    }
    faults--;
    if (appliesFirst) {
      call.get();
    }
    throw new StoreException(kind, "planted", null);
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    return write(() -> super.insert(writes, ownerMaximum));
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    return write(() -> losesRaces ? WriteOutcome.CONFLICT : super.replace(write));
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return write(() -> super.purge(purge));
  }

  @Override
  public void afterCommit(Runnable action) {
    if (inTransaction) {
      atCommit.add(action);
    } else {
      action.run();
    }
  }
}
