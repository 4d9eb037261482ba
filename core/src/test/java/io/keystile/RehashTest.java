package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.management.ThreadMXBean;
import io.keystile.SecretHasher.Stored;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** A secret that is used gets a hash with the primary pepper, and nobody notices. */
class RehashTest {
  private static final Access ANY = Access.authenticated();
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret P1 = Tokens.secret("p1", 1);
  private static final ServerSecret P2 = Tokens.secret("p2", 2);
  private static final ServerSecret IMPORT_KEY = Tokens.secret("i1", 3);

  /** Counts what rehashing asks of it, and can refuse it. */
  private static final class CountingStore extends ForwardingKeyStore {
    final AtomicInteger finds = new AtomicInteger();
    final AtomicInteger rehashes = new AtomicInteger();

    /** If not null, changes fail in this way. */
    volatile StoreException.Kind failure;

    /** Changes wait for it. */
    volatile CountDownLatch gate = new CountDownLatch(0);

    /** The keys whose changes have come so far. */
    final Set<String> asked = ConcurrentHashMap.newKeySet();

    /** While true, the audit trail is not told: the twin. */
    volatile boolean forgetsHistory;

    CountingStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      finds.incrementAndGet();
      return super.find(keyId);
    }

    @Override
    public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
      return forgetsHistory ? List.of() : super.audit(filter, after, limit);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      if (write.entry().action().equals(Rehasher.ACTION)) {
        asked.add(write.record().id());
        try {
          gate.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
        rehashes.incrementAndGet();
        if (failure != null) {
          throw new StoreException(failure, "replace: refused for the test", null);
        }
      }
      return super.replace(write);
    }
  }

  private final ManualTime time = new ManualTime();
  private final CountingStore store = new CountingStore();
  private final List<ApiKeys> open = new ArrayList<>();
  private final ApiKeys before = node(b -> b.pepper(P1));

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void a_secret_that_is_used_gets_a_hash_with_the_primary_pepper() {
    IssuedKey issued = before.issue(spec());
    KeyRecord old = record(issued.id());
    int notices = notices();
    ApiKeys node = node(b -> b.pepper(P2, P1));

    assertAccepted(node, issued.revealToken());
    awaitPepper(issued.id(), "p2");

    KeyRecord renewed = record(issued.id());
    SecretVersion version = renewed.newest();
    assertThat(renewed)
        .isEqualTo(
            old.toBuilder()
                .revision(2)
                .versions(List.of(old.newest().withHash("hmac-sha256", "p2", version.hash())))
                .build());
    assertThat(version.hash()).isNotEqualTo(old.newest().hash());
    assertThat(notices()).isEqualTo(notices + 1);
    assertThat(store.find(issued.id()).orElseThrow().uses()).as("last use").isEmpty();
    assertAccepted(node(b -> b.pepper(P2)), issued.revealToken());
    AuditEntry entry = lastEntry(issued.id());
    assertThat(entry.action()).isEqualTo("rehash");
    assertThat(entry.actor()).isEqualTo("keystile");
    assertThat(entry.secretVersion()).isEqualTo(1);
    assertThat(entry.before()).isEqualTo(entry.after());
  }

  @Test
  void hashes_from_before_there_was_a_pepper_get_one_where_they_are_accepted() {
    IssuedKey issued = node(b -> b).issue(spec());
    assertThat(record(issued.id()).newest().scheme()).isEqualTo("sha256");

    assertAccepted(node(b -> b.pepper(P1).acceptUnpeppered()), issued.revealToken());
    awaitPepper(issued.id(), "p1");

    assertThat(record(issued.id()).newest().scheme()).isEqualTo("hmac-sha256");
    assertAccepted(before, issued.revealToken());
  }

  @Test
  void a_token_that_was_issued_elsewhere_gets_a_pepper_and_the_next_one() {
    String token = "sk_test_51Hc0fUe8TzWq2";
    ApiKeys importer = node(b -> b.importedKeys(IMPORT_KEY));
    importer.importKeys(List.of(KeyImport.ofToken(token, spec())).iterator(), progress -> {});
    String id = importer.list(KeyQuery.all()).keys().get(0).id();
    assertThat(importer.countUnpeppered()).isEqualTo(1);

    assertAccepted(node(b -> b.pepper(P1).acceptUnpeppered().importedKeys(IMPORT_KEY)), token);
    awaitPepper(id, "p1");
    assertThat(importer.countUnpeppered()).isZero();
    assertAccepted(node(b -> b.pepper(P2, P1).importedKeys(IMPORT_KEY)), token);
    awaitPepper(id, "p2");

    assertThat(record(id).newest().scheme()).isEqualTo("sha256-raw");
    assertThat(record(id).revision()).isEqualTo(3);
    assertAccepted(node(b -> b.pepper(P2).importedKeys(IMPORT_KEY)), token);
  }

  @Test
  void only_what_is_let_in_and_recorded_is_hashed_again() {
    IssuedKey issued = before.issue(spec().networks("192.0.2.0/24"));
    IssuedKey current = node(b -> b.pepper(P2)).issue(spec());
    String token = issued.revealToken();
    ApiKeys node = node(b -> b.pepper(P2, P1));

    assertThat(node.peek(token, ANY, HERE).isAccepted()).isTrue();
    assertThat(node.validate(token, READ, HERE).isAccepted()).isFalse();
    assertThat(node.validate(token, ANY, HERE.secure(false)).isAccepted()).isFalse();
    assertThat(node.validate(token, ANY, Origin.of("198.51.100.1")).isAccepted()).isFalse();
    assertThat(node.validate(wrong(token), ANY, HERE).isAccepted()).isFalse();
    before.disable(issued.id(), Cause.unstated());
    node.poll();
    assertThat(node.validate(token, ANY, HERE).isAccepted()).isFalse();
    assertAccepted(node, current.revealToken());

    awaitSteps(node);
    assertThat(record(issued.id()).newest().pepperId()).isEqualTo("p1");
    assertThat(record(current.id()).revision()).isEqualTo(1);
  }

  @Test
  void a_key_in_much_use_is_hashed_once_and_asked_about_once() {
    IssuedKey issued = before.issue(spec());
    ApiKeys node = node(b -> b.pepper(P2, P1));
    store.gate = new CountDownLatch(1);
    int finds = store.finds.get();

    for (int i = 0; i < 100_000; i++) {
      assertAccepted(node, issued.revealToken());
    }
    store.gate.countDown();
    awaitPepper(issued.id(), "p2");
    for (int i = 0; i < 1000; i++) {
      assertAccepted(node, issued.revealToken());
    }

    awaitSteps(node);
    assertThat(store.rehashes).hasValue(1);
    assertThat(store.finds.get() - finds).isLessThan(20);
    assertThat(record(issued.id()).revision()).isEqualTo(2);
  }

  @Test
  void a_warm_validation_allocates_no_more_while_its_hash_waits_to_be_renewed() {
    String current = node(b -> b.pepper(P2)).issue(spec()).revealToken();
    String waiting = before.issue(spec()).revealToken();
    ApiKeys node = node(b -> b.pepper(P2, P1));
    store.gate = new CountDownLatch(1);

    long extra = allocated(node, waiting) - allocated(node, current);

    store.gate.countDown();
    System.out.println("Bytes more per validation with a hash to renew: " + extra);
    assertThat(extra).isLessThan(64); // escape analysis has its moods
  }

  private static long allocated(ApiKeys node, String token) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first warms up
      long start = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        node.validate(token, ANY, HERE);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - start);
    }
    return least / 10_000;
  }

  @Test
  void every_secret_of_a_key_is_hashed_again_when_it_is_used_itself() {
    IssuedKey first = before.issue(spec());
    IssuedKey second = before.rotate(first.id(), Rotation.usual());
    ApiKeys node = node(b -> b.pepper(P2, P1));

    assertAccepted(node, second.revealToken());
    Waiting.until(() -> peppers(first.id()).equals(List.of("p1", "p2")));
    assertThat(node.countNeeding("p1")).isEqualTo(1);
    assertAccepted(node, first.revealToken());
    Waiting.until(() -> peppers(first.id()).equals(List.of("p2", "p2")));

    assertThat(node.countNeeding("p1")).isZero();
    ApiKeys after = node(b -> b.pepper(P2));
    assertAccepted(after, first.revealToken());
    assertAccepted(after, second.revealToken());
  }

  @Test
  void both_secrets_of_a_key_that_are_used_at_once_are_hashed_in_the_end() {
    ApiKeys node = node(b -> b.pepper(P2, P1));
    for (int i = 0; i < 100; i++) {
      IssuedKey first = before.issue(spec());
      IssuedKey second = before.rotate(first.id(), Rotation.usual());
      pass(Duration.ofHours(2));

      assertAccepted(node, first.revealToken());
      assertAccepted(node, second.revealToken());
      Waiting.until(
          () -> {
            assertAccepted(node, first.revealToken());
            assertAccepted(node, second.revealToken());
            return peppers(first.id()).equals(List.of("p2", "p2"));
          });
      assertThat(record(first.id()).revision()).isEqualTo(4);
    }
  }

  @Test
  void nodes_that_differ_in_the_primary_pepper_do_not_take_turns_for_ever() {
    long rehashes = turnsTaken();
    store.forgetsHistory = true;
    long rehashesOfTwin = turnsTaken();

    System.out.printf(
        "Two nodes that differ, 100 uses on each in two hours: %d rehashes; without a rest %d%n",
        rehashes, rehashesOfTwin);
    assertThat(rehashes).as("once in an hour").isEqualTo(2);
    assertThat(rehashesOfTwin).isGreaterThan(100);
  }

  private long turnsTaken() {
    IssuedKey issued = before.issue(KeySpec.personalToken("owner", "user"));
    ApiKeys one = node(b -> b.pepper(P1, P2));
    ApiKeys other = node(b -> b.pepper(P2, P1));
    for (int i = 0; i < 100; i++) {
      if (i == 50) {
        pass(Rehasher.REST.plusMillis(1));
      }
      for (ApiKeys node : List.of(one, other)) {
        node.poll();
        node.subjectChanged("user"); // loads it anew
        assertAccepted(node, issued.revealToken());
        awaitSteps(node);
      }
    }
    return store.delegate.audit(AuditFilter.ofKey(issued.id()), 0, 1000).stream()
        .filter(entry -> entry.action().equals("rehash"))
        .count();
  }

  @Test
  void a_secret_that_is_new_is_left_as_it_is() {
    ApiKeys one = node(b -> b.pepper(P1, P2));
    ApiKeys other = node(b -> b.pepper(P2, P1));
    IssuedKey issued = other.issue(KeySpec.personalToken("owner", "user"));

    for (int i = 0; i < 10; i++) {
      one.subjectChanged("user"); // loads it anew
      assertAccepted(one, issued.revealToken());
      awaitSteps(one);
    }
    assertThat(record(issued.id()).revision()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(StoreException.Kind.class)
  void a_store_that_does_not_take_it_is_left_alone_and_validation_goes_on(
      StoreException.Kind failure) {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(Rehasher.class);
    logger.addAppender(log);
    logger.setLevel(Level.TRACE);
    List<IssuedKey> issued = issue(100);
    ApiKeys node = node(b -> b.pepper(P2, P1).refreshAfter(Duration.ofMinutes(5)));
    issued.addAll(0, issue(5)); // young: that these are left alone is no success
    boolean isContention = failure == StoreException.Kind.CONFLICT;
    store.failure = failure;
    try {
      for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 5; i++) {
          issued.forEach(key -> assertAccepted(node, key.revealToken()));
        }
        int expected = isContention ? 100 : 2 + round;
        Waiting.until(
            () -> { // only so many wait at a time, and each is found again when it is used
              issued.forEach(key -> assertAccepted(node, key.revealToken()));
              return store.rehashes.get() >= expected;
            });
        awaitSteps(node);
        if (isContention) {
          assertThat(log.list).isEmpty();
          break;
        }
        // three at first, then one each time the pause is over
        assertThat(store.rehashes).hasValue(expected);
        assertThat(log.list).as("logged once").hasSize(1);
        time.advance(Duration.ofMinutes(5));
        node.poll();
      }

      store.failure = null;
      time.advance(Duration.ofMinutes(5));
      node.poll();
      Waiting.until(
          () -> {
            issued.forEach(key -> assertAccepted(node, key.revealToken()));
            return node.countNeeding("p1") == 5;
          });
    } finally {
      logger.detachAppender(log);
      logger.setLevel(null);
    }
  }

  @Test
  void only_the_hash_that_was_proven_is_replaced_and_only_of_a_secret_in_force() {
    KeyRecord record = SampleKeys.record(SampleKeys.id(1), KeyRecord.State.ACTIVE);
    SecretVersion version = record.newest();
    Stored proven = new Stored(version.scheme(), version.pepperId(), version.hash());
    Stored renewed = new Stored("hmac-sha256", "p1", "cd".repeat(32));
    Instant now = SampleKeys.CREATED;
    Instant end = Objects.requireNonNull(version.end());

    KeyRecord next = SecretRotation.rehash(record, 1, proven, renewed, end.minusMillis(1));
    assertThat(next.newest()).isEqualTo(version.withHash("hmac-sha256", "p1", "cd".repeat(32)));
    assertThat(next.revision()).isEqualTo(2);

    List<KeyRecord> others =
        List.of(
            SampleKeys.record(SampleKeys.id(1), KeyRecord.State.REVOKED),
            SampleKeys.record(SampleKeys.id(1), KeyRecord.State.DISABLED),
            record.toBuilder().endsAt(now).build(),
            record.toBuilder().versions(List.of(version.withRetiresAt(now))).build(),
            record.toBuilder().versions(List.of(version.withRevokedAt(now))).build(),
            next);
    for (KeyRecord other : others) {
      assertThat(SecretRotation.rehash(other, 1, proven, renewed, now)).isSameAs(other);
    }
    assertThat(SecretRotation.rehash(record, 1, proven, renewed, end)).isSameAs(record);
    assertThat(SecretRotation.rehash(record, 2, proven, renewed, now)).isSameAs(record);
    for (Stored stale :
        List.of(
            new Stored("sha256-raw", null, version.hash()),
            new Stored("sha256", "p1", version.hash()),
            new Stored("sha256", null, "cd".repeat(32)))) {
      assertThat(SecretRotation.rehash(record, 1, stale, renewed, now)).isSameAs(record);
    }
  }

  @Test
  void a_race_that_is_lost_is_left_to_the_next_use() {
    IssuedKey issued = before.issue(spec());
    ApiKeys node = node(b -> b.pepper(P2, P1));
    store.gate = new CountDownLatch(1);
    assertAccepted(node, issued.revealToken());
    Waiting.until(() -> store.asked.contains(issued.id()));

    before.update(issued.id(), KeyUpdate.of().name("renamed"));
    store.gate.countDown();
    awaitSteps(node);

    assertThat(record(issued.id()).name()).isEqualTo("renamed");
    assertThat(record(issued.id()).revision()).as("one attempt").isEqualTo(2);
    assertThat(peppers(issued.id())).containsExactly("p1");
    assertAccepted(node, issued.revealToken());
    awaitPepper(issued.id(), "p2");
    assertThat(record(issued.id()).name()).isEqualTo("renamed");
  }

  @Test
  void what_waits_is_bounded_and_keeps_no_revocation_waiting() {
    List<IssuedKey> issued = issue(1500);
    RotationPolicy noGrace = RotationPolicy.usual().grace(Duration.ZERO);
    IssuedKey stolen = before.issue(spec().rotation(noGrace));
    ApiKeys node = node(b -> b.pepper(P2, P1).revokeOnRetiredSecret());
    node.rotate(stolen.id(), Rotation.withGrace(Duration.ZERO));
    time.set(time.instant().plus(RotationRules.SHORTEST_WAIT));
    store.gate = new CountDownLatch(1);

    issued.forEach(key -> assertAccepted(node, key.revealToken()));
    assertThat(node.validate(stolen.revealToken(), ANY, HERE).isAccepted()).isFalse();
    store.gate.countDown();

    Waiting.until(() -> record(stolen.id()).state() == KeyRecord.State.REVOKED);
    awaitSteps(node);
    assertThat(store.rehashes.get()).isBetween(1, 102);
    Waiting.until(
        () -> {
          issued.forEach(key -> assertAccepted(node, key.revealToken()));
          return node.countNeeding("p1") == 0;
        });
  }

  @Test
  void those_that_need_a_pepper_are_counted_and_no_others() {
    ApiKeys node = node(b -> b.pepper(P1).acceptUnpeppered());
    ApiKeys unpeppered = node(b -> b);
    String revoked = node.issue(spec()).id();
    node.revoke(revoked, Desk.LEAK);
    node.disable(node.issue(spec()).id(), Cause.unstated()); // may be enabled again
    node.issue(spec().lifetime(Duration.ofDays(1)));
    node.issue(spec().endsAt(time.instant().plus(Duration.ofDays(1))));
    String rotated = node.issue(spec()).id();
    node.rotate(rotated, Rotation.usual());
    node.rotate(rotated, Rotation.usual()); // three secrets, and yet one key
    ApiKeys next = node(b -> b.pepper(P2, P1));
    String inGrace = node.issue(spec()).id();
    next.rotate(inGrace, Rotation.withGrace(Duration.ofDays(1)));
    String replaced = node.issue(spec()).id();
    next.rotate(replaced, Rotation.withGrace(Duration.ZERO));
    String withdrawn = node.issue(spec()).id();
    next.rotate(withdrawn, Rotation.usual());
    next.revokeSecret(withdrawn, 1, Desk.LEAK);
    unpeppered.issue(spec());
    unpeppered.revoke(unpeppered.issue(spec()).id(), Desk.LEAK);

    assertThat(node.countNeeding("p1")).isEqualTo(5);
    assertThat(node.countNeeding("p2")).isEqualTo(3);
    assertThat(node.countNeeding("p3")).isZero();
    assertThat(node.countUnpeppered()).isEqualTo(1);

    time.advance(Duration.ofDays(1));
    assertThat(node.countNeeding("p1")).as("all but the disabled and the rotated").isEqualTo(2);
  }

  @Test
  void a_count_goes_through_all_pages_and_refuses_what_is_no_id() {
    issue(1001);

    assertThat(before.countNeeding("p1")).isEqualTo(1001);
    assertThat(node(b -> b).countUnpeppered()).isZero();
    assertThatIllegalArgumentException().isThrownBy(() -> before.countNeeding("P 1"));
  }

  // --- what the tests share ---

  /** A node that starts two hours later, when no hash is young any more. */
  private ApiKeys node(UnaryOperator<ApiKeysBuilder> options) {
    pass(Duration.ofHours(2));
    ApiKeysBuilder builder =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(time, time::nanos)
            .loadDeadline(Duration.ofMinutes(1));
    ApiKeys node = options.apply(builder).build();
    open.add(node);
    return node;
  }

  private void pass(Duration wallTime) {
    time.set(time.instant().plus(wallTime));
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("owner");
  }

  private List<IssuedKey> issue(int keys) {
    List<IssuedKey> issued = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      issued.add(before.issue(spec()));
    }
    return issued;
  }

  private KeyRecord record(String keyId) {
    return store.delegate.find(keyId).orElseThrow().record();
  }

  private List<String> peppers(String keyId) {
    return record(keyId).versions().stream().map(SecretVersion::pepperId).toList();
  }

  private int notices() {
    return store.changesSince(ChangeCursor.after(0), 10_000).list().size();
  }

  private AuditEntry lastEntry(String keyId) {
    List<AuditEntry> entries = store.audit(AuditFilter.ofKey(keyId), 0, 1000);
    return entries.get(entries.size() - 1);
  }

  private void awaitPepper(String keyId, String pepperId) {
    Waiting.until(() -> peppers(keyId).equals(List.of(pepperId)));
  }

  /** Returns when all steps that were begun before have been done. */
  private static void awaitSteps(ApiKeys node) {
    CountDownLatch done = new CountDownLatch(1);
    node.afterSteps(done::countDown);
    Waiting.until(() -> done.getCount() == 0);
  }

  private static void assertAccepted(ApiKeys node, String token) {
    assertThat(node.validate(token, ANY, HERE).isAccepted()).isTrue();
  }

  private static String wrong(String token) {
    String body = token.substring(0, token.length() - Base62.CRC_LENGTH - 1);
    char last = token.charAt(token.length() - Base62.CRC_LENGTH - 1);
    return Tokens.withChecksum(body + (last == '0' ? '1' : '0'));
  }
}
