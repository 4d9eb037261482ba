package io.keystile;

import io.keystile.store.RevocationReason;
import java.util.Objects;

/**
 * Why a key is revoked, and by whom. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * keys.revoke(id, Revocation.because(SECURITY_BREACH).by("alice").note("laptop stolen"));
 * }</pre>
 */
public final class Revocation {

  private final RevocationReason reason;
  private final Cause cause;

  private Revocation(RevocationReason reason, Cause cause) {
    this.reason = reason;
    this.cause = cause;
  }

  /**
   * Returns a revocation with a reason.
   *
   * @param reason why
   * @return the revocation
   */
  public static Revocation because(RevocationReason reason) {
    return new Revocation(Objects.requireNonNull(reason, "reason"), Cause.unstated());
  }

  static Revocation of(RevocationReason reason, Cause cause) {
    return new Revocation(reason, cause);
  }

  /**
   * Says who does it.
   *
   * @param actor 1 to 255 bytes of UTF-8; better an opaque id than a name
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public Revocation by(String actor) {
    return new Revocation(reason, cause.actor(actor));
  }

  /**
   * Says more about the reason, in words.
   *
   * @param note 1 to 500 bytes of UTF-8; never a secret
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public Revocation note(String note) {
    return new Revocation(reason, cause.note(note));
  }

  /**
   * Names this one call, see {@link Cause#operationId(String)}.
   *
   * @param operationId 1 to 255 bytes of UTF-8, unique for the call
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public Revocation operationId(String operationId) {
    return new Revocation(reason, cause.operationId(operationId));
  }

  RevocationReason reason() {
    return reason;
  }

  Cause cause() {
    return cause;
  }

  /**
   * Describes the revocation, for logs.
   *
   * @return reason and cause
   */
  @Override
  public String toString() {
    return "Revocation[" + reason + ", " + cause + "]";
  }
}
