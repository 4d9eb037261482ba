package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoreException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The host hears of what somebody should look into: after it is done, and of nothing else. */
class AlertTest {
  private static final Set<RevocationReason> ALARMING =
      Set.of(
          RevocationReason.SUSPICIOUS_ACTIVITY,
          RevocationReason.SECURITY_BREACH,
          RevocationReason.LEAKED);

  /** What takes a reason. */
  private enum Alarm {
    REVOKE {
      @Override
      void raise(Desk desk, String id, RevocationReason reason, String operationId) {
        desk.administration.revoke(id, revocation(reason, operationId));
      }
    },
    REVOKE_ALL {
      @Override
      void raise(Desk desk, String id, RevocationReason reason, String operationId) {
        String owner = desk.record(id).owner();
        desk.administration.revokeAll(KeyQuery.ofOwner(owner), revocation(reason, operationId));
      }
    },
    REVOKE_SECRET {
      @Override
      void raise(Desk desk, String id, RevocationReason reason, String operationId) {
        desk.administration.secrets().revoke(id, 1, revocation(reason, operationId));
      }
    },
    ROTATE {
      @Override
      void raise(Desk desk, String id, RevocationReason reason, String operationId) {
        desk.administration.secrets().rotate(id, Rotation.forced(reason).operationId(operationId));
      }
    };

    abstract void raise(Desk desk, String id, RevocationReason reason, String operationId);

    static Revocation revocation(RevocationReason reason, String operationId) {
      return Revocation.because(reason).operationId(operationId);
    }
  }

  @ParameterizedTest
  @EnumSource(Alarm.class)
  void there_are_three_reasons_to_look_into_a_key(Alarm alarm) {
    for (RevocationReason reason : RevocationReason.values()) {
      Desk desk = new Desk();
      String id = desk.issue();

      alarm.raise(desk, id, reason, "op-1");

      List<String> expected = ALARMING.contains(reason) ? List.of(id + " " + reason) : List.of();
      assertThat(desk.alerts).isEqualTo(expected);
    }
  }

  @Test
  void the_three_are_the_ones_that_the_listener_is_promised() {
    assertThat(Arrays.stream(RevocationReason.values()).filter(ALARMING::contains)).hasSize(3);
    assertThat(RevocationReason.values()).hasSizeGreaterThan(3);
  }

  @Test
  void each_key_of_many_has_an_alert_of_its_own() {
    Desk desk = new Desk();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      expected.add(desk.issue() + " SECURITY_BREACH");
    }
    desk.issue(KeySpec.forOwner("other"));

    desk.administration.revokeAll(
        KeyQuery.ofOwner("weather-app"), Revocation.because(RevocationReason.SECURITY_BREACH));

    assertThat(desk.alerts).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void what_was_done_by_somebody_else_or_for_no_such_reason_raises_none() {
    Desk desk = new Desk();
    String id = desk.issue();
    desk.administration.secrets().rotate(id, Rotation.usual());
    desk.administration
        .secrets()
        .rotateSelf(
            Internals.accepted(ApiKey.of(desk.record(id)), 2, Long.MAX_VALUE), Cause.unstated());
    desk.administration.secrets().revoke(id, 1, Revocation.because(RevocationReason.UNSPECIFIED));
    desk.administration.secrets().revoke(id, 1, Desk.LEAK);
    desk.administration.revoke(id, Revocation.because(RevocationReason.OWNER_REQUEST));
    desk.administration.revoke(id, Desk.LEAK);
    desk.administration.revoke(id, Desk.LEAK.operationId("late"));
    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(
            () ->
                desk.administration.secrets().rotate(id, Rotation.forced(RevocationReason.LEAKED)));

    assertThat(desk.alerts).isEmpty();
  }

  /** But for many at once: a repeated call does not find what was revoked. */
  @ParameterizedTest
  @EnumSource(value = Alarm.class, mode = EnumSource.Mode.EXCLUDE, names = "REVOKE_ALL")
  void a_lost_answer_loses_no_alert(Alarm alarm) {
    for (boolean applied : new boolean[] {true, false}) {
      FaultyStore store = new FaultyStore();
      Desk desk = new Desk(store);
      String id = desk.issue();
      store.fail(Kind.OUTCOME_UNKNOWN, applied, 1);
      assertThatExceptionOfType(OutcomeUnknownException.class)
          .isThrownBy(() -> alarm.raise(desk, id, RevocationReason.LEAKED, "op-1"));
      assertThat(desk.alerts).isEmpty(); // it may not have been done

      alarm.raise(desk, id, RevocationReason.LEAKED, "op-1");

      assertThat(desk.alerts).containsExactly(id + " LEAKED");
      assertThat(desk.audit(id)).hasSize(2);
    }
  }

  /** Rounds in a transaction whose end decides, in which an alert came too soon or for nothing. */
  private static int alertsTooMany(KeyStore below, Alarm alarm) {
    HostStore host = (HostStore) below;
    int wrong = 0;
    for (boolean commits : new boolean[] {true, false}) {
      Desk desk = new Desk(host);
      String id = desk.issue(KeySpec.forOwner("owner " + commits));
      List<String> seenInside = new ArrayList<>();
      try {
        host.inTransaction(
            () -> {
              alarm.raise(desk, id, RevocationReason.LEAKED, "op " + commits);
              seenInside.addAll(desk.alerts);
              if (!commits) {
                throw new IllegalStateException("rolled back for the test");
              }
            });
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("rolled back for the test");
      }
      List<String> expected = commits ? List.of(id + " LEAKED") : List.of();
      wrong += seenInside.isEmpty() && desk.alerts.equals(expected) ? 0 : 1;
    }
    return wrong;
  }

  @ParameterizedTest
  @EnumSource(Alarm.class)
  void in_a_transaction_of_the_host_an_alert_waits_for_the_commit(Alarm alarm) {
    assertThat(alertsTooMany(new HostStore(), alarm)).isZero();
    assertThat(alertsTooMany(new BrokenHostStores.RunsActionsAtOnce(), alarm)).isEqualTo(2);
    assertThat(alertsTooMany(new BrokenHostStores.RunsActionsAfterRollback(), alarm)).isEqualTo(1);
  }

  @Test
  void a_listener_hears_what_a_node_does() {
    try (Nodes nodes = new Nodes(new InMemoryKeyStore())) {
      ApiKeys keys = nodes.node();
      nodes.node();
      String id = keys.issue(KeySpec.forOwner("weather-app")).id();

      keys.rotate(id, Rotation.forced(RevocationReason.LEAKED).grace(Duration.ofHours(1)));
      keys.revokeSecret(id, 2, Revocation.because(RevocationReason.SECURITY_BREACH));
      keys.revoke(id, Revocation.because(RevocationReason.SUSPICIOUS_ACTIVITY));

      assertThat(nodes.events())
          .containsExactly(
              "alert " + id + " LEAKED",
              "alert " + id + " SECURITY_BREACH",
              "alert " + id + " SUSPICIOUS_ACTIVITY");
    }
  }

  @Test
  void a_listener_that_throws_changes_nothing() {
    try (Nodes nodes = new Nodes(new InMemoryKeyStore())) {
      KeyListener throwing =
          new KeyListener() {
            @Override
            public void alert(String keyId, RevocationReason reason) {
              throw new AssertionError("planted");
            }

            @Override
            public void retiredSecretUsed(String keyId, int secretVersion) {
              throw new AssertionError("planted");
            }
          };
      ApiKeys keys = nodes.node(builder -> builder.listener(throwing));
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app"));

      IssuedKey next = keys.rotate(issued.id(), Rotation.forced(RevocationReason.LEAKED));

      assertThat(Nodes.verdict(keys, issued.revealToken())).isEqualTo("RETIRED");
      assertThat(Nodes.verdict(keys, next.revealToken())).isEqualTo("ACCEPTED");
    }
  }
}
