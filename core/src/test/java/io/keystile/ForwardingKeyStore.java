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
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Hands everything on, so that a test can change one thing. */
class ForwardingKeyStore implements KeyStore {

  final KeyStore delegate;

  ForwardingKeyStore(KeyStore delegate) {
    this.delegate = delegate;
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    return delegate.insert(writes, ownerMaximum);
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    return delegate.find(keyId);
  }

  @Override
  public Optional<KeyRecord> load(String keyId) {
    return delegate.load(keyId);
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    return delegate.replace(write);
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return delegate.list(filter, after, limit);
  }

  @Override
  public void recordUse(List<UseMark> marks) {
    delegate.recordUse(marks);
  }

  @Override
  public Changes changesSince(ChangeCursor cursor, int limit) {
    return delegate.changesSince(cursor, limit);
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    return delegate.audit(filter, after, limit);
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return delegate.purge(purge);
  }

  @Override
  public void afterCommit(Runnable action) {
    delegate.afterCommit(action);
  }
}
