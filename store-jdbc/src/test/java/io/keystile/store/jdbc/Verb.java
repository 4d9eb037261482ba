package io.keystile.store.jdbc;

import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Changes of keys that must be done once and whole, whatever happens to them. */
enum Verb {
  ISSUE {
    @Override
    Target prepare(ApiKeys keys) {
      return new Target("weather-app", List.of());
    }

    @Override
    IssuedKey run(ApiKeys keys, String target, @Nullable String operationId) {
      KeySpec spec = KeySpec.forOwner(target).scopes("forecast:read");
      return keys.issue(operationId == null ? spec : spec.operationId(operationId));
    }
  },

  ROTATE {
    @Override
    IssuedKey run(ApiKeys keys, String target, @Nullable String operationId) {
      Rotation week = Rotation.withGrace(Duration.ofDays(7)).by("alice");
      return keys.rotate(target, operationId == null ? week : week.operationId(operationId));
    }
  },

  REVOKE {
    @Override
    @Nullable IssuedKey run(ApiKeys keys, String target, @Nullable String operationId) {
      Revocation request = Revocation.because(RevocationReason.OWNER_REQUEST).by("alice");
      keys.revoke(target, operationId == null ? request : request.operationId(operationId));
      return null;
    }
  },

  /** Of two keys, each in a transaction of its own. */
  PURGE {
    @Override
    Target prepare(ApiKeys keys) {
      for (int i = 0; i < times(); i++) {
        REVOKE.run(keys, REVOKE.prepare(keys).name(), null);
      }
      return new Target("all", List.of());
    }

    @Override
    @Nullable IssuedKey run(ApiKeys keys, String target, @Nullable String operationId) {
      Cause cause = Cause.by("alice");
      keys.purge(
          Duration.ZERO,
          Duration.ofDays(1),
          operationId == null ? cause : cause.operationId(operationId));
      return null;
    }

    @Override
    int times() {
      return 2;
    }
  };

  /**
   * What a verb is run on.
   *
   * @param name its key id, or whatever else the verb asks for
   * @param tokens those that work before
   */
  record Target(String name, List<String> tokens) {}

  /** Makes what the verb is run on. */
  Target prepare(ApiKeys keys) {
    IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read"));
    return new Target(issued.id(), List.of(issued.revealToken()));
  }

  /** Returns the key with its token, if the verb hands one out. */
  abstract @Nullable IssuedKey run(ApiKeys keys, String target, @Nullable String operationId);

  /** As the audit calls it. */
  String action() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** How many entries of the audit one call leaves. */
  int times() {
    return 1;
  }
}
