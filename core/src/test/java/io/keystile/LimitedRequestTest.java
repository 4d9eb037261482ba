package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one request costs, and what is told of it. Time is the test's. */
class LimitedRequestTest {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Duration MILLI = Duration.ofMillis(1);

  private final Nodes nodes = new Nodes(new InMemoryKeyStore());
  private final Plan team = Plan.of("team", Window.perSecond(5), Window.perMinute(10));
  private final ApiKeys keys = nodes.node(b -> b.plans(team));
  private final IssuedKey key =
      keys.issue(
          KeySpec.forOwner("owner")
              .plan("team")
              .scopes("forecast:read")
              .networks("192.0.2.0/24")
              .callers("billing"));
  private final String token = key.revealToken();
  private final Origin here = Nodes.HERE.caller("billing");

  @AfterEach
  void close() {
    nodes.close();
  }

  private Validation validate(Access access) {
    return keys.validate(token, access, here);
  }

  private int accepted(int requests) {
    int accepted = 0;
    for (int i = 0; i < requests; i++) {
      accepted += validate(READ).isAccepted() ? 1 : 0;
    }
    return accepted;
  }

  private Decision limits() {
    return ((Accepted) keys.peek(token, READ, here)).limits();
  }

  /** Requests that are refused for something else than limits, in the order of the reasons. */
  private Map<Reason, Supplier<Validation>> refused() {
    Map<Reason, Supplier<Validation>> refused = new LinkedHashMap<>();
    refused.put(Reason.MALFORMED, () -> keys.validate(token + "x", READ, here));
    refused.put(Reason.WRONG_SECRET, () -> keys.validate(Uses.withWrongSecret(token), READ, here));
    refused.put(Reason.INSECURE_TRANSPORT, () -> keys.validate(token, READ, here.secure(false)));
    refused.put(Reason.CALLER_NOT_ALLOWED, () -> keys.validate(token, READ, Nodes.HERE));
    refused.put(
        Reason.ADDRESS_NOT_ALLOWED,
        () -> keys.validate(token, READ, Origin.of("198.51.100.7").caller("billing")));
    refused.put(Reason.SCOPE_MISSING, () -> validate(Access.requiring("forecast:write")));
    return refused;
  }

  @Test
  void what_is_refused_for_another_reason_costs_nothing() {
    refused()
        .forEach(
            (reason, request) -> {
              for (int i = 0; i < 100; i++) {
                assertThat(Nodes.verdict(request.get())).isEqualTo(reason.name());
              }
            });
    keys.disable(key.id(), Cause.unstated());
    for (int i = 0; i < 100; i++) {
      assertThat(Nodes.verdict(validate(READ))).isEqualTo("DISABLED");
    }
    keys.enable(key.id(), Cause.unstated());

    assertThat(limits().windows()).allMatch(window -> window.used() == 0);
    assertThat(accepted(20)).isEqualTo(5);
  }

  @Test
  void what_is_refused_for_its_limits_costs_nothing_and_does_not_put_off_the_end() {
    assertThat(accepted(5)).isEqualTo(5);
    Duration wait = Uses.refusal(validate(READ)).retryAfter();
    for (long i = 1; i < wait.toMillis(); i++) {
      nodes.time.advance(MILLI);
      assertThat(accepted(10)).isZero();
    }

    nodes.time.advance(MILLI);
    assertThat(accepted(20)).as("of the minute five are left").isEqualTo(5);
  }

  @Test
  void limits_are_the_last_reason() {
    assertThat(accepted(20)).isEqualTo(5);

    refused()
        .forEach(
            (reason, request) -> {
              Rejected rejected = (Rejected) request.get();
              assertThat(rejected.reason()).isEqualTo(reason);
              assertThat(rejected.limits()).as("nothing is told of them").isNull();
            });
    keys.disable(key.id(), Cause.unstated());
    assertThat(Nodes.verdict(validate(READ))).isEqualTo("DISABLED");
    keys.enable(key.id(), Cause.unstated());
    assertThat(Nodes.verdict(validate(READ))).isEqualTo("LIMIT_EXCEEDED");
    keys.revoke(key.id(), Revocation.because(RevocationReason.LEAKED));
    assertThat(Nodes.verdict(validate(READ))).isEqualTo("REVOKED");
  }

  @Test
  void a_refusal_tells_the_key_and_how_its_windows_stand() {
    accepted(3);
    nodes.time.advance(Duration.ofMillis(400));
    accepted(2);
    nodes.time.advance(Duration.ofMillis(100));

    Rejected rejected = (Rejected) validate(READ);

    assertThat(rejected.reason().outcome()).isEqualTo(Reason.Outcome.LIMITED);
    assertThat(rejected.key().id()).isEqualTo(key.id());
    assertThat(rejected.secretVersion()).isEqualTo(1);
    Decision limits = rejected.limits();
    assertThat(limits.isAllowed()).isFalse();
    assertThat(limits.retryAfter()).isEqualTo(Duration.ofMillis(501));
    assertThat(limits.windows())
        .containsExactly(
            new Decision.Standing(
                "requests",
                Window.perSecond(5),
                5,
                0,
                Duration.ofMillis(501),
                Duration.ofMillis(901),
                true),
            new Decision.Standing(
                "requests",
                Window.perMinute(10),
                5,
                5,
                Duration.ofMillis(59_501),
                Duration.ofMillis(59_901),
                false));
    assertThat(limits.refusing()).containsExactly(limits.windows().get(0));
    assertThat(rejected.toString()).doesNotContain("team");
  }

  @Test
  void an_accepted_request_tells_how_the_windows_stand_when_they_are_asked_for() {
    Accepted first = (Accepted) validate(READ);
    assertThat(first.limits().windows())
        .extracting(Decision.Standing::remaining)
        .containsExactly(4L, 9L);

    accepted(3);
    assertThat(first.limits().windows())
        .extracting(Decision.Standing::remaining)
        .containsExactly(1L, 6L);
    assertThat(first.limits().isAllowed()).isTrue();
    accepted(1);
    assertThat(first.limits().isAllowed()).as("one more would not be").isFalse();
    assertThat(first.limits().retryAfter()).isEqualTo(Duration.ofMillis(1_001));

    nodes.time.advance(Duration.ofMillis(1_001));
    assertThat(first.limits().windows())
        .extracting(Decision.Standing::remaining)
        .containsExactly(5L, 5L);
  }

  @Test
  void a_dry_run_costs_nothing_and_gives_the_full_verdict() {
    for (int i = 0; i < 100; i++) {
      assertThat(keys.peek(token, READ, here).isAccepted()).isTrue();
    }
    assertThat(limits().windows()).allMatch(window -> window.used() == 0);
    assertThat(Nodes.verdict(keys.peek(token, READ.costing(6), here))).isEqualTo("LIMIT_EXCEEDED");

    accepted(5);
    Decision dry = Uses.refusal(keys.peek(token, READ, here));
    assertThat(dry.windows()).isEqualTo(Uses.refusal(validate(READ)).windows());
    assertThat(dry.retryAfter()).isEqualTo(Duration.ofMillis(1_001));
    nodes.time.advance(Duration.ofMillis(1_001));
    assertThat(keys.peek(token, READ, here).isAccepted()).isTrue();
    assertThat(accepted(20)).isEqualTo(5);
  }

  @Test
  void a_dear_request_takes_what_it_costs_or_nothing() {
    Access export = READ.costing(3);

    assertThat(validate(export).isAccepted()).isTrue();
    Decision refusal = Uses.refusal(validate(export));
    assertThat(refusal.windows().get(0).used()).isEqualTo(3);
    assertThat(refusal.retryAfter()).isEqualTo(Duration.ofMillis(1_001));
    assertThat(accepted(20)).as("cheap ones have room").isEqualTo(2);
    assertThat(validate(READ.and(export)).isAccepted()).isFalse();

    nodes.time.advance(Duration.ofMillis(1_001));
    assertThat(validate(export.and(READ)).isAccepted()).isTrue();
    assertThat(limits().windows().get(0).used()).as("the dearer of both").isEqualTo(3);
    assertThatIllegalArgumentException().isThrownBy(() -> READ.costing(0));
  }

  @Test
  void a_request_that_costs_more_than_a_limit_is_refused_for_ever() {
    for (long cost : new long[] {6, 11, 1L << 31, Long.MAX_VALUE}) {
      Decision refusal = Uses.refusal(validate(READ.costing(cost)));
      assertThat(refusal.retryAfter()).isNull();
      assertThat(refusal.refusing()).hasSize(cost > 10 ? 2 : 1);
      nodes.time.advance(Duration.ofDays(20));
    }
    assertThat(accepted(20)).isEqualTo(5);
  }

  @Test
  void a_limit_of_zero_lets_nobody_in() {
    keys.changePlans(Plan.standard(), Uses.perMinute("team", 0));

    assertThat(Uses.refusal(validate(READ)).retryAfter()).isNull();
  }

  @Test
  void a_request_that_is_limited_was_seen_and_is_no_use() {
    Instant used = nodes.time.instant();
    accepted(5);
    nodes.time.advance(MILLI);
    accepted(1);
    keys.flush();

    KeyDetails details = keys.find(key.id()).orElseThrow();
    assertThat(details.lastUsed()).isEqualTo(used);
    assertThat(details.lastSeen()).isEqualTo(used.plus(MILLI));
  }

  @Test
  void without_blocking_it_is_the_same() {
    keys.update(key.id(), KeyUpdate.of().note("so that it must be loaded"));
    int accepted = 0;
    for (int i = 0; i < 20; i++) {
      Validation result = keys.validateAsync(token, READ, here).join();
      accepted += result.isAccepted() ? 1 : 0;
      if (!result.isAccepted()) {
        assertThat(Uses.refusal(result).refusing()).hasSize(1);
      }
    }

    assertThat(accepted).isEqualTo(5);
    assertThat(accepted(5)).as("it is one count").isZero();
  }

  @Test
  void a_client_that_asks_for_a_new_secret_pays_for_the_request() {
    keys.update(key.id(), KeyUpdate.of().scopes("forecast:read", "keys:rotate"));
    SelfRotation result = keys.rotateSelf(token, here, Cause.unstated());
    assertThat(Nodes.verdict(result)).isEqualTo("ISSUED");
    assertThat(limits().windows().get(0).used()).isEqualTo(1);
    assertThat(accepted(20)).isEqualTo(4);

    String next = result.issued().revealToken();
    assertThat(Nodes.verdict(keys.rotateSelf(next, here, Cause.unstated())))
        .isEqualTo("LIMIT_EXCEEDED");
    assertThat(keys.find(key.id()).orElseThrow().newestSecret().number()).isEqualTo(2);
  }

  @Test
  void who_takes_the_last_permit_for_it_is_told_why_the_secret_cannot_replace_itself() {
    keys.update(key.id(), KeyUpdate.of().scopes("forecast:read", "keys:rotate"));
    keys.rotate(key.id(), Rotation.usual());
    accepted(4);

    assertThat(Nodes.verdict(keys.rotateSelf(token, here, Cause.unstated())))
        .isEqualTo("SUPERSEDED");
    assertThat(Nodes.verdict(keys.rotateSelf(token, here, Cause.unstated())))
        .isEqualTo("LIMIT_EXCEEDED");
  }
}
