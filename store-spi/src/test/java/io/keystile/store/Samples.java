package io.keystile.store;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Values that are fine, for tests that change one thing about them. */
final class Samples {
  static final Instant NOW = Instant.parse("2026-03-01T12:00:00.123Z");
  static final String ID = "0351fcs8Bym6tbejfDMyAJ";
  static final String OTHER_ID = "0351fcs8Bym6tbejfDMyAK";
  static final String HASH = "0123456789abcdef".repeat(4);

  /** Each has no UTF-8, or cannot be stored on every database. */
  static final List<String> UNSTORABLE = List.of("\0", "a\0b", "\ud83d", "\ude00", "a\ud83db");

  private Samples() {}

  static KeyRecord.Builder record() {
    return KeyRecord.builder()
        .id(ID)
        .prefix("acme", "live")
        .owner("weather-app")
        .createdAt(NOW)
        .versions(List.of(version(1)));
  }

  static SecretVersion version(int number) {
    return version(number, null, null, null);
  }

  static SecretVersion version(
      int number,
      @Nullable Instant expiresAt,
      @Nullable Instant retiresAt,
      @Nullable Instant revokedAt) {
    return new SecretVersion(
        number, "sha256", null, HASH, "gkUx", NOW, null, null, expiresAt, retiresAt, revokedAt);
  }

  static AuditEntry entry(String operationId) {
    return new AuditEntry(
        0, operationId, "issue", ID, "weather-app", null, NOW, null, null, null, null, null);
  }
}
