package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Eight bytes at a time against one after the other. */
class Base62Test {
  private static final String ID = "0351fcs8Bym6tbejfDMyAJ";

  private final long[] id = new long[2];

  @Test
  void each_byte_at_each_place_is_a_digit_or_not() {
    int refused = 0;
    for (int place = 0; place < 32; place++) {
      for (int value = 0; value < 256; value++) {
        byte[] bytes = "AZaz09mMAZaz09mMAZaz09mMAZaz09mM".getBytes(StandardCharsets.US_ASCII);
        bytes[place] = (byte) value;
        boolean isDigit = Tokens.DIGITS.indexOf(value) >= 0;
        refused += isDigit ? 0 : 1;

        assertThat(Base62.areDigits(bytes, 0, 32)).isEqualTo(isDigit);
        if (place < Base62.ID_LENGTH) {
          byte[] digits = ID.getBytes(StandardCharsets.US_ASCII);
          digits[place] = (byte) value;
          boolean isFirstSmall = place > 0 || value <= '7';
          assertThat(Base62.decodeId(digits, 0, id)).isEqualTo(isDigit && isFirstSmall);
        }
        if (place < Base62.CRC_LENGTH) {
          byte[] digits = "??4zZ9aA".getBytes(StandardCharsets.US_ASCII);
          digits[2 + place] = (byte) value;
          String text = new String(digits, 2, 6, StandardCharsets.ISO_8859_1);
          assertThat(Base62.decodeCrc(digits, 2))
              .isEqualTo(isDigit ? Tokens.number(text).longValue() : -1);
        }
      }
    }
    assertThat(refused).isEqualTo(32 * (256 - 62));
  }

  @Test
  void checksums_agree_with_big_integers() {
    SplittableRandom random = Seed.of("Base62Test");
    for (int i = 0; i < 100_000; i++) {
      long crc = random.nextInt() & 0xFFFF_FFFFL;
      String text = Base62.encodeCrc(crc);
      byte[] digits = ("zz" + text).getBytes(StandardCharsets.US_ASCII);

      assertThat(Tokens.number(text).longValue()).isEqualTo(crc);
      assertThat(Base62.decodeCrc(digits, 2)).isEqualTo(crc);
    }
  }
}
