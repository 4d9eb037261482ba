package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.KeyQuery;
import io.keystile.examples.portal.Visitor.Created;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Forms that were not sent from a page of this portal in this session. */
class PortalForgeryTest {

  private record Form(String path, String... fields) {}

  private static List<Form> forms(Created key) {
    return List.of(
        new Form("/portal/keys", "name", "forged", "scope", "forecast:read"),
        new Form(key.page() + "/rename", "name", "forged"),
        new Form(key.page() + "/rotate", "grace", "NONE"),
        new Form(key.page() + "/revoke", "reason", "LEAKED"),
        new Form(key.page() + "/revoke-secret", "secret", "1", "reason", "LEAKED"),
        new Form("/portal/sign-in", "name", "bob", "password", "guess"),
        new Form("/portal/register", "name", "forged"),
        new Form("/portal/sign-out"));
  }

  /** What an attacker makes of a form; the cookie is always the victim's. */
  private static List<Consumer<Visitor>> forgeries(Site site, String stolenOfBob) {
    String ofVisitor = visited(site).token;
    Visitor earlier = site.signedIn("alice");
    earlier.get("/portal/keys");
    String ofEarlierSession = earlier.token;
    return List.of(
        victim -> victim.token = "",
        victim -> victim.token = Randoms.text() + Randoms.text().substring(1),
        victim -> victim.token = victim.token.substring(1),
        victim -> victim.token = victim.token + "A",
        victim -> victim.token = victim.token.toLowerCase(Locale.ROOT),
        victim -> victim.token = victim.cookie.split("=", 2)[1],
        victim -> victim.token = stolenOfBob,
        victim -> victim.token = ofVisitor,
        victim -> victim.token = ofEarlierSession,
        victim -> victim.origin = "",
        victim -> victim.origin = "null",
        victim -> victim.origin = "https://evil.example",
        victim -> victim.origin = site.origin() + ".evil.example",
        victim -> victim.origin = site.origin().replace("http:", "https:"),
        victim -> victim.origin = "http://localhost",
        victim -> victim.fetchSite = "cross-site",
        victim -> victim.fetchSite = "same-site",
        victim -> victim.fetchSite = "none");
  }

  private static Visitor visited(Site site) {
    Visitor visitor = site.visitor();
    visitor.get("/portal/sign-in");
    return visitor;
  }

  /** The forged forms that were not refused with 403, or that changed something. */
  private static List<String> accepted(FormGuard guard) throws Exception {
    List<String> accepted = new ArrayList<>();
    int tried = 0;
    try (Site site = new Site(guard, List.of())) {
      Visitor bob = site.signedIn("bob");
      bob.get("/portal/keys");
      Visitor alice = site.signedIn("alice");
      Created key = alice.create("robot");
      List<Consumer<Visitor>> forgeries = forgeries(site, bob.token);
      for (Visitor victim : List.of(alice, visited(site))) { // and one who is not signed in
        for (int forgery = 0; forgery < forgeries.size(); forgery++) {
          for (Form form : forms(key)) {
            victim.get(victim == alice ? "/portal/keys/new" : "/portal/register");
            Visitor forger = site.visitor();
            forger.cookie = victim.cookie;
            forger.token = victim.token;
            forger.operation = victim.operation;
            forgeries.get(forgery).accept(forger);
            HttpResponse<String> answer = forger.send(form.path(), form.fields());
            tried++;
            if (answer.statusCode() != 403) {
              accepted.add(forgery + " " + form.path() + ": " + answer.statusCode());
            }
          }
        }
      }
      if (alice.get("/portal/keys").statusCode() != 200
          || site.accounts.has("forged")
          || site.keys.find(key.id()).orElseThrow().revision() != 1
          || site.keys.list(KeyQuery.all()).keys().size() != 1) {
        accepted.add("something was changed");
      }
    }
    System.out.printf("%d forged forms, %d accepted%n", tried, accepted.size());
    return accepted;
  }

  @Test
  void no_forged_form_is_accepted_and_nothing_changes() throws Exception {
    assertThat(accepted(new FormGuard(null))).isEmpty();
  }

  @Test
  void the_twin_without_any_check_is_caught() throws Exception {
    FormGuard none =
        new FormGuard(null) {
          @Override
          boolean accepts(Call call) {
            return true;
          }
        };
    assertThat(accepted(none)).contains("something was changed", "0 /portal/register: 200");
  }

  @Test
  void the_twin_whose_token_is_not_bound_to_the_session_is_caught() throws Exception {
    FormGuard unbound =
        new FormGuard(null) {
          @Override
          String token(String sessionId) {
            return super.token("");
          }
        };
    assertThat(accepted(unbound))
        .anyMatch(forged -> forged.startsWith("6 "))
        .contains("6 /portal/register: 200");
  }

  @Test
  void the_twin_that_does_not_look_where_a_form_comes_from_is_caught() throws Exception {
    FormGuard blind =
        new FormGuard(null) {
          @Override
          boolean accepts(Call call) {
            return token(call.sessionId()).equals(call.field("token"));
          }
        };
    assertThat(accepted(blind))
        .anyMatch(forged -> forged.startsWith("11 "))
        .contains("9 /portal/register: 200");
  }

  @Test
  void behind_a_proxy_the_origin_is_the_one_that_was_set() {
    assertThat(FormGuard.isFromHere("https://a.example", null, "https://a.example")).isTrue();
    assertThat(FormGuard.isFromHere("https://a.example", "same-origin", "https://a.example"))
        .isTrue();
    assertThat(FormGuard.isFromHere("http://a.example", null, "https://a.example")).isFalse();
    assertThat(FormGuard.isFromHere(null, "same-origin", "https://a.example")).isFalse();
  }

  @Test
  void cookies_are_for_tls_alone_where_there_is_tls() throws Exception {
    try (Site site = new Site(new FormGuard("https://keys.example.com"), List.of())) {
      assertThat(site.visitor().get("/portal/sign-in").headers().firstValue("Set-Cookie"))
          .hasValueSatisfying(
              cookie ->
                  assertThat(cookie)
                      .contains("; HttpOnly", "; SameSite=Strict", "; Secure", "; Path=/portal"));
    }
    try (Site site = Site.open()) {
      assertThat(site.visitor().get("/portal/sign-in").headers().firstValue("Set-Cookie"))
          .hasValueSatisfying(
              cookie ->
                  assertThat(cookie)
                      .contains("; HttpOnly", "; SameSite=Strict")
                      .doesNotContain("Secure"));
    }
  }
}
