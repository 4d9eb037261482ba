package io.keystile;

import org.jspecify.annotations.Nullable;

/**
 * Who changes a key, and why; it goes into the audit trail. Immutable: each method returns a
 * changed copy.
 *
 * <pre>{@code
 * keys.disable(id, Cause.by("alice").note("looks odd, asking the owner"));
 * }</pre>
 */
public final class Cause {

  /** Most bytes of a note. */
  static final int MAX_NOTE_BYTES = 500;

  private static final Cause UNSTATED = new Cause(null, null, null);

  private final @Nullable String actor;
  private final @Nullable String note;
  private final @Nullable String operationId;

  private Cause(@Nullable String actor, @Nullable String note, @Nullable String operationId) {
    this.actor = actor;
    this.note = note;
    this.operationId = operationId;
  }

  /**
   * Returns the cause of which nothing is said.
   *
   * @return a cause without actor, note and operation id
   */
  public static Cause unstated() {
    return UNSTATED;
  }

  /**
   * Returns a cause with somebody who is answerable for it.
   *
   * @param actor who does it, 1 to 255 bytes of UTF-8; better an opaque id than a name
   * @return the cause
   * @throws IllegalArgumentException if the text is refused
   */
  public static Cause by(String actor) {
    return UNSTATED.actor(actor);
  }

  /**
   * Says why, in words.
   *
   * @param note 1 to 500 bytes of UTF-8; never a secret
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public Cause note(String note) {
    return new Cause(actor, Arguments.text(note, "note", MAX_NOTE_BYTES), operationId);
  }

  /**
   * Names this one call, so that it can be repeated safely when its answer was lost: the second
   * call with the same id, for the same verb and key, does nothing and returns what is there now.
   * Another verb, key or secret with the same id is refused. An id is remembered as long as the
   * audit entry of the call, and a call that finds nothing to change leaves none. Where no id is
   * given, a random one is drawn; {@link OutcomeUnknownException#operationId()} tells it when it is
   * needed.
   *
   * <p>In the audit it stands as it was given, with three exceptions. In a call over many keys
   * ({@code revokeAll}, {@code purge}) each key has an entry of its own, under {@code
   * operationId/keyId}; so there it is 1 to 232 bytes. What is called through {@link OwnerKeys}
   * stands there as {@code owner:} and the hash of owner and id, see there; what a client calls
   * through {@link ApiKeys#rotateSelf}, in the same way as {@code key:} and the hash of key id and
   * id.
   *
   * <p>Ids that begin with {@code auto:}, {@code import:}, {@code key:} or {@code owner:} are the
   * library's own. Where clients choose the id, expect the exception and tell them.
   *
   * @param operationId 1 to 255 bytes of UTF-8, unique for the call, and none of the library's own
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public Cause operationId(String operationId) {
    Arguments.name(operationId, "operationId");
    return ownOperationId(Operation.requireNotOurs(operationId));
  }

  /** Names a call as only the library does. */
  Cause ownOperationId(String operationId) {
    return new Cause(actor, note, operationId);
  }

  Cause actor(String actor) {
    return new Cause(Arguments.name(actor, "actor"), note, operationId);
  }

  @Nullable String actor() {
    return actor;
  }

  @Nullable String note() {
    return note;
  }

  @Nullable String operationId() {
    return operationId;
  }

  /**
   * Describes the cause, for logs.
   *
   * @return actor, note and operation id
   */
  @Override
  public String toString() {
    return "Cause[by=" + actor + ", note=" + note + ", operationId=" + operationId + "]";
  }
}
