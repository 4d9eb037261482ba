package io.keystile.limit;

import java.time.Duration;
import java.util.Objects;

/**
 * A limit over a length of time: at most {@code limit} in any interval of that length, wherever it
 * begins. Immutable.
 *
 * @param limit how much may be used: 0 to 2^62; for requests at most 2^30
 * @param length 100 ms to 31 days, in whole milliseconds
 */
public record Window(long limit, Duration length) {

  static final long MAX_LIMIT = 1L << 62;
  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofDays(31);

  /** Checks the values; the message names the one that is refused. */
  public Window {
    Objects.requireNonNull(length, "length");
    if (limit < 0 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: must be 0 to 2^62, is " + limit);
    }
    if (length.compareTo(SHORTEST) < 0 || length.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("length: must be 100 ms to 31 days, is " + length);
    }
    if (!length.equals(Duration.ofMillis(length.toMillis()))) {
      throw new IllegalArgumentException("length: must be whole milliseconds, is " + length);
    }
  }

  /**
   * A limit over any second.
   *
   * @param limit how much
   * @return the window
   */
  public static Window perSecond(long limit) {
    return new Window(limit, Duration.ofSeconds(1));
  }

  /**
   * A limit over any minute.
   *
   * @param limit how much
   * @return the window
   */
  public static Window perMinute(long limit) {
    return new Window(limit, Duration.ofMinutes(1));
  }

  /**
   * A limit over any hour.
   *
   * @param limit how much
   * @return the window
   */
  public static Window perHour(long limit) {
    return new Window(limit, Duration.ofHours(1));
  }

  /**
   * A limit over any 24 hours.
   *
   * @param limit how much
   * @return the window
   */
  public static Window perDay(long limit) {
    return new Window(limit, Duration.ofDays(1));
  }

  /**
   * A short name of its length, for messages and headers.
   *
   * @return {@code second}, {@code minute}, {@code hour} or {@code day}; for other lengths the
   *     number of seconds, as {@code 90s}, or of milliseconds, as {@code 250ms}
   */
  public String name() {
    long millis = length.toMillis();
    if (millis % 1000 != 0) {
      return millis + "ms";
    }
    return switch ((int) (millis / 1000)) {
      case 1 -> "second";
      case 60 -> "minute";
      case 3_600 -> "hour";
      case 86_400 -> "day";
      default -> millis / 1000 + "s";
    };
  }
}
