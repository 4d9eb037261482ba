package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.KeyException.Failure;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdministrationRaceTest {

  /** Enough for a planted fault that shows in nearly every round. */
  private static final int ROUNDS_OF_TWINS = 20;

  private final Threads threads = new Threads();

  @AfterEach
  void close() {
    threads.close();
  }

  /** A store that forgets to ask for the operation id. */
  private static final class ForgetfulStore extends ForwardingKeyStore {
    private final AtomicInteger calls = new AtomicInteger();

    ForgetfulStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      AuditEntry entry = writes.get(0).entry();
      AuditEntry unnamed =
          new AuditEntry(
              0,
              "call " + calls.incrementAndGet(),
              entry.action(),
              entry.keyId(),
              entry.owner(),
              entry.secretVersion(),
              entry.at(),
              entry.actor(),
              entry.reason(),
              entry.note(),
              entry.before(),
              entry.after());
      return super.insert(List.of(new KeyWrite(writes.get(0).record(), unnamed)), ownerMaximum);
    }
  }

  /** A store that overwrites whatever is there. */
  private static final class OverwritingStore extends ForwardingKeyStore {
    OverwritingStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public synchronized WriteOutcome replace(KeyWrite write) {
      long stored = delegate.find(write.record().id()).orElseThrow().record().revision();
      KeyRecord next = write.record().toBuilder().revision(stored + 1).build();
      return delegate.replace(new KeyWrite(next, write.entry()));
    }
  }

  /** A store that counts an owner's keys first and inserts afterwards. */
  private static final class CountingStore extends ForwardingKeyStore {
    private final CyclicBarrier counted;

    CountingStore(int threads) {
      super(new InMemoryKeyStore());
      counted = new CyclicBarrier(threads);
    }

    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      KeyFilter owner = KeyFilter.builder().owner(writes.get(0).record().owner()).build();
      int keys = delegate.list(owner, null, 1000).size();
      try {
        counted.await(60, TimeUnit.SECONDS);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      return keys < ownerMaximum
          ? delegate.insert(writes, Integer.MAX_VALUE)
          : WriteOutcome.OWNER_FULL;
    }
  }

  /** Lets nobody write before all have read, so that every round is a race. */
  private static final class MeetingStore extends ForwardingKeyStore {
    volatile CountDownLatch unread = new CountDownLatch(0);

    MeetingStore(KeyStore delegate) {
      super(delegate);
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      Optional<StoredKey> found = delegate.find(keyId);
      unread.countDown();
      try {
        assertThat(unread.await(60, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return found;
    }
  }

  @Test
  void of_64_issues_with_one_operation_id_one_hands_out_a_secret() throws Exception {
    int wrong = issuesThatWereNotOne(new InMemoryKeyStore(), Threads.ROUNDS);
    int wrongOfTwin = issuesThatWereNotOne(new ForgetfulStore(), ROUNDS_OF_TWINS);

    System.out.printf(
        "%d rounds of 64 issues with one id: %d wrong; without the check %d of %d%n",
        Threads.ROUNDS, wrong, wrongOfTwin, ROUNDS_OF_TWINS);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private int issuesThatWereNotOne(KeyStore store, int rounds) throws Exception {
    Desk desk = new Desk(store);
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      String owner = "owner-" + round;
      KeySpec spec = KeySpec.forOwner(owner).operationId("op-" + round);
      List<IssuedKey> issued =
          threads.race(Collections.nCopies(64, () -> desk.administration.issue(spec)));
      long secrets = issued.stream().filter(key -> !key.alreadyIssued()).count();
      long ids = issued.stream().map(IssuedKey::id).distinct().count();
      int keys = desk.administration.list(KeyQuery.ofOwner(owner)).keys().size();
      if (secrets != 1 || ids != 1 || keys != 1) {
        wrong++;
      }
    }
    return wrong;
  }

  @Test
  void a_revoked_key_stays_revoked_whatever_else_happens_to_it() throws Exception {
    int wrong = keysThatCameBack(new InMemoryKeyStore(), Threads.ROUNDS);
    int wrongOfTwin = keysThatCameBack(new OverwritingStore(), ROUNDS_OF_TWINS);

    System.out.printf(
        "%d rounds of a revocation among 8 other changes: %d came back; if overwritten %d of %d%n",
        Threads.ROUNDS, wrong, wrongOfTwin, ROUNDS_OF_TWINS);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private int keysThatCameBack(KeyStore below, int rounds) throws Exception {
    MeetingStore store = new MeetingStore(below);
    Desk desk = new Desk(store);
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      String id = desk.issue(KeySpec.personalToken("weather-app", "user-1"));
      List<Callable<Boolean>> calls = new ArrayList<>();
      for (Verb verb :
          List.of(
              Verb.UPDATE,
              Verb.DISABLE,
              Verb.REVOKE,
              Verb.ENABLE,
              Verb.DISABLE,
              Verb.ENABLE,
              Verb.EXTEND,
              Verb.ROTATE,
              Verb.REVOKE_SECRET)) {
        calls.add(() -> isDoneOrForbidden(desk, verb, id));
      }
      store.unread = new CountDownLatch(calls.size());
      assertThat(threads.race(calls)).doesNotContain(false);
      List<AuditEntry> history = desk.audit(id);
      boolean last = history.get(history.size() - 1).action().equals("revoke");
      if (desk.record(id).state() != State.REVOKED || !last) {
        wrong++;
      }
    }
    return wrong;
  }

  /** Whether the answer is one of those that a race may have: never a conflict. */
  private static boolean isDoneOrForbidden(Desk desk, Verb verb, String id) {
    try {
      verb.run(desk, id, Cause.unstated());
      return true;
    } catch (KeyException e) {
      return verb != Verb.REVOKE && e.failure() == Failure.STATE_FORBIDS;
    }
  }

  /** Between the reading and the writing of a change, runs another from beginning to end. */
  private static final class InterruptedStore extends ForwardingKeyStore {
    private final AtomicBoolean interrupted = new AtomicBoolean();
    Runnable interruption = () -> {};

    InterruptedStore(KeyStore delegate) {
      super(delegate);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      if (interrupted.compareAndSet(false, true)) {
        interruption.run();
      }
      return delegate.replace(write);
    }
  }

  @Test
  void a_change_that_lost_a_race_is_as_if_it_had_come_second() {
    int wrong = changesOutOfOrder(false);
    int wrongOfTwin = changesOutOfOrder(true);

    System.out.printf(
        "%d pairs of changes, one within the other: %d wrong; if overwritten %d%n",
        2 * Verb.values().length * Verb.values().length, wrong, wrongOfTwin);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private static int changesOutOfOrder(boolean overwrites) {
    int wrong = 0;
    for (State from : List.of(State.ACTIVE, State.DISABLED)) {
      for (Verb first : Verb.values()) {
        for (Verb second : Verb.values()) {
          KeyRecord expected = inOrder(from, first, second);
          KeyRecord actual = interrupted(from, first, second, overwrites);
          boolean same =
              actual.state() == expected.state()
                  && actual.name().equals(expected.name())
                  && actual.revision() == expected.revision()
                  && actual.versions().size() == expected.versions().size()
                  && Objects.equals(actual.liveUntil(), expected.liveUntil());
          wrong += same ? 0 : 1;
        }
      }
    }
    return wrong;
  }

  private static KeyRecord inOrder(State from, Verb first, Verb second) {
    Desk desk = new Desk();
    String id = keyIn(desk, from);
    isDoneOrForbidden(desk, first, id);
    // of two rotations at once, one is refused
    if (first != Verb.ROTATE || second != Verb.ROTATE) {
      isDoneOrForbidden(desk, second, id);
    }
    return desk.record(id);
  }

  private static KeyRecord interrupted(State from, Verb first, Verb second, boolean overwrites) {
    KeyStore below = overwrites ? new OverwritingStore() : new InMemoryKeyStore();
    Desk undisturbed = new Desk(below);
    String id = keyIn(undisturbed, from);
    InterruptedStore store = new InterruptedStore(below);
    Desk disturbed = new Desk(store);
    store.interruption = () -> isDoneOrForbidden(undisturbed, first, id);
    isDoneOrForbidden(disturbed, second, id);
    if (store.interrupted.compareAndSet(false, true)) {
      // the second found nothing to write, so nothing came between: then the first came later
      return inOrder(from, first, second);
    }
    return undisturbed.record(id);
  }

  private static String keyIn(Desk desk, State state) {
    String id = desk.issue(KeySpec.personalToken("weather-app", "user-1"));
    if (state == State.DISABLED) {
      desk.administration.disable(id, Cause.unstated());
    }
    return id;
  }

  @Test
  void updates_of_different_things_all_last() throws Exception {
    int wrong = updatesThatWereLost(new InMemoryKeyStore(), Threads.ROUNDS);
    int wrongOfTwin = updatesThatWereLost(new OverwritingStore(), ROUNDS_OF_TWINS);

    System.out.printf(
        "%d rounds of 5 updates: %d lost one; if overwritten %d of %d%n",
        Threads.ROUNDS, wrong, wrongOfTwin, ROUNDS_OF_TWINS);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isPositive();
  }

  private int updatesThatWereLost(KeyStore below, int rounds) throws Exception {
    MeetingStore store = new MeetingStore(below);
    Desk desk = new Desk(store);
    List<KeyUpdate> updates =
        List.of(
            KeyUpdate.of().name("batch"),
            KeyUpdate.of().scopes("forecast:read"),
            KeyUpdate.of().plan("pro"),
            KeyUpdate.of().networks("10.0.0.0/8"),
            KeyUpdate.of().metadata(Map.of("team", "blue")));
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      String id = desk.issue();
      List<Callable<KeyDetails>> calls = new ArrayList<>();
      updates.forEach(update -> calls.add(() -> desk.administration.update(id, update)));
      store.unread = new CountDownLatch(calls.size());
      threads.race(calls);
      KeyDetails details = desk.details(id);
      boolean all =
          details.key().name().equals("batch")
              && details.key().hasScope("forecast:read")
              && "pro".equals(details.key().plan())
              && details.networks().equals(List.of("10.0.0.0/8"))
              && details.key().metadata().equals(Map.of("team", "blue"));
      wrong += all ? 0 : 1;
    }
    return wrong;
  }

  @Test
  void an_owner_never_gets_more_keys_than_permitted() throws Exception {
    int wrong = 0;
    for (int round = 0; round < Threads.ROUNDS; round++) {
      wrong += keysIssuedAtOnce(new InMemoryKeyStore()) == 3 ? 0 : 1;
    }
    int twin = keysIssuedAtOnce(new CountingStore(16));

    System.out.printf(
        "%d rounds of 16 issues for 3 places: %d wrong; counted beforehand: %d keys%n",
        Threads.ROUNDS, wrong, twin);
    assertThat(wrong).isZero();
    assertThat(twin).isEqualTo(16);
  }

  private int keysIssuedAtOnce(KeyStore store) throws Exception {
    Desk desk = new Desk(store, Desk.ownerMaximum(3));
    Callable<Boolean> issue =
        () -> {
          try {
            desk.issue();
            return true;
          } catch (KeyException e) {
            assertThat(e.failure()).isEqualTo(Failure.OWNER_FULL);
            return false;
          }
        };
    List<Boolean> issued = threads.race(Collections.nCopies(16, issue));
    int keys = desk.administration.list(KeyQuery.all()).keys().size();
    assertThat(issued.stream().filter(done -> done).count()).isEqualTo(keys);
    return keys;
  }

  @Test
  void every_key_issued_before_all_are_revoked_is_revoked() throws Exception {
    int left = 0;
    for (int round = 0; round < Threads.ROUNDS; round++) {
      Desk desk = new Desk();
      List<String> before = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        before.add(desk.issue());
      }
      AtomicInteger counted = new AtomicInteger();
      Callable<Object> revokeAll =
          () ->
              counted.addAndGet(
                  desk.administration.revokeAll(KeyQuery.ofOwner("weather-app"), Desk.LEAK));
      List<Callable<Object>> calls = new ArrayList<>(List.of(revokeAll, revokeAll));
      for (String id : before) {
        calls.add(() -> isDoneOrForbidden(desk, Verb.UPDATE, id));
      }
      threads.race(calls);
      for (String id : before) {
        left += desk.record(id).state() == State.REVOKED ? 0 : 1;
      }
      assertThat(counted).as("each counts what it has revoked itself").hasValue(before.size());
    }
    assertThat(left).isZero();
  }
}
