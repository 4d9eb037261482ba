package io.keystile;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An operation on a key was refused or failed; {@link #failure()} says why. Messages begin with the
 * name of the failure, and hold no secret, no key id, owner or other text that somebody handed in.
 * Bad arguments are {@link IllegalArgumentException} instead, with the option named.
 */
public sealed class KeyException extends RuntimeException permits OutcomeUnknownException {
  private static final long serialVersionUID = 1L;

  /** Why it was refused or failed. Expect more constants in later versions. */
  public enum Failure {
    /** There is no such key, or not for who asks. Nothing was changed. */
    UNKNOWN_KEY,
    /** The state or the kind of the key does not allow it. Nothing was changed. */
    STATE_FORBIDS,
    /** The rules that the host has set do not allow it. Nothing was changed. */
    NOT_PERMITTED,
    /** The owner has as many keys as the host allows. Nothing was changed. */
    OWNER_FULL,
    /**
     * The operation id belongs to an earlier call with another verb, key or secret. Nothing was
     * changed.
     */
    OPERATION_ID_REUSED,
    /**
     * Others were changing the same data all the time. Nothing was changed; in a transaction of the
     * host's the whole transaction is to be repeated, otherwise the call may be.
     */
    CONFLICT,
    /** The store could not be reached or refused to work. Nothing was changed; try again later. */
    STORE_UNAVAILABLE,
    /** It may or may not have happened, see {@link OutcomeUnknownException}. */
    OUTCOME_UNKNOWN
  }

  /** Why it was refused or failed. */
  private final Failure failure;

  KeyException(Failure failure, String message, @Nullable Throwable cause) {
    super(failure + ": " + message, cause);
    this.failure = Objects.requireNonNull(failure, "failure");
  }

  /** One text for all unknown keys: nobody learns from it which ids exist. */
  static KeyException unknownKey() {
    return new KeyException(Failure.UNKNOWN_KEY, "no such key", null);
  }

  static KeyException stateForbids(String message) {
    return new KeyException(Failure.STATE_FORBIDS, message, null);
  }

  static KeyException notPermitted(String message) {
    return new KeyException(Failure.NOT_PERMITTED, message, null);
  }

  /**
   * Why it was refused or failed.
   *
   * @return the failure
   */
  public final Failure failure() {
    return failure;
  }
}
