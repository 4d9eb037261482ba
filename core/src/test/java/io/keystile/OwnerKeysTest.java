package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.keystile.KeyException.Failure;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnerKeysTest {

  private static final Duration DAY = Duration.ofDays(1);
  private static final String VICTIM = "victim";
  private static final String ATTACKER = "attacker";

  /** Each public method that takes a key id, as an attacker may call it. */
  private static final Map<String, List<BiFunction<OwnerKeys, String, Object>>> ATTACKS =
      Map.of(
          "find",
          List.of(OwnerKeys::find),
          "rename",
          List.of(
              (keys, id) -> keys.rename(id, "mine now", Cause.by(ATTACKER)),
              (keys, id) -> keys.rename(id, "", Cause.unstated().operationId("victim-op")),
              (keys, id) -> keys.rename(id, "hostile\0name", Cause.unstated())),
          "rotate",
          List.of(
              (keys, id) -> keys.rotate(id, Rotation.usual()),
              (keys, id) -> keys.rotate(id, Rotation.usual().operationId("victim-op")),
              (keys, id) -> keys.rotate(id, Rotation.usual().neverExpires())),
          "revokeSecret",
          List.of((keys, id) -> keys.revokeSecret(id, 1, Desk.LEAK)),
          "revoke",
          List.of(
              (keys, id) -> keys.revoke(id, Desk.LEAK),
              (keys, id) -> keys.revoke(id, Desk.LEAK.operationId("victim-op"))));

  /** Those that take none; there is a test for each below. */
  private static final Set<String> OTHERS =
      Set.of(
          "issue",
          "list",
          // attacked where usage is recorded, in RiskWatchTest
          "usage",
          "risk",
          "recentRequests",
          "mayGrant",
          "plans",
          "subjects",
          "brands",
          "environments",
          "maxLifetime");

  /** Counts what reaches the store, since time would tell that as well. */
  private static class CountingStore extends ForwardingKeyStore {
    int calls;

    CountingStore(KeyStore delegate) {
      super(delegate);
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      calls++;
      return super.find(keyId);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      calls++;
      return super.replace(write);
    }

    @Override
    public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
      calls++;
      return super.audit(filter, after, limit);
    }
  }

  private final Desk desk = new Desk();
  private final OwnerKeys mine = OwnerKeys.of(() -> desk.administration, Desk::noUsage, ATTACKER);

  @Test
  void every_public_method_is_attacked_here() {
    Set<String> methods =
        Arrays.stream(OwnerKeys.class.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toSet());

    assertThat(methods).containsAll(ATTACKS.keySet()).containsAll(OTHERS);
    methods.removeAll(ATTACKS.keySet());
    methods.removeAll(OTHERS);
    assertThat(methods).as("a new method needs an attack").isEmpty();
  }

  @Test
  void the_key_of_another_owner_looks_exactly_like_an_unknown_one() {
    int tried = 0;
    for (Map.Entry<String, String> victim : victims(desk).entrySet()) {
      for (String difference : differences(desk, desk.store, victim.getValue())) {
        throw new AssertionError("%s key: %s".formatted(victim.getKey(), difference));
      }
      tried++;
    }
    int attacks = ATTACKS.values().stream().mapToInt(List::size).sum();
    System.out.printf("%d kinds of keys, %d attacks on each%n", tried, attacks);
    assertThat(tried).isEqualTo(6);
    assertThat(attacks).isEqualTo(10);
  }

  @Test
  void the_attacks_see_the_difference_where_there_is_one() {
    String victim = victims(desk).get("active");
    KeyStore blind =
        new ForwardingKeyStore(desk.store) {
          @Override
          public Optional<StoredKey> find(String keyId) {
            return super.find(keyId)
                .map(
                    key ->
                        new StoredKey(
                            key.record().toBuilder().owner(ATTACKER).build(), key.uses()));
          }
        };

    assertThat(differences(desk, blind, victim)).hasSizeGreaterThanOrEqualTo(4);
  }

  /** Keys of the victim in each state. */
  private static Map<String, String> victims(Desk desk) {
    Map<String, String> victims = new LinkedHashMap<>();
    KeySpec spec = KeySpec.forOwner(VICTIM).scopes("a:b");
    victims.put("active", desk.issue(spec.operationId("victim-op")));
    victims.put("personal", desk.issue(KeySpec.personalToken(VICTIM, "user-1")));
    victims.put("expired", desk.issue(spec.lifetime(DAY)));
    victims.put("disabled", desk.issue(spec));
    victims.put("revoked", desk.issue(spec));
    victims.put("renamed", desk.issue(spec));
    desk.administration.disable(victims.get("disabled"), Desk.ALICE.operationId("victim-op-2"));
    desk.administration.revoke(victims.get("revoked"), Desk.LEAK.operationId("victim-op-3"));
    OwnerKeys.of(() -> desk.administration, Desk::noUsage, VICTIM)
        .rename(victims.get("renamed"), "x", Desk.ALICE.operationId("victim-op"));
    desk.pass(DAY);
    return victims;
  }

  /** What tells a key of somebody else from one that nobody has. */
  private static List<String> differences(Desk desk, KeyStore store, String victim) {
    StoredKey before = desk.store.find(victim).orElseThrow();
    int entries = desk.audit().size();
    String unknown = victim.substring(0, 21) + (victim.endsWith("0") ? "1" : "0");
    List<String> differences = new ArrayList<>();
    new TreeMap<>(ATTACKS)
        .forEach(
            (name, attacks) -> {
              for (var attack : attacks) {
                String onVictim = observe(store, attack, victim);
                String onUnknown = observe(store, attack, unknown);
                if (!onVictim.replace(victim, "ID").equals(onUnknown.replace(unknown, "ID"))
                    || onVictim.contains(victim)) {
                  differences.add(name + ": " + onVictim + " instead of " + onUnknown);
                }
              }
            });
    if (!desk.store.find(victim).orElseThrow().equals(before)) {
      differences.add("the key has changed");
    }
    if (desk.audit().size() != entries) {
      differences.add("the audit has changed");
    }
    return differences;
  }

  /** All that the attacker can see: what is returned or thrown, and how much work it was. */
  private static String observe(
      KeyStore store, BiFunction<OwnerKeys, String, Object> attack, String id) {
    CountingStore counting = new CountingStore(store);
    Desk desk = new Desk(counting);
    String seen;
    try {
      seen =
          "returned "
              + attack.apply(OwnerKeys.of(() -> desk.administration, Desk::noUsage, ATTACKER), id);
    } catch (RuntimeException e) {
      seen = "threw " + e + " caused by " + e.getCause();
      if (e instanceof KeyException refused) {
        seen += " as " + refused.failure();
      }
    }
    return seen + " after " + counting.calls + " calls, forgot " + desk.changed.size();
  }

  @Test
  void a_list_holds_no_key_of_others() {
    victims(desk);
    String own = desk.issue(KeySpec.forOwner(ATTACKER));

    for (KeyQuery query :
        List.of(
            KeyQuery.all(),
            KeyQuery.ofOwner(ATTACKER),
            KeyQuery.all().limit(1),
            KeyQuery.all().after("0".repeat(22)),
            KeyQuery.all().status(KeyDetails.Status.ACTIVE))) {
      assertThat(mine.list(query).keys()).extracting(KeyDetails::id).containsExactly(own);
    }
    assertThat(mine.list(KeyQuery.ofOwner(VICTIM)))
        .isEqualTo(mine.list(KeyQuery.ofOwner("nobody")))
        .isEqualTo(new KeyPage(List.of(), null));
    assertThat(mine.list(KeyQuery.all().subject("user-1")).keys()).isEmpty();
  }

  @Test
  void a_key_can_be_issued_for_nobody_else() {
    victims(desk);
    int entries = desk.audit().size();
    OwnerKeys generous = mine.mayGrant("*").plans("pro").subjects("user-1");

    for (String other : List.of(VICTIM, "nobody", "Attacker", "attacker ")) {
      assertRefused(() -> generous.issue(KeySpec.forOwner(other)), "owner: not permitted");
      assertRefused(
          () -> generous.issue(KeySpec.personalToken(other, "user-1")), "owner: not permitted");
    }
    assertThat(desk.audit()).hasSize(entries);
  }

  @Test
  void operation_ids_of_others_are_neither_seen_nor_taken() {
    victims(desk);
    desk.issue(KeySpec.forOwner(ATTACKER).operationId("host-op"));

    for (String taken : List.of("victim-op", "victim-op-2", "host-op")) {
      IssuedKey issued = mine.issue(KeySpec.forOwner(ATTACKER).operationId(taken));
      assertThat(issued.alreadyIssued()).isFalse();
      IssuedKey again = mine.issue(KeySpec.forOwner(ATTACKER).operationId(taken));
      assertThat(again.alreadyIssued()).isTrue();
      assertThat(again.id()).isEqualTo(issued.id());
    }
    mine.issue(KeySpec.forOwner(ATTACKER).operationId("next"));
    assertThat(
            OwnerKeys.of(() -> desk.administration, Desk::noUsage, VICTIM)
                .issue(KeySpec.forOwner(VICTIM).operationId("next"))
                .alreadyIssued())
        .isFalse();
    assertThat(desk.issue(KeySpec.forOwner("third").operationId("next"))).isNotNull();
  }

  @Test
  void a_lost_answer_is_repeated_with_the_id_that_the_owner_knows() {
    Desk desk =
        new Desk(
            new ForwardingKeyStore(new InMemoryKeyStore()) {
              private boolean lost;

              @Override
              public WriteOutcome replace(KeyWrite write) {
                WriteOutcome outcome = super.replace(write);
                if (!lost) {
                  lost = true;
                  throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "planted", null);
                }
                return outcome;
              }
            });
    String id = desk.issue(KeySpec.forOwner(ATTACKER));
    OwnerKeys keys = OwnerKeys.of(() -> desk.administration, Desk::noUsage, ATTACKER);

    assertThatExceptionOfType(OutcomeUnknownException.class)
        .isThrownBy(() -> keys.rename(id, "first", Cause.unstated()))
        .satisfies(
            lost -> {
              keys.rename(id, "second", Cause.unstated());
              Cause same = Cause.unstated().operationId(lost.operationId());
              assertThat(keys.rename(id, "first", same).key().name()).isEqualTo("second");
            });
  }

  @Test
  void nothing_may_be_granted_by_default() {
    KeySpec spec = KeySpec.forOwner(ATTACKER);

    assertRefused(() -> mine.issue(spec.scopes("a")), "scopes: more than permitted");
    assertRefused(() -> mine.issue(spec.plan("free")), "plan: not permitted");
    assertRefused(
        () -> mine.issue(KeySpec.personalToken(ATTACKER, "user-1")), "subject: not permitted");
    assertRefused(
        () -> mine.issue(spec.neverExpires()), "neverExpires: not permitted for this key");
    assertThat(mine.issue(spec).details().key().scopes()).isEmpty();
    assertThat(mine.list(KeyQuery.all()).keys()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "a", "a:*", "a:b:*", "b", "aa", "forecast", "forecast:write", "A:b"})
  void no_more_is_granted_than_the_host_allows(String scope) {
    OwnerKeys keys = mine.mayGrant("forecast:read", "a:b:c");

    assertRefused(
        () -> keys.issue(KeySpec.forOwner(ATTACKER).scopes("forecast:read", scope)),
        "scopes: more than permitted");
  }

  @ParameterizedTest
  @ValueSource(strings = {"forecast:read", "a:b", "a:*", "a:b:*"})
  void what_the_host_allows_is_granted(String scope) {
    OwnerKeys keys = mine.mayGrant("forecast:read", "a:*");

    assertThat(keys.issue(KeySpec.forOwner(ATTACKER).scopes(scope)).details().key().scopes())
        .containsExactly(scope);
  }

  @Test
  void plans_and_users_are_those_of_the_host() {
    OwnerKeys keys = mine.plans("free", "pro").subjects("user-1");
    KeySpec spec = KeySpec.forOwner(ATTACKER);

    assertThat(keys.issue(spec).details().key().plan()).isEqualTo("free");
    assertThat(keys.issue(spec.plan("pro")).details().key().plan()).isEqualTo("pro");
    assertRefused(() -> keys.issue(spec.plan("Pro")), "plan: not permitted");
    assertThat(keys.issue(KeySpec.personalToken(ATTACKER, "user-1")).details().key().subject())
        .isEqualTo("user-1");
    assertRefused(
        () -> keys.issue(KeySpec.personalToken(ATTACKER, "user-2")), "subject: not permitted");
    assertThatIllegalArgumentException().isThrownBy(() -> mine.mayGrant("a:*:b"));
  }

  @Test
  void no_key_lives_longer_than_the_host_allows() {
    KeySpec service = KeySpec.forOwner(ATTACKER);
    KeySpec personal = KeySpec.personalToken(ATTACKER, "user-1");
    OwnerKeys keys = mine.subjects("user-1");

    assertThat(lifetime(keys.issue(service))).isEqualTo(DAY.multipliedBy(90));
    assertThat(lifetime(keys.issue(service.lifetime(DAY)))).isEqualTo(DAY);
    assertThat(lifetime(keys.issue(personal.lifetime(DAY.multipliedBy(30)))))
        .isEqualTo(DAY.multipliedBy(30));
    for (KeySpec longer :
        List.of(
            service.lifetime(DAY.multipliedBy(90).plusNanos(1)),
            service.lifetime(DAY.multipliedBy(3_000_000)),
            personal.lifetime(DAY.multipliedBy(30).plusNanos(1)))) {
      assertRefused(() -> keys.issue(longer), "lifetime: longer than permitted");
    }

    OwnerKeys week = keys.maxLifetime(DAY.multipliedBy(7));
    assertThat(lifetime(week.issue(service))).isEqualTo(DAY.multipliedBy(7));
    assertThat(lifetime(week.issue(personal))).isEqualTo(DAY.multipliedBy(7));
    assertRefused(
        () -> week.issue(service.lifetime(DAY.multipliedBy(8))), "lifetime: longer than permitted");
    OwnerKeys years = keys.maxLifetime(DAY.multipliedBy(1000));
    assertThat(lifetime(years.issue(service))).isEqualTo(DAY.multipliedBy(90));
    assertThat(lifetime(years.issue(service.lifetime(DAY.multipliedBy(1000)))))
        .isEqualTo(DAY.multipliedBy(1000));
    assertRefused(
        () -> years.issue(personal.lifetime(DAY.multipliedBy(366))),
        "lifetime: longer than permitted");
    assertRefused(
        () -> years.issue(service.neverExpires()), "neverExpires: not permitted for this key");
    assertThatIllegalArgumentException().isThrownBy(() -> mine.maxLifetime(Duration.ZERO));
  }

  @Test
  void no_rotation_gives_a_longer_life_than_an_issue() {
    String service = desk.issue(KeySpec.forOwner(ATTACKER).lifetime(DAY));
    String personal = desk.issue(KeySpec.personalToken(ATTACKER, "user-1").lifetime(DAY));

    assertThat(lifetime(mine.rotate(service, Rotation.usual()))).isEqualTo(DAY);
    assertThat(lifetime(mine.rotate(personal, Rotation.usual()))).isEqualTo(DAY);
    for (int days : new int[] {1, 30}) {
      Duration lifetime = DAY.multipliedBy(days);
      assertThat(lifetime(mine.rotate(personal, Rotation.usual().lifetime(lifetime))))
          .isEqualTo(lifetime);
    }
    assertTooLong(mine, service, DAY.multipliedBy(90));
    assertTooLong(mine, personal, DAY.multipliedBy(30));
    OwnerKeys week = mine.maxLifetime(DAY.multipliedBy(7));
    assertTooLong(week, service, DAY.multipliedBy(7));
    assertTooLong(week, personal, DAY.multipliedBy(7));
    assertThat(lifetime(week.rotate(personal, Rotation.usual()))).isEqualTo(DAY.multipliedBy(7));
    assertRefused(
        () -> mine.rotate(service, Rotation.usual().neverExpires()),
        "neverExpires: not permitted for this key");
  }

  @Test
  void a_usual_rotation_keeps_the_life_that_somebody_has_chosen() {
    Duration year = DAY.multipliedBy(365);
    OwnerKeys week = mine.maxLifetime(DAY.multipliedBy(7));
    String personal = desk.issue(KeySpec.personalToken(ATTACKER, "user-1").lifetime(DAY));
    String service = desk.issue(KeySpec.forOwner(ATTACKER).lifetime(year));
    String endless = desk.issue(KeySpec.forOwner(ATTACKER).neverExpires());

    assertThat(lifetime(week.rotate(personal, Rotation.usual()))).isEqualTo(DAY);
    assertThat(lifetime(week.rotate(service, Rotation.usual()))).isEqualTo(year);
    assertThat(week.rotate(endless, Rotation.usual()).details().expiresAt()).isNull();
  }

  private static void assertTooLong(OwnerKeys keys, String id, Duration longest) {
    assertRefused(
        () -> keys.rotate(id, Rotation.usual().lifetime(longest.plusMillis(1))),
        "lifetime: longer than permitted");
  }

  @Test
  void a_rotation_is_no_way_around_the_maximum_of_keys() {
    Desk limited = new Desk(desk.store, Desk.ownerMaximum(2));
    OwnerKeys keys = OwnerKeys.of(() -> limited.administration, Desk::noUsage, ATTACKER);
    List<String> expired = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      expired.add(keys.issue(KeySpec.forOwner(ATTACKER).lifetime(DAY)).id());
    }
    limited.pass(DAY);
    expired.add(keys.issue(KeySpec.forOwner(ATTACKER)).id());
    keys.revokeSecret(expired.get(2), 1, Desk.LEAK);
    keys.issue(KeySpec.forOwner(ATTACKER));
    String live = keys.issue(KeySpec.forOwner(ATTACKER)).id();

    for (String id : expired) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> keys.rotate(id, Rotation.usual()))
          .withMessage("STATE_FORBIDS: the key has expired: only the host revives it");
    }
    assertThat(keys.rotate(live, Rotation.usual()).secretVersion()).isEqualTo(2);
    KeyQuery active = KeyQuery.all().status(KeyDetails.Status.ACTIVE);
    assertThat(keys.list(active).keys()).hasSize(2);
    // the host knows what it does, and without a maximum there is nothing to get around
    assertThat(limited.administration.secrets().rotate(expired.get(0), Rotation.usual()).details())
        .extracting(KeyDetails::status)
        .isEqualTo(KeyDetails.Status.ACTIVE);
    desk.now = limited.now;
    assertThat(mine.rotate(expired.get(1), Rotation.usual()).secretVersion()).isEqualTo(2);
  }

  private Duration lifetime(IssuedKey issued) {
    return Duration.between(desk.now, desk.record(issued.id()).newest().expiresAt());
  }

  @Test
  void brand_and_environment_are_those_of_the_host() {
    KeySpec spec = KeySpec.forOwner(ATTACKER);

    assertThat(prefix(mine.issue(spec))).isEqualTo("acme live");
    assertThat(prefix(mine.issue(spec.brand("acme").environment("live")))).isEqualTo("acme live");
    assertRefused(() -> mine.issue(spec.brand("umbra")), "brand: not permitted");
    assertRefused(() -> mine.issue(spec.environment("test")), "environment: not permitted");

    OwnerKeys test = mine.environments("test");
    assertThat(prefix(test.issue(spec))).isEqualTo("acme test");
    assertRefused(() -> test.issue(spec.environment("live")), "environment: not permitted");
    OwnerKeys both = mine.brands("acme", "umbra");
    assertThat(prefix(both.issue(spec))).isEqualTo("acme live");
    assertThat(prefix(both.issue(spec.brand("umbra")))).isEqualTo("umbra live");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> both.environments("test").issue(spec.brand("umbra")))
        .withMessageStartingWith("brand, environment:");
  }

  private String prefix(IssuedKey issued) {
    return desk.record(issued.id()).brand() + " " + desk.record(issued.id()).environment();
  }

  @Test
  void the_audit_holds_a_hash_that_the_host_can_compute() throws Exception {
    String id = mine.issue(KeySpec.forOwner(ATTACKER).operationId("op-1")).id();

    byte[] hash =
        MessageDigest.getInstance("SHA-256")
            .digest((ATTACKER + "\0op-1").getBytes(StandardCharsets.UTF_8));
    assertThat(desk.audit(id))
        .extracting(AuditEntry::operationId)
        .containsExactly("owner:" + HexFormat.of().formatHex(hash));
  }

  @Test
  void nothing_is_done_once_all_is_closed() {
    String key;
    OwnerKeys keys;
    try (ApiKeys all =
        ApiKeys.builder(desk.store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .build()) {
      keys = all.forOwner(ATTACKER);
      key = keys.issue(KeySpec.forOwner(ATTACKER)).id();
    }
    int entries = desk.audit().size();

    List<ThrowingCallable> calls = new ArrayList<>();
    calls.add(() -> keys.issue(KeySpec.forOwner(ATTACKER)));
    calls.add(() -> keys.issue(KeySpec.forOwner(VICTIM)));
    calls.add(() -> keys.mayGrant("a").issue(KeySpec.forOwner(ATTACKER)));
    calls.add(() -> keys.list(KeyQuery.all()));
    ATTACKS
        .values()
        .forEach(attacks -> attacks.forEach(attack -> calls.add(() -> attack.apply(keys, key))));
    for (ThrowingCallable call : calls) {
      assertThatIllegalStateException().isThrownBy(call).withMessage("These ApiKeys are closed");
    }
    assertThat(desk.audit()).hasSize(entries);
  }

  @Test
  void an_owner_does_with_his_own_what_he_likes() {
    IssuedKey issued = mine.issue(KeySpec.forOwner(ATTACKER).by("me"));

    assertThat(mine.find(issued.id())).isPresent();
    assertThat(mine.rename(issued.id(), "batch", Cause.by("me")).key().name()).isEqualTo("batch");
    assertThat(mine.revoke(issued.id(), Desk.LEAK).status()).isEqualTo(KeyDetails.Status.REVOKED);
    assertThat(mine.revoke(issued.id(), Desk.LEAK).status()).isEqualTo(KeyDetails.Status.REVOKED);
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> mine.rename(issued.id(), "again", Cause.by("me")))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.STATE_FORBIDS);
  }

  private static void assertRefused(Runnable call, String message) {
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(call::run)
        .withMessage("NOT_PERMITTED: " + message)
        .withNoCause()
        .extracting(KeyException::failure)
        .isEqualTo(Failure.NOT_PERMITTED);
  }
}
