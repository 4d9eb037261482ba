package io.keystile.store;

/** Why a key was revoked. Expect more constants in later versions. */
public enum RevocationReason {
  /** The owner asked for it. */
  OWNER_REQUEST,
  /** Nobody used it. */
  UNUSED,
  /** The terms of use were broken. */
  TERMS_VIOLATED,
  /** It was used in a way that calls for caution. */
  SUSPICIOUS_ACTIVITY,
  /** A system that held it was broken into. */
  SECURITY_BREACH,
  /** It was found where it should not be. */
  LEAKED,
  /** No reason was given. */
  UNSPECIFIED
}
