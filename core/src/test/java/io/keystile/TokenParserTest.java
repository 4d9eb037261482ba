package io.keystile;

import static io.keystile.Tokens.EXAMPLE;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenParserTest {

  private final Scratch scratch = new Scratch();

  @Test
  void the_example_is_read() {
    assertThat(Tokens.parser().parse(EXAMPLE, scratch)).isTrue();

    KeyId id = new KeyId(scratch.idHigh, scratch.idLow);
    assertThat(id).hasToString("0351fcs8Bym6tbejfDMyAJ");
    assertThat(id.timestampMillis()).isEqualTo(1_795_300_316_469L);
    assertThat(scratch.prefix).isZero();
    assertThat(new String(scratch.text, scratch.blockStart, 55, StandardCharsets.US_ASCII))
        .isEqualTo("0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq");
  }

  @Test
  void the_pair_is_told_by_its_index() {
    assertThat(Tokens.parser().parse(rewritten("acme", "test"), scratch)).isTrue();
    assertThat(scratch.prefix).isEqualTo(1);
  }

  @Test
  void another_brand_is_malformed_and_another_environment_is_not() {
    assertThat(Tokens.parser().parse(rewritten("acme", "stage"), scratch)).isTrue();
    assertThat(scratch.prefix).isEqualTo(Scratch.OTHER_ENVIRONMENT);
    assertThat(Tokens.parser().parse(rewritten("acm", "live"), scratch)).isFalse();
    assertThat(Tokens.parser().parse(rewritten("acmee", "live"), scratch)).isFalse();
  }

  @Test
  void a_brand_that_begins_like_another_is_its_own() {
    TokenParser parser =
        new TokenParser(List.of(new TokenPrefix("ac", "live"), new TokenPrefix("acme", "live")));

    assertThat(parser.parse(EXAMPLE, scratch)).isTrue();
    assertThat(scratch.prefix).isEqualTo(1);
  }

  @Test
  void shortest_and_longest_token() {
    TokenParser any = new TokenParser(List.of());
    String shortest = rewritten("ab", "c1");
    String longest = rewritten("a".repeat(16), "b".repeat(16));

    assertThat(shortest).hasSize(TokenParser.MIN_LENGTH);
    assertThat(longest).hasSize(TokenParser.MAX_LENGTH);
    assertThat(any.parse(shortest, scratch)).isTrue();
    assertThat(any.parse(longest, scratch)).isTrue();
    assertThat(any.parse(rewritten("a", "live"), scratch)).isFalse();
    assertThat(any.parse(rewritten("a".repeat(17), "live"), scratch)).isFalse();
  }

  static Stream<String> malformed() {
    String body = EXAMPLE.substring(0, EXAMPLE.length() - 6);
    return Stream.of(
        "",
        "acme_live_",
        " " + EXAMPLE,
        EXAMPLE + " ",
        EXAMPLE + "\n",
        EXAMPLE + "0",
        EXAMPLE.substring(0, EXAMPLE.length() - 1),
        EXAMPLE.toUpperCase(java.util.Locale.ROOT),
        EXAMPLE.replace("gkU", "gkV"),
        Tokens.withChecksum(body.replace("_KB", "-KB")),
        Tokens.withChecksum(body.replace("qx", "q_")),
        Tokens.withChecksum(body.replace("0351", "z351")),
        Tokens.withChecksum(body.replace("live", "Live")),
        Tokens.withChecksum(body.replace("live", "1ive")),
        Tokens.withChecksum(body.replace("live", "l_ve")),
        Tokens.withChecksum(body.replace("acme_live", "acmelive")),
        Tokens.withChecksum(body.replace("acme_live", "acme__live")),
        Tokens.withChecksum(body.replace("acme_live_", "acme_live-")),
        EXAMPLE.replace('A', '\u0141'),
        EXAMPLE.replace('0', '\uFF10'),
        EXAMPLE.replace('K', '\u212A'),
        EXAMPLE.replace("_", "\uFF3F"),
        "\uD800".repeat(71),
        "\0".repeat(71));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformed_text_is_refused(String text) {
    assertThat(Tokens.parser().parse(text, scratch)).isFalse();
    assertThat(new TokenParser(List.of()).parse(text, scratch)).isFalse();
  }

  @Test
  void null_is_malformed() {
    assertThat(Tokens.parser().parse(null, scratch)).isFalse();
  }

  private static String rewritten(String brand, String environment) {
    String body = EXAMPLE.substring(9, EXAMPLE.length() - 6);
    return Tokens.withChecksum(brand + "_" + environment + body);
  }
}
