package io.keystile;

import static io.keystile.Tokens.EXAMPLE;
import static io.keystile.Tokens.LIVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TokenFormatTest {

  @Test
  void redacted_text_shows_no_digit_of_the_secret() {
    assertThat(TokenFormat.redact(EXAMPLE)).isEqualTo("acme_live_0351fcs8…2gkU");
    KeyId id = KeyId.parse("0351fcs8Bym6tbejfDMyAJ");
    assertThat(TokenFormat.redact(LIVE, id.toString(), "2gkU"))
        .isEqualTo("acme_live_0351fcs8…2gkU");
  }

  @Test
  void malformed_text_is_not_shown() {
    assertThat(TokenFormat.redact(null)).isEqualTo("(malformed)");
    for (int cut = 0; cut < EXAMPLE.length(); cut++) {
      assertThat(TokenFormat.redact(EXAMPLE.substring(0, cut))).isEqualTo("(malformed)");
      assertThat(TokenFormat.redact(EXAMPLE.substring(cut + 1))).isEqualTo("(malformed)");
      assertThat(TokenFormat.redact(EXAMPLE.substring(0, cut) + "!" + EXAMPLE.substring(cut)))
          .isEqualTo("(malformed)");
    }
  }

  @Test
  void age_is_in_the_text() {
    assertThat(TokenFormat.created(EXAMPLE)).contains(Instant.ofEpochMilli(1_795_300_316_469L));
    assertThat(TokenFormat.created(EXAMPLE + "0")).isEmpty();
    assertThat(TokenFormat.created(null)).isEmpty();
    String imported =
        TokenGenerator.token("acme", "live", new KeyId(0xFFFFL, 5), EXAMPLE.substring(33, 65));
    assertThat(TokenFormat.isWellFormed(imported)).isTrue();
    assertThat(TokenFormat.created(imported)).isEmpty();
  }

  @Test
  void scanners_find_tokens_in_any_text() {
    String regex = TokenFormat.scannerRegex(List.of("acme", "umbrella"), List.of("live", "test"));

    assertThat(regex)
        .isEqualTo(
            "(?:acme|umbrella)_(?:live|test)"
                + "_[0-7][0-9A-Za-z]{21}_[0-9A-Za-z]{32}[0-4][0-9A-Za-z]{5}");
    for (String around : List.of("%s", "x%sy", "{\"k\":\"\\n%s\"}", "https://h/?api_key=%s&x=1")) {
      Matcher matcher = Pattern.compile(regex).matcher(around.replace("%s", EXAMPLE));
      assertThat(matcher.find()).as(around).isTrue();
      assertThat(matcher.group()).isEqualTo(EXAMPLE);
    }
    assertThat(Pattern.compile(regex).matcher(EXAMPLE.replace("acme", "evil")).find()).isFalse();
    assertThat(Pattern.compile(TokenFormat.scannerRegex()).matcher(EXAMPLE).matches()).isTrue();
  }

  @Test
  void a_scanner_needs_valid_words() {
    List<String> words = List.of("live");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TokenFormat.scannerRegex(List.of(), words));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TokenFormat.scannerRegex(words, List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TokenFormat.scannerRegex(List.of("a.*"), words));
  }
}
