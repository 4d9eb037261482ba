package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.limit.Plan;
import io.keystile.store.jdbc.ClusterNode.Act;
import io.keystile.store.jdbc.ClusterNode.Acted;
import io.keystile.store.jdbc.ClusterNode.Fault;
import io.keystile.store.jdbc.ClusterNode.Journal;
import io.keystile.store.jdbc.ClusterNode.Setting;
import io.keystile.store.jdbc.ClusterNode.Tokens;
import io.keystile.store.jdbc.Judge.Ended;
import io.keystile.store.jdbc.Judge.Rule;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Four processes on one PostgreSQL validate the same keys at full speed, while each of them ends
 * some: how long does any of them go on to accept? The processes only note what they did and when;
 * {@link Judge} decides.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterTest {
  private static final int NODES = 4;

  /** Keys that are ended in each of the four parts. */
  private static final int KEYS = Integer.getInteger("keystile.rounds", 500) / 4;

  /**
   * How many of them are revoked, and not ended in another way: 2,000 in the parts of a campaign.
   */
  private static final int REVOKED = KEYS / Ending.values().length;

  /** Validations of each key on each node, on average. */
  private static final int LEAST_VALIDATIONS = 100;

  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(60);
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration STALE = Duration.ofSeconds(2);
  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());

  private final List<NodeProcess<ClusterNode>> nodes = new ArrayList<>();
  private final SplittableRandom random = new SplittableRandom(SEED);
  private final Instant origin = Instant.now().minusNanos(System.nanoTime());
  private String url;
  private HikariDataSource pool;
  private ApiKeys issuer;

  @BeforeAll
  void start() throws Exception {
    System.out.println("keystile.seed=" + SEED);
    url = Database.POSTGRESQL.freshUrl();
    pool = Database.POSTGRESQL.pool(url, true, false);
    issuer =
        ApiKeys.builder(JdbcKeyStore.builder(pool).initializeSchema(true).build())
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(() -> origin.plusNanos(System.nanoTime()), System::nanoTime)
            .build();
    for (int i = 0; i < NODES; i++) {
      nodes.add(new NodeProcess<>(ClusterNode.class));
    }
    for (NodeProcess<ClusterNode> node : nodes) {
      long before = System.nanoTime();
      long there = node.await(node.ask(state -> System.nanoTime()));
      assertThat(there).as("one clock for all").isBetween(before, System.nanoTime());
    }
  }

  @AfterAll
  void stop() throws Exception {
    for (NodeProcess<ClusterNode> node : nodes) {
      node.close();
    }
    issuer.close();
    pool.close();
  }

  private Setting setting(Duration propagation, Duration maxStale) {
    return new Setting(url, origin, propagation, maxStale, 0, Fault.NONE);
  }

  /** The same for each node. */
  private static List<Setting> all(Setting setting) {
    return new ArrayList<>(Collections.nCopies(NODES, setting));
  }

  @Test
  void an_ended_key_is_accepted_nowhere_after_the_default_propagation() throws Exception {
    Duration second = Duration.ofSeconds(1);
    keeps("propagation 1 s", second, LONG, all(setting(second, LONG)));
  }

  @Test
  void an_ended_key_is_accepted_nowhere_after_a_shorter_propagation_whatever_the_clocks()
      throws Exception {
    Duration quarter = Duration.ofMillis(250);
    List<Setting> settings = all(setting(quarter, LONG));
    settings.set(1, settings.get(1).withClock(Duration.ofSeconds(-5)));
    settings.set(2, settings.get(2).withClock(Duration.ofSeconds(5)));
    keeps("propagation 250 ms, clocks 5 s apart", quarter, LONG, settings);
  }

  @Test
  void an_ended_key_is_accepted_nowhere_after_max_stale_though_half_of_the_polls_fail()
      throws Exception {
    Duration half = Duration.ofMillis(500);
    keeps(
        "propagation 500 ms, half of the polls fail, max stale 2 s",
        half,
        STALE,
        all(setting(half, STALE).with(0.5)));
  }

  @Test
  void an_ended_key_is_accepted_after_max_stale_by_no_node_that_cannot_poll() throws Exception {
    Duration quarter = Duration.ofMillis(250);
    List<Setting> settings = all(setting(quarter, STALE));
    settings.set(3, setting(quarter, STALE).with(1));
    keeps("propagation 250 ms, one node cannot poll, max stale 2 s", quarter, STALE, settings);
  }

  @Test
  void a_node_that_breaks_one_of_the_rules_is_caught() throws Exception {
    Duration quarter = Duration.ofMillis(250);
    Setting right = setting(quarter, STALE);
    List<Setting> settings = all(right);
    settings.set(0, right.with(Duration.ofSeconds(1), STALE));
    settings.set(1, right.with(Fault.FORGETS_NOT));
    settings.set(2, right.with(Fault.SEES_NOTHING));
    settings.set(3, right.with(quarter, Duration.ofHours(1)).with(1));
    Judge judge = new Judge(quarter, STALE);

    // for so long that the schedule of a node shows even if its process stood still for a second
    play(judge, settings, 80);

    System.out.print(judge.report("four broken nodes " + judge.broken(), List.of(3)));
    Map<Integer, Map<Rule, Integer>> broken = judge.broken();
    assertThat(broken.get(0)).as("polls too seldom").containsOnlyKeys(Rule.SCHEDULE);
    assertThat(broken.get(1)).as("does not forget").containsOnlyKeys(Rule.OWN_CHANGE);
    assertThat(broken.get(2)).as("sees no notice").containsKeys(Rule.GOOD_POLL, Rule.PROPAGATION);
    assertThat(broken.get(3)).as("no polls, and an hour").containsOnlyKeys(Rule.MAX_STALE);
  }

  private void keeps(String name, Duration propagation, Duration maxStale, List<Setting> settings)
      throws Exception {
    Judge judge = new Judge(propagation, maxStale);

    int revoked = play(judge, settings, KEYS);

    List<Integer> apart = new ArrayList<>();
    for (int node = 0; node < NODES; node++) {
      if (settings.get(node).failing() > 0) {
        apart.add(node);
      }
    }
    System.out.printf("%d keys ended, %d of them revoked; ", KEYS, revoked);
    System.out.print(judge.report(name, apart));
    assertThat(judge.broken().values()).hasSize(NODES).allMatch(Map::isEmpty);
    assertThat(judge.isRaced()).as("others accepted for a while").isTrue();
    assertThat(judge.isSeldomExcused()).as("polls were in time, but for a few").isTrue();
    assertThat(judge.validations()).isGreaterThanOrEqualTo((long) LEAST_VALIDATIONS * NODES * KEYS);
    assertThat(revoked).isGreaterThanOrEqualTo(REVOKED);
  }

  /** Validates on all nodes, and has each end a part of the keys; how many of them it revoked. */
  private int play(Judge judge, List<Setting> settings, int keys) throws Exception {
    Tokens tokens = issue(keys);
    List<Future<Boolean>> joining = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      Setting setting = settings.get(i);
      long seed = random.nextLong();
      joining.add(nodes.get(i).ask(node -> node.join(setting, tokens, seed)));
    }
    await(joining);
    List<Future<List<Acted>>> acting = new ArrayList<>();
    int revoked = 0;
    for (int i = 0; i < NODES; i++) {
      List<Act> acts = acts(i, keys);
      revoked += (int) acts.stream().filter(act -> act.ending() == Ending.REVOKE).count();
      acting.add(nodes.get(i).ask(node -> node.act(acts)));
    }
    List<Ended> ended = new ArrayList<>();
    List<List<Acted>> acted = await(acting);
    for (int i = 0; i < NODES; i++) {
      for (Acted act : acted.get(i)) {
        ended.add(new Ended(act.key(), i, act.returned()));
      }
    }
    assertThat(ended).hasSize(keys);
    long end = System.nanoTime() + judge.longest();
    List<Journal> journals = NodeProcess.askAll(nodes, node -> node.leave(end));
    for (int i = 0; i < NODES; i++) {
      judge.hear(i, journals.get(i), settings.get(i).failing() > 0, ended);
    }
    return revoked;
  }

  private Tokens issue(int keys) {
    List<String> ids = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      IssuedKey issued = issuer.issue(Ending.key());
      ids.add(issued.id());
      tokens.add(issued.revealToken());
    }
    return new Tokens(ids, tokens);
  }

  /** Each node ends every fourth key, in all ways, at times by chance. */
  private List<Act> acts(int node, int keys) {
    List<Act> acts = new ArrayList<>();
    for (int key = node; key < keys; key += NODES) {
      int turn = key / NODES;
      acts.add(new Act(key, Ending.of(turn), turn % 4 == 0, random.nextLong(2 * PAUSE)));
    }
    return acts;
  }

  private <T> List<T> await(List<Future<T>> asked) throws Exception {
    List<T> answers = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      answers.add(nodes.get(i).await(asked.get(i)));
    }
    return answers;
  }
}
