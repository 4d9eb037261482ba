package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a purge leaves of an imported key, and of no other: its id, its owner, its dates, and that
 * it is over. The id of an imported key follows from its token, so without the tombstone a repeated
 * import would bring back a key that was revoked. Pure functions.
 */
final class Tombstone {

  /** The scheme of a secret that is gone: nothing proves it. */
  static final String SCHEME = "none";

  private static final String NO_HASH = "00".repeat(Scratch.DIGEST_LENGTH);

  private Tombstone() {}

  /** Whether a purge must leave a tombstone of this key. */
  static boolean isOwedTo(KeyRecord record) {
    KeyId id = KeyId.parse(record.id());
    return id != null && id.isImported();
  }

  /** Whether this is what a purge has left. */
  static boolean is(KeyRecord record) {
    return record.newest().scheme().equals(SCHEME);
  }

  /** How a key was revoked. */
  static KeyRecord.@Nullable Revoked revocation(KeyRecord record) {
    KeyRecord.Revoked revoked = record.revoked();
    return revoked == null || !is(record)
        ? revoked
        : revoked(record.newest().createdAt(), revoked.reason());
  }

  /**
   * What to leave: without name, subject, rights, plan, metadata, notes, actors and hashes. It is
   * revoked so late that no purge asks for it again; when it was is the date of its only secret.
   */
  static KeyRecord of(KeyRecord record, Instant now) {
    KeyRecord.Revoked revoked = record.revoked();
    Instant at = revoked == null ? now : revoked.at();
    RevocationReason reason = revoked == null ? RevocationReason.UNSPECIFIED : revoked.reason();
    // another number than any that was used, so that the store drops the last use of those
    SecretVersion gone =
        new SecretVersion(
            record.newest().number() + 1,
            SCHEME,
            null,
            NO_HASH,
            "",
            at,
            null,
            null,
            null,
            null,
            null);
    return KeyRecord.builder()
        .id(record.id())
        .revision(record.revision() + 1)
        .prefix(record.brand(), record.environment())
        .owner(record.owner())
        .createdAt(record.createdAt())
        .revoked(revoked(Arguments.LATEST, reason))
        .versions(List.of(gone))
        .build();
  }

  private static KeyRecord.Revoked revoked(Instant at, RevocationReason reason) {
    return new KeyRecord.Revoked(at, reason, null, null, null);
  }
}
