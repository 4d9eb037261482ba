package io.keystile.examples;

import static io.keystile.store.RevocationReason.OWNER_REQUEST;
import static io.keystile.store.RevocationReason.SECURITY_BREACH;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyListener;
import io.keystile.KeyPage;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.OwnerKeys;
import io.keystile.PepperSource;
import io.keystile.Revocation;
import io.keystile.ServerSecret;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the guide, word for word. */
final class GuideSamples {
  private static final Logger log = LoggerFactory.getLogger(GuideSamples.class);

  private GuideSamples() {}

  static ApiKeys open(KeyStore store, PepperSource secrets) {
    ServerSecret pepper = secrets.secret("pepper-2026");
    ServerSecret idKey = secrets.secret("id-key-1");
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .pepper(pepper)
            .idKey(idKey)
            .requireMintedIds()
            .listener(new Alarms())
            .build();
    return keys;
  }

  static final class Alarms implements KeyListener {
    @Override
    public void insecureTransport(String keyId, boolean accepted) {
      log.warn("Key {} was sent in clear, replace it", keyId);
    }

    @Override
    public void pepperMissing(String pepperId) {
      log.error("This node lacks pepper {}", pepperId);
    }
  }

  static Access[] accesses() {
    Access read = Access.requiring("forecast:read");
    Access export =
        Access.requiring("forecast:read").and(Access.requiringAny("export:csv", "export:json"));
    return new Access[] {read, export};
  }

  static IssuedKey personal(ApiKeys keys) {
    IssuedKey laptop =
        keys.issue(
            KeySpec.personalToken("acme-corp", "user-17")
                .name("laptop")
                .scopes("forecast:read", "forecast:write")
                .by("user-17"));
    keys.extend(laptop.id(), Duration.ofDays(60), Cause.by("user-17"));
    return laptop;
  }

  static int leaving(ApiKeys keys) {
    keys.subjectChanged("user-17"); // his role has changed: ask SubjectPermissions again
    int revoked = keys.revokeAllOfSubject("user-17", Revocation.because(OWNER_REQUEST).by("hr"));
    return revoked;
  }

  /** The host's roles. */
  interface Roles {
    Collection<String> scopesOf(String user);
  }

  static ApiKeys withRoles(KeyStore store, Roles roles) {
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .subjectPermissions((user, granted) -> roles.scopesOf(user))
            .build();
    return keys;
  }

  static IssuedKey portal(ApiKeys keys, String account, String user) {
    OwnerKeys mine = keys.forOwner(account).mayGrant("forecast:read", "forecast:write");
    IssuedKey issued = mine.issue(KeySpec.forOwner(account).scopes("forecast:read").by(user));
    mine.rename(issued.id(), "billing robot", Cause.by(user));
    KeyPage page = mine.list(KeyQuery.all());
    mine.revoke(issued.id(), Revocation.because(OWNER_REQUEST).by(user));
    log.debug("There were {} keys", page.keys().size());
    return issued;
  }

  static List<KeyDetails> unused(ApiKeys keys) {
    List<KeyDetails> unused = new ArrayList<>();
    KeyQuery query = KeyQuery.all().unusedSince(Instant.now().minus(Duration.ofDays(90)));
    for (KeyPage page = keys.list(query); ; page = keys.list(query.after(page.next()))) {
      unused.addAll(page.keys());
      if (page.next() == null) {
        break;
      }
    }
    return unused;
  }

  static int incident(ApiKeys keys) {
    int revoked = keys.revokeAllOf("weather-app", Revocation.because(SECURITY_BREACH).by("alice"));
    return revoked;
  }

  static int leakedPepper(ApiKeys keys) {
    int revoked =
        keys.revokeAll(
            KeyQuery.all().pepper("pepper-2025"),
            Revocation.because(SECURITY_BREACH).by("alice").operationId("incident-7"));
    return revoked;
  }

  static List<AuditEntry> history(ApiKeys keys, String keyId) {
    List<AuditEntry> history = keys.audit(AuditFilter.ofKey(keyId), 0, 1000);
    return history;
  }

  static Purge.Result purge(ApiKeys keys) {
    Purge.Result removed =
        keys.purge(Duration.ofDays(90), Duration.ofDays(3 * 365), Cause.by("nightly purge"));
    return removed;
  }
}
