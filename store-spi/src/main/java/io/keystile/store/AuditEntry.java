package io.keystile.store;

import io.keystile.store.KeyRecord.State;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who did what to which key, and when. Holds no secret and no hash.
 *
 * @param number its place in the trail, given by the store; 0 until then
 * @param operationId names the call that did it, 1 to 255 bytes; unique in the trail, so that a
 *     call that is repeated is recognised
 * @param action what was done: lower-case words, {@code [a-z][a-z_]{0,39}}
 * @param keyId the key
 * @param owner its owner
 * @param secretVersion the number of the secret version that was made or changed, from 1; null if
 *     it was about the key as a whole
 * @param at when
 * @param actor who did it, up to 255 bytes; null if not said
 * @param reason why, as a constant of some enumeration, up to 40 bytes; null if none
 * @param note why, in words, up to 500 bytes; null if not said
 * @param before the state of the key before; null when it was made
 * @param after the state of the key after; null when it was removed
 */
public record AuditEntry(
    long number,
    String operationId,
    String action,
    String keyId,
    String owner,
    @Nullable Integer secretVersion,
    Instant at,
    @Nullable String actor,
    @Nullable String reason,
    @Nullable String note,
    @Nullable State before,
    @Nullable State after) {

  private static final Pattern ACTION = Pattern.compile("[a-z][a-z_]{0,39}");

  /** Checks the values. */
  public AuditEntry {
    Checks.require(number >= 0, "number: must not be negative");
    Checks.text(operationId, "operationId", 1, Checks.MAX_NAME_BYTES);
    Checks.require(ACTION.matcher(action).matches(), "action: must match " + ACTION);
    Checks.keyId(keyId);
    Checks.text(owner, "owner", 1, Checks.MAX_NAME_BYTES);
    Checks.require(
        secretVersion == null || secretVersion >= 1, "secretVersion: must be at least 1");
    Checks.millis(at, "at");
    Checks.optionalText(actor, "actor", Checks.MAX_NAME_BYTES);
    Checks.optionalText(reason, "reason", 40);
    Checks.optionalText(note, "note", Checks.MAX_NOTE_BYTES);
  }

  /**
   * The same entry with its place in the trail.
   *
   * @param number the place, at least 1
   * @return the numbered entry
   */
  public AuditEntry numbered(long number) {
    return new AuditEntry(
        number,
        operationId,
        action,
        keyId,
        owner,
        secretVersion,
        at,
        actor,
        reason,
        note,
        before,
        after);
  }
}
