package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyWrite;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
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
    String given = cause.operationId();
    String id = given != null ? given : Base62.randomText(ID_LENGTH, RANDOM);
    return new Operation(action, id, owner == null ? id : ofOwner(owner, id), cause, reason);
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
  private static String ofOwner(String owner, String id) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(owner.getBytes(StandardCharsets.UTF_8));
      sha256.update((byte) 0); // is in no owner
      sha256.update(id.getBytes(StandardCharsets.UTF_8));
      return "owner:" + HexFormat.of().formatHex(sha256.digest());
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
    return new KeyWrite(after, entry(after, previous, after.state(), now));
  }

  /** The removal of a key. */
  KeyWrite removal(KeyRecord record, Instant now) {
    return new KeyWrite(record, entry(record, record.state(), null, now));
  }

  private AuditEntry entry(
      KeyRecord key, @Nullable State before, @Nullable State after, Instant now) {
    return new AuditEntry(
        0,
        storedId,
        action,
        key.id(),
        key.owner(),
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
    String earlierTarget = action.equals(ISSUE) ? earlier.owner() : earlier.keyId();
    if (!earlier.action().equals(action) || !earlierTarget.equals(target)) {
      throw new KeyException(
          KeyException.Failure.OPERATION_ID_REUSED,
          "operationId: belongs to an earlier call with another verb or key",
          null);
    }
  }
}
