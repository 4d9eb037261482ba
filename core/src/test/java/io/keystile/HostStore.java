package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A store that joins transactions of its host, in memory. A transaction works on a copy, made by
 * doing again all that was ever done; its commit does again, on the store itself, what it has done
 * to the copy, or fails if an outcome would not be the same.
 */
class HostStore extends PassThroughStore {
  private final List<Change> done = new ArrayList<>();
  private final ThreadLocal<Transaction> current = new ThreadLocal<>();

  /** Something done to a store; whether it can be done again with the same outcome. */
  private interface Change extends Predicate<KeyStore> {}

  /** What a transaction sees, and what it has done. */
  final class Transaction {
    final KeyStore copy = copyOf(done);
    final List<Change> changes = new ArrayList<>();
    final List<Runnable> actions = new ArrayList<>();
    boolean unusable;
  }

  final @Nullable Transaction transaction() {
    return current.get();
  }

  /** Where calls go that join. */
  final KeyStore joined() {
    Transaction transaction = current.get();
    return transaction == null ? right : transaction.copy;
  }

  final void inTransaction(Runnable work) {
    Transaction transaction;
    synchronized (this) {
      transaction = new Transaction();
    }
    current.set(transaction);
    try {
      work.run();
      current.remove();
      commit(transaction);
    } catch (RuntimeException | Error e) {
      current.remove();
      rolledBack(transaction);
      throw e;
    }
    transaction.actions.forEach(Runnable::run);
  }

  void rolledBack(Transaction transaction) {}

  private synchronized void commit(Transaction transaction) {
    KeyStore rehearsal = copyOf(done);
    for (Change change : transaction.changes) {
      if (!change.test(rehearsal)) {
        throw new StoreException(StoreException.Kind.CONFLICT, "commit", null);
      }
    }
    transaction.changes.forEach(change -> change.test(right));
    done.addAll(transaction.changes);
  }

  private static KeyStore copyOf(List<? extends Predicate<KeyStore>> changes) {
    KeyStore copy = new InMemoryKeyStore();
    changes.forEach(change -> change.test(copy));
    return copy;
  }

  private synchronized <T> T change(Function<KeyStore, T> call, Predicate<T> isApplied) {
    Transaction transaction = current.get();
    if (transaction != null && transaction.unusable) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "transaction is aborted", null);
    }
    T result = call.apply(joined());
    if (isApplied.test(result)) {
      Change change = store -> isApplied.test(call.apply(store));
      (transaction == null ? done : transaction.changes).add(change);
    } else if (transaction != null) {
      refused(transaction);
    }
    return result;
  }

  void refused(Transaction transaction) {}

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    return change(
        store -> store.insert(writes, ownerMaximum), outcome -> outcome == WriteOutcome.APPLIED);
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    return change(store -> store.replace(write), outcome -> outcome == WriteOutcome.APPLIED);
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return change(store -> store.purge(purge), result -> result.keys() == purge.keys().size());
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    return joined().find(keyId);
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return joined().list(filter, after, limit);
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    return joined().audit(filter, after, limit);
  }

  @Override
  public synchronized void recordUse(List<UseMark> marks) {
    right.recordUse(marks);
    done.add(
        store -> {
          store.recordUse(marks);
          return true;
        });
  }

  @Override
  public void afterCommit(Runnable action) {
    Transaction transaction = current.get();
    if (transaction == null) {
      action.run();
    } else {
      transaction.actions.add(action);
    }
  }
}
