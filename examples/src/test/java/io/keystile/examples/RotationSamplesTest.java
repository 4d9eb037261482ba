package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.Origin;
import io.keystile.SelfRotation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The code of the page on rotation does what it says. */
class RotationSamplesTest {
  private static final Origin ANYWHERE = Origin.of("192.0.2.7");
  private static final Access READ = Access.requiring("forecast:read");

  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final ApiKeys keys = RotationSamples.open(store);
  private final IssuedKey issued = RotationSamples.issue(keys);

  @AfterEach
  void close() {
    keys.close();
  }

  private boolean works(String token) {
    return keys.validate(token, READ, ANYWHERE).isAccepted();
  }

  @Test
  void a_usual_rotation_leaves_the_old_token_its_grace() {
    String token = RotationSamples.rotate(keys, issued.id());
    Instant made = keys.find(issued.id()).orElseThrow().newestSecret().createdAt();
    while (System.currentTimeMillis() <= made.toEpochMilli()) {
      Thread.onSpinWait(); // use in the same millisecond would not count
    }

    assertThat(works(token)).isTrue();
    assertThat(works(issued.revealToken())).isTrue();
    keys.close(); // writes last use
    try (ApiKeys later = RotationSamples.open(store)) {
      assertThat(RotationSamples.stillOnOld(later, issued.id()))
          .extracting(KeyDetails.SecretInfo::redacted)
          .containsExactly(issued.details().newestSecret().redacted());
    }
  }

  @Test
  void nothing_is_due_on_the_first_day_and_a_key_may_have_a_rule_of_its_own() {
    List<KeyDetails> due = new ArrayList<>();
    RotationSamples.remind(keys, due::add);
    assertThat(due).isEmpty();

    KeyDetails own = RotationSamples.ownRule(keys, issued.id());
    assertThat(own.rotationDueAt()).isBefore(issued.details().rotationDueAt());
  }

  @Test
  void a_job_an_owner_and_the_client_itself_replace_the_secret() {
    IssuedKey second = RotationSamples.job(keys, issued.details());
    IssuedKey third = RotationSamples.portal(keys, "weather-app", "user-1", issued.id());
    SelfRotation fourth = keys.rotateSelf(third.revealToken(), ANYWHERE, Cause.unstated());

    assertThat(second.secretVersion()).isEqualTo(2);
    assertThat(third.secretVersion()).isEqualTo(3);
    assertThat(fourth.issued().secretVersion()).isEqualTo(4);
    assertThat(works(issued.revealToken())).as("three work at a time").isFalse();
    assertThat(works(second.revealToken())).isTrue();
  }

  @Test
  void a_forced_rotation_leaves_some_hours_and_one_secret_goes_alone() {
    IssuedKey next = RotationSamples.force(keys, issued.id());
    assertThat(works(issued.revealToken())).isTrue();

    RotationSamples.revokeOne(keys, issued.id());
    assertThat(works(issued.revealToken())).isFalse();
    assertThat(works(next.revealToken())).isTrue();
  }

  @Test
  void a_call_whose_answer_was_lost_is_repeated() {
    IssuedKey seen = RotationSamples.repeat(keys, issued.id());
    assertThat(seen.secretVersion()).isEqualTo(2);

    IssuedKey again = RotationSamples.repeat(keys, issued.id());

    assertThat(again.secretVersion()).isEqualTo(3);
    assertThat(works(again.revealToken())).isTrue();
    assertThat(works(seen.revealToken())).as("it was taken for lost").isFalse();
    assertThat(works(issued.revealToken())).as("its grace goes on").isTrue();
  }
}
