package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.keystile.limit.Plan;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** From one pepper to the next: on one node, on two, and what is left when one is dropped. */
class PepperChangeTest {
  private static final int KEYS = 1000;
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret P1 = Tokens.secret("p1", 1);
  private static final ServerSecret P2 = Tokens.secret("p2", 2);
  private static final ServerSecret P3 = Tokens.secret("p3", 3);
  private static final String OK = "accepted";

  private final ManualTime time = new ManualTime();
  private final KeyStore store = new InMemoryKeyStore();
  private final List<ApiKeys> open = new ArrayList<>();
  private final List<String> missing = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void a_pepper_that_is_dropped_takes_with_it_exactly_those_that_were_counted() {
    List<String> first = issue(node(b -> b.pepper(P1)), KEYS);
    List<String> second = issue(node(b -> b.pepper(P2)), KEYS);
    List<String> third = issue(node(b -> b.pepper(P3)), KEYS);
    ApiKeys all = node(b -> b.pepper(P3, P2, P1));

    Waiting.until(
        () -> {
          assertThat(verdicts(all, second)).isEqualTo(Map.of(OK, KEYS));
          assertThat(verdicts(all, third)).isEqualTo(Map.of(OK, KEYS));
          return all.countNeeding("p2") == 0;
        });
    assertThat(all.countNeeding("p1")).isEqualTo(KEYS);
    assertThat(all.countNeeding("p3")).isEqualTo(2 * KEYS);
    assertThat(missing()).isEmpty();

    ApiKeys after = node(b -> b.pepper(P3));
    Map<String, Integer> ofFirst = verdicts(after, first);
    Map<String, Integer> ofSecond = verdicts(after, second);
    Map<String, Integer> ofThird = verdicts(after, third);
    System.out.printf(
        "3 peppers x %d keys, two dropped: %s, %s, %s%n", KEYS, ofFirst, ofSecond, ofThird);
    assertThat(ofFirst).isEqualTo(Map.of("PEPPER_MISSING", KEYS));
    assertThat(ofSecond).isEqualTo(Map.of(OK, KEYS));
    assertThat(ofThird).isEqualTo(Map.of(OK, KEYS));
    assertThat(missing()).containsExactly("p1");
    assertThat(after.status().missingPeppers()).containsExactly("p1");

    // nothing is lost: with the pepper they are back
    assertThat(verdicts(node(b -> b.pepper(P3, P1)), first)).isEqualTo(Map.of(OK, KEYS));
  }

  @Test
  void the_good_secret_of_a_key_works_whatever_peppers_its_others_need() {
    ApiKeys old = node(b -> b.pepper(P1));
    IssuedKey inGrace = old.issue(spec());
    IssuedKey retired = old.issue(spec());
    ApiKeys both = node(b -> b.pepper(P2, P1));
    String newOfInGrace = both.rotate(inGrace.id(), Rotation.usual()).revealToken();
    Rotation atOnce = Rotation.withGrace(Duration.ZERO);
    String newOfRetired = both.rotate(retired.id(), atOnce).revealToken();
    assertThat(both.countNeeding("p1")).isEqualTo(1);

    ApiKeys after = node(b -> b.pepper(P2));
    assertThat(verdict(after, newOfInGrace)).isEqualTo(OK);
    assertThat(verdict(after, newOfRetired)).isEqualTo(OK);
    assertThat(missing()).isEmpty();

    // a secret that is over is not waited for, and its pepper is no loss
    assertThat(verdict(after, retired.revealToken())).isEqualTo("WRONG_SECRET");
    assertThat(verdict(after, wrong(newOfRetired))).isEqualTo("WRONG_SECRET");
    assertThat(missing()).isEmpty();
    assertThat(after.status().missingPeppers()).isEmpty();

    // what may be the secret in grace cannot be judged
    assertThat(verdict(after, inGrace.revealToken())).isEqualTo("PEPPER_MISSING");
    assertThat(verdict(after, wrong(newOfInGrace))).isEqualTo("PEPPER_MISSING");
    assertThat(missing()).containsExactly("p1");
    time.advance(Duration.ofDays(7));
    after.poll();
    assertThat(verdict(after, inGrace.revealToken())).isEqualTo("WRONG_SECRET");
    assertThat(verdict(after, newOfInGrace)).isEqualTo(OK);
  }

  @Test
  void keys_that_are_over_need_no_pepper_and_raise_no_alarm() {
    ApiKeys old = node(b -> b.pepper(P1));
    ApiKeys unpeppered = node(b -> b);
    List<String> over = new ArrayList<>();
    for (ApiKeys node : List.of(old, unpeppered)) {
      IssuedKey revoked = node.issue(spec());
      node.revoke(revoked.id(), Desk.LEAK);
      IssuedKey withdrawn = node.issue(spec());
      node.revokeSecret(withdrawn.id(), 1, Desk.LEAK);
      over.add(revoked.revealToken());
      over.add(withdrawn.revealToken());
      over.add(node.issue(spec().lifetime(Duration.ofDays(1))).revealToken());
      over.add(node.issue(spec().endsAt(time.instant().plus(Duration.ofDays(1)))).revealToken());
    }
    IssuedKey disabled = old.issue(spec());
    old.disable(disabled.id(), Cause.unstated());
    IssuedKey bare = unpeppered.issue(spec());
    time.advance(Duration.ofDays(1));
    ApiKeys after = node(b -> b.pepper(P2));

    assertThat(after.countNeeding("p1")).isEqualTo(1);
    assertThat(after.countUnpeppered()).isEqualTo(1);
    assertThat(verdicts(after, over)).isEqualTo(Map.of("WRONG_SECRET", over.size()));
    assertThat(missing()).isEmpty();
    assertThat(verdict(after, disabled.revealToken())).isEqualTo("PEPPER_MISSING");
    assertThat(verdict(after, bare.revealToken())).isEqualTo("SCHEME_UNKNOWN");
  }

  @Test
  void an_unknown_id_costs_the_work_of_a_wrong_secret_whatever_pepper_is_missing() {
    ApiKeys old = node(b -> b.pepper(P1));
    IssuedKey retired = old.issue(spec());
    ApiKeys both = node(b -> b.pepper(P2, P1));
    both.rotate(retired.id(), Rotation.withGrace(Duration.ZERO));
    IssuedKey revoked = old.issue(spec());
    old.revoke(revoked.id(), Desk.LEAK);
    ApiKeys after = node(b -> b.pepper(P2));
    IssuedKey good = after.issue(spec());
    String unknown = issue(node(b -> b.pepper(P2)), 1).get(0);
    String strange = Tokens.random(Tokens.LIVE, Seed.secure(Seed.of("strange id")));
    assertThat(verdict(after, strange)).isEqualTo("UNKNOWN");

    long ofUnknown = allocated(after, strange);
    long ofWrong = allocated(after, wrong(unknown));
    long ofRetired = allocated(after, wrong(retired.revealToken()));
    long ofRevoked = allocated(after, revoked.revealToken());
    long ofGood = allocated(after, good.revealToken());
    System.out.printf(
        "Bytes: unknown %d, wrong %d, retired on a dropped pepper %d, revoked on it %d; good %d%n",
        ofUnknown, ofWrong, ofRetired, ofRevoked, ofGood);
    // the hash of a pepper is what allocates: this sees whether one was made
    assertThat(ofUnknown - ofGood).isGreaterThan(200);
    assertThat(List.of(ofWrong, ofRetired, ofRevoked))
        .allMatch(bytes -> Math.abs(bytes - ofUnknown) < 100);
  }

  private static long allocated(ApiKeys node, String token) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first warms up
      long start = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 5000; i++) {
        node.validate(token, ANY, HERE);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - start);
    }
    return least / 5000;
  }

  /** A node under traffic that is replaced by its next version without a pause. */
  private final class Slot implements AutoCloseable {
    private final KeyStore shared;
    private final List<String> tokens;
    private final Map<String, LongAdder> verdicts = new ConcurrentHashMap<>();
    private final AtomicInteger passes = new AtomicInteger();
    private final Thread traffic = new Thread(this::run);
    private volatile boolean stopped;
    private ApiKeys node;

    Slot(KeyStore shared, List<String> tokens, UnaryOperator<ApiKeysBuilder> options) {
      this.shared = shared;
      this.tokens = tokens;
      node = on(shared, options);
      traffic.start();
    }

    private void run() {
      while (!stopped) {
        for (String token : tokens) {
          verdicts.computeIfAbsent(validate(token), verdict -> new LongAdder()).increment();
        }
        passes.incrementAndGet();
      }
    }

    private synchronized String validate(String token) {
      return verdict(node, token);
    }

    /** The next version takes over; the old one is not used any more when it is closed. */
    void deploy(UnaryOperator<ApiKeysBuilder> options) {
      ApiKeys next = on(shared, options);
      ApiKeys old;
      synchronized (this) {
        old = node;
        node = next;
      }
      old.close();
    }

    synchronized ApiKeys node() {
      return node;
    }

    /** Returns when every key was used twice from now on. */
    void awaitTraffic() {
      int now = passes.get();
      Waiting.until(() -> passes.get() > now + 2);
    }

    @Override
    public void close() throws InterruptedException {
      stopped = true;
      traffic.join();
      node.close();
    }

    long refused() {
      return verdicts.entrySet().stream()
          .filter(verdict -> !verdict.getKey().equals(OK))
          .mapToLong(verdict -> verdict.getValue().sum())
          .sum();
    }

    long accepted() {
      return verdicts.getOrDefault(OK, new LongAdder()).sum();
    }
  }

  @Test
  void a_change_of_pepper_is_rolled_out_over_two_nodes_and_nobody_is_refused() throws Exception {
    for (int order = 0; order < 8; order++) {
      KeyStore shared = new InMemoryKeyStore();
      long[] result = rollOut(shared, order);
      System.out.printf(
          "Order %d: %d accepted, %d refused, %d rehashes of %d keys%n",
          order, result[0], result[1], result[2], KEYS);
      assertThat(result[1]).as("refused in order %d", order).isZero();
      assertThat(result[2]).isEqualTo(KEYS + 2);
    }
  }

  /** The bits of the order say which node comes first in each of the three steps. */
  private long[] rollOut(KeyStore shared, int order) throws Exception {
    List<String> tokens = new CopyOnWriteArrayList<>();
    try (ApiKeys issuer = on(shared, b -> b.pepper(P1))) {
      tokens.addAll(issue(issuer, KEYS));
    }
    pass();
    try (Slot a = new Slot(shared, tokens, x -> x.pepper(P1));
        Slot b = new Slot(shared, tokens, x -> x.pepper(P1))) {
      List<UnaryOperator<ApiKeysBuilder>> steps =
          List.of(x -> x.pepper(P1, P2), x -> x.pepper(P2, P1), x -> x.pepper(P2));
      for (int step = 0; step < steps.size(); step++) {
        if (step == 2) {
          passBetweenRequests(a, b); // what was issued meanwhile is left alone for a while
          Waiting.until(() -> a.node().countNeeding("p1") == 0);
        }
        boolean isSwapped = (order >> step & 1) == 1;
        for (Slot slot : isSwapped ? List.of(b, a) : List.of(a, b)) {
          slot.deploy(steps.get(step));
          a.awaitTraffic();
          b.awaitTraffic();
          // what one issues the other takes
          tokens.addAll(issue(slot.node(), 1));
        }
      }
      a.awaitTraffic();
      b.awaitTraffic();
      assertThat(a.verdicts.keySet()).containsExactly(OK);
      assertThat(b.verdicts.keySet()).containsExactly(OK);
      return new long[] {a.accepted() + b.accepted(), a.refused() + b.refused(), rehashes(shared)};
    }
  }

  /** Two hours within a load would make what it brings too old to be used. */
  private void passBetweenRequests(Slot a, Slot b) {
    synchronized (a) {
      synchronized (b) {
        pass();
      }
    }
  }

  private static long rehashes(KeyStore shared) {
    long count = 0;
    long after = 0;
    for (var page = shared.audit(AuditFilter.all(), after, 1000);
        !page.isEmpty();
        page = shared.audit(AuditFilter.all(), after, 1000)) {
      count += page.stream().filter(entry -> entry.action().equals("rehash")).count();
      after = page.get(page.size() - 1).number();
    }
    return count;
  }

  @Test
  void the_newest_pepper_must_not_hash_before_it_is_everywhere() throws Exception {
    KeyStore shared = new InMemoryKeyStore();
    List<String> tokens;
    try (ApiKeys issuer = on(shared, b -> b.pepper(P1))) {
      tokens = issue(issuer, KEYS);
    }
    pass();
    try (Slot a = new Slot(shared, tokens, x -> x.pepper(P1));
        Slot b = new Slot(shared, tokens, x -> x.pepper(P1))) {
      a.deploy(x -> x.pepper(P2, P1));
      Waiting.until(() -> a.node().countNeeding("p1") == 0);
      b.awaitTraffic();

      System.out.println("The twin without the first step: " + b.verdicts);
      assertThat(a.refused()).isZero();
      assertThat(b.refused()).isGreaterThan(KEYS);
      assertThat(b.verdicts.keySet()).containsExactlyInAnyOrder(OK, "PEPPER_MISSING");
    }
  }

  // --- what the tests share ---

  /** A node that starts two hours later, when no hash is young any more. */
  private ApiKeys node(UnaryOperator<ApiKeysBuilder> options) {
    pass();
    ApiKeys node = on(store, options);
    open.add(node);
    return node;
  }

  private void pass() {
    time.advance(Duration.ofHours(2));
  }

  private ApiKeys on(KeyStore shared, UnaryOperator<ApiKeysBuilder> options) {
    return options.apply(builder(shared)).build();
  }

  private ApiKeysBuilder builder(KeyStore shared) {
    return ApiKeys.builder(shared)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .time(time, time::nanos)
        .propagation(Duration.ofMillis(40))
        .loaders(4, 100_000)
        .loadDeadline(Duration.ofMinutes(1))
        .listener(
            new KeyListener() {
              @Override
              public void pepperMissing(String pepperId) {
                missing.add(pepperId);
              }
            });
  }

  /** What the listeners of all nodes were told. */
  private List<String> missing() {
    open.forEach(Internals::awaitEvents);
    return missing;
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("owner");
  }

  private static List<String> issue(ApiKeys node, int keys) {
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      tokens.add(node.issue(spec()).revealToken());
    }
    return tokens;
  }

  private static Map<String, Integer> verdicts(ApiKeys node, List<String> tokens) {
    Map<String, Integer> verdicts = new TreeMap<>();
    tokens.forEach(token -> verdicts.merge(verdict(node, token), 1, Integer::sum));
    return verdicts;
  }

  private static String verdict(ApiKeys node, String token) {
    return node.validate(token, ANY, HERE) instanceof Rejected rejected
        ? rejected.reason().name()
        : OK;
  }

  private static String wrong(String token) {
    String body = token.substring(0, token.length() - Base62.CRC_LENGTH - 1);
    char last = token.charAt(token.length() - Base62.CRC_LENGTH - 1);
    return Tokens.withChecksum(body + (last == '0' ? '1' : '0'));
  }
}
