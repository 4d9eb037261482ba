package io.keystile;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads tokens: one pass over the characters, without regular expression, exception, substring or
 * allocation. Exactly one text is accepted for one id and secret. Immutable, for any thread.
 */
final class TokenParser {

  /** Characters after the prefix: id, underscore, secret, checksum. */
  static final int BODY_LENGTH = Scratch.BLOCK_LENGTH + Base62.CRC_LENGTH;

  /** Most characters of a token. */
  static final int MAX_LENGTH = TokenPrefix.MAX_LENGTH + BODY_LENGTH;

  /** Fewest characters of a token. */
  static final int MIN_LENGTH = TokenPrefix.MIN_LENGTH + BODY_LENGTH;

  private final String[] named;
  private final byte[][] namedBytes;
  private final String[] brands;

  /**
   * @param prefixes the pairs this node names; {@link Scratch#prefix} is an index into this list. A
   *     token of another brand is malformed. One with a named brand and another environment is well
   *     formed, since only its proof may tell that the environment is wrong. An empty list takes
   *     every brand
   */
  TokenParser(List<TokenPrefix> prefixes) {
    named = prefixes.stream().map(TokenPrefix::text).toArray(String[]::new);
    namedBytes = prefixes.stream().map(TokenPrefix::bytes).toArray(byte[][]::new);
    brands = prefixes.stream().map(p -> p.brand() + "_").distinct().toArray(String[]::new);
  }

  /**
   * Reads a token into the scratch: its text, block, id and prefix. Takes constant time for text
   * that is too long.
   *
   * @return false if the token is malformed; the content of the scratch is undefined then
   */
  boolean parse(@Nullable String token, Scratch into) {
    if (token == null || token.length() < MIN_LENGTH || token.length() > MAX_LENGTH) {
      return false;
    }
    int start = token.length() - BODY_LENGTH;
    int crcStart = token.length() - Base62.CRC_LENGTH;
    int separator = start + Base62.ID_LENGTH;
    byte[] text = into.text;
    if (!readPrefix(token, start, into)
        || token.charAt(separator) != '_'
        || !readDigits(token, start, separator, text)
        || !readDigits(token, separator + 1, token.length(), text)
        || !Base62.decodeId(text, start, into.id)) {
      return false;
    }
    text[separator] = '_';
    into.crc.reset();
    into.crc.update(text, 0, crcStart);
    if (into.crc.getValue() != Base62.decode(text, crcStart, Base62.CRC_LENGTH)) {
      return false;
    }
    into.blockStart = start;
    into.idHigh = into.id[0];
    into.idLow = into.id[1];
    return true;
  }

  private boolean readPrefix(String token, int length, Scratch into) {
    for (int i = 0; i < named.length; i++) {
      if (named[i].length() == length && token.startsWith(named[i])) {
        System.arraycopy(namedBytes[i], 0, into.text, 0, length);
        into.prefix = i;
        return true;
      }
    }
    into.prefix = Scratch.OTHER_ENVIRONMENT;
    int brandEnd = token.indexOf('_');
    if (!startsWithBrand(token, brandEnd)
        || token.charAt(length - 1) != '_'
        || !TokenPrefix.isWord(token, brandEnd + 1, length - 1)) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      into.text[i] = (byte) token.charAt(i); // only [a-z0-9_] came this far
    }
    return true;
  }

  private boolean startsWithBrand(String token, int brandEnd) {
    for (String brand : brands) {
      if (brand.length() == brandEnd + 1 && token.startsWith(brand)) {
        return true;
      }
    }
    return brands.length == 0 && TokenPrefix.isWord(token, 0, brandEnd);
  }

  private static boolean readDigits(String token, int from, int to, byte[] into) {
    for (int i = from; i < to; i++) {
      char c = token.charAt(i);
      if (Base62.digit(c) < 0) { // before the narrowing below, which makes A of U+0141
        return false;
      }
      into[i] = (byte) c;
    }
    return true;
  }
}
