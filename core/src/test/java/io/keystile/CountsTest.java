package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyStore;
import io.keystile.usage.RiskSettings;
import io.keystile.usage.UsageRecorder;
import io.keystile.usage.UsageReports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a listener is told of the numbers of a node. */
class CountsTest {
  private static final Pattern METRIC = Pattern.compile("`(keystile\\.[a-z_.]+)`");

  private final Map<String, Long> told = new TreeMap<>();
  private final WatchedStore store = new WatchedStore();
  private final Nodes nodes = new Nodes(store);

  private final class Listening implements KeyListener {
    @Override
    public void count(String metric, String result, long added) {
      assertThat(added).isPositive();
      told.merge(metric + " " + result, added, Long::sum);
    }
  }

  @AfterEach
  void close() {
    nodes.close();
  }

  private ApiKeys node() {
    return nodes.node(builder -> builder.listener(new Listening()));
  }

  /** All counts so far. */
  private Map<String, Long> counts(ApiKeys node) {
    node.report();
    Internals.awaitEvents(node);
    return told;
  }

  @Test
  void each_validation_counts_once_by_how_it_ended() {
    ApiKeys node = node();
    IssuedKey issued = node.issue(KeySpec.forOwner("owner"));
    String token = issued.revealToken();
    String wrong = Tokens.withChecksum(token.substring(0, token.length() - 38) + "x".repeat(32));

    assertThat(Nodes.verdict(node, token)).isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(node, token)).isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(node.validateAsync(token, Nodes.ANY, Nodes.HERE).join()))
        .isEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(node, wrong)).isEqualTo("WRONG_SECRET");
    assertThat(Nodes.verdict(node, "no token")).isEqualTo("MALFORMED");
    assertThat(Nodes.verdict(node, Tokens.EXAMPLE)).isEqualTo("UNKNOWN");
    node.peek(token, Nodes.ANY, Nodes.HERE);
    node.peek(wrong, Nodes.ANY, Nodes.HERE);
    node.revoke(issued.id(), Desk.LEAK);
    assertThat(Nodes.verdict(node, token)).isEqualTo("REVOKED");
    store.down = true;
    String strange = Tokens.random(Tokens.LIVE, Seed.secure(Seed.of("counts")));
    assertThat(Nodes.verdict(node, strange)).isEqualTo("STORE_UNAVAILABLE");
    store.down = false;
    node.flush();

    assertThat(counts(node))
        .isEqualTo(
            new TreeMap<>(
                Map.ofEntries(
                    Map.entry("keystile.validations accepted", 3L),
                    Map.entry("keystile.validations wrong_secret", 1L),
                    Map.entry("keystile.validations malformed", 1L),
                    Map.entry("keystile.validations unknown", 1L),
                    Map.entry("keystile.validations revoked", 1L),
                    Map.entry("keystile.validations store_unavailable", 1L),
                    Map.entry("keystile.cache hit", 3L),
                    Map.entry("keystile.cache miss", 4L),
                    Map.entry("keystile.loads done", 3L),
                    Map.entry("keystile.loads failed", 1L),
                    Map.entry("keystile.events delivered", 1L),
                    Map.entry("keystile.uses written", 1L),
                    Map.entry("keystile.wrong_secrets counted", 2L))));
  }

  @Test
  void polls_and_steps_count_with_how_they_ended() {
    nodes.node(builder -> builder);
    ApiKeys node = nodes.node(builder -> builder.listener(new Listening()).revokeOnRetiredSecret());
    IssuedKey issued = node.issue(KeySpec.forOwner("owner"));
    node.rotate(issued.id(), Rotation.withGrace(Duration.ZERO));
    nodes.time.advance(Duration.ofDays(8));
    node.poll();
    store.down = true;
    node.poll();
    node.poll();
    store.down = false;
    node.poll();
    assertThat(Nodes.verdict(node, issued.revealToken())).isEqualTo("RETIRED");
    Waiting.until(() -> node.find(issued.id()).orElseThrow().status() == KeyDetails.Status.REVOKED);
    Waiting.until(() -> counts(node).containsKey("keystile.steps done"));

    assertThat(counts(node))
        .containsEntry("keystile.polls done", 2L)
        .containsEntry("keystile.polls failed", 2L)
        .containsEntry("keystile.steps done", 1L)
        .doesNotContainKey("keystile.steps failed");
  }

  @Test
  void what_is_told_while_threads_count_adds_up_to_the_total() throws Exception {
    int each = 200_000;
    int tellers = 3;
    LongAdder total = new LongAdder();
    Counts counts = new Counts().add("metric", "result", total::sum);
    List<Callable<Long>> calls = new ArrayList<>();
    for (int i = 0; i < tellers; i++) {
      calls.add(
          () -> {
            for (int n = 0; n < each; n++) {
              total.increment();
            }
            return 0L;
          });
    }
    calls.add(
        () -> {
          long[] sum = {0};
          for (int n = 0; n < 10_000; n++) {
            counts.tell((metric, result, added) -> sum[0] += added);
          }
          return sum[0];
        });

    try (Threads threads = new Threads()) {
      long[] sum = {threads.race(calls).get(tellers)};
      counts.tell((metric, result, added) -> sum[0] += added);
      assertThat(sum[0]).isEqualTo((long) tellers * each);
    }
  }

  @Test
  void without_a_listener_nothing_is_counted() {
    Counts totals = new Counts();
    Outcomes outcomes = new Outcomes(null, totals);

    outcomes.missed(true);
    outcomes.ended(Nodes.HERE, true, Rejected.unproven(Reason.UNKNOWN));

    totals.tell((metric, result, added) -> told.put(metric, added));
    assertThat(told).isEmpty();
  }

  /** The names are in two documents, and in the code. */
  @Test
  void the_metrics_are_those_that_are_documented() throws IOException {
    KeyStore any = new InMemoryKeyStore();
    Set<String> names = new TreeSet<>();
    Counts totals = new Counts();
    new Events(KeyListener.NONE, Runnable::run, totals);
    WrongSecrets wrong = new WrongSecrets(1, () -> 0, (network, count) -> {});
    wrong.countIn(totals);
    new Outcomes(wrong, totals);
    Settings settings = SampleKeys.settings(nodes.time);
    KeyLoader loader =
        new KeyLoader(any, new SecretHasher(), null, RotationRules.USUAL, nodes.time::nanos);
    loader.countIn(totals);
    KeyCache cache = new KeyCache(settings, loader, Runnable::run, Runnable::run);
    new ChangeFeed(any, cache, settings).countIn(totals);
    new UseRecorder(any, 1).countIn(totals);
    UsageRecorder usage = new UsageRecorder(new InMemoryKeyStore(), nodes.time, 1);
    UsageReports reports = UsageReports.on(new InMemoryKeyStore());
    new UsageRecording(usage, null, new Judging(reports, nodes.time, RiskSettings.usual(), null))
        .countIn(totals);
    KeyEditor editor =
        new KeyEditor(any, nodes.time, Desk.rotation(RotationRules.USUAL), keyId -> {});
    Rehasher rehasher =
        new Rehasher(editor, new SecretHasher(), nodes.time::nanos, Duration.ofMinutes(5));
    new AutomaticSteps(new Desk().administration, rehasher, Runnable::run, false).countIn(totals);
    totals.names().forEach(name -> names.add("`" + name + "`"));

    Set<String> documented =
        METRIC
            .matcher(Files.readString(Path.of("../docs/observability.md")))
            .results()
            .map(found -> found.group())
            .collect(Collectors.toCollection(TreeSet::new));
    String listener = Files.readString(Path.of("src/main/java/io/keystile/KeyListener.java"));

    assertThat(names).hasSize(10);
    assertThat(documented).isEqualTo(names);
    names.forEach(
        name -> assertThat(listener).contains("<td>{@code " + name.replace("`", "") + "}</td>"));
  }
}
