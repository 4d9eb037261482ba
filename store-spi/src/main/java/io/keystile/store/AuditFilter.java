package io.keystile.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which audit entries to read. What is null is not asked about.
 *
 * @param keyId the key
 * @param owner the owner
 * @param operationId the operation id
 * @param from the earliest time, inclusive
 * @param until the latest time, exclusive
 */
public record AuditFilter(
    @Nullable String keyId,
    @Nullable String owner,
    @Nullable String operationId,
    @Nullable Instant from,
    @Nullable Instant until) {

  /** Checks the values. */
  public AuditFilter {
    Checks.optionalMillis(from, "from");
    Checks.optionalMillis(until, "until");
  }

  /**
   * All entries.
   *
   * @return a filter without conditions
   */
  public static AuditFilter all() {
    return new AuditFilter(null, null, null, null, null);
  }

  /**
   * The entries of one key.
   *
   * @param keyId the key
   * @return the filter
   */
  public static AuditFilter ofKey(String keyId) {
    return new AuditFilter(keyId, null, null, null, null);
  }

  /**
   * The entries of one owner's keys.
   *
   * @param owner the owner
   * @return the filter
   */
  public static AuditFilter ofOwner(String owner) {
    return new AuditFilter(null, owner, null, null, null);
  }

  /**
   * Only entries from a span of time as well.
   *
   * @param from the earliest time, inclusive; null for no bound
   * @param until the latest time, exclusive; null for no bound
   * @return the narrower filter
   */
  public AuditFilter between(@Nullable Instant from, @Nullable Instant until) {
    return new AuditFilter(keyId, owner, operationId, from, until);
  }
}
