package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.keystile.http.HttpDenial;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client gets that asks for a new secret with the one it has. */
class SelfRotationTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Revocation LEAK = Revocation.because(RevocationReason.LEAKED);
  private static final Cause UNSTATED = Cause.unstated();

  private final WatchedStore store = new WatchedStore();
  private final Nodes nodes = new Nodes(store);
  private final ApiKeys keys = nodes.node();
  private final Threads threads = new Threads();

  @AfterEach
  void close() {
    nodes.close();
    threads.close();
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("weather-app").scopes("keys:rotate", "forecast:read");
  }

  private SelfRotation rotate(String token) {
    return keys.rotateSelf(token, Nodes.HERE, UNSTATED);
  }

  private static String token(SelfRotation result) {
    return Objects.requireNonNull(result.issued()).revealToken();
  }

  @Test
  void a_client_replaces_its_secret_and_the_old_one_goes_on_for_24_hours() {
    IssuedKey issued = keys.issue(spec());
    String old = issued.revealToken();
    Instant now = nodes.time.instant();

    SelfRotation result = keys.rotateSelf(old, Nodes.HERE, Cause.by("client").note("was due"));

    IssuedKey next = Objects.requireNonNull(result.issued());
    assertThat(next.id()).isEqualTo(issued.id());
    assertThat(next.secretVersion()).isEqualTo(2);
    assertThat(next.details().status()).isEqualTo(KeyDetails.Status.ROTATING);
    assertThat(Nodes.verdict(keys, old)).isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(keys, token(result))).isEqualTo("ACCEPTED");
    AuditEntry entry = keys.audit(AuditFilter.ofKey(issued.id()), 0, 10).get(1);
    assertThat(entry.action()).isEqualTo("rotate_self");
    assertThat(entry.secretVersion()).isEqualTo(2);
    assertThat(entry.actor()).isEqualTo("client");
    assertThat(entry.note()).isEqualTo("was due");
    assertThat(entry.operationId()).startsWith("key:");
    assertThat(result.toString()).contains(issued.id()).doesNotContain(token(result));

    nodes.time.set(now.plus(DAY).minusMillis(1));
    assertThat(Nodes.verdict(keys, old)).isEqualTo("ACCEPTED");
    nodes.time.set(now.plus(DAY));
    assertThat(Nodes.verdict(keys, old)).isEqualTo("RETIRED");
    assertThat(Nodes.verdict(keys, token(result))).isEqualTo("ACCEPTED");
    assertThat(nodes.events()).containsExactly("retired " + issued.id() + " 1");
  }

  @Test
  void the_grace_is_for_the_host_to_say() {
    ApiKeys none = nodes.node(builder -> builder.selfRotationGrace(Duration.ZERO));
    String old = none.issue(spec()).revealToken();

    SelfRotation result = none.rotateSelf(old, Nodes.HERE, UNSTATED);

    assertThat(Nodes.verdict(none, old)).isEqualTo("RETIRED");
    assertThat(Nodes.verdict(none, token(result))).isEqualTo("ACCEPTED");
  }

  private enum Answer {
    ISSUED,
    SUPERSEDED,
    REVOKED,
    DISABLED,
    KEY_ENDED,
    VERSION_REVOKED,
    RETIRED,
    EXPIRED,
    SCOPE_MISSING
  }

  /**
   * On the node that made the change, and on another one that still believes in what it knew
   * before.
   */
  @ParameterizedTest
  @CsvSource({
    "active,                  ISSUED",
    "updated,                 ISSUED",
    "rotated,                 SUPERSEDED",
    "rotated without grace,   RETIRED",
    "older revoked,           ISSUED",
    "disabled,                DISABLED",
    "disabled and enabled,    ISSUED",
    "revoked,                 REVOKED",
    "disabled and revoked,    REVOKED",
    "secret revoked,          VERSION_REVOKED",
    "secret revoked by a clock that is ahead, VERSION_REVOKED",
    "rotated and secret revoked, VERSION_REVOKED",
    "expired,                 EXPIRED",
    "expired but for another, EXPIRED",
    "ended,                   KEY_ENDED",
    "scope taken away,        SCOPE_MISSING",
    "scope taken away and disabled, DISABLED"
  })
  void only_the_newest_secret_of_an_active_key_replaces_itself(String state, Answer answer) {
    for (boolean isStale : new boolean[] {false, true}) {
      ApiKeys other = nodes.node();
      String token = tokenFor(state);
      String id = Nodes.idOf(token);
      assertThat(Nodes.verdict(other, token)).isEqualTo("ACCEPTED"); // it is cached there now
      Nodes.verdict(keys, token);
      bringInto(state, id);
      KeyRecord before = nodes.record(id);
      int entries = keys.audit(AuditFilter.ofKey(id), 0, 100).size();

      SelfRotation result = (isStale ? other : keys).rotateSelf(token, Nodes.HERE, UNSTATED);

      assertThat(Nodes.verdict(result)).isEqualTo(answer.name());
      if (answer != Answer.ISSUED) {
        assertThat(nodes.record(id)).isEqualTo(before);
        assertThat(keys.audit(AuditFilter.ofKey(id), 0, 100)).hasSize(entries);
      } else {
        assertThat(nodes.record(id).revision()).isEqualTo(before.revision() + 1);
      }
    }
  }

  private String tokenFor(String state) {
    KeySpec spec = spec().lifetime(DAY);
    if (state.equals("ended")) {
      spec = spec.endsAt(nodes.time.instant().plus(DAY));
    }
    IssuedKey issued = keys.issue(spec);
    if (state.equals("older revoked") || state.equals("expired but for another")) {
      Rotation rotation = Rotation.withGrace(DAY.multipliedBy(7));
      return keys.rotate(issued.id(), rotation).revealToken();
    }
    return issued.revealToken();
  }

  private void bringInto(String state, String id) {
    switch (state) {
      case "updated" -> keys.update(id, KeyUpdate.of().name("renamed"));
      case "rotated" -> keys.rotate(id, Rotation.usual());
      case "rotated without grace" -> keys.rotate(id, Rotation.withGrace(Duration.ZERO));
      case "older revoked" -> keys.revokeSecret(id, 1, LEAK);
      case "disabled" -> keys.disable(id, UNSTATED);
      case "disabled and enabled" -> {
        keys.disable(id, UNSTATED);
        keys.enable(id, UNSTATED);
      }
      case "revoked" -> keys.revoke(id, LEAK);
      case "disabled and revoked" -> {
        keys.disable(id, UNSTATED);
        keys.revoke(id, LEAK);
      }
      case "secret revoked" -> keys.revokeSecret(id, 1, LEAK);
      case "secret revoked by a clock that is ahead" -> {
        nodes.time.set(nodes.time.instant().plus(Duration.ofMinutes(5)));
        keys.revokeSecret(id, 1, LEAK);
        nodes.time.set(nodes.time.instant().minus(Duration.ofMinutes(5)));
      }
      case "rotated and secret revoked" -> {
        keys.rotate(id, Rotation.usual());
        keys.revokeSecret(id, 1, LEAK);
      }
      case "expired" -> nodes.time.set(nodes.time.instant().plus(DAY));
      case "expired but for another" -> {
        alterOlder(id);
        nodes.time.set(nodes.time.instant().plus(DAY));
      }
      case "ended" -> nodes.time.set(nodes.time.instant().plus(DAY));
      case "scope taken away" -> keys.update(id, KeyUpdate.of().scopes("forecast:read"));
      case "scope taken away and disabled" -> {
        keys.update(id, KeyUpdate.of().scopes("forecast:read"));
        keys.disable(id, UNSTATED);
      }
      default -> {}
    }
  }

  /** Lets the older secret live longer than the newest, as behind the back of the verbs. */
  private void alterOlder(String id) {
    KeyRecord record = nodes.record(id);
    Instant later = nodes.time.instant().plus(DAY.multipliedBy(9));
    List<SecretVersion> versions = new ArrayList<>(record.versions());
    versions.set(0, versions.get(0).withExpiresAt(later).withRetiresAt(later));
    KeyRecord next = record.toBuilder().versions(versions).revision(record.revision() + 1).build();
    KeyWrite write =
        Operation.of("test", UNSTATED, null, null).write(record, next, nodes.time.instant());
    assertThat(store.replace(write)).isEqualTo(WriteOutcome.APPLIED);
    keys.poll();
  }

  @Test
  void a_thief_with_an_old_secret_gets_nothing_and_the_owner_keeps_the_key() {
    String stolen = keys.issue(spec()).revealToken();
    String stolenFromTwin = keys.issue(spec()).revealToken();
    String good = token(rotate(stolen));
    rotate(stolenFromTwin);

    int taken = 0;
    int takenFromTwin = 0;
    for (int i = 0; i < 100; i++) {
      nodes.time.set(nodes.time.instant().plus(Duration.ofMinutes(10)));
      taken += rotate(stolen).issued() != null ? 1 : 0;
      takenFromTwin += rotateByAnySecret(stolenFromTwin) ? 1 : 0;
    }

    System.out.printf(
        "A thief with an old secret asked 100 times: %d new ones; if any secret will do %d%n",
        taken, takenFromTwin);
    assertThat(taken).isZero();
    assertThat(takenFromTwin).isPositive();
    assertThat(Nodes.verdict(keys, good)).isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(rotate(good))).isEqualTo("ISSUED");
  }

  /** What does not ask whether it is the newest that is presented. */
  private boolean rotateByAnySecret(String token) {
    if (!keys.validate(token, SelfRotation.ACCESS, Nodes.HERE).isAccepted()) {
      return false;
    }
    String id = Nodes.idOf(token);
    return !keys.rotate(id, Rotation.withGrace(DAY)).alreadyIssued();
  }

  @Test
  void what_a_request_must_have_for_all_else_it_must_have_for_this() {
    String noScope = keys.issue(spec().scopes("forecast:read")).revealToken();
    String wildcard = keys.issue(spec().scopes("keys:*")).revealToken();
    String bound = keys.issue(spec().networks("10.0.0.0/8").callers("billing")).revealToken();
    String test = keys.issue(spec().environment("test")).revealToken();
    ApiKeys live = nodes.node(builder -> builder);
    String good = live.issue(spec()).revealToken();
    Origin clear = Origin.of("192.0.2.7").secure(false);

    assertThat(Nodes.verdict(rotate(noScope))).isEqualTo("SCOPE_MISSING");
    assertThat(Nodes.verdict(rotate(wildcard))).isEqualTo("ISSUED");
    assertThat(Nodes.verdict(rotate(bound))).isEqualTo("CALLER_NOT_ALLOWED");
    assertThat(Nodes.verdict(keys.rotateSelf(bound, Nodes.HERE.caller("billing"), UNSTATED)))
        .isEqualTo("ADDRESS_NOT_ALLOWED");
    Origin inside = Origin.of("10.1.2.3").secure(true).caller("billing");
    assertThat(Nodes.verdict(keys.rotateSelf(bound, inside, UNSTATED))).isEqualTo("ISSUED");
    assertThat(Nodes.verdict(keys.rotateSelf(good, clear, UNSTATED)))
        .isEqualTo("INSECURE_TRANSPORT");
    String rewritten =
        Tokens.withChecksum(
            "acme_live_" + test.substring("acme_test_".length(), test.length() - 6));
    assertThat(Nodes.verdict(rotate(rewritten))).isEqualTo("WRONG_ENVIRONMENT");
    String other = keys.issue(spec()).revealToken();
    String wrong =
        Tokens.withChecksum(
            good.substring(0, good.length() - 38)
                + other.substring(other.length() - 38, other.length() - 6));
    assertThat(Nodes.verdict(rotate(wrong))).isEqualTo("WRONG_SECRET");
    assertThat(Nodes.verdict(rotate(Tokens.EXAMPLE))).isEqualTo("UNKNOWN");
    for (String text : new String[] {null, "", "acme_live_", "x".repeat(100_000)}) {
      assertThat(Nodes.verdict(rotate(text))).isEqualTo("MALFORMED");
    }
    assertThat(nodes.record(Nodes.idOf(noScope)).versions()).hasSize(1);
    assertThat(nodes.record(Nodes.idOf(good)).versions()).hasSize(1);
  }

  @Test
  void what_a_user_may_not_do_any_more_his_token_may_not_either() {
    List<String> allowed = new ArrayList<>(List.of("keys:rotate"));
    ApiKeys node = nodes.node(builder -> builder.subjectPermissions((subject, scopes) -> allowed));
    KeySpec spec = KeySpec.personalToken("weather-app", "user-1").scopes("keys:rotate");
    String token = node.issue(spec).revealToken();

    allowed.clear();
    assertThat(Nodes.verdict(node.rotateSelf(token, Nodes.HERE, UNSTATED)))
        .isEqualTo("SCOPE_MISSING");
    allowed.add("keys:rotate");
    node.subjectChanged("user-1");
    assertThat(Nodes.verdict(node.rotateSelf(token, Nodes.HERE, UNSTATED))).isEqualTo("ISSUED");
  }

  @Test
  void a_purged_key_is_unknown() {
    IssuedKey issued = keys.issue(spec());
    ApiKeys other = nodes.node();
    assertThat(Nodes.verdict(other, issued.revealToken())).isEqualTo("ACCEPTED");
    keys.revoke(issued.id(), LEAK);
    nodes.time.set(nodes.time.instant().plusMillis(1));
    keys.purge(Duration.ZERO, DAY, UNSTATED);

    assertThat(Nodes.verdict(other.rotateSelf(issued.revealToken(), Nodes.HERE, UNSTATED)))
        .isEqualTo("UNKNOWN");
  }

  /** Fails writes in one way. */
  private static final class FailingStore extends ForwardingKeyStore {
    final StoreException.Kind kind;
    final boolean appliesFirst;
    int failures = Integer.MAX_VALUE;

    FailingStore(KeyStore delegate, StoreException.Kind kind, boolean appliesFirst) {
      super(delegate);
      this.kind = kind;
      this.appliesFirst = appliesFirst;
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      if (failures == 0) {
        return super.replace(write);
      }
      failures--;
      if (appliesFirst) {
        super.replace(write);
      }
      throw new StoreException(kind, "planted", null);
    }
  }

  @ParameterizedTest
  @EnumSource(StoreException.Kind.class)
  void what_the_store_fails_in_is_a_refusal_of_which_the_client_is_not_to_blame(
      StoreException.Kind kind) {
    try (Nodes failing = new Nodes(new FailingStore(store, kind, false))) {
      String token = keys.issue(spec()).revealToken();

      SelfRotation result = failing.node().rotateSelf(token, Nodes.HERE, UNSTATED);

      assertThat(Nodes.verdict(result)).isEqualTo("STORE_UNAVAILABLE");
      assertThat(Nodes.verdict(rotate(token))).isEqualTo("ISSUED");
    }
  }

  @Test
  void a_store_that_is_down_is_a_refusal_with_and_without_a_cached_key() {
    String cached = keys.issue(spec()).revealToken();
    String cold = keys.issue(spec()).revealToken();
    assertThat(Nodes.verdict(keys, cached)).isEqualTo("ACCEPTED");
    store.down = true;

    assertThat(Nodes.verdict(rotate(cached))).isEqualTo("STORE_UNAVAILABLE");
    assertThat(Nodes.verdict(rotate(cold))).isEqualTo("STORE_UNAVAILABLE");
    store.down = false;
    assertThat(Nodes.verdict(rotate(cached))).isEqualTo("ISSUED");
  }

  @Test
  void others_that_change_the_key_all_the_time_do_not_make_the_secret_old() {
    KeyStore losing =
        new ForwardingKeyStore(store) {
          @Override
          public WriteOutcome replace(KeyWrite write) {
            return WriteOutcome.CONFLICT;
          }
        };
    try (Nodes contended = new Nodes(losing)) {
      String token = keys.issue(spec()).revealToken();

      assertThat(Nodes.verdict(contended.node().rotateSelf(token, Nodes.HERE, UNSTATED)))
          .isEqualTo("STORE_UNAVAILABLE");
    }
  }

  @Test
  void a_lost_answer_is_told_and_a_repeated_call_makes_no_second_secret() {
    FailingStore losing = new FailingStore(store, StoreException.Kind.OUTCOME_UNKNOWN, true);
    losing.failures = 1;
    try (Nodes lossy = new Nodes(losing)) {
      ApiKeys node = lossy.node();
      String token = keys.issue(spec()).revealToken();
      String id = Nodes.idOf(token);
      Cause named = UNSTATED.operationId("rotation 7");

      assertThat(Nodes.verdict(node.rotateSelf(token, Nodes.HERE, named)))
          .isEqualTo("STORE_UNAVAILABLE");
      for (int i = 0; i < 3; i++) {
        IssuedKey again =
            Objects.requireNonNull(node.rotateSelf(token, Nodes.HERE, named).issued());
        assertThat(again.alreadyIssued()).isTrue();
        assertThat(again.secretVersion()).isEqualTo(2);
      }
      assertThat(nodes.record(id).versions()).hasSize(2);
      // nobody has the token, and the old one is not the newest: the host helps
      assertThat(Nodes.verdict(node.rotateSelf(token, Nodes.HERE, UNSTATED)))
          .isEqualTo("SUPERSEDED");
      String third = node.rotate(id, Rotation.usual()).revealToken();
      assertThat(Nodes.verdict(node, third)).isEqualTo("ACCEPTED");
    }
  }

  @Test
  void operation_ids_of_a_client_are_its_own() {
    Cause named = UNSTATED.operationId("42");
    String first = keys.issue(spec().operationId("42")).revealToken();
    String second = keys.issue(spec()).revealToken();
    keys.disable(keys.issue(spec()).id(), UNSTATED.operationId("43"));

    assertThat(Nodes.verdict(keys.rotateSelf(first, Nodes.HERE, named))).isEqualTo("ISSUED");
    assertThat(Nodes.verdict(keys.rotateSelf(second, Nodes.HERE, named))).isEqualTo("ISSUED");
    Cause ofAnotherVerb = UNSTATED.operationId("43");
    assertThat(Nodes.verdict(keys.rotateSelf(newest(second), Nodes.HERE, ofAnotherVerb)))
        .isEqualTo("ISSUED");
  }

  private String newest(String token) {
    return keys.rotate(Nodes.idOf(token), Rotation.usual()).revealToken();
  }

  @Test
  void of_many_at_once_with_one_token_one_wins() throws Exception {
    int wrong = 0;
    int threadsAtOnce = 8;
    for (int round = 0; round < Threads.ROUNDS; round++) {
      String token = keys.issue(spec()).revealToken();
      List<SelfRotation> results =
          threads.race(Collections.nCopies(threadsAtOnce, () -> rotate(token)));
      long issued = results.stream().filter(result -> result.issued() != null).count();
      long superseded = results.stream().filter(r -> Nodes.verdict(r).equals("SUPERSEDED")).count();
      int versions = nodes.record(Nodes.idOf(token)).versions().size();
      wrong += issued == 1 && superseded == threadsAtOnce - 1 && versions == 2 ? 0 : 1;
    }

    System.out.printf(
        "%d rounds of %d clients with one token: %d without exactly one winner%n",
        Threads.ROUNDS, threadsAtOnce, wrong);
    assertThat(wrong).isZero();
  }

  @Test
  void the_refusals_have_answers_that_fit() {
    String token = keys.issue(spec()).revealToken();
    rotate(token);

    HttpDenial denial =
        HttpDenial.of(Objects.requireNonNull(rotate(token).refusal()), SelfRotation.ACCESS);

    assertThat(denial.status()).isEqualTo(403);
    assertThat(denial.body()).contains("\"error\":\"superseded\"");
    assertThat(denial.headers()).noneMatch(header -> header.getKey().equals("WWW-Authenticate"));
  }

  @Test
  void nothing_is_handed_out_once_all_is_closed() {
    String token = keys.issue(spec()).revealToken();
    keys.close();

    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> rotate(token));
  }
}
