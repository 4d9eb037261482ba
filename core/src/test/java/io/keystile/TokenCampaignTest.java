package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Millions of valid, mutated and random texts: nothing is thrown, and a text is accepted only if
 * what was read from it, written again, is that very text.
 */
class TokenCampaignTest {

  private static final int TEXTS = 10_000_000;
  private static final int TEXTS_FOR_A_TWIN = 1_000_000;
  private static final int CHECKED_BY_REFERENCE = 10; // one in so many

  private static final BigInteger IDS = BigInteger.ONE.shiftLeft(128);
  private static final Pattern SHAPE =
      Pattern.compile(
          "acme_([a-z][a-z0-9]{1,15})_([0-9A-Za-z]{22})_[0-9A-Za-z]{32}([0-9A-Za-z]{6})");

  /** Reads a text and writes again what it understood, or returns null. */
  private interface Reader {
    @Nullable String reread(String text);
  }

  private static final class Tally {
    long texts;
    long accepted;
    long falselyAccepted;
    long falselyRefused;
    long referenceChecks;
    long referenceDiffers;
  }

  private final TokenParser parser = Tokens.parser();
  private final Scratch scratch = new Scratch();

  @Test
  void ten_million_texts() {
    Tally tally = run(this::reread, TEXTS);

    System.out.printf(
        "TokenCampaignTest: %,d texts, %,d accepted, %d falsely, %d falsely refused;"
            + " reference asked %,d times, differs %d%n",
        tally.texts,
        tally.accepted,
        tally.falselyAccepted,
        tally.falselyRefused,
        tally.referenceChecks,
        tally.referenceDiffers);
    assertThat(tally.texts).isEqualTo(TEXTS);
    assertThat(tally.accepted).isBetween(TEXTS / 8L, TEXTS / 2L);
    assertThat(tally.falselyAccepted).isZero();
    assertThat(tally.falselyRefused).isZero();
    assertThat(tally.referenceChecks).isGreaterThanOrEqualTo(TEXTS / CHECKED_BY_REFERENCE);
    assertThat(tally.referenceDiffers).isZero();
  }

  @Test
  void a_parser_that_narrows_first_is_caught() {
    Reader twin = text -> reread(new String(narrowed(text), StandardCharsets.ISO_8859_1));

    assertThat(run(twin, TEXTS_FOR_A_TWIN).falselyAccepted).isPositive();
  }

  @Test
  void a_parser_that_takes_every_id_is_caught() {
    Reader twin =
        text -> {
          Matcher shape = SHAPE.matcher(text);
          return shape.matches() && hasRightChecksum(text) ? reread(withIdInRange(text)) : null;
        };

    assertThat(run(twin, TEXTS_FOR_A_TWIN).falselyAccepted).isPositive();
  }

  @Test
  void a_parser_that_trims_is_caught() {
    assertThat(run(text -> reread(text.strip()), TEXTS_FOR_A_TWIN).falselyAccepted).isPositive();
  }

  @Test
  void a_parser_that_ignores_the_checksum_is_caught() {
    Reader twin =
        text ->
            SHAPE.matcher(text).matches()
                ? reread(Tokens.withChecksum(text.substring(0, text.length() - 6)))
                : null;

    assertThat(run(twin, TEXTS_FOR_A_TWIN).falselyAccepted).isPositive();
  }

  @Test
  void of_4096_case_variants_one_is_the_token() {
    String token = Tokens.EXAMPLE;
    SecretHasher hasher = new SecretHasher();
    byte[] stored = Tokens.parsed(token).digestBlock();
    List<Integer> letters = new ArrayList<>();
    for (int i = 0; i < token.length() && letters.size() < 12; i += 3) {
      if (Character.isLetter(token.charAt(i))) {
        letters.add(i);
      }
    }
    int variants = 0;
    int accepted = 0;
    int proven = 0;
    for (int bits = 0; bits < 1 << letters.size(); bits++) {
      StringBuilder text = new StringBuilder(token);
      for (int i = 0; i < letters.size(); i++) {
        if ((bits >>> i & 1) == 1) {
          text.setCharAt(letters.get(i), otherCase(token.charAt(letters.get(i))));
        }
      }
      variants++;
      if (parser.parse(text.toString(), scratch)) {
        accepted++;
      }
      String repaired = Tokens.withChecksum(text.substring(0, text.length() - 6));
      if (parser.parse(repaired, scratch)
          && hasher.verify(scratch.digestBlock(), "sha256", null, stored)
              == SecretHasher.Proof.PROVEN) {
        proven++;
      }
    }
    assertThat(variants).isEqualTo(4096);
    assertThat(accepted).isOne();
    assertThat(proven).isOne();
  }

  @Test
  void a_text_of_a_hundred_million_characters_costs_nothing() {
    String huge = "acme_live_".repeat(10_000_000);

    assertThat(parser.parse(huge, scratch)).isFalse();
    assertThat(TokenFormat.isWellFormed(huge)).isFalse();
    assertThat(TokenFormat.redact(huge)).isEqualTo("(malformed)");
  }

  private Tally run(Reader reader, int texts) {
    SplittableRandom random = Seed.of("TokenCampaignTest");
    TokenMutations mutations = new TokenMutations(random);
    SecureRandom secure = Seed.secure(random);
    List<String> valid = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      valid.add(Tokens.random(i % 2 == 0 ? Tokens.LIVE : Tokens.TEST, secure));
    }
    Tally tally = new Tally();
    for (int i = 0; i < texts; i++) {
      String original = valid.get(random.nextInt(valid.size()));
      boolean keep = random.nextInt(8) == 0;
      String text = keep ? original : mutations.mutate(original);
      String reread = reader.reread(text);
      boolean accepted = reread != null;
      tally.texts++;
      tally.accepted += accepted ? 1 : 0;
      tally.falselyAccepted += accepted && !reread.equals(text) ? 1 : 0;
      tally.falselyRefused += keep && !accepted ? 1 : 0;
      if (i % CHECKED_BY_REFERENCE == 0) {
        tally.referenceChecks++;
        tally.referenceDiffers += accepted == isToken(text) ? 0 : 1;
      }
    }
    return tally;
  }

  private @Nullable String reread(String text) {
    if (!parser.parse(text, scratch)) {
      return null;
    }
    String prefix =
        switch (scratch.prefix) {
          case 0 -> "acme_live_";
          case 1 -> "acme_test_";
          default -> new String(scratch.text, 0, scratch.blockStart, StandardCharsets.US_ASCII);
        };
    String secret =
        new String(scratch.text, scratch.blockStart + 23, 32, StandardCharsets.US_ASCII);
    return Tokens.withChecksum(prefix + new KeyId(scratch.idHigh, scratch.idLow) + "_" + secret);
  }

  /** The format once more, slowly: a regular expression and big integers. */
  private static boolean isToken(String text) {
    Matcher shape = SHAPE.matcher(text);
    return shape.matches()
        && Tokens.number(shape.group(2)).compareTo(IDS) < 0
        && hasRightChecksum(text);
  }

  private static boolean hasRightChecksum(String text) {
    return Tokens.withChecksum(text.substring(0, text.length() - 6)).equals(text);
  }

  private static String withIdInRange(String text) {
    int start = text.length() - 61;
    BigInteger id = Tokens.number(text.substring(start, start + 22)).mod(IDS);
    return Tokens.withChecksum(
        text.substring(0, start)
            + new KeyId(id.shiftRight(64).longValue(), id.longValue())
            + text.substring(start + 22, text.length() - 6));
  }

  private static byte[] narrowed(String text) {
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) text.charAt(i);
    }
    return bytes;
  }

  private static char otherCase(char c) {
    return Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c);
  }
}
