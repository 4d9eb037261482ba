package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Plan;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Renewing a hash loses no change of others, and revives nothing. */
class RehashRaceTest {

  /** Enough for a planted fault that shows in nearly every round. */
  private static final int ROUNDS_OF_TWINS = 10;

  /** One that no node knows, and so does not limit: time stands still here. */
  private static final String PLAN = "gold";

  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret P1 = Tokens.secret("p1", 1);
  private static final ServerSecret P2 = Tokens.secret("p2", 2);
  private static final Revocation LEAK = Revocation.because(RevocationReason.LEAKED);

  private final Threads threads = new Threads();

  @AfterEach
  void close() {
    threads.close();
  }

  /**
   * Lets a rehash write only when others have changed the key since it was read, or had some time
   * to. The twin overwrites what they did.
   */
  private static final class LateStore extends ForwardingKeyStore {
    private final boolean overwrites;
    final AtomicInteger overtaken = new AtomicInteger();

    /** The keys that a rehash has read and not written. */
    final Set<String> read = ConcurrentHashMap.newKeySet();

    /** What is done to a key between the reading and the writing. */
    volatile Runnable meanwhile = () -> {};

    LateStore(boolean overwrites) {
      super(new InMemoryKeyStore());
      this.overwrites = overwrites;
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      if (!write.entry().action().equals(Rehasher.ACTION)) {
        return super.replace(write);
      }
      meanwhile.run();
      String id = write.record().id();
      long before = write.record().revision() - 1;
      read.add(id);
      waitAWhile(() -> revision(id) != before);
      read.remove(id);
      if (revision(id) != before) {
        overtaken.incrementAndGet();
      }
      if (!overwrites) {
        return super.replace(write);
      }
      synchronized (this) {
        KeyRecord next = write.record().toBuilder().revision(revision(id) + 1).build();
        return super.replace(new KeyWrite(next, write.entry()));
      }
    }

    /** Lets a change come while a rehash of this key has read and not written, if there is one. */
    void awaitRead(String id) {
      waitAWhile(() -> read.contains(id));
    }

    private static void waitAWhile(BooleanSupplier condition) {
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2);
      while (!condition.getAsBoolean() && System.nanoTime() < end) {
        Thread.yield();
      }
    }

    private long revision(String id) {
      return delegate.find(id).orElseThrow().record().revision();
    }
  }

  @Test
  void of_64_threads_that_use_and_change_keys_none_loses_a_change_to_a_rehash() throws Exception {
    int rounds = Math.max(ROUNDS_OF_TWINS, Threads.ROUNDS / 10);
    LateStore right = new LateStore(false);
    int wrong = race(right, rounds);
    LateStore twin = new LateStore(true);
    int wrongOfTwin = race(twin, ROUNDS_OF_TWINS);

    System.out.printf(
        "%d rounds of 64 threads over 8 keys: %d wrong, %d rehashes were overtaken;"
            + " without compare-and-set %d of %d wrong, %d overtaken%n",
        rounds, wrong, right.overtaken.get(), wrongOfTwin, ROUNDS_OF_TWINS, twin.overtaken.get());
    assertThat(right.overtaken).hasPositiveValue();
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private int race(LateStore store, int rounds) throws Exception {
    ManualTime time = new ManualTime();
    int wrong = 0;
    try (ApiKeys old = node(store, time, P1);
        ApiKeys node = node(store, time, P2, P1)) {
      for (int round = 0; round < rounds; round++) {
        List<IssuedKey> issued = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          issued.add(old.issue(KeySpec.forOwner("owner").name("before")));
        }
        time.advance(Duration.ofHours(2));
        wrong += race(store, old, node, issued) ? 0 : 1;
      }
    }
    return wrong;
  }

  /** Whether after it every key is as its changes have made it. */
  private boolean race(LateStore store, ApiKeys old, ApiKeys node, List<IssuedKey> issued)
      throws Exception {
    List<String> successors = new CopyOnWriteArrayList<>();
    List<Callable<Object>> calls = new ArrayList<>();
    for (int i = 0; i < issued.size(); i++) {
      String id = issued.get(i).id();
      // the changes of a key: 0 and 1 revoked, 2 and 3 rotated, 4 to 7 updated by three
      ApiKeys admin = i % 2 == 0 ? node : old;
      if (i < 2) {
        calls.add(
            () -> {
              store.awaitRead(id);
              return admin.revoke(id, LEAK);
            });
      } else if (i < 4) {
        calls.add(
            () -> {
              store.awaitRead(id);
              return successors.add(admin.rotate(id, Rotation.usual()).revealToken());
            });
      } else {
        calls.add(() -> admin.update(id, KeyUpdate.of().name("after")));
        calls.add(
            () -> {
              store.awaitRead(id);
              return old.update(id, KeyUpdate.of().plan(PLAN));
            });
        calls.add(() -> node.update(id, KeyUpdate.of().metadata(Map.of("team", "blue"))));
      }
    }
    for (int i = 0; calls.size() < 64; i++) {
      String token = issued.get(i % issued.size()).revealToken();
      calls.add(
          () -> {
            for (int use = 0; use < 20; use++) {
              node.validate(token, ANY, HERE);
            }
            return token;
          });
    }
    threads.race(calls);
    awaitSteps(node);
    List<String> tokens = new ArrayList<>(successors);
    issued.forEach(key -> tokens.add(key.revealToken()));
    node.poll();
    long accepted = tokens.stream().filter(token -> isAccepted(node, token)).count();
    boolean right = isAsChanged(store, issued) && accepted == tokens.size() - 2;
    // those that gave way are hashed at a later use; their successors are young
    for (int i = 2; right && i < issued.size(); i++) {
      IssuedKey key = issued.get(i);
      Waiting.until(() -> isAccepted(node, key.revealToken()) && isRenewed(store, key.id()));
    }
    awaitSteps(node);
    return right && isAsChanged(store, issued);
  }

  private static boolean isRenewed(LateStore store, String keyId) {
    return "p2".equals(record(store, keyId).versions().get(0).pepperId());
  }

  private static boolean isAsChanged(LateStore store, List<IssuedKey> issued) {
    boolean right = true;
    for (int i = 0; i < issued.size(); i++) {
      KeyRecord record = record(store, issued.get(i).id());
      // each revision but the first has its entry, so none is lost
      right &= record.revision() == store.audit(AuditFilter.ofKey(record.id()), 0, 1000).size();
      right &= (record.state() == State.REVOKED) == i < 2;
      right &= record.versions().size() == (i == 2 || i == 3 ? 2 : 1);
      right &= (record.versions().get(0).retiresAt() != null) == (i == 2 || i == 3);
      if (i >= 4) {
        right &=
            record.name().equals("after")
                && PLAN.equals(record.plan())
                && record.metadata().equals(Map.of("team", "blue"));
      }
    }
    return right;
  }

  @Test
  void a_change_between_reading_and_writing_stands_and_the_rehash_gives_way() {
    Map<String, BiConsumer<ApiKeys, String>> changes =
        Map.of(
            "update", (keys, id) -> keys.update(id, KeyUpdate.of().name("after")),
            "disable", (keys, id) -> keys.disable(id, Cause.unstated()),
            "revoke", (keys, id) -> keys.revoke(id, LEAK),
            "rotate", (keys, id) -> keys.rotate(id, Rotation.usual()),
            "rotate at once", (keys, id) -> keys.rotate(id, Rotation.withGrace(Duration.ZERO)),
            "revoke secret", (keys, id) -> keys.revokeSecret(id, 1, LEAK),
            "extend", (keys, id) -> keys.extend(id, Duration.ofDays(60), Cause.unstated()),
            "purge", (keys, id) -> purge(keys, id));
    int lost = 0;
    for (Map.Entry<String, BiConsumer<ApiKeys, String>> change : changes.entrySet()) {
      assertThat(isKept(false, change.getValue())).as(change.getKey()).isTrue();
      if (!change.getKey().equals("purge")) { // nothing can be written over it
        lost += isKept(true, change.getValue()) ? 0 : 1;
      }
    }
    System.out.printf(
        "%d changes within a rehash: 0 lost; without compare-and-set %d%n", changes.size(), lost);
    assertThat(lost).isEqualTo(changes.size() - 1);
  }

  private static boolean isKept(boolean overwrites, BiConsumer<ApiKeys, String> change) {
    LateStore store = new LateStore(overwrites);
    ManualTime time = new ManualTime();
    try (ApiKeys old = node(store, time, P1);
        ApiKeys node = node(store, time, P2, P1)) {
      IssuedKey issued = old.issue(KeySpec.personalToken("owner", "user"));
      time.advance(Duration.ofHours(2));
      List<KeyRecord> left = new CopyOnWriteArrayList<>();
      CountDownLatch done = new CountDownLatch(1);
      store.meanwhile =
          () -> {
            if (done.getCount() > 0) {
              change.accept(old, issued.id());
              store.find(issued.id()).ifPresent(stored -> left.add(stored.record()));
              done.countDown();
            }
          };
      assertThat(isAccepted(node, issued.revealToken())).isTrue();
      Waiting.until(() -> done.getCount() == 0);
      awaitSteps(node);
      List<KeyRecord> after =
          store.find(issued.id()).map(stored -> List.of(stored.record())).orElse(List.of());
      return after.equals(left);
    }
  }

  private static void purge(ApiKeys keys, String id) {
    keys.revoke(id, LEAK);
    keys.purge(Duration.ZERO, Duration.ofDays(1), Cause.unstated());
  }

  @Test
  void two_nodes_that_hash_the_same_keys_write_once() throws Exception {
    LateStore store = new LateStore(false);
    ManualTime time = new ManualTime();
    int keys = 200;
    try (ApiKeys old = node(store, time, P1);
        ApiKeys one = node(store, time, P2, P1);
        ApiKeys other = node(store, time, P2, P1)) {
      List<IssuedKey> issued = new ArrayList<>();
      for (int i = 0; i < keys; i++) {
        issued.add(old.issue(KeySpec.forOwner("owner")));
      }
      time.advance(Duration.ofHours(2));
      for (IssuedKey key : issued) {
        String token = key.revealToken();
        threads.race(List.of(() -> isAccepted(one, token), () -> isAccepted(other, token)));
      }
      for (IssuedKey key : issued) { // those that found the queue full
        Waiting.until(() -> isAccepted(one, key.revealToken()) && isRenewed(store, key.id()));
      }
      awaitSteps(one);
      awaitSteps(other);
      int written = 0;
      for (IssuedKey key : issued) {
        KeyRecord record = record(store, key.id());
        assertThat(record.versions()).extracting(SecretVersion::pepperId).containsExactly("p2");
        assertThat(record.revision()).isEqualTo(2);
        written++;
      }
      System.out.println(written + " keys used on two nodes at once: one rehash each");
      assertThat(written).isEqualTo(keys);
    }
  }

  private static ApiKeys node(
      KeyStore store, ManualTime time, ServerSecret primary, ServerSecret... others) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .plans(Plan.of("pro"))
        .brand("acme")
        .environment("live")
        .pepper(primary, others)
        .time(time, time::nanos)
        .loaders(4, 10_000)
        .loadDeadline(Duration.ofMinutes(1))
        .build();
  }

  private static KeyRecord record(KeyStore store, String keyId) {
    return store.find(keyId).orElseThrow().record();
  }

  private static boolean isAccepted(ApiKeys node, String token) {
    return node.validate(token, ANY, HERE).isAccepted();
  }

  private static void awaitSteps(ApiKeys node) {
    CountDownLatch done = new CountDownLatch(1);
    node.afterSteps(done::countDown);
    Waiting.until(() -> done.getCount() == 0);
  }
}
