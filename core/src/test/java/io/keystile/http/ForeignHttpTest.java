package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.KeyImport;
import io.keystile.KeySpec;
import io.keystile.TransportPolicy;
import io.keystile.limit.Plan;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Keys that were issued elsewhere, over HTTP. */
class ForeignHttpTest {
  private static final Access READ = Access.requiring("forecast:read");
  private static final List<String> FOREIGN =
      List.of(
          "KHPUw7fQUInMfKAkCz69NdG+U7Soq2P4STbkbGlRkgo=",
          "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU",
          "tenant:17:sk_82uF9EwLcFLJYSSLXl6zlhZA/4h2M0k21iFHqu42AEc==",
          "acme_live_82uF9EwLcFLJYSSLXl6zlhZA-4h2M0k21iFHqu42AEc",
          "x".repeat(512));

  private final ApiKeys keys =
      ApiKeys.builder(new InMemoryKeyStore())
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .transport(TransportPolicy.ALLOW)
          .importedKeys()
          .build();
  private final HttpGate<SampleRequest> gate =
      HttpGate.of(keys, SampleRequest.GETTER)
          .withExtractor(CredentialExtractor.standard().withForeignTokens());
  private final HttpGate<SampleRequest> plain = HttpGate.of(keys, SampleRequest.GETTER);

  @AfterEach
  void close() {
    keys.close();
  }

  @Test
  void an_imported_key_is_let_in_wherever_it_stands() {
    keys.importKeys(
        FOREIGN.stream()
            .map(t -> KeyImport.ofToken(t, KeySpec.forOwner("o").scopes("forecast:read")))
            .iterator(),
        progress -> {});
    for (String token : FOREIGN) {
      for (String line : List.of("Bearer " + token, "ApiKey " + token, "api-key " + token)) {
        assertThat(gate.check(with("Authorization", line), READ))
            .isInstanceOf(HttpGate.Passed.class);
      }
      assertThat(gate.check(with("X-API-Key", token), READ)).isInstanceOf(HttpGate.Passed.class);
      assertThat(plain.check(with("X-API-Key", token), READ)).isInstanceOf(HttpGate.Passed.class);
      assertThat(plain.check(with("Authorization", "Bearer " + token), READ))
          .isInstanceOf(HttpDenial.class);
    }
  }

  @Test
  void one_that_nobody_has_is_answered_like_a_token_of_ours_that_nobody_has() {
    Set<String> answers = new HashSet<>();
    answers.add(
        Answers.text(
            gate.check(
                with(
                    "X-API-Key",
                    "acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU"),
                READ)));
    for (String token : FOREIGN) {
      answers.add(Answers.text(gate.check(with("X-API-Key", token), READ)));
      answers.add(Answers.text(gate.check(with("Authorization", "Bearer " + token), READ)));
      answers.add(Answers.text(gate.check(with("X-API-Key", token + "yz"), READ)));
    }

    assertThat(answers).hasSize(1).allMatch(answer -> answer.startsWith("401|"));
  }

  private static SampleRequest with(String name, String value) {
    return SampleRequest.EMPTY.header(name, value);
  }
}
