package io.keystile;

/**
 * The result of validating a token: {@link Accepted} or {@link Rejected}, and never anything else
 * in any later version; growth goes into {@link Reason}.
 *
 * <pre>{@code
 * Origin origin = Origin.of(request.getRemoteAddr()).secure(request.isSecure());
 * Validation v = keys.validate(token, READ, origin);
 * if (v instanceof Accepted ok) {
 *   serve(ok.key().owner());
 * } else if (v instanceof Rejected no) {
 *   log.debug("rejected: {}", no.reason());
 * }
 * }</pre>
 *
 * <p>Immutable. Holds no secret and no hash.
 */
public sealed interface Validation permits Accepted, Rejected {

  /**
   * Whether the request may go on.
   *
   * @return true for {@link Accepted}
   */
  boolean isAccepted();
}
