package io.keystile.examples;

import static io.keystile.KeyDetails.Status.ACTIVE;
import static io.keystile.store.RevocationReason.OWNER_REQUEST;
import static io.keystile.store.RevocationReason.SECURITY_BREACH;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyImport;
import io.keystile.KeyListener;
import io.keystile.KeyPage;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.OwnerKeys;
import io.keystile.PepperSource;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.leak.LeakReport;
import io.keystile.leak.LeakResponse;
import io.keystile.leak.LeakScanner;
import io.keystile.leak.PartnerAlert;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the guide, word for word. */
final class GuideSamples {
  private static final Logger log = LoggerFactory.getLogger(GuideSamples.class);
  private static final Access READ = Access.requiring("forecast:read");

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

  static int changingAPepper(ApiKeys keys) {
    int needing = keys.countNeeding("pepper-2025"); // at 0 it can be dropped
    KeyQuery left = KeyQuery.all().pepper("pepper-2025").status(ACTIVE);
    for (KeyDetails key : keys.list(left).keys()) {
      log.info("Key {} was last used at {}", key.id(), key.lastUsed());
    }
    return needing;
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

  static LeakReport leak(ApiKeys keys, InputStream text) {
    LeakScanner scanner = LeakScanner.of(List.of("acme"), List.of("live", "test"));
    LeakResponse response = LeakResponse.of(keys, scanner).by("leak-desk");
    LeakReport report = response.evidence("https://paste.example/1234").handle(text);
    for (LeakReport.Finding found : report.findings()) {
      log.warn("{} in line {}: {}", found.token(), found.line(), found.outcome());
    }
    return report;
  }

  static int alert(LeakResponse response, byte[] body, String signature, String publicKeyPem) {
    if (!PartnerAlert.isSigned(body, signature, publicKeyPem)) {
      return 401;
    }
    LeakReport report = response.evidence("secret scanning").handle(new ByteArrayInputStream(body));
    return report.isComplete() ? 200 : 503;
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

  /** A row of a table of before. */
  record OldKey(String customer, String sha256, Instant created) {}

  static ApiKeys openForImports(KeyStore store, ServerSecret pepper, ServerSecret idKey) {
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .pepper(pepper)
            .idKey(idKey)
            .importedKeys(idKey)
            .build();
    return keys;
  }

  static KeyImport.Result moveIn(ApiKeys keys, Collection<OldKey> oldKeys) {
    Function<OldKey, KeyImport> toImport =
        old ->
            KeyImport.ofSha256(
                    old.sha256(), KeySpec.forOwner(old.customer()).scopes("forecast:read"))
                .createdAt(old.created());
    KeyImport.Result result =
        keys.importKeys(
            oldKeys.stream().map(toImport).iterator(),
            progress -> log.info("{} in, {} were there", progress.imported(), progress.present()));
    result.refusals().forEach(bad -> log.warn("Row {}: {}", bad.index(), bad.reason()));
    return result;
  }

  /** What is left of a home-made service: it looks into its own table. */
  interface OldTable {
    @Nullable String customerOf(String token);
  }

  static Validation onUse(ApiKeys keys, OldTable oldTable, String token, Origin origin) {
    Validation first = keys.validate(token, READ, origin);
    if (first instanceof Rejected no && no.reason() == Reason.UNKNOWN) {
      String customer = oldTable.customerOf(token);
      if (customer != null) {
        KeySpec spec = KeySpec.forOwner(customer).scopes("forecast:read");
        keys.importKeys(List.of(KeyImport.ofToken(token, spec)).iterator(), progress -> {});
        return keys.validate(token, READ, origin);
      }
    }
    return first;
  }
}
