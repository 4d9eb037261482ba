package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Records and settings for tests below the facade. */
final class SampleKeys {
  static final Instant CREATED = Instant.parse("2026-01-01T00:00:00Z");

  private SampleKeys() {}

  static KeyId id(long number) {
    return new KeyId(CREATED.toEpochMilli() << 16, number);
  }

  static KeyRecord record(KeyId id, KeyRecord.State state) {
    SecretVersion version =
        new SecretVersion(
            1,
            "sha256",
            null,
            "ab".repeat(32),
            "wxyz",
            CREATED,
            null,
            null,
            CREATED.plus(Duration.ofDays(90)),
            null,
            null);
    KeyRecord.Builder builder = KeyRecord.builder();
    if (state == KeyRecord.State.REVOKED) {
      builder.revoked(
          new KeyRecord.Revoked(CREATED, RevocationReason.UNSPECIFIED, null, null, null));
    } else {
      builder.state(state);
    }
    return builder
        .id(id.toString())
        .prefix("acme", "live")
        .owner("owner")
        .createdAt(CREATED)
        .versions(List.of(version))
        .build();
  }

  static CachedKey cached(KeyId id, KeyRecord.State state) {
    KeyRecord record = record(id, state);
    return CachedKey.of(record, ApiKey.of(record), RotationRules.USUAL, new SecretHasher(), 0);
  }

  static CachedKey absent(KeyId id) {
    return CachedKey.absent(id, record(id, KeyRecord.State.ACTIVE).newest(), 0);
  }

  /** The defaults, by a clock and a ticker that only the test moves. */
  static Settings settings(ManualTime time) {
    return new Settings(
        time,
        time::nanos,
        TransportPolicy.REQUIRE,
        100_000,
        10_000,
        Duration.ofSeconds(10),
        Duration.ofMillis(500),
        Duration.ofMillis(500),
        Duration.ofSeconds(60),
        Duration.ofMinutes(5),
        Duration.ofMinutes(15),
        Duration.ofMillis(500),
        Duration.ofMinutes(10),
        10_000);
  }
}
