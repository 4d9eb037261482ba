package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.examples.portal.Accounts.Account;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SessionsTest {
  private static final Account ALICE = new Account("alice", "acme");
  private static final Account BOB = new Account("bob", "globex");

  private Instant now = Instant.parse("2026-11-28T12:00:00Z");
  private final Sessions sessions = new Sessions(() -> now);

  @Test
  void ids_are_random_and_never_come_twice() {
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      String id = sessions.start(ALICE);
      assertThat(Randoms.looksLike(id)).isTrue();
      ids.add(id);
    }
    System.out.println(ids.size() + " different ids of sessions");
    assertThat(ids).hasSize(10_000);
  }

  @Test
  void however_often_an_account_signs_in_memory_is_bounded_and_others_stay() {
    String bob = sessions.start(BOB);
    String first = sessions.start(ALICE);
    for (int i = 0; i < 10_000; i++) {
      sessions.start(ALICE);
    }
    String last = sessions.start(ALICE);

    assertThat(sessions.size()).isEqualTo(Sessions.PER_ACCOUNT + 1);
    assertThat(sessions.find(first)).isEmpty();
    assertThat(sessions.find(last)).contains(ALICE);
    assertThat(sessions.find(bob)).contains(BOB);
  }

  @Test
  void a_session_ends_when_it_is_not_used() {
    String id = sessions.start(ALICE);
    now = now.plus(Sessions.IDLE).minusMillis(1);
    assertThat(sessions.find(id)).contains(ALICE);
    now = now.plus(Sessions.IDLE);
    assertThat(sessions.find(id)).isEmpty();
    assertThat(sessions.size()).isZero();
  }

  @Test
  void a_session_ends_even_if_it_is_used() {
    Instant start = now;
    String id = sessions.start(ALICE);
    while (now.isBefore(start.plus(Sessions.LONGEST))) {
      assertThat(sessions.find(id)).contains(ALICE);
      now = now.plus(Duration.ofMinutes(20));
    }
    assertThat(sessions.find(id)).isEmpty();
  }

  @Test
  void what_has_ended_is_dropped_when_the_next_begins() {
    sessions.start(ALICE);
    sessions.start(BOB);
    now = now.plus(Sessions.IDLE);

    sessions.start(BOB);

    assertThat(sessions.size()).isEqualTo(1);
  }

  @Test
  void an_id_that_was_made_elsewhere_is_none() {
    assertThat(sessions.find(Randoms.text())).isEmpty();
    assertThat(sessions.find("")).isEmpty();
  }
}
