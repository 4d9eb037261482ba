package io.keystile.store;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record with the last use of its secret versions, as {@link KeyStore#find} and {@link
 * KeyStore#list} return it.
 *
 * @param record the record
 * @param uses at most one per version, in the order of versions; versions never seen have none
 */
public record StoredKey(KeyRecord record, List<UseMark> uses) {

  /** Checks and copies the values. */
  public StoredKey {
    Objects.requireNonNull(record, "record");
    uses = List.copyOf(uses);
  }

  /**
   * When any version was last used and let in.
   *
   * @return the time, or null if none ever was
   */
  public @Nullable Instant lastUsed() {
    Instant latest = null;
    for (UseMark use : uses) {
      Instant time = use.lastUsed();
      if (time != null && (latest == null || time.isAfter(latest))) {
        latest = time;
      }
    }
    return latest;
  }

  /**
   * When any version was last presented with its right secret, let in or not.
   *
   * @return the time, or null if none ever was
   */
  public @Nullable Instant lastSeen() {
    return uses.stream().map(UseMark::lastSeen).max(Instant::compareTo).orElse(null);
  }
}
