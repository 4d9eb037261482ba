package io.keystile.leak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Seed;
import io.keystile.TokenFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LeakScannerTest {
  private static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);
  private static final List<String> BRANDS = List.of("acme", "umbrella2");
  private static final List<String> ENVIRONMENTS = List.of("live", "test");
  private static final LeakScanner OURS = LeakScanner.of(BRANDS, ENVIRONMENTS);
  private static final LeakScanner ANY = LeakScanner.ofAnyBrand();
  private static final String TOKEN =
      "acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU";

  private SplittableRandom random = new SplittableRandom(1);

  /** Tokens, with where and how often they were seen. */
  private record Sight(long offset, long line, long count) {}

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s",
        " %s ",
        "key=%s&other=1",
        "https://api.example/v1?api_key=%s#top",
        "{\"key\":\"%s\",\"n\":1}",
        "\"{\\\"key\\\": \\\"%s\\\"}\"",
        "'%s'",
        "`%s`",
        "<key>%s</key>",
        "X-API-Key: %s\r\n",
        "\\n%s\\n",
        "+ACME_KEY=%s",
        "x%s",
        "9%s",
        "_%s",
        "__%s__",
        "acme_%s",
        "acme_live_%s",
        "0351fcs8Bym6tbejfDMyAJ_%s",
        "%s0",
        "%sabcdefghijklmnopqrstuvwxyz",
        "%s_",
        "\0%s\0",
        "\u0141%s\u0141",
        "\uD83D%s\uD83D\uDE00"
      })
  void what_stands_around_a_token_does_not_hide_it(String around) {
    String text = around.formatted(TOKEN);

    for (LeakScanner scanner : List.of(OURS, ANY)) {
      FoundToken found = assertThat(scanner.scan(text)).singleElement().actual();
      assertThat(found.revealToken()).isEqualTo(TOKEN);
      assertThat(found.offset()).isEqualTo(text.indexOf(TOKEN));
      assertThat(found.count()).isEqualTo(1);
    }
  }

  @Test
  void a_find_tells_all_but_its_secret() {
    FoundToken found = OURS.scan("a\r\nb\n\n  " + TOKEN).get(0);

    assertThat(found.redacted()).isEqualTo("acme_live_0351fcs8…2gkU");
    assertThat(found.keyId()).isEqualTo("0351fcs8Bym6tbejfDMyAJ");
    assertThat(found.line()).isEqualTo(4);
    assertThat(found).hasToString("FoundToken[acme_live_0351fcs8…2gkU, offset=8, line=4, count=1]");
    assertThat(OURS)
        .hasToString("LeakScanner[acme_live_, acme_test_, umbrella2_live_, umbrella2_test_]");
  }

  @Test
  void nothing_that_is_no_token_is_found() {
    String other = LeakTokens.random("other_live", random);
    String staging = LeakTokens.random("acme_staging", random);
    List<String> texts = new ArrayList<>();
    texts.add("");
    texts.add("acme_live_");
    texts.add(TOKEN.substring(1));
    texts.add(TOKEN.substring(0, TOKEN.length() - 1));
    texts.add(TOKEN.replace("_", "%5F"));
    texts.add(TOKEN.replace('A', '\u0141'));
    texts.add(TOKEN.substring(0, 40) + "\n" + TOKEN.substring(40));
    texts.add(TOKEN.toUpperCase(Locale.ROOT));
    texts.add(other);
    texts.add(staging);
    // above 2^128 - 1
    texts.add(LeakTokens.withChecksum("acme_live_7n42DGM5Tflk9n8mt7Fhc8_" + "a".repeat(32)));

    assertThat(texts).allSatisfy(text -> assertThat(OURS.scan(text)).isEmpty());
    assertThat(texts.stream().filter(text -> !ANY.scan(text).isEmpty()))
        .containsExactly(other, staging);
  }

  @Test
  void the_checksum_tells_where_a_brand_begins() {
    for (String brand : List.of("ab", "xacme", "abcdefghijklmnop")) {
      String token = LeakTokens.random(brand + "_live", random);

      for (String before : List.of("", "x", "9", "_", "abcdefghijklmnop", "X")) {
        assertThat(reveal(ANY.scan(before + token))).containsExactly(token);
      }
    }
    assertThat(ANY.scan(LeakTokens.random("abcdefghijklmnopq_live", random))).isEmpty();
    assertThat(ANY.scan(LeakTokens.random("acme_abcdefghijklmnopq", random))).isEmpty();
    assertThat(ANY.scan(LeakTokens.random("9a_live", random))).isEmpty();
    assertThat(ANY.scan(LeakTokens.random("acme_l", random))).isEmpty();
  }

  @Test
  void a_token_is_found_wherever_the_text_is_split() throws IOException {
    String text = "lines\nlines\n" + TOKEN + TOKEN.replace("_live_", "_life_") + "\n" + TOKEN;
    int splits = 0;
    int lostByTwin = 0;
    for (int first = 0; first <= text.length(); first++) {
      for (int second = first; second <= text.length(); second++) {
        List<String> pieces =
            List.of(
                text.substring(0, first), text.substring(first, second), text.substring(second));
        assertThat(sights(scan(OURS, new PiecesStream(pieces))))
            .containsExactly(Map.entry(TOKEN, new Sight(12, 3, 2)));
        splits++;
        lostByTwin += countWithoutOverlap(pieces) == 2 ? 0 : 1;
      }
    }
    System.out.printf(
        "Split in three in %,d ways: all found; without overlap %,d lose some%n",
        splits, lostByTwin);
    assertThat(lostByTwin).isPositive();
  }

  @Test
  void a_token_is_found_at_every_place_in_a_large_buffer() throws IOException {
    int buffer = 1 << 16;
    String junk = LeakTokens.digits(3 * buffer, random);
    int places = 0;
    int lostByTwin = 0;
    for (int at = buffer - 200; at < buffer + 200; at++) {
      for (String around : List.of("-", "_", "a", "é")) {
        String text = junk.substring(0, at) + around + TOKEN + around + junk.substring(at);
        String token = scan(OURS, new StringReader(text)).get(0).revealToken();
        assertThat(token).isEqualTo(TOKEN);
        places++;
        lostByTwin +=
            countWithoutOverlap(List.of(text.substring(0, buffer), text.substring(buffer))) == 1
                ? 0
                : 1;
      }
    }
    System.out.printf("%,d places: all found; without overlap %,d are lost%n", places, lostByTwin);
    assertThat(lostByTwin).isPositive();
  }

  /** The planted twin: each piece for itself. */
  private static int countWithoutOverlap(List<String> pieces) {
    long count = 0;
    for (String piece : pieces) {
      for (FoundToken found : OURS.scan(piece)) {
        count += found.count();
      }
    }
    return (int) count;
  }

  @Test
  void it_agrees_with_the_format_at_every_position() throws IOException {
    random = Seed.of("it_agrees_with_the_format_at_every_position");
    int texts = 4 * ROUNDS;
    long tokens = 0;
    int wrongByRegex = 0;
    for (int i = 0; i < texts; i++) {
      String text = text();
      Map<String, Sight> all = reference(text, token -> true);
      tokens += all.size();
      assertThat(sights(ANY.scan(text))).as(text).isEqualTo(all);
      assertThat(sights(scan(ANY, new StringReader(text)))).as(text).isEqualTo(all);
      byte[] latin = text.getBytes(StandardCharsets.ISO_8859_1);
      assertThat(sights(scan(ANY, new PiecesStream(pieces(text))))).as(text).isEqualTo(all);
      assertThat(sights(scan(ANY, new ByteArrayInputStream(latin)))).as(text).isEqualTo(all);
      assertThat(sights(OURS.scan(text))).as(text).isEqualTo(reference(text, this::isOurs));
      wrongByRegex += all.keySet().equals(byRegex(text)) ? 0 : 1;
    }
    System.out.printf(
        "%,d texts with %,d tokens: as the format says; a regular expression differs in %,d%n",
        texts, tokens, wrongByRegex);
    assertThat(tokens).isGreaterThan(texts);
    assertThat(wrongByRegex).isPositive();
  }

  /** The definition itself: each part of the text that is well formed. */
  private static Map<String, Sight> reference(String text, Predicate<String> isWanted) {
    Map<String, Sight> sights = new TreeMap<>();
    for (int start = 0; start < text.length(); start++) {
      for (int end = start + 67; end <= Math.min(start + 95, text.length()); end++) {
        if (text.charAt(end - 39) != '_') {
          continue; // no part that ends here has the shape, and there are many
        }
        String part = text.substring(start, end);
        if (TokenFormat.isWellFormed(part) && isWanted.test(part)) {
          long line = 1 + text.substring(0, start).chars().filter(c -> c == '\n').count();
          long offset = start;
          sights.merge(
              part,
              new Sight(offset, line, 1),
              (known, again) -> new Sight(known.offset(), known.line(), known.count() + 1));
        }
      }
    }
    return sights;
  }

  private boolean isOurs(String token) {
    return BRANDS.stream()
        .anyMatch(
            brand ->
                ENVIRONMENTS.stream().anyMatch(word -> token.startsWith(brand + "_" + word + "_")));
  }

  /** The planted twin: what everybody writes first. */
  private static Set<String> byRegex(String text) {
    Set<String> found = new TreeSet<>();
    Matcher matcher = Pattern.compile(TokenFormat.scannerRegex()).matcher(text);
    while (matcher.find()) {
      if (TokenFormat.isWellFormed(matcher.group())) {
        found.add(matcher.group());
      }
    }
    return found;
  }

  /** A short text of tokens, of what is nearly one, and of anything. */
  private String text() {
    StringBuilder text = new StringBuilder();
    List<String> tokens = new ArrayList<>();
    for (int pieces = random.nextInt(1, 9); pieces > 0; pieces--) {
      switch (random.nextInt(9)) {
        case 0, 1, 2 -> {
          String token = LeakTokens.random(label(), random);
          tokens.add(token);
          text.append(token);
        }
        case 3 -> text.append(LeakTokens.broken(LeakTokens.random(label(), random), random));
        case 4 -> text.append(tokens.isEmpty() ? "_" : tokens.get(0));
        case 5 -> {
          String token = LeakTokens.random(label(), random);
          text.append(token, 0, random.nextInt(token.length()));
        }
        case 6 ->
            text.append(LeakTokens.digits(random.nextInt(60), random).toLowerCase(Locale.ROOT));
        case 7 -> text.append((char) random.nextInt(256)).append("\n_ ".charAt(random.nextInt(3)));
        default -> text.append("acme_live_", 0, random.nextInt(11));
      }
    }
    for (int edits = random.nextInt(3); edits > 0; edits--) {
      int at = random.nextInt(text.length() + 1);
      text.insert(at, "a_Z0\n".charAt(random.nextInt(5)));
    }
    return text.toString();
  }

  private String label() {
    return switch (random.nextInt(5)) {
      case 0 -> "umbrella2_test";
      case 1 -> "ab_cd";
      case 2 -> "abcdefghijklmn0p_abcdefghijklmn0p";
      default -> "acme_live";
    };
  }

  private List<String> pieces(String text) {
    List<String> pieces = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int to = Math.min(text.length(), from + random.nextInt(1, 100));
      pieces.add(text.substring(from, to));
      from = to;
    }
    return pieces;
  }

  @Test
  void characters_are_counted_in_a_text_and_bytes_in_a_stream() throws IOException {
    String text = "ä€\uD83D\uDE00\n" + TOKEN;
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    byte[] utf16 = text.getBytes(StandardCharsets.UTF_16);

    assertThat(OURS.scan(text).get(0).offset()).isEqualTo(5);
    assertThat(scan(OURS, new StringReader(text)).get(0).offset()).isEqualTo(5);
    assertThat(scan(OURS, new ByteArrayInputStream(utf8)).get(0).offset()).isEqualTo(10);
    assertThat(scan(OURS, new ByteArrayInputStream(utf16))).isEmpty();
    Reader reader = new InputStreamReader(new ByteArrayInputStream(utf16), StandardCharsets.UTF_16);
    assertThat(scan(OURS, reader).get(0).line()).isEqualTo(2);
  }

  @Test
  void beyond_the_bound_duplicates_are_reported_again() {
    StringBuilder text = new StringBuilder(TOKEN + "\n" + TOKEN + "\n");
    for (int i = 1; i < LeakScanner.MAX_DISTINCT; i++) {
      text.append(LeakTokens.random("acme_live", random)).append('\n');
    }
    text.append(TOKEN).append('\n');
    assertThat(OURS.scan(text)).hasSize(LeakScanner.MAX_DISTINCT);
    assertThat(OURS.scan(text).get(0).count()).isEqualTo(3);

    String more = LeakTokens.random("acme_live", random);
    text.append(more).append('\n').append(TOKEN).append(more);
    List<FoundToken> found = OURS.scan(text);
    assertThat(found).hasSize(LeakScanner.MAX_DISTINCT + 2);
    assertThat(found.get(0).count()).isEqualTo(3);
    assertThat(reveal(found.subList(LeakScanner.MAX_DISTINCT, found.size())))
        .containsExactly(more, TOKEN);
    assertThat(found.get(LeakScanner.MAX_DISTINCT).count()).isEqualTo(2);
  }

  @Test
  void what_was_found_before_a_failure_is_handed_over() {
    InputStream failing =
        new PiecesStream(List.of("text " + TOKEN + " text")) {
          @Override
          void atEnd() throws IOException {
            throw new IOException("gone");
          }
        };
    List<FoundToken> found = new ArrayList<>();

    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> OURS.scan(failing, found::add))
        .withMessage("gone");
    assertThat(reveal(found)).containsExactly(TOKEN);
  }

  @Test
  void what_the_host_throws_ends_the_scan_and_nothing_is_handed_over_twice() {
    List<FoundToken> found = new ArrayList<>();

    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(
            () ->
                OURS.scan(
                    new StringReader(TOKEN + " " + LeakTokens.random("acme_test", random)),
                    token -> {
                      found.add(token);
                      throw new IllegalStateException("enough");
                    }))
        .withMessage("enough");
    assertThat(reveal(found)).containsExactly(TOKEN);
  }

  @Test
  void bad_words_are_refused_and_not_repeated() {
    for (List<String> words : List.of(List.<String>of(), List.of("A"), List.of("acme", TOKEN))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> LeakScanner.of(words, ENVIRONMENTS))
          .withMessageNotContaining("KBmQ");
      assertThatIllegalArgumentException().isThrownBy(() -> LeakScanner.of(BRANDS, words));
    }
  }

  private static List<FoundToken> scan(LeakScanner scanner, InputStream text) throws IOException {
    List<FoundToken> found = new ArrayList<>();
    scanner.scan(text, found::add);
    return found;
  }

  private static List<FoundToken> scan(LeakScanner scanner, Reader text) throws IOException {
    List<FoundToken> found = new ArrayList<>();
    scanner.scan(text, found::add);
    return found;
  }

  private static Map<String, Sight> sights(List<FoundToken> found) {
    Map<String, Sight> sights = new TreeMap<>();
    for (FoundToken token : found) {
      Sight known =
          sights.put(token.revealToken(), new Sight(token.offset(), token.line(), token.count()));
      assertThat(known).as("reported twice").isNull();
    }
    return sights;
  }

  private static List<String> reveal(List<FoundToken> found) {
    return found.stream().map(FoundToken::revealToken).toList();
  }

  /** Returns one piece with each read. */
  private static class PiecesStream extends InputStream {
    private final List<byte[]> pieces = new ArrayList<>();

    PiecesStream(List<String> pieces) {
      for (String piece : pieces) {
        if (!piece.isEmpty()) {
          this.pieces.add(piece.getBytes(StandardCharsets.ISO_8859_1));
        }
      }
    }

    void atEnd() throws IOException {}

    @Override
    public int read() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      if (pieces.isEmpty()) {
        atEnd();
        return -1;
      }
      byte[] piece = pieces.remove(0);
      assertThat(piece.length).isLessThanOrEqualTo(length);
      System.arraycopy(piece, 0, into, from, piece.length);
      return piece.length;
    }
  }
}
