package io.keystile;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * The base62 of the token format: digits in ASCII order ({@code 0-9A-Za-z}), big-endian, fixed
 * widths, padded with {@code 0}. In this order text sorts as the number does.
 */
final class Base62 {

  /** Digits of a 128-bit key id. */
  static final int ID_LENGTH = 22;

  /** Digits of a 32-bit checksum. */
  static final int CRC_LENGTH = 6;

  private static final byte[] ALPHABET =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
          .getBytes(StandardCharsets.US_ASCII);

  private static final byte[] DIGITS = new byte[128];

  private static final long POW_10 = 839_299_365_868_340_224L; // 62^10

  /** The largest unsigned value that can be multiplied by 62 and stay below 2^64. */
  private static final long MAX_TIMES_62 = Long.divideUnsigned(-1L, 62);

  static {
    Arrays.fill(DIGITS, (byte) -1);
    for (int i = 0; i < ALPHABET.length; i++) {
      DIGITS[ALPHABET[i]] = (byte) i;
    }
  }

  private Base62() {}

  /** The value of a digit, or -1. Takes the whole character: U+0141 is not {@code A}. */
  static int digit(char c) {
    return c < DIGITS.length ? DIGITS[c] : -1;
  }

  /** The value of at most 10 digits; each must be one. */
  static long decode(byte[] digits, int from, int length) {
    long value = 0;
    for (int i = from; i < from + length; i++) {
      value = value * 62 + DIGITS[digits[i]];
    }
    return value;
  }

  /**
   * Decodes the 22 digits of a key id; each must be one. Returns false, with {@code into}
   * undefined, for a value above 2^128 - 1: 62^22 is almost eight times 2^128, and one id must have
   * one text.
   *
   * @param into receives the high and the low 64 bits
   */
  static boolean decodeId(byte[] digits, int from, long[] into) {
    if (DIGITS[digits[from]] > 7) { // 8 * 62^21 > 2^128; and what follows needs head < 2^63
      return false;
    }
    long head = decode(digits, from, 10) * 62 + DIGITS[digits[from + 10]];
    long middle = decode(digits, from + 11, 10);
    long low = head * POW_10;
    long high = Math.multiplyHigh(head, POW_10);
    low += middle;
    if (Long.compareUnsigned(low, middle) < 0) {
      high++;
    }
    if (Long.compareUnsigned(high, MAX_TIMES_62) > 0) {
      return false;
    }
    long carry = ((low >>> 32) * 62 + (((low & 0xFFFF_FFFFL) * 62) >>> 32)) >>> 32;
    int last = DIGITS[digits[from + 21]];
    low *= 62;
    high *= 62;
    low += last;
    if (Long.compareUnsigned(low, last) < 0) {
      carry++;
    }
    high += carry;
    into[0] = high;
    into[1] = low;
    return Long.compareUnsigned(high, carry) >= 0;
  }

  /** The 22 digits of a key id. */
  static String encodeId(long high, long low) {
    int[] limbs = {(int) (high >>> 32), (int) high, (int) (low >>> 32), (int) low};
    byte[] digits = new byte[ID_LENGTH];
    for (int i = ID_LENGTH - 1; i >= 0; i--) {
      long remainder = 0;
      for (int j = 0; j < limbs.length; j++) {
        long dividend = (remainder << 32) | (limbs[j] & 0xFFFF_FFFFL);
        limbs[j] = (int) (dividend / 62);
        remainder = dividend % 62;
      }
      digits[i] = ALPHABET[(int) remainder];
    }
    return new String(digits, StandardCharsets.US_ASCII);
  }

  /** The 6 digits of a checksum, given as an unsigned 32-bit value. */
  static String encodeCrc(long crc) {
    byte[] digits = new byte[CRC_LENGTH];
    long rest = crc;
    for (int i = CRC_LENGTH - 1; i >= 0; i--) {
      digits[i] = ALPHABET[(int) (rest % 62)];
      rest /= 62;
    }
    return new String(digits, StandardCharsets.US_ASCII);
  }

  /**
   * Random digits, each of the 62 equally likely: 6 bits are drawn, and 62 and 63 are thrown away.
   * A remainder ({@code b % 62}) would favour the first eight digits by a quarter.
   */
  static String randomText(int length, SecureRandom random) {
    byte[] text = new byte[length];
    byte[] drawn = new byte[length + length / 8 + 1]; // 1 in 32 is thrown away
    try {
      int filled = 0;
      while (filled < length) {
        random.nextBytes(drawn);
        for (int i = 0; i < drawn.length && filled < length; i++) {
          int candidate = drawn[i] & 0x3F;
          if (candidate < ALPHABET.length) {
            text[filled++] = ALPHABET[candidate];
          }
        }
      }
      return new String(text, StandardCharsets.US_ASCII);
    } finally {
      Arrays.fill(text, (byte) 0);
      Arrays.fill(drawn, (byte) 0);
    }
  }
}
