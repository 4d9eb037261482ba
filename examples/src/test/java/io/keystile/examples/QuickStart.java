package io.keystile.examples;

import static io.keystile.store.RevocationReason.LEAKED;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.ServerSecret;
import io.keystile.store.KeyStore;
import io.keystile.store.jdbc.JdbcKeyStore;
import java.util.function.Consumer;
import javax.sql.DataSource;

/** The quick start of the README, word for word. */
final class QuickStart {
  private QuickStart() {}

  static void run(DataSource dataSource, ServerSecret pepper, Consumer<String> serve) {
    Access read = Access.requiring("forecast:read"); // a constant of yours
    KeyStore store = JdbcKeyStore.create(dataSource);
    try (ApiKeys keys =
        ApiKeys.builder(store).brand("acme").environment("live").pepper(pepper).build()) {
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read"));
      String token = issued.revealToken(); // the only time it can be read

      Origin client = Origin.of("192.0.2.7").secure(true); // its address, and that it came by TLS
      if (keys.validate(token, read, client) instanceof Accepted accepted) {
        serve.accept(accepted.key().owner());
      }
      IssuedKey next = keys.rotate(issued.id(), Rotation.usual().by("alice")); // the old: 7 days
      keys.revoke(next.id(), Revocation.because(LEAKED).by("alice"));
    }
  }
}
