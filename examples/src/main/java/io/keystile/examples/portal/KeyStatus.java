package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.KeyDetails.SecretInfo;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The states of keys and secrets in words. A sign and a word each, for those who see no colour. */
final class KeyStatus {

  private KeyStatus() {}

  static Html badge(KeyDetails.Status status) {
    return switch (status) {
      case ACTIVE -> badge("good", "✓", "Active");
      case ROTATING -> badge("busy", "⇄", "Rotating");
      case DISABLED -> badge("warn", "‖", "Disabled");
      case EXPIRED -> badge("gone", "○", "Expired");
      case REVOKED -> badge("bad", "✕", "Revoked");
    };
  }

  /** A word on a ground of its kind, with a sign. */
  static Html badge(String kind, String sign, String word) {
    return Html.of(
        "<span class=\"badge {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
        kind,
        sign,
        word);
  }

  /** When there is something to do about the key, or that there is nothing any more. */
  static Html due(KeyDetails key, Instant now) {
    Instant due = key.rotationDueAt();
    return switch (key.status()) {
      case REVOKED, EXPIRED -> Html.of("–");
      case ACTIVE, ROTATING, DISABLED ->
          due != null && !due.isAfter(now)
              ? Html.of("<strong class=\"due\">Due now</strong>")
              : Times.near(due, now, "Never");
    };
  }

  static Html of(SecretInfo secret, KeyDetails key, Instant now) {
    if (secret.revokedAt() != null) {
      return badge("bad", "✕", "Revoked");
    }
    if (key.status() == KeyDetails.Status.REVOKED || !key.isLive(secret.number())) {
      return badge("gone", "○", "Ended");
    }
    if (key.status() == KeyDetails.Status.DISABLED) {
      return badge("warn", "‖", "Disabled");
    }
    return secret.number() == key.newestSecret().number()
        ? badge("good", "✓", "Current")
        : badge("busy", "⇄", "In its grace");
  }

  /** When a secret ends or has ended, by whatever comes first. */
  static Html ends(SecretInfo secret, KeyDetails key, Instant now) {
    Instant end = key.key().endsAt();
    if (key.revocation() != null) {
      end = earlier(end, key.revocation().at());
    }
    end = earlier(end, secret.expiresAt());
    end = earlier(end, secret.retiresAt());
    end = earlier(end, secret.revokedAt());
    return Times.near(end, now, "Never");
  }

  private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    return one == null || (other != null && other.isBefore(one)) ? other : one;
  }
}
