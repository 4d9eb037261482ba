package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.keystile.KeyException.Failure;
import io.keystile.store.KeyRecord;
import io.keystile.store.StoreException;
import io.keystile.store.StoreException.Kind;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdministrationFaultTest {

  private static final Duration DAY = Duration.ofDays(1);

  private final FaultyStore store = new FaultyStore();
  private final Desk desk = new Desk(store);

  /** A key that every verb changes. */
  private String keyFor(Verb verb) {
    String id = desk.issue(KeySpec.personalToken("weather-app", "user-1"));
    if (verb == Verb.ENABLE) {
      desk.administration.disable(id, Cause.unstated());
    }
    desk.changed.clear();
    return id;
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void a_change_whose_answer_was_lost_is_done_once(Verb verb) {
    for (boolean applied : List.of(true, false)) {
      for (String given : new String[] {null, "op " + applied}) {
        String id = keyFor(verb);
        KeyRecord before = desk.record(id);
        int entries = desk.audit(id).size();
        Cause cause = given == null ? Desk.ALICE : Desk.ALICE.operationId(given);
        store.fail(Kind.OUTCOME_UNKNOWN, applied, 1);

        OutcomeUnknownException lost =
            catchThrowableOfType(OutcomeUnknownException.class, () -> verb.run(desk, id, cause));

        assertThat(lost.failure()).isEqualTo(Failure.OUTCOME_UNKNOWN);
        assertThat(lost.operationId())
            .isEqualTo(given == null ? lost.operationId() : given)
            .isNotEmpty();
        assertThat(desk.changed).containsExactly(id);
        assertThat(desk.record(id).revision()).isEqualTo(before.revision() + (applied ? 1 : 0));

        for (int i = 0; i < 3; i++) {
          KeyDetails details = verb.run(desk, id, Desk.ALICE.operationId(lost.operationId()));
          assertThat(details.revision()).isEqualTo(before.revision() + 1);
        }
        assertThat(desk.audit(id)).hasSize(entries + 1);
        assertThat(desk.audit(id).get(entries).operationId()).isEqualTo(lost.operationId());
      }
    }
  }

  @Test
  void a_repeated_change_does_not_undo_what_came_after_it() {
    String id = desk.issue();
    Cause first = Desk.ALICE.operationId("op-1");
    store.fail(Kind.OUTCOME_UNKNOWN, true, 1);
    assertThatExceptionOfType(OutcomeUnknownException.class)
        .isThrownBy(() -> desk.administration.disable(id, first));
    desk.administration.enable(id, Desk.ALICE);

    assertThat(desk.administration.disable(id, first).status()).isEqualTo(KeyDetails.Status.ACTIVE);
    desk.administration.revoke(id, Desk.LEAK);
    assertThat(desk.administration.disable(id, first).status())
        .isEqualTo(KeyDetails.Status.REVOKED);
    assertThat(desk.record(id).revision()).isEqualTo(4);
  }

  @Test
  void a_repeated_call_is_answered_also_when_its_time_is_over() {
    Instant end = desk.now.plus(DAY);
    KeySpec spec = KeySpec.forOwner("weather-app").endsAt(end).operationId("op-1");
    KeyUpdate update = KeyUpdate.of().endsAt(end.minusMillis(1)).operationId("op-2");
    String id = desk.issue(spec);
    desk.administration.update(id, update);
    desk.administration.update(id, KeyUpdate.of().noEnd());
    desk.pass(DAY);

    assertThat(desk.administration.issue(spec).alreadyIssued()).isTrue();
    assertThat(desk.administration.issue(spec).id()).isEqualTo(id);
    assertThat(desk.administration.update(id, update).key().endsAt()).isNull();
    assertThat(desk.audit()).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void an_issue_whose_answer_was_lost_is_done_once(boolean applied) {
    KeySpec spec = KeySpec.forOwner("weather-app");
    store.fail(Kind.OUTCOME_UNKNOWN, applied, 1);

    OutcomeUnknownException lost =
        catchThrowableOfType(OutcomeUnknownException.class, () -> desk.administration.issue(spec));
    IssuedKey again = desk.administration.issue(spec.operationId(lost.operationId()));

    assertThat(again.alreadyIssued()).isEqualTo(applied);
    if (applied) {
      assertThatIllegalStateException().isThrownBy(again::revealToken);
      assertThat(again.toString()).contains("token=none");
      assertThat(desk.changed.get(0)).isEqualTo(again.id());
    } else {
      assertThat(TokenFormat.isWellFormed(again.revealToken())).isTrue();
    }
    IssuedKey third = desk.administration.issue(spec.operationId(lost.operationId()));
    assertThat(third.id()).isEqualTo(again.id());
    assertThat(third.alreadyIssued()).isTrue();
    assertThat(desk.administration.list(KeyQuery.all()).keys()).hasSize(1);
  }

  @Test
  void an_operation_id_names_one_verb_and_one_key() {
    KeySpec spec = KeySpec.forOwner("weather-app").operationId("42");
    String a = desk.issue(spec);
    String b = desk.issue();
    desk.administration.disable(b, Desk.ALICE.operationId("43"));

    for (ThrowingCallable other :
        List.<ThrowingCallable>of(
            () -> desk.administration.revoke(b, Desk.LEAK.operationId("42")),
            () -> desk.administration.revoke(a, Desk.LEAK.operationId("42")),
            () -> desk.administration.enable(b, Desk.ALICE.operationId("43")),
            () -> desk.administration.disable(a, Desk.ALICE.operationId("43")),
            () -> desk.issue(KeySpec.forOwner("other").operationId("42")),
            () -> desk.issue(KeySpec.forOwner("weather-app").operationId("43")))) {
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(other)
          .extracting(KeyException::failure)
          .isEqualTo(Failure.OPERATION_ID_REUSED);
    }
    assertThat(desk.details(a).status()).isEqualTo(KeyDetails.Status.ACTIVE);
    assertThat(desk.details(b).status()).isEqualTo(KeyDetails.Status.DISABLED);
    assertThat(desk.audit()).hasSize(3);
  }

  @Test
  void a_repeated_issue_of_a_purged_key_finds_none() {
    KeySpec spec = KeySpec.forOwner("weather-app").operationId("42");
    desk.administration.revoke(desk.issue(spec), Desk.LEAK);
    desk.pass(DAY);
    desk.administration.purge(Duration.ZERO, DAY.multipliedBy(9), Desk.ALICE);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.issue(spec))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.UNKNOWN_KEY);
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void a_store_that_is_away_is_said_to_be(Verb verb) {
    String id = keyFor(verb);
    KeyRecord before = desk.record(id);
    store.fail(Kind.UNAVAILABLE, false, 1);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> verb.run(desk, id, Desk.ALICE))
        .withMessage("STORE_UNAVAILABLE: the store is not available")
        .withCauseInstanceOf(StoreException.class)
        .extracting(KeyException::failure)
        .isEqualTo(Failure.STORE_UNAVAILABLE);
    assertThat(desk.record(id)).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void what_the_database_gave_up_is_tried_again(Verb verb) {
    String id = keyFor(verb);
    long revision = desk.record(id).revision();
    store.fail(Kind.CONFLICT, false, 2);

    assertThat(verb.run(desk, id, Desk.ALICE).revision()).isEqualTo(revision + 1);
    assertThat(store.faults).isZero();
  }

  @Test
  void an_issue_that_the_database_gave_up_is_tried_again() {
    store.fail(Kind.CONFLICT, false, 2);

    assertThat(desk.administration.issue(KeySpec.forOwner("weather-app")).alreadyIssued())
        .isFalse();
    assertThat(desk.audit()).hasSize(1);
  }

  @Test
  void what_the_database_gives_up_each_time_is_tried_three_times() {
    String id = desk.issue();
    store.fail(Kind.CONFLICT, false, Integer.MAX_VALUE);

    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            desk::issue,
            () -> desk.administration.revoke(id, Desk.LEAK),
            () -> desk.administration.purge(DAY, DAY, Desk.ALICE))) {
      store.writes = 0;
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(call)
          .withCauseInstanceOf(StoreException.class)
          .extracting(KeyException::failure)
          .isEqualTo(Failure.CONFLICT);
      assertThat(store.writes).isEqualTo(3);
    }
  }

  @Test
  void a_race_that_is_lost_each_time_has_an_end() {
    String id = desk.issue();
    store.writes = 0;
    store.losesRaces = true;

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.administration.revoke(id, Desk.LEAK))
        .withNoCause()
        .extracting(KeyException::failure)
        .isEqualTo(Failure.CONFLICT);
    assertThat(store.writes).isEqualTo(1000);
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void in_a_transaction_of_the_host_a_conflict_is_reported_at_once(Verb verb) {
    String id = keyFor(verb);
    store.inTransaction = true;
    store.writes = 0;
    store.fail(Kind.CONFLICT, false, 1);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> verb.run(desk, id, Desk.ALICE))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.CONFLICT);
    assertThat(store.writes).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void in_a_transaction_of_the_host_a_lost_race_is_reported_at_once(Verb verb) {
    String id = keyFor(verb);
    store.inTransaction = true;
    store.writes = 0;
    store.losesRaces = true;

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> verb.run(desk, id, Desk.ALICE))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.CONFLICT);
    assertThat(store.writes).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Verb.class)
  void in_a_transaction_of_the_host_nothing_is_forgotten_before_the_commit(Verb verb) {
    String id = keyFor(verb);
    store.inTransaction = true;

    verb.run(desk, id, Desk.ALICE);

    assertThat(desk.changed).isEmpty();
    store.atCommit.forEach(Runnable::run);
    assertThat(desk.changed).containsExactly(id);
  }

  @ParameterizedTest
  @CsvSource({"UNAVAILABLE, STORE_UNAVAILABLE", "OUTCOME_UNKNOWN, OUTCOME_UNKNOWN"})
  void a_purge_can_be_repeated(Kind kind, Failure failure) {
    String id = desk.issue();
    desk.administration.revoke(id, Desk.LEAK);
    desk.pass(DAY);
    desk.changed.clear();
    store.fail(kind, kind == Kind.OUTCOME_UNKNOWN, 1);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> desk.administration.purge(Duration.ZERO, DAY.multipliedBy(9), Desk.ALICE))
        .extracting(KeyException::failure)
        .isEqualTo(failure);
    desk.administration.purge(Duration.ZERO, DAY.multipliedBy(9), Desk.ALICE);

    assertThat(desk.administration.find(id)).isEmpty();
    assertThat(desk.changed).containsExactly(id);
    assertThat(desk.audit(id)).hasSize(3);
  }

  @Test
  void a_revocation_of_all_that_was_interrupted_can_be_repeated() {
    for (int i = 0; i < 10; i++) {
      desk.issue();
    }
    store.fail(Kind.OUTCOME_UNKNOWN, true, 1);

    assertThatExceptionOfType(OutcomeUnknownException.class)
        .isThrownBy(
            () -> desk.administration.revokeAll(KeyQuery.ofOwner("weather-app"), Desk.LEAK));
    assertThat(desk.administration.revokeAll(KeyQuery.ofOwner("weather-app"), Desk.LEAK))
        .isEqualTo(9);

    assertThat(desk.administration.list(KeyQuery.all()).keys())
        .allMatch(key -> key.status() == KeyDetails.Status.REVOKED && key.revision() == 2);
  }

  @Test
  void reads_say_that_the_store_is_away() {
    Desk away =
        new Desk(
            new ForwardingKeyStore(new InMemoryKeyStore()) {
              @Override
              public Optional<StoredKey> find(String keyId) {
                throw new StoreException(Kind.UNAVAILABLE, "planted", null);
              }
            });

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> away.administration.find("0351fcs8Bym6tbejfDMyAJ"))
        .extracting(KeyException::failure)
        .isEqualTo(Failure.STORE_UNAVAILABLE);
  }
}
