package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Plan;
import io.keystile.store.RevocationReason;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What happens to those who wait for the store: deadlines, bounds, interruption, event loops. */
class LoadingTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  private final WatchedStore store = new WatchedStore();
  private final List<ApiKeys> open = new ArrayList<>();
  private final CountDownLatch gate = new CountDownLatch(1);

  @AfterEach
  void close() {
    gate.countDown();
    open.forEach(ApiKeys::close);
  }

  @Test
  void a_caller_leaves_at_the_deadline_and_the_load_serves_those_who_come_later() {
    ManualTime time = new ManualTime(); // stands still, so that no load is given up
    ApiKeys keys = node(b -> b.loadDeadline(Duration.ofMillis(20)).time(time, time::nanos));
    String token = keys.issue(KeySpec.forOwner("owner")).revealToken();
    store.gate = gate;

    assertThat(reason(keys.validate(token, ANY, HERE))).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(reason(keys.validateAsync(token, ANY, HERE).join()))
        .isEqualTo(Reason.STORE_UNAVAILABLE);
    gate.countDown();
    Waiting.until(() -> keys.validate(token, ANY, HERE).isAccepted());
    assertThat(store.loads).hasValue(1);
  }

  @Test
  void a_full_queue_is_said_at_once() throws Exception {
    ApiKeys keys = node(b -> b.loaders(1, 2).loadDeadline(Duration.ofMinutes(1)));
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      tokens.add(keys.issue(KeySpec.forOwner("owner")).revealToken());
    }
    store.gate = gate;
    List<CompletableFuture<Validation>> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      waiting.add(keys.validateAsync(tokens.get(i), ANY, HERE));
      // until the one loader is busy
      Waiting.until(() -> store.loads.get() != 0);
    }

    assertThat(reason(keys.validate(tokens.get(3), ANY, HERE))).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(reason(keys.validateAsync(tokens.get(3), ANY, HERE).join()))
        .isEqualTo(Reason.STORE_UNAVAILABLE);
    gate.countDown();
    for (CompletableFuture<Validation> result : waiting) {
      assertThat(result.get(30, TimeUnit.SECONDS).isAccepted()).isTrue();
    }
  }

  @Test
  void an_interrupted_caller_gets_a_result_and_keeps_its_flag() throws Exception {
    ApiKeys keys = node(b -> b.loadDeadline(Duration.ofMinutes(1)));
    String token = keys.issue(KeySpec.forOwner("owner")).revealToken();
    store.gate = gate;
    AtomicReference<Validation> result = new AtomicReference<>();
    CountDownLatch flagKept = new CountDownLatch(1);
    Thread caller =
        new Thread(
            () -> {
              result.set(keys.validate(token, ANY, HERE));
              if (Thread.currentThread().isInterrupted()) {
                flagKept.countDown();
              }
            });
    caller.start();
    Waiting.until(() -> store.loads.get() != 0);
    caller.interrupt();
    caller.join();

    assertThat(reason(result.get())).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(flagKept.getCount()).isZero();
  }

  @Test
  void an_asynchronous_hit_is_complete_at_once_and_a_miss_is_completed_by_a_loader()
      throws Exception {
    ApiKeys keys = node(b -> b.loadDeadline(Duration.ofMinutes(1)));
    String token = keys.issue(KeySpec.forOwner("owner")).revealToken();
    store.gate = gate;

    CompletableFuture<Validation> miss = keys.validateAsync(token, ANY, HERE);
    CompletableFuture<String> completedBy =
        miss.thenApply(result -> Thread.currentThread().getName());
    assertThat(miss).isNotDone();
    gate.countDown();

    assertThat(completedBy.get(30, TimeUnit.SECONDS)).startsWith("keystile-loader");
    assertThat(miss.join().isAccepted()).isTrue();
    assertThat(keys.validateAsync(token, ANY, HERE)).isCompleted();
  }

  @Test
  void a_flood_of_unknown_ids_leaves_room_to_refresh_the_keys_in_use() {
    ManualTime time = new ManualTime();
    ApiKeys keys =
        node(
            b ->
                b.loaders(1, 16)
                    .loadDeadline(Duration.ofMinutes(1))
                    .time(time, time::nanos)
                    // no poll but those below: another one could forget the key at any moment
                    .propagation(Duration.ofHours(1))
                    .maxStale(Duration.ofDays(1)));
    IssuedKey issued = keys.issue(KeySpec.forOwner("owner"));
    String hot = issued.revealToken();
    assertThat(keys.validate(hot, ANY, HERE).isAccepted()).isTrue();
    time.advance(Duration.ofMinutes(5));
    keys.poll();
    keys.validate(hot, ANY, HERE); // loads it anew, for its own notice came with the poll
    time.advance(Duration.ofMinutes(5));
    keys.poll();
    store.gate = gate;
    int loads = store.loadsOf(issued.id());
    SecureRandom random = new SecureRandom();
    List<CompletableFuture<Validation>> flood = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      flood.add(keys.validateAsync(Tokens.random(Tokens.LIVE, random), ANY, HERE));
    }
    assertThat(flood).anyMatch(CompletableFuture::isDone); // the queue is as full as they get it

    assertThat(keys.validate(hot, ANY, HERE).isAccepted()).isTrue(); // and asks for a refresh
    gate.countDown();
    // until the refresh has had its turn
    Waiting.until(() -> store.loadsOf(issued.id()) != loads);
  }

  @Test
  void threads_inherit_nothing_from_the_request_that_starts_them() {
    InheritableThreadLocal<String> tenant = new InheritableThreadLocal<>();
    List<String> seen = new CopyOnWriteArrayList<>();
    ApiKeys keys =
        node(
            b ->
                b.loadDeadline(Duration.ofMinutes(1))
                    .subjectPermissions(
                        (subject, granted) -> {
                          seen.add(String.valueOf(tenant.get()));
                          return granted;
                        }));
    String token = keys.issue(KeySpec.personalToken("owner", "user")).revealToken();
    tenant.set("tenant-a");

    assertThat(keys.validate(token, ANY, HERE).isAccepted()).isTrue();
    assertThat(seen).containsExactly("null");
  }

  @Test
  void a_load_that_lasted_too_long_is_not_accepted() throws Exception {
    ManualTime time = new ManualTime();
    ApiKeys keys =
        node(
            b ->
                b.loadDeadline(Duration.ofMinutes(1))
                    .time(time, time::nanos)
                    .propagation(Duration.ofSeconds(60)));
    String token = keys.issue(KeySpec.forOwner("owner")).revealToken();
    store.gate = gate;
    CompletableFuture<Validation> result = keys.validateAsync(token, ANY, HERE);
    Waiting.until(() -> store.loads.get() != 0);
    time.advance(Duration.ofSeconds(61));
    gate.countDown();

    assertThat(reason(result.get(30, TimeUnit.SECONDS))).isEqualTo(Reason.STORE_UNAVAILABLE);
  }

  @Test
  void a_revocation_during_a_load_is_not_overtaken_by_it() throws Exception {
    ApiKeys keys = node(b -> b.loadDeadline(Duration.ofMinutes(1)));
    IssuedKey issued = keys.issue(KeySpec.forOwner("owner"));
    store.gate = gate;
    CompletableFuture<Validation> early = keys.validateAsync(issued.revealToken(), ANY, HERE);
    // until the load has read the active record and waits
    Waiting.until(() -> store.loads.get() != 0);
    store.gate = null;

    keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    assertThat(reason(keys.validate(issued.revealToken(), ANY, HERE))).isEqualTo(Reason.REVOKED);
    gate.countDown();
    early.get(30, TimeUnit.SECONDS);
    assertThat(reason(keys.validate(issued.revealToken(), ANY, HERE))).isEqualTo(Reason.REVOKED);
  }

  private ApiKeys node(UnaryOperator<ApiKeysBuilder> options) {
    ApiKeys keys =
        options
            .apply(
                ApiKeys.builder(store)
                    .defaultPlan(Plan.unlimited())
                    .brand("acme")
                    .environment("live"))
            .build();
    open.add(keys);
    return keys;
  }

  private static Reason reason(Validation result) {
    return ((Rejected) result).reason();
  }
}
