package io.keystile.store.jdbc;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Revoked;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Records for tests. */
final class Keys {
  static final Instant NOW = Instant.parse("2026-11-21T12:00:00.123Z");
  static final int NO_MAXIMUM = Integer.MAX_VALUE;
  private static final AtomicLong COUNT = new AtomicLong(1_000_000);

  private Keys() {}

  static KeyRecord.Builder of(String owner) {
    return KeyRecord.builder()
        .id(String.format("%022d", COUNT.incrementAndGet()))
        .prefix("acme", "live")
        .owner(owner)
        .createdAt(NOW)
        .versions(versions(1));
  }

  /** With a value in every column. */
  static KeyRecord full(String owner) {
    return of(owner)
        .personal("subject of " + owner)
        .name("name of " + owner)
        .scopes(List.of("orders:read", "orders:*"))
        .networks(List.of("10.0.0.0/8"))
        .callers(List.of("billing"))
        .plan("pro")
        .limits(List.of(new KeyRecord.Limit("requests", 10, Duration.ofSeconds(1))))
        .metadata(Map.of("team", "metadata of " + owner))
        .endsAt(NOW.plusSeconds(1000))
        .rotation(new KeyRecord.RotationRule(Duration.ofDays(7), Duration.ofDays(60)))
        .versions(versions(3))
        .seal("seal of " + owner)
        .build();
  }

  static List<SecretVersion> versions(int number) {
    List<SecretVersion> versions = new ArrayList<>();
    for (int i = 1; i <= number; i++) {
      String hash = String.format("%064x", COUNT.incrementAndGet());
      versions.add(
          new SecretVersion(
              i,
              "sha256",
              null,
              hash,
              "last",
              NOW,
              "creator",
              "note",
              NOW.plusSeconds(i),
              null,
              null));
    }
    return versions;
  }

  static KeyWrite write(KeyRecord record) {
    return write(record, "op-" + COUNT.incrementAndGet());
  }

  static KeyWrite write(KeyRecord record, String operationId) {
    AuditEntry entry =
        new AuditEntry(
            0,
            operationId,
            "test",
            record.id(),
            record.owner(),
            2,
            NOW,
            "actor",
            "REASON",
            "why",
            State.ACTIVE,
            State.ACTIVE);
    return new KeyWrite(record, entry);
  }

  static KeyRecord next(KeyRecord record) {
    return record.toBuilder().revision(record.revision() + 1).build();
  }

  static KeyRecord revoked(KeyRecord record) {
    Revoked revoked = new Revoked(NOW, RevocationReason.LEAKED, "note", "alice", NOW);
    return next(record).toBuilder().revoked(revoked).build();
  }

  static KeyRecord given(KeyStore store, KeyRecord record) {
    WriteOutcome outcome = store.insert(List.of(write(record)), NO_MAXIMUM);
    if (outcome != WriteOutcome.APPLIED) {
      throw new AssertionError("not stored: " + outcome);
    }
    return record;
  }
}
