package io.keystile.usage;

import io.keystile.store.UsageStore;

/** Makes labels of what hosts and clients say. */
final class Labels {
  private static final int MAX_BYTES = UsageStore.MAX_LABEL_BYTES;
  private static final String NONE = "none";

  /** What is longer is cut before it is kept: at least this much fits into a label. */
  static final int MAX_CHARS = MAX_BYTES;

  private Labels() {}

  /**
   * A label that every store takes: what is too long is cut, control characters and lone surrogates
   * are replaced by {@code ?}. Most are clean already, and returned as they are.
   */
  static String clean(String text) {
    if (text.isEmpty()) {
      return NONE;
    }
    boolean isClean =
        text.length() <= MAX_BYTES && text.chars().allMatch(c -> c >= ' ' && c < 0x7f);
    return isClean ? text : cleaned(text);
  }

  private static String cleaned(String text) {
    StringBuilder clean = new StringBuilder();
    int bytes = 0;
    int at = 0;
    while (at < text.length()) {
      int point = text.codePointAt(at);
      at += Character.charCount(point);
      int type = Character.getType(point);
      boolean isBad =
          Character.isISOControl(point)
              || type == Character.SURROGATE
              || type == Character.LINE_SEPARATOR
              || type == Character.PARAGRAPH_SEPARATOR
              || type == Character.FORMAT;
      int taken = isBad ? '?' : point;
      bytes += utf8Length(taken);
      if (bytes > MAX_BYTES) {
        break;
      }
      clean.appendCodePoint(taken);
    }
    return clean.toString();
  }

  private static int utf8Length(int point) {
    if (point < 0x80) {
      return 1;
    }
    if (point < 0x800) {
      return 2;
    }
    return point < 0x10000 ? 3 : 4;
  }
}
