package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What has become of a count after a change of the key, of the cache, or of the plans. */
class LimitCountsTest {
  private final WatchedStore store = new WatchedStore();
  private final Nodes nodes = new Nodes(store);
  private final Plan team = Uses.perMinute("team", 10);
  private final ApiKeys keys = nodes.node(b -> b.plans(team).cachedKeys(4));
  private final IssuedKey key = keys.issue(KeySpec.forOwner("owner").plan("team"));

  @AfterEach
  void close() {
    nodes.close();
  }

  private void assertOf10Left(int left) {
    assertThat(Uses.limits(keys, key.revealToken()).windows())
        .extracting(Decision.Standing::remaining)
        .containsExactly((long) left);
  }

  @Test
  void all_secrets_of_a_key_count_together_and_a_rotation_changes_nothing() {
    Uses.accepted(keys, key, 4);
    String second = keys.rotate(key.id(), Rotation.usual()).revealToken();
    assertOf10Left(6);

    assertThat(Uses.accepted(keys, second, 3)).isEqualTo(3);
    String third = keys.rotate(key.id(), Rotation.withGrace(Duration.ZERO)).revealToken();
    keys.revokeSecret(key.id(), 1, Revocation.because(RevocationReason.LEAKED));

    assertThat(Nodes.verdict(keys, second)).isEqualTo("RETIRED");
    assertThat(Nodes.verdict(keys, key.revealToken())).isEqualTo("VERSION_REVOKED");
    assertThat(Uses.accepted(keys, third, 10)).isEqualTo(3);
  }

  @Test
  void a_key_that_is_loaded_anew_goes_on_where_it_was() {
    for (int i = 0; i < 4; i++) {
      int loads = store.loadsOf(key.id());
      assertThat(Uses.accepted(keys, key, 1)).isEqualTo(1);
      keys.update(key.id(), KeyUpdate.of().name("name " + i));
      keys.disable(key.id(), Cause.unstated());
      keys.enable(key.id(), Cause.unstated());
      assertThat(Uses.used(keys, key)).isEqualTo(i + 1);
      assertThat(store.loadsOf(key.id())).isGreaterThan(loads);
    }

    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(6);
  }

  @Test
  void a_flood_of_other_keys_pushes_it_out_of_the_cache_and_not_out_of_its_limits() {
    List<IssuedKey> others = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      others.add(keys.issue(KeySpec.forOwner("flood").plan("team")));
    }
    int accepted = 0;
    int loads = store.loadsOf(key.id());
    for (int i = 0; i < 20; i++) {
      others.forEach(other -> Uses.accepted(keys, other, 1));
      accepted += Uses.accepted(keys, key, 1);
    }

    assertThat(accepted).isEqualTo(10);
    assertThat(store.loadsOf(key.id()) - loads).as("it was out of the cache").isGreaterThan(10);
  }

  @Test
  void another_plan_goes_on_with_what_was_used() {
    Uses.accepted(keys, key, 6);

    keys.update(key.id(), KeyUpdate.of().plan("free"));
    assertThat(Uses.windows(keys, key)).isEqualTo(Plan.free().windows());
    assertThat(Uses.accepted(keys, key, 20)).as("of ten a second").isEqualTo(4);
    keys.update(key.id(), KeyUpdate.of().plan("team"));
    assertThat(Uses.accepted(keys, key, 20)).isZero();
  }

  @Test
  void a_change_of_plans_takes_effect_with_the_next_request_and_goes_on_with_what_was_used() {
    Uses.accepted(keys, key, 6);

    keys.changePlans(Plan.standard(), Uses.perMinute("team", 8));
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(2);

    keys.changePlans(Plan.standard(), Uses.perMinute("team", 3));
    Decision lowered = Uses.refusal(keys, key.revealToken());
    assertThat(lowered.windows())
        .extracting(Decision.Standing::used, Decision.Standing::remaining)
        .containsExactly(tuple(8L, 0L));
    assertThat(lowered.retryAfter()).isEqualTo(Duration.ofMillis(60_001));

    keys.changePlans(Plan.standard(), Uses.perMinute("team", 12));
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(4);

    nodes.time.advance(Duration.ofMillis(60_001));
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(12);
  }

  @Test
  void windows_of_another_length_know_what_was_used_too() {
    Uses.accepted(keys, key, 6);

    keys.changePlans(Plan.standard(), Plan.of("team", Window.perSecond(8), Window.perHour(9)));
    assertThat(Uses.limits(keys, key.revealToken()).windows())
        .extracting(Decision.Standing::used)
        .containsExactly(6L, 6L);
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(2);
    nodes.time.advance(Duration.ofMillis(1_001));
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(1);
  }

  @Test
  void a_plan_that_is_gone_and_a_default_that_changes_count_on_as_well() {
    IssuedKey without = keys.issue(KeySpec.forOwner("owner"));
    keys.changePlans(Uses.perMinute("small", 5));
    assertThat(Uses.accepted(keys, without, 20)).isEqualTo(5);
    assertThat(Uses.accepted(keys, key, 20)).as("its plan is not there any more").isEqualTo(5);

    keys.changePlans(Uses.perMinute("small", 7), team);
    assertThat(Uses.accepted(keys, without, 20)).isEqualTo(2);
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(5);
  }

  @Test
  void a_plan_that_begins_to_count_for_owners_begins_anew() {
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(10);

    keys.changePlans(Plan.standard(), team.perOwner());
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(10);
    keys.changePlans(Plan.standard(), team);
    assertThat(Uses.accepted(keys, key, 20)).as("what it was, where it was").isZero();
  }

  @Test
  void each_node_counts_for_itself_and_forgets_at_its_end() {
    assertThat(Uses.accepted(keys, key, 20)).isEqualTo(10);

    ApiKeys other = nodes.node(b -> b.plans(team));
    assertThat(Uses.accepted(other, key, 20)).isEqualTo(10);
    other.close();
    assertThat(Uses.accepted(nodes.node(b -> b.plans(team)), key, 20)).isEqualTo(10);
  }
}
