package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeySpec;
import io.keystile.examples.portal.Visitor.Created;
import io.keystile.usage.UsageQuery;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Two owners, each of whom wants the keys of the other. */
class PortalOwnersTest {
  private static final List<String> PAGES =
      List.of(
          "",
          "/rename",
          "/rotate",
          "/revoke",
          "/revoke-secret?secret=1",
          "?history=0",
          "/usage.csv",
          "/risk");
  private static final List<List<String>> FORMS =
      List.of(
          List.of("/rename", "name", "taken"),
          List.of("/rename", "name", ""),
          List.of("/rotate", "grace", "NONE"),
          List.of("/rotate", "grace", "AGES"),
          List.of("/rotate"),
          List.of("/revoke", "reason", "LEAKED", "note", "mine now"),
          List.of("/revoke", "reason", "MOOD"),
          List.of("/revoke-secret", "secret", "1", "reason", "LEAKED"),
          List.of("/revoke-secret", "secret", "9", "reason", "LEAKED"),
          List.of("/revoke-secret", "secret", "x"),
          List.of("/delete"),
          List.of(""));

  @Test
  void a_key_of_somebody_else_is_exactly_like_one_that_nobody_has() throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      Visitor bob = site.signedIn("bob");
      int tried = attack(site, alice, bob) + attack(site, bob, alice);
      System.out.println(tried + " requests for keys of the other owner, 0 differ from unknown");
      assertThat(tried).isEqualTo(2 * 3 * 3 * (PAGES.size() + FORMS.size()));
    }
  }

  @Test
  void owners_who_have_registered_are_no_closer_to_each_other_or_to_those_before()
      throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      Visitor carol = site.registered("carol");
      Visitor dave = site.registered("dave");
      int tried = 0;
      for (Visitor victim : List.of(alice, carol, dave)) {
        for (Visitor thief : List.of(alice, carol, dave)) {
          tried += victim == thief ? 0 : attack(site, victim, thief);
        }
      }
      System.out.println(tried + " requests among three owners, 0 differ from unknown");
      assertThat(tried).isEqualTo(6 * 3 * 3 * (PAGES.size() + FORMS.size()));
      assertThat(seenOfOther(site, carol, dave, "carol", "dave")).isEmpty();
    }
  }

  /** Attacks keys of each state, from each of three sessions. */
  private static int attack(Site site, Visitor victim, Visitor thief) {
    Created active = victim.create("active");
    Created rotating = victim.create("rotating");
    victim.fill(rotating.page() + "/rotate", rotating.page() + "/rotate", "grace", "WEEK");
    Created revoked = victim.create("revoked");
    victim.fill(revoked.page() + "/revoke", revoked.page() + "/revoke", "reason", "UNUSED");
    victim.get("/portal/keys/new");
    String stolen = victim.token;
    int tried = 0;
    for (Created key : List.of(active, rotating, revoked)) {
      KeyDetails before = site.keys.find(key.id()).orElseThrow();
      String unknown = "/portal/keys/" + key.id().substring(0, 10) + "AAAAAAAAAAAA";
      thief.get("/portal/keys/new");
      String own = thief.token;
      for (String token : List.of(own, stolen, "")) {
        thief.token = token;
        for (String page : PAGES) {
          String session = thief.token;
          requireSame(thief.get(key.page() + page), thief.get(unknown + page), 404);
          thief.token = session;
          tried++;
        }
        for (List<String> form : FORMS) {
          String[] fields = form.subList(1, form.size()).toArray(String[]::new);
          HttpResponse<String> known = thief.send(key.page() + form.get(0), fields);
          int expected = !token.equals(own) ? 403 : form.contains("x") ? 400 : 404;
          requireSame(known, thief.send(unknown + form.get(0), fields), expected);
          tried++;
        }
      }
      KeyDetails after = site.keys.find(key.id()).orElseThrow();
      assertThat(after.revision()).isEqualTo(before.revision());
      assertThat(after.status()).isEqualTo(before.status());
      assertThat(thief.get("/portal/keys?after=" + key.id()).body()).doesNotContain(key.id());
    }
    return tried;
  }

  private static void requireSame(
      HttpResponse<String> known, HttpResponse<String> unknown, int expected) {
    assertThat(known.statusCode()).as(known.uri().toString()).isEqualTo(expected);
    assertThat(unknown.statusCode()).isEqualTo(expected);
    assertThat(known.body()).isEqualTo(unknown.body());
    assertThat(names(known)).isEqualTo(names(unknown));
  }

  private static List<String> names(HttpResponse<String> answer) {
    return answer.headers().map().keySet().stream().sorted().toList();
  }

  @Test
  void the_comparison_notices_a_key_that_is_there() throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      Created key = alice.create("mine");

      HttpResponse<String> known = alice.get(key.page());
      HttpResponse<String> unknown = alice.get(key.page().replaceAll(".{12}$", "AAAAAAAAAAAA"));

      assertThat(known.statusCode()).isNotEqualTo(unknown.statusCode());
      assertThat(known.body()).isNotEqualTo(unknown.body());
    }
  }

  @Test
  void usage_of_the_other_owner_is_on_no_page_and_in_no_file() throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      assertThat(seenOfOther(site, alice, site.signedIn("bob"), "alice", "bob")).isEmpty();
    }
  }

  @Test
  void the_twin_that_reports_on_all_keys_is_caught() throws Exception {
    List<Site> sites = new ArrayList<>();
    KeyPanel ofAll =
        (mine, key, now) -> {
          UsageQuery query = UsageQuery.perDay(Instant.EPOCH, now.plusMillis(1));
          return Html.of("{}", sites.get(0).keys.usage().total(query).endpoints());
        };
    try (Site site = new Site(new FormGuard(null), List.of(ofAll))) {
      sites.add(site);
      Visitor alice = site.signedIn("alice");
      assertThat(seenOfOther(site, alice, site.signedIn("bob"), "alice", "bob"))
          .containsExactly("/of-alice", "/of-bob");
    }
  }

  private static Created unlimited(Site site, String owner) {
    KeySpec spec = KeySpec.forOwner(owner).plan("unlimited").scopes("forecast:read");
    IssuedKey issued = site.keys.issue(spec);
    return new Created(issued.id(), issued.revealToken());
  }

  /** Lets both use their keys, and looks for traces of each in all that the other can get. */
  private static List<String> seenOfOther(
      Site site, Visitor alice, Visitor bob, String nameOfAlice, String nameOfBob) {
    Created first = unlimited(site, site.owner(nameOfAlice));
    Created second = unlimited(site, site.owner(nameOfBob));
    for (int i = 0; i < 600; i++) { // enough to be odd, if it were looked at
      site.use(first.token(), "192.0.2." + i % 200, "GET", "/of-alice");
      site.use(second.token(), "198.51.100." + i % 200, "PURGE", "/of-bob");
    }
    site.write();
    List<String> found = new ArrayList<>();
    int answers = 0;
    for (Visitor reader : List.of(alice, bob)) {
      Created own = reader == alice ? first : second;
      Created other = reader == alice ? second : first;
      // the name of Alice's owner is also a brand: "acme_live_"
      String owner = site.owner(reader == alice ? nameOfBob : nameOfAlice);
      List<HttpResponse<String>> all = new ArrayList<>();
      for (String query :
          List.of("", "?owner=" + owner, "?key=" + other.id(), "?key=" + other.id() + "&plan=")) {
        all.add(reader.get("/portal/usage.csv" + query));
        all.add(reader.get(own.page() + query));
        all.add(reader.get("/portal/keys" + query));
        assertThat(reader.get(other.page() + query).statusCode()).isEqualTo(404);
      }
      List<String> traces =
          reader == alice
              ? List.of("/of-bob", "PURGE", "198.51.100.", second.id(), "," + owner)
              : List.of("/of-alice", "GET", "192.0.2.", first.id(), "," + owner);
      assertThat(all.get(0).body()).contains(own.id(), reader == alice ? "/of-alice" : "/of-bob");
      for (String trace : traces) {
        if (all.stream().anyMatch(answer -> answer.body().contains(trace))) {
          found.add(trace);
        }
      }
      answers += all.size();
    }
    System.out.println(answers + " answers, " + found.size() + " traces of the other owner");
    return found.stream().sorted().toList();
  }

  @Test
  void operation_ids_of_the_other_owner_block_nothing() throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      Visitor bob = site.signedIn("bob");
      alice.create("a");
      bob.get("/portal/keys/new");
      bob.operation = alice.operation;

      assertThat(bob.send("/portal/keys", "name", "b").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void whoever_is_not_signed_in_sees_the_sign_in_page_alone() throws Exception {
    try (Site site = Site.open()) {
      Created key = site.signedIn("alice").create("robot");
      Visitor nobody = site.visitor();
      nobody.get("/portal/sign-in");
      int tried = 0;
      for (String page : PAGES) {
        requireSignIn(nobody.get(key.page() + page));
        tried++;
      }
      for (String path :
          List.of(
              "/portal", "/portal/keys", "/portal/keys/new", "/portal/usage.csv", "/portal/none")) {
        requireSignIn(nobody.get(path));
        tried++;
      }
      nobody.get("/portal/sign-in");
      for (List<String> form : FORMS) {
        requireSignIn(
            nobody.send(
                key.page() + form.get(0), form.subList(1, form.size()).toArray(String[]::new)));
        tried++;
      }
      System.out.println(tried + " requests of nobody, 0 answered with a page of an owner");
      assertThat(site.keys.find(key.id()).orElseThrow().revision()).isEqualTo(1);
    }
  }

  private static void requireSignIn(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).isEqualTo(303);
    assertThat(answer.headers().firstValue("Location")).contains("/portal/sign-in");
    assertThat(answer.body()).isEmpty();
  }

  @Test
  void a_token_is_on_one_answer_alone() throws Exception {
    try (Site site = Site.open()) {
      List<HttpResponse<String>> seen = new ArrayList<>();
      List<String> tokens = everyPage(site, seen);

      System.out.printf("%d tokens were looked for in %d answers%n", tokens.size(), seen.size());
      assertThat(tokens).hasSize(6).doesNotHaveDuplicates();
      assertThat(seen).hasSizeGreaterThan(100);
      assertThat(notOnce(tokens, seen)).isEmpty();
    }
  }

  @Test
  void the_twin_that_shows_a_token_again_is_caught() throws Exception {
    List<String> kept = new ArrayList<>();
    KeyPanel again = (mine, key, now) -> kept.isEmpty() ? Html.NONE : Html.of("{}", kept.get(0));
    try (Site site = new Site(new FormGuard(null), List.of(again))) {
      kept.add(site.signedIn("alice").create("kept").token());
      List<HttpResponse<String>> seen = new ArrayList<>();
      everyPage(site, seen);

      assertThat(notOnce(kept, seen)).isNotEmpty();
    }
  }

  /** Both owners make tokens, see all there is to see, and send everything again. */
  private static List<String> everyPage(Site site, List<HttpResponse<String>> seen) {
    List<String> tokens = new ArrayList<>();
    Visitor alice = site.signedIn("alice");
    Visitor bob = site.signedIn("bob");
    for (Visitor visitor : List.of(alice, bob)) {
      Created key = visitor.create("robot");
      tokens.add(key.token());
      visitor.send("/portal/keys", "name", "robot", "scope", "forecast:read");
      for (String grace : List.of("DAY", "NONE")) {
        String rotate = key.page() + "/rotate";
        tokens.add(Visitor.created(visitor.fill(rotate, rotate, "grace", grace)).token());
        visitor.send(rotate, "grace", grace);
        visitor.send(rotate, "grace", grace, "note", "again");
      }
      List<String> paths = new ArrayList<>(List.of("/portal", "/portal/keys", "/portal/keys/new"));
      PAGES.forEach(page -> paths.add(key.page() + page));
      for (Visitor reader : List.of(alice, bob, site.visitor())) {
        paths.forEach(reader::get);
        paths.forEach(reader::get);
        if (reader != alice && reader != bob) {
          seen.addAll(reader.seen());
        }
      }
    }
    seen.addAll(alice.seen());
    seen.addAll(bob.seen());
    return tokens;
  }

  private static List<String> notOnce(List<String> tokens, List<HttpResponse<String>> seen) {
    return tokens.stream()
        .filter(
            token -> {
              String secret = token.substring(token.lastIndexOf('_') + 1);
              Pattern pattern = Pattern.compile(Pattern.quote(secret));
              int times = 0;
              for (HttpResponse<String> answer : seen) {
                times += Site.all(pattern, answer.body()).size();
                times += Site.all(pattern, answer.headers().map().toString()).size();
                times += Site.all(pattern, answer.uri().toString()).size();
              }
              return times != 1;
            })
        .toList();
  }
}
