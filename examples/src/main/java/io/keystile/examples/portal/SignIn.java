package io.keystile.examples.portal;

import io.keystile.examples.portal.Accounts.Account;
import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;

/** How one comes in and goes out. Guessing is limited, by address and by account. */
final class SignIn {
  static final String PATH = "/portal/sign-in";

  static final int PER_ADDRESS = 10;
  static final int PER_ACCOUNT = 30;

  private final Accounts accounts;
  private final Sessions sessions;
  private final FormGuard guard;
  private final Limiter<String> addresses;
  private final Limiter<String> names;

  SignIn(Accounts accounts, Sessions sessions, FormGuard guard, LongSupplier ticker) {
    this.accounts = accounts;
    this.sessions = sessions;
    this.guard = guard;
    this.addresses = limiter("address", PER_ADDRESS, ticker);
    this.names = limiter("account", PER_ACCOUNT, ticker);
  }

  private static Limiter<String> limiter(String name, int attempts, LongSupplier ticker) {
    Plan plan = Plan.of(name, Window.perMinute(attempts), Window.perHour(attempts * 10L));
    return Limiter.builder(plan).ticker(ticker).maxKeys(100_000).build();
  }

  Reply show(Call call) {
    return guard.page(call, page(call, "", Html.NONE));
  }

  /** The session before it ends, whose ever it was. */
  Reply enter(Call call, String address) {
    String name = call.field("name");
    Decision decision = addresses.acquire(address, 1);
    if (decision.isAllowed() && accounts.has(name)) { // other names would fill the memory
      decision = names.acquire(name, 1);
    }
    if (!decision.isAllowed()) {
      return tooMany(call, wait(decision));
    }
    Optional<Account> account = accounts.find(name, call.field("password"));
    if (account.isEmpty()) {
      return Reply.page(
          401, page(call, name, Layout.alert("Name and password do not match. Try again.")));
    }
    sessions.end(call.sessionId());
    String id = sessions.start(account.get());
    String lifetime = "; Max-Age=" + Sessions.LONGEST.toSeconds();
    return Reply.to("/portal/keys").with("Set-Cookie", guard.cookie(id, lifetime));
  }

  /** After how many seconds there is room again. */
  static long wait(Decision refused) {
    Duration wait = Objects.requireNonNullElse(refused.retryAfter(), Duration.ofHours(1));
    return Math.max(1, wait.plusMillis(999).toSeconds());
  }

  private Reply tooMany(Call call, long seconds) {
    String text = "Too many attempts. Try again in " + Times.counted(seconds, "second") + ".";
    return Reply.page(429, page(call, "", Layout.alert(text)))
        .with("Retry-After", String.valueOf(seconds));
  }

  Reply leave(Call call) {
    sessions.end(call.sessionId());
    return Reply.to(PATH).with("Set-Cookie", guard.cookie("", "; Max-Age=0"));
  }

  private Html page(Call call, String name, Html message) {
    return Layout.frame(
        "Sign in",
        Html.NONE,
        Html.of(
            """
            <section class="card narrow">
            <h1>Sign in</h1>
            <p class="lead">See to the API keys of your account.</p>
            {}
            <form method="post" action="/portal/sign-in">{}
            <label class="field">Name
            <input name="name" value="{}" required maxlength="100" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
            <label class="field">Password
            <input name="password" type="password" required maxlength="100" autocomplete="current-password"></label>
            <button class="button primary wide">Sign in</button>
            </form>
            <p class="more">No account yet? <a href="/portal/register">Create one</a></p>
            </section>
            <aside class="narrow hint"><b>This is a demo sign-in.</b> Accounts last until the service
            stops. It makes some at each start, and prints their passwords once. A real portal has the
            login that its users have already, with a second factor.</aside>
            """,
            message,
            Layout.token(guard.token(call.sessionId())),
            name));
  }
}
