package io.keystile;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
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

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** In each of eight bytes: what is computed for all of them at once is a multiple of it. */
  private static final long ONES = 0x0101_0101_0101_0101L;

  private static final long HIGH_BITS = 0x8080_8080_8080_8080L;
  private static final long CASE_BITS = 0x2020_2020_2020_2020L;

  // what a byte of a digit is more than the digit
  private static final long ZERO_OF_UPPER = 'A' - 10;
  private static final long ZERO_OF_LOWER = 'a' - 36;

  private static final long POW_2 = 62 * 62;
  private static final long POW_4 = POW_2 * POW_2;
  private static final long POW_6 = POW_4 * POW_2;
  private static final long POW_8 = POW_4 * POW_4;

  /** The largest unsigned value that can be multiplied by 62^6 and stay below 2^64. */
  private static final long MAX_TIMES_POW_6 = Long.divideUnsigned(-1L, POW_6);

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

  /** Whether these bytes, 8 or a multiple of it, are digits. */
  static boolean areDigits(byte[] bytes, int from, int length) {
    long others = 0;
    for (int i = from; i < from + length; i += Long.BYTES) {
      long eight = (long) LONGS.get(bytes, i);
      others |= others(eight, letters(eight), decimals(eight));
    }
    return others == 0;
  }

  // Eight bytes at a time, the first of them lowest: a fifth of the time of one after the other,
  // and a tenth of that of a whole validation. Below, each mark is the highest bit of a byte.

  /** Marks the bytes that are no digits. */
  private static long others(long bytes, long letters, long decimals) {
    return (bytes | ~(letters | decimals)) & HIGH_BITS;
  }

  /** Marks the letters, and perhaps bytes from 0x80 on. */
  private static long letters(long bytes) {
    return between(bytes | CASE_BITS, 'a', 'z');
  }

  private static long decimals(long bytes) {
    return between(bytes, '0', '9');
  }

  private static long between(long bytes, char first, char last) {
    long ascii = bytes & ~HIGH_BITS; // so that no sum runs over into the next byte
    long notBelow = ascii + (0x80 - first) * ONES;
    long above = ascii + (0x7F - last) * ONES;
    return notBelow & ~above & HIGH_BITS;
  }

  /** The value of eight digits, or -1 if one of the bytes is none. */
  private static long eight(long digits) {
    long letters = letters(digits);
    long decimals = decimals(digits);
    if (others(digits, letters, decimals) != 0) {
      return -1;
    }
    long upper = letters & ~(digits << 2); // the bit of lower case comes to the top
    long zeros =
        ZERO_OF_LOWER * ONES
            - (upper >>> 7) * (ZERO_OF_LOWER - ZERO_OF_UPPER)
            - (decimals >>> 7) * (ZERO_OF_LOWER - '0');
    // the values of one digit each, of two, of four, of all
    long ones = digits - zeros;
    long twos = (ones & 0x00FF_00FF_00FF_00FFL) * 62 + ((ones >>> 8) & 0x00FF_00FF_00FF_00FFL);
    long fours = (twos & 0xFFFF_0000_FFFFL) * POW_2 + ((twos >>> 16) & 0xFFFF_0000_FFFFL);
    return (fours & 0xFFFF_FFFFL) * POW_4 + (fours >>> 32);
  }

  /** The value of the last six of eight bytes, or -1 if one of these is no digit. */
  private static long lastSix(long bytes) {
    return eight((bytes & ~0xFFFFL) | '0' * 0x0101L);
  }

  /**
   * The value of the 6 digits of a checksum, or -1 if one of the bytes is none.
   *
   * @param from at least 2
   */
  static long decodeCrc(byte[] digits, int from) {
    return lastSix((long) LONGS.get(digits, from - 2));
  }

  /**
   * Decodes the 22 digits of a key id. Returns false, with {@code into} undefined, if one of the
   * bytes is none, and for a value above 2^128 - 1: 62^22 is almost eight times 2^128, and one id
   * must have one text.
   *
   * @param into receives the high and the low 64 bits
   */
  static boolean decodeId(byte[] digits, int from, long[] into) {
    long first = eight((long) LONGS.get(digits, from));
    long second = eight((long) LONGS.get(digits, from + 8));
    long third = lastSix((long) LONGS.get(digits, from + 14));
    if ((first | second | third) < 0) {
      return false;
    }
    long low = first * POW_8;
    long high = Math.multiplyHigh(first, POW_8);
    low += second;
    high += Long.compareUnsigned(low, second) < 0 ? 1 : 0;
    if (high > MAX_TIMES_POW_6) {
      return false;
    }
    // the upper half of an unsigned product: that of the signed one, and what the sign took away
    long carry = Math.multiplyHigh(low, POW_6) + ((low >> 63) & POW_6);
    low = low * POW_6 + third;
    carry += Long.compareUnsigned(low, third) < 0 ? 1 : 0;
    high = high * POW_6 + carry;
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
