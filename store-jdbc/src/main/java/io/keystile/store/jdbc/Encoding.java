package io.keystile.store.jdbc;

import io.keystile.store.KeyRecord.Limit;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How lists and maps are written into one column of text, and what text can be stored at all. */
final class Encoding {
  private static final int KEY_ID_LENGTH = 22;
  private static final int LEDGER_ID_LENGTH = 64;

  private Encoding() {}

  /** Words hold no blank, so a blank separates them. */
  static String words(List<String> words) {
    return String.join(" ", words);
  }

  static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split(" "));
  }

  /** Words like {@code requests:10/1000}: unit, amount, and the window in milliseconds. */
  static String limits(List<Limit> limits) {
    return limits.stream()
        .map(limit -> limit.unit() + ":" + limit.amount() + "/" + limit.window().toMillis())
        .collect(Collectors.joining(" "));
  }

  static List<Limit> limits(String text) {
    List<Limit> limits = new ArrayList<>();
    if (!text.isEmpty()) {
      // with the empty words at the end: what is garbled must not read as no limits
      for (String word : text.split(" ", -1)) {
        limits.add(limit(word));
      }
    }
    return limits;
  }

  private static Limit limit(String word) {
    int colon = word.indexOf(':');
    int slash = word.indexOf('/');
    if (colon < 0 || slash < colon) {
      throw new IllegalArgumentException("limits: one has no amount or no window");
    }
    long amount = Long.parseLong(word.substring(colon + 1, slash));
    long millis = Long.parseLong(word.substring(slash + 1));
    return new Limit(word.substring(0, colon), amount, Duration.ofMillis(millis));
  }

  /** As a form is sent: {@code k=v&k2=v2}. A key is never empty, so neither is an entry. */
  static String form(Map<String, String> map) {
    return map.entrySet().stream()
        .map(entry -> encode(entry.getKey()) + "=" + encode(entry.getValue()))
        .collect(Collectors.joining("&"));
  }

  static Map<String, String> form(String text) {
    Map<String, String> map = new LinkedHashMap<>();
    if (!text.isEmpty()) {
      for (String entry : text.split("&")) {
        int equals = entry.indexOf('=');
        if (equals < 0) {
          throw new IllegalArgumentException("metadata: an entry has no value");
        }
        map.put(decode(entry.substring(0, equals)), decode(entry.substring(equals + 1)));
      }
    }
    return map;
  }

  /** Anything else is the id of no key, and some databases would fail on it. */
  static boolean isKeyId(String text) {
    return text.length() == KEY_ID_LENGTH
        && text.chars()
            .allMatch(
                c -> (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
  }

  /** Likewise: anything else is the id of no ledger. */
  static boolean isLedgerId(String text) {
    return !text.isEmpty()
        && text.length() <= LEDGER_ID_LENGTH
        && text.chars().allMatch(c -> c > ' ' && c < 0x7f);
  }

  /**
   * Whether text may be in the store: no NUL, which PostgreSQL refuses, and no lone surrogate,
   * whose UTF-8 would be that of another text ({@code ?}). Null asks for nothing and is fine.
   */
  static boolean isStorable(@Nullable String text) {
    return text == null
        || (text.indexOf('\0') < 0 && StandardCharsets.UTF_8.newEncoder().canEncode(text));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
