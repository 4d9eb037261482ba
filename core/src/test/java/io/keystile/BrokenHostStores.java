package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyRecord;
import io.keystile.store.UseMark;
import java.util.List;
import java.util.Optional;

/** Stores that join transactions of their host, with one mistake each. */
final class BrokenHostStores {
  private BrokenHostStores() {}

  /** Caches for everybody what one transaction has not committed. */
  static final class LoadJoins extends HostStore {
    @Override
    public Optional<KeyRecord> load(String keyId) {
      return joined().load(keyId);
    }
  }

  /** Looks for what others have committed in the snapshot of a transaction. */
  static final class FeedJoins extends HostStore {
    @Override
    public Changes changesSince(ChangeCursor cursor, int limit) {
      return joined().changesSince(cursor, limit);
    }
  }

  /** Rolls back last use with the transaction. */
  static final class LastUseJoins extends HostStore {
    @Override
    public void recordUse(List<UseMark> marks) {
      if (transaction() == null) {
        super.recordUse(marks);
      } else {
        joined().recordUse(marks);
      }
    }
  }

  /** Reads the audit trail on a connection of its own. */
  static final class AuditStaysOut extends HostStore {
    @Override
    public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
      return right.audit(filter, after, limit);
    }
  }

  /** Forgets that there may be a transaction. */
  static final class RunsActionsAtOnce extends HostStore {
    @Override
    public void afterCommit(Runnable action) {
      action.run();
    }
  }

  /** Takes the end of a transaction for its commit. */
  static final class RunsActionsAfterRollback extends HostStore {
    @Override
    void rolledBack(Transaction transaction) {
      transaction.actions.forEach(Runnable::run);
    }
  }

  /** Catches the duplicate that has aborted the transaction, as on PostgreSQL. */
  static final class RefusalEndsTransaction extends HostStore {
    @Override
    void refused(Transaction transaction) {
      transaction.unusable = true;
    }
  }
}
