package io.keystile.benchmarks;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The part of a token that is hashed, and what hashes it. */
final class Sha256 {
  /** Bytes that are hashed of each token: an id of 22, a separator, a secret of 32. */
  static final int LENGTH = 55;

  /** Digits of the id at the beginning of it. */
  static final int ID_LENGTH = 22;

  /** Digits of the checksum behind them. */
  private static final int CHECKSUM = 6;

  private Sha256() {}

  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Copies what is hashed of a token, in the fastest way there is. */
  @SuppressWarnings("deprecation") // right for ASCII, and needs no new array
  static void copy(String token, byte[] into) {
    int end = token.length() - CHECKSUM;
    token.getBytes(end - LENGTH, end, into, 0);
  }
}
