package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Accepted;
import io.keystile.KeySpec;
import io.keystile.examples.portal.Visitor.Created;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Script in whatever an owner, or the administration, may write. */
class PortalScriptTest {
  private static final List<String> PAYLOADS =
      List.of(
          "<script>alert(1)</script>",
          "<img src=x onerror=alert(1)>",
          "\"><svg/onload=alert(1)>",
          "' onmouseover='alert(1)",
          "\" autofocus onfocus=\"alert(1)",
          "</title><script>alert(1)</script>",
          "</code></h1></main><iframe src=\"javascript:alert(1)\">",
          "--><b>",
          "{}<b>{}</b>",
          "&lt;b&gt;<b>",
          "\u2028<b>\u2029");

  private static final Pattern HANDLER = Pattern.compile("<[a-z][^>]*\\son[a-z]+ *=");
  private static final Pattern QUOTED = Pattern.compile("=\"[^\"]*\"");
  private static final Pattern TAG = Pattern.compile("<([a-z][a-z0-9]*)");
  private static final List<String> FOREIGN =
      List.of("script", "iframe", "object", "embed", "base", "style");

  /** Sends a text in one field, and returns the id of the key that may hold it, or "". */
  private interface Field {
    String send(Site site, Visitor visitor, String text);
  }

  private static Field form(String path, String... fields) {
    return (site, visitor, text) -> {
      Created key = visitor.create("robot");
      String[] filled = fields.clone();
      for (int i = 0; i < filled.length; i++) {
        filled[i] = filled[i].equals("?") ? text : filled[i];
      }
      visitor.fill(path.replace("ID", key.id()), path.replace("ID", key.id()), filled);
      return key.id();
    };
  }

  private static final String ROTATE = "/portal/keys/ID/rotate";
  private static final String REVOKE = "/portal/keys/ID/revoke";
  private static final String REVOKE_SECRET = "/portal/keys/ID/revoke-secret";

  private static final Map<String, Field> FIELDS =
      Map.ofEntries(
          Map.entry("name of a new key", (site, visitor, text) -> visitor.create(text).id()),
          Map.entry("new name", form("/portal/keys/ID/rename", "name", "?")),
          Map.entry("note of a rotation", form(ROTATE, "grace", "DAY", "note", "?")),
          Map.entry("note, form refused", form(ROTATE, "grace", "AGES", "note", "?")),
          Map.entry("grace", form(ROTATE, "grace", "?")),
          Map.entry("note of a revocation", form(REVOKE, "reason", "LEAKED", "note", "?")),
          Map.entry("reason", form(REVOKE, "reason", "?")),
          Map.entry(
              "note of a secret",
              form(REVOKE_SECRET, "secret", "1", "reason", "LEAKED", "note", "?")),
          Map.entry("number of a secret", form(REVOKE_SECRET, "secret", "?")),
          Map.entry("scope", form("/portal/keys", "name", "a", "scope", "?")),
          Map.entry("plan", form("/portal/keys", "name", "a", "plan", "?")),
          Map.entry("plan, form refused", form("/portal/keys", "name", "", "plan", "?")),
          Map.entry(
              "name that is too long",
              (site, visitor, text) -> {
                visitor.fill("/portal/keys/new", "/portal/keys", "name", text + "x".repeat(200));
                return "";
              }),
          Map.entry(
              "operation",
              (site, visitor, text) -> {
                visitor.get("/portal/keys/new");
                visitor.operation = text;
                visitor.send("/portal/keys", "name", "a");
                return "";
              }),
          Map.entry(
              "token",
              (site, visitor, text) -> {
                visitor.get("/portal/keys/new");
                visitor.token = text;
                visitor.send("/portal/keys", "name", "a");
                return "";
              }),
          Map.entry(
              "name at the sign-in",
              (site, visitor, text) -> {
                Visitor guest = site.visitor();
                guest.fill("/portal/sign-in", "/portal/sign-in", "name", text, "password", "x");
                site.turn(Duration.ofSeconds(10));
                visitor.seen().addAll(guest.seen());
                return "";
              }),
          Map.entry(
              "name of a new account",
              (site, visitor, text) -> {
                Visitor guest = site.visitor();
                assertThat(guest.register(text).statusCode()).isEqualTo(400);
                guest.get("/portal/register?name=" + Visitor.encoded(text));
                visitor.seen().addAll(guest.seen());
                return "";
              }),
          Map.entry(
              "addresses",
              (site, visitor, text) -> {
                String encoded = Visitor.encoded(text);
                visitor.get("/portal/keys?after=" + encoded);
                visitor.get("/portal/keys/" + encoded);
                visitor.get("/portal/" + encoded);
                visitor.get("/portal/keys?" + encoded);
                String id = visitor.create("robot").id();
                visitor.get("/portal/keys/" + id + "?done=" + encoded);
                visitor.get("/portal/keys/" + id + "?history=" + encoded);
                return id;
              }),
          Map.entry(
              "method, endpoint and caller of a request",
              (site, visitor, text) -> {
                Created key = visitor.create("robot");
                Accepted accepted =
                    (Accepted) site.ask(key.token(), "forecast:read", "192.0.2.7", text);
                accepted.answered(text, text, 200, 1, 1);
                accepted.transferred(text, 1);
                site.write();
                return key.id();
              }),
          Map.entry(
              "what the administration issues",
              (site, visitor, text) ->
                  site.keys
                      .issue(
                          KeySpec.forOwner(Site.ALICE).name(text).plan(text).by("alice").note(text))
                      .id()));

  /** Fields and payloads of which some page has more than text. */
  private static List<String> unescaped(List<KeyPanel> panels) throws Exception {
    List<String> unescaped = new ArrayList<>();
    int pages = 0;
    try (Site site = new Site(new FormGuard(null), panels)) {
      for (Map.Entry<String, Field> field : FIELDS.entrySet()) {
        Visitor alice = site.signedIn("alice");
        for (String payload : PAYLOADS) {
          alice.seen().clear();
          String id = field.getValue().send(site, alice, payload);
          alice.get("/portal/keys");
          if (!id.isEmpty()) {
            for (String page :
                List.of("", "/rename", "/rotate", "/revoke", "/revoke-secret?secret=1")) {
              alice.get("/portal/keys/" + id + page);
            }
          }
          for (HttpResponse<String> answer : alice.seen()) {
            pages++;
            if (isMoreThanText(answer.body(), payload)) {
              unescaped.add(field.getKey() + ", " + payload + ": " + answer.uri().getPath());
            }
          }
        }
      }
    }
    System.out.printf(
        "%d payloads in %d fields, %d pages, %d unescaped%n",
        PAYLOADS.size(), FIELDS.size(), pages, unescaped.size());
    return unescaped;
  }

  private static boolean isMoreThanText(String body, String payload) {
    return body.contains(payload)
        || HANDLER.matcher(QUOTED.matcher(body).replaceAll("=\"\"")).find()
        || TAG.matcher(body).results().anyMatch(tag -> FOREIGN.contains(tag.group(1)))
        || Site.all(Pattern.compile("<img "), body).size() > 1;
  }

  @Test
  void nothing_that_is_written_is_more_than_text() throws Exception {
    assertThat(unescaped(List.of())).isEmpty();
  }

  @Test
  void the_payloads_do_arrive() throws Exception {
    try (Site site = Site.open()) {
      Visitor alice = site.signedIn("alice");
      for (String payload : PAYLOADS) {
        Created key = alice.create(payload);
        assertThat(site.keys.find(key.id()).orElseThrow().key().name()).isEqualTo(payload.strip());
        assertThat(alice.get(key.page()).body()).contains(Html.escape(payload.strip()));
      }
    }
  }

  @Test
  void the_twin_that_forgets_to_escape_one_field_is_caught() throws Exception {
    KeyPanel careless = (mine, key, now) -> new Html("<section>" + key.key().name() + "</section>");

    assertThat(unescaped(List.of(careless)))
        .anyMatch(found -> found.startsWith("new name, <img"))
        .anyMatch(found -> found.startsWith("name of a new key, <script>"));
  }
}
