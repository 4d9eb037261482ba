package io.keystile;

import io.keystile.usage.RequestRecord;
import io.keystile.usage.RequestRecords;
import io.keystile.usage.UsageRecorder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What keys are used for: recorded on this node, read for all of them, and judged. */
final class UsageRecording {
  private final UsageRecorder recorder;
  private final @Nullable RequestRecords records;
  private final Judging judging;
  private final SourceNetworks networks = new SourceNetworks();

  /**
   * @param records where requests are written down one by one; null if they are not
   */
  UsageRecording(UsageRecorder recorder, @Nullable RequestRecords records, Judging judging) {
    this.recorder = recorder;
    this.records = records;
    this.judging = judging;
  }

  /** What counts for a key. */
  KeyUse of(KeyInUse inUse) {
    KeyUse use = inUse.use;
    if (use == null) {
      ApiKey key = inUse.key;
      UsageRecorder.OfKey counts = recorder.of(key.id(), key.owner(), key.plan());
      use = new KeyUse(counts, networks, records);
      inUse.use = use; // another thread's would do the same
    }
    return use;
  }

  Judging judging() {
    return judging;
  }

  /** The last requests of a key on this node, the oldest first; none if they are not kept. */
  List<RequestRecord> recent(String keyId) {
    return records == null ? List.of() : records.of(keyId);
  }

  /** Takes in what was counted; does not wait for the store. */
  void collect() {
    recorder.collect();
  }

  /** Writes what is pending. Blocks; throws nothing. */
  boolean flush() {
    return recorder.flush();
  }

  /** The last write; what the store does not take then is dropped. Blocks; throws nothing. */
  boolean close() {
    return recorder.close();
  }

  /** Drops what is pending, and counts it; does not wait for the store. */
  void abandon() {
    recorder.abandon();
  }

  /** Adds its counters. */
  void countIn(Counts counts) {
    counts.add("keystile.usage", "stored", () -> recorder.counts().stored());
    counts.add("keystile.usage", "dropped", () -> recorder.counts().dropped());
  }

  UsageRecorder.Counts counts() {
    return recorder.counts();
  }
}
