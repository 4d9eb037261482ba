package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every outcome of validation, its order and its boundaries. */
class ValidationTest {
  private static final Access ANY = Access.authenticated();
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret PEPPER = Tokens.secret("p1", 1);
  private static final ServerSecret OTHER_PEPPER = Tokens.secret("p2", 2);
  private static final ServerSecret ID_KEY = Tokens.secret("i1", 3);

  private final ManualTime time = new ManualTime();
  private final WatchedStore store = new WatchedStore();
  private final List<ApiKeys> open = new ArrayList<>();
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final ApiKeys keys = node(builder -> builder);

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void a_good_token_is_accepted_and_tells_its_key() {
    IssuedKey issued = issue(KeySpec.forOwner("weather-app").scopes("forecast:read").plan("pro"));

    Validation result = keys.validate(issued.revealToken(), READ, HERE);

    assertThat(result).isInstanceOf(Accepted.class);
    Accepted accepted = (Accepted) result;
    assertThat(accepted.isAccepted()).isTrue();
    assertThat(accepted.secretVersion()).isEqualTo(1);
    assertThat(accepted.key().id()).isEqualTo(issued.id());
    assertThat(accepted.key().owner()).isEqualTo("weather-app");
    assertThat(accepted.key().plan()).isEqualTo("pro");
  }

  @Test
  void what_is_no_token_is_malformed_and_costs_no_load() {
    String token = issue(spec()).revealToken();
    List<String> texts = new ArrayList<>(List.of("", " ", "x", token + " ", " " + token));
    texts.add(null);
    texts.add(token.substring(1));
    texts.add(token.replace("acme_", "akme_"));
    texts.add(token.substring(0, token.length() - 1) + (token.endsWith("0") ? '1' : '0'));
    texts.add("x".repeat(1_000_000));

    for (String text : texts) {
      assertRejected(keys.validate(text, ANY, HERE), Reason.MALFORMED, false);
    }
    assertThat(store.loads).hasValue(0);
  }

  @Test
  void an_id_that_nobody_has_is_unknown_and_is_asked_for_once() {
    String token = strange();

    assertRejected(keys.validate(token, ANY, HERE), Reason.UNKNOWN, false);
    assertRejected(keys.validate(token, ANY, HERE), Reason.UNKNOWN, false);
    assertThat(store.loads).hasValue(1);
  }

  @Test
  void a_wrong_secret_says_nothing_about_the_key() {
    IssuedKey issued = issue(spec());
    keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    String wrong = withSecretOf(issued.revealToken(), strange());

    assertRejected(keys.validate(wrong, ANY, HERE), Reason.WRONG_SECRET, false);
  }

  @Test
  void a_token_for_another_environment_is_refused_even_if_it_says_otherwise() {
    ApiKeys both = node(b -> b.environment("live", "test"));
    IssuedKey test = both.issue(spec().environment("test"));
    IssuedKey live = both.issue(spec().environment("live"));

    // this node serves live only
    assertRejected(keys.validate(test.revealToken(), ANY, HERE), Reason.WRONG_ENVIRONMENT, true);
    String rewritten = withPrefix(test.revealToken(), "acme_live_");
    assertRejected(keys.validate(rewritten, ANY, HERE), Reason.WRONG_ENVIRONMENT, true);
    // that node serves both, and still takes neither for the other
    assertRejected(both.validate(rewritten, ANY, HERE), Reason.WRONG_ENVIRONMENT, true);
    String downgraded = withPrefix(live.revealToken(), "acme_test_");
    assertRejected(both.validate(downgraded, ANY, HERE), Reason.WRONG_ENVIRONMENT, true);
    assertThat(both.validate(test.revealToken(), ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void a_token_for_another_brand_of_this_node_is_refused() {
    ApiKeys both = node(b -> b.brand("acme", "other"));
    IssuedKey issued = both.issue(spec().brand("other"));
    String rewritten = withPrefix(issued.revealToken(), "acme_live_");

    assertThat(both.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
    assertRejected(both.validate(rewritten, ANY, HERE), Reason.WRONG_ENVIRONMENT, true);
  }

  @Test
  void disabled_and_enabled_and_revoked() {
    IssuedKey issued = issue(spec());
    String token = issued.revealToken();
    assertThat(keys.validate(token, ANY, HERE).isAccepted()).isTrue();

    keys.disable(issued.id(), Cause.by("alice"));
    assertRejected(keys.validate(token, ANY, HERE), Reason.DISABLED, true);
    keys.enable(issued.id(), Cause.by("alice"));
    assertThat(keys.validate(token, ANY, HERE).isAccepted()).isTrue();
    keys.revoke(issued.id(), Revocation.because(RevocationReason.OWNER_REQUEST));
    assertRejected(keys.validate(token, ANY, HERE), Reason.REVOKED, true);
  }

  @Test
  void an_end_is_over_at_its_very_millisecond_cached_or_reloaded() {
    Instant end = time.instant().plus(Duration.ofDays(90));
    String expiring = issue(spec()).revealToken();
    String ending = issue(spec().neverExpires().endsAt(end)).revealToken();

    for (boolean cached : new boolean[] {true, false}) {
      for (int millis = -1; millis <= 1; millis++) {
        ApiKeys node = cached ? keys : node(b -> b);
        time.set(end.minusMillis(2));
        assertThat(keys.validate(expiring, ANY, HERE).isAccepted()).isTrue(); // it is cached now
        assertThat(keys.validate(ending, ANY, HERE).isAccepted()).isTrue();
        time.set(end.plusMillis(millis));
        Validation first = node.validate(expiring, ANY, HERE);
        Validation second = node.validate(ending, ANY, HERE);
        if (millis < 0) {
          assertThat(first.isAccepted()).isTrue();
          assertThat(second.isAccepted()).isTrue();
        } else {
          assertRejected(first, Reason.EXPIRED, true);
          assertRejected(second, Reason.KEY_ENDED, true);
        }
      }
    }
  }

  @Test
  void an_older_secret_is_told_apart() {
    String token = issue(spec()).revealToken();
    Instant now = time.instant();
    alter(token, v -> version(v, now.plusMillis(5), null));
    assertThat(keys.validate(token, ANY, HERE).isAccepted()).isTrue();
    time.set(now.plusMillis(5));
    assertRejected(keys.validate(token, ANY, HERE), Reason.RETIRED, true);
    alter(token, v -> version(v, now.plusMillis(5), now.plusMillis(5)));
    assertRejected(keys.validate(token, ANY, HERE), Reason.VERSION_REVOKED, true);
    assertThat(keys.validate(token, ANY, HERE))
        .hasToString(
            "Rejected[reason=VERSION_REVOKED, key=%s, secretVersion=1]", Tokens.idOf(token));
  }

  @Test
  void scopes_are_needed_as_the_access_says() {
    String token = issue(spec().scopes("forecast:read", "orders:*")).revealToken();

    assertThat(keys.validate(token, READ, HERE).isAccepted()).isTrue();
    assertThat(keys.validate(token, Access.requiring("orders:a:b"), HERE).isAccepted()).isTrue();
    assertRejected(
        keys.validate(token, Access.requiring("forecast:write"), HERE), Reason.SCOPE_MISSING, true);
    assertThat(
            keys.validate(token, Access.requiringAny("forecast:write", "orders:x"), HERE)
                .isAccepted())
        .isTrue();
  }

  @Test
  void networks_and_callers_are_held_to() {
    String bound = issue(spec().networks("192.0.2.0/24").callers("billing")).revealToken();
    Origin billing = HERE.caller("billing");

    assertThat(keys.validate(bound, ANY, billing).isAccepted()).isTrue();
    assertRejected(keys.validate(bound, ANY, HERE), Reason.CALLER_NOT_ALLOWED, true);
    assertRejected(
        keys.validate(bound, ANY, HERE.caller("Billing")), Reason.CALLER_NOT_ALLOWED, true);
    assertRejected(
        keys.validate(bound, ANY, Origin.of("198.51.100.1").caller("billing")),
        Reason.ADDRESS_NOT_ALLOWED,
        true);
    assertRejected(
        keys.validate(bound, ANY, Origin.unknown().caller("billing")),
        Reason.ADDRESS_NOT_ALLOWED,
        true);

    String free = issue(spec()).revealToken();
    assertThat(keys.validate(free, ANY, Origin.unknown()).isAccepted()).isTrue();
    assertRejected(
        keys.validate(free, ANY.fromNamedCaller(), billing), Reason.CALLER_NOT_ALLOWED, true);
  }

  @ParameterizedTest
  @EnumSource(TransportPolicy.class)
  void clear_transport_is_treated_as_the_policy_says(TransportPolicy policy) {
    ApiKeys node = node(b -> b.transport(policy).listener(listener()));
    IssuedKey issued = node.issue(spec());
    Origin clear = HERE.secure(false);

    Validation result = node.validate(issued.revealToken(), ANY, clear);
    Validation wrong = node.validate(withSecretOf(issued.revealToken(), strange()), ANY, clear);

    assertThat(result.isAccepted()).isEqualTo(policy != TransportPolicy.REQUIRE);
    assertRejected(wrong, Reason.WRONG_SECRET, false);
    assertThat(events())
        .isEqualTo(
            policy == TransportPolicy.ALLOW
                ? List.of()
                : List.of("clear " + issued.id() + " " + (policy == TransportPolicy.WARN)));
  }

  @Test
  void a_service_key_from_a_browser_is_told_and_a_personal_one_is_not() {
    ApiKeys node = node(b -> b.listener(listener()));
    IssuedKey service = node.issue(spec());
    IssuedKey personal = node.issue(KeySpec.personalToken("owner", "user"));

    node.validate(service.revealToken(), ANY, HERE.browser(true));
    node.validate(personal.revealToken(), ANY, HERE.browser(true));

    assertThat(events()).containsExactly("browser " + service.id());
  }

  @Test
  void the_first_reason_in_the_order_is_given() {
    // everything is wrong with this key; mended one by one, the reasons come in their order
    Instant now = time.instant();
    Instant past = now.plusMillis(1);
    IssuedKey issued =
        node(b -> b.environment("test"))
            .issue(spec().environment("test").networks("192.0.2.1").callers("c").endsAt(past));
    time.set(now.plus(Duration.ofDays(90)));
    String token = issued.revealToken();
    Origin clear = Origin.of("198.51.100.1").secure(false);
    List<Reason> seen = new ArrayList<>();
    alterKey(token, r -> r.toBuilder().revoked(revoked(past)));
    alter(token, v -> version(v, past, past));

    seen.add(reason(keys.validate(withSecretOf(token, strange()), READ, clear)));
    seen.add(reason(keys.validate(token, READ, clear)));
    ApiKeys right = node(b -> b.environment("test"));
    seen.add(reason(right.validate(token, READ, clear)));
    alterKey(token, r -> unrevoked(r).state(KeyRecord.State.DISABLED));
    right.poll();
    seen.add(reason(right.validate(token, READ, clear)));
    alterKey(token, r -> r.toBuilder().state(KeyRecord.State.ACTIVE));
    right.poll();
    seen.add(reason(right.validate(token, READ, clear)));
    alterKey(token, r -> r.toBuilder().endsAt(null));
    right.poll();
    seen.add(reason(right.validate(token, READ, clear)));
    alter(token, v -> version(v, past, null));
    right.poll();
    seen.add(reason(right.validate(token, READ, clear)));
    alter(token, v -> version(v, null, null));
    right.poll();
    seen.add(reason(right.validate(token, READ, clear)));
    time.set(now);
    seen.add(reason(right.validate(token, READ, clear)));
    seen.add(reason(right.validate(token, READ, clear.secure(true))));
    seen.add(reason(right.validate(token, READ, clear.secure(true).caller("c"))));
    Origin allowed = Origin.of("192.0.2.1").secure(true).caller("c");
    seen.add(reason(right.validate(token, READ, allowed)));

    assertThat(right.validate(token, ANY, allowed).isAccepted()).isTrue();
    assertThat(seen)
        .containsExactly(
            Reason.WRONG_SECRET,
            Reason.WRONG_ENVIRONMENT,
            Reason.REVOKED,
            Reason.DISABLED,
            Reason.KEY_ENDED,
            Reason.VERSION_REVOKED,
            Reason.RETIRED,
            Reason.EXPIRED,
            Reason.INSECURE_TRANSPORT,
            Reason.CALLER_NOT_ALLOWED,
            Reason.ADDRESS_NOT_ALLOWED,
            Reason.SCOPE_MISSING)
        .isSorted();
  }

  @Test
  void a_hash_whose_pepper_is_missing_is_not_the_clients_fault() {
    ApiKeys first = node(b -> b.pepper(PEPPER).listener(listener()));
    String token = first.issue(spec()).revealToken();
    ApiKeys second = node(b -> b.pepper(OTHER_PEPPER).listener(listener()));

    assertThat(first.validate(token, ANY, HERE).isAccepted()).isTrue();
    assertRejected(second.validate(token, ANY, HERE), Reason.PEPPER_MISSING, false);
    assertRejected(second.validate(token, ANY, HERE), Reason.PEPPER_MISSING, false);
    assertThat(events()).containsExactly("pepper p1");
    assertThat(second.status().missingPeppers()).containsExactly("p1");
    ApiKeys third = node(b -> b.pepper(OTHER_PEPPER, PEPPER));
    assertThat(third.validate(token, ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void an_unpeppered_hash_is_accepted_beside_a_pepper_only_when_said() {
    String token = issue(spec()).revealToken();

    assertRejected(
        node(b -> b.pepper(PEPPER)).validate(token, ANY, HERE), Reason.SCHEME_UNKNOWN, false);
    assertThat(
            node(b -> b.pepper(PEPPER).acceptUnpeppered()).validate(token, ANY, HERE).isAccepted())
        .isTrue();
  }

  @Test
  void a_pepper_and_a_warm_key_still_tell_a_wrong_secret() {
    ApiKeys node = node(b -> b.pepper(PEPPER));
    String token = node.issue(spec()).revealToken();

    for (int i = 0; i < 3; i++) {
      assertThat(node.validate(token, ANY, HERE).isAccepted()).isTrue();
      assertRejected(
          node.validate(withSecretOf(token, strange()), ANY, HERE), Reason.WRONG_SECRET, false);
    }
  }

  @Test
  void a_million_forged_ids_cause_no_load() {
    int forged = 1_000_000;
    ApiKeys node = node(b -> b.idKey(ID_KEY).requireMintedIds());
    String good = node.issue(spec()).revealToken();
    SplittableRandom random = Seed.of("forged ids");
    var generator = new TokenGenerator(time, Seed.secure(random), null);
    String secret = generator.newSecret();
    int unknown = 0;
    for (int i = 0; i < forged; i++) {
      String token = TokenGenerator.token("acme", "live", generator.newId(Tokens.LIVE), secret);
      unknown += reason(node.validate(token, ANY, HERE)) == Reason.UNKNOWN ? 1 : 0;
    }

    assertThat(unknown).isEqualTo(forged);
    assertThat(store.loads).hasValue(0);
    assertThat(node.validate(good, ANY, HERE).isAccepted()).isTrue();
    assertThat(store.loads).hasValue(1);
    System.out.println("Forged ids: " + unknown + " refused with 0 store calls");
  }

  @Test
  void a_dry_run_has_the_same_verdict_and_leaves_no_trace() {
    ApiKeys node = node(b -> b.listener(listener()));
    IssuedKey issued = node.issue(spec());
    Origin clear = HERE.secure(false).browser(true);

    assertThat(node.peek(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
    assertRejected(node.peek(issued.revealToken(), READ, HERE), Reason.SCOPE_MISSING, true);
    assertRejected(node.peek(issued.revealToken(), ANY, clear), Reason.INSECURE_TRANSPORT, true);
    node.flush();

    assertThat(events()).isEmpty();
    assertThat(node.find(issued.id()).orElseThrow().lastSeen()).isNull();
  }

  @Test
  void a_listener_that_throws_changes_nothing() {
    ApiKeys node =
        node(
            b ->
                b.transport(TransportPolicy.WARN)
                    .listener(
                        new KeyListener() {
                          @Override
                          public void insecureTransport(String keyId, boolean accepted) {
                            throw new IllegalStateException("bad listener");
                          }
                        }));
    String token = node.issue(spec()).revealToken();

    assertThat(node.validate(token, ANY, HERE.secure(false)).isAccepted()).isTrue();
  }

  @Test
  void an_exposed_key_is_told_even_if_it_may_not_do_this_and_a_dead_one_is_not() {
    ApiKeys node = node(b -> b.transport(TransportPolicy.WARN).listener(listener()));
    IssuedKey issued = node.issue(spec());
    Origin clear = HERE.secure(false);

    node.validate(issued.revealToken(), READ, clear); // scope missing
    node.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    node.validate(issued.revealToken(), READ, clear);

    assertThat(events()).containsExactly("clear " + issued.id() + " false");
  }

  @Test
  void a_listener_that_throws_an_error_changes_nothing_either() {
    KeyListener failing =
        new KeyListener() {
          @Override
          public void usedFromBrowser(String keyId) {
            throw new AssertionError("planted");
          }
        };
    ApiKeys node = node(b -> b.listener(failing));
    String token = node.issue(spec()).revealToken();

    assertThat(node.validate(token, ANY, HERE.browser(true)).isAccepted()).isTrue();
    assertThat(node.validateAsync(token, ANY, HERE.browser(true)).join().isAccepted()).isTrue();
  }

  @Test
  void a_host_that_forgets_an_argument_is_told_whatever_the_token() {
    assertThatNullPointerException().isThrownBy(() -> keys.validate("x", null, HERE));
    assertThatNullPointerException().isThrownBy(() -> keys.validate("x", ANY, null));
    assertThatNullPointerException().isThrownBy(() -> keys.validateAsync("x", ANY, null));
    assertThatNullPointerException().isThrownBy(() -> keys.peek("x", null, HERE));
  }

  @Test
  void ids_outlive_peppers() {
    ApiKeys first = node(b -> b.idKey(ID_KEY).pepper(PEPPER).requireMintedIds());
    String token = first.issue(spec()).revealToken();
    ApiKeys both = node(b -> b.idKey(ID_KEY).pepper(OTHER_PEPPER, PEPPER).requireMintedIds());
    ApiKeys second = node(b -> b.idKey(ID_KEY).pepper(OTHER_PEPPER).requireMintedIds());

    assertThat(both.peek(token, ANY, HERE).isAccepted()).isTrue(); // no use: the hash stays
    // the mint tag still says that it is one of ours: not unknown
    assertRejected(second.validate(token, ANY, HERE), Reason.PEPPER_MISSING, false);
  }

  @Test
  void a_personal_token_may_no_more_than_its_user() {
    List<String> allowed = new ArrayList<>(List.of("forecast:read", "forecast:write"));
    ApiKeys node = node(b -> b.subjectPermissions((subject, granted) -> allowed));
    String token =
        node.issue(KeySpec.personalToken("owner", "user").scopes("forecast:*")).revealToken();

    assertThat(node.validate(token, READ, HERE).isAccepted()).isTrue();
    assertRejected(
        node.validate(token, Access.requiring("forecast:delete"), HERE),
        Reason.SCOPE_MISSING,
        true);
    allowed.remove("forecast:read");
    node.subjectChanged("somebody else");
    assertThat(node.validate(token, READ, HERE).isAccepted()).isTrue();
    node.subjectChanged("user");
    assertRejected(node.validate(token, READ, HERE), Reason.SCOPE_MISSING, true);
  }

  @Test
  void failing_permissions_let_nobody_in() {
    ApiKeys node =
        node(
            b ->
                b.subjectPermissions(
                    (subject, granted) -> {
                      throw new IllegalStateException("directory is down");
                    }));
    String personal = node.issue(KeySpec.personalToken("owner", "user")).revealToken();
    String service = node.issue(spec()).revealToken();

    assertRejected(node.validate(personal, ANY, HERE), Reason.PERMISSIONS_UNAVAILABLE, false);
    assertThat(node.validate(service, ANY, HERE).isAccepted()).isTrue();
  }

  // --- what the tests share ---

  private ApiKeys node(UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(time, time::nanos);
    ApiKeys node = options.apply(builder).build();
    open.add(node);
    return node;
  }

  private IssuedKey issue(KeySpec spec) {
    return keys.issue(spec);
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("owner");
  }

  /** What the listeners of all nodes were told. */
  private List<String> events() {
    open.forEach(Internals::awaitEvents);
    return events;
  }

  private KeyListener listener() {
    return new KeyListener() {
      @Override
      public void insecureTransport(String keyId, boolean accepted) {
        events.add("clear " + keyId + " " + accepted);
      }

      @Override
      public void usedFromBrowser(String keyId) {
        events.add("browser " + keyId);
      }

      @Override
      public void pepperMissing(String pepperId) {
        events.add("pepper " + pepperId);
      }
    };
  }

  private String strange() {
    return Tokens.random(Tokens.LIVE, Seed.secure(new SplittableRandom()));
  }

  private static String withSecretOf(String token, String other) {
    int end = token.length() - Base62.CRC_LENGTH;
    int start = end - TokenGenerator.SECRET_LENGTH;
    String secret = other.substring(other.length() - 38, other.length() - 6);
    return Tokens.withChecksum(token.substring(0, start) + secret);
  }

  private static String withPrefix(String token, String prefix) {
    String body = token.substring(token.indexOf('_', token.indexOf('_') + 1) + 1);
    return Tokens.withChecksum(prefix + body.substring(0, body.length() - Base62.CRC_LENGTH));
  }

  private static SecretVersion version(SecretVersion v, Instant retiresAt, Instant revokedAt) {
    return new SecretVersion(
        v.number(),
        v.scheme(),
        v.pepperId(),
        v.hash(),
        v.lastFour(),
        v.createdAt(),
        v.createdBy(),
        v.note(),
        v.expiresAt(),
        retiresAt,
        revokedAt);
  }

  private static KeyRecord.Revoked revoked(Instant at) {
    return new KeyRecord.Revoked(at, RevocationReason.UNSPECIFIED, null, null, null);
  }

  /** Nothing brings a revoked key back, so this makes it anew. */
  private static KeyRecord.Builder unrevoked(KeyRecord r) {
    return KeyRecord.builder()
        .id(r.id())
        .revision(r.revision())
        .prefix(r.brand(), r.environment())
        .owner(r.owner())
        .networks(r.networks())
        .callers(r.callers())
        .createdAt(r.createdAt())
        .endsAt(r.endsAt())
        .versions(r.versions());
  }

  private void alter(String token, UnaryOperator<SecretVersion> change) {
    alterKey(token, r -> r.toBuilder().versions(r.versions().stream().map(change).toList()));
  }

  /** Writes behind the back of the verbs, as another node would, and polls. */
  private void alterKey(String token, Function<KeyRecord, KeyRecord.Builder> change) {
    KeyStore direct = store;
    KeyRecord record = direct.find(Tokens.idOf(token).toString()).orElseThrow().record();
    KeyRecord next = change.apply(record).revision(record.revision() + 1).build();
    KeyWrite write =
        Operation.of("test", Cause.unstated(), null, null).write(record, next, time.instant());
    assertThat(direct.replace(write)).isEqualTo(WriteOutcome.APPLIED);
    keys.poll();
  }

  private static Reason reason(Validation result) {
    return ((Rejected) result).reason();
  }

  private static void assertRejected(Validation result, Reason reason, boolean keyTold) {
    assertThat(result).isInstanceOf(Rejected.class);
    assertThat(result.isAccepted()).isFalse();
    assertThat(((Rejected) result).reason()).isEqualTo(reason);
    assertThat(((Rejected) result).key() != null).isEqualTo(keyTold);
    assertThat(((Rejected) result).secretVersion() != 0).isEqualTo(keyTold);
  }
}
