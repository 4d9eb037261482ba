package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.keystile.KeyException.Failure;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoreException.Kind;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rotations and revocations of secrets can be repeated when their answer was lost. */
class RotationRetryTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Rotation NAMED = Rotation.withGrace(DAY).operationId("op-1");

  private final FaultyStore store = new FaultyStore();
  private final Desk desk = new Desk(store);
  private final Rotator secrets = desk.administration.secrets();
  private final Threads threads = new Threads();

  @AfterEach
  void close() {
    threads.close();
  }

  /** A store that forgets to ask for the operation id. */
  private static final class ForgetfulStore extends ForwardingKeyStore {
    private final AtomicInteger calls = new AtomicInteger();

    ForgetfulStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      AuditEntry entry = write.entry();
      AuditEntry unnamed =
          new AuditEntry(
              0,
              "call " + calls.incrementAndGet(),
              entry.action(),
              entry.keyId(),
              entry.owner(),
              entry.secretVersion(),
              entry.at(),
              entry.actor(),
              entry.reason(),
              entry.note(),
              entry.before(),
              entry.after());
      return super.replace(new KeyWrite(write.record(), unnamed));
    }
  }

  @Test
  void of_64_rotations_with_one_operation_id_one_hands_out_a_secret() throws Exception {
    int rounds = Math.max(100, Threads.ROUNDS / 5);
    int wrong = rotationsThatWereNotOne(new InMemoryKeyStore(), rounds);
    int wrongOfTwin = rotationsThatWereNotOne(new ForgetfulStore(), 5);

    System.out.printf(
        "%d rounds of 64 rotations with one id: %d wrong; without the check %d of 5%n",
        rounds, wrong, wrongOfTwin);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private int rotationsThatWereNotOne(KeyStore store, int rounds) throws Exception {
    Desk desk = new Desk(store);
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      String id = desk.issue();
      Rotation rotation = Rotation.usual().operationId("op-" + round);
      Callable<String> call =
          () -> {
            try {
              IssuedKey issued = desk.administration.secrets().rotate(id, rotation);
              return issued.secretVersion() + (issued.alreadyIssued() ? "" : " with token");
            } catch (KeyException e) {
              return e.failure().name();
            }
          };
      List<String> answers = threads.race(Collections.nCopies(64, call));
      boolean isRight =
          Collections.frequency(answers, "2 with token") == 1
              && Collections.frequency(answers, "2") == 63
              && desk.record(id).versions().size() == 2
              && desk.audit(id).size() == 2;
      wrong += isRight ? 0 : 1;
    }
    return wrong;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_rotation_whose_answer_was_lost_makes_one_secret(boolean applied) {
    for (Rotation rotation : List.of(NAMED, NAMED.replacing(1), Rotation.usual())) {
      Rotation named = rotation == NAMED ? NAMED : rotation.operationId("op of " + rotation);
      String id = desk.issue();
      store.fail(Kind.OUTCOME_UNKNOWN, applied, 1);

      OutcomeUnknownException lost =
          catchThrowableOfType(OutcomeUnknownException.class, () -> secrets.rotate(id, named));
      IssuedKey again = secrets.rotate(id, named.operationId(lost.operationId()));

      assertThat(again.secretVersion()).isEqualTo(2);
      assertThat(again.alreadyIssued()).isEqualTo(applied);
      if (applied) {
        assertThatIllegalStateException().isThrownBy(again::revealToken);
      } else {
        assertThat(again.revealToken()).contains(id);
      }
      IssuedKey third = secrets.rotate(id, named.operationId(lost.operationId()));
      assertThat(third.alreadyIssued()).isTrue();
      assertThat(third.secretVersion()).isEqualTo(2);
      assertThat(desk.record(id).versions()).hasSize(2);
      assertThat(desk.audit(id)).hasSize(2);
    }
  }

  @Test
  void a_lost_answer_without_an_id_names_the_one_to_repeat_with() {
    String id = desk.issue();
    store.fail(Kind.OUTCOME_UNKNOWN, true, 1);

    OutcomeUnknownException lost =
        catchThrowableOfType(
            OutcomeUnknownException.class, () -> secrets.rotate(id, Rotation.usual()));

    IssuedKey again = secrets.rotate(id, Rotation.usual().operationId(lost.operationId()));
    assertThat(again.alreadyIssued()).isTrue();
    assertThat(again.secretVersion()).isEqualTo(2);
    assertThat(desk.audit(id).get(1).operationId()).isEqualTo(lost.operationId());
  }

  @Test
  void a_repeated_rotation_says_which_secret_it_made_whatever_came_after_it() {
    String id = desk.issue();
    secrets.rotate(id, NAMED);
    secrets.rotate(id, Rotation.withGrace(DAY));
    assertRepeated(id, 3);
    desk.administration.disable(id, Cause.unstated());
    assertRepeated(id, 3);
    desk.administration.enable(id, Cause.unstated());
    for (int i = 0; i < 8; i++) { // until the key has dropped what it made
      secrets.rotate(id, Rotation.withGrace(Duration.ZERO));
    }
    assertThat(desk.record(id).versions().get(0).number()).isGreaterThan(2);
    assertRepeated(id, 11);
    desk.administration.revoke(id, Desk.LEAK);
    assertRepeated(id, 11);
  }

  private void assertRepeated(String id, int newest) {
    long revision = desk.record(id).revision();

    IssuedKey again = secrets.rotate(id, NAMED);

    assertThat(again.alreadyIssued()).isTrue();
    assertThat(again.secretVersion()).isEqualTo(2);
    assertThat(again.details().newestSecret().number()).isEqualTo(newest);
    assertThat(desk.record(id).revision()).isEqualTo(revision);
  }

  @Test
  void an_operation_id_names_one_verb_one_key_and_one_secret() {
    String a = desk.issue(KeySpec.forOwner("weather-app").operationId("issue"));
    String b = desk.issue();
    secrets.rotate(a, Rotation.withGrace(DAY).operationId("rotate"));
    secrets.revoke(a, 1, Desk.LEAK.operationId("secret"));
    int entries = desk.audit().size();
    KeyRecord first = desk.record(a);
    KeyRecord second = desk.record(b);

    List<ThrowingCallable> others = new ArrayList<>();
    for (String id : List.of("issue", "secret")) {
      others.add(() -> secrets.rotate(a, Rotation.usual().operationId(id)));
      others.add(() -> secrets.rotate(b, Rotation.usual().operationId(id)));
    }
    others.add(() -> secrets.rotate(b, Rotation.usual().operationId("rotate")));
    for (String id : List.of("issue", "rotate")) {
      others.add(() -> secrets.revoke(a, 1, Desk.LEAK.operationId(id))); // is revoked already
      others.add(() -> secrets.revoke(a, 2, Desk.LEAK.operationId(id)));
      others.add(() -> secrets.revoke(a, 9, Desk.LEAK.operationId(id))); // there is none
    }
    others.add(() -> secrets.revoke(a, 2, Desk.LEAK.operationId("secret")));
    others.add(() -> secrets.revoke(b, 1, Desk.LEAK.operationId("secret")));
    for (String id : List.of("issue", "rotate", "secret")) {
      others.add(() -> desk.administration.revoke(a, Desk.LEAK.operationId(id)));
      others.add(() -> desk.administration.revoke(b, Desk.LEAK.operationId(id)));
      others.add(() -> desk.administration.enable(a, Cause.unstated().operationId(id))); // it is
    }
    for (ThrowingCallable other : others) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(other)
          .extracting(KeyException::failure)
          .isEqualTo(Failure.OPERATION_ID_REUSED);
    }
    assertThat(others).hasSize(22);
    assertThat(desk.record(a)).isEqualTo(first);
    assertThat(desk.record(b)).isEqualTo(second);
    assertThat(desk.audit()).hasSize(entries);
    assertThat(desk.alerts).containsExactly(a + " LEAKED");
  }

  @Test
  void operation_ids_of_host_owner_and_client_are_apart() {
    String id = desk.issue(KeySpec.forOwner("weather-app").scopes("keys:rotate"));
    OwnerKeys owner = OwnerKeys.of(() -> desk.administration, Desk::noUsage, "weather-app");
    // what an owner would have to be called to be taken for the key
    OwnerKeys impostor = OwnerKeys.of(() -> desk.administration, Desk::noUsage, id);
    String other = desk.issue(KeySpec.forOwner(id));

    assertThat(secrets.rotate(id, NAMED).secretVersion()).isEqualTo(2);
    assertThat(owner.rotate(id, NAMED).secretVersion()).isEqualTo(3);
    assertThat(rotateSelf(id, 3).secretVersion()).isEqualTo(4);
    assertThat(impostor.rotate(other, NAMED).alreadyIssued()).isFalse();
    for (int i = 0; i < 2; i++) {
      assertThat(secrets.rotate(id, NAMED).secretVersion()).isEqualTo(2);
      assertThat(owner.rotate(id, NAMED).secretVersion()).isEqualTo(3);
      assertThat(rotateSelf(id, 3).secretVersion()).isEqualTo(4);
      assertThat(rotateSelf(id, 3).alreadyIssued()).isTrue();
    }
    assertThat(desk.record(id).versions()).hasSize(4);
    assertThat(desk.audit())
        .extracting(entry -> entry.operationId().replaceAll("[0-9a-f]{64}", "…"))
        .contains("op-1", "owner:…", "key:…");
  }

  private IssuedKey rotateSelf(String id, int presented) {
    Accepted proven = Internals.accepted(ApiKey.of(desk.record(id)), presented, Long.MAX_VALUE);
    return Objects.requireNonNull(
        secrets.rotateSelf(proven, Cause.unstated().operationId("op-1")).issued());
  }

  @Test
  void two_rotations_at_once_make_one_secret_and_the_other_is_told() {
    String id = desk.issue();
    KeyStore interrupted =
        new ForwardingKeyStore(store) {
          private boolean isFirst = true;

          @Override
          public WriteOutcome replace(KeyWrite write) {
            if (isFirst) {
              isFirst = false;
              secrets.rotate(id, Rotation.usual());
            }
            return super.replace(write);
          }
        };

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(
            () -> new Desk(interrupted).administration.secrets().rotate(id, Rotation.usual()))
        .withMessage("CONFLICT: the secret was replaced already");
    assertThat(desk.record(id).versions()).hasSize(2);
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> secrets.rotate(id, Rotation.usual().replacing(1)))
        .withMessage("CONFLICT: the secret was replaced already");
    assertThat(secrets.rotate(id, Rotation.usual().replacing(2)).secretVersion()).isEqualTo(3);
  }
}
