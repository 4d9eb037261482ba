package io.keystile;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Hands every call on to a store that is right; what is broken is overridden. */
class PassThroughUsage implements UsageStore {
  final UsageStore right;

  PassThroughUsage() {
    this(new InMemoryKeyStore());
  }

  PassThroughUsage(UsageStore right) {
    this.right = right;
  }

  @Override
  public boolean add(Batch batch) {
    return right.add(batch);
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return right.tallies(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    return right.purge(retention);
  }

  /** One more node on the same data. */
  UsageStore node() {
    return this;
  }

  /** A node on the same data whose connection is lost after so many calls. */
  UsageStore failingAfter(int calls) {
    AtomicInteger left = new AtomicInteger(calls);
    return (UsageStore)
        Proxy.newProxyInstance(
            UsageStore.class.getClassLoader(),
            new Class<?>[] {UsageStore.class},
            (proxy, method, arguments) -> {
              if (left.getAndDecrement() <= 0) {
                throw failure(method.getName(), arguments);
              }
              try {
                return method.invoke(this, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
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
