package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Units that are charged after the request: checked before, always counted. Time is the test's. */
class QuotaTest {
  private static final Plan TEAM =
      Plan.of("team", Window.perMinute(10))
          .quota("bytes", Window.perHour(1_000), Window.perDay(2_000))
          .quota("pages", Window.perDay(5));

  private final Nodes nodes = new Nodes(new InMemoryKeyStore());
  private final ApiKeys keys = nodes.node(b -> b.plans(TEAM));
  private final IssuedKey key = keys.issue(KeySpec.forOwner("owner").plan("team"));

  @AfterEach
  void close() {
    nodes.close();
  }

  private Accepted accepted() {
    return (Accepted) keys.validate(key.revealToken(), Nodes.ANY, Nodes.HERE);
  }

  private Decision.Standing window(int index) {
    return Uses.limits(keys, key.revealToken()).windows().get(index);
  }

  @Test
  void what_a_request_has_used_is_charged_when_it_is_known_and_refuses_the_next() {
    Accepted first = accepted();
    assertThat(window(1).used()).isZero();
    first.charge("bytes", 999);
    assertThat(window(1).remaining()).isEqualTo(1);

    Accepted second = accepted();
    second.charge("bytes", 1);
    Decision refusal = Uses.refusal(keys, key.revealToken());
    assertThat(refusal.refusing())
        .extracting(Decision.Standing::unit, Decision.Standing::window)
        .containsExactly(tuple("bytes", Window.perHour(1_000)));
    assertThat(refusal.retryAfter()).isEqualTo(Duration.ofMillis(3_600_001));
    assertThat(window(0).used()).as("the refusal cost no request").isEqualTo(2);

    nodes.time.advance(Duration.ofHours(1));
    assertThat(Nodes.verdict(keys, key.revealToken())).isEqualTo("LIMIT_EXCEEDED");
    nodes.time.advance(Duration.ofMillis(1));
    assertThat(Nodes.verdict(keys, key.revealToken())).isEqualTo("ACCEPTED");
  }

  @Test
  void what_was_under_way_is_counted_above_the_limit_and_only_that() {
    Accepted one = accepted();
    Accepted other = accepted();
    one.charge("bytes", 900);
    other.charge("bytes", 900);

    assertThat(window(1).used()).isEqualTo(1_800);
    assertThat(window(1).remaining()).isZero();
    assertThat(window(2).remaining()).isEqualTo(200);
    assertThat(Nodes.verdict(keys, key.revealToken())).isEqualTo("LIMIT_EXCEEDED");

    other.charge("bytes", 900); // a response that goes on
    Decision refusal = Uses.refusal(keys, key.revealToken());
    assertThat(refusal.refusing()).hasSize(2);
    assertThat(refusal.retryAfter()).isEqualTo(Duration.ofMillis(86_400_001));
  }

  @Test
  void each_unit_is_counted_by_itself() {
    accepted().charge("pages", 4);
    assertThat(window(1).used()).isZero();
    assertThat(window(3).used()).isEqualTo(4);

    accepted().charge("pages", 1);
    assertThat(Uses.refusal(keys, key.revealToken()).refusing())
        .extracting(Decision.Standing::unit)
        .containsExactly("pages");
  }

  @Test
  void a_unit_that_the_plan_does_not_limit_is_not_counted() {
    Accepted accepted = accepted();
    accepted.charge("joules", Long.MAX_VALUE);
    accepted.charge("requests", 1_000);
    accepted.charge("bytes", 0);

    assertThat(window(0).used()).isEqualTo(1);
    assertThat(window(1).used()).isZero();
    assertThatIllegalArgumentException().isThrownBy(() -> accepted.charge("bytes", -1));
  }

  @Test
  void requests_are_limited_beside_it() {
    for (int i = 0; i < 10; i++) {
      accepted().charge("bytes", 10);
    }

    Decision refusal = Uses.refusal(keys, key.revealToken());
    assertThat(refusal.refusing())
        .extracting(Decision.Standing::unit)
        .containsExactly(Plan.REQUESTS);
    assertThat(window(1).used()).isEqualTo(100);
  }

  @Test
  void amounts_are_whole_at_64_bits_and_do_not_overflow() {
    Plan large = Plan.of("large").quota("bytes", Window.perDay(20_000_000_000L));
    keys.changePlans(Plan.standard(), large);
    IssuedKey reader = keys.issue(KeySpec.forOwner("owner").plan("large"));
    Accepted accepted = (Accepted) keys.validate(reader.revealToken(), Nodes.ANY, Nodes.HERE);
    for (int i = 0; i < 3_200; i++) {
      accepted.charge("bytes", 1);
    }
    long ones = Uses.used(keys, reader);
    accepted.charge("bytes", 19_999_000_000L);
    assertThat(ones).isEqualTo(3_200);
    assertThat(Uses.used(keys, reader)).isBetween(19_999_003_170L, 19_999_003_200L);
    assertThat(Uses.accepted(keys, reader, 3)).isEqualTo(3);

    for (int i = 0; i < 3; i++) {
      accepted.charge("bytes", Long.MAX_VALUE);
      assertThat(Uses.used(keys, reader)).isGreaterThan(20_000_000_000L);
      assertThat(Uses.accepted(keys, reader, 3)).isZero();
    }
    nodes.time.advance(Duration.ofMillis(86_400_001));
    assertThat(Uses.accepted(keys, reader, 3)).isEqualTo(3);
  }

  @Test
  void an_owner_whose_plan_counts_for_him_has_one_quota() {
    keys.changePlans(Plan.standard(), TEAM.perOwner());
    IssuedKey second = keys.issue(KeySpec.forOwner("owner").plan("team"));
    IssuedKey another = keys.issue(KeySpec.forOwner("another").plan("team"));

    accepted().charge("bytes", 1_000);

    assertThat(Nodes.verdict(keys, second.revealToken())).isEqualTo("LIMIT_EXCEEDED");
    assertThat(Nodes.verdict(keys, another.revealToken())).isEqualTo("ACCEPTED");
  }
}
