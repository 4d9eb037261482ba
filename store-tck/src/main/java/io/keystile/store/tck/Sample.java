package io.keystile.store.tck;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Makes records and writes for one test. Ids, owners and operation ids differ from those of any
 * other test and of any earlier run; ids rise. Safe for use by many threads.
 */
final class Sample {
  /** The time of all writes, unless a test says otherwise. */
  static final Instant NOW = Instant.parse("2026-03-01T12:00:00.123Z");

  private static final String DIGITS =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  private final String run = word(10);
  private final AtomicInteger count = new AtomicInteger();

  private static String word(int length) {
    StringBuilder word = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      word.append(DIGITS.charAt(ThreadLocalRandom.current().nextInt(DIGITS.length())));
    }
    return word.toString();
  }

  /** A new key id, greater than those before. */
  String id() {
    return run + String.format("%012d", count.incrementAndGet());
  }

  /** Below all ids of this sample, and above none but those of other samples. */
  String beforeAll() {
    return run + "000000000000";
  }

  /** An id of this sample's with digits of the caller's choice at its end. */
  String id(String lastDigits) {
    return run + "0".repeat(12 - lastDigits.length()) + lastDigits;
  }

  boolean owns(String id) {
    return id.startsWith(run);
  }

  /** New text that is in use nowhere: an owner, a subject, an operation id. */
  String name(String what) {
    return what + "-" + run + "-" + count.incrementAndGet();
  }

  KeyRecord.Builder record() {
    return record(name("owner"));
  }

  /** A plain key that never ends. */
  KeyRecord.Builder record(String owner) {
    return KeyRecord.builder()
        .id(id())
        .prefix("acme", "live")
        .owner(owner)
        .createdAt(NOW)
        .versions(List.of(version(1)));
  }

  List<KeyRecord> records(int number) {
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      records.add(record().build());
    }
    return records;
  }

  static SecretVersion version(int number) {
    return version(number, null);
  }

  static SecretVersion version(int number, @Nullable Instant expiresAt) {
    return new SecretVersion(
        number, "sha256", null, hash(), "x" + number, NOW, null, null, expiresAt, null, null);
  }

  /** Made at a time of the test's choice, and ended a second later. */
  static SecretVersion ended(int number, Instant createdAt) {
    Instant end = createdAt.plusSeconds(1);
    return new SecretVersion(
        number, "sha256", null, hash(), "", createdAt, null, null, null, end, null);
  }

  /** Made at a time of the test's choice; never ends. */
  static SecretVersion created(int number, Instant createdAt) {
    return new SecretVersion(
        number, "sha256", null, hash(), "", createdAt, null, null, null, null, null);
  }

  /** The versions 1 and 2, of which the older is in its grace. */
  static List<SecretVersion> rotated() {
    return List.of(version(1, NOW.plus(Duration.ofDays(7))), version(2));
  }

  static SecretVersion peppered(int number, @Nullable String pepperId) {
    Instant end = NOW.plus(Duration.ofDays(number));
    return new SecretVersion(
        number, "hmac-sha256", pepperId, hash(), "", NOW, null, null, null, end, null);
  }

  static String hash() {
    StringBuilder hash = new StringBuilder();
    for (int i = 0; i < 4; i++) {
      hash.append(String.format("%016x", ThreadLocalRandom.current().nextLong()));
    }
    return hash.toString();
  }

  /** Every component has a value, and no list is empty. */
  KeyRecord full(String id, String owner) {
    Instant end = NOW.plus(Duration.ofDays(90));
    return KeyRecord.builder()
        .id(id)
        .personal("subject-of-" + run)
        .prefix("brand2", "staging")
        .owner(owner)
        .name("Full name")
        .scopes(List.of("orders:read", "orders:*"))
        .networks(List.of("10.0.0.0/8", "2001:db8::/32"))
        .callers(List.of("billing", "shipping"))
        .plan("pro")
        .limits(
            List.of(
                new KeyRecord.Limit("forecasts", 50_000, Duration.ofDays(1)),
                new KeyRecord.Limit("requests", 10, Duration.ofSeconds(1))))
        .adapted(new KeyRecord.Adapted(NOW.plusMillis(4), 120, "twice the usual"))
        .metadata(Map.of("team", "blue", "cost centre", "4711"))
        .createdAt(NOW.minusMillis(1))
        .endsAt(end.plusMillis(7))
        .rotation(new KeyRecord.RotationRule(Duration.ofDays(7), Duration.ofDays(60)))
        .revoked(
            new KeyRecord.Revoked(
                NOW.plusMillis(5), RevocationReason.LEAKED, "on a wall", "alice", NOW))
        .versions(
            List.of(
                new SecretVersion(
                    2,
                    "hmac-sha256",
                    "pepper-1",
                    hash(),
                    "wxyz",
                    NOW.plusMillis(1),
                    "bob",
                    "first of the year",
                    end,
                    NOW.plusMillis(3),
                    NOW.plusMillis(2)),
                version(3, end.plusMillis(1)),
                version(7)))
        .seal("c2VhbA")
        .build();
  }

  /** The same key, one revision on, with another name. */
  KeyRecord next(KeyRecord record) {
    return record.toBuilder()
        .revision(record.revision() + 1)
        .name("name " + count.incrementAndGet())
        .build();
  }

  KeyWrite write(KeyRecord record) {
    return write(record, name("op"), NOW);
  }

  KeyWrite write(KeyRecord record, String operationId) {
    return write(record, operationId, NOW);
  }

  static KeyWrite write(KeyRecord record, String operationId, Instant at) {
    return write(record, operationId, at, null);
  }

  /** A change of one secret version, or of the key as a whole. */
  KeyWrite writeAbout(@Nullable Integer secretVersion, KeyRecord record) {
    return write(record, name("op"), NOW, secretVersion);
  }

  private static KeyWrite write(
      KeyRecord record, String operationId, Instant at, @Nullable Integer secretVersion) {
    return new KeyWrite(
        record,
        new AuditEntry(
            0,
            operationId,
            "change",
            record.id(),
            record.owner(),
            secretVersion,
            at,
            "alice",
            null,
            null,
            null,
            record.state()));
  }

  List<KeyWrite> writes(List<KeyRecord> records) {
    return records.stream().map(this::write).toList();
  }
}
