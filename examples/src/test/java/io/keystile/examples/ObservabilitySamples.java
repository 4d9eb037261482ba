package io.keystile.examples;

import io.keystile.KeyListener;
import io.keystile.store.RevocationReason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the page on observability, word for word. */
final class ObservabilitySamples {
  private static final Logger log = LoggerFactory.getLogger(ObservabilitySamples.class);

  private ObservabilitySamples() {}

  static final class Watch implements KeyListener {
    @Override
    public void alert(String keyId, RevocationReason reason) {
      log.warn("Key {}: {}", keyId, reason);
    }

    @Override
    public void wrongSecrets(String network, int count) {
      log.warn("{} wrong secrets from {}", count, network); // block it at the edge?
    }

    @Override
    public void count(String metric, String result, long added) {
      log.info("{} {} +{}", metric, result, added); // better: hand it to your metrics
    }
  }
}
