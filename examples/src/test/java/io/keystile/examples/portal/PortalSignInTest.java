package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.KeyQuery;
import io.keystile.examples.portal.Visitor.Created;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who comes in, and how long he stays; and what each answer says to browsers. */
class PortalSignInTest {
  private Site site;

  @BeforeEach
  void open() throws Exception {
    site = Site.open();
  }

  @AfterEach
  void close() {
    site.close();
  }

  @Test
  void the_page_says_that_it_is_a_demonstration() {
    assertThat(site.visitor().get("/portal/sign-in").body()).contains("This is a demo sign-in.");
  }

  @Test
  void name_and_password_let_in() {
    Visitor alice = site.visitor();
    HttpResponse<String> answer =
        alice.fill("/portal/sign-in", "/portal/sign-in", "name", "alice", "password", password());

    assertThat(answer.statusCode()).isEqualTo(303);
    assertThat(alice.get("/portal/keys").body()).contains("Signed in as <b>alice</b>");
  }

  private String password() {
    return site.password("alice");
  }

  @Test
  void a_wrong_password_is_as_wrong_as_a_wrong_name() {
    Visitor visitor = site.visitor();
    visitor.get("/portal/sign-in");

    HttpResponse<String> password =
        visitor.send("/portal/sign-in", "name", "alice", "password", "guess");
    HttpResponse<String> name =
        visitor.send("/portal/sign-in", "name", "carol", "password", password());

    assertThat(password.statusCode()).isEqualTo(401);
    assertThat(name.statusCode()).isEqualTo(401);
    assertThat(name.body()).isEqualTo(password.body().replace("alice", "carol"));
    assertThat(name.body()).doesNotContain(password());
  }

  @Test
  void guessing_is_limited_and_the_right_password_does_not_help_then() {
    Visitor visitor = site.visitor();
    visitor.get("/portal/sign-in");
    for (int i = 0; i < SignIn.PER_ADDRESS; i++) {
      assertThat(visitor.send("/portal/sign-in", "name", "alice", "password", "guess").statusCode())
          .isEqualTo(401);
    }
    HttpResponse<String> refused =
        visitor.send("/portal/sign-in", "name", "alice", "password", password());
    assertThat(refused.statusCode()).isEqualTo(429);
    long seconds = refused.headers().firstValueAsLong("Retry-After").orElseThrow();
    assertThat(seconds).isBetween(1L, 61L);

    site.turn(Duration.ofSeconds(seconds));
    assertThat(
            visitor.send("/portal/sign-in", "name", "alice", "password", password()).statusCode())
        .isEqualTo(303);
  }

  @Test
  void a_session_that_somebody_has_slipped_in_is_not_signed_in() {
    Visitor attacker = site.visitor();
    attacker.get("/portal/sign-in");
    Visitor alice = site.visitor();
    alice.cookie = attacker.cookie;

    alice.fill("/portal/sign-in", "/portal/sign-in", "name", "alice", "password", password());

    assertThat(alice.cookie).isNotEqualTo(attacker.cookie);
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(200);
    assertThat(attacker.get("/portal/keys").statusCode()).isEqualTo(303);
  }

  @Test
  void whoever_signs_in_again_ends_his_session_before() {
    Visitor alice = site.signedIn("alice");
    String before = alice.cookie;
    alice.get("/portal/keys");
    alice.send("/portal/sign-in", "name", "bob", "password", site.password("bob"));

    assertThat(alice.get("/portal/keys").body()).contains("<b>bob</b>");
    alice.cookie = before;
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(303);
  }

  @Test
  void a_cookie_is_worth_nothing_after_the_sign_out() {
    Visitor alice = site.signedIn("alice");
    Created key = alice.create("robot");
    alice.get("/portal/keys/new");
    String kept = alice.cookie;
    HttpResponse<String> answer = alice.send("/portal/sign-out");

    assertThat(answer.headers().firstValue("Set-Cookie").orElseThrow()).contains("Max-Age=0");
    alice.cookie = kept;
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(303);
    HttpResponse<String> replayed = alice.send(key.page() + "/revoke", "reason", "LEAKED");
    assertThat(replayed.statusCode()).isEqualTo(303);
    assertThat(replayed.headers().firstValue("Location")).contains("/portal/sign-in");
    assertThat(site.keys.find(key.id()).orElseThrow().revision()).isEqualTo(1);
  }

  @Test
  void a_session_ends_by_itself() {
    Visitor alice = site.signedIn("alice");
    site.turn(Sessions.IDLE);
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(303);
  }

  @Test
  void of_two_cookies_none_counts() {
    Visitor alice = site.signedIn("alice");
    String own = alice.cookie;
    alice.cookie = own + "; " + Call.COOKIE + "=" + Randoms.text();
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(303);
    alice.cookie = "theme=dark; " + own;
    assertThat(alice.get("/portal/keys").statusCode()).isEqualTo(200);
  }

  @Test
  void what_cannot_be_read_is_refused() {
    Visitor alice = site.signedIn("alice");
    alice.get("/portal/keys/new");
    String form = "token=" + alice.token + "&operation=" + alice.operation;

    assertThat(
            alice
                .request("POST", "/portal/keys", form + "&name=" + "x".repeat(17_000))
                .statusCode())
        .isEqualTo(413);
    assertThat(alice.request("POST", "/portal/keys", form + "&name=%zz").statusCode())
        .isEqualTo(400);
    assertThat(alice.send("/portal/keys", "name", "a\0b").statusCode()).isEqualTo(400);
    alice.operation = "auto:mine";
    assertThat(alice.send("/portal/keys", "name", "a").statusCode()).isEqualTo(400);
    assertThat(site.keys.list(KeyQuery.all()).keys()).isEmpty();
  }

  @Test
  void every_answer_forbids_script_framing_and_keeping() {
    Visitor alice = site.signedIn("alice");
    Created key = alice.create("robot");
    for (String path :
        List.of(
            "/portal",
            "/portal/keys",
            key.page(),
            "/portal/none",
            "/portal/sign-in",
            "/portal/register",
            "/portalx")) {
      alice.get(path);
    }
    for (String name : List.of("carol", "carol", "Carol")) {
      alice.register(name);
    }
    alice.send(key.page() + "/rename", "name", "b");
    alice.token = "";
    alice.send(key.page() + "/rename", "name", "c");
    alice.request("PUT", key.page(), "");

    int answers = 0;
    for (HttpResponse<String> answer : alice.seen()) {
      assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
          .startsWith("default-src 'none'; style-src 'self'; ")
          .contains("frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'")
          .doesNotContain("unsafe")
          .doesNotContain("script-src");
      assertThat(answer.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
      assertThat(answer.headers().firstValue("Referrer-Policy")).contains("same-origin");
      assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
      assertThat(answer.body()).doesNotContain("style=").doesNotContain("<script");
      answers++;
    }
    System.out.println(answers + " answers with all headers");
    HttpResponse<String> style = alice.get("/portal/style.css");
    assertThat(style.headers().firstValue("Content-Type")).contains("text/css; charset=utf-8");
    assertThat(style.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
  }
}
