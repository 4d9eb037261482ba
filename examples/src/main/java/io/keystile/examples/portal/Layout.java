package io.keystile.examples.portal;

import org.jspecify.annotations.Nullable;

/** What is around each page, and the pieces that many have. */
final class Layout {

  private Layout() {}

  /** A page of somebody who is signed in. */
  static Html page(Visit visit, String title, Html content) {
    Html bar =
        Html.of(
            """
            <nav aria-label="Portal">
            <a href="/portal/keys">Keys</a>
            <span class="account">Signed in as <b>{}</b></span>
            <form method="post" action="/portal/sign-out">{}<button class="quiet">Sign out</button></form>
            </nav>
            """,
            visit.account().name(),
            token(visit));
    return frame(title, bar, content);
  }

  static Html frame(String title, Html bar, Html content) {
    return Html.of(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{} · Forecast keys</title>
        <link rel="stylesheet" href="/portal/style.css">
        <link rel="icon" type="image/svg+xml" href="/portal/icon.svg">
        </head>
        <body>
        <a class="skip" href="/portal/keys">All keys</a>
        <header class="bar"><div>
        <a class="home" href="/portal/keys"><img src="/portal/icon.svg" alt="" width="28" height="28">Forecast keys</a>
        {}
        </div></header>
        <main>
        {}
        </main>
        </body>
        </html>
        """,
        title,
        bar,
        content);
  }

  /** What went wrong, for those who are not signed in as well; nothing of the request is in it. */
  static Html problem(String title, String text) {
    return frame(
        title,
        Html.NONE,
        Html.of(
            """
            <section class="card narrow"><h1>{}</h1><p>{}</p>
            <p><a class="button" href="/portal/keys">To your keys</a></p></section>
            """,
            title,
            text));
  }

  /** The hidden field without which no form is taken. */
  static Html token(Visit visit) {
    return token(visit.token());
  }

  static Html token(String token) {
    return Html.of("<input type=\"hidden\" name=\"token\" value=\"{}\">", token);
  }

  /** The hidden field by which a form that is sent twice is done once. */
  static Html operation(String operationId) {
    return Html.of("<input type=\"hidden\" name=\"operation\" value=\"{}\">", operationId);
  }

  /** Read out by screen readers when the page comes; nothing if there is nothing to say. */
  static Html alert(@Nullable String text) {
    return text == null ? Html.NONE : Html.of("<p class=\"alert\" role=\"alert\">{}</p>", text);
  }

  static Html notice(@Nullable String text) {
    return text == null ? Html.NONE : Html.of("<p class=\"notice\" role=\"status\">{}</p>", text);
  }

  /** One of several that exclude each other. */
  static Html radio(String name, String value, boolean isChosen, Html label) {
    return choice("radio", name, value, isChosen, label);
  }

  static Html checkbox(String name, String value, boolean isChosen, Html label) {
    return choice("checkbox", name, value, isChosen, label);
  }

  private static Html choice(String type, String name, String value, boolean isChosen, Html label) {
    return Html.of(
        "<label class=\"choice\"><input type=\"{}\" name=\"{}\" value=\"{}\""
            + (isChosen ? " checked" : "")
            + "><span>{}</span></label>\n",
        type,
        name,
        value,
        label);
  }
}
