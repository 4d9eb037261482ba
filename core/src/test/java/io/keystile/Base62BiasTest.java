package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Every digit is equally likely, at every position of a secret. */
class Base62BiasTest {

  private static final int LENGTH = 32;
  private static final int DRAWS = 1_937_500;

  /** Exceeded by chance once in 1,000 runs, at 61 degrees of freedom. */
  private static final double LIMIT = 100.9;

  /** Exceeded by chance once in 100,000 runs: there are 32 positions. */
  private static final double LIMIT_OF_A_POSITION = 120.2;

  private interface Drawer {
    String draw(int length, SecureRandom random);
  }

  private record Statistic(long characters, double all, double worstPosition) {}

  @Test
  void digits_are_equally_likely() {
    Statistic found = measure(Base62::randomText);

    System.out.printf(
        "Base62BiasTest: %,d digits, chi-square %.1f (limit %.1f), worst position %.1f (%.1f)%n",
        found.characters, found.all, LIMIT, found.worstPosition, LIMIT_OF_A_POSITION);
    assertThat(found.characters).isGreaterThanOrEqualTo(62_000_000);
    assertThat(found.all).isLessThan(LIMIT);
    assertThat(found.worstPosition).isLessThan(LIMIT_OF_A_POSITION);
  }

  @Test
  void a_remainder_is_caught() {
    Statistic found = measure(Base62BiasTest::byRemainder);

    assertThat(found.all).isGreaterThan(LIMIT);
    assertThat(found.worstPosition).isGreaterThan(LIMIT_OF_A_POSITION);
  }

  @Test
  void a_position_that_never_changes_is_caught() {
    Statistic found =
        measure((length, random) -> Base62.randomText(length - 1, random).concat("0"));

    assertThat(found.worstPosition).isGreaterThan(LIMIT_OF_A_POSITION);
  }

  @Test
  void every_length_is_filled() {
    SecureRandom random = new SecureRandom();
    for (int length = 0; length <= 100; length++) {
      assertThat(Base62.randomText(length, random)).matches("[0-9A-Za-z]{" + length + "}");
    }
  }

  private static String byRemainder(int length, SecureRandom random) {
    byte[] drawn = new byte[length];
    random.nextBytes(drawn);
    char[] text = new char[length];
    for (int i = 0; i < length; i++) {
      text[i] = Tokens.DIGITS.charAt((drawn[i] & 0xFF) % 62);
    }
    return new String(text);
  }

  private static Statistic measure(Drawer drawer) {
    SecureRandom random = Seed.secure(Seed.of("Base62BiasTest"));
    long[][] seen = new long[LENGTH][128];
    long characters = 0;
    for (int i = 0; i < DRAWS; i++) {
      String text = drawer.draw(LENGTH, random);
      for (int position = 0; position < text.length(); position++) {
        seen[position][text.charAt(position)]++;
        characters++;
      }
    }
    long[] all = new long[128];
    double worst = 0;
    for (long[] position : seen) {
      for (int c = 0; c < 128; c++) {
        all[c] += position[c];
      }
      worst = Math.max(worst, chiSquare(position));
    }
    return new Statistic(characters, chiSquare(all), worst);
  }

  private static double chiSquare(long[] seen) {
    double expected = Arrays.stream(seen).sum() / 62.0;
    double sum = 0;
    for (char c : Tokens.DIGITS.toCharArray()) {
      double difference = seen[c] - expected;
      sum += difference * difference / expected;
    }
    return sum;
  }
}
