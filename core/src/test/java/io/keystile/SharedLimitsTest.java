package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.KeyStore;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nodes that share the limits of their keys through the store of the keys. */
class SharedLimitsTest {
  /** So long that no exchange happens by itself. */
  private static final Duration INTERVAL = Duration.ofHours(1);

  private static final Origin HERE = Origin.of("192.0.2.7");

  private final ManualTime time = new ManualTime();
  private final InMemoryKeyStore store = new InMemoryKeyStore(time);

  private ApiKeysBuilder builder(KeyStore store) {
    return ApiKeys.builder(store)
        .brand("acme")
        .environment("live")
        .time(time, time::nanos)
        .defaultPlan(Plan.of("daily", Window.perDay(100)));
  }

  private ApiKeys node() {
    return builder(store).sharedLimits(INTERVAL).build();
  }

  private static boolean use(ApiKeys node, String token) {
    return node.validate(token, Access.authenticated(), HERE).isAccepted();
  }

  private int useAll(List<ApiKeys> nodes, String token, int hours) {
    int accepted = 0;
    for (int hour = 0; hour < hours; hour++) {
      for (ApiKeys node : nodes) {
        for (int i = 0; i < 30; i++) {
          accepted += use(node, token) ? 1 : 0;
        }
        node.exchange();
        node.poll();
      }
      time.advance(INTERVAL);
    }
    return accepted;
  }

  @Test
  void two_nodes_let_through_one_limit_and_a_restart_forgets_nothing() {
    int accepted;
    String token;
    try (ApiKeys one = node();
        ApiKeys two = node()) {
      token = one.issue(KeySpec.forOwner("owner")).revealToken();
      for (int i = 0; i < 5; i++) {
        time.advance(INTERVAL);
        one.exchange();
        two.exchange();
      }
      accepted = useAll(List.of(one, two), token, 10);
      assertThat(accepted).isBetween(80, 110);
    }
    try (ApiKeys restarted = node()) {
      accepted += useAll(List.of(restarted), token, 5);
    }
    assertThat(accepted).isBetween(80, 110);
  }

  @Test
  void what_a_node_that_leaves_has_not_used_is_free_for_the_others() {
    try (ApiKeys one = node()) {
      String token = one.issue(KeySpec.forOwner("owner")).revealToken();
      try (ApiKeys two = node()) {
        assertThat(use(two, token)).isTrue();
        two.exchange();
      }
      assertThat(useAll(List.of(one), token, 8)).isGreaterThanOrEqualTo(98);
    }
  }

  @Test
  void a_store_that_cannot_share_is_refused_when_it_is_said() {
    KeyStore other = new PassThroughStore(store);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(other).sharedLimits(INTERVAL))
        .withMessageContaining("SharedLimits");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(store).sharedLimits(Duration.ofMillis(49)))
        .withMessageContaining("interval");
    assertThatIllegalStateException()
        .isThrownBy(() -> builder(store).refuseWithoutSharing().build())
        .withMessageContaining("sharedLimits");
  }
}
