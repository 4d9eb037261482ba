package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.KeyException.Failure;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a rotation makes of the secrets of a key. */
class SecretRotationTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration MILLI = Duration.ofMillis(1);

  private Desk desk = new Desk();

  private IssuedKey rotate(String id, Duration grace) {
    return desk.administration.secrets().rotate(id, Rotation.withGrace(grace));
  }

  private static Desk deskWith(int maxLive) {
    return new Desk(
        new InMemoryKeyStore(),
        Desk.rotation(
            new RotationRules(
                RotationPolicy.usual(), Map.of(), maxLive, RotationRules.DEFAULT_OWN_GRACE)));
  }

  private List<Integer> live(String id) {
    return desk.record(id).versions().stream()
        .filter(version -> !Lifecycle.hasEnded(version.end(), desk.now))
        .map(SecretVersion::number)
        .toList();
  }

  private List<Integer> numbers(String id) {
    return desk.record(id).versions().stream().map(SecretVersion::number).toList();
  }

  private SecretVersion version(String id, int number) {
    return desk.record(id).versions().stream()
        .filter(version -> version.number() == number)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void a_rotation_adds_a_secret_and_changes_nothing_else_but_the_end_of_the_old_one() {
    String id =
        desk.issue(
            KeySpec.forOwner("weather-app")
                .name("batch")
                .scopes("forecast:read")
                .networks("10.0.0.0/8")
                .plan("pro")
                .metadata(Map.of("team", "blue"))
                .rotation(RotationPolicy.usual().grace(DAY)));
    KeyRecord before = desk.record(id);
    desk.pass(DAY);

    IssuedKey next =
        desk.administration
            .secrets()
            .rotate(id, Rotation.usual().by("alice").note("as every spring"));

    SecretVersion made = desk.record(id).newest();
    assertThat(desk.record(id))
        .isEqualTo(
            before.toBuilder()
                .revision(2)
                .versions(List.of(before.newest().withRetiresAt(desk.now.plus(DAY)), made))
                .build());
    assertThat(next.secretVersion()).isEqualTo(2);
    assertThat(next.alreadyIssued()).isFalse();
    assertThat(TokenFormat.isWellFormed(next.revealToken())).isTrue();
    assertThat(next.revealToken()).startsWith("acme_live_" + id + "_").endsWith(made.lastFour());
    assertThat(made.number()).isEqualTo(2);
    assertThat(made.createdAt()).isEqualTo(desk.now);
    assertThat(made.createdBy()).isEqualTo("alice");
    assertThat(made.note()).isEqualTo("as every spring");
    assertThat(made.expiresAt()).isEqualTo(desk.now.plus(Duration.ofDays(90)));
    assertThat(made.retiresAt()).isNull();
    assertThat(made.hash()).isNotEqualTo(before.newest().hash());
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.ROTATING);
  }

  /** What leaves the older of the older secrets as they are. */
  private static KeyRecord retiringTheNewestOnly(
      KeyRecord record, SecretVersion successor, Duration grace, int maxLive, Instant now) {
    List<SecretVersion> versions = new ArrayList<>(record.versions());
    versions.set(versions.size() - 1, record.newest().withRetiresAt(now.plus(grace)));
    versions.add(successor);
    return record.toBuilder().versions(versions).revision(record.revision() + 1).build();
  }

  private interface Rotate {
    KeyRecord apply(
        KeyRecord record, SecretVersion successor, Duration grace, int maxLive, Instant now);
  }

  /** Rotates a key with two live secrets without grace, and counts the old ones that go on. */
  private int oldSecretsLeft(Rotate rotate) {
    String id = desk.issue();
    rotate(id, DAY.multipliedBy(7));
    desk.pass(DAY);
    assertThat(live(id)).containsExactly(1, 2);
    SecretVersion third =
        desk.mint.mintSecret(desk.record(id)).version(3, desk.now, Cause.unstated(), null);

    KeyRecord rotated = rotate.apply(desk.record(id), third, Duration.ZERO, 3, desk.now);

    return (int)
        rotated.versions().stream()
            .filter(v -> v.number() < 3 && !Lifecycle.hasEnded(v.end(), desk.now))
            .count();
  }

  @Test
  void without_a_grace_the_secret_before_the_last_goes_too() {
    assertThat(oldSecretsLeft(SecretRotation::rotate)).isZero();
    assertThat(oldSecretsLeft(SecretRotationTest::retiringTheNewestOnly))
        .as("a stolen first secret would go on")
        .isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // own end, grace,      end of the old secret
    "P90D,      PT0S,       PT0S",
    "P90D,      PT0.001S,   PT0.001S",
    "P90D,      P7D,        P7D",
    "P90D,      P90D,       P90D",
    "P90D,      P36500D,    P90D",
    "PT0.001S,  P7D,        PT0.001S",
    "PT1H,      PT1H,       PT1H",
    "PT1H,      PT0.999S,   PT0.999S",
    "PT2S,      PT0.9999S,  PT0.999S",
    "never,     P7D,        P7D",
    "never,     P36500D,    P36500D"
  })
  void an_old_secret_retires_after_the_grace_or_at_its_own_end(
      String lifetime, Duration grace, Duration end) {
    KeySpec spec = KeySpec.forOwner("weather-app");
    String id =
        desk.issue(
            lifetime.equals("never")
                ? spec.neverExpires()
                : spec.lifetime(Duration.parse(lifetime)));
    Instant expires = desk.record(id).newest().expiresAt();

    rotate(id, grace);

    SecretVersion old = version(id, 1);
    assertThat(old.retiresAt()).isEqualTo(desk.now.plus(end));
    assertThat(old.end()).isEqualTo(desk.now.plus(end));
    assertThat(old.expiresAt()).isEqualTo(expires);
  }

  @Test
  void a_later_rotation_moves_no_end_further_away() {
    String id = desk.issue();
    rotate(id, DAY);
    Instant end = version(id, 1).end();

    rotate(id, DAY.multipliedBy(30));

    assertThat(version(id, 1).end()).isEqualTo(end);
    assertThat(version(id, 2).end()).isEqualTo(desk.now.plus(DAY.multipliedBy(30)));
  }

  @Test
  void the_fixed_end_of_a_key_stays_the_end_of_all_its_secrets() {
    Instant end = desk.now.plus(DAY.multipliedBy(3));
    String id = desk.issue(KeySpec.forOwner("weather-app").endsAt(end));

    IssuedKey next = rotate(id, DAY.multipliedBy(7));

    assertThat(next.details().expiresAt()).isEqualTo(end);
    assertThat(desk.record(id).olderUntil()).isEqualTo(end);
    desk.now = end.minusMillis(1);
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.ROTATING);
    desk.now = end;
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.EXPIRED);
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> rotate(id, DAY))
        .withMessage("STATE_FORBIDS: the key has come to its fixed end");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void of_too_many_secrets_the_oldest_retire_at_once(int maxLive) {
    desk = deskWith(maxLive);
    String id = desk.issue();
    for (int newest = 2; newest <= 12; newest++) {
      desk.pass(Duration.ofHours(1));

      rotate(id, DAY.multipliedBy(30));

      List<Integer> expected = new ArrayList<>();
      for (int number = Math.max(1, newest - maxLive + 1); number <= newest; number++) {
        expected.add(number);
      }
      assertThat(live(id)).isEqualTo(expected);
      int gone = newest - maxLive;
      if (gone >= 1 && numbers(id).contains(gone)) {
        assertThat(version(id, gone).retiresAt()).isEqualTo(desk.now);
      }
    }
  }

  @Test
  void a_smaller_maximum_holds_from_the_next_rotation_on() {
    desk = deskWith(8);
    String id = desk.issue();
    for (int i = 0; i < 5; i++) {
      rotate(id, DAY);
    }
    assertThat(live(id)).containsExactly(1, 2, 3, 4, 5, 6);
    desk = withMaxLive(desk, 2);

    rotate(id, DAY);

    assertThat(live(id)).containsExactly(6, 7);
  }

  private static Desk withMaxLive(Desk desk, int maxLive) {
    return new Desk(
        desk.store,
        Desk.rotation(
            new RotationRules(
                RotationPolicy.usual(), Map.of(), maxLive, RotationRules.DEFAULT_OWN_GRACE)));
  }

  @Test
  void what_has_ended_is_kept_for_90_days() {
    String id = desk.issue();
    rotate(id, DAY);
    Instant end = version(id, 1).end();

    desk.now = end.plus(SecretRotation.ENDED_KEPT).minusMillis(1);
    rotate(id, DAY);
    assertThat(numbers(id)).containsExactly(1, 2, 3);
    desk.now = end.plus(SecretRotation.ENDED_KEPT);
    rotate(id, DAY);
    assertThat(numbers(id)).containsExactly(2, 3, 4);
  }

  @Test
  void there_are_at_most_8_secrets_and_what_works_is_never_dropped() {
    desk = deskWith(3);
    String id = desk.issue();
    for (int newest = 2; newest <= 20; newest++) {
      rotate(id, Duration.ofDays(60));
      assertThat(numbers(id)).hasSize(Math.min(newest, 8)).endsWith(newest);
      assertThat(live(id)).hasSize(Math.min(newest, 3));
    }
    assertThat(numbers(id)).containsExactly(13, 14, 15, 16, 17, 18, 19, 20);
  }

  @Test
  void of_what_has_ended_the_oldest_goes_first_wherever_it_stands() {
    desk = deskWith(8);
    String id = desk.issue();
    for (int newest = 2; newest <= 8; newest++) {
      rotate(id, DAY);
    }
    desk.administration.secrets().revoke(id, 3, Desk.LEAK);
    desk.administration.secrets().revoke(id, 5, Desk.LEAK);

    rotate(id, DAY);

    assertThat(numbers(id)).containsExactly(1, 2, 4, 5, 6, 7, 8, 9);
    assertThat(live(id)).containsExactly(1, 2, 4, 6, 7, 8, 9);
  }

  @Test
  void a_number_is_never_used_again() {
    desk = deskWith(1);
    String id = desk.issue(KeySpec.forOwner("weather-app").lifetime(DAY));
    desk.pass(Duration.ofDays(1000)); // long enough to drop the only secret there was

    rotate(id, DAY);
    assertThat(numbers(id)).containsExactly(2);
    desk.pass(Duration.ofDays(1000));
    rotate(id, DAY);
    assertThat(numbers(id)).containsExactly(3);
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.administration.secrets().revoke(id, 2, Desk.LEAK))
        .withMessage("STATE_FORBIDS: the key has no secret with this number");
  }

  @Test
  void a_secret_that_there_never_was_cannot_be_revoked() {
    String id = desk.issue();

    for (int number : new int[] {0, -1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> desk.administration.secrets().revoke(id, number, Desk.LEAK))
          .extracting(KeyException::failure)
          .isEqualTo(Failure.STATE_FORBIDS);
    }
    assertThat(desk.record(id).revision()).isEqualTo(1);
  }

  @Test
  void a_revoked_secret_ends_alone_and_the_first_revocation_stays() {
    String id = desk.issue();
    rotate(id, DAY.multipliedBy(7));
    Instant first = desk.now.plus(DAY);
    desk.pass(DAY);

    KeyDetails details = desk.administration.secrets().revoke(id, 1, Desk.LEAK);

    assertThat(details.status()).isEqualTo(KeyDetails.Status.ACTIVE);
    assertThat(live(id)).containsExactly(2);
    desk.pass(DAY);
    assertThat(desk.administration.secrets().revoke(id, 1, Desk.LEAK).revision()).isEqualTo(3);
    assertThat(version(id, 1).revokedAt()).isEqualTo(first);
    assertThat(version(id, 2).revokedAt()).isNull();
  }

  @Test
  void a_key_whose_last_secret_was_revoked_has_expired_and_is_revived_by_its_host() {
    String id = desk.issue();
    desk.administration.secrets().revoke(id, 1, Desk.LEAK);
    assertThat(desk.details(id).status()).isEqualTo(KeyDetails.Status.EXPIRED);

    IssuedKey next = rotate(id, DAY);

    assertThat(next.details().status()).isEqualTo(KeyDetails.Status.ACTIVE);
    assertThat(live(id)).containsExactly(2);
    assertThat(version(id, 1).retiresAt()).isNull();
    assertThat(desk.audit(id)).hasSize(3).last().extracting("action").isEqualTo("rotate");
  }

  @ParameterizedTest
  @CsvSource({
    // kind,   maximum, replaced, asked,  lifetime of the next
    "service,  none,    usual,    none,   P90D",
    "service,  none,    P10D,     none,   P10D",
    "service,  none,    PT0.001S, none,   PT0.001S",
    "service,  none,    P36500D,  none,   P36500D",
    "service,  none,    never,    none,   never",
    "service,  none,    never,    P1D,    P1D",
    "service,  none,    P10D,     P400D,  P400D",
    "service,  none,    P10D,     never,  never",
    "service,  P30D,    P10D,     none,   P10D",
    "service,  P30D,    P30D,     none,   P30D",
    "service,  P30D,    P31D,     none,   P30D",
    "service,  P30D,    never,    none,   P30D",
    "service,  P30D,    P10D,     P30D,   P30D",
    "service,  P30D,    P10D,     P31D,   refused",
    "service,  P30D,    P10D,     never,  refused",
    "personal, none,    usual,    none,   P30D",
    "personal, none,    P10D,     none,   P10D",
    "personal, none,    P300D,    none,   P30D",
    "personal, none,    P10D,     P365D,  P365D",
    "personal, none,    P10D,     P366D,  refused",
    "personal, none,    P10D,     never,  refused"
  })
  void a_lifetime_is_inherited_as_its_kind_says(
      String kind, String maximum, String replaced, String asked, String next) {
    boolean personal = kind.equals("personal");
    KeySpec spec =
        personal ? KeySpec.personalToken("weather-app", "user-1") : KeySpec.forOwner("weather-app");
    String id = desk.issue(withLifetime(spec, replaced));
    desk.pass(MILLI);
    Desk limited = new Desk(desk.store, maximum(maximum));
    limited.now = desk.now;
    Rotation rotation = withLifetime(Rotation.usual(), asked);

    if (next.equals("refused")) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> limited.administration.secrets().rotate(id, rotation))
          .extracting(KeyException::failure)
          .isEqualTo(Failure.NOT_PERMITTED);
      assertThat(desk.record(id).revision()).isEqualTo(1);
      return;
    }
    for (int i = 0; i < 3; i++) { // the third inherits from the second
      limited.administration.secrets().rotate(id, rotation);
      assertThat(lifetime(desk.record(id).newest())).isEqualTo(next);
      limited.pass(MILLI);
    }
  }

  private static KeySpec withLifetime(KeySpec spec, String lifetime) {
    return switch (lifetime) {
      case "usual" -> spec;
      case "never" -> spec.neverExpires();
      default -> spec.lifetime(Duration.parse(lifetime));
    };
  }

  private static Rotation withLifetime(Rotation rotation, String lifetime) {
    return switch (lifetime) {
      case "none" -> rotation;
      case "never" -> rotation.neverExpires();
      default -> rotation.lifetime(Duration.parse(lifetime));
    };
  }

  private static String lifetime(SecretVersion version) {
    Instant end = version.expiresAt();
    if (end == null) {
      return "never";
    }
    Duration lifetime = Duration.between(version.createdAt(), end);
    return lifetime.toMillis() % DAY.toMillis() == 0
        ? "P" + lifetime.toDays() + "D"
        : lifetime.toString();
  }

  private static LifecycleSettings maximum(String maximum) {
    return new LifecycleSettings(
        Desk.PREFIXES,
        LifecycleSettings.DEFAULT_LIFETIME,
        maximum.equals("none") ? null : Duration.parse(maximum),
        LifecycleSettings.DEFAULT_PERSONAL_LIFETIME,
        LifecycleSettings.DEFAULT_PERSONAL_MAXIMUM,
        Integer.MAX_VALUE,
        RotationRules.USUAL);
  }

  @Test
  void a_token_that_was_extended_passes_the_usual_lifetime_on() {
    String id = desk.issue(KeySpec.personalToken("weather-app", "user-1"));
    desk.administration.extend(id, Duration.ofDays(300), Cause.unstated());

    rotate(id, DAY);

    assertThat(lifetime(desk.record(id).newest())).isEqualTo("P30D");
  }

  @ParameterizedTest
  @CsvSource({"none, none, P7D", "P1D,  none, P1D", "none, P2D,  P2D", "P1D,  P2D,  P1D"})
  void the_nearest_policy_says_the_usual_grace(String ofKey, String ofPlan, Duration grace) {
    Map<String, RotationPolicy> plans =
        ofPlan.equals("none")
            ? Map.of()
            : Map.of("pro", RotationPolicy.usual().grace(Duration.parse(ofPlan)));
    desk =
        new Desk(
            new InMemoryKeyStore(),
            Desk.rotation(new RotationRules(RotationPolicy.usual(), plans, 3, DAY)));
    KeySpec spec = KeySpec.forOwner("weather-app").plan("pro");
    String id =
        desk.issue(
            ofKey.equals("none")
                ? spec
                : spec.rotation(RotationPolicy.usual().grace(Duration.parse(ofKey))));

    desk.administration.secrets().rotate(id, Rotation.usual());
    assertThat(version(id, 1).retiresAt()).isEqualTo(desk.now.plus(grace));
    desk.administration.secrets().rotate(id, Rotation.usual().grace(Duration.ofHours(5)));
    assertThat(version(id, 2).retiresAt()).isEqualTo(desk.now.plusSeconds(18_000));
    desk.administration.secrets().rotate(id, Rotation.forced(RevocationReason.LEAKED));
    assertThat(live(id)).containsExactly(4);
  }

  @Test
  void the_lineage_says_why_each_secret_was_made() {
    String id = desk.issue(KeySpec.forOwner("weather-app").by("alice").note("first"));
    desk.administration.secrets().rotate(id, Rotation.usual().by("bob").note("every March"));
    desk.administration.secrets().rotate(id, Rotation.usual());
    Rotation forced = Rotation.forced(RevocationReason.SUSPICIOUS_ACTIVITY).by("carol");
    desk.administration.secrets().rotate(id, forced);
    desk.administration.secrets().rotate(id, forced.note("odd addresses"));

    assertThat(desk.details(id).secrets())
        .extracting(KeyDetails.SecretInfo::createdBy)
        .containsExactly("alice", "bob", null, "carol", "carol");
    assertThat(desk.details(id).secrets())
        .extracting(KeyDetails.SecretInfo::note)
        .containsExactly("first", "every March", null, "SUSPICIOUS_ACTIVITY", "odd addresses");
    assertThat(desk.audit(id))
        .extracting(AuditEntry::note)
        .as("the reason has a place of its own there")
        .containsExactly("first", "every March", null, null, "odd addresses");
    assertThat(desk.audit(id))
        .extracting(AuditEntry::reason)
        .containsExactly(null, null, null, "SUSPICIOUS_ACTIVITY", "SUSPICIOUS_ACTIVITY");
  }

  @Test
  void options_out_of_range_are_refused_and_the_message_names_the_option() {
    for (Duration grace :
        List.of(MILLI.negated(), Duration.ofDays(36_500).plusNanos(1), forever())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Rotation.withGrace(grace))
          .withMessage("grace: must be 0 to 36,500 days");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Rotation.usual().grace(grace))
          .withMessage("grace: must be 0 to 36,500 days");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> RotationPolicy.usual().grace(grace))
          .withMessage("grace: must be 0 to 36,500 days");
    }
    for (Duration age :
        List.of(Duration.ZERO, Duration.ofNanos(999_999), forever(), DAY.negated())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> RotationPolicy.usual().age(age))
          .withMessage("age: must be 1 ms to 36,500 days");
    }
    for (Duration lifetime : List.of(Duration.ZERO, Duration.ofNanos(999_999), DAY.negated())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Rotation.usual().lifetime(lifetime))
          .withMessage("lifetime: must be at least 1 ms");
    }
    Rotation longest = Rotation.usual().lifetime(forever());
    assertThat(desk.administration.secrets().rotate(desk.issue(), longest).details().expiresAt())
        .isEqualTo(Arguments.LATEST);
  }

  private static Duration forever() {
    return Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
  }
}
