package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Revocation;
import io.keystile.examples.portal.Visitor.Created;
import io.keystile.store.RevocationReason;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an owner does with his keys, over HTTP. */
class PortalTest {
  private Site site;
  private Visitor alice;

  @BeforeEach
  void open() throws Exception {
    site = Site.open();
    alice = site.signedIn("alice");
  }

  @AfterEach
  void close() {
    site.close();
  }

  @Test
  void an_owner_without_keys_is_told_what_to_do() {
    assertThat(alice.get("/portal/keys").body()).contains("No keys yet", "Create your first key");
  }

  @Test
  void a_key_is_created_with_what_was_chosen() {
    HttpResponse<String> answer =
        alice.fill(
            "/portal/keys/new",
            "/portal/keys",
            "name",
            "billing robot",
            "scope",
            "forecast:read",
            "scope",
            "forecast:write",
            "plan",
            "pro");

    assertThat(answer.statusCode()).isEqualTo(200);
    Created created = Visitor.created(answer);
    KeyDetails key = site.keys.find(created.id()).orElseThrow();
    assertThat(key.key().owner()).isEqualTo(Site.ALICE);
    assertThat(key.key().name()).isEqualTo("billing robot");
    assertThat(key.key().scopes()).containsExactly("forecast:read", "forecast:write");
    assertThat(key.key().plan()).isEqualTo("pro");
    assertThat(key.newestSecret().createdBy()).isEqualTo("alice");
    assertThat(alice.get("/portal/keys").body())
        .contains("billing robot", "Active", "in 83 days", key.newestSecret().redacted());
  }

  @Test
  void a_reload_creates_no_second_key() {
    alice.create("once");
    HttpResponse<String> again =
        alice.send("/portal/keys", "name", "once", "scope", "forecast:read");

    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.body()).contains("Done before").doesNotContain("acme_live_");
    assertThat(site.keys.list(KeyQuery.all()).keys()).hasSize(1);
  }

  @Test
  void a_form_that_lacks_something_comes_back_as_it_was_filled_in() {
    HttpResponse<String> answer =
        alice.fill("/portal/keys/new", "/portal/keys", "scope", "forecast:write", "plan", "pro");

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body())
        .contains(
            "Give the key a name",
            "value=\"forecast:write\" checked",
            "value=\"pro\" checked",
            "name=\"operation\" value=\"" + alice.operation + "\"");
    assertThat(alice.send("/portal/keys", "name", "x".repeat(201), "scope", "forecast:read").body())
        .contains("role=\"alert\">name");
  }

  @Test
  void a_rotation_leaves_the_grace_that_was_chosen() {
    Created key = alice.create("robot");
    HttpResponse<String> answer =
        alice.fill(
            key.page() + "/rotate", key.page() + "/rotate", "grace", "DAY", "note", "every March");

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(Visitor.created(answer).token()).isNotEqualTo(key.token());
    KeyDetails now = site.keys.find(key.id()).orElseThrow();
    assertThat(now.status()).isEqualTo(KeyDetails.Status.ROTATING);
    assertThat(now.secrets().get(0).retiresAt()).isEqualTo(site.now().plus(Duration.ofDays(1)));
    assertThat(alice.get(key.page()).body())
        .contains("Rotating", "Secret 2", "In its grace", "every March", "Rotated, secret 2");
    assertThat(alice.send(key.page() + "/rotate", "grace", "DAY").statusCode()).isEqualTo(409);
    assertThat(site.keys.find(key.id()).orElseThrow().secrets()).hasSize(2);
    assertThat(
            alice
                .fill(key.page() + "/rotate", key.page() + "/rotate", "grace", "AGES")
                .statusCode())
        .isEqualTo(400);
  }

  @Test
  void a_key_is_renamed() {
    Created key = alice.create("robot");
    HttpResponse<String> answer =
        alice.fill(key.page() + "/rename", key.page() + "/rename", "name", "invoices");

    assertThat(answer.statusCode()).isEqualTo(303);
    assertThat(alice.get(answer.headers().firstValue("Location").orElseThrow()).body())
        .contains("The key has its new name.", "<h1>invoices</h1>");
    assertThat(alice.send(key.page() + "/rename", "name", " ").statusCode()).isEqualTo(400);
  }

  @Test
  void a_key_is_revoked_after_a_question() {
    Created key = alice.create("robot");
    assertThat(alice.get(key.page() + "/revoke").body()).contains("This is for good.");
    HttpResponse<String> answer =
        alice.send(key.page() + "/revoke", "reason", "LEAKED", "note", "in a log");

    assertThat(answer.statusCode()).isEqualTo(303);
    KeyDetails revoked = site.keys.find(key.id()).orElseThrow();
    assertThat(revoked.status()).isEqualTo(KeyDetails.Status.REVOKED);
    assertThat(revoked.revocation().reason()).isEqualTo(RevocationReason.LEAKED);
    assertThat(alice.get(key.page()).body())
        .contains("<b>Revoked</b>: leaked", "in a log")
        .doesNotContain("/rotate\"");
    assertThat(alice.send(key.page() + "/rename", "name", "new").statusCode()).isEqualTo(409);
    assertThat(alice.send(key.page() + "/revoke", "reason", "MOOD").statusCode()).isEqualTo(400);
  }

  @Test
  void one_secret_is_revoked_alone() {
    Created key = alice.create("robot");
    alice.fill(key.page() + "/rotate", key.page() + "/rotate", "grace", "WEEK");
    String page = key.page() + "/revoke-secret";

    assertThat(alice.get(page + "?secret=1").body()).contains("the other secrets go on");
    assertThat(alice.send(page, "secret", "1", "reason", "UNUSED").statusCode()).isEqualTo(303);

    KeyDetails after = site.keys.find(key.id()).orElseThrow();
    assertThat(after.isLive(1)).isFalse();
    assertThat(after.isLive(2)).isTrue();
    assertThat(alice.get(page + "?secret=2").body()).contains("the only secret that works");
    assertThat(alice.get(page + "?secret=7").statusCode()).isEqualTo(404);
    assertThat(alice.get(page + "?secret=x").statusCode()).isEqualTo(400);
  }

  @Test
  void keys_come_in_pages_and_each_comes_once() {
    for (int i = 0; i < 45; i++) {
      site.keys.issue(KeySpec.forOwner(Site.ALICE).name("robot-" + i));
    }
    String path = "/portal/keys";
    StringBuilder all = new StringBuilder();
    int pages = 0;
    while (path != null) {
      String body = alice.get(path).body();
      all.append(body);
      pages++;
      List<String> next = Site.all(Pattern.compile("/portal/keys\\?after=[0-9A-Za-z]+"), body);
      path = next.isEmpty() ? null : next.get(0);
    }

    assertThat(pages).isEqualTo(3);
    assertThat(Site.all(Pattern.compile(">robot-[0-9]+<"), all.toString()))
        .hasSize(45)
        .doesNotHaveDuplicates();
    assertThat(alice.get("/portal/keys?after=nonsense").statusCode()).isEqualTo(400);
  }

  @Test
  void the_history_comes_in_pages() {
    Created key = alice.create("robot");
    for (int i = 0; i < 25; i++) {
      site.keys.forOwner(Site.ALICE).rename(key.id(), "robot " + i, Cause.by("alice"));
    }
    String first = alice.get(key.page()).body();
    List<String> next = Site.all(Pattern.compile("\\?history=[0-9]+"), first);

    assertThat(next).hasSize(1);
    assertThat(Site.all(Pattern.compile("<b>Changed</b>"), first)).hasSize(19);
    assertThat(
            Site.all(Pattern.compile("<b>Changed</b>"), alice.get(key.page() + next.get(0)).body()))
        .hasSize(6);
    assertThat(alice.get(key.page() + "?history=-1").statusCode()).isEqualTo(400);
  }

  @Test
  void each_state_has_its_word_and_its_buttons() {
    Created key = alice.create("robot");
    site.keys.disable(key.id(), Cause.by("admin"));
    assertThat(alice.get(key.page()).body())
        .contains("Disabled", "Only the service can")
        .doesNotContain("/rotate\"");
    HttpResponse<String> refused =
        alice.fill(key.page() + "/rotate", key.page() + "/rotate", "grace", "DAY");
    assertThat(refused.statusCode()).isEqualTo(409);
    site.keys.enable(key.id(), Cause.by("admin"));

    site.turn(Duration.ofDays(84));
    alice = site.signedIn("alice");
    assertThat(alice.get(key.page()).body()).contains("Its secret is due.", "Due now");
    site.turn(Duration.ofDays(7));
    alice = site.signedIn("alice");
    assertThat(alice.get(key.page()).body()).contains("Expired");
  }

  @Test
  void what_the_administration_wrote_stays_with_it() {
    IssuedKey key =
        site.keys.issue(KeySpec.forOwner(Site.ALICE).name("x").by("carol").note("a bad customer"));
    site.keys.revoke(
        key.id(),
        Revocation.because(RevocationReason.TERMS_VIOLATED).by("carol").note("sent us junk"));

    assertThat(alice.get("/portal/keys/" + key.id()).body())
        .contains("by the service", "terms violated")
        .doesNotContain("carol")
        .doesNotContain("a bad customer")
        .doesNotContain("sent us junk");
  }

  @Test
  void an_owner_gets_no_more_than_what_is_offered() {
    alice.get("/portal/keys/new");
    assertThat(
            alice
                .send("/portal/keys", "name", "a", "scope", "admin:keys", "plan", "pro")
                .statusCode())
        .isEqualTo(403);
    assertThat(alice.send("/portal/keys", "name", "a", "scope", "*").statusCode()).isEqualTo(403);
    assertThat(alice.send("/portal/keys", "name", "a", "plan", "unlimited").statusCode())
        .isEqualTo(403);
    assertThat(alice.send("/portal/keys", "name", "a", "owner", Site.BOB).statusCode())
        .isEqualTo(200);
    assertThat(site.keys.list(KeyQuery.ofOwner(Site.BOB)).keys()).isEmpty();
  }

  @Test
  void panels_are_on_the_page_of_the_key_alone() throws Exception {
    KeyPanel panel =
        (mine, key, now) ->
            Html.of(
                "<section class=\"card\"><h2>Weather</h2>{}</section>",
                UsageChart.of("usage", "Requests", UsageChartTest.DAY));
    try (Site other = new Site(new FormGuard(null), List.of(panel))) {
      Visitor bob = other.signedIn("bob");
      Created key = bob.create("robot");

      assertThat(bob.get(key.page()).body()).contains("<h2>Weather</h2>", "<svg class=\"chart\"");
      assertThat(bob.get("/portal/keys").body()).doesNotContain("<svg class");
    }
  }

  @Test
  void there_is_an_answer_to_head_and_none_to_other_verbs() {
    assertThat(alice.request("HEAD", "/portal/keys", "").statusCode()).isEqualTo(200);
    assertThat(alice.request("HEAD", "/portal/keys", "").body()).isEmpty();
    for (String method : List.of("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE1")) {
      HttpResponse<String> answer = alice.request(method, "/portal/keys", "");
      assertThat(answer.statusCode()).isEqualTo(405);
      assertThat(answer.headers().firstValue("Allow")).contains("GET, HEAD, POST");
    }
    assertThat(alice.get("/portal").headers().firstValue("Location")).contains("/portal/keys");
    assertThat(alice.get("/portalx").statusCode()).isEqualTo(404);
  }
}
