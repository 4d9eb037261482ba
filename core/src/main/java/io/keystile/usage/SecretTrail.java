package io.keystile.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Follows through the hours which secret versions a client uses, and notices an older one that
 * comes back after the newest was used alone. A client that moves in steps uses both meanwhile, so
 * there is no silence to come back from.
 */
final class SecretTrail {
  private final Map<Integer, Instant> lastUse = new HashMap<>();
  private int newest;
  private Instant newestSince = Instant.EPOCH;
  private Instant newestUse = Instant.EPOCH;

  /**
   * An older version that is used again.
   *
   * @param version which
   * @param newest the version that was used alone
   * @param alone from its first use alone to its last, zero or less if there was none
   */
  record Return(int version, int newest, Duration alone) {}

  SecretTrail copy() {
    SecretTrail copy = new SecretTrail();
    copy.lastUse.putAll(lastUse);
    copy.newest = newest;
    copy.newestSince = newestSince;
    copy.newestUse = newestUse;
    return copy;
  }

  /**
   * Takes in the next hour.
   *
   * @return the older version that comes back from the longest silence, null if none is used
   */
  @Nullable Return follow(Instant hour, Facts facts) {
    SortedMap<Integer, Long> used = facts.secrets();
    if (used.size() == 1 && used.firstKey() == newest) {
      newestUse = hour;
      return null;
    }
    Return found = null;
    for (int version : used.keySet()) {
      if (version < newest) {
        Duration alone = Duration.between(aloneSince(version), newestUse);
        if (found == null || alone.compareTo(found.alone) > 0) {
          found = new Return(version, newest, alone);
        }
        lastUse.put(version, hour);
      }
    }
    if (!used.isEmpty() && used.lastKey() >= newest) {
      takeNewest(used.lastKey(), hour);
    }
    return found;
  }

  private void takeNewest(int version, Instant hour) {
    if (version > newest) {
      lastUse.put(newest, newestUse);
      newest = version;
      newestSince = hour;
    }
    newestUse = hour;
  }

  /** From when on this version was silent and the newest in use. */
  private Instant aloneSince(int version) {
    Instant last = lastUse.get(version);
    return last != null && last.isAfter(newestSince) ? last : newestSince;
  }
}
