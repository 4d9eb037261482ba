package io.keystile.examples.portal;

import io.keystile.store.AuditEntry;
import io.keystile.store.RevocationReason;
import java.util.List;
import java.util.Locale;

/** Actions and reasons in words. */
final class Reasons {

  /** Those that an owner chooses from. */
  static final List<RevocationReason> OF_OWNER =
      List.of(
          RevocationReason.OWNER_REQUEST,
          RevocationReason.UNUSED,
          RevocationReason.LEAKED,
          RevocationReason.SUSPICIOUS_ACTIVITY);

  private Reasons() {}

  static String text(String reason) {
    return switch (reason) {
      case "OWNER_REQUEST" -> "no longer wanted";
      case "UNUSED" -> "not used any more";
      case "LEAKED" -> "leaked";
      case "SUSPICIOUS_ACTIVITY" -> "used in an odd way";
      default -> reason.toLowerCase(Locale.ROOT).replace('_', ' ');
    };
  }

  static String action(AuditEntry entry) {
    String secret = entry.secretVersion() == null ? "" : ", secret " + entry.secretVersion();
    return switch (entry.action()) {
      case "issue" -> "Created";
      case "update" -> "Changed";
      case "rotate" -> "Rotated" + secret;
      case "rotate_self" -> "Rotated by its program" + secret;
      case "revoke" -> "Revoked";
      case "revoke_secret" -> "Revoked alone" + secret;
      case "disable" -> "Switched off";
      case "enable" -> "Switched on";
      case "extend" -> "Extended";
      default -> entry.action().replace('_', ' ') + secret;
    };
  }
}
