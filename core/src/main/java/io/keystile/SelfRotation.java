package io.keystile;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What came of a client's wish to replace its own secret: either the key with its new token, or why
 * not. Immutable.
 *
 * <pre>{@code
 * SelfRotation result = keys.rotateSelf(token, origin, Cause.unstated());
 * if (result.issued() != null) {
 *   answer(200, result.issued().revealToken());
 * } else {
 *   answer(HttpDenial.of(result.refusal(), SelfRotation.ACCESS));
 * }
 * }</pre>
 */
public final class SelfRotation {

  /** What a client must be granted: the scope {@code keys:rotate}. */
  public static final Access ACCESS = Access.requiring("keys:rotate");

  private final @Nullable IssuedKey issued;
  private final @Nullable Rejected refusal;

  private SelfRotation(@Nullable IssuedKey issued, @Nullable Rejected refusal) {
    this.issued = issued;
    this.refusal = refusal;
  }

  static SelfRotation of(IssuedKey issued) {
    return new SelfRotation(Objects.requireNonNull(issued, "issued"), null);
  }

  static SelfRotation refused(Rejected refusal) {
    return new SelfRotation(null, Objects.requireNonNull(refusal, "refusal"));
  }

  /**
   * The key with its new secret.
   *
   * @return the key, its token readable unless it is the answer to a repeated call; null if refused
   */
  public @Nullable IssuedKey issued() {
    return issued;
  }

  /**
   * Why it was refused. Nothing was changed then, with one exception: {@link
   * Reason#STORE_UNAVAILABLE} may also mean that the answer of the store was lost. A call with the
   * same operation id says what was done.
   *
   * @return the refusal, or null if there is a new secret
   */
  public @Nullable Rejected refusal() {
    return refusal;
  }

  /**
   * For logs.
   *
   * @return the key id, or the refusal
   */
  @Override
  public String toString() {
    return "SelfRotation[" + (issued != null ? issued : refusal) + "]";
  }
}
