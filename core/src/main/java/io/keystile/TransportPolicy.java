package io.keystile;

/**
 * What to do with a good token that came over a transport others can read ({@link
 * Origin#secure(boolean)} with false). Such a token should be taken for known to others.
 */
public enum TransportPolicy {
  /** Refuse it. The default. */
  REQUIRE,
  /** Accept it, and tell {@link KeyListener#insecureTransport} which key was exposed. */
  WARN,
  /** Accept it, and say nothing. */
  ALLOW
}
