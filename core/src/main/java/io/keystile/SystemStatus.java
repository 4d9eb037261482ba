package io.keystile;

import io.keystile.usage.UsageRecorder;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How this node is doing, for readiness probes and dashboards.
 *
 * @param ready whether keys can be validated: the change feed is fresh enough for cached keys to be
 *     accepted, and the instance is not closed
 * @param lastGoodPoll when the last successful poll of the change feed began; null if none yet
 * @param storeAnswering whether the last poll succeeded in time
 * @param missingPeppers the ids of peppers that hashes have needed so far and this node does not
 *     have
 * @param usage what has become of the marks of usage, as of the last time that they were collected;
 *     null if usage is not recorded
 */
public record SystemStatus(
    boolean ready,
    @Nullable Instant lastGoodPoll,
    boolean storeAnswering,
    Set<String> missingPeppers,
    UsageRecorder.@Nullable Counts usage) {

  /** Copies the set. */
  public SystemStatus {
    missingPeppers = Set.copyOf(missingPeppers);
  }
}
