package io.keystile.store.tck;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Text that stores have been known to change, to confuse or to run. */
final class Texts {
  /** Of the random texts; {@code -Dkeystile.seed=...} repeats a run. */
  static final long SEED = Long.getLong("keystile.seed", System.nanoTime());

  static {
    System.out.println("keystile.seed=" + SEED + " (hostile text of the store contract)");
  }

  static final List<String> HOSTILE =
      List.of(
          " ",
          "   ",
          "trailing blank ",
          "trailing blanks   ",
          " leading blank",
          "two  blanks",
          "tab\tand trailing\t",
          "line\nfeed\n",
          "carriage\r\nreturn\r",
          "no-break\u00a0space\u00a0",
          "ideographic\u3000space\u3000",
          "zero\u200bwidth\u200b",
          "\ufeffbyte order mark",
          "right \u202e to left",
          "control \u0001\u0002\u0008\u001a\u001b\u001f\u007f\u0080\u009f",
          "not characters \ufffe\uffff \ufdd0",
          "replacement \ufffd",
          "line \u2028 paragraph \u2029 separator",
          "null",
          "NULL",
          "undefined",
          "true",
          "0",
          "00",
          "1e5",
          "-1",
          "'",
          "''",
          "\"",
          "\"\"",
          "`",
          "\\",
          "\\\\",
          "\\'",
          "\\0",
          "\\n",
          "\\u0041",
          "it's",
          "O'Reilly \"quoted\"",
          "';--",
          "'; DROP TABLE keystile_key; --",
          "' OR '1'='1",
          "\" OR \"\"=\"",
          "1; SELECT pg_sleep(10)",
          "') UNION SELECT NULL,NULL--",
          "/* comment */",
          "-- comment",
          "# comment",
          "?",
          "??",
          ":name",
          "$1",
          "${jndi:ldap://x}",
          "{fn now()}",
          "{d '2026-01-01'}",
          "{ts '2026-01-01 00:00:00'}",
          "{0}",
          "%",
          "%s%n%d",
          "_",
          "a%b_c",
          "[a-z]",
          "*",
          "a=b&c=d",
          "a+b%20c%",
          "%00",
          "%zz",
          "&amp;<b>&#0;",
          "{\"json\": [1, null]}",
          "a,b;c|d",
          "key=value",
          "=",
          "&",
          "==&&",
          "Stra\u00dfe",
          "STRASSE",
          "\u0130stanbul",
          "istanbul",
          "ISTANBUL",
          "\u0131",
          "caf\u00e9",
          "cafe\u0301",
          "cafe",
          "CAF\u00c9",
          "\u00c5ngstr\u00f6m",
          "\u212bngstr\u00f6m",
          "\ufb01ligature",
          "\u1e69",
          "s\u0323\u0307",
          "s\u0307\u0323",
          "\u65e5\u672c\u8a9e",
          "\u0639\u0631\u0628\u064a",
          "\u05e2\u05d1\u05e8\u05d9\u05ea",
          "\ud83d\ude00",
          "\ud83d\ude01",
          "\ud83d\udc69\u200d\ud83d\ude80",
          "\ud83c\udde9\ud83c\uddea",
          "\ud800\udc00 first beyond the basic plane",
          "\udbff\udfff last",
          "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306 stacked");

  private Texts() {}

  /** The texts above, and as many random ones. */
  static List<String> hostile() {
    List<String> texts = new ArrayList<>(HOSTILE);
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < HOSTILE.size(); i++) {
      texts.add(random(random));
    }
    return texts;
  }

  private static String random(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(1, 40);
    while (text.length() < length) {
      // As often from a small block as from all of Unicode
      int bound = random.nextBoolean() ? 0x80 : Character.MAX_CODE_POINT + 1;
      int codePoint = random.nextInt(1, bound);
      if (Character.getType(codePoint) != Character.SURROGATE) {
        text.appendCodePoint(codePoint);
      }
    }
    return text.toString();
  }

  /** The beginning of a text, as many whole characters as fit into so many bytes. */
  static String cut(String text, int maxBytes) {
    String cut = text;
    while (cut.getBytes(StandardCharsets.UTF_8).length > maxBytes) {
      cut = cut.substring(0, cut.offsetByCodePoints(cut.length(), -1));
    }
    return cut;
  }

  /** A character, repeated to exactly so many bytes, with letters for what is left over. */
  static String fill(String character, int bytes) {
    int width = character.getBytes(StandardCharsets.UTF_8).length;
    return character.repeat(bytes / width) + "x".repeat(bytes % width);
  }

  /** Names that differ only in case, accents, blanks at their end or an emoji; 72 of them. */
  static List<String> lookalikes(String prefix) {
    List<String> names = new ArrayList<>();
    for (String jos : List.of("jos", "JOS", "Jos")) {
      for (String e : List.of("e", "\u00e9", "e\u0301", "\u00e8")) {
        for (String blanks : List.of("", " ", "  ")) {
          for (String emoji : List.of("", "\ud83d\ude00")) {
            names.add(prefix + emoji + jos + e + blanks);
          }
        }
      }
    }
    return names;
  }
}
