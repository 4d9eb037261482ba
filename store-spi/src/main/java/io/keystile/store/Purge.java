package io.keystile.store;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to remove for good.
 *
 * @param keys the keys, as they were last read, each with the audit entry of its removal; at most
 *     1000
 * @param auditBefore remove audit entries older than this, or null for none
 * @param changesBefore remove change notices older than this, or null for none
 * @param limit how many audit entries and how many change notices at most, 1 to 100000
 */
public record Purge(
    List<KeyWrite> keys,
    @Nullable Instant auditBefore,
    @Nullable Instant changesBefore,
    int limit) {

  /**
   * How much was removed.
   *
   * @param keys the number of keys
   * @param auditEntries the number of audit entries
   * @param changes the number of change notices
   */
  public record Result(int keys, int auditEntries, int changes) {}

  /** Checks and copies the values. */
  public Purge {
    keys = List.copyOf(keys);
    Checks.require(keys.size() <= 1000, "keys: must be at most 1000");
    Checks.optionalMillis(auditBefore, "auditBefore");
    Checks.optionalMillis(changesBefore, "changesBefore");
    Checks.require(limit >= 1 && limit <= 100_000, "limit: must be 1 to 100000");
  }
}
