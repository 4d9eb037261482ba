package io.keystile;

/**
 * The answer of the store to a commit was lost: the operation may or may not have happened. Repeat
 * it with {@link #operationId()}, as often as needed: it is done once, however often it arrives.
 *
 * <pre>{@code
 * try {
 *   keys.disable(id, Cause.by("alice"));
 * } catch (OutcomeUnknownException e) {
 *   keys.disable(id, Cause.by("alice").operationId(e.operationId()));
 * }
 * }</pre>
 *
 * <p>A repeated issue that turns out to have happened cannot show the token again ({@link
 * IssuedKey#alreadyIssued()}): revoke that key and issue another.
 */
public final class OutcomeUnknownException extends KeyException {
  private static final long serialVersionUID = 1L;

  /** Names the call. */
  private final String operationId;

  OutcomeUnknownException(String operationId, Throwable cause) {
    super(
        Failure.OUTCOME_UNKNOWN,
        "the answer of the store was lost: repeat the call with the same operation id",
        cause);
    this.operationId = operationId;
  }

  /**
   * The operation id to repeat the call with: the one it was given, or the one drawn for it.
   *
   * @return the operation id
   */
  public String operationId() {
    return operationId;
  }
}
