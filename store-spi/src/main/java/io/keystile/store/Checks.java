package io.keystile.store;

import io.keystile.store.KeyRecord.Limit;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What may be stored. Messages name the field, never its value. */
final class Checks {
  /** The longest owner, subject, actor or operation id, in bytes of UTF-8. */
  static final int MAX_NAME_BYTES = 255;

  /** The longest free text about a change, in bytes of UTF-8. */
  static final int MAX_NOTE_BYTES = 500;

  private static final Duration MAX_DURATION = Duration.ofDays(36_500);
  private static final Duration MAX_WINDOW = Duration.ofDays(31);
  private static final int MIN_WINDOW_MILLIS = 100;
  private static final long MAX_AMOUNT = 1L << 62;
  private static final int MAX_LIMITS = 20;
  private static final int MAX_METADATA_BYTES = 4096;
  private static final int MAX_WORDS = 100;
  private static final int MAX_WORD_LENGTH = 100;
  private static final int MAX_VERSIONS = 8;
  private static final int MAX_LEDGER_ID = 64;
  private static final int MAX_LEDGER_TEXT = 4000;
  private static final Pattern KEY_ID = Pattern.compile("[0-9A-Za-z]{22}");
  private static final Pattern LABEL = Pattern.compile("[a-z][a-z0-9]{1,15}");
  private static final Pattern UNIT = Pattern.compile("[a-z][a-z0-9-]{0,31}");
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,39}");
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  private Checks() {}

  static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  static <T> T given(@Nullable T value, String field) {
    if (value == null) {
      throw new IllegalArgumentException(field + ": must be given");
    }
    return value;
  }

  static void keyId(String id) {
    Objects.requireNonNull(id, "id");
    require(KEY_ID.matcher(id).matches(), "id: must be 22 base62 digits");
  }

  static void label(String label, String field) {
    Objects.requireNonNull(label, field);
    require(LABEL.matcher(label).matches(), field + ": must match " + LABEL);
  }

  /** The name of a hash scheme or a pepper: short and plain, because logs hold it. */
  static void plainName(String name, String field) {
    Objects.requireNonNull(name, field);
    require(NAME.matcher(name).matches(), field + ": must match " + NAME);
  }

  static void hash(String hash) {
    Objects.requireNonNull(hash, "hash");
    require(HASH.matcher(hash).matches(), "hash: must be 64 lower-case hexadecimal digits");
  }

  static void text(String text, String field, int minBytes, int maxBytes) {
    Objects.requireNonNull(text, field);
    int bytes = utf8Length(text, field);
    require(
        bytes >= minBytes && bytes <= maxBytes,
        field + ": must be " + minBytes + " to " + maxBytes + " bytes of UTF-8, is " + bytes);
    // PostgreSQL cannot store it, so no store does
    require(text.indexOf('\0') < 0, field + ": must not contain NUL");
  }

  /** Null, or text that is not empty: an empty one is null on some databases. */
  static void optionalText(@Nullable String text, String field, int maxBytes) {
    if (text != null) {
      text(text, field, 1, maxBytes);
    }
  }

  static void millis(Instant instant, String field) {
    Objects.requireNonNull(instant, field);
    require(
        instant.getNano() % 1_000_000 == 0, field + ": must be whole milliseconds (truncate it)");
    long millis;
    try {
      millis = instant.toEpochMilli();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(field + ": must fit epoch milliseconds", e);
    }
    require(millis >= 0, field + ": must not be before 1970");
  }

  static void optionalMillis(@Nullable Instant instant, String field) {
    if (instant != null) {
      millis(instant, field);
    }
  }

  /** At least so many milliseconds, and at most a hundred years. */
  static void duration(Duration duration, long leastMillis, String field) {
    duration(duration, leastMillis, MAX_DURATION, field);
  }

  private static void duration(
      Duration duration, long leastMillis, Duration greatest, String field) {
    Objects.requireNonNull(duration, field);
    require(
        duration.equals(duration.truncatedTo(ChronoUnit.MILLIS)),
        field + ": must be whole milliseconds (truncate it)");
    require(
        duration.compareTo(Duration.ofMillis(leastMillis)) >= 0
            && duration.compareTo(greatest) <= 0,
        field + ": must be " + leastMillis + " ms to " + greatest.toDays() + " days");
  }

  static void unit(String unit, String field) {
    Objects.requireNonNull(unit, field);
    require(UNIT.matcher(unit).matches(), field + ": must match " + UNIT);
  }

  static void amount(long amount, String field) {
    require(amount >= 0 && amount <= MAX_AMOUNT, field + ": must be 0 to 2^62");
  }

  static void window(Duration window, String field) {
    duration(window, MIN_WINDOW_MILLIS, MAX_WINDOW, field);
  }

  /** Two limits on the same unit and window would be one, and which of them would be unclear. */
  static List<Limit> limits(List<Limit> limits) {
    List<Limit> copy = List.copyOf(limits);
    require(copy.size() <= MAX_LIMITS, "limits: must be at most " + MAX_LIMITS);
    require(
        copy.stream().map(limit -> List.of(limit.unit(), limit.window())).distinct().count()
            == copy.size(),
        "limits: no two may have the same unit and window");
    return copy;
  }

  /** Words are stored side by side, separated by blanks, as OAuth does with scopes. */
  static List<String> words(List<String> words, String field) {
    List<String> copy = List.copyOf(words);
    require(copy.size() <= MAX_WORDS, field + ": must be at most " + MAX_WORDS);
    for (String word : copy) {
      require(
          !word.isEmpty() && word.length() <= MAX_WORD_LENGTH,
          field + ": each must have 1 to " + MAX_WORD_LENGTH + " characters");
      require(
          word.chars().allMatch(c -> isPrint(c, '!')),
          field + ": each must be printable ASCII without blanks");
    }
    return copy;
  }

  static void ledgerId(String id) {
    Objects.requireNonNull(id, "id");
    require(
        !id.isEmpty() && id.length() <= MAX_LEDGER_ID && id.chars().allMatch(c -> isPrint(c, '!')),
        "id: must be 1 to " + MAX_LEDGER_ID + " characters of printable ASCII without blanks");
  }

  static void ledgerText(String text) {
    Objects.requireNonNull(text, "text");
    require(
        text.length() <= MAX_LEDGER_TEXT && text.chars().allMatch(c -> isPrint(c, ' ')),
        "text: must be at most " + MAX_LEDGER_TEXT + " characters of printable ASCII");
  }

  static void periodStart(UsageStore.Period period, Instant start) {
    Objects.requireNonNull(period, "period");
    millis(start, "start");
    require(period.startOf(start).equals(start), "start: must be the start of a period");
  }

  static List<UsageStore.Tally> tallies(List<UsageStore.Tally> tallies) {
    List<UsageStore.Tally> copy = List.copyOf(tallies);
    require(
        copy.size() <= UsageStore.MAX_TALLIES,
        "tallies: must be at most " + UsageStore.MAX_TALLIES);
    Set<Object> things = new HashSet<>();
    for (UsageStore.Tally tally : copy) {
      UsageStore.Subject subject = tally.subject();
      // not List.of: a plan may be null
      Object thing =
          Arrays.asList(
              subject.keyId(),
              subject.plan(),
              tally.period(),
              tally.start(),
              tally.metric(),
              tally.label());
      require(things.add(thing), "tallies: no two may be of the same thing");
    }
    return copy;
  }

  private static boolean isPrint(int c, char first) {
    return c >= first && c < 0x7f;
  }

  static void metadata(Map<String, String> metadata) {
    int bytes = 0;
    for (Map.Entry<String, String> entry : metadata.entrySet()) {
      text(entry.getKey(), "metadata", 1, MAX_METADATA_BYTES);
      text(entry.getValue(), "metadata", 0, MAX_METADATA_BYTES);
      bytes +=
          utf8Length(entry.getKey(), "metadata") + utf8Length(entry.getValue(), "metadata") + 2;
    }
    require(
        bytes <= MAX_METADATA_BYTES,
        "metadata: must be at most " + MAX_METADATA_BYTES + " bytes, is " + bytes);
  }

  static void versions(List<SecretVersion> versions) {
    require(
        !versions.isEmpty() && versions.size() <= MAX_VERSIONS,
        "versions: must be 1 to " + MAX_VERSIONS);
    for (int i = 1; i < versions.size(); i++) {
      require(
          versions.get(i - 1).number() < versions.get(i).number(),
          "versions: must be in the order of their numbers");
    }
  }

  /** Each newer version takes over from those before it, and by then their end is known. */
  static void onlyNewestIsEndless(List<SecretVersion> versions) {
    for (SecretVersion version : versions.subList(0, versions.size() - 1)) {
      require(version.end() != null, "versions: each but the newest must have an end");
    }
  }

  static @Nullable Instant earlier(@Nullable Instant a, @Nullable Instant b) {
    if (a == null || (b != null && b.isBefore(a))) {
      return b;
    }
    return a;
  }

  /** Also refuses lone surrogates, which have no UTF-8. */
  private static int utf8Length(String text, String field) {
    try {
      ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return bytes.remaining();
    } catch (CharacterCodingException e) {
      // the cause would say no more, and nothing of the value may leak
      throw new IllegalArgumentException(field + ": must be well-formed Unicode");
    }
  }
}
