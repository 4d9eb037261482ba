package io.keystile;

import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** Checks what hosts hand in. Messages name the option and never repeat the value. */
final class Arguments {

  /** The latest time there is here: an HTTP date, and many a database, ends with the year 9999. */
  static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999Z");

  /** Most bytes of an owner, subject, actor or operation id. */
  static final int MAX_NAME_BYTES = 255;

  private Arguments() {}

  /** Text that every store can keep: well-formed, without NUL, 1 to {@code maxBytes} of UTF-8. */
  static String text(String text, String option, int maxBytes) {
    Objects.requireNonNull(text, option);
    int bytes;
    try {
      bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text)).remaining();
    } catch (CharacterCodingException e) {
      // without the cause: nothing of the value may leak
      throw new IllegalArgumentException(option + ": must be well-formed Unicode");
    }
    if (bytes < 1 || bytes > maxBytes) {
      throw new IllegalArgumentException(
          option + ": must be 1 to " + maxBytes + " bytes of UTF-8, is " + bytes);
    }
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(option + ": must not contain NUL");
    }
    return text;
  }

  /** Owner, subject, actor or operation id. */
  static String name(String text, String option) {
    return text(text, option, MAX_NAME_BYTES);
  }

  /** Scopes to grant, each once. */
  static List<String> grants(List<String> scopes) {
    return each(scopes, Scopes::requireGrant, "scopes");
  }

  /** Networks in CIDR notation, each once. */
  static List<String> networks(List<String> networks) {
    return each(networks, Networks::requireNetwork, "networks");
  }

  private static List<String> each(List<String> words, Consumer<String> check, String option) {
    try {
      words.forEach(check);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
    }
    return distinct(words);
  }

  static List<String> distinct(List<String> words) {
    return words.stream().distinct().toList();
  }

  /** A span of at least a millisecond: a shorter one would end at the moment it begins. */
  static Duration lifetime(Duration duration, String option) {
    Objects.requireNonNull(duration, option);
    if (duration.compareTo(Duration.ofMillis(1)) < 0) {
      throw new IllegalArgumentException(option + ": must be at least 1 ms");
    }
    return duration;
  }

  /** A time in whole milliseconds, rounded down, and not after {@link #LATEST}. */
  static Instant time(Instant time, String option) {
    Objects.requireNonNull(time, option);
    if (time.isBefore(Instant.EPOCH)) {
      throw new IllegalArgumentException(option + ": must not be before 1970");
    }
    return time.isAfter(LATEST) ? LATEST : time.truncatedTo(ChronoUnit.MILLIS);
  }

  /** The end of a span, never after {@link #LATEST}, so that no length wraps to the past. */
  static Instant plus(Instant from, Duration duration) {
    boolean tooFar = duration.compareTo(between(from, LATEST)) > 0;
    return tooFar ? LATEST : from.plus(duration).truncatedTo(ChronoUnit.MILLIS);
  }

  /** The beginning of a span, never before 1970. */
  static Instant minus(Instant until, Duration duration) {
    boolean tooFar = duration.compareTo(between(Instant.EPOCH, until)) > 0;
    return tooFar ? Instant.EPOCH : until.minus(duration).truncatedTo(ChronoUnit.MILLIS);
  }

  /** As the platform's own, which throws and catches inside where it is more than 292 years. */
  private static Duration between(Instant from, Instant until) {
    return Duration.ofSeconds(
        until.getEpochSecond() - from.getEpochSecond(), until.getNano() - from.getNano());
  }
}
