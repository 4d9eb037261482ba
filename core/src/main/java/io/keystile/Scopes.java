package io.keystile;

/**
 * The grammar of scopes. A scope is 1 to 100 ASCII characters: segments of {@code [A-Za-z0-9._-]+},
 * joined by {@code :}, as in {@code orders:read}. A grant is a scope, or the wildcard {@code *}
 * alone, or a scope followed by {@code :*}.
 *
 * <p>The hierarchy is opened by the wildcard only. {@code orders:*} grants everything below {@code
 * orders} at any depth ({@code orders:read}, {@code orders:read:all}), and not {@code orders}
 * itself. {@code orders} grants itself and nothing below it: a grant never means more than it says.
 */
final class Scopes {

  /** Most characters of a scope or grant. */
  static final int MAX_LENGTH = 100;

  private static final String WILDCARD = "*";

  private Scopes() {}

  /** Returns the scope. The wildcard is refused: nothing can require "any scope below". */
  static String requireScope(String text) {
    if (!isScope(text, text.length())) {
      throw new IllegalArgumentException(
          "A scope must be 1 to 100 characters, segments of [A-Za-z0-9._-] joined by ':'");
    }
    return text;
  }

  /** Returns the grant. */
  static String requireGrant(String text) {
    if (!isGrant(text)) {
      throw new IllegalArgumentException(
          "A granted scope must be 1 to 100 characters, segments of [A-Za-z0-9._-] joined by ':',"
              + " where the last segment may be '*'");
    }
    return text;
  }

  static boolean isGrant(String text) {
    if (text.equals(WILDCARD)) {
      return true;
    }
    return text.length() <= MAX_LENGTH && isScope(text, text.length() - (isWildcard(text) ? 2 : 0));
  }

  /** Whether a grant ends with the wildcard. */
  static boolean isWildcard(String grant) {
    return grant.equals(WILDCARD) || grant.endsWith(":*");
  }

  private static boolean isScope(String text, int length) {
    if (length < 1 || length > MAX_LENGTH) {
      return false;
    }
    boolean segmentIsEmpty = true;
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c == ':') {
        if (segmentIsEmpty) {
          return false;
        }
        segmentIsEmpty = true;
      } else if (isSegmentCharacter(c)) {
        segmentIsEmpty = false;
      } else {
        return false;
      }
    }
    return !segmentIsEmpty;
  }

  private static boolean isSegmentCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '_'
        || c == '-';
  }
}
