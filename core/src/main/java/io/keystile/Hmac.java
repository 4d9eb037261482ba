package io.keystile;

import java.security.GeneralSecurityException;
import java.security.Key;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** HMAC-SHA-256. */
final class Hmac {

  private static final String NAME = "HmacSHA256";

  private Hmac() {}

  /** Copies the bytes into a key. */
  static Key key(byte[] bytes) {
    return new SecretKeySpec(bytes, NAME);
  }

  static byte[] sha256(Key key, byte[] message) {
    try {
      Mac mac = Mac.getInstance(NAME);
      mac.init(key);
      return mac.doFinal(message);
    } catch (GeneralSecurityException e) {
      // every Java platform must have it, and it takes a key of any length
      throw new IllegalStateException("HMAC-SHA-256 does not work on this platform", e);
    }
  }
}
