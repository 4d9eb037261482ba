package io.keystile.http;

import org.jspecify.annotations.Nullable;

/**
 * What was found in a request: one credential, none, or more than one.
 *
 * <p>Holds what a client sent, which may be a good token: it is in neither {@link #toString} nor
 * anything else but {@link #revealToken}. Immutable.
 */
public final class Credential {

  /** How many credentials a request has. */
  public enum Outcome {
    /** One, perhaps written twice. Nothing is known of it yet: validate it. */
    FOUND,
    /** None that is ours. Other ones, as a JWT or Basic, are left to the host. */
    ABSENT,
    /**
     * Two different ones. The request must be refused: it means different things to different
     * readers.
     */
    AMBIGUOUS
  }

  private final Outcome outcome;
  private final @Nullable String token;
  private final boolean inQuery;

  private Credential(Outcome outcome, @Nullable String token, boolean inQuery) {
    this.outcome = outcome;
    this.token = token;
    this.inQuery = inQuery;
  }

  static Credential found(String token, boolean inQuery) {
    return new Credential(Outcome.FOUND, token, inQuery);
  }

  static Credential absent(boolean inQuery) {
    return new Credential(Outcome.ABSENT, null, inQuery);
  }

  static Credential ambiguous(boolean inQuery) {
    return new Credential(Outcome.AMBIGUOUS, null, inQuery);
  }

  /**
   * How many credentials the request has.
   *
   * @return the outcome
   */
  public Outcome outcome() {
    return outcome;
  }

  /**
   * The credential as it was sent, for validation only. It may be of any form and of any length.
   *
   * @return the text; null unless the outcome is {@link Outcome#FOUND}
   */
  public @Nullable String revealToken() {
    return token;
  }

  /**
   * Whether the query of the request has the parameter for keys, so that a key may be in logs,
   * histories and referrers. The answer should carry {@code Referrer-Policy: no-referrer} and
   * {@code Cache-Control: no-store}. Never true while the parameter is switched off.
   *
   * @return whether the parameter was there
   */
  public boolean isInQuery() {
    return inQuery;
  }

  /**
   * For logs.
   *
   * @return the outcome, and nothing that the client sent
   */
  @Override
  public String toString() {
    return "Credential[" + outcome + (inQuery ? ", in query]" : "]");
  }
}
