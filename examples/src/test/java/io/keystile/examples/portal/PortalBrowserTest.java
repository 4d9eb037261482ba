package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.store.RevocationReason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The portal in a real browser: {@code mvn test -Pbrowser}. CONTRIBUTING.md says what it needs. The
 * pictures it takes are in {@code target/screenshots}.
 */
@Tag("browser")
class PortalBrowserTest {
  private static final Path PICTURES = Path.of("target", "screenshots");
  private static final String SCRIPT = "\"><img src=x onerror=alert(1)><script>alert(2)</script>";

  @TempDir private Path profile;
  private Site site;
  private Chromium browser;
  private final List<String> complaints = new ArrayList<>();

  @BeforeEach
  void open() throws Exception {
    site = new Site(new FormGuard(null), List.of());
    browser = new Chromium(profile);
    browser.look("light", 1200);
  }

  @AfterEach
  void close() {
    browser.close();
    site.close();
  }

  private void photograph(String name) throws IOException {
    for (String scheme : List.of("light", "dark")) {
      for (int width : new int[] {1200, 390}) {
        browser.look(scheme, width);
        assertThat(browser.run("return document.documentElement.scrollWidth").asInt())
            .as(name + " fits into " + width)
            .isLessThanOrEqualTo(width);
        browser.photograph(PICTURES.resolve(name + "-" + scheme + "-" + width + ".png"));
      }
    }
    browser.look("light", 1200);
    complaints.addAll(browser.complaints());
  }

  private void signIn() {
    browser.open(site.origin() + "/portal");
    browser.type("input[name=name]", "alice");
    browser.type("input[name=password]", site.password("alice"));
    browser.click("main button");
  }

  @Test
  void an_owner_creates_rotates_and_revokes_a_key() throws Exception {
    browser.open(site.origin() + "/portal");
    photograph("1-sign-in");
    browser.type("input[name=name]", "alice");
    browser.type("input[name=password]", "a guess");
    browser.click("main button");
    assertThat(browser.text("[role=alert]")).contains("do not match");
    assertThat(browser.complaints()).as("of a 401").hasSize(1);
    signIn();
    assertThat(browser.urlSoon(site.origin() + "/portal/keys"))
        .isEqualTo(site.origin() + "/portal/keys");
    photograph("2-no-keys");

    browser.click("main a.button");
    browser.type("input[name=name]", "billing robot");
    browser.click("input[value='forecast:read']");
    browser.click("input[value='pro']");
    photograph("3-create");
    browser.click("main button");
    String first = browser.text("#token");
    assertThat(isAccepted(first)).isTrue();
    photograph("4-token");

    browser.reload(); // sends the form again
    assertThat(browser.text("h1")).isEqualTo("Done before");
    assertThat(browser.source()).doesNotContain(first);
    assertThat(site.keys.list(KeyQuery.all()).keys()).hasSize(1);
    browser.complaints(); // that the answer was a 409
    browser.click("main a.button");
    rotateAndRevoke(first);

    browser.click(".bar button");
    assertThat(browser.urlSoon(site.origin() + "/portal/sign-in"))
        .isEqualTo(site.origin() + "/portal/sign-in");
    browser.open(site.origin() + "/portal/keys");
    assertThat(browser.urlSoon(site.origin() + "/portal/sign-in"))
        .isEqualTo(site.origin() + "/portal/sign-in");
    complaints.addAll(browser.complaints());
    assertThat(complaints).isEmpty();
  }

  private void rotateAndRevoke(String first) throws IOException {
    site.turn(Duration.ofMinutes(10));
    browser.click("a[href$='/rotate']");
    browser.type("input[name=note]", "every quarter");
    photograph("5-rotate");
    browser.click("main button");
    String second = browser.text("#token");
    assertThat(isAccepted(first)).as("in its grace").isTrue();
    assertThat(isAccepted(second)).isTrue();
    browser.click("main a.button");
    assertThat(browser.text("main .badge")).contains("Rotating");
    photograph("6-key");

    browser.click("a[href$='secret=1']");
    photograph("7-revoke-secret");
    browser.click("main button");
    assertThat(browser.text("[role=status]")).contains("The secret is revoked");
    assertThat(isAccepted(first)).isFalse();

    browser.click("a[href$='/revoke']");
    photograph("8-revoke");
    browser.click("main button");
    assertThat(browser.text("main .badge")).contains("Revoked");
    assertThat(isAccepted(second)).isFalse();
    photograph("9-revoked");
    assertThat(browser.source()).doesNotContain(first).doesNotContain(second);
  }

  private boolean isAccepted(String token) {
    return site.keys.validate(
            token, Access.requiring("forecast:read"), Origin.of("127.0.0.1").secure(true))
        instanceof Accepted;
  }

  @Test
  void somebody_registers_and_signs_in_with_the_password_that_is_shown() throws Exception {
    browser.open(site.origin() + "/portal");
    browser.click("main a[href='/portal/register']");
    photograph("14-register");
    browser.type("input[name=name]", "alice");
    browser.click("main button");
    assertThat(browser.text("[role=alert]")).contains("This name is taken");
    photograph("15-name-taken");
    assertThat(complaints).as("of a 409").isNotEmpty();
    complaints.clear();
    browser.type("input[name=name]", "carol");
    browser.click("main button");
    String password = browser.text("#password");
    photograph("16-password");

    browser.reload(); // sends the form again
    assertThat(browser.text("[role=alert]")).contains("This name is taken");
    assertThat(browser.source()).doesNotContain(password);
    browser.complaints(); // that the answer was a 409
    browser.click("main a[href='/portal/sign-in']");
    browser.type("input[name=name]", "carol");
    browser.type("input[name=password]", password);
    browser.click("main button");
    assertThat(browser.urlSoon(site.origin() + "/portal/keys"))
        .isEqualTo(site.origin() + "/portal/keys");
    assertThat(browser.text(".account")).isEqualTo("Signed in as carol");
    complaints.addAll(browser.complaints());
    assertThat(complaints).isEmpty();
  }

  @Test
  void keys_of_every_state_are_listed() throws Exception {
    KeySpec spec = KeySpec.forOwner(Site.ALICE).plan("pro").scopes("forecast:*").by("alice");
    site.keys.issue(spec.name("old importer").lifetime(Duration.ofDays(20)));
    site.turn(Duration.ofDays(15));
    String rotating = site.keys.issue(spec.name("billing robot")).id();
    String disabled = site.keys.issue(spec.name("weather station 7")).id();
    String revoked = site.keys.issue(spec.name("laptop of an intern")).id();
    site.keys.issue(KeySpec.forOwner(Site.ALICE).lifetime(Duration.ofDays(1)));
    site.turn(Duration.ofDays(2));
    site.keys.rotate(rotating, Rotation.usual().by("alice"));
    site.keys.disable(disabled, Cause.by("admin"));
    site.keys.revoke(revoked, Revocation.because(RevocationReason.UNUSED));
    site.keys.issue(spec.name("a-name-without-any-blanks-as-long-as-it-may-be-".repeat(4)));
    for (int i = 0; i < 16; i++) {
      site.keys.issue(spec.name("sensor " + i));
    }
    signIn();

    photograph("10-keys");
    for (KeyDetails.Status status : KeyDetails.Status.values()) {
      assertThat(browser.text("main").toUpperCase(Locale.ROOT)).contains(status.name());
    }
    browser.click("a[rel=next]");
    assertThat(browser.text("main")).contains("sensor ").doesNotContain("billing robot");
  }

  @Test
  void usage_and_risk_are_drawn_as_they_are() throws Exception {
    KeySpec spec = KeySpec.forOwner(Site.ALICE).plan("unlimited").scopes("forecast:read");
    IssuedKey issued = site.keys.issue(spec.name("billing robot").lifetime(Duration.ofDays(300)));
    String page = site.origin() + "/portal/keys/" + issued.id();
    String unused = site.keys.issue(spec.name("unused")).id();
    for (int hour = 0; hour < 23 * 24; hour++) {
      int many = hour % 24 < 12 && hour / 24 % 7 < 5 ? 2 + hour % 5 : 0;
      for (int i = 0; i < many; i++) {
        site.use(issued.revealToken(), "192.0.2.7", "GET", "/forecast/{city}");
      }
      site.turn(Duration.ofHours(1));
    }
    site.ask(issued.revealToken(), "forecast:write", "192.0.2.7", null);
    site.write();
    signIn();
    browser.open(page);
    assertThat(browser.text(".risk .badge")).contains("Low");
    photograph("11-usage");

    for (int i = 0; i < 400; i++) {
      site.use(issued.revealToken(), "203.0.113." + i % 200, "GET", "/export/" + i % 12);
    }
    for (String text :
        List.of(SCRIPT, "/a-name-without-any-blanks-as-long-as-it-may-be".repeat(5))) {
      ((Accepted) site.ask(issued.revealToken(), "forecast:read", "2001:db8::7", text))
          .answered(text, text, 200, 12_000_000, 5_000_000);
    }
    site.write();
    browser.open(page);
    assertThat(browser.text(".risk .badge")).contains("High");
    assertThat(browser.run("return document.scripts.length").asInt()).isZero();
    assertThat(browser.hasDialog()).isFalse();
    photograph("12-risk");
    browser.open(site.origin() + "/portal/keys/" + unused);
    photograph("13-unused");
    assertThat(complaints).isEmpty();
  }

  @Test
  void script_in_a_name_does_not_run() throws Exception {
    signIn();
    browser.open(site.origin() + "/portal/keys/new");
    browser.type("input[name=name]", SCRIPT);
    browser.click("input[value='forecast:read']");
    browser.click("main button");
    assertThat(browser.hasDialog()).isFalse();
    browser.click("main a.button");
    assertThat(browser.hasDialog()).isFalse();
    assertThat(browser.text("h1")).isEqualTo(SCRIPT);
    for (String form : List.of("rename", "rotate", "revoke")) {
      browser.click("a[href$='/" + form + "']");
      assertThat(browser.hasDialog()).isFalse();
      browser.click("main a.button:last-of-type");
    }
    browser.open(site.origin() + "/portal/keys");
    assertThat(browser.text("h2")).isEqualTo(SCRIPT);
    assertThat(browser.hasDialog()).isFalse();
    assertThat(browser.run("return document.scripts.length").asInt()).isZero();
    assertThat(browser.complaints()).isEmpty();
  }

  /** Were a page to forget to escape, the policy would still stop the script. */
  @Test
  void the_policy_stops_script_that_a_careless_page_lets_through() throws Exception {
    KeyPanel careless = (mine, key, now) -> new Html("<section>" + key.key().name() + "</section>");
    try (Site other = new Site(new FormGuard(null), List.of(careless))) {
      Visitor alice = other.signedIn("alice");
      String page = alice.create(SCRIPT).page();
      browser.open(other.origin() + "/portal");
      browser.type("input[name=name]", "alice");
      browser.type("input[name=password]", other.password("alice"));
      browser.click("main button");
      browser.open(other.origin() + page);

      assertThat(browser.run("return document.scripts.length").asInt()).isPositive();
      assertThat(browser.hasDialog()).isFalse();
      assertThat(browser.complaints())
          .anyMatch(complaint -> complaint.contains("Content Security Policy"));
    }
  }
}
