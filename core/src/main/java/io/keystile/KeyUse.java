package io.keystile;

import io.keystile.usage.RequestRecords;
import io.keystile.usage.UsageRecorder;
import org.jspecify.annotations.Nullable;

/** Counts what one key is used for. Nothing here blocks or throws. */
final class KeyUse {
  /** The category of bytes that are not told apart. */
  static final String ALL_BYTES = "all";

  private static final long NANOS_PER_MICRO = 1_000;

  private final UsageRecorder.OfKey counts;
  private final SourceNetworks networks;
  private final @Nullable RequestRecords records;

  KeyUse(UsageRecorder.OfKey counts, SourceNetworks networks, @Nullable RequestRecords records) {
    this.counts = counts;
    this.networks = networks;
    this.records = records;
  }

  /**
   * A request proved a secret.
   *
   * @param reason why it was refused; null if it was let in
   */
  void proven(long now, int secret, Origin origin, @Nullable Reason reason) {
    if (reason == null) {
      counts.accepted(now, secret, networks.of(origin), origin.callerName());
    } else {
      counts.refused(now, secret, reason.name());
    }
  }

  /** A request that was let in was answered. */
  void answered(long at, String method, @Nullable String endpoint, int status, long nanos) {
    counts.answered(at, method, endpoint, status, nanos / NANOS_PER_MICRO);
  }

  /** Where requests are written down one by one; null if they are not. */
  @Nullable RequestRecords records() {
    return records;
  }

  /** Bytes went to and fro for a request that was let in. */
  void transferred(long at, String category, long bytes) {
    counts.transferred(at, category, bytes);
  }
}
