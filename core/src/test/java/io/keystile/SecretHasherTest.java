package io.keystile;

import static io.keystile.SecretHasher.Proof.PEPPER_MISSING;
import static io.keystile.SecretHasher.Proof.PROVEN;
import static io.keystile.SecretHasher.Proof.SCHEME_NOT_ACCEPTED;
import static io.keystile.SecretHasher.Proof.WRONG;
import static io.keystile.Tokens.EXAMPLE;
import static io.keystile.Tokens.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SecretHasherTest {

  private final ServerSecret old = Tokens.secret("old", 1);
  private final ServerSecret current = Tokens.secret("current", 2);

  private final SecretHasher plain = new SecretHasher();
  private final SecretHasher peppered = new SecretHasher(current, List.of(old), false);

  @Test
  void a_hash_is_proven_by_its_token_only() {
    for (SecretHasher hasher : List.of(plain, peppered)) {
      SecretHasher.Stored stored = hasher.hash(Tokens.parsed(EXAMPLE));

      assertThat(verify(hasher, EXAMPLE, stored)).isEqualTo(PROVEN);
      String other = Tokens.withChecksum(EXAMPLE.substring(0, EXAMPLE.length() - 7) + "4");
      assertThat(verify(hasher, other, stored)).isEqualTo(WRONG);
    }
  }

  @Test
  void digests_are_equal_if_each_of_their_bits_is() {
    byte[] digest = Tokens.parsed(EXAMPLE).digestBlock();
    assertThat(SecretHasher.isEqual(digest, digest.clone())).isTrue();
    for (int bit = 0; bit < 8 * digest.length; bit++) {
      byte[] other = digest.clone();
      other[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(SecretHasher.isEqual(digest, other)).isFalse();
      assertThat(SecretHasher.isEqual(other, digest)).isFalse();
    }
    for (int length : new int[] {0, 8, 31, 33, 64}) {
      byte[] other = Arrays.copyOf(digest, length);
      assertThat(SecretHasher.isEqual(digest, other)).isFalse();
      assertThat(SecretHasher.isEqual(other, other.clone())).isFalse();
    }
  }

  @Test
  void the_record_names_scheme_and_pepper() {
    assertThat(plain.hash(Tokens.parsed(EXAMPLE)).scheme()).isEqualTo("sha256");
    assertThat(plain.hash(Tokens.parsed(EXAMPLE)).pepperId()).isNull();
    assertThat(peppered.hash(Tokens.parsed(EXAMPLE)).scheme()).isEqualTo("hmac-sha256");
    assertThat(peppered.hash(Tokens.parsed(EXAMPLE)).pepperId()).isEqualTo("current");
    assertThat(peppered.hash(Tokens.parsed(EXAMPLE)).hash()).matches("[0-9a-f]{64}");
  }

  @Test
  void every_pepper_verifies_and_a_missing_one_is_told() {
    SecretHasher before = new SecretHasher(old, List.of(), false);
    SecretHasher after = new SecretHasher(current, List.of(), false);
    SecretHasher.Stored stored = before.hash(Tokens.parsed(EXAMPLE));

    assertThat(verify(peppered, EXAMPLE, stored)).isEqualTo(PROVEN);
    assertThat(verify(after, EXAMPLE, stored)).isEqualTo(PEPPER_MISSING);
    assertThat(verify(plain, EXAMPLE, stored)).isEqualTo(PEPPER_MISSING);
  }

  @Test
  void a_hash_without_pepper_is_accepted_where_that_is_said() {
    SecretHasher.Stored stored = plain.hash(Tokens.parsed(EXAMPLE));
    SecretHasher changing = new SecretHasher(current, List.of(), true);

    assertThat(verify(peppered, EXAMPLE, stored)).isEqualTo(SCHEME_NOT_ACCEPTED);
    assertThat(verify(changing, EXAMPLE, stored)).isEqualTo(PROVEN);
  }

  @Test
  void a_foreign_token_is_hashed_with_or_without_pepper_under_one_name() {
    byte[] digest = Tokens.parsed(EXAMPLE).digestBlock();
    SecretHasher changing = new SecretHasher(current, List.of(old), true);
    SecretHasher.Stored bare = plain.hashForeign(digest);
    SecretHasher.Stored keyed = peppered.hashForeign(digest);

    assertThat(bare.scheme()).isEqualTo("sha256-raw").isEqualTo(keyed.scheme());
    assertThat(hex(bare.hash())).isEqualTo(digest);
    assertThat(bare.pepperId()).isNull();
    assertThat(keyed.hash()).isEqualTo(peppered.hash(Tokens.parsed(EXAMPLE)).hash());
    assertThat(keyed.pepperId()).isEqualTo("current");
    assertThat(prove(plain, digest, bare)).isEqualTo(PROVEN);
    assertThat(prove(peppered, digest, bare)).isEqualTo(SCHEME_NOT_ACCEPTED);
    assertThat(prove(changing, digest, bare)).isEqualTo(PROVEN);
    assertThat(prove(plain, digest, keyed)).isEqualTo(PEPPER_MISSING);
    assertThat(prove(changing, digest, keyed)).isEqualTo(PROVEN);
    digest[31] ^= 1;
    assertThat(prove(changing, digest, bare)).isEqualTo(WRONG);
    assertThat(prove(changing, digest, keyed)).isEqualTo(WRONG);
  }

  @Test
  void a_hash_of_another_length_is_wrong() {
    byte[] inner = Tokens.parsed(EXAMPLE).digestBlock();

    for (int length : new int[] {0, 1, 31, 33}) {
      assertThat(plain.verify(inner, "sha256", null, java.util.Arrays.copyOf(inner, length)))
          .isEqualTo(WRONG);
    }
  }

  @Test
  void an_unknown_id_is_never_proven() {
    byte[] inner = Tokens.parsed(EXAMPLE).digestBlock();

    assertThat(plain.pretend(inner)).isEqualTo(WRONG);
    assertThat(peppered.pretend(inner)).isEqualTo(WRONG);
  }

  @Test
  void one_pepper_id_cannot_mean_two() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SecretHasher(current, List.of(Tokens.secret("current", 9)), false))
        .withMessageContaining("'current'");
  }

  @Test
  void ten_thousand_other_schemes_are_refused_in_a_turkish_locale() {
    SplittableRandom random = Seed.of("SecretHasherTest");
    byte[] inner = Tokens.parsed(EXAMPLE).digestBlock();
    SecretHasher changing = new SecretHasher(current, List.of(old), true);
    List<String> known =
        List.of(
            "",
            "none",
            "plain",
            "md5",
            "sha1",
            "sha-1",
            "sha512",
            "SHA256",
            "Sha256",
            "sha-256",
            "HMAC-SHA256",
            "hmac-SHA256",
            "hmac-sha1",
            " sha256",
            "sha256 ",
            "sha256\0",
            "ſha256",
            "hmac_sha256",
            "hmacsha256");
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("tr-TR"));
    try {
      int refused = 0;
      for (int i = 0; i < 10_000; i++) {
        String scheme = i < known.size() ? known.get(i) : mutated(random);
        boolean accepted = changing.verify(inner, scheme, null, inner) != SCHEME_NOT_ACCEPTED;
        assertThat(accepted).as(scheme).isEqualTo(scheme.matches("sha256|sha256-raw"));
        refused += accepted ? 0 : 1;
      }
      assertThat(refused).isGreaterThan(9_900);
    } finally {
      Locale.setDefault(before);
    }
  }

  private static String mutated(SplittableRandom random) {
    StringBuilder scheme = new StringBuilder(random.nextBoolean() ? "sha256" : "sha256-raw");
    scheme.setCharAt(random.nextInt(scheme.length()), (char) random.nextInt(' ', 0x250));
    return scheme.toString();
  }

  private static SecretHasher.Proof verify(
      SecretHasher hasher, String token, SecretHasher.Stored stored) {
    return prove(hasher, Tokens.parsed(token).digestBlock(), stored);
  }

  private static SecretHasher.Proof prove(
      SecretHasher hasher, byte[] inner, SecretHasher.Stored stored) {
    return hasher.verify(inner, stored.scheme(), stored.pepperId(), hex(stored.hash()));
  }
}
