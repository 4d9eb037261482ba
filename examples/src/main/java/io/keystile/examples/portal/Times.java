package io.keystile.examples.portal;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Times as people read them, with the exact one beside. */
final class Times {
  private static final DateTimeFormatter EXACT =
      DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm 'UTC'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private Times() {}

  /** As {@code 28 Nov 2026, 21:44 UTC}. */
  static Html exact(Instant time) {
    return Html.of("<time datetime=\"{}\">{}</time>", time, EXACT.format(time));
  }

  /** As {@code 3 days ago}, or a text of its own where there is no time. */
  static Html near(@Nullable Instant time, Instant now, String otherwise) {
    return time == null
        ? Html.of("{}", otherwise)
        : Html.of(
            "<time datetime=\"{}\" title=\"{}\">{}</time>",
            time,
            EXACT.format(time),
            distance(time, now));
  }

  static String distance(Instant time, Instant now) {
    Duration length = Duration.between(now, time).abs();
    if (length.toSeconds() < 60) {
      return time.isAfter(now) ? "in less than a minute" : "just now";
    }
    String text = length(length);
    return time.isAfter(now) ? "in " + text : text + " ago";
  }

  private static String length(Duration length) {
    if (length.toMinutes() < 60) {
      return counted(length.toMinutes(), "minute");
    }
    return length.toHours() < 48
        ? counted(length.toHours(), "hour")
        : counted(length.toDays(), "day");
  }

  static String counted(long number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }
}
