package io.keystile;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;

/** What the tests of tokens share. */
final class Tokens {

  static final TokenPrefix LIVE = new TokenPrefix("acme", "live");
  static final TokenPrefix TEST = new TokenPrefix("acme", "test");

  /** The example of the documentation. */
  static final String EXAMPLE =
      "acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU";

  static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-21T20:31:56.469Z"));

  /** The base62 digits, written once more: the tests do not ask the code for them. */
  static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  private static final BigInteger BASE = BigInteger.valueOf(62);

  private Tokens() {}

  static ServerSecret secret(String id, int fill) {
    byte[] bytes = new byte[32];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (fill + i);
    }
    return ServerSecret.of(id, bytes);
  }

  static TokenParser parser() {
    return new TokenParser(List.of(LIVE, TEST));
  }

  static String random(TokenPrefix prefix, SecureRandom random) {
    TokenGenerator generator = new TokenGenerator(CLOCK, random, null);
    return TokenGenerator.token(
        prefix.brand(), prefix.environment(), generator.newId(prefix), generator.newSecret());
  }

  /** The text with the checksum that belongs to it. */
  static String withChecksum(String textBeforeChecksum) {
    CRC32 crc = new CRC32();
    crc.update(textBeforeChecksum.getBytes(StandardCharsets.UTF_8));
    return textBeforeChecksum + Base62.encodeCrc(crc.getValue());
  }

  static Scratch parsed(String token) {
    Scratch scratch = new Scratch();
    if (!parser().parse(token, scratch)) {
      throw new AssertionError("does not parse");
    }
    return scratch;
  }

  static KeyId idOf(String token) {
    Scratch scratch = parsed(token);
    return new KeyId(scratch.idHigh, scratch.idLow);
  }

  static BigInteger number(String digits) {
    BigInteger value = BigInteger.ZERO;
    for (char c : digits.toCharArray()) {
      value = value.multiply(BASE).add(BigInteger.valueOf(DIGITS.indexOf(c)));
    }
    return value;
  }

  /** The 22 digits of a number below 62^22. */
  static String digits(BigInteger number) {
    StringBuilder digits = new StringBuilder();
    BigInteger rest = number;
    for (int i = 0; i < 22; i++) {
      BigInteger[] parts = rest.divideAndRemainder(BASE);
      digits.append(DIGITS.charAt(parts[1].intValue()));
      rest = parts[0];
    }
    return digits.reverse().toString();
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }
}
