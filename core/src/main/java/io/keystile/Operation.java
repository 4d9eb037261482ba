package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One call of a verb that changes a key: what the audit says of it, and the id under which it is
 * done once.
 *
 * @param action the verb
 * @param id the operation id, as the caller knows it
 * @param storedId the operation id, as the audit holds it
 * @param cause who and why
 * @param reason a constant that says why, or null
 */
record Operation(String action, String id, String storedId, Cause cause, @Nullable String reason) {

  static final String ISSUE = "issue";

  /** With what the ids of automatic steps begin. */
  static final String AUTOMATIC = "auto:";

  /** With what the ids of imports begin. */
  static final String IMPORT = "import:";

  private static final String OF_CLIENT = "key:";
  private static final String OF_OWNER = "owner:";

  private static final SecureRandom RANDOM = new SecureRandom();

  /** Of the id of a call over many keys: behind it come a slash and a key id. */
  private static final int MAX_BYTES_OF_MANY = Arguments.MAX_NAME_BYTES - 1 - Base62.ID_LENGTH;

  /** 22 base62 digits are 130 bits. */
  private static final int ID_LENGTH = 22;

  /**
   * @param owner who may name operations, or null for the host: an owner neither meets nor blocks
   *     the operation ids of anybody else
   */
  static Operation of(String action, Cause cause, @Nullable String reason, @Nullable String owner) {
    String id = id(cause);
    String stored = owner == null ? id : hashed(OF_OWNER, owner, id);
    return new Operation(action, id, stored, cause, reason);
  }

  /** A call by the client of a key: apart from the ids of anybody else, in the same way. */
  static Operation ofClient(String action, Cause cause, String keyId) {
    String id = id(cause);
    return new Operation(action, id, hashed(OF_CLIENT, keyId, id), cause, null);
  }

  /** Refuses what the library may draw: who names it first would keep it from being done. */
  static String requireNotOurs(String id) {
    for (String ours : List.of(AUTOMATIC, IMPORT, OF_CLIENT, OF_OWNER)) {
      if (id.startsWith(ours)) {
        throw new IllegalArgumentException(
            "operationId: must not begin with auto:, import:, key: or owner:");
      }
    }
    return id;
  }

  private static String id(Cause cause) {
    String given = cause.operationId();
    return given != null ? given : Base62.randomText(ID_LENGTH, RANDOM);
  }

  /**
   * A call over many keys: its id begins those of its parts, to show in the audit what was done
   * together. So it must leave room for a key id.
   */
  static Operation ofMany(String action, Cause cause, @Nullable String reason) {
    String given = cause.operationId();
    String id =
        given != null
            ? Arguments.text(given, "operationId", MAX_BYTES_OF_MANY)
            : Base62.randomText(ID_LENGTH, RANDOM);
    return new Operation(action, id, id, cause, reason);
  }

  /** The part of a call over many keys that is about one of them. */
  Operation on(String keyId) {
    return new Operation(action, id, storedId + "/" + keyId, cause, reason);
  }

  /** A hash, since owner and id together may be longer than an operation id can be. */
  private static String hashed(String prefix, String who, String id) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(who.getBytes(StandardCharsets.UTF_8));
      sha256.update((byte) 0); // is in no owner and in no key id
      sha256.update(id.getBytes(StandardCharsets.UTF_8));
      return prefix + HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing, which every Java platform must have", e);
    }
  }

  boolean isNamedByCaller() {
    return cause.operationId() != null;
  }

  /**
   * The write of a change.
   *
   * @param before the record before, or null when the key is made
   */
  KeyWrite write(@Nullable KeyRecord before, KeyRecord after, Instant now) {
    State previous = before == null ? null : before.state();
    return new KeyWrite(
        after, entry(after, changedVersion(before, after), previous, after.state(), now));
  }

  /** The change of a key as a whole, whatever becomes of its secrets. */
  KeyWrite writeOfWhole(KeyRecord before, KeyRecord after, Instant now) {
    return new KeyWrite(after, entry(after, null, before.state(), after.state(), now));
  }

  /** The removal of a key. */
  KeyWrite removal(KeyRecord record, Instant now) {
    return new KeyWrite(record, entry(record, null, record.state(), null, now));
  }

  /** The newest of the versions that were made or changed; null if all are as they were. */
  private static @Nullable Integer changedVersion(@Nullable KeyRecord before, KeyRecord after) {
    List<SecretVersion> earlier = before == null ? List.of() : before.versions();
    List<SecretVersion> versions = after.versions();
    for (int i = versions.size() - 1; i >= 0; i--) {
      if (!earlier.contains(versions.get(i))) {
        return versions.get(i).number();
      }
    }
    return null;
  }

  private AuditEntry entry(
      KeyRecord key,
      @Nullable Integer secretVersion,
      @Nullable State before,
      @Nullable State after,
      Instant now) {
    return new AuditEntry(
        0,
        storedId,
        action,
        key.id(),
        key.owner(),
        secretVersion,
        now,
        cause.actor(),
        reason,
        cause.note(),
        before,
        after);
  }

  /**
   * Refuses an operation id that was used for something else; for an issue the target is the owner.
   */
  void requireSame(AuditEntry earlier, String target) {
    if (!isSame(earlier, target)) {
      throw reused();
    }
  }

  /** Whether the earlier call was this one. */
  boolean isSame(AuditEntry earlier, String target) {
    String earlierTarget = action.equals(ISSUE) ? earlier.owner() : earlier.keyId();
    return earlier.action().equals(action) && earlierTarget.equals(target);
  }

  /** Refuses an operation id that was used for another secret of the same key. */
  static void requireSameSecret(AuditEntry earlier, int number) {
    if (!Objects.equals(earlier.secretVersion(), number)) {
      throw reused();
    }
  }

  private static KeyException reused() {
    return new KeyException(
        KeyException.Failure.OPERATION_ID_REUSED,
        "operationId: belongs to an earlier call with another verb, key or secret",
        null);
  }
}
