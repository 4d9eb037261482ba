package io.keystile.store;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What became of a conditional write.
 *
 * @param kind what happened
 * @param earlier the audit entry that holds the operation id already; present if and only if the
 *     kind is {@link Kind#REPEATED}
 */
public record WriteOutcome(Kind kind, @Nullable AuditEntry earlier) {

  /** All was written. */
  public static final WriteOutcome APPLIED = new WriteOutcome(Kind.APPLIED, null);

  /** Nothing was written: a key id is taken. */
  public static final WriteOutcome DUPLICATE = new WriteOutcome(Kind.DUPLICATE, null);

  /** Nothing was written: the revision has moved on, or there is no such key. */
  public static final WriteOutcome CONFLICT = new WriteOutcome(Kind.CONFLICT, null);

  /** Nothing was written: the owner would have too many keys. */
  public static final WriteOutcome OWNER_FULL = new WriteOutcome(Kind.OWNER_FULL, null);

  /** What can happen to a conditional write. */
  public enum Kind {
    /** All was written. */
    APPLIED,
    /** Nothing was written: a key id is taken. */
    DUPLICATE,
    /** Nothing was written: the revision has moved on, or there is no such key. */
    CONFLICT,
    /** Nothing was written: the operation id was used before. */
    REPEATED,
    /** Nothing was written: the owner would have too many keys. */
    OWNER_FULL
  }

  /** Checks the values. */
  public WriteOutcome {
    Objects.requireNonNull(kind, "kind");
    Checks.require(
        (kind == Kind.REPEATED) == (earlier != null),
        "earlier: present exactly when the kind is REPEATED");
  }

  /**
   * Nothing was written: the operation id was used before.
   *
   * @param earlier the entry that holds it
   * @return the outcome
   */
  public static WriteOutcome repeated(AuditEntry earlier) {
    return new WriteOutcome(Kind.REPEATED, earlier);
  }
}
