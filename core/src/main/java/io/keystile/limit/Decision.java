package io.keystile.limit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The full answer of a limiter: whether a call is allowed, and how every window stood at that
 * moment. Immutable. All times are spans from then on, in whole milliseconds.
 */
public final class Decision {

  /**
   * How one window stands.
   *
   * @param unit what it counts, {@link Plan#REQUESTS} or the unit of a quota
   * @param window its limit and length
   * @param used how much counts in it; of an allowed call with its own cost. May be above the limit
   *     of a quota, and of a limit that was lowered
   * @param remaining how much is left of the limit, at least 0
   * @param frees until the first of what is used comes back; zero if nothing is used
   * @param reset until all of it has come back, if nothing else is used meanwhile
   * @param refuses whether it has no room for the call
   */
  public record Standing(
      String unit,
      Window window,
      long used,
      long remaining,
      Duration frees,
      Duration reset,
      boolean refuses) {}

  private final boolean allowed;
  private final List<Standing> windows;
  private final @Nullable Duration retryAfter;

  private Decision(boolean allowed, List<Standing> windows, @Nullable Duration retryAfter) {
    this.allowed = allowed;
    this.windows = windows;
    this.retryAfter = retryAfter;
  }

  /** From what the cells of a key said. */
  static Decision of(boolean allowed, List<Reading> readings) {
    List<Standing> windows = new ArrayList<>();
    long wait = 0;
    for (Reading reading : readings) {
      for (int i = 0; i < reading.layout.count(); i++) {
        windows.add(standing(reading, i));
        wait = Math.max(wait, reading.waits[i]);
      }
    }
    boolean hopeless = wait == Reading.NEVER;
    return new Decision(
        allowed, List.copyOf(windows), hopeless ? null : Duration.ofMillis(allowed ? 0 : wait));
  }

  /** No window refuses, but the key cannot be counted. */
  static Decision noRoom(List<Reading> readings, Duration retryAfter) {
    return new Decision(false, of(false, readings).windows, retryAfter);
  }

  private static Standing standing(Reading reading, int i) {
    Window window = reading.layout.windows.get(i);
    return new Standing(
        reading.layout.unit,
        window,
        reading.used[i],
        reading.remaining[i],
        Duration.ofMillis(reading.frees[i]),
        Duration.ofMillis(reading.resets[i]),
        reading.waits[i] > 0);
  }

  /**
   * Whether the call may go on. Then it was counted, unless it was only asked about.
   *
   * @return true if it may
   */
  public boolean isAllowed() {
    return allowed;
  }

  /**
   * How every window stands: those of requests first, then those of quotas, in the order of the
   * plan.
   *
   * @return all windows of the plan; immutable
   */
  public List<Standing> windows() {
    return windows;
  }

  /**
   * The windows that have no room for the call.
   *
   * @return some of {@link #windows()}; empty if the call is allowed, or if the limiter has no room
   *     for another key
   */
  public List<Standing> refusing() {
    return windows.stream().filter(Standing::refuses).toList();
  }

  /**
   * How long to wait until the same call is allowed, if nothing else is used meanwhile. It is
   * exact: after it the call is allowed, a millisecond earlier it is not.
   *
   * @return zero if the call is allowed; null if waiting does not help, since its cost is above a
   *     limit
   */
  public @Nullable Duration retryAfter() {
    return retryAfter;
  }

  /**
   * For logs.
   *
   * @return whether it is allowed, and which windows refuse it
   */
  @Override
  public String toString() {
    return allowed
        ? "Decision[allowed]"
        : "Decision[refused by " + refusing() + ", retryAfter=" + retryAfter + "]";
  }
}
