package io.keystile;

import java.time.Duration;
import java.util.Locale;
import java.util.function.BiFunction;

/** The verbs that change one key, for tests that try them all. */
enum Verb {
  UPDATE((desk, call) -> desk.administration.update(call.keyId, update(call.cause))),
  DISABLE((desk, call) -> desk.administration.disable(call.keyId, call.cause)),
  ENABLE((desk, call) -> desk.administration.enable(call.keyId, call.cause)),
  REVOKE((desk, call) -> desk.administration.revoke(call.keyId, revocation(call.cause))),
  EXTEND((desk, call) -> desk.administration.extend(call.keyId, Duration.ofDays(100), call.cause)),
  ROTATE(
      (desk, call) ->
          desk.administration
              .secrets()
              .rotate(call.keyId, Rotation.usual().because(call.cause))
              .details()),
  REVOKE_SECRET(
      (desk, call) -> desk.administration.secrets().revoke(call.keyId, 1, revocation(call.cause)));

  static final String NEW_NAME = "renamed";

  private record Call(String keyId, Cause cause) {}

  private final BiFunction<Desk, Call, KeyDetails> action;

  Verb(BiFunction<Desk, Call, KeyDetails> action) {
    this.action = action;
  }

  KeyDetails run(Desk desk, String keyId, Cause cause) {
    return action.apply(desk, new Call(keyId, cause));
  }

  /** As the audit calls it. */
  String action() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static KeyUpdate update(Cause cause) {
    return KeyUpdate.of().name(NEW_NAME).because(cause);
  }

  private static Revocation revocation(Cause cause) {
    Revocation revocation = Desk.LEAK;
    if (cause.actor() != null) {
      revocation = revocation.by(cause.actor());
    }
    if (cause.note() != null) {
      revocation = revocation.note(cause.note());
    }
    return cause.operationId() == null ? revocation : revocation.operationId(cause.operationId());
  }
}
