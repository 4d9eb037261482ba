package io.keystile.examples;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.Rotation;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.RevocationReason;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The administration of secrets: replace them, revoke one alone, and see who uses which. */
final class RotationApi {
  private static final Access ADMIN = Access.requiring(AdminApi.SCOPE);
  private static final int ENTRIES = 1000;

  private final ApiKeys keys;

  RotationApi(ApiKeys keys) {
    this.keys = keys;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard)
        .on("POST", "/keys/{id}/rotate", ADMIN, this::rotate)
        .on("POST", "/keys/{id}/revoke-secret", ADMIN, this::revoke)
        .on("GET", "/keys/{id}/history", ADMIN, this::history);
  }

  /**
   * How to replace a secret.
   *
   * @param graceHours how long the old ones go on; if not said, none where there is a reason
   */
  private record Wish(
      @Nullable Integer graceHours, @Nullable RevocationReason reason, @Nullable String note) {}

  private Answer rotate(Routes.Call call) throws IOException {
    Wish wish = Json.read(call.exchange(), Wish.class);
    Rotation rotation = wish.reason() == null ? Rotation.usual() : Rotation.forced(wish.reason());
    if (wish.graceHours() != null) {
      rotation = rotation.grace(Duration.ofHours(wish.graceHours()));
    }
    if (wish.note() != null) {
      rotation = rotation.note(wish.note());
    }
    String operationId = call.operationId();
    if (operationId != null) {
      rotation = rotation.operationId(operationId);
    }
    return issued(keys.rotate(call.parameter(), rotation.by(call.key().id())));
  }

  /** The new token, or that an earlier call has had it. */
  static Answer issued(IssuedKey issued) {
    return issued.alreadyIssued()
        ? Answer.problem(
            409,
            "A call with this Idempotency-Key has made secret "
                + issued.secretVersion()
                + " already, and only its answer had the token. If that is lost, have the key"
                + " rotated again.")
        : Answer.ok(KeyView.Issued.of(issued));
  }

  private record Why(int secret, @Nullable RevocationReason reason, @Nullable String note) {}

  private Answer revoke(Routes.Call call) throws IOException {
    Why why = Json.read(call.exchange(), Why.class);
    return Answer.ok(
        KeyView.of(
            keys.revokeSecret(
                call.parameter(),
                why.secret(),
                AdminApi.revocation(why.reason(), why.note(), call))));
  }

  /** The secrets of a key with their last use, and what was done to it. */
  private record History(
      @Nullable KeyView key, List<Secret> secrets, List<Entry> audit, @Nullable Long next) {}

  private record Secret(
      int number,
      String redacted,
      String createdAt,
      @Nullable String createdBy,
      @Nullable String note,
      @Nullable String expiresAt,
      @Nullable String retiresAt,
      @Nullable String revokedAt,
      @Nullable String lastUsed,
      @Nullable String lastSeen) {

    static Secret of(KeyDetails.SecretInfo secret) {
      return new Secret(
          secret.number(),
          secret.redacted(),
          secret.createdAt().toString(),
          secret.createdBy(),
          secret.note(),
          KeyView.text(secret.expiresAt()),
          KeyView.text(secret.retiresAt()),
          KeyView.text(secret.revokedAt()),
          KeyView.text(secret.lastUsed()),
          KeyView.text(secret.lastSeen()));
    }
  }

  private record Entry(
      String at,
      String action,
      @Nullable Integer secret,
      @Nullable String by,
      @Nullable String reason,
      @Nullable String note) {

    static Entry of(AuditEntry entry) {
      return new Entry(
          entry.at().toString(),
          entry.action(),
          entry.secretVersion(),
          entry.actor(),
          entry.reason(),
          entry.note());
    }
  }

  private Answer history(Routes.Call call) {
    String after = call.query().getOrDefault("after", "0");
    if (!after.matches("[0-9]{1,18}")) {
      throw new IllegalArgumentException("after: must be what next was in the answer before");
    }
    List<AuditEntry> audit =
        keys.audit(AuditFilter.ofKey(call.parameter()), Long.parseLong(after), ENTRIES);
    Optional<KeyDetails> key = keys.find(call.parameter());
    if (audit.isEmpty() && key.isEmpty()) {
      return Answer.problem(404, "no such key");
    }
    return Answer.ok(
        new History(
            key.map(KeyView::of).orElse(null),
            key.map(KeyDetails::secrets).orElse(List.of()).stream().map(Secret::of).toList(),
            audit.stream().map(Entry::of).toList(),
            audit.size() < ENTRIES ? null : audit.get(ENTRIES - 1).number()));
  }
}
