package io.keystile.examples.portal;

import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How one gets an account: by choosing a name, as long as there is room. The password is made here
 * and shown once, and one signs in with it. Nobody is signed in by this page: so there is no
 * session that somebody could have slipped in, and whoever comes in has stored his password.
 */
final class Registration {
  static final String PATH = "/portal/register";

  /** New accounts, of all visitors together: all there may be last for an hour and a half. */
  static final int PER_MINUTE = 10;

  private final Accounts accounts;
  private final FormGuard guard;
  private final Limiter<String> limiter;

  Registration(Accounts accounts, FormGuard guard, LongSupplier ticker) {
    this.accounts = accounts;
    this.guard = guard;
    Plan plan = Plan.of("accounts", Window.perMinute(PER_MINUTE));
    this.limiter = Limiter.builder(plan).ticker(ticker).build();
  }

  Reply show(Call call) {
    return guard.page(call, page(call, "", null));
  }

  /**
   * That a name is taken may be learned, and without a limit: whoever chooses one must be told, and
   * a name without its password is worth nothing. So such an attempt uses up nothing of the limit.
   */
  Reply register(Call call) {
    String name = call.field("name").strip();
    if (!Accounts.isName(name)) {
      return refused(call, 400, name, "This name cannot be used. Below is what it may consist of.");
    }
    if (accounts.has(name)) {
      return taken(call, name);
    }
    Decision decision = limiter.acquire("all", 1);
    if (!decision.isAllowed()) {
      long seconds = SignIn.wait(decision);
      String wait = Times.counted(seconds, "second");
      return refused(call, 429, name, "Too many new accounts. Try again in " + wait + ".")
          .with("Retry-After", String.valueOf(seconds));
    }
    return accounts
        .register(name)
        .map(password -> Reply.page(200, password(name, password)))
        .orElseGet(() -> accounts.has(name) ? taken(call, name) : full(call, name));
  }

  private Reply taken(Call call, String name) {
    String text =
        "This name is taken, choose another one. If you have just taken it yourself, its password was"
            + " on the first answer alone.";
    return refused(call, 409, name, text);
  }

  private Reply full(Call call, String name) {
    return refused(call, 429, name, "There is no room for another account until the next start.");
  }

  private Reply refused(Call call, int status, String name, String text) {
    return Reply.page(status, page(call, name, text));
  }

  private Html page(Call call, String name, @Nullable String error) {
    return Layout.frame(
        "Create an account",
        Html.NONE,
        Html.of(
            """
            <section class="card narrow">
            <h1>Create an account</h1>
            <p class="lead">For API keys of your own. The next page shows you the password, once.</p>
            {}
            <form method="post" action="/portal/register">{}
            <label class="field">Name
            <input name="name" value="{}" required minlength="2" maxlength="40" autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="name-help"></label>
            <p class="help" id="name-help">2 to 40 characters: a to z, 0 to 9, dot, hyphen, underscore. A letter comes first.</p>
            <button class="button primary wide">Create the account</button>
            </form>
            <p class="more">You have one? <a href="/portal/sign-in">Sign in</a></p>
            </section>
            <aside class="narrow hint"><b>This is a demo registration.</b> Accounts last until the service
            stops. Their keys go on working, and only the administration can revoke them then: revoke what
            you do not need before.</aside>
            """,
            Layout.alert(error),
            Layout.token(guard.token(call.sessionId())),
            name));
  }

  /** The one page with a password in it. */
  private static Html password(String name, String password) {
    return Layout.frame(
        "Your password",
        Html.NONE,
        Html.of(
            """
            <section class="card narrow"><h1>Your password</h1>
            <p class="lead">Of the new account <b>{}</b>.</p>
            <p class="token"><code id="password">{}</code></p>
            <p class="warning"><b>You see it only now.</b> Copy it to where you keep your passwords: one
            click selects all of it. We keep no copy that could be shown again.</p>
            <p class="actions"><a class="button primary" href="/portal/sign-in">I have stored it, sign in</a></p>
            </section>
            """,
            name,
            password));
  }
}
