package io.keystile.store;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The store failed. Messages name the operation and, for SQL, the SQLState; they hold no stored
 * value. A cause may hold what its driver put into it.
 */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What is known about the effect. */
  public enum Kind {
    /** The store could not be reached or refused to work; nothing was changed. */
    UNAVAILABLE,
    /**
     * The database gave up one of several transactions that were in each other's way; nothing was
     * changed. Trying the whole transaction again may help.
     */
    CONFLICT,
    /** The answer to a commit was lost: it may or may not have happened. */
    OUTCOME_UNKNOWN
  }

  /** What is known about the effect. */
  private final Kind kind;

  /**
   * Makes an exception.
   *
   * @param kind what is known about the effect
   * @param message which operation failed, without any stored value
   * @param cause what made it fail, or null
   */
  public StoreException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = Objects.requireNonNull(kind, "kind");
  }

  /**
   * What is known about the effect.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }
}
