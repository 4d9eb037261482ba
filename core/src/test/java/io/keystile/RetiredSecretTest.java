package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.KeyDetails.Status;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When an old secret stops working, and what happens when it comes back. */
class RetiredSecretTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration GRACE = DAY.multipliedBy(7);
  private static final Revocation LEAK = Revocation.because(RevocationReason.LEAKED);

  private final WatchedStore store = new WatchedStore();
  private final Nodes nodes = new Nodes(store);
  private final ApiKeys keys = nodes.node();
  private final Threads threads = new Threads();

  @AfterEach
  void close() {
    nodes.close();
    threads.close();
  }

  private IssuedKey issue() {
    return keys.issue(KeySpec.forOwner("weather-app"));
  }

  /** A key with its first token retired and its second live. */
  private IssuedKey issueAndRetire(List<String> tokens) {
    IssuedKey issued = issue();
    tokens.add(issued.revealToken());
    tokens.add(keys.rotate(issued.id(), Rotation.withGrace(Duration.ZERO)).revealToken());
    return issued;
  }

  @Test
  void at_the_very_millisecond_of_its_retirement_a_secret_has_retired() {
    for (boolean isCached : new boolean[] {true, false}) {
      IssuedKey issued = issue();
      String old = issued.revealToken();
      String next = keys.rotate(issued.id(), Rotation.withGrace(DAY)).revealToken();
      Instant end = nodes.time.instant().plus(DAY);
      for (int millis = -1; millis <= 1; millis++) {
        ApiKeys node = isCached ? keys : nodes.node();
        nodes.time.set(end.minusMillis(2));
        assertThat(Nodes.verdict(keys, old)).isEqualTo("ACCEPTED"); // it is cached now
        nodes.time.set(end.plusMillis(millis));
        boolean works = millis < 0;

        assertThat(Nodes.verdict(node, old)).isEqualTo(works ? "ACCEPTED" : "RETIRED");
        assertThat(Nodes.verdict(node, next)).isEqualTo("ACCEPTED");
        assertThat(node.find(issued.id()).orElseThrow().status())
            .isEqualTo(works ? Status.ROTATING : Status.ACTIVE);
        assertThat(listed(node, Status.ROTATING)).isEqualTo(works ? 1 : 0);
        assertThat(listed(node, Status.ACTIVE)).isEqualTo(1);
      }
      keys.revoke(issued.id(), LEAK);
    }
  }

  private static int listed(ApiKeys node, Status status) {
    return node.list(KeyQuery.ofOwner("weather-app").status(status)).keys().size();
  }

  @Test
  void a_rotation_by_a_clock_that_is_behind_brings_no_older_secret_back() {
    IssuedKey issued = issue();
    Instant now = nodes.time.instant();
    String second =
        keys.rotate(issued.id(), Rotation.forced(RevocationReason.LEAKED)).revealToken();
    nodes.time.set(now.minusSeconds(5));
    ApiKeys behind = nodes.node();

    behind.rotate(issued.id(), Rotation.withGrace(DAY));

    assertThat(Nodes.verdict(behind, issued.revealToken())).isEqualTo("RETIRED");
    assertThat(Nodes.verdict(behind, second)).isEqualTo("ACCEPTED");
  }

  /** Node B's clock is so far behind (or ahead of) node A's, which makes the change. */
  @ParameterizedTest
  @ValueSource(longs = {-86_400_000, -300_000, -1_000, -1, 0, 1, 1_000, 300_000, 86_400_000})
  void what_was_ended_at_once_is_over_by_every_clock(long skew) {
    IssuedKey revoked = issue();
    String second = keys.rotate(revoked.id(), Rotation.withGrace(DAY)).revealToken();
    IssuedKey retired = issue();
    IssuedKey pushedOut = issue();
    Instant now = nodes.time.instant();
    keys.revokeSecret(revoked.id(), 1, LEAK);
    keys.rotate(retired.id(), Rotation.forced(RevocationReason.LEAKED));
    for (int i = 0; i < RotationRules.DEFAULT_MAX_LIVE; i++) {
      keys.rotate(pushedOut.id(), Rotation.withGrace(DAY.multipliedBy(30)));
    }
    nodes.time.set(now.plusMillis(skew));

    ApiKeys other = nodes.node();

    assertThat(Nodes.verdict(other, revoked.revealToken())).isEqualTo("VERSION_REVOKED");
    assertThat(Nodes.verdict(other, second)).isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(other, retired.revealToken())).isEqualTo("RETIRED");
    assertThat(Nodes.verdict(other, pushedOut.revealToken())).isEqualTo("RETIRED");
  }

  @Test
  void what_is_over_for_the_node_that_rotates_is_over_by_every_clock() {
    IssuedKey issued = issue();
    Instant now = nodes.time.instant();
    keys.rotate(issued.id(), Rotation.withGrace(DAY));
    nodes.time.set(now.plus(DAY));
    keys.rotate(issued.id(), Rotation.forced(RevocationReason.LEAKED));
    nodes.time.set(now);

    assertThat(Nodes.verdict(nodes.node(), issued.revealToken())).isEqualTo("RETIRED");
    assertThat(keys.find(issued.id()).orElseThrow().isLive(1)).isFalse();
  }

  @Test
  void the_reasons_are_told_apart_and_each_return_is_an_event() {
    List<String> tokens = new ArrayList<>();
    IssuedKey issued = issueAndRetire(tokens);
    String third = keys.rotate(issued.id(), Rotation.withGrace(DAY)).revealToken();
    keys.revokeSecret(issued.id(), 2, LEAK);
    nodes.events().clear();

    for (int i = 0; i < 3; i++) {
      assertThat(Nodes.verdict(keys, tokens.get(0))).isEqualTo("RETIRED");
      assertThat(Nodes.verdict(keys, tokens.get(1))).isEqualTo("VERSION_REVOKED");
    }
    assertThat(Nodes.verdict(keys, third)).isEqualTo("ACCEPTED");

    String first = "retired " + issued.id() + " 1";
    String second = "retired " + issued.id() + " 2";
    assertThat(nodes.events()).containsExactly(first, second, first, second, first, second);
    Validation peeked = keys.peek(tokens.get(0), Nodes.ANY, Nodes.HERE);
    assertThat(Nodes.verdict(peeked)).isEqualTo("RETIRED");
    assertThat(((Rejected) peeked).key()).isNotNull();
    assertThat(nodes.events()).hasSize(6);
    keys.validateAsync(tokens.get(0), Nodes.ANY, Nodes.HERE).join();
    assertThat(nodes.events()).hasSize(7);
  }

  @Test
  void no_event_for_what_has_no_newer_secret_in_use_or_is_over_altogether() {
    List<String> tokens = new ArrayList<>();
    IssuedKey disabled = issueAndRetire(tokens);
    keys.disable(disabled.id(), Cause.unstated());
    IssuedKey revoked = issueAndRetire(tokens);
    keys.revoke(revoked.id(), Revocation.because(RevocationReason.OWNER_REQUEST));
    String expired =
        keys.issue(KeySpec.forOwner("weather-app").lifetime(Duration.ofSeconds(1))).revealToken();
    nodes.time.set(nodes.time.instant().plusSeconds(1));

    assertThat(Nodes.verdict(keys, tokens.get(0))).isEqualTo("DISABLED");
    assertThat(Nodes.verdict(keys, tokens.get(2))).isEqualTo("REVOKED");
    assertThat(Nodes.verdict(keys, expired)).isEqualTo("EXPIRED");
    assertThat(nodes.events()).isEmpty();
  }

  @Test
  void wrong_secrets_raise_no_event_however_many() {
    int count = 100_000;
    ApiKeys strict = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    List<String> tokens = new ArrayList<>();
    IssuedKey issued = issueAndRetire(tokens);
    SplittableRandom random = Seed.of("wrong_secrets_raise_no_event_however_many");
    TokenGenerator generator = new TokenGenerator(nodes.time, Seed.secure(random), null);
    String start = tokens.get(0).substring(0, tokens.get(0).length() - 38);
    int wrong = 0;
    for (int i = 0; i < count; i++) {
      String guess = Tokens.withChecksum(start + generator.newSecret());
      wrong += Nodes.verdict(strict, guess).equals("WRONG_SECRET") ? 1 : 0;
    }

    System.out.printf(
        "%,d wrong secrets of a key with a retired one: %,d refused as wrong, %d events%n",
        count, wrong, nodes.events().size());
    assertThat(wrong).isEqualTo(count);
    assertThat(nodes.events()).isEmpty();
    assertThat(Nodes.verdict(strict, tokens.get(1))).isEqualTo("ACCEPTED");
    assertThat(strict.find(issued.id()).orElseThrow().status()).isEqualTo(Status.ACTIVE);
    assertThat(Nodes.verdict(strict, tokens.get(0))).isEqualTo("RETIRED");
    assertThat(nodes.events()).contains("retired " + issued.id() + " 1");
  }

  @Test
  void a_key_is_left_alone_unless_the_host_has_said_otherwise() {
    List<String> tokens = new ArrayList<>();
    IssuedKey issued = issueAndRetire(tokens);
    for (int i = 0; i < 100; i++) {
      Nodes.verdict(keys, tokens.get(0));
    }
    keys.close(); // what is done in the background is done after that

    assertThat(nodes.record(issued.id()).revision()).isEqualTo(2);
    assertThat(nodes.events()).hasSize(100);
  }

  @Test
  void a_client_that_could_not_hear_of_the_change_yet_does_not_cost_the_key() {
    ApiKeys strict = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    List<String> tokens = new ArrayList<>();
    String retired = issueAndRetire(tokens).id();
    IssuedKey issued = issue();
    keys.rotate(issued.id(), Rotation.withGrace(DAY));
    keys.revokeSecret(issued.id(), 1, LEAK);
    strict.poll();

    nodes.time.set(nodes.time.instant().plus(GRACE).minusMillis(1));
    for (int i = 0; i < 100; i++) {
      assertThat(Nodes.verdict(strict, tokens.get(0))).isEqualTo("RETIRED");
      assertThat(Nodes.verdict(strict, issued.revealToken())).isEqualTo("VERSION_REVOKED");
    }
    strict.close(); // what is done in the background is done after that

    assertThat(nodes.record(retired).revoked()).isNull();
    assertThat(nodes.record(issued.id()).revoked()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"forced", "revoked", "pushed out"})
  void who_was_given_a_grace_that_is_cut_short_has_the_time_to_hear_of_that(String how) {
    ApiKeys strict = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    IssuedKey issued = issue();
    Rotation patient = Rotation.withGrace(DAY.multipliedBy(14));
    keys.rotate(issued.id(), patient);
    nodes.time.set(nodes.time.instant().plus(DAY.multipliedBy(10)));
    switch (how) {
      case "forced" -> keys.rotate(issued.id(), Rotation.forced(RevocationReason.LEAKED));
      case "revoked" -> keys.revokeSecret(issued.id(), 1, LEAK);
      default -> {
        for (int i = 1; i < RotationRules.DEFAULT_MAX_LIVE; i++) {
          keys.rotate(issued.id(), patient);
        }
      }
    }
    Instant suspectFrom = nodes.time.instant().plus(GRACE);

    nodes.time.set(suspectFrom.minusMillis(1));
    for (int i = 0; i < 100; i++) {
      assertThat(Nodes.verdict(strict, issued.revealToken())).isIn("RETIRED", "VERSION_REVOKED");
    }
    strict.close(); // what is done in the background is done after that
    assertThat(nodes.record(issued.id()).revoked()).isNull();

    nodes.time.set(suspectFrom);
    assertComesBackAsTheft(issued);
  }

  @Test
  void what_is_done_after_the_end_of_a_secret_gives_its_client_no_more_time() {
    IssuedKey issued = issue();
    Instant suspectFrom = nodes.time.instant().plus(GRACE);
    keys.rotate(issued.id(), Rotation.withGrace(DAY));
    nodes.time.set(suspectFrom.minus(DAY));
    keys.rotate(issued.id(), Rotation.usual());
    keys.revokeSecret(issued.id(), 1, LEAK);

    nodes.time.set(suspectFrom);
    assertComesBackAsTheft(issued);
  }

  @Test
  void a_policy_without_grace_leaves_an_hour_to_hear_of_a_change() {
    ApiKeys strict = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    RotationPolicy none = RotationPolicy.usual().grace(Duration.ZERO);
    IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").rotation(none));
    keys.rotate(issued.id(), Rotation.usual());
    Instant suspectFrom = nodes.time.instant().plus(Duration.ofHours(1));

    nodes.time.set(suspectFrom.minusMillis(1));
    for (int i = 0; i < 100; i++) {
      assertThat(Nodes.verdict(strict, issued.revealToken())).isEqualTo("RETIRED");
    }
    strict.close(); // what is done in the background is done after that
    assertThat(nodes.record(issued.id()).revoked()).isNull();

    nodes.time.set(suspectFrom);
    assertComesBackAsTheft(issued);
  }

  private void assertComesBackAsTheft(IssuedKey issued) {
    ApiKeys strict = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    assertThat(Nodes.verdict(strict, issued.revealToken())).isIn("RETIRED", "VERSION_REVOKED");
    Waiting.until(() -> nodes.record(issued.id()).revoked() != null);
  }

  @Test
  void a_key_is_revoked_once_when_a_retired_secret_comes_back_to_several_nodes() throws Exception {
    int rounds = Math.max(20, Threads.ROUNDS / 10);
    ApiKeys one = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    ApiKeys two = nodes.node(ApiKeysBuilder::revokeOnRetiredSecret);
    int wrong = 0;
    int alerts = 0;
    for (int round = 0; round < rounds; round++) {
      List<String> tokens = new ArrayList<>();
      String id = issueAndRetire(tokens).id();
      nodes.time.set(nodes.time.instant().plus(GRACE));
      nodes.events().clear();
      List<Callable<String>> calls = new ArrayList<>();
      calls.addAll(Collections.nCopies(4, () -> Nodes.verdict(one, tokens.get(0))));
      calls.addAll(Collections.nCopies(4, () -> Nodes.verdict(two, tokens.get(0))));

      List<String> verdicts = threads.race(calls);

      assertThat(verdicts).isSubsetOf("RETIRED", "REVOKED").contains("RETIRED");
      Waiting.until(() -> one.find(id).orElseThrow().status() == Status.REVOKED);
      List<AuditEntry> entries = keys.audit(AuditFilter.ofKey(id), 0, 100);
      AuditEntry last = entries.get(entries.size() - 1);
      boolean isRight =
          entries.size() == 3
              && last.action().equals("revoke")
              && "keystile".equals(last.actor())
              && "SUSPICIOUS_ACTIVITY".equals(last.reason())
              && last.operationId().equals("auto:retired:" + id + ":1");
      wrong += isRight ? 0 : 1;
      Waiting.until(() -> nodes.events().contains("alert " + id + " SUSPICIOUS_ACTIVITY"));
      alerts++;
      one.poll(); // it may have been the other that was first
      two.poll();
      assertThat(Nodes.verdict(one, tokens.get(1))).isEqualTo("REVOKED");
      assertThat(Nodes.verdict(two, tokens.get(1))).isEqualTo("REVOKED");
    }

    System.out.printf(
        "%d keys whose retired secret came back to 2 nodes: %d not revoked once, %d alerts%n",
        rounds, wrong, alerts);
    assertThat(wrong).isZero();
  }

  /** Fails writes as long as it is told to. */
  private static final class FailingStore extends ForwardingKeyStore {
    final AtomicInteger writes = new AtomicInteger();
    volatile StoreException.Kind failure;

    FailingStore(WatchedStore delegate) {
      super(delegate);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      writes.incrementAndGet();
      if (failure != null) {
        throw new StoreException(failure, "planted", null);
      }
      return super.replace(write);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UNAVAILABLE", "CONFLICT", "OUTCOME_UNKNOWN"})
  void what_failed_is_done_at_the_next_use(String kind) {
    FailingStore failing = new FailingStore(store);
    try (Nodes others = new Nodes(failing)) {
      ApiKeys strict = others.node(ApiKeysBuilder::revokeOnRetiredSecret);
      List<String> tokens = new ArrayList<>();
      String id = issueAndRetire(tokens).id();
      nodes.time.set(nodes.time.instant().plus(GRACE));
      others.time.set(nodes.time.instant());
      failing.failure = StoreException.Kind.valueOf(kind);
      for (int use = 1; use <= 3; use++) {
        int before = failing.writes.get();
        Waiting.until(
            () -> {
              assertThat(Nodes.verdict(strict, tokens.get(0))).isEqualTo("RETIRED");
              return failing.writes.get() > before;
            });
      }
      failing.failure = null;

      Waiting.until(() -> !Nodes.verdict(strict, tokens.get(0)).equals("RETIRED"));

      assertThat(Nodes.verdict(strict, tokens.get(1))).isEqualTo("REVOKED");
      assertThat(keys.audit(AuditFilter.ofKey(id), 0, 100)).hasSize(3);
    }
  }

  @Test
  void a_retired_secret_is_recognised_until_the_key_drops_it() {
    List<String> tokens = new ArrayList<>();
    IssuedKey issued = issueAndRetire(tokens);
    for (int i = 0; i < 6; i++) {
      tokens.add(keys.rotate(issued.id(), Rotation.withGrace(Duration.ZERO)).revealToken());
      assertThat(Nodes.verdict(keys, tokens.get(0))).isEqualTo("RETIRED");
    }

    tokens.add(keys.rotate(issued.id(), Rotation.withGrace(Duration.ZERO)).revealToken());

    assertThat(Nodes.verdict(keys, tokens.get(0))).isEqualTo("WRONG_SECRET"); // the ninth
    assertThat(Nodes.verdict(keys, tokens.get(1))).isEqualTo("RETIRED");
    nodes.time.set(nodes.time.instant().plus(SecretRotation.ENDED_KEPT).minusMillis(1));
    assertThat(Nodes.verdict(keys, tokens.get(1))).isEqualTo("RETIRED");
    nodes.time.set(nodes.time.instant().plusMillis(1));
    assertThat(Nodes.verdict(keys, tokens.get(1))).isEqualTo("RETIRED"); // nothing drops it yet
    keys.rotate(issued.id(), Rotation.withGrace(Duration.ZERO));
    assertThat(Nodes.verdict(keys, tokens.get(1))).isEqualTo("WRONG_SECRET");
    assertThat(keys.audit(AuditFilter.ofKey(issued.id()), 0, 100))
        .extracting(AuditEntry::secretVersion)
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  }

  @Test
  void who_has_yet_to_change_is_told() {
    IssuedKey issued = issue();
    String old = issued.revealToken();
    Nodes.verdict(keys, old);
    nodes.time.set(nodes.time.instant().plus(DAY));
    String next = keys.rotate(issued.id(), Rotation.usual()).revealToken();
    keys.flush();
    assertThat(oldInUse(issued)).isEmpty();
    nodes.time.set(nodes.time.instant().plus(DAY));

    Nodes.verdict(keys, next);
    assertThat(oldInUse(issued)).isEmpty();
    Nodes.verdict(keys, old);
    assertThat(oldInUse(issued)).containsExactly(1);
    keys.rotate(issued.id(), Rotation.usual());
    assertThat(oldInUse(issued)).isEmpty();
    nodes.time.set(nodes.time.instant().plusMillis(1));
    Nodes.verdict(keys, old);
    Nodes.verdict(keys, next);
    assertThat(oldInUse(issued)).containsExactly(1, 2);
  }

  private List<Integer> oldInUse(IssuedKey issued) {
    return keys.find(issued.id()).orElseThrow().oldSecretsInUse().stream()
        .map(KeyDetails.SecretInfo::number)
        .toList();
  }

  @Test
  void the_use_of_a_secret_goes_with_it() {
    IssuedKey issued = issue();
    Nodes.verdict(keys, issued.revealToken());
    keys.flush();
    Rotation none = Rotation.withGrace(Duration.ZERO);
    for (int i = 0; i < 7; i++) {
      assertThat(keys.rotate(issued.id(), none).details().lastUsed()).isNotNull();
    }

    KeyDetails after = keys.rotate(issued.id(), none).details();

    assertThat(after.lastUsed()).isNull();
    assertThat(after).usingRecursiveComparison().isEqualTo(keys.find(issued.id()).orElseThrow());
  }
}
