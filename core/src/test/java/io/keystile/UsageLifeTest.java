package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.StoreException;
import io.keystile.store.UseMark;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.Usage;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageRecorder.Counts;
import java.io.StringWriter;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Usage from a validation to a report. Time is the test's. */
class UsageLifeTest {
  private static final KeySpec SPEC =
      KeySpec.forOwner("owner").plan("unlimited").scopes("orders:read");
  private static final Access READ = Access.requiring("orders:read");
  private static final Access WRITE = Access.requiring("orders:write");

  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final Nodes nodes = new Nodes(store);

  @AfterEach
  void close() {
    nodes.close();
  }

  private Usage total(ApiKeys node) {
    Instant now = nodes.time.instant();
    return node.usage()
        .total(UsageQuery.perHour(now.minus(Duration.ofDays(1)), now.plus(Duration.ofDays(1))));
  }

  @Test
  void validation_counts_and_the_host_adds_what_it_knows() throws Exception {
    ApiKeys node = nodes.node(options -> options.recordUsage().keepRequests(10));
    IssuedKey key = node.issue(SPEC);
    Origin text = Origin.of("192.0.2.7").secure(true).caller("billing");
    Origin address = Origin.of(InetAddress.getByName("2001:db8:1:2::3")).secure(true);

    Accepted accepted = (Accepted) node.validate(key.revealToken(), READ, text);
    accepted.answered("GET", "/orders/{id}", 200, 2_500_000, 1_000);
    accepted.transferred("image", 300);
    node.validate(key.revealToken(), READ, address); // and the host says no more
    node.validate(key.revealToken(), WRITE, text);
    Accepted dry = (Accepted) node.peek(key.revealToken(), READ, text);
    dry.answered("GET", "/orders/{id}", 200, 2_500_000, 1_000);
    dry.transferred("image", 300);
    node.validate("acme_live_nonsense", READ, text);
    node.flush();

    Usage usage = total(node);
    assertThat(usage.requests()).isEqualTo(2);
    assertThat(usage.refusals()).isEqualTo(Map.of("SCOPE_MISSING", 1L));
    assertThat(usage.answers()).isEqualTo(Map.of("GET 200", 1L));
    assertThat(usage.bytesByCategory()).isEqualTo(Map.of("all", 1_000L, "image", 300L));
    assertThat(usage.networks()).isEqualTo(Map.of("192.0.2.0/24", 1L, "2001:db8:1::/48", 1L));
    assertThat(usage.callers()).isEqualTo(Map.of("billing", 1L));
    assertThat(usage.secrets()).isEqualTo(Map.of("1", 3L));
    assertThat(usage.durations().longest()).isEqualTo(Duration.ofNanos(2_500_000));
    assertThat(node.status().usage()).isEqualTo(new Counts(6, 6, 0));
    assertThat(node.recentRequests(key.id()))
        .containsExactly(
            new RequestRecord(
                nodes.time.instant(),
                key.id(),
                "owner",
                "/orders/{id}",
                "GET",
                200,
                Duration.ofNanos(2_500_000),
                "192.0.2.7",
                1_000L,
                "billing"));
    assertThat(node.forOwner("owner").recentRequests(key.id()))
        .isEqualTo(node.recentRequests(key.id()));
    assertThat(node.forOwner("thief").recentRequests(key.id())).isEmpty();
  }

  @Test
  void both_secrets_of_a_rotation_count_for_one_key() {
    ApiKeys node = nodes.node(ApiKeysBuilder::recordUsage);
    IssuedKey first = node.issue(SPEC);
    IssuedKey second = node.rotate(first.id(), Rotation.withGrace(Duration.ofDays(1)));
    assertThat(Uses.accepted(node, first, 3)).isEqualTo(3);
    assertThat(Uses.accepted(node, second, 2)).isEqualTo(2);
    node.flush();
    assertThat(total(node).secrets()).isEqualTo(Map.of("1", 3L, "2", 2L));
    assertThat(total(node).requests()).isEqualTo(5);
  }

  @Test
  void nodes_add_up() throws Exception {
    int count = 4;
    int each = 20 * Threads.ROUNDS;
    List<ApiKeys> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(nodes.node(ApiKeysBuilder::recordUsage));
    }
    IssuedKey key = all.get(0).issue(SPEC);
    List<Callable<Boolean>> calls = new ArrayList<>();
    for (ApiKeys node : all) {
      calls.add(
          () -> {
            for (int i = 0; i < each; i++) {
              Uses.accepted(node, key, 1);
              if (i % 100 == 0) {
                node.flush();
              }
            }
            return true;
          });
    }
    try (Threads race = new Threads()) {
      race.race(calls);
    }
    all.forEach(ApiKeys::close);
    ApiKeys reader = nodes.node(ApiKeysBuilder::recordUsage);
    System.out.printf("%d nodes, %,d requests, all counted once%n", count, count * each);
    assertThat(total(reader).requests()).isEqualTo((long) count * each);
  }

  @Test
  void closing_writes_what_is_pending_or_counts_it_as_dropped() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    boolean[] fails = {false};
    Nodes slow =
        new Nodes(
            new UsageStoreWrapper(store) {
              @Override
              public boolean add(Batch batch) {
                reached.countDown();
                try {
                  released.await();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
                if (fails[0]) {
                  throw new StoreException(StoreException.Kind.UNAVAILABLE, "add", null);
                }
                return super.add(batch);
              }
            },
            nodes.time);
    ApiKeys hanging = slow.node(ApiKeysBuilder::recordUsage);
    IssuedKey key = hanging.issue(SPEC);
    assertThat(Uses.accepted(hanging, key, 1_000)).isEqualTo(1_000);
    hanging.close(); // leaves at its deadline
    reached.await();
    assertThat(hanging.status().usage()).isEqualTo(new Counts(1_000, 0, 1_000));
    released.countDown(); // the store comes back, and the daemon thread is done
    Waiting.until(() -> hanging.status().usage().stored() > 0);
    assertThat(hanging.status().usage()).isEqualTo(new Counts(1_000, 1_000, 0));

    fails[0] = true;
    ApiKeys refused = slow.node(ApiKeysBuilder::recordUsage);
    assertThat(Uses.accepted(refused, key, 1_000)).isEqualTo(1_000);
    refused.close();
    assertThat(refused.status().usage()).isEqualTo(new Counts(1_000, 0, 1_000));
    slow.close();
  }

  @Test
  void an_executor_of_the_host_writes_and_may_refuse() {
    List<Runnable> tasks = new ArrayList<>();
    Background background = new Background(1, 1);
    CountDownLatch three = new CountDownLatch(3);
    background.flush(
        () -> tasks.add(null),
        task -> {
          three.countDown();
          if (three.getCount() == 2) {
            throw new RejectedExecutionException();
          }
          task.run();
        },
        Duration.ofMillis(1));
    Waiting.until(() -> three.getCount() == 0);
    background.stop();
    assertThat(background.finish(() -> true, () -> true, Duration.ofSeconds(5))).isTrue();
    assertThat(tasks).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void what_was_used_is_written_by_itself_within_the_interval() {
    ApiKeys node = nodes.node(options -> options.recordUsage().useInterval(Duration.ofSeconds(1)));
    IssuedKey key = node.issue(SPEC);
    for (int i = 1; i <= 3; i++) {
      assertThat(Uses.accepted(node, key, 100)).isEqualTo(100);
      long expected = 100L * i;
      Waiting.until(() -> total(node).requests() == expected);
    }
    assertThat(store.find(key.id()).orElseThrow().uses()).hasSize(1);
  }

  @Test
  void what_is_thrown_while_use_is_taken_in_ends_no_schedule() {
    CountDownLatch three = new CountDownLatch(3);
    Background background = new Background(1, 1);
    background.collect(
        () -> {
          three.countDown();
          throw new OutOfMemoryError("made up");
        },
        Duration.ofMillis(1));
    Waiting.until(() -> three.getCount() == 0);
    background.stop();
    assertThat(background.finish(() -> true, () -> true, Duration.ofSeconds(5))).isTrue();
  }

  @Test
  void an_executor_that_drops_tasks_without_a_word_is_given_others() {
    AtomicInteger given = new AtomicInteger();
    CountDownLatch flushed = new CountDownLatch(3);
    Background background = new Background(1, 1);
    background.flush(
        flushed::countDown,
        task -> {
          if (given.incrementAndGet() > 2) {
            task.run();
          }
        },
        Duration.ofMillis(1));
    Waiting.until(() -> flushed.getCount() == 0);
    background.stop();
    assertThat(background.finish(() -> true, () -> true, Duration.ofSeconds(5))).isTrue();
  }

  /** Fails so often, then is well. */
  private UsageStoreWrapper failing(int[] times) {
    return new UsageStoreWrapper(store) {
      @Override
      public boolean add(Batch batch) {
        fail();
        return super.add(batch);
      }

      @Override
      public void recordUse(List<UseMark> marks) {
        fail();
        super.recordUse(marks);
      }

      private void fail() {
        if (times[0] > 0) {
          times[0]--;
          throw new StoreException(StoreException.Kind.UNAVAILABLE, "add", null);
        }
      }
    };
  }

  @Test
  void closing_outlives_an_interrupt_and_a_connection_or_two_that_are_broken() {
    int[] failures = {2};
    Nodes shaky = new Nodes(failing(failures), nodes.time);
    ApiKeys node = shaky.node(ApiKeysBuilder::recordUsage);
    IssuedKey key = node.issue(SPEC);
    assertThat(Uses.accepted(node, key, 1_000)).isEqualTo(1_000);
    Thread.currentThread().interrupt();
    node.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(failures[0]).isZero();
    assertThat(node.status().usage()).isEqualTo(new Counts(1_000, 1_000, 0));
    assertThat(store.find(key.id()).orElseThrow().uses()).hasSize(1);
    shaky.close();
  }

  @Test
  void usage_is_exported_as_lines_that_a_spreadsheet_can_read() throws Exception {
    ApiKeys node = nodes.node(ApiKeysBuilder::recordUsage);
    IssuedKey key = node.issue(KeySpec.forOwner("=cmd|'/C calc'!A0").plan("pro"));
    Accepted accepted = (Accepted) node.validate(key.revealToken(), Nodes.ANY, Nodes.HERE);
    accepted.answered("GET", "+1,\"2\"", 200, 1, 0);
    node.flush();
    StringWriter csv = new StringWriter();
    Instant now = nodes.time.instant();
    node.usage().csv(UsageQuery.perHour(now.minus(Duration.ofHours(2)), now.plusMillis(1)), csv);
    assertThat(csv.toString())
        .startsWith("key_id,owner,plan,period,start,metric,label,amount\r\n" + key.id())
        .contains(key.id() + ",'=cmd|'/C calc'!A0,pro,hour,")
        .contains(",endpoints,\"'+1,\"\"2\"\"\",1\r\n")
        .contains(",requests,all,1\r\n");
    assertThat(csv.toString().lines())
        .hasSizeGreaterThan(5)
        .noneMatch(line -> line.matches(".*,[=+@-].*"));
  }

  @Test
  void old_usage_is_removed_and_the_rest_stays() {
    ApiKeys node = nodes.node(ApiKeysBuilder::recordUsage);
    IssuedKey key = node.issue(SPEC);
    Uses.accepted(node, key, 1);
    node.flush();
    Instant old = nodes.time.instant();
    nodes.time.advance(Duration.ofDays(3));
    Uses.accepted(node, key, 2);
    node.flush();
    Instant cut = old.plus(Duration.ofDays(1));
    UsageQuery days = UsageQuery.perDay(Instant.EPOCH, nodes.time.instant().plusMillis(1));

    assertThat(node.purgeUsage(cut, Instant.EPOCH)).isPositive();
    assertThat(total(node).requests()).isEqualTo(2);
    assertThat(node.usage().total(days).requests()).isEqualTo(3);
    assertThat(node.purgeUsage(cut, cut)).isPositive();
    assertThat(node.usage().total(days).requests()).isEqualTo(2);
    assertThat(node.purgeUsage(cut, cut)).isZero();
  }

  @Test
  void pages_of_rows_follow_each_other() {
    ApiKeys node = nodes.node(ApiKeysBuilder::recordUsage);
    int keys = 25;
    for (int i = 0; i < keys; i++) {
      Uses.accepted(node, node.issue(SPEC), 1 + i);
    }
    node.flush();
    UsageQuery query =
        UsageQuery.perDay(Instant.EPOCH, nodes.time.instant().plusMillis(1))
            .owner("owner")
            .limit(4);
    List<String> seen = new ArrayList<>();
    long requests = 0;
    var page = node.usage().rows(query);
    while (!page.isEmpty()) {
      for (var row : page) {
        seen.add(row.keyId());
        requests += row.usage().requests();
      }
      page = node.usage().rows(query.after(page.get(page.size() - 1)));
    }
    assertThat(seen).hasSize(keys).doesNotHaveDuplicates().isSorted();
    assertThat(requests).isEqualTo(keys * (keys + 1) / 2);
  }
}
