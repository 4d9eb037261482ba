package io.keystile.store.jdbc;

import io.keystile.store.StoreException;
import io.keystile.store.StoreException.Kind;
import java.sql.SQLException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Turns what drivers throw into {@link StoreException}. Drivers print values ({@code Key
 * (owner)=(alice) already exists}), so their text never goes into ours, and they themselves become
 * the cause only where the host has switched it on.
 */
final class Failures {
  private final Dialect dialect;
  private final boolean keepCauses;

  Failures(Dialect dialect, boolean keepCauses) {
    this.dialect = dialect;
    this.keepCauses = keepCauses;
  }

  boolean isDuplicate(Throwable e) {
    return any(e, dialect::isDuplicate);
  }

  /** Whether other transactions were in the way, and this one had no effect. */
  boolean isConflict(Throwable e) {
    return any(e, dialect::isContention) || any(e, dialect::isLockTimeout);
  }

  /** MySQL's driver reports a lock timeout with the SQLState of a deadlock. */
  boolean isWorthRepeating(Throwable e) {
    return any(e, dialect::isContention) && !any(e, dialect::isLockTimeout);
  }

  StoreException of(Kind kind, String operation, Throwable e) {
    return new StoreException(kind, operation + ": " + describe(e), keepCauses ? e : null);
  }

  /** For a failure without effect. */
  StoreException of(String operation, Throwable e) {
    return of(isConflict(e) ? Kind.CONFLICT : Kind.UNAVAILABLE, operation, e);
  }

  /** The first exception of the chain that carries a code, without its text. */
  static String describe(Throwable e) {
    SQLException[] coded = new SQLException[1];
    any(
        e,
        link -> {
          coded[0] = link;
          return link.getSQLState() != null || link.getErrorCode() != 0;
        });
    SQLException link = coded[0];
    if (e instanceof IllegalArgumentException) {
      // a record refused what it was to be made of; its message is not needed to find out why
      return "a stored row makes no sense";
    }
    if (link == null) {
      return e.getClass().getName();
    }
    return link.getClass().getName()
        + ", SQLState "
        + link.getSQLState()
        + ", vendor code "
        + link.getErrorCode();
  }

  /** Looks along causes and next exceptions: batches hide the telling one behind either. */
  private static boolean any(@Nullable Throwable e, Predicate<SQLException> condition) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException) {
        SQLException link = (SQLException) cause;
        while (link != null) {
          if (condition.test(link)) {
            return true;
          }
          link = link.getNextException();
        }
      }
    }
    return false;
  }
}
