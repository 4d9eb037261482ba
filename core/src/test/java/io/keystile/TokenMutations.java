package io.keystile;

import java.math.BigInteger;
import java.util.SplittableRandom;

/** Texts that are nearly tokens. */
final class TokenMutations {

  private static final BigInteger IDS = BigInteger.ONE.shiftLeft(128);
  private static final BigInteger TEXTS = BigInteger.valueOf(62).pow(22);
  private static final String[] AROUND = {
    " ", "\n", "\t", "\0", "\u00A0", "\u200B", "\uFEFF", "\""
  };

  private final SplittableRandom random;

  TokenMutations(SplittableRandom random) {
    this.random = random;
  }

  String mutate(String token) {
    return switch (random.nextInt(8)) {
      case 0 -> edited(token);
      case 1 -> Tokens.withChecksum(withoutChecksum(edited(token)));
      case 2 -> widened(token);
      case 3 -> withAnotherTextForItsId(token);
      case 4 -> withAnotherPrefix(token);
      case 5 -> randomDigits(token);
      case 6 -> random.nextBoolean() ? token + around() : around() + token;
      default -> noise();
    };
  }

  /** One to three characters replaced, inserted, removed or swapped. */
  private String edited(String token) {
    StringBuilder text = new StringBuilder(token);
    for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
      int at = random.nextInt(text.length() - 1);
      switch (random.nextInt(5)) {
        case 0 -> text.setCharAt(at, character());
        case 1 -> text.insert(at, character());
        case 2 -> text.deleteCharAt(at);
        case 3 -> text.insert(at, text.charAt(at + 1)).deleteCharAt(at + 2);
        default -> text.setCharAt(at, digit());
      }
    }
    return text.toString();
  }

  /** Characters whose low eight bits are the right ones. */
  private String widened(String token) {
    StringBuilder text = new StringBuilder(token);
    for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
      int at = random.nextInt(text.length());
      text.setCharAt(at, (char) (text.charAt(at) & 0xFF | random.nextInt(1, 256) << 8));
    }
    return text.toString();
  }

  /** An id of the same 128 bits above 2^128, with the right checksum. */
  private String withAnotherTextForItsId(String token) {
    int start = token.length() - 61;
    BigInteger id = Tokens.number(token.substring(start, start + 22));
    BigInteger alias = id.add(IDS.multiply(BigInteger.valueOf(random.nextInt(1, 9))));
    if (alias.compareTo(TEXTS) >= 0) {
      return edited(token);
    }
    return Tokens.withChecksum(
        token.substring(0, start) + Tokens.digits(alias) + token.substring(start + 22, start + 55));
  }

  private String withAnotherPrefix(String token) {
    String body = token.substring(token.length() - 61, token.length() - 6);
    String brand = random.nextInt(4) > 0 ? "acme" : word();
    return Tokens.withChecksum(brand + "_" + word() + "_" + body);
  }

  private String word() {
    StringBuilder word = new StringBuilder();
    for (int length = random.nextInt(0, 19); length > 0; length--) {
      word.append(random.nextInt(40) == 0 ? character() : Character.toLowerCase(digit()));
    }
    return word.toString();
  }

  /** The right shape, all digits by chance, and mostly the right checksum. */
  private String randomDigits(String token) {
    StringBuilder text = new StringBuilder(token);
    for (int i = token.length() - 61; i < token.length(); i++) {
      if (text.charAt(i) != '_') {
        text.setCharAt(i, digit());
      }
    }
    return random.nextInt(4) == 0
        ? text.toString()
        : Tokens.withChecksum(withoutChecksum(text.toString()));
  }

  private String noise() {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(150); length > 0; length--) {
      text.append(character());
    }
    return text.toString();
  }

  private String around() {
    return AROUND[random.nextInt(AROUND.length)];
  }

  private char digit() {
    return Tokens.DIGITS.charAt(random.nextInt(62));
  }

  private char character() {
    return switch (random.nextInt(4)) {
      case 0 -> digit();
      case 1 -> '_';
      case 2 -> (char) random.nextInt(0x300);
      default -> (char) random.nextInt(0x1_0000);
    };
  }

  private static String withoutChecksum(String text) {
    return text.substring(0, Math.max(0, text.length() - 6));
  }
}
