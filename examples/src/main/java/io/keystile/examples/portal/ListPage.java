package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.KeyPage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** All keys of the owner, a page at a time. */
final class ListPage {

  private ListPage() {}

  /**
   * @param after where the page begins, or null for the first
   */
  static Html of(Visit visit, KeyPage page, @Nullable String after) {
    return Layout.page(
        visit,
        "Keys",
        Html.of(
            """
            <div class="heading"><h1>API keys</h1>
            <a class="button primary" href="/portal/keys/new">Create a key</a></div>
            {}{}
            """,
            page.keys().isEmpty() ? empty(after) : keys(page, visit.now()),
            pager(page.next(), after)));
  }

  private static Html empty(@Nullable String after) {
    return after != null
        ? Html.of("<section class=\"card empty\"><p>There are no more keys.</p></section>")
        : Html.of(
            """
            <section class="card empty">
            <h2>No keys yet</h2>
            <p>A program of yours sends a key with each request, so that we know whose it is.
            Give each program its own: then you can replace one, or revoke it, and no other notices.</p>
            <p><a class="button" href="/portal/keys/new">Create your first key</a></p>
            </section>
            """);
  }

  private static Html keys(KeyPage page, Instant now) {
    return Html.of(
        "<ul class=\"keys\">{}</ul>",
        Html.join(page.keys().stream().map(key -> key(key, now)).toList()));
  }

  private static Html key(KeyDetails key, Instant now) {
    return Html.of(
        """
        <li class="card{}">
        <div class="who"><h2><a href="/portal/keys/{}">{}</a></h2><code>{}</code></div>
        <div class="state">{}</div>
        <dl>
        <div><dt>Plan</dt><dd>{}</dd></div>
        <div><dt>Last used</dt><dd>{}</dd></div>
        <div><dt>Due</dt><dd>{}</dd></div>
        </dl>
        </li>
        """,
        key.status() == KeyDetails.Status.REVOKED ? " over" : "",
        key.id(),
        name(key),
        key.newestSecret().redacted(),
        KeyStatus.badge(key.status()),
        plan(key),
        Times.near(key.lastUsed(), now, "Never"),
        KeyStatus.due(key, now));
  }

  /** The administration may issue keys without a name. */
  static String name(KeyDetails key) {
    return key.key().name().isBlank() ? "Unnamed key" : key.key().name();
  }

  static String plan(KeyDetails key) {
    String plan = key.key().plan();
    return plan == null ? "Default" : plan;
  }

  private static Html pager(@Nullable String next, @Nullable String after) {
    return after == null && next == null
        ? Html.NONE
        : Html.of(
            "<nav class=\"pager\" aria-label=\"Pages\">{}{}</nav>",
            after == null ? Html.NONE : Html.of("<a href=\"/portal/keys\">First page</a>"),
            next == null
                ? Html.NONE
                : Html.of("<a rel=\"next\" href=\"/portal/keys?after={}\">More keys</a>", next));
  }
}
