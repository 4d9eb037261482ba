package io.keystile.store;

/**
 * A record to write, with the audit entry that goes into the same transaction.
 *
 * @param record the record as it is to be
 * @param entry who did what; about the same key
 */
public record KeyWrite(KeyRecord record, AuditEntry entry) {

  /** Checks that both speak of one key. */
  public KeyWrite {
    Checks.require(
        record.id().equals(entry.keyId()) && record.owner().equals(entry.owner()),
        "entry: must be about the key of the record");
  }
}
