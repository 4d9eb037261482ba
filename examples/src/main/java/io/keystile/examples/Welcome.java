package io.keystile.examples;

import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Revocation;
import io.keystile.store.RevocationReason;

/** The first keys, and how to try them: printed once, since tokens cannot be read again. */
final class Welcome {
  private static final String ADMIN = "administration";
  private static final String CLIENT = "weather-app";

  private final ApiKeys keys;
  private final String service;
  private final String administration;

  Welcome(ApiKeys keys, String service, String administration) {
    this.keys = keys;
    this.service = service;
    this.administration = administration;
  }

  /** Issues the keys that are missing, and says what there is to know. */
  String text(boolean newAdminKey) {
    boolean first = keys.list(KeyQuery.ofOwner(ADMIN).limit(1)).keys().isEmpty();
    if (!first && !newAdminKey) {
      return "The keys of earlier starts work. If the administration key is lost, start with"
          + " --new-admin-key\n";
    }
    keys.revokeAllOf(
        ADMIN, Revocation.because(RevocationReason.OWNER_REQUEST).note("--new-admin-key"));
    String admin =
        keys.issue(KeySpec.forOwner(ADMIN).name("bootstrap").scopes(AdminApi.SCOPE)).revealToken();
    if (!first) {
      return "The new administration key, shown once; the old ones are revoked:\n\n  %s\n"
          .formatted(admin);
    }
    IssuedKey client =
        keys.issue(KeySpec.forOwner(CLIENT).name("first key").scopes("forecast:read"));
    return firstText(admin, client);
  }

  private String firstText(String admin, IssuedKey client) {
    String token = client.revealToken();
    String read = "curl -i -H 'X-API-Key: %s' %s/forecast/oslo".formatted(token, service);
    return """
        The first token of the client "%s", which may read:

          %s

        The administration key:

          %s

        Neither can be shown again. To try them, paste into another terminal:

          # 200: the key may read
          %s

          # 401: no key
          curl -i %s/forecast/oslo

          # 403: the key may not write
          curl -i -X PUT -H 'X-API-Key: %s' -d '{"celsius":5,"sky":"rain"}' %s/forecast/oslo

          # 201: issue a key that may
          curl -i -H 'X-API-Key: %s' -d '{"owner":"station-7","scopes":["forecast:*"]}' %s/keys

          # 200: revoke the first key
          curl -i -H 'X-API-Key: %s' -d '{"reason":"LEAKED"}' %s/keys/%s/revoke

          # 401: it is refused at once
          %s
        """
        .formatted(
            CLIENT,
            token,
            admin,
            read,
            service,
            token,
            service,
            admin,
            administration,
            admin,
            administration,
            client.id(),
            read);
  }
}
