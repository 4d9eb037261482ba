package io.keystile;

import io.keystile.store.SharedLimits;
import io.keystile.store.StoreException;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Hands every call on to a store that is right; what is broken is overridden. */
class PassThroughLimits implements SharedLimits {
  final SharedLimits right;

  PassThroughLimits() {
    this(new InMemoryKeyStore());
  }

  PassThroughLimits(SharedLimits right) {
    this.right = right;
  }

  @Override
  public Snapshot read(Collection<String> ids) {
    return right.read(ids);
  }

  @Override
  public Set<String> replace(List<Ledger> ledgers) {
    return right.replace(ledgers);
  }

  @Override
  public int purge(Instant before, int limit) {
    return right.purge(before, limit);
  }

  /** One more node on the same data. */
  SharedLimits node() {
    return this;
  }

  /** A node on the same data whose connection is lost after so many calls. */
  SharedLimits failingAfter(int calls) {
    AtomicInteger left = new AtomicInteger(calls);
    return (SharedLimits)
        Proxy.newProxyInstance(
            SharedLimits.class.getClassLoader(),
            new Class<?>[] {SharedLimits.class},
            (proxy, method, arguments) -> {
              if (left.getAndDecrement() <= 0) {
                throw failure(method.getName(), arguments);
              }
              return method.invoke(this, arguments);
            });
  }

  /** What a call throws that cannot be made. */
  RuntimeException failure(String operation, Object[] arguments) {
    return new StoreException(StoreException.Kind.UNAVAILABLE, operation, null);
  }

  /** A transaction of the host's, in which a store that is right has no part. */
  void inTransaction(Runnable work) {
    work.run();
  }
}
