package io.keystile.examples;

import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyDetails.SecretInfo;
import io.keystile.store.RevocationReason;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A key as JSON: times in ISO 8601, and of its secret no more than a redacted form.
 *
 * @param oldSecretsInUse the numbers of those that somebody went on using after the newest was made
 */
record KeyView(
    String id,
    KeyDetails.Status status,
    String owner,
    String name,
    List<String> scopes,
    List<String> networks,
    @Nullable String plan,
    String redacted,
    String createdAt,
    @Nullable String expiresAt,
    @Nullable String rotationDueAt,
    List<Integer> oldSecretsInUse,
    @Nullable String lastUsed,
    @Nullable RevocationReason revokedBecause) {

  /** The only answers with a token in them. */
  record Issued(String token, int secret, KeyView key) {
    static Issued of(IssuedKey issued) {
      return new Issued(issued.revealToken(), issued.secretVersion(), KeyView.of(issued.details()));
    }
  }

  static KeyView of(KeyDetails details) {
    return new KeyView(
        details.id(),
        details.status(),
        details.key().owner(),
        details.key().name(),
        details.key().scopes(),
        details.networks(),
        details.key().plan(),
        details.newestSecret().redacted(),
        details.key().createdAt().toString(),
        text(details.expiresAt()),
        text(details.rotationDueAt()),
        details.oldSecretsInUse().stream().map(SecretInfo::number).toList(),
        text(details.lastUsed()),
        details.revocation() == null ? null : details.revocation().reason());
  }

  static @Nullable String text(@Nullable Instant time) {
    return time == null ? null : time.toString();
  }
}
