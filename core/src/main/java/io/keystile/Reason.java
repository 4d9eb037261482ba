package io.keystile;

/**
 * Why a token was rejected, for the host: its logs, its metrics, its decisions. To the client all
 * reasons of {@link Outcome#INVALID} must look alike.
 *
 * <p>The constants from {@link #MALFORMED} to {@link #SUPERSEDED} stand in the order in which they
 * are decided; a request is rejected for the first that applies. Up to {@link #WRONG_SECRET}
 * nothing is proven: key ids are public, so such a request says nothing about the key that it
 * names. From {@link #WRONG_ENVIRONMENT} to {@link #SUPERSEDED} the secret was proven. The last
 * four say that it could not be found out whether it is right.
 *
 * <p>Expect more constants in later versions; switch on {@link #outcome()} where you can.
 */
public enum Reason {
  /**
   * Not a token of ours: wrong length, character, brand, environment or checksum. Where keys were
   * imported such text may be a token that was issued elsewhere, so it is {@link #UNKNOWN}, unless
   * it is too long or not well-formed Unicode.
   */
  MALFORMED(Outcome.INVALID),
  /** Well-formed, but no such key. */
  UNKNOWN(Outcome.INVALID),
  /** There is such a key, but this is no secret of it. */
  WRONG_SECRET(Outcome.INVALID),
  /**
   * Brand or environment in the text are not the key's, or the environment is not this node's. Of
   * an imported key whose token says neither: they are not this node's.
   */
  WRONG_ENVIRONMENT(Outcome.INVALID),
  /** The key was revoked. */
  REVOKED(Outcome.INVALID),
  /** The key is disabled for now. */
  DISABLED(Outcome.INVALID),
  /** The fixed end of the key has come. */
  KEY_ENDED(Outcome.INVALID),
  /**
   * This secret alone was revoked. When it comes back, {@link KeyListener#retiredSecretUsed} is
   * called.
   */
  VERSION_REVOKED(Outcome.INVALID),
  /**
   * A newer secret took over and the grace of this one is over. When it comes back, {@link
   * KeyListener#retiredSecretUsed} is called.
   */
  RETIRED(Outcome.INVALID),
  /** The lifetime of this secret is over. At the very millisecond of its end it is. */
  EXPIRED(Outcome.INVALID),
  /** The token came over a transport that others can read, and the policy forbids that. */
  INSECURE_TRANSPORT(Outcome.FORBIDDEN),
  /** The caller name is missing or not one of the key's. */
  CALLER_NOT_ALLOWED(Outcome.FORBIDDEN),
  /** The client's address is missing or in none of the key's networks. */
  ADDRESS_NOT_ALLOWED(Outcome.FORBIDDEN),
  /** The key does not have the scopes that the request needs. */
  SCOPE_MISSING(Outcome.FORBIDDEN),
  /** It was used more often than its limits allow, see {@link Rejected#limits()}. */
  LIMIT_EXCEEDED(Outcome.LIMITED),
  /**
   * A newer secret was made, so this one cannot replace itself. It may still be good for all else.
   * Only {@link ApiKeys#rotateSelf} answers so.
   */
  SUPERSEDED(Outcome.FORBIDDEN),
  /** The store did not answer in time, or too many are waiting for it. */
  STORE_UNAVAILABLE(Outcome.UNAVAILABLE),
  /** The host's {@link SubjectPermissions} failed. */
  PERMISSIONS_UNAVAILABLE(Outcome.UNAVAILABLE),
  /**
   * A secret of the key was hashed with a pepper that this node does not have, and has not ended:
   * what was presented may be it. It is none of the others. The client is not to blame.
   */
  PEPPER_MISSING(Outcome.UNAVAILABLE),
  /** The same about a scheme that this node does not know or accept. The client is not to blame. */
  SCHEME_UNKNOWN(Outcome.UNAVAILABLE);

  /** What a client is told, and what metrics are counted by. */
  public enum Outcome {
    /** Not a valid token; over HTTP 401. */
    INVALID,
    /** A valid token that may not do this; over HTTP 403. */
    FORBIDDEN,
    /** A valid token that was used too often; over HTTP 429. */
    LIMITED,
    /** It could not be decided; over HTTP 503. */
    UNAVAILABLE
  }

  private final Outcome outcome;

  Reason(Outcome outcome) {
    this.outcome = outcome;
  }

  /**
   * What a client is told.
   *
   * @return the outcome
   */
  public Outcome outcome() {
    return outcome;
  }
}
