package io.keystile;

import static io.keystile.Tokens.LIVE;
import static io.keystile.Tokens.TEST;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Ids that were never minted. One guess passes in 2^32, so of a million none should. */
class MintTagsForgeryTest {

  private static final int FORGERIES = 1_000_000;

  private final SplittableRandom random = Seed.of("MintTagsForgeryTest");
  private final MintTags tags =
      new MintTags(
          Tokens.secret("id-2", 80), List.of(Tokens.secret("id-1", 40)), List.of(LIVE, TEST));
  private final TokenGenerator generator =
      new TokenGenerator(Tokens.CLOCK, Seed.secure(random), tags);
  private final Scratch scratch = new Scratch();

  @Test
  void a_million_forged_ids() {
    int forged = 0;
    int passed = 0;
    int passedWithEightBits = 0;
    for (int i = 0; i < FORGERIES; i++) {
      long high = Tokens.CLOCK.millis() - random.nextInt(1_000_000) << 16 | random.nextInt(65_536);
      load(high, random.nextLong(), random.nextInt(2));
      forged++;
      if (tags.minted(scratch)) {
        passed++;
      }
      if (mintedByEightBits()) {
        passedWithEightBits++;
      }
    }
    System.out.printf(
        "MintTagsForgeryTest: %,d forged ids, %d passed; with a tag of 8 bits %,d%n",
        forged, passed, passedWithEightBits);
    assertThat(forged).isEqualTo(FORGERIES);
    assertThat(passed).isZero();
    assertThat(passedWithEightBits).isBetween(3_000, 5_000); // the twin: 1 in 256
  }

  @Test
  void every_bit_of_an_id_is_covered() {
    int tried = 0;
    for (int i = 0; i < 1_000; i++) {
      KeyId id = generator.newId(LIVE);
      load(id.high(), id.low(), 0);
      assertThat(tags.minted(scratch)).isTrue();
      for (int bit = 0; bit < 64; bit++) {
        load(id.high() ^ 1L << bit, id.low(), 0);
        assertThat(tags.minted(scratch)).isFalse();
        load(id.high(), id.low() ^ 1L << bit, 0);
        assertThat(tags.minted(scratch)).isFalse();
        tried += 2;
      }
      load(id.high(), id.low(), 1);
      assertThat(tags.minted(scratch)).isFalse();
    }
    assertThat(tried).isEqualTo(128_000);
  }

  /** The twin: looks at the first eight bits of the tag. */
  private boolean mintedByEightBits() {
    int tag =
        tags.tag(scratch.prefix == 0 ? LIVE : TEST, scratch.idHigh, (int) (scratch.idLow >>> 32));
    return tag >>> 24 == ((int) scratch.idLow) >>> 24;
  }

  private void load(long high, long low, int prefix) {
    scratch.idHigh = high;
    scratch.idLow = low;
    scratch.prefix = prefix;
  }
}
