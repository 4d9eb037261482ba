package io.keystile.leak;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/** Well-formed tokens, written from the document of the format and not with the code. */
final class LeakTokens {
  static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  private LeakTokens() {}

  /** A token that begins with a brand and an environment. */
  static String random(String label, SplittableRandom random) {
    String id = random.nextInt(7) + digits(21, random);
    return withChecksum(label + "_" + id + "_" + digits(32, random));
  }

  static String digits(int length, SplittableRandom random) {
    StringBuilder digits = new StringBuilder();
    for (int i = 0; i < length; i++) {
      digits.append(DIGITS.charAt(random.nextInt(DIGITS.length())));
    }
    return digits.toString();
  }

  /** The text with the checksum that belongs to it. */
  static String withChecksum(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    char[] digits = new char[6];
    long rest = crc.getValue();
    for (int i = 5; i >= 0; i--) {
      digits[i] = DIGITS.charAt((int) (rest % 62));
      rest /= 62;
    }
    return text + new String(digits);
  }

  /** The token with another character somewhere, which no checksum agrees with. */
  static String broken(String token, SplittableRandom random) {
    int at = random.nextInt(token.length());
    char other = DIGITS.charAt(random.nextInt(DIGITS.length()));
    if (other == token.charAt(at)) {
      other = '-';
    }
    return token.substring(0, at) + other + token.substring(at + 1);
  }
}
