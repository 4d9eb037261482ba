package io.keystile.store.jdbc;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** For tests in which every lost connection is worth a warning, and hundreds are lost. */
final class Silence implements BeforeEachCallback, AfterEachCallback {
  private final Logger log = (Logger) LoggerFactory.getLogger("io.keystile");
  private final Logger servers = (Logger) LoggerFactory.getLogger("ch.vorburger");

  @Override
  public void beforeEach(ExtensionContext context) {
    log.setLevel(Level.ERROR);
    servers.setLevel(Level.OFF);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    log.setLevel(null);
    servers.setLevel(null);
  }
}
