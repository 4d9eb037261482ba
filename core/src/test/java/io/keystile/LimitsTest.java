package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Which limits a key has, and whose requests are counted together. Time is the test's. */
class LimitsTest {
  private final Nodes nodes = new Nodes(new InMemoryKeyStore());

  @AfterEach
  void close() {
    nodes.close();
  }

  private static IssuedKey issue(ApiKeys node, String plan) {
    return node.issue(KeySpec.forOwner("owner").plan(plan));
  }

  @Test
  void a_host_that_says_nothing_has_the_four_usual_windows() {
    ManualTime time = nodes.time;
    try (ApiKeys node =
        ApiKeys.builder(nodes.store)
            .brand("acme")
            .environment("live")
            .time(time, time::nanos)
            .build()) {
      IssuedKey key = node.issue(KeySpec.forOwner("owner"));

      assertThat(Uses.windows(node, key))
          .containsExactly(
              Window.perSecond(10),
              Window.perMinute(300),
              Window.perHour(5_000),
              Window.perDay(50_000));
      assertThat(Uses.accepted(node, key, 25)).isEqualTo(10);
    }
  }

  /** Tries until it is refused, in each second of a day, and recounts. */
  @Test
  void a_greedy_key_gets_nearly_all_of_its_windows_and_never_more() {
    ApiKeys node = nodes.node(b -> b.defaultPlan(Plan.standard()));
    String token = node.issue(KeySpec.forOwner("owner")).revealToken();
    List<Integer> bySecond = new ArrayList<>();
    for (int second = 0; second < 86_400; second++) {
      int accepted = 0;
      while (Nodes.verdict(node, token).equals("ACCEPTED")) {
        accepted++;
      }
      bySecond.add(accepted);
      nodes.time.advance(Duration.ofMillis(1_001)); // a second later the first tick is in it still
    }

    System.out.printf(
        "a greedy key in a second, minute, hour, day: at most %d, %d, %d, %d%n",
        worst(bySecond, 1), worst(bySecond, 60), worst(bySecond, 3_600), worst(bySecond, 86_400));
    assertThat(worst(bySecond, 1)).isEqualTo(10);
    assertThat(worst(bySecond, 60)).isBetween(267L, 300L);
    assertThat(worst(bySecond, 3_600)).isBetween(4_445L, 5_000L);
    assertThat(worst(bySecond, 86_400)).isBetween(44_445L, 50_000L);
  }

  /** The most that was let in within so many turns in a row. */
  private static long worst(List<Integer> turns, int length) {
    Deque<Integer> inside = new ArrayDeque<>();
    long sum = 0;
    long worst = 0;
    for (int accepted : turns) {
      inside.addLast(accepted);
      sum += accepted;
      sum -= inside.size() > length ? inside.removeFirst() : 0;
      worst = Math.max(worst, sum);
    }
    return worst;
  }

  @Test
  void a_host_can_turn_the_usual_limits_off() {
    ApiKeys node = nodes.node(b -> b.defaultPlan(Plan.unlimited()));
    IssuedKey key = node.issue(KeySpec.forOwner("owner"));

    assertThat(Uses.accepted(node, key, 1_000)).isEqualTo(1_000);
    assertThat(Uses.windows(node, key)).isEmpty();
  }

  @Test
  void the_ready_plans_are_known_by_their_names() {
    ApiKeys node = nodes.node(b -> b.defaultPlan(Uses.perMinute("small", 1)));

    assertThat(Uses.windows(node, issue(node, "free"))).isEqualTo(Plan.free().windows());
    assertThat(Uses.windows(node, issue(node, "pro"))).isEqualTo(Plan.pro().windows());
    assertThat(Uses.accepted(node, issue(node, "unlimited"), 1_000)).isEqualTo(1_000);
    assertThat(Uses.windows(node, issue(node, "small"))).containsExactly(Window.perMinute(1));
  }

  @Test
  void the_plans_of_the_host_are_known_and_come_before_ready_ones_of_their_names() {
    Plan team = Plan.of("team", Window.perSecond(3), Window.perDay(7));
    ApiKeys node = nodes.node(b -> b.plans(team, Uses.perMinute("free", 2)));

    assertThat(Uses.windows(node, issue(node, "team"))).isEqualTo(team.windows());
    assertThat(Uses.accepted(node, issue(node, "free"), 5)).isEqualTo(2);
    assertThat(Uses.windows(node, issue(node, "pro"))).isEqualTo(Plan.pro().windows());
  }

  @Test
  void a_plan_that_this_node_does_not_know_is_the_default_one_and_is_told_once() {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(Limits.class);
    logger.addAppender(log);
    logger.setLevel(Level.WARN);
    try {
      ApiKeys node = nodes.node(b -> b.defaultPlan(Uses.perMinute("small", 3)));
      for (int i = 0; i < 5; i++) {
        assertThat(Uses.accepted(node, issue(node, "gone"), 10)).isEqualTo(3);
      }
      assertThat(log.list)
          .singleElement()
          .satisfies(event -> assertThat(event.getLevel()).isEqualTo(Level.WARN));

      Uses.accepted(node, issue(node, "gone, too"), 10);
      assertThat(log.list).hasSize(2);
      Uses.accepted(node, issue(node, "free"), 10);
      Uses.accepted(node, node.issue(KeySpec.forOwner("owner")), 10);
      assertThat(log.list).hasSize(2);
      assertThat(log.list.toString()).doesNotContain("gone");
    } finally {
      logger.detachAppender(log);
      logger.setLevel(null);
    }
  }

  @Test
  void two_plans_of_one_name_are_refused() {
    Plan[] two = {Uses.perMinute("team", 1), Uses.perMinute("team", 2)};
    ApiKeys node = nodes.node(b -> b.plans(two[0]));
    IssuedKey key = issue(node, "team");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> nodes.node(b -> b.plans(two)))
        .withMessageStartingWith("plans:");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> node.changePlans(Plan.standard(), two))
        .withMessageStartingWith("plans:");
    assertThat(Uses.windows(node, key)).as("nothing has changed").isEqualTo(two[0].windows());
  }

  @Test
  void each_key_is_counted_by_itself_also_those_of_one_owner() {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", 3)));

    for (int i = 0; i < 20; i++) {
      assertThat(Uses.accepted(node, issue(node, "team"), 5)).isEqualTo(3);
    }
  }

  @Test
  void a_plan_for_owners_counts_all_keys_of_an_owner_together() {
    ApiKeys node = nodes.node(b -> b.plans(Uses.perMinute("team", 10).perOwner()));
    KeySpec spec = KeySpec.forOwner("one").plan("team");
    IssuedKey first = node.issue(spec);
    IssuedKey second = node.issue(spec);
    IssuedKey personal = node.issue(KeySpec.personalToken("one", "user-1").plan("team"));
    IssuedKey ofAnother = node.issue(KeySpec.forOwner("other").plan("team"));
    IssuedKey onAnotherPlan = node.issue(spec.plan("free"));

    assertThat(Uses.accepted(node, first, 4)).isEqualTo(4);
    assertThat(Uses.accepted(node, personal, 3)).isEqualTo(3);
    assertThat(Uses.accepted(node, second, 20)).isEqualTo(3);
    assertThat(Uses.accepted(node, first, 20)).isZero();
    assertThat(Uses.accepted(node, ofAnother, 20)).isEqualTo(10);
    assertThat(Uses.accepted(node, onAnotherPlan, 5)).isEqualTo(5);
    assertThat(Uses.accepted(node, node.issue(spec), 1)).as("a new key brings no more").isZero();
  }

  @Test
  void an_owner_whose_name_is_that_of_a_key_takes_nothing_from_it() {
    ApiKeys node =
        nodes.node(b -> b.plans(Uses.perMinute("team", 3).perOwner(), Uses.perMinute("alone", 3)));
    IssuedKey victim = issue(node, "alone");
    for (String owner : List.of(victim.id(), "team:" + victim.id(), ":" + victim.id())) {
      Uses.accepted(node, node.issue(KeySpec.forOwner(owner).plan("team")), 10);
    }

    assertThat(Uses.accepted(node, victim, 10)).isEqualTo(3);
  }
}
