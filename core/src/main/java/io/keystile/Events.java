package io.keystile;

import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the host's listener, and keeps what it throws away from validation. */
final class Events implements KeyListener {
  private static final Logger log = LoggerFactory.getLogger(Events.class);

  private final KeyListener listener;
  private final AtomicBoolean warned = new AtomicBoolean();

  Events(KeyListener listener) {
    this.listener = listener;
  }

  @Override
  public void insecureTransport(String keyId, boolean accepted) {
    guard(() -> listener.insecureTransport(keyId, accepted));
  }

  @Override
  public void usedFromBrowser(String keyId) {
    guard(() -> listener.usedFromBrowser(keyId));
  }

  @Override
  public void pepperMissing(String pepperId) {
    log.warn("A hash needs the pepper '{}', which this node does not have", pepperId);
    guard(() -> listener.pepperMissing(pepperId));
  }

  private void guard(Runnable call) {
    try {
      call.run();
    } catch (Throwable e) { // an Error too: the decision is made and stands
      if (warned.compareAndSet(false, true)) {
        log.warn("The KeyListener threw; this is logged once", e);
      }
    }
  }
}
