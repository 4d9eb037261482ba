package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.KeyDetails.Status;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a key is due, and that the query finds those that are and no others. */
class RotationDueTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final long DAY_MILLIS = DAY.toMillis();

  private static RotationPolicy policy(String grace, String age) {
    RotationPolicy policy = RotationPolicy.usual().grace(Duration.parse(grace));
    return age.equals("-") ? policy : policy.age(Duration.parse(age));
  }

  @ParameterizedTest
  @CsvSource({
    // lifetime,  fixed end, grace,    age,       due
    "P90D,        -,         P7D,      -,         P83D", // all defaults
    "P90D,        -,         P14D,     -,         P76D",
    "P90D,        -,         P45D,     -,         P45D",
    "P90D,        -,         P46D,     -,         P45D", // not before half of the lifetime
    "P90D,        -,         P36500D,  -,         P45D",
    "P90D,        -,         PT0S,     -,         P90D",
    "P90D,        -,         PT0.001S, -,         P89DT23H59M59.999S",
    "PT0.001S,    -,         P7D,      -,         PT0S",
    "PT0.003S,    -,         P7D,      -,         PT0.001S",
    "PT1H,        -,         P7D,      -,         PT30M",
    "P90D,        -,         P7D,      P60D,      P60D",
    "P90D,        -,         P7D,      P83D,      P83D",
    "P90D,        -,         P7D,      P100D,     P83D",
    "P90D,        -,         P7D,      PT0.001S,  PT0.001S",
    "never,       -,         P7D,      -,         -",
    "never,       -,         P7D,      P60D,      P60D",
    "P90D,        P91D,      P7D,      -,         P83D",
    "P90D,        P90D,      P7D,      -,         -", // no rotation moves the fixed end
    "P90D,        P30D,      P7D,      -,         -",
    "never,       P30D,      P7D,      -,         -",
    "never,       P30D,      P7D,      P29D,      P29D",
    "never,       P30D,      P7D,      P30D,      -",
    "never,       P30D,      P7D,      P31D,      -",
    "P2900000D,   -,         P36500D,  -,         P2863500D",
    "P2900000D,   -,         P7D,      P36500D,   P36500D"
  })
  void a_key_is_due_one_grace_before_its_end_or_at_its_age(
      String lifetime, String end, String grace, String age, String due) {
    Desk desk = new Desk();
    KeySpec spec = KeySpec.forOwner("weather-app").rotation(policy(grace, age));
    spec = lifetime.equals("never") ? spec.neverExpires() : spec.lifetime(Duration.parse(lifetime));
    spec = end.equals("-") ? spec : spec.endsAt(desk.now.plus(Duration.parse(end)));

    KeyDetails details = desk.details(desk.issue(spec));

    Instant expected = due.equals("-") ? null : desk.now.plus(Duration.parse(due));
    assertThat(details.rotationDueAt()).isEqualTo(expected);
    if (expected != null) {
      for (int millis = -1; millis <= 1; millis++) {
        desk.now = expected.plusMillis(millis);
        boolean works = desk.details(details.id()).status() == Status.ACTIVE;
        assertThat(due(desk, KeyQuery.all(), 10)).hasSize(works && millis >= 0 ? 1 : 0);
      }
    }
  }

  @Test
  void a_key_whose_newest_secret_was_revoked_is_due_from_then_on() {
    Desk desk = new Desk();
    String id = desk.issue();
    desk.pass(DAY);
    desk.administration.secrets().rotate(id, Rotation.usual());
    desk.administration.secrets().revoke(id, 1, Desk.LEAK);
    assertThat(due(desk, KeyQuery.all(), 10)).isEmpty();
    String other = desk.issue();
    desk.administration.secrets().rotate(other, Rotation.usual());

    KeyDetails details = desk.administration.secrets().revoke(other, 2, Desk.LEAK);

    assertThat(details.rotationDueAt()).isEqualTo(desk.now);
    assertThat(due(desk, KeyQuery.all(), 10)).containsExactly(other);
    desk.administration.secrets().rotate(other, Rotation.usual());
    assertThat(due(desk, KeyQuery.all(), 10)).isEmpty();
  }

  @Test
  void a_client_is_told_from_when_its_key_is_due() {
    try (Nodes nodes = new Nodes(new InMemoryKeyStore())) {
      ApiKeys keys = nodes.node();
      Instant start = nodes.time.instant();
      String defaults = keys.issue(KeySpec.forOwner("o")).revealToken();
      KeySpec aged = KeySpec.forOwner("o").rotation(RotationPolicy.usual().age(DAY));
      String old = keys.issue(aged).revealToken();
      KeySpec ending = KeySpec.forOwner("o").endsAt(start.plus(DAY.multipliedBy(90)));
      String fixed = keys.issue(ending).revealToken();

      assertThat(rotateBy(keys, old)).isNull();
      nodes.time.set(start.plus(DAY).minusMillis(1));
      assertThat(rotateBy(keys, old)).isNull();
      nodes.time.set(start.plus(DAY));
      assertThat(rotateBy(keys, old)).isEqualTo(start.plus(DAY.multipliedBy(8)));
      nodes.time.set(start.plus(DAY.multipliedBy(83)).minusMillis(1));
      assertThat(rotateBy(keys, defaults)).isNull();
      nodes.time.set(start.plus(DAY.multipliedBy(83)));
      assertThat(rotateBy(keys, defaults)).isEqualTo(start.plus(DAY.multipliedBy(90)));
      assertThat(rotateBy(keys, old)).as("it is past").isBefore(nodes.time.instant());
      assertThat(rotateBy(keys, fixed)).as("nothing moves its end").isNull();

      String next = keys.rotate(Nodes.idOf(defaults), Rotation.withGrace(DAY)).revealToken();
      assertThat(rotateBy(keys, defaults)).isEqualTo(nodes.time.instant().plus(DAY));
      assertThat(rotateBy(keys, next)).isNull();
      keys.revokeSecret(Nodes.idOf(defaults), 2, Desk.LEAK);
      assertThat(rotateBy(keys, defaults)).isEqualTo(nodes.time.instant().plus(DAY));
    }
  }

  private static @Nullable Instant rotateBy(ApiKeys keys, String token) {
    return ((Accepted) keys.validate(token, Nodes.ANY, Nodes.HERE)).rotateBy();
  }

  @Test
  void to_be_due_is_no_reason_to_revoke() {
    Desk desk = new Desk();
    String id = desk.issue();
    desk.pass(Duration.ofDays(83));

    for (KeyQuery query :
        List.of(KeyQuery.all().rotationDue(), KeyQuery.ofOwner("weather-app").rotationDue())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> desk.administration.revokeAll(query, Desk.LEAK))
          .withMessage("rotationDue: is for lists only");
    }
    assertThat(desk.details(id).status()).isEqualTo(Status.ACTIVE);
  }

  // --- against a plain look at every key ---

  private static final RotationPolicy USUAL = policy("P7D", "-");

  /** More than the usual grace, less, none, an age, and the extremes. */
  private static final Map<String, RotationPolicy> OF_PLANS =
      Map.of(
          "patient", policy("P60D", "-"),
          "hasty", policy("PT1H", "-"),
          "hard", policy("PT0S", "-"),
          "strict", policy("P1D", "P10D"),
          "odd", policy("P36500D", "P36500D"));

  private static final List<RotationPolicy> OF_KEYS =
      List.of(
          policy("P200D", "-"),
          policy("PT0S", "PT1H"),
          policy("P3D", "P400D"),
          policy("PT0.001S", "PT0.001S"),
          policy("P36500D", "-"));

  private static final List<String> PLANS =
      List.of("", "unknown", "patient", "hasty", "hard", "strict", "odd");

  /** Keys of all sorts, made at all sorts of times. */
  private static Desk deskOfAllSorts(SplittableRandom random, int count) {
    RotationRules rules = new RotationRules(USUAL, OF_PLANS, 3, DAY);
    Desk desk = new Desk(new InMemoryKeyStore(), Desk.rotation(rules));
    for (int i = 0; i < count; i++) {
      desk.now = Desk.START.plusMillis(random.nextLong(200 * DAY_MILLIS));
      String owner = "owner-" + random.nextInt(3);
      boolean personal = random.nextInt(5) == 0;
      KeySpec spec = personal ? KeySpec.personalToken(owner, "user") : KeySpec.forOwner(owner);
      int lifetime = random.nextInt(4);
      if (lifetime == 0 && !personal) {
        spec = spec.neverExpires();
      } else if (lifetime <= 2) {
        spec = spec.lifetime(Duration.ofMillis(1 + random.nextLong(1L << random.nextInt(1, 34))));
      }
      String plan = PLANS.get(random.nextInt(PLANS.size()));
      spec = plan.isEmpty() ? spec : spec.plan(plan);
      if (random.nextInt(4) == 0) {
        spec = spec.rotation(OF_KEYS.get(random.nextInt(OF_KEYS.size())));
      }
      if (random.nextInt(5) == 0) {
        spec = spec.endsAt(desk.now.plusMillis(1 + random.nextLong(100 * DAY_MILLIS)));
      }
      happen(desk, desk.issue(spec), random);
    }
    return desk;
  }

  private static void happen(Desk desk, String id, SplittableRandom random) {
    Rotator secrets = desk.administration.secrets();
    for (int i = random.nextInt(4); i > 0; i--) {
      desk.pass(Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 33))));
      try {
        secrets.rotate(id, Rotation.usual());
      } catch (KeyException e) {
        assertThat(e.failure()).isEqualTo(KeyException.Failure.STATE_FORBIDS);
      }
    }
    int newest = desk.record(id).newest().number();
    switch (random.nextInt(20)) {
      case 0 -> desk.administration.disable(id, Cause.unstated());
      case 1 -> desk.administration.revoke(id, Desk.LEAK);
      case 2, 3 -> secrets.revoke(id, newest, Desk.LEAK);
      default -> {}
    }
  }

  private static List<KeyRecord> all(Desk desk) {
    List<KeyRecord> all = new ArrayList<>();
    String after = null;
    List<StoredKey> page;
    do {
      page = desk.store.list(KeyFilter.all(), after, 1000);
      page.forEach(key -> all.add(key.record()));
      after = all.get(all.size() - 1).id();
    } while (page.size() == 1000);
    return all;
  }

  /** All the moments at which a key becomes due for one reason or another, by the plain rules. */
  private static List<Instant> moments(KeyRecord record) {
    RotationPolicy policy = OF_PLANS.getOrDefault(String.valueOf(record.plan()), USUAL);
    if (record.rotation() != null) {
      policy = RotationPolicy.of(record.rotation());
    }
    SecretVersion newest = record.newest();
    List<Instant> moments = new ArrayList<>();
    Instant end = newest.expiresAt();
    if (end != null && (record.endsAt() == null || end.isBefore(record.endsAt()))) {
      long made = newest.createdAt().toEpochMilli();
      long half = made + (end.toEpochMilli() - made) / 2;
      moments.add(
          Instant.ofEpochMilli(Math.max(half, end.toEpochMilli() - policy.grace().toMillis())));
    }
    if (policy.age() != null) {
      moments.add(newest.createdAt().plus(policy.age()));
    }
    if (newest.revokedAt() != null) {
      moments.add(newest.revokedAt());
    }
    return moments;
  }

  private static boolean isDue(KeyRecord record, Instant now) {
    return record.state() == State.ACTIVE
        && (record.liveUntil() == null || now.isBefore(record.liveUntil()))
        && moments(record).stream().anyMatch(moment -> !now.isBefore(moment));
  }

  private static List<String> due(Desk desk, KeyQuery query, int limit) {
    List<String> ids = new ArrayList<>();
    KeyQuery next = query.rotationDue().limit(limit);
    while (true) {
      KeyPage page = desk.administration.list(next);
      assertThat(page.keys()).hasSizeLessThanOrEqualTo(limit);
      page.keys().forEach(key -> ids.add(key.id()));
      if (page.next() == null) {
        return ids;
      }
      next = next.after(page.next());
    }
  }

  /** What does not tell the store of the plans: it asks for those that the host's rule may find. */
  private static int dueByTheUsualRuleAlone(Desk desk) {
    RotationRules alone = new RotationRules(USUAL, Map.of(), 3, DAY);
    KeyFilter filter =
        KeyFilter.builder()
            .states(Set.of(State.ACTIVE))
            .liveAfter(desk.now)
            .due(alone.due(desk.now))
            .build();
    int found = 0;
    String after = null;
    List<StoredKey> page;
    do {
      page = desk.store.list(filter, after, 1000);
      for (StoredKey key : page) {
        after = key.record().id();
        found += isDue(key.record(), desk.now) ? 1 : 0;
      }
    } while (page.size() == 1000);
    return found;
  }

  @Test
  void the_query_finds_what_a_look_at_every_key_finds() {
    SplittableRandom random = Seed.of("the_query_finds_what_a_look_at_every_key_finds");
    int count = 3000;
    int asked = 60;
    Desk desk = deskOfAllSorts(random, count);
    List<KeyRecord> records = all(desk);
    List<Instant> moments = records.stream().flatMap(r -> moments(r).stream()).toList();
    int found = 0;
    int missedByTwin = 0;
    for (int i = 0; i < asked; i++) {
      Instant moment = moments.get(random.nextInt(moments.size()));
      desk.now =
          i % 4 == 3
              ? Desk.START.plusMillis(random.nextLong(400 * DAY_MILLIS))
              : moment.plusMillis(i % 4 - 1);
      List<String> expected =
          records.stream().filter(r -> isDue(r, desk.now)).map(KeyRecord::id).toList();

      assertThat(due(desk, KeyQuery.all(), 1000)).isEqualTo(expected);
      int limit = i % 6 == 0 ? 1 : 1 + random.nextInt(300);
      assertThat(due(desk, KeyQuery.all(), limit)).isEqualTo(expected);
      assertThat(due(desk, KeyQuery.ofOwner("owner-1"), 7))
          .isEqualTo(
              records.stream()
                  .filter(r -> r.owner().equals("owner-1") && isDue(r, desk.now))
                  .map(KeyRecord::id)
                  .toList());
      found += expected.size();
      missedByTwin += expected.size() - dueByTheUsualRuleAlone(desk);
    }

    System.out.printf(
        "%d keys asked at %d times: %,d due, all found; by the host's rule alone %,d missed%n",
        count, asked, found, missedByTwin);
    assertThat(found).isPositive();
    assertThat(missedByTwin).isPositive();
  }

  @Test
  void with_a_status_the_query_asks_about_keys_of_that_status() {
    SplittableRandom random = Seed.of("with_a_status_the_query_asks_about_keys_of_that_status");
    Desk desk = deskOfAllSorts(random, 1000);
    desk.now = Desk.START.plus(DAY.multipliedBy(150));
    Map<Status, Integer> found = new HashMap<>();
    for (Status status : Status.values()) {
      List<String> expected = new ArrayList<>();
      for (KeyRecord record : all(desk)) {
        KeyDetails details = desk.details(record.id());
        boolean isAsked =
            details.status() == status
                || (status == Status.ACTIVE && details.status() == Status.ROTATING);
        Instant first = moments(record).stream().min(Instant::compareTo).orElse(null);
        boolean isDue = first != null && !desk.now.isBefore(first);
        boolean isTooLate =
            first != null && record.endsAt() != null && !first.isBefore(record.endsAt());
        if (isAsked && isDue && !isTooLate) {
          expected.add(record.id());
        }
      }
      assertThat(due(desk, KeyQuery.all().status(status), 50)).isEqualTo(expected);
      found.put(status, expected.size());
    }
    System.out.println("Due by status: " + found);
    assertThat(found.values()).doesNotContain(0);
  }

  @Test
  void a_small_page_does_not_ask_the_store_for_each_key() {
    int[] calls = new int[1];
    ForwardingKeyStore counting =
        new ForwardingKeyStore(new InMemoryKeyStore()) {
          @Override
          public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
            calls[0]++;
            return super.list(filter, after, limit);
          }
        };
    Desk desk = new Desk(counting);
    for (int i = 0; i < 1000; i++) { // with rules of their own, by which they are not due
      desk.issue(KeySpec.forOwner("weather-app").rotation(RotationPolicy.usual()));
    }

    assertThat(due(desk, KeyQuery.all(), 1)).isEmpty();

    assertThat(calls[0]).isLessThanOrEqualTo(6);
  }
}
