package io.keystile;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads tokens: without regular expression, exception, substring or allocation, most of it eight
 * characters at a time. Exactly one text is accepted for one id and secret. Immutable, for any
 * thread.
 */
final class TokenParser {

  /** Characters after the prefix: id, underscore, secret, checksum. */
  static final int BODY_LENGTH = Scratch.BLOCK_LENGTH + Base62.CRC_LENGTH;

  /** Most characters of a token. */
  static final int MAX_LENGTH = TokenPrefix.MAX_LENGTH + BODY_LENGTH;

  /** Fewest characters of a token. */
  static final int MIN_LENGTH = TokenPrefix.MIN_LENGTH + BODY_LENGTH;

  private final String[] named;
  private final String[] brands;

  /**
   * @param prefixes the pairs this node names; {@link Scratch#prefix} is an index into this list. A
   *     token of another brand is malformed. One with a named brand and another environment is well
   *     formed, since only its proof may tell that the environment is wrong. An empty list takes
   *     every brand
   */
  TokenParser(List<TokenPrefix> prefixes) {
    named = prefixes.stream().map(TokenPrefix::text).toArray(String[]::new);
    brands = prefixes.stream().map(p -> p.brand() + "_").distinct().toArray(String[]::new);
  }

  /**
   * Reads a token into the scratch: its text, block, id and prefix. Takes constant time for text
   * that is too long.
   *
   * @return false if the token is malformed; the content of the scratch is undefined then
   */
  boolean parse(@Nullable String token, Scratch into) {
    int length = token == null ? 0 : token.length();
    if (token == null || length < MIN_LENGTH || length > MAX_LENGTH) {
      return false;
    }
    int start = length - BODY_LENGTH;
    int crcStart = length - Base62.CRC_LENGTH;
    int separator = start + Base62.ID_LENGTH;
    byte[] text = into.text;
    narrow(token, text);
    if (text[separator] != '_'
        || !Base62.decodeId(text, start, into.id)
        || !Base62.areDigits(text, separator + 1, TokenGenerator.SECRET_LENGTH)
        || !readPrefix(token, start, into)) {
      return false;
    }
    into.crc.reset();
    into.crc.update(text, 0, crcStart);
    if (into.crc.getValue() != Base62.decodeCrc(text, crcStart) || !isAscii(token, start, length)) {
      return false;
    }
    into.blockStart = start;
    into.idHigh = into.id[0];
    into.idLow = into.id[1];
    return true;
  }

  /**
   * Copies the low byte of each character, which makes A of U+0141: {@link #isAscii} must follow.
   * It takes a fifth of the time of a loop over the characters.
   */
  @SuppressWarnings("deprecation") // it is, for what the caller sees to
  private static void narrow(String token, byte[] into) {
    token.getBytes(0, token.length(), into, 0);
  }

  /** Whether these characters are ASCII; those before them were compared as they are. */
  private static boolean isAscii(String token, int from, int to) {
    int seen = 0;
    for (int i = from; i < to; i++) {
      seen |= token.charAt(i);
    }
    return seen < 0x80;
  }

  private boolean readPrefix(String token, int length, Scratch into) {
    for (int i = 0; i < named.length; i++) {
      if (named[i].length() == length && token.startsWith(named[i])) {
        into.prefix = i;
        return true;
      }
    }
    into.prefix = Scratch.OTHER_ENVIRONMENT;
    int brandEnd = token.indexOf('_');
    return startsWithBrand(token, brandEnd)
        && token.charAt(length - 1) == '_'
        && TokenPrefix.isWord(token, brandEnd + 1, length - 1);
  }

  private boolean startsWithBrand(String token, int brandEnd) {
    for (String brand : brands) {
      if (brand.length() == brandEnd + 1 && token.startsWith(brand)) {
        return true;
      }
    }
    return brands.length == 0 && TokenPrefix.isWord(token, 0, brandEnd);
  }
}
