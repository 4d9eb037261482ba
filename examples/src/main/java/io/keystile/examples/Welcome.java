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
  static final String CLIENT = "weather-app";

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
          + " --new-admin-key (under Maven: -Dexec.args=--new-admin-key)\n";
    }
    keys.revokeAllOf(
        ADMIN, Revocation.because(RevocationReason.OWNER_REQUEST).note("--new-admin-key"));
    KeySpec all = KeySpec.forOwner(ADMIN).name("bootstrap").scopes(AdminApi.SCOPE);
    String admin = keys.issue(all.plan(Plans.UNLIMITED)).revealToken();
    if (!first) {
      return "The new administration key, shown once; the old ones are revoked:\n\n  %s\n"
          .formatted(admin);
    }
    IssuedKey client =
        keys.issue(
            KeySpec.forOwner(CLIENT)
                .name("first key")
                .scopes("forecast:read", "keys:rotate")
                .plan(Plans.TRIAL));
    return firstText(admin, client);
  }

  private String firstText(String admin, IssuedKey client) {
    String token = client.revealToken();
    String oslo = service + "/forecast/oslo";
    String keysUrl = administration + "/keys";
    return """
        The first token of the client "%s", which may read, and replace its own secret,
        on the plan "trial":

          %s

        The administration key:

          %s

        Neither can be shown again. To try them, paste into another terminal:

        """
            .formatted(CLIENT, token, admin)
        + command("200: the key may read", with(token), oslo)
        + command("401: no key", "", oslo)
        + command(
            "403: the key may not write",
            with(token) + "-X PUT -d '{\"celsius\":5,\"sky\":\"rain\"}' ",
            oslo)
        + command(
            "200: the key replaces its own secret, and this answer alone has the new token",
            with(token) + "-X POST ",
            service + "/key/rotate")
        + command("200: the old one goes on, until API-Key-Rotate-By", with(token), oslo)
        + untilRefused("429: its plan is used up, and Retry-After says until when", token, oslo)
        + command(
            "201: issue a key that may, and more often",
            with(admin)
                + "-d '{\"owner\":\"station-7\",\"scopes\":[\"forecast:*\"],\"plan\":\"team\"}' ",
            keysUrl)
        + command(
            "200: revoke the first key",
            with(admin) + "-d '{\"reason\":\"LEAKED\"}' ",
            keysUrl + "/" + client.id() + "/revoke")
        + command("401: both of its tokens are refused at once", with(token), oslo);
  }

  private static String with(String token) {
    return "-H 'X-API-Key: " + token + "' ";
  }

  private static String untilRefused(String expected, String token, String url) {
    String request = with(token) + url;
    return "  # %s\n  while curl -sf -o /dev/null %s; do :; done; curl -i %s\n\n"
        .formatted(expected, request, request);
  }

  private static String command(String expected, String options, String url) {
    return "  # %s\n  curl -i %s%s\n\n".formatted(expected, options, url);
  }
}
