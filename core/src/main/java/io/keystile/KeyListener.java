package io.keystile;

/**
 * Hears of events that somebody should look at. All methods do nothing by default, so that later
 * versions can add some.
 *
 * <p>Called on whatever thread the event happens on, request threads included, possibly on several
 * at once: must be thread-safe and quick, and must not block. What it throws is caught and logged
 * once, and changes nothing. Events about a key are raised only after its secret was proven, so
 * nobody can raise them with a key id alone.
 */
public interface KeyListener {

  /** A listener that does nothing. */
  KeyListener NONE = new KeyListener() {};

  /**
   * A good token came over a transport that others can read: its secret should be replaced.
   *
   * @param keyId the key
   * @param accepted whether it was let in ({@link TransportPolicy#WARN})
   */
  default void insecureTransport(String keyId, boolean accepted) {}

  /**
   * A service key came from a browser: its secret is in somebody's page.
   *
   * @param keyId the key
   */
  default void usedFromBrowser(String keyId) {}

  /**
   * The hash of a key needs a pepper that this node does not have. Raised once per pepper id and
   * node. Nothing is proven here.
   *
   * @param pepperId the missing pepper
   */
  default void pepperMissing(String pepperId) {}
}
