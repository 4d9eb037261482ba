package io.keystile;

/**
 * What to do with a good token that came over a transport others can read ({@link
 * Origin#secure(boolean)} with false). Such a token should be taken for known to others.
 *
 * <p>It is for hosts to state the transport: an origin of which {@link Origin#secure} was never
 * said is accepted under every policy, {@link #REQUIRE} included.
 */
public enum TransportPolicy {
  /** Refuse it. The default. A transport that is not stated passes. */
  REQUIRE,
  /** Accept it, and tell {@link KeyListener#insecureTransport} which key was exposed. */
  WARN,
  /** Accept it, and say nothing. */
  ALLOW
}
