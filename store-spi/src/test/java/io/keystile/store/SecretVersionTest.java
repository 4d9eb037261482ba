package io.keystile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SecretVersionTest {
  private static final Instant NOW = Samples.NOW;

  @Test
  void it_ends_at_the_earliest_of_its_three_ends() {
    Instant one = NOW.plusMillis(1);
    Instant two = NOW.plusMillis(2);
    Instant three = NOW.plusMillis(3);

    assertThat(Samples.version(1).end()).isNull();
    assertThat(Samples.version(1, one, null, null).end()).isEqualTo(one);
    assertThat(Samples.version(1, null, one, null).end()).isEqualTo(one);
    assertThat(Samples.version(1, null, null, one).end()).isEqualTo(one);
    assertThat(Samples.version(1, one, two, three).end()).isEqualTo(one);
    assertThat(Samples.version(1, three, one, two).end()).isEqualTo(one);
    assertThat(Samples.version(1, two, three, one).end()).isEqualTo(one);
    assertThat(Samples.version(1, one, one, null).end()).isEqualTo(one);
  }

  @Test
  void its_text_holds_no_hash_and_its_equality_does() {
    SecretVersion version = Samples.version(1);
    SecretVersion other = withHash("f".repeat(64));

    assertThat(version.toString()).doesNotContain(Samples.HASH).contains("number=1", "sha256");
    assertThat(version).isEqualTo(withHash(Samples.HASH)).isNotEqualTo(other);
  }

  @Test
  void a_hash_has_64_lower_case_hexadecimal_digits() {
    List<String> hashes = new ArrayList<>(List.of("", "a".repeat(63), "a".repeat(65)));
    hashes.add("A".repeat(64));
    hashes.add("g".repeat(64));
    hashes.add("a".repeat(64) + "\n");
    for (String hash : hashes) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> withHash(hash))
          .withMessageStartingWith("hash")
          .satisfies(e -> assertThat(hash.isEmpty() || !e.getMessage().contains(hash)).isTrue());
    }
  }

  private static SecretVersion withHash(String hash) {
    return new SecretVersion(1, "sha256", null, hash, "gkUx", NOW, null, null, null, null, null);
  }

  @Test
  void numbers_begin_with_1() {
    assertThatIllegalArgumentException().isThrownBy(() -> Samples.version(0));
  }

  @Test
  void text_has_its_bounds() {
    withText("s".repeat(40), "p".repeat(40), "é".repeat(8), "b".repeat(255), "n".repeat(500));
    assertTextRefused("lastFour", "s", null, "é".repeat(8) + "x", null, null);
    assertTextRefused("createdBy", "s", null, "", "b".repeat(256), null);
    assertTextRefused("note", "s", null, "", null, "n".repeat(501));
    for (String text : Samples.UNSTORABLE) {
      assertTextRefused("lastFour", "s", null, text, null, null);
      assertTextRefused("createdBy", "s", null, "", text, null);
      assertTextRefused("note", "s", null, "", null, text);
    }
  }

  @Test
  void scheme_and_pepper_are_plain_names_that_no_log_line_breaks_at() {
    for (String name : List.of("s", "0", "hmac-sha256", "pepper_2026-1", "a".repeat(40))) {
      withText(name, name, "", null, null);
    }
    List<String> names = new ArrayList<>(Samples.UNSTORABLE);
    names.addAll(List.of("", "a".repeat(41), "SHA256", "sha 256", "sha256 ", "-a", "_a", "\u00e9"));
    names.addAll(List.of("sha256\n", "\nsha256", "a\r\nWARN b", "a.b", "a:b", "a/b", "\u0430"));
    for (String name : names) {
      assertTextRefused("scheme", name, null, "", null, null);
      assertTextRefused("pepperId", "s", name, "", null, null);
    }
  }

  private static void assertTextRefused(
      String field, String scheme, String pepperId, String lastFour, String by, String note) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> withText(scheme, pepperId, lastFour, by, note))
        .withMessageStartingWith(field);
  }

  private static SecretVersion withText(
      String scheme, String pepperId, String lastFour, String by, String note) {
    return new SecretVersion(
        1, scheme, pepperId, Samples.HASH, lastFour, NOW, by, note, null, null, null);
  }

  @Test
  void times_are_whole_milliseconds_from_1970() {
    Instant fine = NOW.plusNanos(1);
    Instant early = Instant.ofEpochMilli(-1);
    for (Instant time : List.of(fine, early)) {
      assertThatIllegalArgumentException().isThrownBy(() -> Samples.version(1, time, null, null));
      assertThatIllegalArgumentException().isThrownBy(() -> Samples.version(1, null, time, null));
      assertThatIllegalArgumentException().isThrownBy(() -> Samples.version(1, null, null, time));
    }
  }
}
