package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Accepted;
import io.keystile.KeyDetails.Status;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.examples.portal.Visitor.Created;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** How one gets an account, and what nobody gets that way. */
class PortalRegisterTest {
  private static final int ROUNDS = 500;

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
  void whoever_registers_creates_lists_rotates_and_revokes_keys_of_his_own() {
    Visitor carol = site.registered("carol");
    assertThat(carol.get("/portal/keys").body()).contains("<b>carol</b>", "No keys yet");

    Created key = carol.create("robot");
    assertThat(isLetIn(key.token())).isTrue();
    assertThat(carol.get("/portal/keys").body()).contains(key.page()).doesNotContain(key.token());
    Created rotated =
        Visitor.created(carol.fill(key.page() + "/rotate", key.page() + "/rotate", "grace", "DAY"));
    assertThat(List.of(isLetIn(key.token()), isLetIn(rotated.token()))).containsOnly(true);
    site.write();
    assertThat(carol.get(key.page()).body()).contains("<dt>Requests let in</dt><dd>3</dd>");
    carol.fill(key.page() + "/revoke", key.page() + "/revoke", "reason", "UNUSED");
    assertThat(List.of(isLetIn(key.token()), isLetIn(rotated.token()))).containsOnly(false);

    var details = site.keys.find(key.id()).orElseThrow();
    assertThat(details.status()).isEqualTo(Status.REVOKED);
    assertThat(details.key().owner()).isEqualTo(site.owner("carol")).matches("account-.{22}");
    assertThat(site.keys.list(KeyQuery.ofOwner(Site.ALICE)).keys()).isEmpty();
  }

  private boolean isLetIn(String token) {
    return site.ask(token, "forecast:read", "192.0.2.7", null) instanceof Accepted;
  }

  @Test
  void no_more_may_be_chosen_than_by_others() {
    Visitor carol = site.registered("carol");
    carol.get("/portal/keys/new");
    HttpResponse<String> scope =
        carol.send("/portal/keys", "name", "robot", "scope", "admin:keys", "plan", "pro");
    carol.get("/portal/keys/new");
    HttpResponse<String> plan =
        carol.send("/portal/keys", "name", "robot", "scope", "forecast:read", "plan", "unlimited");

    assertThat(List.of(scope.statusCode(), plan.statusCode())).containsOnly(403);
    assertThat(site.keys.list(KeyQuery.all()).keys()).isEmpty();
  }

  @Test
  void the_name_of_an_owner_brings_none_of_his_keys() {
    String before = site.keys.issue(KeySpec.forOwner("weather-app")).id();
    String ofAlice = site.signedIn("alice").create("robot").id();
    for (String name : List.of("weather-app", Site.ALICE, "administration")) {
      Visitor visitor = site.registered(name);
      assertThat(site.owner(name)).isNotEqualTo(name);
      assertThat(visitor.get("/portal/keys").body()).contains("No keys yet");
      for (String id : List.of(before, ofAlice)) {
        assertThat(visitor.get("/portal/keys/" + id).statusCode()).isEqualTo(404);
      }
    }
  }

  @Test
  void names_that_cannot_be_had_are_told_so_and_escaped() {
    Visitor visitor = site.visitor();
    List<String> refused =
        List.of(
            "",
            " ",
            "a",
            "x".repeat(41),
            "x".repeat(10_000),
            "Carol",
            "ca rol",
            "1carol",
            "-carol",
            "carol\n2",
            "carol\0",
            "c\u0430rol", // a Cyrillic letter
            "car\u00F6l",
            "carol<b>",
            "carol\"",
            "../carol");
    for (String name : refused) {
      HttpResponse<String> answer = visitor.register(name);
      assertThat(answer.statusCode()).as(name).isEqualTo(400);
      assertThat(answer.body())
          .contains("This name cannot be used", "value=\"" + Html.escape(name.strip()) + "\"");
      assertThat(site.accounts.has(name)).isFalse();
    }
    for (String name : List.of("c3", "x".repeat(40), "carol.b-c_1", " carol ")) {
      assertThat(Visitor.password(visitor.register(name))).matches("[0-9A-Za-z_-]{22}");
      assertThat(site.accounts.has(name.strip())).isTrue();
    }
    System.out.println(refused.size() + " names refused");
  }

  @Test
  void a_name_that_is_taken_stays_with_whoever_has_it() {
    Visitor carol = site.registered("carol");
    Visitor other = site.visitor();
    for (String name : List.of("carol", "alice", " bob ")) {
      HttpResponse<String> answer = other.register(name);
      assertThat(answer.statusCode()).isEqualTo(409);
      assertThat(answer.body()).contains("This name is taken,").doesNotContain("id=\"password\"");
    }
    assertThat(carol.get("/portal/keys").statusCode()).isEqualTo(200);
    assertThat(site.signedIn("carol").get("/portal/keys").statusCode()).isEqualTo(200);
    assertThat(site.signedIn("alice").get("/portal/keys").statusCode()).isEqualTo(200);
  }

  @Test
  void nobody_is_signed_in_by_it_so_no_session_can_be_slipped_in() {
    Visitor attacker = site.visitor();
    attacker.get("/portal/register");
    Visitor carol = site.visitor();
    carol.cookie = attacker.cookie;
    String password = Visitor.password(carol.register("carol"));
    assertThat(carol.get("/portal/keys").statusCode()).isEqualTo(303);
    carol.fill("/portal/sign-in", "/portal/sign-in", "name", "carol", "password", password);

    assertThat(carol.cookie).isNotEqualTo(attacker.cookie);
    assertThat(carol.get("/portal/keys").statusCode()).isEqualTo(200);
    assertThat(attacker.get("/portal/keys").statusCode()).isEqualTo(303);
    Visitor alice = site.signedIn("alice");
    String cookie = alice.cookie;
    Visitor.password(alice.register("dave"));
    assertThat(alice.cookie).isEqualTo(cookie);
    assertThat(alice.get("/portal/keys").body()).contains("<b>alice</b>");
  }

  @Test
  void a_form_without_a_cookie_or_as_an_address_makes_no_account() {
    Visitor visitor = site.visitor();
    visitor.get("/portal/register");
    String token = visitor.token;
    visitor.cookie = "";
    assertThat(visitor.send("/portal/register", "name", "carol").statusCode()).isEqualTo(403);
    assertThat(visitor.get("/portal/register?name=carol&token=" + token).body())
        .contains("name=\"name\" value=\"\"");
    assertThat(site.accounts.has("carol")).isFalse();
  }

  @Test
  void the_password_is_on_one_answer_and_in_no_log_address_or_header() {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    List<String> passwords = new ArrayList<>();
    List<HttpResponse<String>> seen = new ArrayList<>();
    try (PrintStream all = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(all);
      System.setErr(all);
      LoggerFactory.getLogger(Portal.class).warn("a log is looked at");
      for (String name : List.of("carol", "dave", "erin")) {
        Visitor visitor = site.registered(name);
        passwords.add(site.password(name));
        Created key = visitor.create("robot");
        Visitor again = site.visitor();
        again.register(name);
        again.send("/portal/sign-in", "name", name, "password", site.password(name) + "x");
        for (Visitor reader : List.of(visitor, again)) {
          for (String path :
              List.of("/register", "/sign-in", "/keys", "/keys/new", "/usage.csv", "/none")) {
            reader.get("/portal" + path);
          }
          reader.get(key.page());
          seen.addAll(reader.seen());
        }
      }
    } finally {
      System.setOut(out);
      System.setErr(err);
    }

    String log = printed.toString(StandardCharsets.UTF_8);
    assertThat(log).contains("a log is looked at");
    assertThat(passwords).hasSize(3).doesNotHaveDuplicates();
    for (String password : passwords) {
      Pattern pattern = Pattern.compile(Pattern.quote(password));
      assertThat(log).doesNotContain(password);
      List<HttpResponse<String>> with =
          seen.stream().filter(a -> !Site.all(pattern, a.body()).isEmpty()).toList();
      assertThat(with).hasSize(1);
      assertThat(Site.all(pattern, with.get(0).body())).hasSize(1);
      assertThat(with.get(0).headers().firstValue("Cache-Control")).contains("no-store");
      assertThat(with.get(0).uri().getPath()).isEqualTo("/portal/register");
      for (HttpResponse<String> answer : seen) {
        assertThat(answer.headers().map() + " " + answer.uri()).doesNotContain(password);
      }
    }
    System.out.printf("3 passwords were looked for in %d answers and a log%n", seen.size());
  }

  @Test
  void there_are_only_so_many_in_a_minute_and_refused_ones_use_up_nothing() {
    Visitor visitor = site.visitor();
    for (int i = 0; i < 3 * Registration.PER_MINUTE; i++) {
      assertThat(visitor.register("alice").statusCode()).isEqualTo(409);
      assertThat(visitor.register("Alice").statusCode()).isEqualTo(400);
    }
    for (int i = 0; i < Registration.PER_MINUTE; i++) {
      assertThat(site.visitor().register("first" + i).statusCode()).isEqualTo(200);
    }
    HttpResponse<String> refused = site.visitor().register("late");
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.body()).contains("Too many new accounts.", "value=\"late\"");
    assertThat(site.accounts.has("late")).isFalse();
    long seconds = refused.headers().firstValueAsLong("Retry-After").orElseThrow();
    assertThat(seconds).isBetween(1L, 61L);

    site.turn(Duration.ofSeconds(seconds));
    assertThat(visitor.register("late").statusCode()).isEqualTo(200);
  }

  @Test
  void there_are_only_so_many_at_all() {
    Visitor visitor = site.visitor();
    int made = 0;
    HttpResponse<String> answer = visitor.register("u" + made);
    while (answer.statusCode() == 200 && made < 2 * Accounts.MOST) {
      made++;
      site.turn(Duration.ofSeconds(7));
      answer = visitor.register("u" + made);
    }
    System.out.println(made + " accounts made, then " + answer.statusCode());
    assertThat(made).isEqualTo(Accounts.MOST - 2); // Alice and Bob are there
    assertThat(answer.statusCode()).isEqualTo(429);
    assertThat(answer.body()).contains("There is no room for another account");
    assertThat(visitor.register("u1").statusCode()).isEqualTo(409);
    assertThat(site.signedIn("alice").get("/portal/keys").statusCode()).isEqualTo(200);
  }

  @Test
  void of_two_who_want_one_name_at_once_exactly_one_gets_it() throws Exception {
    List<Visitor> visitors = List.of(site.visitor(), site.visitor());
    visitors.forEach(visitor -> visitor.get("/portal/register"));
    CyclicBarrier start = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    int[] wins = new int[2];
    try {
      for (int round = 0; round < ROUNDS; round++) {
        String name = "round" + round;
        List<Future<HttpResponse<String>>> answers = new ArrayList<>();
        for (Visitor visitor : visitors) {
          answers.add(
              threads.submit(
                  () -> {
                    start.await();
                    return visitor.send("/portal/register", "name", name);
                  }));
        }
        int first = answers.get(0).get().statusCode();
        int second = answers.get(1).get().statusCode();
        assertThat(Stream.of(first, second).sorted()).containsExactly(200, 409);
        int winner = first == 200 ? 0 : 1;
        wins[winner]++;
        String password = Visitor.password(answers.get(winner).get());
        assertThat(site.accounts.find(name, password)).isPresent();
        site.turn(Duration.ofSeconds(13)); // the other one may have used up some, too
      }
    } finally {
      threads.shutdownNow();
    }
    System.out.printf("%d rounds: %d and %d won%n", ROUNDS, wins[0], wins[1]);
  }
}
