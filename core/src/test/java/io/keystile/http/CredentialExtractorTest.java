package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Seed;
import io.keystile.TokenFormat;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialExtractorTest {

  private static final String A =
      "acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU";
  private static final String B =
      "acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq000000";
  private static final String T =
      "acme_test_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU";
  private static final String JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
  private static final String LONG = "x".repeat(600);

  /** One of 512 characters, the most that is taken apart, and one of one more. */
  private static final String FULL = "y".repeat(512);

  /** What a server takes for the query: behind the first question mark, before the fragment. */
  private static final Pattern URI_QUERY = Pattern.compile("[^?#]*\\??([^#]*)(#.*)?");

  /**
   * Lines of a request, parted by {@code |}; {@code ?} begins a query; what is found stands behind
   * {@code =>}. {@code [brackets]} are names of values, {@code <...>} is white space or worse.
   */
  private static final String SHAPES =
      """
      # where a key is looked for
      => absent
      X-API-Key: [A] => [A]
      x-api-key: [A] => [A]
      X-Api-Key: [A] => [A]
      Authorization: Bearer [A] => [A]
      authorization: bearer [A] => [A]
      Authorization: BEARER [A] => [A]
      Authorization: ApiKey [A] => [A]
      Authorization: APIKEY [A] => [A]
      Authorization: apikey [A] => [A]
      Authorization: api-key [A] => [A]
      Authorization: Api-Key [A] => [A]
      Cookie: X-API-Key=[A] => absent
      Proxy-Authorization: ApiKey [A] => absent
      X-API-Token: [A] => absent
      ?api_key=[A] => absent

      # the same twice is one, two different are ambiguous
      X-API-Key: [A] | X-API-Key: [A] => [A]
      X-API-Key: [A] | X-API-Key: [B] => ambiguous
      X-API-Key: [A] | X-API-Key: [B] | X-API-Key: [A] => ambiguous
      X-API-Key: [A] | Authorization: Bearer [A] => [A]
      X-API-Key: [A] | Authorization: Bearer [B] => ambiguous
      X-API-Key: [A] | Authorization: ApiKey [A] => [A]
      X-API-Key: [A] | Authorization: ApiKey [B] => ambiguous
      X-API-Key: [A] | Authorization: api-key nonsense => ambiguous
      X-API-Key: nonsense | Authorization: Bearer [A] => ambiguous
      Authorization: Bearer [A] | Authorization: ApiKey [A] => [A]
      Authorization: Bearer [A] | Authorization: ApiKey [B] => ambiguous
      Authorization: Bearer [A] | Authorization: Bearer [B] => ambiguous

      # folded by a proxy
      X-API-Key: [A],[A] => [A]
      X-API-Key: [A], [B] => ambiguous
      X-API-Key: [A],,<sp>, => [A]
      X-API-Key: ,[A] => [A]
      Authorization: Bearer [A], ApiKey [A] => [A]
      Authorization: Bearer [A], Bearer [B] => ambiguous
      Authorization: Bearer [JWT], ApiKey [A] => [A]
      Authorization: Basic dTpw, Bearer [A] => [A]
      Authorization: Bearer [JWT], Basic dTpw => absent

      # what is the host's
      Authorization: Bearer [JWT] => absent
      Authorization: Basic dTpw => absent
      Authorization: Digest username="u", realm="ApiKey" => absent
      Authorization: Negotiate [LONG] => absent
      Authorization: Bearer [LONG] => absent
      X-API-Key: [A] | Authorization: Bearer [JWT] => [A]
      X-API-Key: [A] | Authorization: Basic dTpw => [A]
      X-API-Key: [A] | Authorization: Bearer [LONG] => [A]
      X-API-Key: nonsense | Authorization: Bearer [JWT] => nonsense
      Authorization: ApiKey [JWT] => [JWT]
      X-API-Key: [JWT] => [JWT]

      # one that will not parse is one
      X-API-Key: nonsense => nonsense
      X-API-Key: two words => two words
      X-API-Key: Bearer [A] => Bearer [A]
      X-API-Key: "[A]" => "[A]"
      Authorization: ApiKey nonsense => nonsense
      Authorization: ApiKey key="[A]" => key="[A]"
      Authorization: ApiKey [A] [B] => [A] [B]
      Authorization: Bearer [B] => [B]
      Authorization: Bearer [A]= => [A]=
      Authorization: Bearer nonsense => absent
      X-API-Key: [FULL] => [FULL]
      X-API-Key: [FULL]z => [FULL]z
      X-API-Key: [A], [LONG] => [A], [LONG]
      Authorization: ApiKey [LONG] => ApiKey [LONG]
      Authorization: api-key [LONG] => api-key [LONG]
      X-API-Key: [A] | X-API-Key: [LONG] => ambiguous

      # long ones count if they begin as ours, and blanks do not make one long
      X-API-Key: [A] | Authorization: Bearer [B][BLANKS] => ambiguous
      X-API-Key: [A] | Authorization: Bearer [A][BLANKS] => [A]
      X-API-Key: [A] | Authorization: [BLANKS]Bearer [B] => ambiguous
      X-API-Key: [A] | Authorization: Bearer [BLANKS][B] => ambiguous
      X-API-Key: [A] | Authorization: Bearer [B][LONG] => ambiguous
      X-API-Key: [A] | Authorization: Bearer<tab>[B], [LONG] => ambiguous
      X-API-Key: [A] | Authorization: ApiKey<tab>[LONG] => ambiguous
      X-API-Key: [A] | Authorization: api-key<tab>[LONG] => ambiguous
      X-API-Key: [A] | Authorization: ApiKeys [LONG] => [A]
      X-API-Key: [A][BLANKS] => [A]
      X-API-Key: [BLANKS] => absent
      Authorization: ApiKey[BLANKS] => absent

      # nothing
      X-API-Key: => absent
      X-API-Key: <sp><tab> => absent
      X-API-Key: , => absent
      Authorization: => absent
      Authorization: , => absent
      Authorization: Bearer => absent
      Authorization: ApiKey => absent
      Authorization: ApiKey<sp> => absent
      Authorization: [A] => absent
      Authorization: Bearer[A] => absent
      Authorization: ApiKey:[A] => absent
      Authorization: ApiKey=[A] => absent
      Authorization: Key [A] => absent
      X-API-Key: | Authorization: Bearer [A] => [A]

      # optional white space goes, and nothing else
      X-API-Key: <sp><tab>[A]<tab><sp> => [A]
      Authorization: Bearer <sp><tab>[A]<tab> => [A]
      Authorization: ApiKey<tab>[A] => [A]
      X-API-Key: <nbsp>[A] => <nbsp>[A]
      X-API-Key: [A]<lf> => [A]<lf>
      X-API-Key: [A]<nul> => [A]<nul>
      X-API-Key: <cr><lf>[A] => <cr><lf>[A]
      X-API-Key: <ls>[A] => <ls>[A]
      Authorization: Bearer <nbsp>[A] => absent
      """;

  private static final String QUERY_SHAPES =
      """
      => absent
      ? => absent
      ?api_key=[A] => [A] in query
      ?a=1&api_key=[A]&b=2 => [A] in query
      ?api%5Fkey=[A] => [A] in query
      ?api_key=acme%5Flive[A-tail] => [A] in query
      ?api_key=[A]&api_key=[A] => [A] in query
      ?api_key=[A]&api_key=[B] => ambiguous in query
      ?api_key=[A] | X-API-Key: [A] => [A] in query
      ?api_key=[A] | X-API-Key: [B] => ambiguous in query
      ?api_key=[A] | Authorization: Bearer [JWT] => [A] in query
      ?api_key= | X-API-Key: [A] => [A] in query
      ?api_key= => absent in query
      ?api_key => absent
      ?API_KEY=[A] => absent
      ?xapi_key=[A] => absent
      ?api_key%00=[A] => absent
      ?a=api_key=[A] => absent
      ?&&api_key=[A]&& => [A] in query
      ?api_key=+[A] => <sp>[A] in query
      ?api_key=%zz => %zz in query
      ?api_key=% => % in query
      ?api_key=[LONG] => [LONG] in query
      ?%zz=1&api_key=[A] => [A] in query
      """;

  private static final String TEST_QUERY_SHAPES =
      """
      ?api_key=[T] => [T] in query
      ?api_key=[A] => absent in query
      ?api_key=nonsense => absent in query
      ?api_key=[A] | X-API-Key: [A] => [A] in query
      ?api_key=[A]&api_key=[T] => [T] in query
      ?api_key=[T] | X-API-Key: [A] => ambiguous in query
      """;

  /** With foreign tokens: {@code [F]} is one of each awkward form. */
  private static final String FOREIGN_SHAPES =
      """
      # another Bearer value counts where there is no other candidate
      Authorization: Bearer [F] => [F]
      Authorization: bearer [F] => [F]
      authorization: BEARER<tab>[F]<sp> => [F]
      Authorization: Bearer [JWT] => [JWT]
      Authorization: Bearer nonsense => nonsense
      Authorization: Basic dTpw, Bearer [F] => [F]
      Authorization: Basic dTpw | Authorization: Bearer [F] => [F]
      X-API-Key: | Authorization: Bearer [F] => [F]
      X-API-Key: , | Authorization: Bearer [F] => [F]
      Authorization: Bearer [F] | Authorization: Bearer [F] => [F]
      Authorization: Bearer [F], Bearer [F] => [F]
      Authorization: Bearer [F], Bearer nonsense => ambiguous
      Authorization: Bearer [F] | Authorization: Bearer [JWT] => ambiguous

      # beside another candidate it is the host's
      X-API-Key: [F] | Authorization: Bearer [JWT] => [F]
      X-API-Key: [A] | Authorization: Bearer [F] => [A]
      X-API-Key: nonsense | Authorization: Bearer [F] => nonsense
      Authorization: ApiKey [F] | Authorization: Bearer [JWT] => [F]
      Authorization: Bearer [A] | Authorization: Bearer [F] => [A]
      Authorization: Bearer [F], Bearer [A] => [A]
      X-API-Key: [A] | Authorization: Bearer [B] => ambiguous
      X-API-Key: [A] | X-API-Key: [B] | Authorization: Bearer [F] => ambiguous
      X-API-Key: [F] | Authorization: ApiKey [A] => ambiguous
      X-API-Key: [F] | Authorization: Bearer [A] => ambiguous
      X-API-Key: [F] | Authorization: Bearer [F] => [F]

      # its characters survive, wherever it stands
      X-API-Key: [F] => [F]
      Authorization: ApiKey [F] => [F]
      Authorization: api-key [F] => [F]
      X-API-Key: [F],[F] => [F]
      X-API-Key: [F], nonsense => ambiguous
      X-API-Key: <sp>[F]<tab> => [F]

      # up to 512 characters
      X-API-Key: [FULL] => [FULL]
      Authorization: Bearer [FULL] => [FULL]
      Authorization: ApiKey [FULL] => [FULL]
      Authorization: api-key [FULL] => [FULL]
      Authorization: Bearer [LONG] => absent
      X-API-Key: [F] | Authorization: Bearer [LONG] => [F]

      # nothing
      => absent
      Authorization: Bearer => absent
      Authorization: Bearer<sp><tab> => absent
      Authorization: Basic dTpw => absent
      Authorization: Bearer[F] => absent
      Authorization: [F] => absent
      """;

  private static final List<String> FOREIGN_FORMS =
      List.of(
          "KHPUw7fQUInMfKAkCz69NdG+U7Soq2P4STbkbGlRkgo=",
          "xCqCUZNZbEySiiR99SQNzcLB06O0NGCvDr5iV3+rbrp/vVSptZSaDA==",
          "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU",
          "tenant:17:sk_82uF9EwLcFLJYSSLXl6zlhZA-4h2M0k21iFHqu42AEc",
          "c927ed75-fdf9-4663-9c2c-299bc4bd28d0",
          "acme_live_82uF9EwLcFLJYSSLXl6zlhZA-4h2M0k21iFHqu42AEc",
          "a~b_c%20d$e!f*g'h(i)j;k@l?m#n[o]p{q}r^s`t&u\"v",
          "=",
          "x");

  private static final String OWN_HEADER_SHAPES =
      """
      X-Acme-Key: [A] => [A]
      x-acme-key: [A] => [A]
      X-API-Key: [A] => [A]
      X-Acme-Key: [A] | X-API-Key: [A] => [A]
      X-Acme-Key: [A] | X-API-Key: [B] => ambiguous
      """;

  static Stream<String> shapes() {
    return rows(SHAPES);
  }

  static Stream<String> foreign_shapes() {
    return rows(FOREIGN_SHAPES);
  }

  static Stream<String> query_shapes() {
    return rows(QUERY_SHAPES);
  }

  static Stream<String> test_query_shapes() {
    return rows(TEST_QUERY_SHAPES);
  }

  static Stream<String> own_header_shapes() {
    return rows(OWN_HEADER_SHAPES);
  }

  private static Stream<String> rows(String table) {
    return table.lines().filter(row -> !row.isBlank() && !row.startsWith("#"));
  }

  @Test
  void the_tables_have_176_shapes() {
    assertThat(shapes()).hasSize(99);
    assertThat(foreign_shapes()).hasSize(42);
    assertThat(query_shapes()).hasSize(24);
    assertThat(test_query_shapes()).hasSize(6);
    assertThat(own_header_shapes()).hasSize(5);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void reads_headers(String row) {
    check(row, CredentialExtractor.standard());
  }

  @ParameterizedTest
  @MethodSource("foreign_shapes")
  void reads_foreign_tokens_where_they_are_switched_on(String row) {
    for (String form : FOREIGN_FORMS) {
      check(row.replace("[F]", form), CredentialExtractor.standard().withForeignTokens());
    }
  }

  @Test
  void the_options_go_together() {
    CredentialExtractor one =
        CredentialExtractor.standard()
            .withForeignTokens()
            .withHeader("X-Acme-Key")
            .withQueryParameter("api_key", "test");
    CredentialExtractor other =
        CredentialExtractor.standard()
            .withQueryParameter("api_key", "test")
            .withHeader("X-Acme-Key")
            .withForeignTokens();
    for (CredentialExtractor extractor : List.of(one, other)) {
      check("Authorization: Bearer nonsense => nonsense", extractor);
      check("X-Acme-Key: [A] | Authorization: Bearer nonsense => [A]", extractor);
      check("?api_key=[T] | Authorization: Bearer nonsense => [T] in query", extractor);
      check("?api_key=nonsense | Authorization: Bearer x => x in query", extractor);
    }
  }

  @ParameterizedTest
  @MethodSource("query_shapes")
  void reads_the_query_where_it_is_switched_on(String row) {
    check(row, CredentialExtractor.standard().withQueryParameter("api_key"));
  }

  @ParameterizedTest
  @MethodSource("test_query_shapes")
  void reads_only_test_keys_from_the_query(String row) {
    check(row, CredentialExtractor.standard().withQueryParameter("api_key", "test", "test"));
  }

  @ParameterizedTest
  @MethodSource("own_header_shapes")
  void reads_a_header_of_the_host(String row) {
    check(row, CredentialExtractor.standard().withHeader("X-Acme-Key"));
  }

  private static void check(String row, CredentialExtractor extractor) {
    int arrow = row.lastIndexOf("=>");
    Credential found = extractor.extract(request(row.substring(0, arrow)), SampleRequest.GETTER);

    String text =
        found.outcome() == Credential.Outcome.FOUND
            ? found.revealToken()
            : found.outcome().name().toLowerCase(Locale.ROOT);
    assertThat(text + (found.isInQuery() ? " in query" : ""))
        .isEqualTo(value(row.substring(arrow + 2).strip()));
    assertThat(found.revealToken() == null).isEqualTo(found.outcome() != Credential.Outcome.FOUND);
    assertThat(found.toString()).doesNotContain("acme_", "nonsense");
  }

  private static SampleRequest request(String lines) {
    SampleRequest request = SampleRequest.EMPTY;
    for (String line : lines.split("\\|")) {
      String text = line.strip();
      if (text.startsWith("?")) {
        request = request.query(value(text.substring(1)));
      } else if (!text.isEmpty()) {
        int colon = text.indexOf(':');
        request =
            request.header(text.substring(0, colon), value(text.substring(colon + 1).strip()));
      }
    }
    return request;
  }

  private static String value(String text) {
    return text.replace("[A]", A)
        .replace("[A-tail]", A.substring("acme_live".length()))
        .replace("[B]", B)
        .replace("[T]", T)
        .replace("[JWT]", JWT)
        .replace("[LONG]", LONG)
        .replace("[FULL]", FULL)
        .replace("[BLANKS]", " \t".repeat(300))
        .replace("<sp>", " ")
        .replace("<tab>", "\t")
        .replace("<nbsp>", "\u00a0")
        .replace("<cr>", "\r")
        .replace("<lf>", "\n")
        .replace("<nul>", "\0")
        .replace("<ls>", "\u2028");
  }

  @Test
  void takes_a_mistyped_token_of_ours_for_one() {
    assertThat(TokenFormat.isWellFormed(A)).isTrue();
    assertThat(TokenFormat.isWellFormed(B)).isFalse();
  }

  @Test
  void throws_nothing_and_changes_nothing_in_100_000_hostile_requests() {
    SplittableRandom random = Seed.of("CredentialExtractorTest");
    CredentialExtractor extractor = CredentialExtractor.standard().withQueryParameter("api_key");
    List<String> pieces =
        List.of(
            A,
            B,
            JWT,
            "ApiKey ",
            "Bearer ",
            "api-key\t",
            ",",
            ", ",
            "&",
            "=",
            "api_key=",
            "%",
            "%0d%0a",
            "\r\n",
            "\0",
            "\u001b[31m",
            "\u2028",
            "${jndi:ldap://x}",
            "\ud800",
            " ",
            "+",
            "\"",
            ";",
            "٣",
            LONG);
    int found = 0;
    for (int round = 0; round < 100_000; round++) {
      SampleRequest request =
          SampleRequest.EMPTY
              .header("X-API-Key", text(random, pieces))
              .header("Authorization", text(random, pieces))
              .query(text(random, pieces));

      Credential credential = extractor.extract(request, SampleRequest.GETTER);

      String token = credential.revealToken();
      if (token != null && credential.isInQuery()) {
        continue; // decoded
      }
      if (token != null) {
        found++;
        assertThat(request.lines()).anyMatch(line -> line.getValue().contains(token));
      }
    }
    System.out.printf("100,000 hostile requests, %,d with one credential%n", found);
    assertThat(found).isGreaterThan(1_000);
  }

  private static String text(SplittableRandom random, List<String> pieces) {
    return IntStream.range(0, random.nextInt(5))
        .mapToObj(i -> pieces.get(random.nextInt(pieces.size())))
        .collect(Collectors.joining());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "X API Key",
        "X-API-Key:",
        "X-Key\r\n",
        "X-Kéy",
        "Authorization",
        "AUTHORIZATION",
        "Proxy-Authorization",
        "cookie"
      })
  void refuses_what_is_no_header_for_keys(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CredentialExtractor.standard().withHeader(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "api key", "a&b", "a=b", "a%20", "é"})
  void refuses_what_is_no_parameter(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CredentialExtractor.standard().withQueryParameter(name));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "/,                                    /",
        "/?,                                   /?",
        "/?a=1,                                /?a=1",
        "/?api_key=x,                          /",
        "/?api_key,                            /",
        "/?api_key=,                           /",
        "/?a=1&api_key=x,                      /?a=1",
        "/?api_key=x&a=1,                      /?a=1",
        "/?a=1&api_key=x&b=2,                  /?a=1&b=2",
        "/?api_key=x&a=1&api_key=y,            /?a=1",
        "/?API_Key=x&a=1,                      /?a=1",
        "/?api%5fkey=x&a=1,                    /?a=1",
        "/?%61pi_key=x,                        /",
        "/?a=1&&api_key=x,                     /?a=1&",
        "/?a=api_key=x,                        /?a=api_key=x",
        "/?xapi_key=x,                         /?xapi_key=x",
        "/?api_keys=x,                         /?api_keys=x",
        "/api_key=x,                           /api_key=x",
        "/?%zz=1&api_key=x,                    /?%zz=1",
        "/?api_key=x#top,                      /#top",
        "/?a=1&api_key=x#a?b,                  /?a=1#a?b",
        "/#a?api_key=x,                        /#a",
        "https://h:1/p?q=%20&api_key=x&r=+,    https://h:1/p?q=%20&r=+",
        "/?key=x&a=1,                          /?a=1",
        "/?KEY=x,                              /",
        "/?a=%26api_key%3Dx,                   /?a=%26api_key%3Dx",
        "/?a=1;api_key=x,                      /?a=1",
        "/?api_key=x;a=1,                      /?a=1",
        "/?a=1;api_key=x;b=2&c=3,              /?a=1;b=2&c=3",
        "/?a=1;b=2,                            /?a=1;b=2",
        "/?api_key=x?y&a=1,                    /?a=1",
        "/?next=/p?api_key=x,                  /?next=/p",
        "/#api_key=x,                          /",
        "/#api_key=x&a=1,                      /#a=1",
        "/#a=1&KEY=x;b=2,                      /#a=1;b=2",
        "/?api_key=x#api_key=y,                /",
        "/?api_key=x#a&key=y,                  /#a",
        "/#/route?api_key=x&a=1,               /#/route?a=1",
        "/#a#api_key=x,                        /#a",
        "/#,                                   /#",
        "'',                                   ''"
      })
  void removes_keys_from_a_url(String url, String cleaned) {
    CredentialExtractor extractor = CredentialExtractor.standard().withQueryParameter("key");

    assertThat(extractor.withoutKey(url)).isEqualTo(cleaned);
  }

  @Test
  void removes_keys_from_a_url_where_the_query_is_not_read() {
    assertThat(CredentialExtractor.standard().withoutKey("/?key=x&api_key=y")).isEqualTo("/?key=x");
  }

  @Test
  void takes_a_null_value_for_an_empty_one() {
    CredentialExtractor extractor = CredentialExtractor.standard();

    Credential none = extractor.extract(SampleRequest.EMPTY, SampleRequest.withNullsAround());
    Credential one =
        extractor.extract(
            SampleRequest.EMPTY.header("X-API-Key", A), SampleRequest.withNullsAround());

    assertThat(none.outcome()).isEqualTo(Credential.Outcome.ABSENT);
    assertThat(one.revealToken()).isEqualTo(A);
  }

  @Test
  void no_parameter_that_is_read_survives_in_a_url() {
    SplittableRandom random = Seed.of("CredentialExtractorTest");
    CredentialExtractor extractor = CredentialExtractor.standard().withQueryParameter("api_key");
    List<String> pieces =
        List.of("api_key=" + A, "api%5Fkey=" + A, "&", "&", ";", "a=1", "#", "?", "%", "+", "=");
    for (int round = 0; round < 10_000; round++) {
      String cleaned = extractor.withoutKey("/p?" + text(random, pieces));

      String query = URI_QUERY.matcher(cleaned).replaceFirst("$1");
      assertThat(
              extractor.extract(SampleRequest.EMPTY.query(query), SampleRequest.GETTER).outcome())
          .isEqualTo(Credential.Outcome.ABSENT);
    }
  }
}
