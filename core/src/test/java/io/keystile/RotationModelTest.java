package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.KeyException.Failure;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random lives of keys, each step of which is held against a naive model, and against what must
 * hold whatever the model says. The clock moves both ways.
 */
class RotationModelTest {

  /** Lives of keys: 20,000 unless said otherwise. */
  private static final int LIVES = 40 * Threads.ROUNDS;

  private static final int LIVES_OF_TWINS = 2000;
  private static final int STEPS = 10;

  /** No end. */
  private static final long NEVER = Long.MAX_VALUE;

  private static final long DAY = Duration.ofDays(1).toMillis();

  private enum Step {
    ROTATE,
    ROTATE_SELF,
    REVOKE_SECRET,
    EXTEND,
    UPDATE,
    DISABLE,
    ENABLE,
    REVOKE
  }

  /** A secret of the model. */
  private static final class Secret {
    int number;
    long created;
    long expires = NEVER;
    long retires = NEVER;
    long revoked = NEVER;

    long end() {
      return Math.min(expires, Math.min(retires, revoked));
    }

    boolean isLive(long now) {
      return now < end();
    }

    boolean isSame(SecretVersion version) {
      return number == version.number()
          && created == version.createdAt().toEpochMilli()
          && expires == millis(version.expiresAt())
          && retires == millis(version.retiresAt())
          && revoked == millis(version.revokedAt());
    }
  }

  /** A key of the model: says what each step does, in the plainest words. */
  private static final class Model {
    final boolean personal;
    final int maxLive;
    State state = State.ACTIVE;
    long revision = 1;
    long endsAt = NEVER;
    List<Secret> secrets = new ArrayList<>();

    Model(boolean personal, int maxLive) {
      this.personal = personal;
      this.maxLive = maxLive;
    }

    Secret newest() {
      return secrets.get(secrets.size() - 1);
    }

    /** Whether it was done, and is no refusal. */
    boolean rotate(long grace, @Nullable Long lifetime, boolean byClient, long now) {
      boolean usable = newest().revoked == NEVER && newest().isLive(now);
      if (state != State.ACTIVE || now >= endsAt || (byClient && !usable)) {
        return false;
      }
      for (Secret secret : secrets) {
        if (secret.isLive(now)) {
          secret.retires = Math.min(secret.end(), now + grace);
        }
      }
      while (secrets.stream().filter(secret -> secret.isLive(now)).count() >= maxLive) {
        secrets.stream().filter(secret -> secret.isLive(now)).findFirst().orElseThrow().retires =
            now;
      }
      Secret next = new Secret();
      next.number = newest().number + 1;
      next.created = now;
      next.expires = expires(lifetime, now);
      secrets.removeIf(secret -> secret.end() <= now - 90 * DAY);
      while (secrets.size() > 7) {
        secrets.remove(
            secrets.stream().filter(secret -> !secret.isLive(now)).findFirst().orElseThrow());
      }
      secrets.add(next);
      revision++;
      return true;
    }

    private long expires(@Nullable Long lifetime, long now) {
      if (lifetime != null) {
        return now + lifetime;
      }
      if (newest().expires == NEVER) {
        return NEVER;
      }
      long same = newest().expires - newest().created;
      return now + (personal ? Math.min(30 * DAY, same) : same);
    }

    boolean revokeSecret(int number, long now) {
      if (state == State.REVOKED) {
        return false;
      }
      for (Secret secret : secrets) {
        if (secret.number == number) {
          if (secret.revoked == NEVER) {
            secret.revoked = now;
            revision++;
          }
          return true;
        }
      }
      return false;
    }

    boolean extend(long lifetime, long now) {
      boolean ended = !newest().isLive(now) || now >= endsAt;
      if (state != State.ACTIVE || !personal || ended) {
        return false;
      }
      if (now + lifetime > newest().created + 365 * DAY) {
        return false;
      }
      if (now + lifetime > newest().expires) {
        newest().expires = now + lifetime;
        revision++;
      }
      return true;
    }

    boolean update(long newEnd, long now) {
      if (state == State.REVOKED) {
        return false;
      }
      if (newEnd == endsAt) {
        return true;
      }
      long live = secrets.stream().mapToLong(Secret::end).max().orElseThrow();
      boolean ended = now >= Math.min(live, endsAt);
      if (newEnd <= now || (ended && now < Math.min(live, newEnd))) {
        return false;
      }
      endsAt = newEnd;
      revision++;
      return true;
    }

    boolean become(State next) {
      if (state == State.REVOKED) {
        return next == State.REVOKED;
      }
      if (state != next) {
        state = next;
        revision++;
      }
      return true;
    }

    @Nullable String difference(KeyRecord record) {
      boolean same =
          state == record.state()
              && revision == record.revision()
              && endsAt == millis(record.endsAt())
              && secrets.size() == record.versions().size();
      for (int i = 0; same && i < secrets.size(); i++) {
        same = secrets.get(i).isSame(record.versions().get(i));
      }
      return same ? null : "is not as the model says: " + record.versions().size() + " secrets";
    }
  }

  private static long millis(@Nullable Instant time) {
    return time == null ? NEVER : time.toEpochMilli();
  }

  /** What was ever known of a key: what must never be undone. */
  private static final class Memory {
    final Map<Integer, Long> ends = new HashMap<>();
    final Set<Integer> revoked = new HashSet<>();
    final Set<Integer> dropped = new HashSet<>();
    boolean isRevoked;
    long revision = 1;
    int newest;

    /** What is wrong now, if anything is; takes the record for known. */
    @Nullable String wrong(KeyRecord record, Step step, boolean done, int maxLive, Instant now) {
      List<Integer> numbers = record.versions().stream().map(SecretVersion::number).toList();
      long change = record.revision() - revision;
      if (change < 0 || change > (done ? 1 : 0)) {
        return "revision moved by " + change;
      }
      if (isRevoked && record.state() != State.REVOKED) {
        return "a revoked key came back";
      }
      for (SecretVersion version : record.versions()) {
        int number = version.number();
        long end = millis(version.end());
        if (dropped.contains(number)) {
          return "a dropped secret came back";
        }
        if (revoked.contains(number) && version.revokedAt() == null) {
          return "a revoked secret came back";
        }
        boolean mayGrow = step == Step.EXTEND && number == newest;
        if (end > ends.getOrDefault(number, NEVER) && !mayGrow) {
          return "an end moved away";
        }
      }
      int highest = numbers.get(numbers.size() - 1);
      boolean rotated = change == 1 && (step == Step.ROTATE || step == Step.ROTATE_SELF);
      if (highest != newest + (rotated ? 1 : 0)) {
        return "the newest is number " + highest;
      }
      long live = record.versions().stream().filter(v -> !Lifecycle.hasEnded(v.end(), now)).count();
      if (rotated && (live > maxLive || numbers.size() > 8)) {
        return live + " secrets work";
      }
      if (rotated && oldSecretOutlives(record, now)) {
        return "an old secret has no end";
      }
      learn(record, numbers);
      return null;
    }

    private boolean oldSecretOutlives(KeyRecord record, Instant now) {
      return record.versions().stream()
          .limit(record.versions().size() - 1)
          .anyMatch(v -> !Lifecycle.hasEnded(v.end(), now) && v.retiresAt() == null);
    }

    void learn(KeyRecord record, List<Integer> numbers) {
      for (int number : ends.keySet()) {
        if (!numbers.contains(number)) {
          dropped.add(number);
        }
      }
      for (SecretVersion version : record.versions()) {
        ends.put(version.number(), millis(version.end()));
        if (version.revokedAt() != null) {
          revoked.add(version.number());
        }
      }
      isRevoked = record.state() == State.REVOKED;
      revision = record.revision();
      newest = numbers.get(numbers.size() - 1);
    }
  }

  /** One life after the other, until something is wrong. */
  private static final class Lives {
    final SplittableRandom random;
    final BiFunction<KeyRecord, KeyRecord, KeyRecord> mistake;
    long steps;
    long changes;
    int dropped;
    int mostSecrets;
    String firstWrong = "";
    int wrong;
    Desk desk = new Desk();
    int maxLive = 3;

    Lives(SplittableRandom random, BiFunction<KeyRecord, KeyRecord, KeyRecord> mistake) {
      this.random = random;
      this.mistake = mistake;
    }

    Lives run(int lives) {
      for (int i = 0; i < lives; i++) {
        if (i % 200 == 0) {
          maxLive = List.of(1, 2, 3, 8).get(random.nextInt(4));
          RotationRules rules =
              new RotationRules(RotationPolicy.usual(), Map.of(), maxLive, Duration.ofHours(24));
          desk = new Desk(mistaken(), Desk.rotation(rules));
        }
        String problem = live();
        if (problem != null) {
          wrong++;
          firstWrong = firstWrong.isEmpty() ? problem : firstWrong;
        }
      }
      return this;
    }

    private KeyStore mistaken() {
      return new ForwardingKeyStore(new InMemoryKeyStore()) {
        @Override
        public WriteOutcome replace(KeyWrite write) {
          KeyRecord before = delegate.find(write.record().id()).orElseThrow().record();
          KeyRecord after = mistake.apply(before, write.record());
          return delegate.replace(new KeyWrite(after, write.entry()));
        }
      };
    }

    private @Nullable String live() {
      desk.now = Desk.START.plusMillis(random.nextLong(1000 * DAY));
      boolean personal = random.nextInt(4) == 0;
      KeySpec of = personal ? KeySpec.personalToken("o", "u") : KeySpec.forOwner("o");
      KeySpec spec = of.scopes("keys:rotate");
      if (!personal && random.nextInt(8) == 0) {
        spec = spec.neverExpires();
      } else if (random.nextBoolean()) {
        spec = spec.lifetime(Duration.ofMillis(1 + random.nextLong(100 * DAY)));
      }
      if (random.nextInt(4) == 0) {
        spec = spec.endsAt(desk.now.plusMillis(1 + random.nextLong(300 * DAY)));
      }
      String id = desk.issue(spec);
      KeyRecord record = desk.record(id);
      Model model = new Model(personal, maxLive);
      model.endsAt = millis(record.endsAt());
      Secret first = new Secret();
      first.number = 1;
      first.created = desk.now.toEpochMilli();
      first.expires = millis(record.newest().expiresAt());
      model.secrets.add(first);
      Memory memory = new Memory();
      memory.learn(record, List.of(1));
      for (int i = 0; i < STEPS; i++) {
        String problem = step(id, model, memory);
        if (problem != null) {
          return problem;
        }
      }
      dropped += memory.dropped.size();
      return null;
    }

    private @Nullable String step(String id, Model model, Memory memory) {
      moveClock(model);
      Step step = step();
      long revision = model.revision;
      boolean expected;
      boolean done;
      try {
        expected = act(step, id, model);
        done = true;
      } catch (Refused e) {
        expected = e.expected;
        done = false;
      }
      KeyRecord record = desk.record(id);
      steps++;
      changes += record.revision() - revision;
      mostSecrets = Math.max(mostSecrets, record.versions().size());
      if (expected != done) {
        return step + (done ? " was done" : " was refused");
      }
      String problem = memory.wrong(record, step, done, maxLive, desk.now);
      return problem != null ? step + ": " + problem : model.difference(record);
    }

    /** A refusal, with what the model said. */
    private static final class Refused extends RuntimeException {
      private static final long serialVersionUID = 1L;
      final boolean expected;

      Refused(boolean expected) {
        super(null, null, false, false);
        this.expected = expected;
      }
    }

    private Step step() {
      // a key that is revoked soon shows little
      int choice = random.nextInt(40);
      return choice == 0 ? Step.REVOKE : Step.values()[choice % (Step.values().length - 1)];
    }

    private void moveClock(Model model) {
      int choice = random.nextInt(10);
      if (choice == 0) {
        desk.now = desk.now.minusMillis(random.nextLong(2 * DAY));
      } else if (choice <= 2) { // to the very millisecond of an end, or near it
        Secret some = model.secrets.get(random.nextInt(model.secrets.size()));
        if (some.end() != NEVER) {
          desk.now = Instant.ofEpochMilli(some.end() + random.nextInt(3) - 1);
        }
      } else if (choice <= 7) {
        desk.now = desk.now.plusMillis(random.nextLong(1L << random.nextInt(1, 34)));
      }
    }

    /** Does it, and asks the model, which says whether it should have been done. */
    private boolean act(Step step, String id, Model model) {
      long now = desk.now.toEpochMilli();
      Administration verbs = desk.administration;
      Cause cause = Cause.unstated();
      long amount = 1 + random.nextLong(1L << random.nextInt(1, 35));
      switch (step) {
        case ROTATE -> {
          long grace = random.nextInt(3) == 0 ? 0 : amount;
          Long lifetime =
              random.nextInt(3) == 0 ? 1 + random.nextLong(model.personal ? DAY : 99 * DAY) : null;
          Rotation rotation = Rotation.withGrace(Duration.ofMillis(grace));
          Rotation asked =
              lifetime == null ? rotation : rotation.lifetime(Duration.ofMillis(lifetime));
          boolean expected = model.rotate(grace, lifetime, false, now);
          return refusedOr(expected, () -> verbs.secrets().rotate(id, asked));
        }
        case ROTATE_SELF -> {
          int presented = model.newest().number;
          ApiKey key = ApiKey.of(desk.record(id));
          boolean expected = model.rotate(DAY, null, true, now);
          Accepted proven = Internals.accepted(key, presented, NEVER);
          SelfRotation result = verbs.secrets().rotateSelf(proven, cause);
          if (result.issued() == null) {
            throw new Refused(expected);
          }
          return expected;
        }
        case REVOKE_SECRET -> {
          int number = Math.max(1, model.newest().number - random.nextInt(9));
          boolean expected = model.revokeSecret(number, now);
          return refusedOr(expected, () -> verbs.secrets().revoke(id, number, Desk.LEAK));
        }
        case EXTEND -> {
          boolean expected = model.extend(amount, now);
          return refusedOr(expected, () -> verbs.extend(id, Duration.ofMillis(amount), cause));
        }
        case UPDATE -> {
          boolean none = random.nextInt(3) == 0;
          boolean isPast = random.nextInt(8) == 0;
          long end = none ? NEVER : now + (isPast ? -amount : amount);
          KeyUpdate update =
              none ? KeyUpdate.of().noEnd() : KeyUpdate.of().endsAt(Instant.ofEpochMilli(end));
          boolean expected = model.update(end, now);
          return refusedOr(expected, () -> verbs.update(id, update));
        }
        case DISABLE -> {
          boolean expected = model.become(State.DISABLED);
          return refusedOr(expected, () -> verbs.disable(id, cause));
        }
        case ENABLE -> {
          boolean expected = model.become(State.ACTIVE);
          return refusedOr(expected, () -> verbs.enable(id, cause));
        }
        default -> {
          boolean expected = model.become(State.REVOKED);
          return refusedOr(expected, () -> verbs.revoke(id, Desk.LEAK));
        }
      }
    }

    private static boolean refusedOr(boolean expected, Runnable call) {
      try {
        call.run();
        return expected;
      } catch (KeyException e) {
        Set<Failure> refusals = Set.of(Failure.STATE_FORBIDS, Failure.NOT_PERMITTED);
        if (!refusals.contains(e.failure())) {
          throw e;
        }
        throw new Refused(expected);
      } catch (IllegalArgumentException e) { // an end in the past
        throw new Refused(expected);
      }
    }
  }

  @Test
  void random_lives_are_as_a_naive_model_says() {
    SplittableRandom random = Seed.of("random_lives_are_as_a_naive_model_says");

    Lives lives = new Lives(random, (before, after) -> after).run(LIVES);

    System.out.printf(
        "%,d lives, %,d steps, %,d changes, %,d secrets dropped, up to %d secrets: %d wrong %s%n",
        LIVES,
        lives.steps,
        lives.changes,
        lives.dropped,
        lives.mostSecrets,
        lives.wrong,
        lives.firstWrong);
    assertThat(lives.firstWrong).isEmpty();
    assertThat(lives.wrong).isZero();
    assertThat(lives.mostSecrets).isEqualTo(8);
    assertThat(lives.dropped).isPositive();
  }

  private static final Map<String, BiFunction<KeyRecord, KeyRecord, KeyRecord>> MISTAKES =
      Map.of(
          "retires the newest only", RotationModelTest::retiringTheNewestOnly,
          "forgets a revocation at the next rotation", RotationModelTest::unrevoking,
          "gives each old secret the new grace", RotationModelTest::prolonging,
          "numbers by how many there are", RotationModelTest::numberingByCount,
          "keeps ended secrets only while they fit", RotationModelTest::droppingTooSoon);

  private static boolean isRotation(KeyRecord before, KeyRecord after) {
    return after.newest().number() != before.newest().number();
  }

  private static KeyRecord retiringTheNewestOnly(KeyRecord before, KeyRecord after) {
    if (!isRotation(before, after)) {
      return after;
    }
    List<SecretVersion> versions = new ArrayList<>();
    for (SecretVersion version : after.versions()) {
      SecretVersion same =
          before.versions().stream()
              .filter(v -> v.number() == version.number() && v.end() != null)
              .filter(v -> v.number() != before.newest().number())
              .findFirst()
              .orElse(version);
      versions.add(same);
    }
    return after.toBuilder().versions(versions).build();
  }

  private static KeyRecord unrevoking(KeyRecord before, KeyRecord after) {
    if (!isRotation(before, after)) {
      return after;
    }
    List<SecretVersion> versions =
        after.versions().stream()
            .map(v -> v.expiresAt() == null ? v : copy(v, v.number(), v.retiresAt()))
            .toList();
    return after.toBuilder().versions(versions).build();
  }

  private static KeyRecord prolonging(KeyRecord before, KeyRecord after) {
    if (!isRotation(before, after) || after.versions().size() < 3) {
      return after;
    }
    Instant last = after.versions().get(after.versions().size() - 2).retiresAt();
    List<SecretVersion> versions =
        after.versions().stream()
            .map(v -> v.retiresAt() == null || last == null ? v : v.withRetiresAt(last))
            .toList();
    return after.toBuilder().versions(versions).build();
  }

  private static KeyRecord numberingByCount(KeyRecord before, KeyRecord after) {
    List<SecretVersion> versions = new ArrayList<>();
    for (SecretVersion version : after.versions()) {
      versions.add(copyNumbered(version, versions.size() + 1));
    }
    return after.toBuilder().versions(versions).build();
  }

  private static KeyRecord droppingTooSoon(KeyRecord before, KeyRecord after) {
    List<SecretVersion> versions = after.versions();
    return after.toBuilder()
        .versions(versions.subList(Math.max(0, versions.size() - 4), versions.size()))
        .build();
  }

  /** Not revoked, and as it was otherwise. */
  private static SecretVersion copy(SecretVersion v, int number, @Nullable Instant retiresAt) {
    return new SecretVersion(
        number,
        v.scheme(),
        v.pepperId(),
        v.hash(),
        v.lastFour(),
        v.createdAt(),
        v.createdBy(),
        v.note(),
        v.expiresAt(),
        retiresAt,
        null);
  }

  private static SecretVersion copyNumbered(SecretVersion v, int number) {
    SecretVersion copy = copy(v, number, v.retiresAt());
    return v.revokedAt() == null ? copy : copy.withRevokedAt(Objects.requireNonNull(v.revokedAt()));
  }

  @Test
  void each_planted_mistake_is_found() {
    SplittableRandom random = Seed.of("each_planted_mistake_is_found");
    new TreeMap<>(MISTAKES)
        .forEach( // in an order that the seed repeats
            (name, mistake) -> {
              Lives lives = new Lives(random.split(), mistake).run(LIVES_OF_TWINS);
              System.out.printf(
                  "What %s: %,d of %,d lives wrong, first: %s%n",
                  name, lives.wrong, LIVES_OF_TWINS, lives.firstWrong);
              assertThat(lives.wrong).as(name).isPositive();
            });
  }
}
