package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Accepted;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Rejected;
import io.keystile.examples.portal.Visitor.Created;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.WriteOutcome;
import io.keystile.usage.Risk;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Usage and risk on the page of a key. */
class PortalUsageTest {
  private static final String HOME = "192.0.2.7";
  private static final Pattern ROW = Pattern.compile("<tr><td><time.*</tr>");

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

  /** Sessions end meanwhile. */
  private void turn(Duration time) {
    site.turn(time);
    alice = site.signedIn("alice");
  }

  @Test
  void what_was_not_used_says_so() {
    Created key = alice.create("robot");

    assertThat(alice.get(key.page()).body())
        .contains("No requests yet.", "No requests since the service was started.", "Not known")
        .contains("too little history")
        .doesNotContain("<svg", "<table");
  }

  @Test
  void shows_exactly_what_was_asked_with_this_key() {
    Created key = alice.create("robot");
    Created other = alice.create("other");
    for (int i = 0; i < 4; i++) {
      site.use(key.token(), HOME, "GET", "/forecast/{city}");
    }
    turn(Duration.ofHours(3));
    for (int i = 0; i < 5; i++) {
      site.use(key.token(), HOME, "GET", "/forecast/{city}");
    }
    Accepted named = (Accepted) site.ask(key.token(), "forecast:read", "198.51.100.9", "billing");
    named.answered("POST", "/key/rotate", 409, 40_000_000, 7);
    for (int i = 0; i < 3; i++) {
      assertThat(site.ask(key.token(), "forecast:write", HOME, null)).isInstanceOf(Rejected.class);
    }
    site.use(other.token(), "203.0.113.1", "GET", "/other/{endpoint}");
    site.write();

    String page = alice.get(key.page()).body();

    assertThat(page)
        .contains("In all 10; the highest is 6, at 15:00.")
        .contains("In all 10; the highest is 10, at 28 Nov.")
        .contains("<title>12:00: 4</title>", "<title>15:00: 6</title>", "<title>14:00: 0</title>")
        .contains("<dt>Requests let in</dt><dd>10</dd>")
        .contains("<dt>Refused</dt><dd>3 <small>scope missing 3</small></dd>")
        .contains("<dt>Bytes</dt><dd>907 B</dd>")
        .contains("<dt>19 of 20 answered</dt><dd>within 40 ms</dd>")
        .contains("<code>/forecast/{city}</code> <b>9</b>", "<code>/key/rotate</code> <b>1</b>")
        .contains("<code>192.0.2.0/24</code> <b>9</b>", "<code>198.51.100.0/24</code> <b>1</b>")
        .contains("<code>billing</code> <b>1</b>")
        .doesNotContain("/other/", "203.0.113");
    List<String> rows = Site.all(ROW, page);
    assertThat(rows).hasSize(10);
    assertThat(rows.get(0))
        .contains("POST /key/rotate", ">409<", ">40 ms<", "198.51.100.9, billing");
    assertThat(rows.get(9)).contains("GET /forecast/{city}", ">200<", ">1.5 ms<", HOME);
    assertThat(alice.get(other.page()).body()).contains("In all 1; the highest is 1, at 15:00.");
  }

  @Test
  void what_is_older_than_the_bars_is_not_in_them() {
    Created key = alice.create("robot");
    site.use(key.token(), HOME, "GET", "/old");
    turn(Duration.ofDays(29));
    site.use(key.token(), HOME, "GET", "/new");
    site.write();
    assertThat(alice.get(key.page()).body())
        .contains("In all 1; the highest is 1, at 12:00.")
        .contains("In all 2; the highest is 1, at 28 Nov.");

    turn(Duration.ofDays(1));
    assertThat(alice.get(key.page()).body())
        .contains("24 bars, from 13:00 to 12:00. All are zero.")
        .contains("In all 1; the highest is 1, at 27 Dec.")
        .doesNotContain("<code>/old</code>");

    turn(Duration.ofDays(29));
    assertThat(alice.get(key.page()).body()).contains("No requests in the last 30 days.");
  }

  @Test
  void says_how_great_the_risk_is_and_by_what() {
    IssuedKey issued = issued();
    String page = "/portal/keys/" + issued.id();
    habits(issued);
    assertThat(alice.get(page).body())
        .contains("</span> Low</span>", "The key is used as usual.", "used as usual");

    for (int i = 0; i < 600; i++) {
      site.use(issued.revealToken(), "203.0.113." + i % 250, "GET", "/export/" + i % 12);
    }
    site.write();

    Risk risk = site.keys.risk(issued.id());
    assertThat(risk.level()).isEqualTo(Risk.Level.HIGH);
    assertThat(risk.anomalies()).hasSizeGreaterThan(2);
    String body = alice.get(page).body();
    assertThat(body).contains("</span> High</span>", "Somebody else may be using this key.");
    assertThat(body).contains("More requests than usual", "Used from new networks");
    for (Risk.Anomaly anomaly : risk.anomalies()) {
      assertThat(body).contains(Html.escape(anomaly.evidence()));
    }
  }

  private IssuedKey issued() {
    KeySpec spec = KeySpec.forOwner(Site.ALICE).plan("unlimited").scopes("forecast:read");
    return site.keys.issue(spec.name("billing robot").lifetime(Duration.ofDays(300)));
  }

  /** Ten requests at noon, for three weeks. */
  private void habits(IssuedKey key) {
    for (int day = 0; day < 21; day++) {
      for (int i = 0; i < 10; i++) {
        site.use(key.revealToken(), HOME, "GET", "/forecast/{city}");
      }
      site.turn(Duration.ofDays(1));
    }
    site.write();
    turn(Duration.ZERO);
  }

  @Test
  void says_that_a_limit_was_adapted_and_why() {
    IssuedKey issued = issued();
    KeyRecord before = site.store.load(issued.id()).orElseThrow();
    KeyRecord.Adapted adapted = new KeyRecord.Adapted(site.now(), 12, "HIGH risk, <b>was</b> 100");
    KeyRecord after = before.toBuilder().revision(2).adapted(adapted).build();
    AuditEntry entry =
        new AuditEntry(
            0,
            "auto:1",
            "adapt",
            after.id(),
            Site.ALICE,
            null,
            site.now(),
            null,
            null,
            null,
            null,
            null);
    assertThat(site.store.replace(new KeyWrite(after, entry)).kind())
        .isEqualTo(WriteOutcome.Kind.APPLIED);

    assertThat(alice.get("/portal/keys/" + issued.id()).body())
        .contains("Its limit is 12 requests a minute in place of", "&lt;b&gt;was&lt;/b&gt; 100");
  }

  @Test
  void the_usage_of_the_month_is_a_file() {
    Created key = alice.create("robot");
    Created other = alice.create("other");
    site.use(key.token(), HOME, "GET", "/november");
    turn(Duration.ofDays(4));
    site.use(key.token(), HOME, "GET", "=1+1");
    site.use(other.token(), HOME, "GET", "/december");
    site.write();

    HttpResponse<String> file = alice.get("/portal/usage.csv");

    assertThat(file.statusCode()).isEqualTo(200);
    assertThat(file.headers().firstValue("Content-Type")).contains("text/csv; charset=utf-8");
    assertThat(file.headers().firstValue("Content-Disposition"))
        .contains("attachment; filename=\"usage-2026-12.csv\"");
    assertThat(file.headers().firstValue("Cache-Control")).contains("no-store");
    assertThat(file.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
    String line = "%s,acme,free,day,2026-12-02T00:00:00Z,endpoints,%s,1\r\n";
    assertThat(file.body())
        .startsWith("key_id,owner,plan,period,start,metric,label,amount\r\n")
        .contains(line.formatted(key.id(), "'=1+1"), line.formatted(other.id(), "/december"))
        .doesNotContain("2026-11-28", "/november");
    assertThat(alice.get("/portal/usageXcsv").statusCode()).isEqualTo(404);
  }
}
