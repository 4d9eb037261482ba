package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KeyIdTest {

  @Test
  void first_and_last_id() {
    assertThat(new KeyId(0, 0)).hasToString("0".repeat(22));
    assertThat(new KeyId(-1, -1)).hasToString("7n42DGM5Tflk9n8mt7Fhc7");
    assertThat(KeyId.parse("7n42DGM5Tflk9n8mt7Fhc7")).isEqualTo(new KeyId(-1, -1));
    assertThat(KeyId.parse("7n42DGM5Tflk9n8mt7Fhc8")).isNull();
    assertThat(KeyId.parse("z".repeat(22))).isNull();
  }

  @Test
  void parts() {
    KeyId id = new KeyId(0x0123_4567_89AB_CDEFL, 0x1122_3344_8899_AABBL);

    assertThat(id.timestampMillis()).isEqualTo(0x0123_4567_89ABL);
  }

  @Test
  void anything_but_22_digits_is_refused() {
    String id = "0351fcs8Bym6tbejfDMyAJ";

    assertThat(KeyId.parse(id)).hasToString(id);
    assertThat(KeyId.parse(null)).isNull();
    for (String text :
        new String[] {
          "",
          id + "0",
          id.substring(1),
          " " + id.substring(1),
          "_" + id.substring(1),
          id.replace('A', '\u0141'),
          id.replace('0', '\uFF10'),
          "-" + id.substring(1)
        }) {
      assertThat(KeyId.parse(text)).as(text).isNull();
    }
  }

  @Test
  void text_and_number_agree_with_big_integers() {
    SplittableRandom random = Seed.of("KeyIdTest");
    BigInteger limit = BigInteger.ONE.shiftLeft(128);
    int inside = 0;
    int outside = 0;
    for (int i = 0; i < 200_000; i++) {
      String text = randomText(random, i);
      BigInteger value = Tokens.number(text);
      KeyId id = KeyId.parse(text);
      if (value.compareTo(limit) < 0) {
        inside++;
        assertThat(id).as(text).isNotNull();
        assertThat(id.high()).isEqualTo(value.shiftRight(64).longValue());
        assertThat(id.low()).isEqualTo(value.longValue());
        assertThat(id).hasToString(text);
      } else {
        outside++;
        assertThat(id).as(text).isNull();
      }
    }
    assertThat(inside).isGreaterThan(50_000);
    assertThat(outside).isGreaterThan(50_000);
  }

  /** Every second one shares its first digits with the largest id, where carries go wrong. */
  private static String randomText(SplittableRandom random, int round) {
    String largest = "7n42DGM5Tflk9n8mt7Fhc7";
    int kept = round % 2 == 0 ? 0 : random.nextInt(23);
    StringBuilder text = new StringBuilder(largest.substring(0, kept));
    while (text.length() < 22) {
      int bound = text.length() == 0 ? 10 : 62;
      text.append(Tokens.DIGITS.charAt(random.nextInt(bound)));
    }
    return text.toString();
  }
}
