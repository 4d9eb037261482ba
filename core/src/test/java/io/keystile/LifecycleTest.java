package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.KeyException.Failure;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Kind;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LifecycleTest {

  private static final Duration DAY = Duration.ofDays(1);
  private static final Cause WHY = Cause.by("alice").note("because").operationId("op-1");

  /** What verbs on one key answer with. */
  private static final Set<Class<?>> ANSWERS =
      Set.of(KeyDetails.class, IssuedKey.class, SelfRotation.class);

  private enum Outcome {
    CHANGES,
    NOTHING,
    FORBIDDEN
  }

  private final Desk desk = new Desk();

  @ParameterizedTest
  @CsvSource({
    //                     UPDATE    DISABLE   ENABLE    REVOKE  EXTEND    ROTATE    REVOKE_SECRET
    "active,               CHANGES   CHANGES   NOTHING   CHANGES CHANGES   CHANGES   CHANGES",
    "disabled,             CHANGES   NOTHING   CHANGES   CHANGES FORBIDDEN FORBIDDEN CHANGES",
    "expired,              CHANGES   CHANGES   NOTHING   CHANGES FORBIDDEN CHANGES   CHANGES",
    "secret revoked,       CHANGES   CHANGES   NOTHING   CHANGES FORBIDDEN CHANGES   NOTHING",
    "ended,                CHANGES   CHANGES   NOTHING   CHANGES FORBIDDEN FORBIDDEN CHANGES",
    "disabled and expired, CHANGES   NOTHING   CHANGES   CHANGES FORBIDDEN FORBIDDEN CHANGES",
    "revoked,              FORBIDDEN FORBIDDEN FORBIDDEN NOTHING FORBIDDEN FORBIDDEN FORBIDDEN",
    "disabled and revoked, FORBIDDEN FORBIDDEN FORBIDDEN NOTHING FORBIDDEN FORBIDDEN FORBIDDEN",
    "expired and revoked,  FORBIDDEN FORBIDDEN FORBIDDEN NOTHING FORBIDDEN FORBIDDEN FORBIDDEN"
  })
  void each_verb_does_what_the_state_allows(String state, String table) {
    List<Outcome> outcomes = Arrays.stream(table.split(" +")).map(Outcome::valueOf).toList();
    for (Verb verb : Verb.values()) {
      Outcome outcome = outcomes.get(verb.ordinal());
      verify(verb, state, Kind.PERSONAL, outcome);
      verify(verb, state, Kind.SERVICE, verb == Verb.EXTEND ? Outcome.FORBIDDEN : outcome);
    }
  }

  private void verify(Verb verb, String state, Kind kind, Outcome outcome) {
    Desk desk = new Desk();
    String id = keyIn(desk, state, kind);
    KeyRecord before = desk.record(id);
    int entries = desk.audit(id).size();
    desk.changed.clear();

    if (outcome == Outcome.FORBIDDEN) {
      assertThatExceptionOfType(KeyException.class)
          .as("%s of a %s key that is %s", verb, kind, state)
          .isThrownBy(() -> verb.run(desk, id, WHY))
          .extracting(KeyException::failure)
          .isEqualTo(Failure.STATE_FORBIDS);
    } else {
      KeyDetails details = verb.run(desk, id, WHY);
      assertThat(details).usingRecursiveComparison().isEqualTo(desk.details(id));
      assertThat(desk.changed).containsExactly(id);
    }

    KeyRecord after = desk.record(id);
    if (outcome != Outcome.CHANGES) {
      assertThat(after).isEqualTo(before);
      assertThat(desk.audit(id)).hasSize(entries);
      return;
    }
    assertThat(after.revision()).isEqualTo(before.revision() + 1);
    assertThat(desk.audit(id)).hasSize(entries + 1);
    assertThat(desk.audit(id).get(entries))
        .isEqualTo(
            new AuditEntry(
                    0,
                    "op-1",
                    verb.action(),
                    id,
                    "weather-app",
                    changedSecret(verb),
                    desk.now,
                    "alice",
                    verb == Verb.REVOKE || verb == Verb.REVOKE_SECRET ? "LEAKED" : null,
                    "because",
                    before.state(),
                    after.state())
                .numbered(entries + 1L));
  }

  private static @Nullable Integer changedSecret(Verb verb) {
    return switch (verb) {
      case EXTEND, REVOKE_SECRET -> 1;
      case ROTATE -> 2;
      default -> null;
    };
  }

  private static String keyIn(Desk desk, String state, Kind kind) {
    KeySpec spec =
        kind == Kind.SERVICE
            ? KeySpec.forOwner("weather-app")
            : KeySpec.personalToken("weather-app", "user-1");
    if (state.equals("ended")) {
      spec = spec.endsAt(desk.now.plus(DAY));
    }
    String id = desk.issue(spec.lifetime(DAY.multipliedBy(10)));
    if (state.startsWith("disabled")) {
      desk.administration.disable(id, Cause.unstated());
    }
    if (state.contains("expired")) {
      desk.pass(DAY.multipliedBy(10));
    }
    if (state.equals("ended")) {
      desk.pass(DAY);
    }
    if (state.equals("secret revoked")) {
      desk.administration.secrets().revoke(id, 1, Desk.LEAK);
    } else if (state.endsWith("revoked")) {
      desk.administration.revoke(id, Desk.LEAK);
    }
    return id;
  }

  @Test
  void the_table_above_knows_all_verbs() {
    Set<String> verbs =
        Stream.of(Administration.class, Rotator.class)
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(method -> ANSWERS.contains(method.getReturnType()))
            .map(method -> method.getDeclaringClass().getSimpleName() + "." + method.getName())
            .filter(name -> !name.contains("lambda"))
            .collect(Collectors.toSet());

    // those about many keys, and those that make one, have tests of their own
    verbs.removeAll(Set.of("Administration.change", "Administration.issue"));
    verbs.removeAll(Set.of("Administration.repeated"));
    // there is a table for it in SelfRotationTest
    verbs.remove("Rotator.rotateSelf");
    assertThat(verbs)
        .containsExactlyInAnyOrder(
            "Administration.update",
            "Administration.disable",
            "Administration.enable",
            "Administration.revoke",
            "Administration.extend",
            "Rotator.rotate",
            "Rotator.revoke")
        .hasSameSizeAs(Verb.values());
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void no_verb_finds_a_key_that_is_not_there(Verb verb) {
    String gone = "0351fcs8Bym6tbejfDMyAJ";

    for (String id : List.of(gone, "", "x", "z".repeat(22), "acme_live_" + gone)) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> verb.run(desk, id, WHY))
          .withMessage("UNKNOWN_KEY: no such key")
          .extracting(KeyException::failure)
          .isEqualTo(Failure.UNKNOWN_KEY);
      assertThat(desk.administration.find(id)).isEmpty();
    }
    assertThat(desk.audit()).isEmpty();
  }

  @Test
  void the_first_revocation_stays() {
    String id = desk.issue();
    desk.use(id, Desk.START.plusSeconds(7));
    desk.pass(DAY);
    Instant first = desk.now;
    desk.administration.revoke(id, Desk.LEAK.by("alice").note("on a wall"));
    desk.pass(DAY);

    KeyDetails again = desk.administration.revoke(id, Desk.LEAK.by("bob"));

    assertThat(again.revocation())
        .isEqualTo(
            new KeyRecord.Revoked(
                first, RevocationReason.LEAKED, "on a wall", "alice", Desk.START.plusSeconds(7)));
  }

  @Test
  void an_update_leaves_alone_what_it_does_not_mention() {
    String id =
        desk.issue(
            KeySpec.forOwner("weather-app")
                .name("batch")
                .scopes("forecast:read")
                .networks("10.0.0.0/8")
                .callers("billing")
                .plan("pro")
                .metadata(Map.of("team", "blue"))
                .endsAt(desk.now.plus(DAY)));
    KeyRecord before = desk.record(id);

    desk.administration.update(id, KeyUpdate.of().noPlan().scopes("forecast:*"));

    assertThat(desk.record(id))
        .isEqualTo(before.toBuilder().revision(2).plan(null).scopes(List.of("forecast:*")).build());

    desk.administration.update(id, KeyUpdate.of().noEnd().networks().callers().metadata(Map.of()));

    KeyDetails details = desk.details(id);
    assertThat(details.key().endsAt()).isNull();
    assertThat(details.networks()).isEmpty();
    assertThat(details.callers()).isEmpty();
    assertThat(details.key().metadata()).isEmpty();
    assertThat(details.key().name()).isEqualTo("batch");
  }

  @Test
  void an_update_does_not_bring_back_what_has_ended() {
    String id = desk.issue(KeySpec.forOwner("weather-app").endsAt(desk.now.plus(DAY)));
    desk.pass(DAY);

    for (KeyUpdate update :
        List.of(KeyUpdate.of().noEnd(), KeyUpdate.of().endsAt(desk.now.plus(DAY)))) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> desk.administration.update(id, update))
          .extracting(KeyException::failure)
          .isEqualTo(Failure.STATE_FORBIDS);
    }
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.EXPIRED);
  }

  @Test
  void an_end_must_be_in_the_future() {
    String id = desk.issue();

    for (Instant end : List.of(desk.now, desk.now.minusMillis(1), desk.now.plusNanos(999_999))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.administration.update(id, KeyUpdate.of().endsAt(end)))
          .withMessageStartingWith("endsAt:");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.issue(KeySpec.forOwner("weather-app").endsAt(end)))
          .withMessageStartingWith("endsAt:");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KeyUpdate.of().endsAt(Instant.MIN))
        .withMessageStartingWith("endsAt:");
    desk.administration.update(id, KeyUpdate.of().endsAt(Instant.MAX));
    assertThat(desk.details(id).key().endsAt()).isEqualTo("9999-12-31T23:59:59.999Z");
  }

  @Test
  void a_personal_token_is_extended_up_to_its_maximum_and_never_shortened() {
    String id = desk.issue(KeySpec.personalToken("weather-app", "user-1"));
    Instant end = Desk.START.plus(Duration.ofDays(30));
    assertThat(desk.details(id).expiresAt()).isEqualTo(end);
    desk.now = end.minusMillis(1);

    assertThat(extend(id, DAY).expiresAt()).isEqualTo(desk.now.plus(DAY));
    assertThat(extend(id, Duration.ofMillis(1)).expiresAt()).isEqualTo(desk.now.plus(DAY));
    Duration rest = Duration.between(desk.now, Desk.START.plus(Duration.ofDays(365)));
    assertThat(extend(id, rest).expiresAt()).isEqualTo(Desk.START.plus(Duration.ofDays(365)));
    for (Duration more : List.of(rest.plusMillis(1), Duration.ofSeconds(Long.MAX_VALUE))) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> extend(id, more))
          .extracting(KeyException::failure)
          .isEqualTo(Failure.NOT_PERMITTED);
    }
    for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(1), DAY.negated())) {
      assertThatIllegalArgumentException().isThrownBy(() -> extend(id, none));
    }
  }

  private KeyDetails extend(String id, Duration lifetime) {
    return desk.administration.extend(id, lifetime, Cause.unstated());
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void at_the_very_millisecond_of_its_end_a_key_has_ended(boolean fixedEnd) {
    KeySpec spec = KeySpec.forOwner("weather-app");
    Instant end = Desk.START.plus(DAY);
    String id = desk.issue(fixedEnd ? spec.endsAt(end) : spec.lifetime(DAY));

    desk.now = end.minusMillis(1);
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.ACTIVE);
    desk.now = end.minusNanos(1);
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.ACTIVE);
    desk.now = end;
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.EXPIRED);
    desk.now = end.plusMillis(1);
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.EXPIRED);
  }

  @Test
  void a_key_is_rotating_while_an_older_secret_works() {
    String id = desk.issue();
    KeyRecord record = desk.record(id);
    Instant retires = desk.now.plus(DAY);
    var first = record.newest();
    var older =
        new SecretVersion(
            1, "sha256", null, first.hash(), "aaaa", desk.now, null, null, null, retires, null);
    var newer =
        new SecretVersion(
            2, "sha256", null, first.hash(), "bbbb", desk.now, null, null, null, null, null);
    KeyRecord rotated = record.toBuilder().versions(List.of(older, newer)).build();

    var stored = new StoredKey(rotated, List.of());
    assertThat(new KeyDetails(stored, retires.minusMillis(1), RotationRules.USUAL).status())
        .isEqualTo(KeyDetails.Status.ROTATING);
    assertThat(new KeyDetails(stored, retires, RotationRules.USUAL).status())
        .isEqualTo(KeyDetails.Status.ACTIVE);
    assertThat(new KeyDetails(stored, retires, RotationRules.USUAL).secrets())
        .extracting(KeyDetails.SecretInfo::redacted)
        .containsExactly(
            "acme_live_" + id.substring(0, 8) + "…aaaa",
            "acme_live_" + id.substring(0, 8) + "…bbbb");
  }

  @Test
  void a_secret_is_live_until_the_first_of_its_ends_and_that_of_its_key() {
    Instant end = Desk.START.plus(DAY);
    String id = desk.issue(KeySpec.forOwner("weather-app").endsAt(end));
    String longer = desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));

    desk.now = end.minusMillis(1);
    desk.administration.disable(longer, Cause.unstated());
    assertThat(desk.details(id).isLive(1)).isTrue();
    assertThat(desk.details(longer).isLive(1)).as("whatever the state").isTrue();
    assertThat(desk.details(id).isLive(0)).isFalse();
    assertThat(desk.details(id).isLive(2)).isFalse();
    desk.now = end;
    assertThat(desk.details(id).isLive(1)).isFalse();
    assertThat(desk.details(longer).isLive(1)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "PT0.001S,              2026-01-01T00:00:00.001Z",
    "PT0.001999999S,        2026-01-01T00:00:00.001Z",
    "P90D,                  2026-04-01T00:00:00Z",
    "P2912500D,             9999-12-31T23:59:59.999Z",
    "PT2562047788015215H,   9999-12-31T23:59:59.999Z",
    "PT9223372036854775807S,            9999-12-31T23:59:59.999Z",
    "PT9223372036854775807.999999999S,  9999-12-31T23:59:59.999Z"
  })
  void a_lifetime_never_wraps_to_the_past(Duration lifetime, Instant end) {
    String id = desk.issue(KeySpec.forOwner("weather-app").lifetime(lifetime));

    assertThat(desk.details(id).expiresAt()).isEqualTo(end);
  }

  @ParameterizedTest
  @CsvSource({"PT0S", "PT0.000000001S", "PT0.000999999S", "PT-1S", "PT-9223372036854775808S"})
  void a_lifetime_that_would_be_over_at_once_is_refused(Duration lifetime) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KeySpec.forOwner("weather-app").lifetime(lifetime))
        .withMessage("lifetime: must be at least 1 ms");
  }

  @Test
  void no_random_lifetime_ends_before_it_begins() {
    int rounds = 1_000_000;
    SplittableRandom random = Seed.of("no_random_lifetime_ends_before_it_begins");
    long wrong = 0;
    long wrongOfTwin = 0;
    for (int i = 0; i < rounds; i++) {
      Instant from = Instant.ofEpochMilli(random.nextLong(1L << random.nextInt(1, 47)));
      Duration lifetime =
          Duration.ofSeconds(
                  random.nextLong() >>> random.nextInt(1, 64), random.nextInt(1_000_000_000))
              .plusMillis(1);
      Instant end = Arguments.plus(from, lifetime);
      Instant start = Arguments.minus(from, lifetime);
      if (!end.isAfter(from) || end.isAfter(Arguments.LATEST) || start.isAfter(from)) {
        wrong++;
      }
      long twin =
          from.toEpochMilli() + lifetime.getSeconds() * 1000 + lifetime.getNano() / 1_000_000;
      if (twin <= from.toEpochMilli()) {
        wrongOfTwin++;
      }
    }
    System.out.printf(
        "%,d random lifetimes: %d wrong, %,d with plain arithmetic%n", rounds, wrong, wrongOfTwin);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  @Test
  void what_is_permitted_is_for_the_host_to_say() {
    Duration day90 = Duration.ofDays(90);
    LifecycleSettings month =
        new LifecycleSettings(
            Desk.PREFIXES,
            day90,
            Duration.ofDays(31),
            Duration.ofDays(30),
            DAY,
            7,
            RotationRules.USUAL);
    KeySpec service = KeySpec.forOwner("weather-app");
    KeySpec personal = KeySpec.personalToken("weather-app", "user-1");

    assertThat(month.lifetimeOf(service)).isEqualTo(Duration.ofDays(31));
    assertThat(month.lifetimeOf(personal)).isEqualTo(DAY);
    LifecycleSettings defaults = Desk.ownerMaximum(7);
    assertThat(defaults.lifetimeOf(service)).isEqualTo(day90);
    assertThat(defaults.lifetimeOf(personal)).isEqualTo(Duration.ofDays(30));
    assertThat(defaults.lifetimeOf(service.neverExpires())).isNull();
    assertThat(defaults.lifetimeOf(service.neverExpires().lifetime(DAY))).isEqualTo(DAY);

    assertNotPermitted(month, service.neverExpires());
    assertNotPermitted(month, service.lifetime(Duration.ofDays(31).plusNanos(1)));
    assertNotPermitted(month, personal.lifetime(DAY.plusNanos(1)));
    assertNotPermitted(defaults, personal.neverExpires());
  }

  private static void assertNotPermitted(LifecycleSettings settings, KeySpec spec) {
    Desk desk = new Desk(new InMemoryKeyStore(), settings);
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.issue(spec))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.NOT_PERMITTED);
    assertThat(desk.audit()).isEmpty();
  }
}
