package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.KeyException.Failure;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class AdministrationTest {

  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

  private final Desk desk = new Desk();

  @Test
  void an_owner_is_all_that_a_key_needs() {
    IssuedKey issued = desk.administration.issue(KeySpec.forOwner("weather-app"));

    SecretVersion secret = desk.record(issued.id()).newest();
    assertThat(desk.record(issued.id()))
        .isEqualTo(
            KeyRecord.builder()
                .id(issued.id())
                .prefix("acme", "live")
                .owner("weather-app")
                .createdAt(Desk.START)
                .versions(List.of(secret))
                .build());
    assertThat(secret.number()).isEqualTo(1);
    assertThat(secret.expiresAt()).isEqualTo(Desk.START.plus(Duration.ofDays(90)));
    assertThat(issued.revealToken()).endsWith(secret.lastFour());
    assertThat(TokenFormat.isWellFormed(issued.revealToken())).isTrue();
    assertThat(TokenFormat.created(issued.revealToken())).contains(Desk.START);
    assertThat(issued.details()).usingRecursiveComparison().isEqualTo(desk.details(issued.id()));
    assertThat(desk.changed).containsExactly(issued.id());
  }

  @Test
  void a_specification_says_what_the_key_is() {
    IssuedKey issued =
        desk.administration.issue(
            KeySpec.personalToken("acme-corp", "user-17")
                .brand("umbra")
                .environment("live")
                .name("laptop")
                .scopes("forecast:read", "forecast:*", "forecast:read")
                .networks("10.0.0.0/8", "2001:db8::/32", "10.0.0.0/8")
                .callers("billing", "billing")
                .plan("pro")
                .metadata(Map.of("b", "2", "a", ""))
                .lifetime(DAY)
                .endsAt(Desk.START.plus(DAY.multipliedBy(3)))
                .by("alice")
                .note("asked for it"));

    KeyRecord record = desk.record(issued.id());
    assertThat(record)
        .isEqualTo(
            KeyRecord.builder()
                .id(issued.id())
                .personal("user-17")
                .prefix("umbra", "live")
                .owner("acme-corp")
                .name("laptop")
                .scopes(List.of("forecast:read", "forecast:*"))
                .networks(List.of("10.0.0.0/8", "2001:db8::/32"))
                .callers(List.of("billing"))
                .plan("pro")
                .metadata(Map.of("a", "", "b", "2"))
                .createdAt(Desk.START)
                .endsAt(Desk.START.plus(DAY.multipliedBy(3)))
                .versions(List.of(record.newest()))
                .build());
    assertThat(record.newest().createdBy()).isEqualTo("alice");
    assertThat(record.newest().note()).isEqualTo("asked for it");
    assertThat(record.newest().expiresAt()).isEqualTo(Desk.START.plus(DAY));
    AuditEntry entry = desk.audit().get(0);
    assertThat(entry.operationId()).matches("[0-9A-Za-z]{22}");
    assertThat(entry)
        .isEqualTo(
            new AuditEntry(
                1,
                entry.operationId(),
                "issue",
                issued.id(),
                "acme-corp",
                1,
                Desk.START,
                "alice",
                null,
                "asked for it",
                null,
                State.ACTIVE));
  }

  @Test
  void brand_and_environment_must_be_named_by_the_host() {
    KeySpec spec = KeySpec.forOwner("weather-app");

    assertThat(desk.record(desk.issue(spec.brand("umbra"))).brand()).isEqualTo("umbra");
    assertThat(desk.record(desk.issue(spec.environment("test"))).environment()).isEqualTo("test");
    for (KeySpec other :
        List.of(
            spec.brand("other"),
            spec.environment("other"),
            spec.brand("umbra").environment("test"))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.issue(other))
          .withMessageStartingWith("brand, environment:");
    }
  }

  @Test
  void every_token_is_another() {
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      tokens.add(desk.administration.issue(KeySpec.forOwner("weather-app")).revealToken());
    }
    assertThat(tokens).doesNotHaveDuplicates();
    assertThat(tokens.stream().map(token -> token.substring(33, 65))).doesNotHaveDuplicates();
  }

  @Test
  void an_owner_has_no_more_live_keys_than_permitted() {
    Desk desk = new Desk(new InMemoryKeyStore(), Desk.ownerMaximum(2));
    String first = desk.issue();
    desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));
    desk.issue(KeySpec.forOwner("Weather-app"));

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(desk::issue)
        .extracting(KeyException::failure)
        .isEqualTo(Failure.OWNER_FULL);
    desk.administration.disable(first, Cause.unstated());
    assertThatExceptionOfType(KeyException.class).isThrownBy(desk::issue);
    desk.pass(DAY);
    desk.issue(); // one has expired
    desk.administration.revoke(first, Desk.LEAK);
    desk.issue();
    assertThatExceptionOfType(KeyException.class).isThrownBy(desk::issue);
  }

  @Test
  void all_of_an_owner_are_revoked_over_many_pages() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 450; i++) {
      ids.add(desk.issue());
    }
    desk.administration.disable(ids.get(0), Cause.unstated());
    desk.administration.revoke(ids.get(1), Desk.LEAK.by("earlier"));
    String other = desk.issue(KeySpec.forOwner("weather-app "));
    desk.changed.clear();

    int revoked =
        desk.administration.revokeAll(KeyQuery.ofOwner("weather-app"), Desk.LEAK.by("alice"));

    assertThat(revoked).isEqualTo(449);
    assertThat(ids).allMatch(id -> desk.details(id).status() == KeyDetails.Status.REVOKED);
    assertThat(desk.details(ids.get(1)).revocation().by()).isEqualTo("earlier");
    assertThat(desk.details(other).status()).isEqualTo(KeyDetails.Status.ACTIVE);
    assertThat(desk.changed).hasSize(449);
    assertThat(desk.administration.revokeAll(KeyQuery.ofOwner("weather-app"), Desk.LEAK)).isZero();
    String operation = desk.audit(ids.get(0)).get(2).operationId();
    assertThat(operation).isEqualTo(operation.substring(0, 22) + "/" + ids.get(0));
    assertThat(desk.audit(ids.get(2)).get(1).operationId()).startsWith(operation.substring(0, 22));
  }

  @Test
  void all_of_a_user_are_revoked() {
    String mine = desk.issue(KeySpec.personalToken("acme-corp", "user-1"));
    String mineElsewhere = desk.issue(KeySpec.personalToken("other-corp", "user-1"));
    String others = desk.issue(KeySpec.personalToken("acme-corp", "user-2"));
    String service = desk.issue(KeySpec.forOwner("user-1"));

    assertThat(desk.administration.revokeAll(KeyQuery.all().subject("user-1"), Desk.LEAK))
        .isEqualTo(2);

    assertThat(List.of(mine, mineElsewhere))
        .allMatch(id -> desk.details(id).status() == KeyDetails.Status.REVOKED);
    assertThat(List.of(others, service))
        .allMatch(id -> desk.details(id).status() == KeyDetails.Status.ACTIVE);
  }

  @Test
  void what_a_query_finds_is_revoked_and_nothing_else() {
    desk.issue(KeySpec.forOwner("a").brand("umbra"));
    desk.issue(KeySpec.forOwner("b").environment("test"));
    desk.issue(KeySpec.personalToken("b", "user-1"));
    desk.administration.disable(desk.issue(KeySpec.forOwner("a")), Desk.ALICE);
    desk.administration.revoke(desk.issue(KeySpec.forOwner("a")), Desk.LEAK.by("earlier"));
    desk.issue(KeySpec.forOwner("a").lifetime(DAY));
    desk.pass(DAY);
    desk.issue(KeySpec.forOwner("a"));
    desk.issue(KeySpec.forOwner("b").lifetime(DAY.multipliedBy(3)));
    List<KeyRecord> before = records(desk);

    Map<KeyQuery, Predicate<KeyRecord>> incidents =
        Map.of(
            KeyQuery.all().brand("umbra"),
            key -> key.brand().equals("umbra"),
            KeyQuery.all().environment("test"),
            key -> key.environment().equals("test"),
            KeyQuery.all().issuedBefore(Desk.START.plus(DAY)),
            key -> key.createdAt().equals(Desk.START),
            KeyQuery.all().issuedBefore(Desk.START.plusNanos(1)),
            key -> key.createdAt().equals(Desk.START),
            KeyQuery.all().issuedBefore(Desk.START),
            key -> false,
            KeyQuery.all().issuedBefore(Instant.MAX),
            key -> true,
            KeyQuery.ofOwner("a").brand("acme"),
            key -> key.owner().equals("a") && key.brand().equals("acme"),
            KeyQuery.all().subject("user-1"),
            key -> key.subject() != null,
            KeyQuery.all().status(KeyDetails.Status.DISABLED),
            key -> key.state() == State.DISABLED,
            KeyQuery.all().expiringBefore(Desk.START.plus(DAY.multipliedBy(5))),
            key -> key.liveUntil().equals(Desk.START.plus(DAY.multipliedBy(4))));
    incidents.forEach(
        (query, expected) -> {
          Desk desk = copy(before);
          int revoked = desk.administration.revokeAll(query, Desk.LEAK.by("alice"));

          int matching = 0;
          for (KeyRecord key : before) {
            boolean matches = expected.test(key) && key.state() != State.REVOKED;
            matching += matches ? 1 : 0;
            KeyRecord after = desk.record(key.id());
            assertThat(after.revision()).isEqualTo(key.revision() + (matches ? 1 : 0));
            if (matches) {
              assertThat(after.revoked().by()).isEqualTo("alice");
            }
          }
          assertThat(revoked).isEqualTo(matching);
        });
  }

  private static List<KeyRecord> records(Desk desk) {
    return desk.store.list(KeyFilter.all(), null, 1000).stream().map(StoredKey::record).toList();
  }

  /** The same keys in a store of their own, each at its revision. */
  private Desk copy(List<KeyRecord> records) {
    Desk copy = new Desk();
    copy.now = desk.now;
    for (KeyRecord record : records) {
      for (long revision = 1; revision <= record.revision(); revision++) {
        KeyRecord next = record.toBuilder().revision(revision).build();
        Operation operation = Operation.of("copy", Cause.unstated(), null, null);
        if (revision == 1) {
          copy.store.insert(List.of(operation.write(null, next, desk.now)), 100);
        } else {
          copy.store.replace(operation.write(next, next, desk.now));
        }
      }
    }
    return copy;
  }

  @Test
  void what_a_leaked_pepper_has_hashed_is_revoked() {
    ServerSecret old = pepper("pepper-1", 1);
    ServerSecret next = pepper("pepper-2", 2);
    InMemoryKeyStore store = new InMemoryKeyStore();
    try (ApiKeys before = builder(store).pepper(old).build();
        ApiKeys after = builder(store).pepper(next, old).build()) {
      String exposed = before.issue(KeySpec.forOwner("weather-app")).id();
      String safe = after.issue(KeySpec.forOwner("weather-app")).id();

      assertThat(after.list(KeyQuery.all().pepper("pepper-1")).keys())
          .extracting(KeyDetails::id)
          .containsExactly(exposed);
      assertThat(after.revokeAll(KeyQuery.all().pepper("pepper-1"), Desk.LEAK)).isEqualTo(1);

      assertThat(status(after, exposed)).isEqualTo(KeyDetails.Status.REVOKED);
      assertThat(status(after, safe)).isEqualTo(KeyDetails.Status.ACTIVE);
      assertThat(after.revokeAllOf("weather-app", Desk.LEAK)).isEqualTo(1);
      assertThat(after.revokeAllOfSubject("user-1", Desk.LEAK)).isZero();
    }
  }

  private static ApiKeysBuilder builder(InMemoryKeyStore store) {
    return ApiKeys.builder(store).defaultPlan(Plan.unlimited()).brand("acme").environment("live");
  }

  private static ServerSecret pepper(String id, int content) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) content);
    return ServerSecret.of(id, bytes);
  }

  private static KeyDetails.Status status(ApiKeys keys, String id) {
    return keys.find(id).orElseThrow().status();
  }

  @Test
  void nobody_revokes_everything_by_saying_nothing() {
    String id = desk.issue();
    Map<KeyQuery, String> refused =
        Map.of(
            KeyQuery.all(), "which:",
            KeyQuery.all().brand("acme").limit(10), "after, limit:",
            KeyQuery.all().brand("acme").after(id), "after, limit:",
            KeyQuery.all().status(KeyDetails.Status.REVOKED), "status:");

    refused.forEach(
        (query, option) ->
            assertThatIllegalArgumentException()
                .isThrownBy(() -> desk.administration.revokeAll(query, Desk.LEAK))
                .withMessageStartingWith(option));
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.ACTIVE);
  }

  @Test
  void a_call_over_many_keys_has_the_id_that_was_given() {
    String id = desk.issue();
    KeyQuery all = KeyQuery.ofOwner("weather-app");
    String longest = "i".repeat(232);

    for (String wrong : List.of("i".repeat(233), "\u00e9".repeat(117))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.administration.revokeAll(all, Desk.LEAK.operationId(wrong)))
          .withMessageStartingWith("operationId:");
    }
    assertThat(desk.administration.revokeAll(all, Desk.LEAK.operationId(longest))).isEqualTo(1);
    assertThat(desk.administration.revokeAll(all, Desk.LEAK.operationId(longest))).isZero();
    desk.pass(DAY);
    desk.administration.purge(Duration.ZERO, FOR_EVER, Desk.ALICE.operationId("nightly"));

    assertThat(desk.audit(id).subList(1, 3))
        .extracting(AuditEntry::operationId)
        .containsExactly(longest + "/" + id, "nightly/" + id);
    AuditFilter searched = new AuditFilter(null, null, longest + "/" + id, null, null);
    assertThat(desk.administration.audit(searched, 0, 10)).hasSize(1);
  }

  @Test
  void an_id_that_revoked_keys_is_refused_for_their_purge() {
    String id = desk.issue();
    Cause cause = Desk.ALICE.operationId("incident-7");
    desk.administration.revokeAll(
        KeyQuery.ofOwner("weather-app"), Desk.LEAK.operationId("incident-7"));
    desk.pass(DAY);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.administration.purge(Duration.ZERO, FOR_EVER, cause))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.OPERATION_ID_REUSED);
    assertThat(desk.administration.find(id)).isPresent();
  }

  @Test
  void the_history_of_a_key_outlives_it() {
    String id = desk.issue();
    desk.administration.update(id, KeyUpdate.of().name("batch").by("bob"));
    desk.administration.disable(id, Cause.unstated());
    desk.administration.revoke(id, Desk.LEAK);
    desk.pass(DAY);
    desk.administration.purge(Duration.ofMillis(1), FOR_EVER, Cause.by("janitor"));

    List<AuditEntry> history = desk.administration.audit(AuditFilter.ofKey(id), 0, 10);

    assertThat(history)
        .extracting(AuditEntry::action)
        .containsExactly("issue", "update", "disable", "revoke", "purge");
    assertThat(desk.administration.audit(AuditFilter.ofKey(id), history.get(3).number(), 10))
        .containsExactly(history.get(4));
    assertThat(history.get(4).before()).isEqualTo(State.REVOKED);
    assertThat(history.get(4).after()).isNull();
    assertThat(desk.administration.audit(AuditFilter.ofKey("no id"), 0, 10)).isEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> desk.administration.audit(AuditFilter.ofOwner("a\0"), 0, 10))
        .withMessageStartingWith("owner:");
  }

  @Test
  void purge_removes_what_is_old_enough_and_nothing_else() {
    String live = desk.issue(KeySpec.forOwner("weather-app").neverExpires());
    String expires = desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));
    String disabled = desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));
    desk.administration.disable(disabled, Cause.unstated());
    String revoked = desk.issue();
    String revokedLate = desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));
    desk.pass(DAY);
    desk.administration.revoke(revoked, Desk.LEAK);
    desk.pass(DAY);
    desk.administration.revoke(revokedLate, Desk.LEAK);
    desk.changed.clear();

    desk.now = Desk.START.plus(DAY.multipliedBy(2)).minusMillis(1);
    assertThat(desk.administration.purge(DAY, FOR_EVER, Desk.ALICE).keys()).isZero();
    desk.now = Desk.START.plus(DAY.multipliedBy(2));
    assertThat(desk.administration.purge(DAY, FOR_EVER, Desk.ALICE).keys()).isEqualTo(2);
    assertThat(desk.changed).containsExactlyInAnyOrder(expires, disabled);
    desk.pass(Duration.ofMillis(1));
    assertThat(desk.administration.purge(DAY, FOR_EVER, Desk.ALICE).keys()).isEqualTo(1);
    assertThat(desk.administration.find(revoked)).isEmpty();
    assertThat(desk.administration.find(revokedLate)).isPresent();
    assertThat(desk.administration.purge(FOR_EVER, FOR_EVER, Desk.ALICE).keys()).isZero();
    assertThat(desk.administration.find(live)).isPresent();

    for (Duration wrong : List.of(Duration.ofMillis(-1), FOR_EVER.negated())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.administration.purge(wrong, DAY, Desk.ALICE))
          .withMessage("keysKept: must not be negative");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.administration.purge(DAY, wrong, Desk.ALICE))
          .withMessage("auditKept: must not be negative");
    }
  }

  @Test
  void purge_goes_on_until_it_is_done() {
    for (int i = 0; i < 450; i++) {
      desk.issue(KeySpec.forOwner("weather-app").lifetime(Duration.ofMillis(1)));
    }
    String busy = desk.issue();
    for (int i = 0; i < 12_000; i++) {
      desk.administration.update(busy, KeyUpdate.of().name("n" + i));
    }
    desk.pass(DAY.multipliedBy(2));

    var result = desk.administration.purge(DAY, DAY, Desk.ALICE);

    assertThat(result.keys()).isEqualTo(450);
    assertThat(result.auditEntries()).isEqualTo(450 + 1 + 12_000);
    assertThat(result.changes()).isEqualTo(450 + 1 + 12_000);
    assertThat(desk.audit()).hasSize(450).allMatch(entry -> entry.action().equals("purge"));
    assertThat(desk.administration.find(busy)).isPresent();
  }

  @Test
  void a_list_holds_what_the_query_says() {
    SplittableRandom random = Seed.of("a_list_holds_what_the_query_says");
    for (int i = 0; i < 400; i++) {
      desk.now = Desk.START.plus(DAY.multipliedBy(random.nextInt(10)));
      keyOfSomeKind(random);
    }
    desk.now = Desk.START.plus(DAY.multipliedBy(10));
    List<KeyDetails> all = desk.administration.list(KeyQuery.all().limit(1000)).keys();
    assertThat(all).hasSize(400);
    assertThat(all.stream().map(KeyDetails::id)).isSorted();

    int found = 0;
    for (Question question : questions()) {
      List<String> expected = all.stream().filter(question.answer).map(KeyDetails::id).toList();
      found += expected.size();
      assertThat(pages(question.query.limit(1 + random.nextInt(50))))
          .as(question.name)
          .isEqualTo(expected);
    }
    System.out.printf("%d questions, %d answers%n", questions().size(), found);
  }

  private void keyOfSomeKind(SplittableRandom random) {
    String owner = "owner-" + random.nextInt(3);
    KeySpec spec =
        random.nextInt(3) == 0
            ? KeySpec.personalToken(owner, "user-" + random.nextInt(3))
            : KeySpec.forOwner(owner);
    TokenPrefix prefix = Desk.PREFIXES.get(random.nextInt(3));
    spec = spec.brand(prefix.brand()).environment(prefix.environment());
    if (random.nextBoolean()) {
      spec = spec.lifetime(DAY.multipliedBy(1 + random.nextInt(10)));
    } else if (spec.subject() == null && random.nextBoolean()) {
      spec = spec.neverExpires();
    }
    String id = desk.issue(spec);
    if (random.nextBoolean()) {
      desk.use(id, Desk.START.plus(DAY.multipliedBy(random.nextInt(10))));
    }
    switch (random.nextInt(4)) {
      case 0 -> desk.administration.disable(id, Cause.unstated());
      case 1 -> desk.administration.revoke(id, Desk.LEAK);
      default -> {}
    }
  }

  private record Question(String name, KeyQuery query, Predicate<KeyDetails> answer) {}

  private List<Question> questions() {
    List<Question> times = new ArrayList<>();
    times.add(new Question("all", KeyQuery.all(), key -> true));
    times.add(
        new Question("never used", KeyQuery.all().neverUsed(), key -> key.lastUsed() == null));
    Instant since = Desk.START.plus(DAY.multipliedBy(5));
    times.add(
        new Question(
            "unused",
            KeyQuery.all().unusedSince(since),
            key -> key.lastUsed() == null || key.lastUsed().isBefore(since)));
    List<Question> questions = new ArrayList<>();
    for (Question time : times) {
      questions.add(time);
      for (KeyDetails.Status status : KeyDetails.Status.values()) {
        if (status != KeyDetails.Status.ROTATING) {
          questions.add(
              and(time, " " + status, time.query.status(status), key -> key.status() == status));
        }
      }
      questions.add(
          and(time, " owner", time.query.owner("owner-1"), k -> k.key().owner().equals("owner-1")));
      questions.add(
          and(time, " brand", time.query.brand("umbra"), k -> k.key().brand().equals("umbra")));
      questions.add(
          and(
              time,
              " environment",
              time.query.environment("test"),
              k -> k.key().environment().equals("test")));
      questions.add(
          and(
              time,
              " subject",
              time.query.subject("user-1"),
              k -> "user-1".equals(k.key().subject())));
    }
    List<Question> expiring = new ArrayList<>();
    for (Question question : questions) {
      for (Instant end :
          List.of(
              Desk.START.plus(DAY.multipliedBy(12)),
              Desk.START.plus(DAY.multipliedBy(12)).plusNanos(1),
              Desk.START.plus(DAY.multipliedBy(12)).plusMillis(1),
              Instant.MAX,
              Instant.EPOCH)) {
        boolean past = question.name.contains("EXPIRED") || question.name.contains("REVOKED");
        expiring.add(
            and(
                question,
                " before " + end,
                question.query.expiringBefore(end),
                key ->
                    key.expiresAt() != null
                        && key.expiresAt().isBefore(end)
                        && (past
                            || (key.expiresAt().isAfter(desk.now)
                                && key.status() != KeyDetails.Status.REVOKED))));
      }
    }
    questions.addAll(expiring);
    return questions;
  }

  private static Question and(
      Question base, String name, KeyQuery query, Predicate<KeyDetails> more) {
    return new Question(base.name + name, query, base.answer.and(more));
  }

  private List<String> pages(KeyQuery query) {
    List<String> ids = new ArrayList<>();
    KeyPage page = desk.administration.list(query);
    page.keys().forEach(key -> ids.add(key.id()));
    while (page.next() != null) {
      page = desk.administration.list(query.after(page.next()));
      page.keys().forEach(key -> ids.add(key.id()));
    }
    return ids;
  }

  @Test
  void a_query_refuses_what_it_cannot_ask() {
    KeyQuery query = KeyQuery.all();
    Map<String, Consumer<KeyQuery>> wrong =
        Map.of(
            "limit", q -> q.limit(0),
            "limit:", q -> q.limit(1001),
            "after", q -> q.after("x"),
            "expiringBefore", q -> q.expiringBefore(Instant.MIN),
            "issuedBefore", q -> q.issuedBefore(Instant.MIN),
            "The id of a server secret", q -> q.pepper("P"),
            "unusedSince", q -> q.unusedSince(Instant.EPOCH.minusMillis(1)),
            "subject", q -> q.subject("a\0b"),
            "owner", q -> KeyQuery.ofOwner("\ud800"));
    wrong.forEach(
        (option, call) ->
            assertThatIllegalArgumentException()
                .isThrownBy(() -> call.accept(query))
                .withMessageStartingWith(option));
  }
}
