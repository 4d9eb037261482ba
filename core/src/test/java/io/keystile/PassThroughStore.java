package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Hands every call on to a store that is right; what is broken is overridden. */
class PassThroughStore implements KeyStore {
  final KeyStore right;

  /** How many calls were handed on: each stands for a statement. */
  final AtomicLong statements = new AtomicLong();

  PassThroughStore() {
    this(new InMemoryKeyStore());
  }

  PassThroughStore(KeyStore right) {
    this.right = right;
  }

  private KeyStore right() {
    statements.incrementAndGet();
    return right;
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    return right().insert(writes, ownerMaximum);
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    return right().find(keyId);
  }

  @Override
  public Optional<KeyRecord> load(String keyId) {
    return right().load(keyId);
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    return right().replace(write);
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return right().list(filter, after, limit);
  }

  @Override
  public void recordUse(List<UseMark> marks) {
    right().recordUse(marks);
  }

  @Override
  public Changes changesSince(ChangeCursor cursor, int limit) {
    return right().changesSince(cursor, limit);
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    return right().audit(filter, after, limit);
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return right().purge(purge);
  }

  @Override
  public void afterCommit(Runnable action) {
    right().afterCommit(action);
  }

  /** A node on the same data whose connection is lost after so many calls. */
  KeyStore failingAfter(int calls) {
    AtomicInteger left = new AtomicInteger(calls);
    return (KeyStore)
        Proxy.newProxyInstance(
            KeyStore.class.getClassLoader(),
            new Class<?>[] {KeyStore.class},
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
}
