package io.keystile;

import static io.keystile.Tokens.LIVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TokenGeneratorTest {

  private final SecureRandom random = new SecureRandom();

  @Test
  void a_hundred_thousand_keys_of_one_millisecond_share_nothing() {
    TokenGenerator generator = new TokenGenerator(Tokens.CLOCK, random, null);
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      seen.add(generator.newId(LIVE).toString());
      seen.add(generator.newSecret());
    }
    assertThat(seen).hasSize(200_000);
  }

  @Test
  void what_is_written_is_read() {
    TokenGenerator generator = new TokenGenerator(Tokens.CLOCK, random, null);
    KeyId id = generator.newId(LIVE);
    String secret = generator.newSecret();
    String token = TokenGenerator.token("acme", "live", id, secret);

    Scratch scratch = Tokens.parsed(token);
    assertThat(new KeyId(scratch.idHigh, scratch.idLow)).isEqualTo(id);
    assertThat(token).startsWith("acme_live_" + id + "_" + secret).hasSize(71);
    assertThat(TokenFormat.created(token)).contains(Tokens.CLOCK.instant());
  }

  @Test
  void all_bits_behind_the_time_vary() {
    for (MintTags mint :
        new MintTags[] {null, new MintTags(Tokens.secret("id-1", 40), List.of(), List.of(LIVE))}) {
      TokenGenerator generator = new TokenGenerator(Tokens.CLOCK, random, mint);
      long highOnes = 0;
      long highZeros = 0;
      long lowOnes = 0;
      long lowZeros = 0;
      for (int i = 0; i < 200; i++) { // a bit stays the same by chance once in 2^199
        KeyId id = generator.newId(LIVE);
        highOnes |= id.high();
        highZeros |= ~id.high();
        lowOnes |= id.low();
        lowZeros |= ~id.low();
      }
      assertThat(highOnes & highZeros).isEqualTo(0xFFFF);
      assertThat(lowOnes & lowZeros).isEqualTo(-1L);
    }
  }

  @Test
  void ids_sort_by_time() {
    KeyId earlier = at(1_000).newId(LIVE);
    KeyId later = at(1_001).newId(LIVE);
    KeyId last = at(KeyId.MAX_MILLIS).newId(LIVE);

    assertThat(earlier.toString()).isLessThan(later.toString());
    assertThat(later.toString()).isLessThan(last.toString());
    assertThat(last.timestampMillis()).isEqualTo(KeyId.MAX_MILLIS);
  }

  @Test
  void a_clock_outside_the_format_is_refused() {
    assertThat(at(1).newId(LIVE).timestampMillis()).isOne();
    for (long millis : new long[] {0, -1, KeyId.MAX_MILLIS + 1}) {
      assertThatIllegalStateException().isThrownBy(() -> at(millis).newId(LIVE));
    }
  }

  private TokenGenerator at(long millis) {
    return new TokenGenerator(InstantSource.fixed(Instant.ofEpochMilli(millis)), random, null);
  }
}
