package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** No listener harms a request, and what it was not told is counted. */
class EventsTest {
  private static final int THREADS = 8;
  private static final int EACH = 1_000;

  private final Threads threads = new Threads();
  private final Nodes nodes = new Nodes(new InMemoryKeyStore());

  /** What nodes have counted, by metric and result. */
  private final Map<String, Long> counts = new ConcurrentHashMap<>();

  @AfterEach
  void close() {
    nodes.close();
    threads.close();
  }

  /** Keeps what it was told, in its order, and waits for a gate first. */
  private class Keeping implements KeyListener {
    final CountDownLatch gate = new CountDownLatch(1);
    final CountDownLatch called = new CountDownLatch(1);
    final List<String> told = new ArrayList<>(); // one thread at a time, as promised

    void meet() {
      called.countDown();
      try {
        assertThat(gate.await(60, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void usedFromBrowser(String keyId) {
      meet();
      told.add(keyId);
    }

    @Override
    public void alert(String keyId, RevocationReason reason) {
      meet();
      told.add(keyId + " " + reason);
    }

    @Override
    public void count(String metric, String result, long added) {
      assertThat(added).isPositive();
      counts.merge(metric + " " + result, added, Long::sum);
    }
  }

  private long count(String name) {
    return counts.getOrDefault(name, 0L);
  }

  private long raised() {
    return count("keystile.events delivered")
        + count("keystile.events failed")
        + count("keystile.events dropped");
  }

  private ApiKeys node(KeyListener listener) {
    return nodes.node(builder -> builder.listener(listener));
  }

  /** From a browser, so that each raises an event. */
  private int validate(ApiKeys node, String token, int times) {
    int accepted = 0;
    for (int i = 0; i < times; i++) {
      accepted += node.validate(token, Nodes.ANY, Nodes.HERE.browser(true)).isAccepted() ? 1 : 0;
    }
    return accepted;
  }

  private static String issue(ApiKeys node) {
    return node.issue(KeySpec.forOwner("owner")).revealToken();
  }

  @Test
  void a_listener_that_blocks_holds_up_no_request_and_what_it_misses_is_counted() throws Exception {
    Keeping listener = new Keeping();
    ApiKeys node = node(listener);
    String token = issue(node);
    List<Callable<Integer>> calls = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      calls.add(() -> validate(node, token, EACH));
    }

    // returns although the listener stands still: nothing waits for it
    int accepted = threads.race(calls).stream().mapToInt(Integer::intValue).sum();
    node.revoke(Nodes.idOf(token), Desk.LEAK);
    assertThat(listener.gate.getCount()).isEqualTo(1);
    assertThat(listener.told).isEmpty();

    listener.gate.countDown();
    Internals.awaitEvents(node);
    node.report();
    Internals.awaitEvents(node);
    int all = THREADS * EACH + 1;
    System.out.printf(
        "Blocked listener: %,d accepted; of %,d events %,d delivered, %,d dropped%n",
        accepted, all, listener.told.size(), count("keystile.events dropped"));
    assertThat(accepted).isEqualTo(THREADS * EACH);
    assertThat(listener.told).hasSizeLessThanOrEqualTo(Events.MAX_OF_REQUESTS + 1);
    assertThat(count("keystile.events delivered")).isEqualTo(listener.told.size()).isPositive();
    assertThat(raised()).isEqualTo(all);
    // there was room for what matters more
    assertThat(listener.told).contains(Nodes.idOf(token) + " LEAKED");
  }

  @Test
  void the_twin_that_calls_the_listener_on_the_request_stands_still() throws Exception {
    Keeping listener = new Keeping();
    Events twin = new Events(listener, Runnable::run, new Counts());
    Thread request = new Thread(() -> twin.usedFromBrowser("key"));
    request.setDaemon(true);
    request.start();

    assertThat(listener.called.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(request.isAlive()).isTrue();
    assertThat(listener.told).isEmpty();
    listener.gate.countDown();
    request.join();
    assertThat(listener.told).containsExactly("key");
  }

  @Test
  void each_event_is_delivered_failed_or_dropped_whatever_is_thrown() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    KeyListener throwing =
        new Keeping() {
          @Override
          public void usedFromBrowser(String keyId) {
            switch (calls.incrementAndGet() % 3) {
              case 0 -> throw new IllegalStateException("planted");
              case 1 -> throw new StackOverflowError("planted");
              default -> told.add(keyId);
            }
          }
        };
    ApiKeys node = node(throwing);
    String token = issue(node);
    List<Callable<Integer>> requests = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      requests.add(() -> validate(node, token, EACH));
    }

    int accepted = threads.race(requests).stream().mapToInt(Integer::intValue).sum();
    Internals.awaitEvents(node);
    node.report();
    Internals.awaitEvents(node);

    System.out.printf(
        "Throwing listener: %,d accepted; %,d delivered, %,d failed, %,d dropped%n",
        accepted,
        count("keystile.events delivered"),
        count("keystile.events failed"),
        count("keystile.events dropped"));
    assertThat(accepted).isEqualTo(THREADS * EACH);
    assertThat(raised()).isEqualTo(THREADS * EACH);
    assertThat(count("keystile.events delivered")).isEqualTo(((Keeping) throwing).told.size());
    assertThat(count("keystile.events failed"))
        .isEqualTo(calls.get() - ((Keeping) throwing).told.size())
        .isPositive();
  }

  @Test
  void what_one_thread_raises_comes_in_its_order() throws Exception {
    Map<String, List<Integer>> told = new HashMap<>();
    Background background = new Background(1, 1);
    KeyListener listener =
        new KeyListener() {
          @Override
          public void retiredSecretUsed(String keyId, int number) {
            told.computeIfAbsent(keyId, id -> new ArrayList<>()).add(number);
          }
        };
    Events events = new Events(listener, background.listener(), new Counts());
    List<Callable<Integer>> calls = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      String name = "thread " + thread;
      calls.add(
          () -> {
            for (int i = 0; i < EACH; i++) {
              events.retiredSecretUsed(name, i);
            }
            return EACH;
          });
    }

    threads.race(calls);
    background.stop();
    List<Runnable> left = background.lastWords(() -> {}, Duration.ofMinutes(1));

    assertThat(left).isEmpty();
    assertThat(told).isNotEmpty();
    told.forEach(
        (thread, numbers) -> assertThat(numbers).as(thread).isSorted().doesNotHaveDuplicates());
  }

  @Test
  void a_listener_that_blocks_does_not_keep_a_node_from_closing() {
    Keeping listener = new Keeping();
    ApiKeys node = node(listener);
    assertThat(validate(node, issue(node), 10)).isEqualTo(10);

    node.close(); // returns, though nobody opens the gate

    assertThat(listener.gate.getCount()).isEqualTo(1);
    listener.gate.countDown();
  }

  @Test
  void what_a_blocked_listener_was_not_told_before_the_deadline_is_counted_and_never_told() {
    int events = 500;
    Background background = new Background(1, 1);
    Keeping listener = new Keeping();
    Counts totals = new Counts();
    Events told = new Events(listener, background.listener(), totals);
    for (int i = 0; i < events; i++) {
      told.usedFromBrowser("key " + i);
    }
    Waiting.until(() -> listener.called.getCount() == 0);

    background.stop();
    told.discard(background.lastWords(told::reportNow, Duration.ofMillis(1)));
    listener.gate.countDown();

    Waiting.until(
        () -> {
          totals.tell(listener::count);
          return raised() == events;
        });
    assertThat(count("keystile.events delivered")).isEqualTo(1); // was under way
    assertThat(count("keystile.events dropped")).isEqualTo(events - 1);
    assertThat(listener.told).containsExactly("key 0");
  }

  @Test
  void closing_delivers_what_waits_and_the_last_counts() {
    Keeping listener = new Keeping();
    ApiKeys node = node(listener);
    String token = issue(node);
    int events = 500;
    assertThat(validate(node, token, events)).isEqualTo(events);
    listener.gate.countDown();

    node.close();

    assertThat(listener.told).hasSize(events);
    assertThat(count("keystile.events delivered")).isEqualTo(events);
    assertThat(count("keystile.validations accepted")).isEqualTo(events);
    assertThat(count("keystile.uses written")).isEqualTo(1);
  }

  @Test
  void without_room_for_a_thread_events_are_dropped_and_counted() {
    Executor broken =
        task -> {
          throw new OutOfMemoryError("planted: unable to create native thread");
        };
    Counts totals = new Counts();
    Events events = new Events(new Keeping(), broken, totals);

    events.usedFromBrowser("key");
    events.report();
    events.report();

    totals.tell((metric, result, added) -> counts.merge(metric + " " + result, added, Long::sum));
    assertThat(counts).isEqualTo(Map.of("keystile.events dropped", 1L));

    // one that loses what it took is noticed
    Counts ofTwin = new Counts();
    new Events(new Keeping(), task -> {}, ofTwin).usedFromBrowser("key");
    counts.clear();
    ofTwin.tell((metric, result, added) -> counts.merge(metric + " " + result, added, Long::sum));
    assertThat(raised()).isZero();
  }
}
