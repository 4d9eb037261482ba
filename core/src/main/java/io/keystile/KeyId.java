package io.keystile;

import org.jspecify.annotations.Nullable;

/**
 * The public, 128-bit name of a key: 48 bits of Unix milliseconds, 48 random bits, 32 bits of mint
 * tag (see {@link MintTags}). Its text is 22 base62 digits and sorts by time. It is no secret.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
record KeyId(long high, long low) {

  /** Largest time that fits, in the year 10889. */
  static final long MAX_MILLIS = (1L << 48) - 1;

  /** The id with this text, or null: exactly 22 digits, at most 2^128 - 1, nothing else. */
  static @Nullable KeyId parse(@Nullable CharSequence text) {
    if (text == null || text.length() != Base62.ID_LENGTH) {
      return null;
    }
    byte[] digits = new byte[Base62.ID_LENGTH];
    for (int i = 0; i < digits.length; i++) {
      char c = text.charAt(i);
      if (Base62.digit(c) < 0) {
        return null;
      }
      digits[i] = (byte) c;
    }
    long[] id = new long[2];
    return Base62.decodeId(digits, 0, id) ? new KeyId(id[0], id[1]) : null;
  }

  /** When the id was minted, in Unix milliseconds; 0 for the id of an imported key. */
  long timestampMillis() {
    return high >>> 16;
  }

  /** Whether it was made for a key that was imported: no id that is minted has the time 0. */
  boolean isImported() {
    return isImported(high);
  }

  /** The same, of an id with these first 64 bits. */
  static boolean isImported(long high) {
    return high >>> 16 == 0;
  }

  /** The 22 base62 digits, as they stand in the token and in the store. */
  @Override
  public String toString() {
    return Base62.encodeId(high, low);
  }
}
