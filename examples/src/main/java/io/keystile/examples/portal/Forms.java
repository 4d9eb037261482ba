package io.keystile.examples.portal;

import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The pages with a form, and the one that shows a token. */
final class Forms {

  /** How long old secrets may go on after a rotation. */
  enum Grace {
    NONE(Duration.ZERO, "Not at all", "They are refused at once. For a secret that has leaked."),
    HOUR(Duration.ofHours(1), "1 hour", "For one program that you change now."),
    DAY(Duration.ofDays(1), "1 day", "For a few programs."),
    WEEK(Duration.ofDays(7), "7 days", "For programs that are changed with their next release.");

    final Duration length;
    private final String label;
    private final String text;

    Grace(Duration length, String label, String text) {
      this.length = length;
      this.label = label;
      this.text = text;
    }

    static @Nullable Grace of(String name) {
      return Stream.of(values()).filter(g -> g.name().equals(name)).findFirst().orElse(null);
    }
  }

  private Forms() {}

  /** With what was filled in before, if it has to be filled in again. */
  static Html create(Visit visit, Offer offer, String operation, @Nullable String error) {
    List<String> scopes = visit.call().all("scope");
    String plan = offer.plans().containsKey(visit.field("plan")) ? visit.field("plan") : "";
    return Layout.page(
        visit,
        "Create a key",
        Html.of(
            """
            <p class="path narrow"><a href="/portal/keys">All keys</a></p>
            <section class="card narrow"><h1>Create a key</h1>
            {}
            <form method="post" action="/portal/keys">{}{}
            <label class="field">Name
            <input name="name" value="{}" required maxlength="200" autocomplete="off" aria-describedby="name-help"></label>
            <p class="help" id="name-help">Of the program that will use it, as “billing robot”.</p>
            <fieldset><legend>What it may do</legend>{}</fieldset>
            <fieldset><legend>How much it may be used</legend>{}</fieldset>
            <p class="actions"><button class="button primary">Create the key</button>
            <a class="button" href="/portal/keys">Cancel</a></p>
            </form></section>
            """,
            Layout.alert(error),
            Layout.token(visit),
            Layout.operation(operation),
            visit.text("name"),
            choices(
                offer.scopes(),
                (value, label) -> Layout.checkbox("scope", value, scopes.contains(value), label)),
            choices(
                offer.plans(),
                (value, label) ->
                    Layout.radio(
                        "plan",
                        value,
                        value.equals(
                            plan.isEmpty() ? offer.plans().keySet().iterator().next() : plan),
                        label))));
  }

  private interface Choice {
    Html of(String value, Html label);
  }

  private static Html choices(Map<String, String> texts, Choice choice) {
    return Html.join(
        texts.entrySet().stream()
            .map(
                entry ->
                    choice.of(
                        entry.getKey(),
                        Html.of("<b>{}</b> <small>{}</small>", entry.getKey(), entry.getValue())))
            .toList());
  }

  static Html rotate(Visit visit, KeyDetails key, String operation, @Nullable String error) {
    Html graces =
        Html.join(
            Stream.of(Grace.values())
                .map(
                    grace ->
                        Layout.radio(
                            "grace",
                            grace.name(),
                            grace == Grace.WEEK,
                            Html.of("<b>{}</b> <small>{}</small>", grace.label, grace.text)))
                .toList());
    return ofKey(
        visit,
        key,
        "Rotate",
        Html.of(
            """
            <p class="lead">The key gets a new secret, and you see its token once. Id, name, scopes
            and history stay.</p>
            {}
            <form method="post" action="/portal/keys/{}/rotate">{}{}
            <fieldset><legend>How long the old secrets go on</legend>{}</fieldset>
            {}
            {}
            </form>
            """,
            Layout.alert(error),
            key.id(),
            Layout.token(visit),
            Layout.operation(operation),
            graces,
            note(visit),
            buttons(key, "primary", "Rotate the key")));
  }

  static Html rename(Visit visit, KeyDetails key, @Nullable String error) {
    return ofKey(
        visit,
        key,
        "Rename",
        Html.of(
            """
            {}
            <form method="post" action="/portal/keys/{}/rename">{}
            <label class="field">New name
            <input name="name" value="{}" required maxlength="200" autocomplete="off"></label>
            {}
            </form>
            """,
            Layout.alert(error),
            key.id(),
            Layout.token(visit),
            error == null ? key.key().name() : visit.text("name"),
            buttons(key, "primary", "Rename the key")));
  }

  static Html revoke(Visit visit, KeyDetails key, @Nullable String error) {
    return ofKey(
        visit,
        key,
        "Revoke",
        Html.of(
            """
            <p class="warning"><b>This is for good.</b> Every program with this key is refused at
            once, and nothing brings the key back. Last used: {}.</p>
            {}
            <form method="post" action="/portal/keys/{}/revoke">{}
            {}{}{}
            </form>
            """,
            Times.near(key.lastUsed(), visit.now(), "never"),
            Layout.alert(error),
            key.id(),
            Layout.token(visit),
            reasons(),
            note(visit),
            buttons(key, "danger", "Revoke the key")));
  }

  static Html revokeSecret(
      Visit visit, KeyDetails key, KeyDetails.SecretInfo secret, @Nullable String error) {
    boolean isLast =
        key.secrets().stream()
            .noneMatch(other -> other.number() != secret.number() && key.isLive(other.number()));
    return ofKey(
        visit,
        key,
        "Revoke secret " + secret.number(),
        Html.of(
            """
            <p class="warning"><b>This is for good.</b> {} Last used: {}.</p>
            {}
            <form method="post" action="/portal/keys/{}/revoke-secret">{}
            <input type="hidden" name="secret" value="{}">
            {}{}{}
            </form>
            """,
            isLast
                ? "It is the only secret that works: the key will have expired, until it is rotated."
                : "Programs with this secret are refused at once; the other secrets go on.",
            Times.near(secret.lastUsed(), visit.now(), "never"),
            Layout.alert(error),
            key.id(),
            Layout.token(visit),
            secret.number(),
            reasons(),
            note(visit),
            buttons(key, "danger", "Revoke secret " + secret.number())));
  }

  private static Html reasons() {
    return Html.of(
        "<label class=\"field\">Reason\n<select name=\"reason\">{}</select></label>",
        Html.join(Reasons.OF_OWNER.stream().map(Forms::reason).toList()));
  }

  private static Html reason(RevocationReason reason) {
    String text = Reasons.text(reason.name());
    return Html.of(
        "<option value=\"{}\">{}</option>",
        reason.name(),
        Character.toUpperCase(text.charAt(0)) + text.substring(1));
  }

  private static Html note(Visit visit) {
    return Html.of(
        """
        <label class="field"><span>Note <small>optional</small></span>
        <input name="note" value="{}" maxlength="500" autocomplete="off"></label>
        """,
        visit.text("note"));
  }

  private static Html buttons(KeyDetails key, String kind, String label) {
    return Html.of(
        """
        <p class="actions"><button class="button {}">{}</button>
        <a class="button" href="/portal/keys/{}">Cancel</a></p>
        """,
        kind,
        label,
        key.id());
  }

  private static Html ofKey(Visit visit, KeyDetails key, String verb, Html content) {
    return Layout.page(
        visit,
        verb,
        Html.of(
            """
            <p class="path narrow"><a href="/portal/keys">All keys</a> <span aria-hidden="true">/</span>
            <a href="/portal/keys/{}">{}</a></p>
            <section class="card narrow"><h1>{}</h1>
            {}
            </section>
            """,
            key.id(),
            ListPage.name(key),
            verb,
            content));
  }

  /** The one page with a token in it. */
  static Html token(Visit visit, IssuedKey issued) {
    return Layout.page(
        visit,
        "The new token",
        Html.of(
            """
            <section class="card narrow"><h1>The new token</h1>
            <p class="lead">Of <b>{}</b>, secret {}.</p>
            <p class="token"><code id="token">{}</code></p>
            <p class="warning"><b>You see it only now.</b> Copy it to where your program reads its
            secrets: one click selects all of it. We keep no copy that could be shown again.</p>
            <p class="actions"><a class="button primary" href="/portal/keys/{}">I have stored it</a></p>
            </section>
            """,
            ListPage.name(issued.details()),
            issued.secretVersion(),
            issued.revealToken(),
            issued.id()));
  }

  /** A form came a second time: by a reload, or a click too many. */
  static Html repeated(Visit visit, IssuedKey issued) {
    return Layout.page(
        visit,
        "Done before",
        Html.of(
            """
            <section class="card narrow"><h1>Done before</h1>
            <p>This form was sent already, and made secret {} then. Nothing was made this time, and
            its token was on the first answer alone. If that is lost, rotate the key.</p>
            <p class="actions"><a class="button primary" href="/portal/keys/{}">To the key</a></p>
            </section>
            """,
            issued.secretVersion(),
            issued.id()));
  }
}
