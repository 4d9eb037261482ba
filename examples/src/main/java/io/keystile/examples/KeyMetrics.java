package io.keystile.examples;

import io.keystile.KeyListener;
import io.keystile.store.RevocationReason;
import io.keystile.usage.Risk;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counters and events as metrics of Micrometer. Which key, pepper or address it was is no label:
 * there are too many of them, and they belong into a log.
 */
final class KeyMetrics implements KeyListener {
  private final MeterRegistry registry;

  KeyMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  @Override
  public void count(String metric, String result, long added) {
    registry.counter(metric, "result", result).increment((double) added);
  }

  @Override
  public void insecureTransport(String keyId, boolean accepted) {
    alarm("insecure_transport");
  }

  @Override
  public void usedFromBrowser(String keyId) {
    alarm("used_from_browser");
  }

  @Override
  public void retiredSecretUsed(String keyId, int secretVersion) {
    alarm("retired_secret_used");
  }

  @Override
  public void alert(String keyId, RevocationReason reason) {
    alarm("alert");
  }

  @Override
  public void pepperMissing(String pepperId) {
    alarm("pepper_missing");
  }

  @Override
  public void wrongSecrets(String network, int count) {
    alarm("wrong_secrets");
  }

  @Override
  public void riskFound(String keyId, Risk.Level level, Risk.Kind kind, String evidence) {
    alarm("risk_found");
  }

  @Override
  public void limitAdapted(String keyId, long perMinute) {
    alarm("limit_adapted");
  }

  private void alarm(String event) {
    registry.counter("keystile.alarms", "event", event).increment();
  }
}
