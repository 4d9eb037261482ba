package io.keystile;

import io.keystile.usage.Risk;
import io.keystile.usage.RiskSettings;
import io.keystile.usage.UsageReports;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the use of keys is read and judged.
 *
 * @param reports on the keys of all nodes
 * @param clock tells when it is judged
 * @param settings what is odd
 * @param watch judges all keys in use from time to time; null if nobody does
 */
record Judging(
    UsageReports reports, InstantSource clock, RiskSettings settings, @Nullable RiskWatch watch) {

  /** Judges one key, of those that the reports are on. Blocks. */
  Risk risk(UsageReports of, String keyId) {
    return of.risk(keyId, settings, clock.instant());
  }

  /** Changes no key any more. */
  void stop() {
    if (watch != null) {
      watch.stop();
    }
  }

  /** Judges all keys in use. Blocks; throws nothing. */
  void round() {
    Objects.requireNonNull(watch, "watch").round(reports);
  }
}
