package io.keystile;

import io.keystile.limit.Meter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What goes on counting for a key while it is used, apart from its hashes: results hold it, and not
 * even reflection finds a hash in them.
 */
final class KeyInUse {
  final ApiKey key;

  /** What counts for its limits; see {@link Limits#meter}. */
  volatile Limits.@Nullable Metered metered;

  /** What counts for its usage; null while none is recorded, see {@link UsageRecording}. */
  volatile @Nullable KeyUse use;

  KeyInUse(ApiKey key) {
    this.key = key;
  }

  /** The meter that the last validation took. */
  Meter meter() {
    return Objects.requireNonNull(metered).meter();
  }
}
