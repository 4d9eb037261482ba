package io.keystile;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** Draws key ids and secrets, and writes tokens. For any thread. */
final class TokenGenerator {

  /** Digits of a secret: 190 bits. */
  static final int SECRET_LENGTH = 32;

  private final InstantSource clock;
  private final SecureRandom random;
  private final @Nullable MintTags mint;

  /**
   * @param mint marks the ids, or null: the last 32 bits are random then
   */
  TokenGenerator(InstantSource clock, SecureRandom random, @Nullable MintTags mint) {
    this.clock = clock;
    this.random = random;
    this.mint = mint;
  }

  /**
   * A new id for a key of this brand and environment.
   *
   * @throws IllegalStateException if the clock is before 1970-01-01T00:00:00.001Z (48 zero bits
   *     mark imported keys) or after the year 10889
   */
  KeyId newId(TokenPrefix prefix) {
    long millis = clock.millis();
    if (millis <= 0 || millis > KeyId.MAX_MILLIS) {
      throw new IllegalStateException("The clock cannot be right: " + millis + " ms since 1970");
    }
    long drawn = random.nextLong();
    long high = millis << 16 | drawn >>> 48;
    int middle = (int) drawn;
    int tag = mint == null ? random.nextInt() : mint.tag(prefix, high, middle);
    return new KeyId(high, ((long) middle << 32) | (tag & 0xFFFF_FFFFL));
  }

  /** A new secret. */
  String newSecret() {
    return Base62.randomText(SECRET_LENGTH, random);
  }

  /** The text a client sends; brand and environment as {@link TokenPrefix} checks them. */
  static String token(String brand, String environment, KeyId id, String secret) {
    String text = brand + "_" + environment + "_" + id + "_" + secret;
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.US_ASCII));
    return text + Base62.encodeCrc(crc.getValue());
  }
}
