package io.keystile.usage;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much a key is used. Immutable.
 *
 * @param averageDailyRequests requests let in on an average day, of whole days in UTC before the
 *     last 24 hours, 28 at most and from the first use on; days without use count. Neither a day
 *     that is going on nor what is being judged is in it. 0 if there is no such day
 * @param averagedDays over how many days that is
 * @param requests let in, in all hours that were looked at, about 28 days
 * @param peakMinute the most that one node let in within a minute, in the same time
 * @param peakHour the most that was let in within an hour, in the same time
 * @param peakHourStart the start of that hour; null if nothing was let in
 * @param busiestEndpoints up to 5, the busiest first; empty where the host tells of none
 * @param firstUse the start of the hour or day of the first use that is kept; null if there is none
 * @param lastUse the same of the last use
 */
public record UsageSummary(
    double averageDailyRequests,
    int averagedDays,
    long requests,
    long peakMinute,
    long peakHour,
    @Nullable Instant peakHourStart,
    List<Endpoint> busiestEndpoints,
    @Nullable Instant firstUse,
    @Nullable Instant lastUse) {

  /** Copies the list. */
  public UsageSummary {
    busiestEndpoints = List.copyOf(busiestEndpoints);
  }

  /**
   * An endpoint and how often it was asked for.
   *
   * @param name as the host has told it: escape it where it is shown
   * @param responses how many
   */
  public record Endpoint(String name, long responses) {}

  /**
   * For logs: numbers alone, no endpoint.
   *
   * @return average and peaks
   */
  @Override
  public String toString() {
    return "UsageSummary[averageDailyRequests="
        + averageDailyRequests
        + ", peakMinute="
        + peakMinute
        + ", peakHour="
        + peakHour
        + "]";
  }
}
