package io.keystile.store;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What may be stored. Messages name the field, never its value. */
final class Checks {
  /** The longest owner, subject, actor or operation id, in bytes of UTF-8. */
  static final int MAX_NAME_BYTES = 255;

  /** The longest free text about a change, in bytes of UTF-8. */
  static final int MAX_NOTE_BYTES = 500;

  private static final int MAX_METADATA_BYTES = 4096;
  private static final int MAX_WORDS = 100;
  private static final int MAX_WORD_LENGTH = 100;
  private static final int MAX_VERSIONS = 8;
  private static final Pattern KEY_ID = Pattern.compile("[0-9A-Za-z]{22}");
  private static final Pattern LABEL = Pattern.compile("[a-z][a-z0-9]{1,15}");
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

  /** Words are stored side by side, separated by blanks, as OAuth does with scopes. */
  static List<String> words(List<String> words, String field) {
    List<String> copy = List.copyOf(words);
    require(copy.size() <= MAX_WORDS, field + ": must be at most " + MAX_WORDS);
    for (String word : copy) {
      require(
          !word.isEmpty() && word.length() <= MAX_WORD_LENGTH,
          field + ": each must have 1 to " + MAX_WORD_LENGTH + " characters");
      require(
          word.chars().allMatch(c -> c > ' ' && c < 0x7f),
          field + ": each must be printable ASCII without blanks");
    }
    return copy;
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
