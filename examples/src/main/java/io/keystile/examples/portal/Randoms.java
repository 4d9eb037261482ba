package io.keystile.examples.portal;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;

/** Texts that nobody guesses: 128 random bits in 22 characters. */
final class Randoms {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Pattern TEXT = Pattern.compile("[0-9A-Za-z_-]{22}");

  private Randoms() {}

  static String text() {
    byte[] bits = new byte[16];
    RANDOM.nextBytes(bits);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bits);
  }

  /** Whether a text could be one of them. */
  static boolean looksLike(String text) {
    return TEXT.matcher(text).matches();
  }
}
