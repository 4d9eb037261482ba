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
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
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
      @Nullable Integer lifetimeDays) {}

  /** The only answer with a token in it. */
  private record Issued(String token, View key) {}

  private Answer issue(Routes.Call call) throws IOException {
    Wish wish = Json.read(call.exchange(), Wish.class);
    KeySpec spec =
        KeySpec.forOwner(Objects.requireNonNullElse(wish.owner(), ""))
            .name(Objects.requireNonNullElse(wish.name(), ""))
            .scopes(texts(wish.scopes()))
            .networks(texts(wish.networks()))
            .by(call.key().id());
    if (wish.lifetimeDays() != null) {
      spec = spec.lifetime(Duration.ofDays(wish.lifetimeDays()));
    }
    IssuedKey issued = keys.issue(spec);
    return new Answer(201, new Issued(issued.revealToken(), View.of(issued.details())));
  }

  private record Page(List<View> keys, @Nullable String next) {}

  private Answer list(Routes.Call call) {
    Map<String, String> query = query(call);
    KeyQuery wanted = KeyQuery.all();
    String owner = query.get("owner");
    if (owner != null) {
      wanted = KeyQuery.ofOwner(owner);
    }
    String status = query.get("status");
    if (status != null) {
      wanted = wanted.status(status(status));
    }
    String after = query.get("after");
    if (after != null) {
      wanted = wanted.after(after);
    }
    KeyPage page = keys.list(wanted);
    return Answer.ok(new Page(page.keys().stream().map(View::of).toList(), page.next()));
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
        .map(View::of)
        .map(Answer::ok)
        .orElse(Answer.problem(404, "no such key"));
  }

  private Answer disable(Routes.Call call) {
    return Answer.ok(View.of(keys.disable(call.parameter(), Cause.by(call.key().id()))));
  }

  private Answer enable(Routes.Call call) {
    return Answer.ok(View.of(keys.enable(call.parameter(), Cause.by(call.key().id()))));
  }

  private record Why(@Nullable RevocationReason reason, @Nullable String note) {}

  private Answer revoke(Routes.Call call) throws IOException {
    Why why = Json.read(call.exchange(), Why.class);
    RevocationReason reason =
        Objects.requireNonNullElse(why.reason(), RevocationReason.UNSPECIFIED);
    Revocation revocation = Revocation.because(reason).by(call.key().id());
    if (why.note() != null) {
      revocation = revocation.note(why.note());
    }
    return Answer.ok(View.of(keys.revoke(call.parameter(), revocation)));
  }

  /** A key as JSON: times in ISO 8601, and of its secret no more than a redacted form. */
  private record View(
      String id,
      KeyDetails.Status status,
      String owner,
      String name,
      List<String> scopes,
      List<String> networks,
      String redacted,
      String createdAt,
      @Nullable String expiresAt,
      @Nullable String lastUsed,
      @Nullable RevocationReason revokedBecause) {

    static View of(KeyDetails details) {
      List<KeyDetails.SecretInfo> secrets = details.secrets();
      return new View(
          details.id(),
          details.status(),
          details.key().owner(),
          details.key().name(),
          details.key().scopes(),
          details.networks(),
          secrets.get(secrets.size() - 1).redacted(),
          details.key().createdAt().toString(),
          text(details.expiresAt()),
          text(details.lastUsed()),
          details.revocation() == null ? null : details.revocation().reason());
    }
  }

  private static @Nullable String text(@Nullable Instant time) {
    return time == null ? null : time.toString();
  }

  private static String[] texts(@Nullable List<String> list) {
    if (list == null) {
      return new String[0];
    }
    if (list.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException("a list must not hold null");
    }
    return list.toArray(String[]::new);
  }

  /** The parameters of the query, decoded. */
  private static Map<String, String> query(Routes.Call call) {
    Map<String, String> query = new HashMap<>();
    String raw = call.exchange().getRequestURI().getRawQuery();
    if (raw != null) {
      for (String pair : raw.split("&")) {
        String[] parts = pair.split("=", 2);
        query.put(
            URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
            URLDecoder.decode(parts.length < 2 ? "" : parts[1], StandardCharsets.UTF_8));
      }
    }
    return query;
  }
}
