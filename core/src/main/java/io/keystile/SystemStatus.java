package io.keystile;

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
 * @param missingPeppers the ids of peppers that hashes needed and this node does not have
 */
public record SystemStatus(
    boolean ready,
    @Nullable Instant lastGoodPoll,
    boolean storeAnswering,
    Set<String> missingPeppers) {

  /** Copies the set. */
  public SystemStatus {
    missingPeppers = Set.copyOf(missingPeppers);
  }
}
