package io.keystile.examples;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyPage;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Revocation;
import io.keystile.store.RevocationReason;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The administration side: whoever has a key with {@code admin:keys} looks after all keys. */
final class AdminApi {
  static final String SCOPE = "admin:keys";

  private static final Access ADMIN = Access.requiring(SCOPE);

  private final ApiKeys keys;

  AdminApi(ApiKeys keys) {
    this.keys = keys;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard)
        .on("POST", "/keys", ADMIN, this::issue)
        .on("GET", "/keys", ADMIN, this::list)
        .on("GET", "/keys/{id}", ADMIN, this::show)
        .on("POST", "/keys/{id}/disable", ADMIN, this::disable)
        .on("POST", "/keys/{id}/enable", ADMIN, this::enable)
        .on("POST", "/keys/{id}/revoke", ADMIN, this::revoke);
  }

  private record Wish(
      @Nullable String owner,
      @Nullable String name,
      @Nullable List<String> scopes,
      @Nullable List<String> networks,
      @Nullable String plan,
      @Nullable Integer lifetimeDays) {}

  private Answer issue(Routes.Call call) throws IOException {
    Wish wish = Json.read(call.exchange(), Wish.class);
    KeySpec spec =
        KeySpec.forOwner(Objects.requireNonNullElse(wish.owner(), ""))
            .name(Objects.requireNonNullElse(wish.name(), ""))
            .scopes(texts(wish.scopes()))
            .networks(texts(wish.networks()))
            .by(call.key().id());
    if (wish.plan() != null) {
      spec = spec.plan(Plans.require(wish.plan()));
    }
    if (wish.lifetimeDays() != null) {
      spec = spec.lifetime(Duration.ofDays(wish.lifetimeDays()));
    }
    IssuedKey issued = keys.issue(spec);
    return new Answer(201, KeyView.Issued.of(issued));
  }

  private record Page(List<KeyView> keys, @Nullable String next) {}

  private Answer list(Routes.Call call) {
    Map<String, String> query = call.query();
    KeyQuery wanted = KeyQuery.all();
    String owner = query.get("owner");
    if (owner != null) {
      wanted = KeyQuery.ofOwner(owner);
    }
    String status = query.get("status");
    if (status != null) {
      wanted = wanted.status(status(status));
    }
    if (query.containsKey("due")) {
      wanted = wanted.rotationDue();
    }
    String after = query.get("after");
    if (after != null) {
      wanted = wanted.after(after);
    }
    KeyPage page = keys.list(wanted);
    return Answer.ok(new Page(page.keys().stream().map(KeyView::of).toList(), page.next()));
  }

  /** What {@code valueOf} throws would repeat what the client wrote. */
  private static KeyDetails.Status status(String name) {
    return Stream.of(KeyDetails.Status.values())
        .filter(status -> status.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("status: there is no such status"));
  }

  private Answer show(Routes.Call call) {
    return keys.find(call.parameter())
        .map(KeyView::of)
        .map(Answer::ok)
        .orElse(Answer.problem(404, "no such key"));
  }

  private Answer disable(Routes.Call call) {
    return Answer.ok(KeyView.of(keys.disable(call.parameter(), Cause.by(call.key().id()))));
  }

  private Answer enable(Routes.Call call) {
    return Answer.ok(KeyView.of(keys.enable(call.parameter(), Cause.by(call.key().id()))));
  }

  private record Why(@Nullable RevocationReason reason, @Nullable String note) {}

  private Answer revoke(Routes.Call call) throws IOException {
    Why why = Json.read(call.exchange(), Why.class);
    Revocation revocation = revocation(why.reason(), why.note(), call);
    return Answer.ok(KeyView.of(keys.revoke(call.parameter(), revocation)));
  }

  static Revocation revocation(
      @Nullable RevocationReason reason, @Nullable String note, Routes.Call call) {
    Revocation revocation =
        Revocation.because(Objects.requireNonNullElse(reason, RevocationReason.UNSPECIFIED))
            .by(call.key().id());
    return note == null ? revocation : revocation.note(note);
  }

  static String[] texts(@Nullable List<String> list) {
    if (list == null) {
      return new String[0];
    }
    if (list.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException("a list must not hold null");
    }
    return list.toArray(String[]::new);
  }
}
