package io.keystile;

/**
 * What a token begins with: the brand and the environment, as in {@code acme_live_}. It helps
 * people and scanners, and proves nothing: whoever holds a token can rewrite it.
 *
 * @param brand {@code [a-z][a-z0-9]{1,15}}
 * @param environment {@code [a-z][a-z0-9]{1,15}}
 */
record TokenPrefix(String brand, String environment) {

  private static final int MIN_WORD = 2;
  private static final int MAX_WORD = 16;

  /** Fewest characters of {@link #text()}. */
  static final int MIN_LENGTH = 2 * (MIN_WORD + 1);

  /** Most characters of {@link #text()}. */
  static final int MAX_LENGTH = 2 * (MAX_WORD + 1);

  TokenPrefix {
    requireWord(brand, "brand");
    requireWord(environment, "environment");
  }

  private static void requireWord(String text, String name) {
    if (!isWord(text, 0, text.length())) {
      // the value is not repeated: somebody may have passed a token
      throw new IllegalArgumentException(name + " must match [a-z][a-z0-9]{1,15}");
    }
  }

  /** Whether these characters could be a brand or an environment. */
  static boolean isWord(String text, int from, int to) {
    int length = to - from;
    if (length < MIN_WORD || length > MAX_WORD || !isLetter(text.charAt(from))) {
      return false;
    }
    for (int i = from + 1; i < to; i++) {
      char c = text.charAt(i);
      if (!isLetter(c) && (c < '0' || c > '9')) {
        return false;
      }
    }
    return true;
  }

  private static boolean isLetter(char c) {
    return c >= 'a' && c <= 'z';
  }

  /** Brand and environment without the last underscore: what names a mint key. */
  String label() {
    return brand + "_" + environment;
  }

  /** The first characters of the token, with both underscores. */
  String text() {
    return label() + "_";
  }
}
