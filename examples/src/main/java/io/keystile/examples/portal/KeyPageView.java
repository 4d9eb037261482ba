package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.KeyDetails.SecretInfo;
import io.keystile.KeyDetails.Status;
import io.keystile.store.AuditEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** All about one key: what it may do, its secrets, and what was done to it. */
final class KeyPageView {

  /** A page of the history, and where the next begins, if there is one. */
  record History(List<AuditEntry> entries, @Nullable Long next) {}

  private final Visit visit;
  private final KeyDetails key;

  KeyPageView(Visit visit, KeyDetails key) {
    this.visit = visit;
    this.key = key;
  }

  /**
   * @param done what was just done, or null
   */
  Html of(@Nullable String done, List<Html> panels, History history) {
    return Layout.page(
        visit,
        ListPage.name(key),
        Html.of(
            """
            <p class="path"><a href="/portal/keys">All keys</a></p>
            {}
            <div class="heading"><div><h1>{}</h1><code>{}</code></div>{}</div>
            {}
            <section class="card"><h2 class="unseen">Details</h2>{}{}</section>
            {}
            <section class="card"><h2>Secrets</h2>
            <p class="lead">A rotation adds a secret and keeps the key. The old one goes on for its grace.</p>
            <ul class="secrets">{}</ul></section>
            <section class="card"><h2>History</h2><ol class="history">{}</ol>{}</section>
            """,
            Layout.notice(done),
            ListPage.name(key),
            key.newestSecret().redacted(),
            KeyStatus.badge(key.status()),
            warnings(),
            facts(),
            actions(),
            Html.join(panels),
            Html.join(newestFirst(key.secrets()).stream().map(this::secret).toList()),
            Html.join(history.entries().stream().map(this::entry).toList()),
            later(history.next())));
  }

  private static List<SecretInfo> newestFirst(List<SecretInfo> secrets) {
    List<SecretInfo> reversed = new ArrayList<>(secrets);
    Collections.reverse(reversed);
    return reversed;
  }

  private Html warnings() {
    List<Html> warnings = new ArrayList<>();
    boolean isUsable = key.status() == Status.ACTIVE || key.status() == Status.ROTATING;
    Instant due = key.rotationDueAt();
    if (isUsable && due != null && !due.isAfter(visit.now())) {
      warnings.add(
          Html.of(
              """
              <p class="warning"><b>Its secret is due.</b> Rotate the key before the secret ends:
              {}.</p>
              """,
              Times.near(key.expiresAt(), visit.now(), "it has no end")));
    }
    if (isUsable && !key.oldSecretsInUse().isEmpty()) {
      warnings.add(
          Html.of(
              """
              <p class="warning"><b>An old secret is still in use.</b> Some program of yours has yet
              to change to secret {}.</p>
              """,
              key.newestSecret().number()));
    }
    if (key.status() == Status.DISABLED) {
      warnings.add(
          Html.of(
              "<p class=\"warning\"><b>Switched off by the service.</b> Only the service can"
                  + " switch it on again.</p>"));
    }
    return Html.join(warnings);
  }

  private Html facts() {
    Instant now = visit.now();
    List<Html> facts = new ArrayList<>();
    facts.add(fact("Scopes", scopes()));
    facts.add(fact("Plan", Html.of("{}", ListPage.plan(key))));
    facts.add(fact("Created", Times.exact(key.key().createdAt())));
    facts.add(fact("Last used", Times.near(key.lastUsed(), now, "Never")));
    if (key.revocation() != null) {
      facts.add(
          fact(
              "Revoked",
              Html.of(
                  "{}, {}{}",
                  Times.exact(key.revocation().at()),
                  Reasons.text(key.revocation().reason().name()),
                  note(key.revocation().by(), key.revocation().note()))));
    } else {
      facts.add(fact("Rotation due", KeyStatus.due(key, now)));
      facts.add(
          fact(
              key.status() == Status.EXPIRED ? "Expired" : "Ends",
              Times.near(key.expiresAt(), now, "Never")));
    }
    facts.add(fact("Key id", Html.of("<code>{}</code>", key.id())));
    if (!key.networks().isEmpty()) {
      facts.add(fact("Only from", Html.of("{}", String.join(", ", key.networks()))));
    }
    return Html.of("<dl class=\"facts\">{}</dl>", Html.join(facts));
  }

  private Html scopes() {
    return key.key().scopes().isEmpty()
        ? Html.of("None")
        : Html.join(
            key.key().scopes().stream()
                .map(scope -> Html.of("<code class=\"chip\">{}</code> ", scope))
                .toList());
  }

  private static Html fact(String name, Html value) {
    return Html.of("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
  }

  /** Those that the state allows. */
  private Html actions() {
    if (key.status() == Status.REVOKED) {
      return Html.NONE;
    }
    return Html.of(
        "<p class=\"actions\">{}{}{}</p>",
        key.status() == Status.DISABLED ? Html.NONE : action("rotate", "Rotate", "primary"),
        action("rename", "Rename", ""),
        action("revoke", "Revoke", "danger"));
  }

  private Html action(String path, String label, String kind) {
    return Html.of(
        "<a class=\"button {}\" href=\"/portal/keys/{}/{}\">{}</a>\n", kind, key.id(), path, label);
  }

  private Html secret(SecretInfo secret) {
    Instant now = visit.now();
    boolean isRevocable = key.status() != Status.REVOKED && key.isLive(secret.number());
    String redacted = secret.redacted();
    return Html.of(
        """
        <li><div class="who"><h3>Secret {}</h3><code>…{}</code></div>
        <div class="state">{}</div>
        <dl>
        <div><dt>Created</dt><dd>{}{}</dd></div>
        <div><dt>Last used</dt><dd>{}</dd></div>
        <div><dt>{}</dt><dd>{}</dd></div>
        </dl>
        {}</li>
        """,
        secret.number(),
        redacted.substring(redacted.lastIndexOf('…') + 1),
        KeyStatus.of(secret, key, now),
        Times.near(secret.createdAt(), now, ""),
        note(secret.createdBy(), secret.note()),
        Times.near(secret.lastUsed(), now, "Never"),
        isRevocable ? "Ends" : "Ended",
        KeyStatus.ends(secret, key, now),
        isRevocable
            ? Html.of(
                "<a class=\"quiet\" href=\"/portal/keys/{}/revoke-secret?secret={}\">Revoke<span"
                    + " class=\"unseen\"> secret {}</span></a>",
                key.id(),
                secret.number(),
                secret.number())
            : Html.NONE);
  }

  private Html entry(AuditEntry entry) {
    return Html.of(
        "<li><b>{}</b>{} <span class=\"by\">by {} · {}</span>{}</li>\n",
        Reasons.action(entry),
        entry.reason() == null ? "" : ": " + Reasons.text(entry.reason()),
        visit.isBy(entry.actor()) ? "you" : "the service",
        Times.exact(entry.at()),
        note(entry.actor(), entry.note()));
  }

  /** What others wrote may be meant for the service alone. */
  private Html note(@Nullable String by, @Nullable String note) {
    return note != null && visit.isBy(by)
        ? Html.of("<span class=\"note\">“{}”</span>", Objects.requireNonNull(note))
        : Html.NONE;
  }

  private Html later(@Nullable Long next) {
    return next == null
        ? Html.NONE
        : Html.of(
            """
            <nav class="pager" aria-label="History"><a rel="next" href="/portal/keys/{}?history={}">Later entries</a></nav>
            """,
            key.id(),
            next);
  }
}
