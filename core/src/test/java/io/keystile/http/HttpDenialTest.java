package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Access;
import io.keystile.Internals;
import io.keystile.Reason;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpDenialTest {

  private static final Access READ = Access.requiring("forecast:read");

  private static HttpDenial denial(Reason reason) {
    return HttpDenial.of(Internals.rejected(reason), READ);
  }

  @Test
  void says_that_a_key_is_needed_without_an_error() {
    HttpDenial denial = HttpDenial.of(Credential.absent(false)).withRealm("forecast");

    assertThat(denial.status()).isEqualTo(401);
    assertThat(denial.headers())
        .containsExactly(
            Map.entry("Content-Type", "application/problem+json"),
            Map.entry("Cache-Control", "no-store"),
            Map.entry("WWW-Authenticate", "Bearer realm=\"forecast\""),
            Map.entry("WWW-Authenticate", "ApiKey realm=\"forecast\""));
    assertThat(denial.body())
        .isEqualTo(
            "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
                + "\"detail\":\"This resource needs an API key.\"}");
  }

  @Test
  void refuses_two_keys() {
    HttpDenial denial = HttpDenial.of(Credential.ambiguous(false));

    assertThat(denial.status()).isEqualTo(400);
    assertThat(Answers.values(denial, "WWW-Authenticate"))
        .containsExactly("Bearer realm=\"api\", error=\"invalid_request\"", "ApiKey realm=\"api\"");
    assertThat(denial.body()).contains("\"error\":\"invalid_request\"");
  }

  @Test
  void answers_all_invalid_keys_alike_byte_for_byte() {
    List<Reason> invalid =
        Arrays.stream(Reason.values())
            .filter(reason -> reason.outcome() == Reason.Outcome.INVALID)
            .toList();

    Set<String> answers =
        invalid.stream().map(reason -> Answers.text(denial(reason))).collect(Collectors.toSet());

    assertThat(invalid)
        .contains(
            Reason.MALFORMED,
            Reason.UNKNOWN,
            Reason.WRONG_SECRET,
            Reason.WRONG_ENVIRONMENT,
            Reason.REVOKED,
            Reason.DISABLED,
            Reason.EXPIRED);
    assertThat(answers)
        .containsExactly(
            "401|{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
                + "\"detail\":\"The API key is not valid.\",\"error\":\"invalid_token\"}"
                + "|Content-Type: application/problem+json|Cache-Control: no-store"
                + "|WWW-Authenticate: Bearer realm=\"api\", error=\"invalid_token\""
                + "|WWW-Authenticate: ApiKey realm=\"api\"|");
  }

  @Test
  void names_the_scopes_that_are_needed() {
    Access access =
        READ.and(Access.requiringAny("export:csv", "export:json")).and(Access.authenticated());

    HttpDenial denial = HttpDenial.of(Internals.rejected(Reason.SCOPE_MISSING), access);

    assertThat(denial.status()).isEqualTo(403);
    assertThat(Answers.values(denial, "WWW-Authenticate"))
        .containsExactly(
            "Bearer realm=\"api\", error=\"insufficient_scope\","
                + " scope=\"forecast:read export:csv export:json\"",
            "ApiKey realm=\"api\"");
  }

  @Test
  void does_not_say_which_of_address_and_caller_is_not_allowed() {
    HttpDenial address = denial(Reason.ADDRESS_NOT_ALLOWED);

    assertThat(address.status()).isEqualTo(403);
    assertThat(address.body()).contains("\"error\":\"access_denied\"");
    assertThat(Answers.values(address, "WWW-Authenticate")).isEmpty();
    assertThat(Answers.text(denial(Reason.CALLER_NOT_ALLOWED))).isEqualTo(Answers.text(address));
  }

  @Test
  void refuses_a_clear_transport() {
    HttpDenial denial = denial(Reason.INSECURE_TRANSPORT);

    assertThat(denial.status()).isEqualTo(403);
    assertThat(denial.body()).contains("\"error\":\"insecure_transport\"");
    assertThat(Answers.values(denial, "WWW-Authenticate")).isEmpty();
  }

  @Test
  void tells_a_secret_that_cannot_replace_itself_why() {
    HttpDenial denial = denial(Reason.SUPERSEDED);

    assertThat(denial.status()).isEqualTo(403);
    assertThat(denial.body())
        .isEqualTo(
            "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,"
                + "\"detail\":\"A newer secret of this API key was made, or the key was changed:"
                + " this one cannot replace itself.\",\"error\":\"superseded\"}");
    assertThat(Answers.values(denial, "WWW-Authenticate")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void has_an_answer_for_every_reason(Reason reason) {
    HttpDenial denial = denial(reason);

    int expected =
        switch (reason.outcome()) {
          case INVALID -> 401;
          case FORBIDDEN -> 403;
          case LIMITED -> 429;
          case UNAVAILABLE -> 503;
        };
    assertThat(denial.status()).isEqualTo(expected);
    assertThat(Answers.values(denial, "Cache-Control")).containsExactly("no-store");
    assertThat(Answers.values(denial, "Retry-After"))
        .isEqualTo(expected == 503 ? List.of("5") : List.of());
    assertThat(denial.body()).startsWith("{").endsWith("}").contains("\"status\":" + expected);
    assertThat(Answers.controlCharacters(Answers.text(denial) + denial)).isZero();
  }

  @Test
  void protects_a_url_that_has_the_key() {
    assertThat(Answers.values(HttpDenial.of(Credential.ambiguous(true)), "Referrer-Policy"))
        .containsExactly("no-referrer");
    assertThat(Answers.values(HttpDenial.of(Credential.ambiguous(false)), "Referrer-Policy"))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\"b", "a\\b", "a\r\nb", "a\tb", "é", "\u2028"})
  void refuses_a_realm_that_would_need_escapes(String realm) {
    HttpDenial denial = denial(Reason.UNKNOWN);

    assertThatIllegalArgumentException().isThrownBy(() -> denial.withRealm(realm));
  }

  @Test
  void is_no_answer_to_a_key_that_was_not_validated() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HttpDenial.of(Credential.found("token", false)));
  }
}
