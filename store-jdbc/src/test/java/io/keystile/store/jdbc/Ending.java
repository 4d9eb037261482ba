package io.keystile.store.jdbc;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.KeyException;
import io.keystile.KeyException.Failure;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.Origin;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.function.BiConsumer;

/** What makes a token that was good useless, at once and on every node. */
enum Ending {
  REVOKE((keys, id) -> keys.revoke(id, Revocation.because(RevocationReason.UNUSED))),
  DISABLE((keys, id) -> keys.disable(id, Cause.unstated())),
  NARROW((keys, id) -> keys.update(id, KeyUpdate.of().scopes("forecast:read"))),
  ROTATE((keys, id) -> keys.rotate(id, Rotation.withGrace(Duration.ZERO))),
  REVOKE_SECRET(
      (keys, id) -> keys.revokeSecret(id, 1, Revocation.because(RevocationReason.UNUSED)));

  private static final Access WRITE = Access.requiring("forecast:write");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  private final BiConsumer<ApiKeys, String> verb;

  Ending(BiConsumer<ApiKeys, String> verb) {
    this.verb = verb;
  }

  /** They take turns. */
  static Ending of(int number) {
    return values()[number % values().length];
  }

  /** A key whose token is good until one of these. */
  static KeySpec key() {
    return KeySpec.forOwner("weather-app").scopes("forecast:read", "forecast:write");
  }

  static boolean isGood(ApiKeys node, String token) {
    return node.validate(token, WRITE, HERE).isAccepted();
  }

  void of(ApiKeys node, String keyId) {
    verb.accept(node, keyId);
  }

  /** In a transaction of the host's, which is repeated when the database gives it up. */
  void of(ApiKeys node, String keyId, HostTransactions host, Runnable beforeCommit) {
    while (true) {
      try {
        host.run(
            connection -> {
              of(node, keyId);
              beforeCommit.run();
            });
        return;
      } catch (KeyException e) {
        if (e.failure() != Failure.CONFLICT) {
          throw e;
        }
      }
    }
  }
}
