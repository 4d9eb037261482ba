package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.keystile.limit.Plan;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** How old an answer may be, and what happens while the store is away. Time is the test's. */
class FreshnessTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  private final ManualTime time = new ManualTime();
  private final KeyStore shared = new InMemoryKeyStore();
  private final WatchedStore store = new WatchedStore(shared);
  private final List<ApiKeys> open = new ArrayList<>();
  private final ApiKeys keys = node(store, builder -> builder);

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void the_node_that_revokes_does_not_accept_any_more() {
    IssuedKey issued = issue();
    assertAccepted(issued);

    keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));

    assertThat(reason(issued)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void a_change_on_another_node_is_seen_at_the_next_poll() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    ApiKeys other = node(new WatchedStore(shared), builder -> builder);

    other.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    assertAccepted(issued); // not yet
    keys.poll();
    assertThat(reason(issued)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void a_key_that_was_unknown_and_is_issued_elsewhere_is_found_after_a_poll() {
    ApiKeys other = node(new WatchedStore(shared), builder -> builder);
    WatchedStore late = new WatchedStore(new InMemoryKeyStore());
    // the node asks before the key is there: its id is remembered as unknown
    IssuedKey issued = other.issue(KeySpec.forOwner("owner"));
    var record = shared.find(issued.id()).orElseThrow().record();
    ApiKeys early = node(late, builder -> builder);
    assertThat(reason(early, issued)).isEqualTo(Reason.UNKNOWN);

    late.insert(
        List.of(
            Operation.of("issue", Cause.unstated(), null, null)
                .write(null, record, time.instant())),
        Integer.MAX_VALUE);
    assertThat(reason(early, issued)).isEqualTo(Reason.UNKNOWN);
    early.poll();
    assertThat(early.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void an_unknown_id_is_remembered_for_its_time_however_often_it_is_asked_for() {
    WatchedStore other = new WatchedStore(new InMemoryKeyStore());
    ApiKeys node = node(other, builder -> builder.unknownIds(10, Duration.ofSeconds(10)));
    IssuedKey issued = issue(); // in another store
    for (int i = 0; i < 100; i++) {
      assertThat(reason(node, issued)).isEqualTo(Reason.UNKNOWN);
      time.advance(Duration.ofMillis(99)); // 9.9 s in all
    }
    assertThat(other.loads).hasValue(1);

    time.advance(Duration.ofMillis(100));
    assertThat(reason(node, issued)).isEqualTo(Reason.UNKNOWN);
    assertThat(other.loads).hasValue(2);
  }

  @Test
  void cached_keys_go_on_until_they_are_too_stale_and_no_others_do() {
    IssuedKey cached = issue();
    IssuedKey cold = issue();
    assertAccepted(cached);
    store.down = true;

    time.advance(Duration.ofSeconds(60));
    keys.poll();
    assertAccepted(cached);
    assertThat(reason(cold)).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(keys.status().storeAnswering()).isFalse();
    assertThat(keys.status().ready()).isTrue();

    time.advance(Duration.ofNanos(1));
    assertThat(reason(cached)).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(keys.status().ready()).isFalse();

    store.down = false;
    assertAccepted(cached); // read anew, although the feed is still behind
    keys.poll();
    assertThat(keys.status().ready()).isTrue();
  }

  @Test
  void a_key_that_was_revoked_before_the_outage_stays_revoked() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    store.down = true;

    int accepted = 0;
    for (int i = 0; i < 100_000; i++) {
      time.advance(Duration.ofMillis(1));
      accepted += keys.validate(issued.revealToken(), ANY, HERE).isAccepted() ? 1 : 0;
    }
    assertThat(accepted).isZero();
  }

  @Test
  void what_was_loaded_while_the_feed_is_away_is_as_fresh_as_its_load() {
    IssuedKey issued = issue();
    store.feedDown = true;
    time.advance(Duration.ofMinutes(2));
    keys.poll();

    assertAccepted(issued);
    int loads = store.loads.get();
    time.advance(Duration.ofSeconds(60));
    assertAccepted(issued);
    assertThat(store.loads).hasValue(loads);
    time.advance(Duration.ofNanos(1));
    assertAccepted(issued);
    assertThat(store.loads).hasValue(loads + 1);
  }

  @Test
  void a_key_in_use_is_read_again_in_the_background_and_kept_if_that_fails() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    store.loadsDown = true;
    for (int minute = 0; minute < 14; minute++) {
      time.advance(Duration.ofMinutes(1));
      keys.poll(); // the feed answers
      assertAccepted(issued);
    }
    // until the loader has come to it
    Waiting.until(() -> store.loads.get() >= 2);
    // one, and from the fifth minute on a try at most each half of a minute
    assertThat(store.loads.get()).isBetween(2, 11);

    time.advance(Duration.ofMinutes(1));
    keys.poll();
    assertThat(reason(issued)).isEqualTo(Reason.STORE_UNAVAILABLE); // 15 minutes old
  }

  @Test
  void notices_that_were_missed_empty_the_cache() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    ApiKeys other = node(new WatchedStore(shared), builder -> builder);
    other.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    IssuedKey later = other.issue(KeySpec.forOwner("owner"));
    assertThat(later.id()).isNotNull();
    time.advance(Duration.ofDays(2)); // the key itself lives for 90
    other.purge(Duration.ofDays(999), Duration.ofDays(999), Cause.unstated()); // notices: a day
    other.issue(KeySpec.forOwner("owner"));

    keys.poll();
    assertThat(reason(issued)).isEqualTo(Reason.REVOKED);
  }

  /** Shows the changes of one key only when they are committed, long after they were made. */
  private static final class LateStore extends ForwardingKeyStore {
    private @Nullable KeyRecord before;
    private long begun;

    LateStore(KeyStore delegate) {
      super(delegate);
    }

    void begin(String keyId) {
      before = delegate.load(keyId).orElseThrow();
      begun = delegate.changesSince(ChangeCursor.after(Long.MAX_VALUE), 1).newest();
    }

    void commit() {
      before = null;
    }

    private boolean isHidden(Changes.Change change) {
      return before != null && before.id().equals(change.keyId()) && change.number() > begun;
    }

    @Override
    public Optional<KeyRecord> load(String keyId) {
      return before != null && before.id().equals(keyId)
          ? Optional.of(before)
          : delegate.load(keyId);
    }

    @Override
    public Changes changesSince(ChangeCursor cursor, int limit) {
      Changes changes = delegate.changesSince(cursor, limit + 1); // one may be taken out
      List<Changes.Change> visible =
          changes.list().stream().filter(change -> !isHidden(change)).limit(limit).toList();
      return new Changes(visible, changes.oldest(), changes.newest());
    }
  }

  @Test
  void a_node_that_starts_hears_of_a_transaction_that_is_open_since_many_changes() {
    LateStore late = new LateStore(shared);
    IssuedKey issued = issue();
    String busy = issue().id();
    late.begin(issued.id());
    keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    for (int i = 0; i < ChangeFeed.LOOK_BACK; i++) {
      keys.update(busy, KeyUpdate.of().name("change " + i));
    }
    ApiKeys started = node(late, builder -> builder);
    started.poll();
    assertThat(started.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();

    late.commit();
    started.poll();

    assertThat(reason(started, issued)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void a_node_that_finds_too_much_missing_when_it_starts_says_so_once() {
    KeyStore gappy =
        new ForwardingKeyStore(shared) {
          @Override
          public Changes changesSince(ChangeCursor cursor, int limit) {
            Changes.Change newest = new Changes.Change(40_000, "0".repeat(22));
            return new Changes(
                cursor.after() < newest.number() ? List.of(newest) : List.of(), 1, 40_000);
          }
        };
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(ChangeFeed.class);
    logger.addAppender(log);
    logger.setLevel(Level.WARN);
    try {
      ApiKeys started = node(gappy, builder -> builder);
      started.poll();
      started.poll();
    } finally {
      logger.detachAppender(log);
      logger.setLevel(null);
    }

    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "More than 10000 of the last 50000 notices of changed keys are missing: what is in a"
                + " transaction that is open now may reach this node after PT15M only");
  }

  @Test
  void more_notices_than_a_page_are_all_seen() {
    List<IssuedKey> many = new ArrayList<>();
    for (int i = 0; i < 5 * ChangeFeed.PAGE / 2; i++) {
      many.add(keys.issue(KeySpec.forOwner("owner")));
    }
    keys.poll();
    many.forEach(this::assertAccepted);
    ApiKeys other = node(new WatchedStore(shared), builder -> builder);
    other.revokeAllOf("owner", Revocation.because(RevocationReason.SECURITY_BREACH));

    keys.poll();
    assertThat(many).allMatch(issued -> reason(issued) == Reason.REVOKED);
  }

  @Test
  void the_background_polls_by_itself_and_survives_whatever_the_store_throws() {
    ApiKeys quick = node(store, builder -> builder.propagation(Duration.ofMillis(20)));
    ApiKeys other = node(new WatchedStore(shared), builder -> builder);
    IssuedKey issued = other.issue(KeySpec.forOwner("owner"));
    assertThat(quick.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();

    store.feedThrows = new NoClassDefFoundError("planted");
    int polls = store.polls.get();
    Waiting.until(() -> store.polls.get() >= polls + 3);
    assertThat(quick.status().storeAnswering()).isFalse();
    store.feedThrows = null;
    other.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    Waiting.until(() -> !quick.validate(issued.revealToken(), ANY, HERE).isAccepted());
    assertThat(reason(quick, issued)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void last_use_that_cannot_be_written_stays_bounded() {
    ApiKeys small = node(store, builder -> builder.cachedKeys(10));
    store.usesDown = true;
    List<IssuedKey> many = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      many.add(small.issue(KeySpec.forOwner("owner")));
    }
    for (int round = 0; round < 20; round++) {
      time.advance(Duration.ofMillis(1));
      for (IssuedKey issued : many) {
        assertThat(small.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
      }
      small.poll(); // makes it load the keys again
      small.flush();
    }
    store.usesDown = false;
    for (int i = 0; i < 10; i++) { // it was asked less and less often
      small.flush();
    }

    long written =
        many.stream()
            .filter(issued -> shared.find(issued.id()).orElseThrow().lastUsed() != null)
            .count();
    assertThat(written).isEqualTo(10);
  }

  @Test
  void a_revocation_does_not_wait_for_last_use() throws Exception {
    IssuedKey issued = issue();
    assertAccepted(issued);
    CountDownLatch gate = new CountDownLatch(1);
    store.usesGate = gate;
    Thread writer = new Thread(keys::flush);
    writer.start();
    Waiting.until(() -> store.usesWaiting);

    KeyDetails revoked = keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
    assertThat(revoked.lastUsed()).isEqualTo(time.instant());
    assertThat(reason(issued)).isEqualTo(Reason.REVOKED);
    gate.countDown();
    writer.join();
  }

  @Test
  void building_needs_the_store() {
    store.down = true;
    assertThatThrownBy(() -> node(store, builder -> builder)).isInstanceOf(StoreException.class);
  }

  @Test
  void options_that_contradict_each_other_are_refused() {
    ApiKeysBuilder builder = ApiKeys.builder(store).defaultPlan(Plan.unlimited());
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("brand");
    assertThatThrownBy(() -> node(store, ApiKeysBuilder::requireMintedIds))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("idKey");
    assertThatThrownBy(() -> node(store, ApiKeysBuilder::acceptUnpeppered))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("pepper");
    assertThatThrownBy(() -> node(store, b -> b.refreshAfter(Duration.ofMinutes(15))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("entryAge");
    ServerSecret one = Tokens.secret("s1", 1);
    assertThatThrownBy(() -> node(store, b -> b.pepper(one).idKey(Tokens.secret("s2", 1))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("different secrets");
    assertThatThrownBy(() -> builder.propagation(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("propagation");
  }

  @Test
  void last_use_is_written_later_and_survives_an_outage() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    time.advance(Duration.ofSeconds(1));
    keys.validate(issued.revealToken(), Access.requiring("admin"), HERE);
    store.down = true;
    keys.flush();
    store.down = false;
    assertThat(shared.find(issued.id()).orElseThrow().lastUsed()).isNull();
    // this node knows better
    assertThat(keys.find(issued.id()).orElseThrow().lastSeen()).isEqualTo(time.instant());

    keys.flush();
    KeyDetails details = keys.find(issued.id()).orElseThrow();
    assertThat(details.lastUsed()).isEqualTo(time.instant().minusSeconds(1));
    assertThat(details.lastSeen()).isEqualTo(time.instant());
  }

  @Test
  void a_revocation_knows_the_last_use() {
    IssuedKey issued = issue();
    time.advance(Duration.ofSeconds(3));
    assertAccepted(issued);

    KeyDetails revoked = keys.revoke(issued.id(), Revocation.because(RevocationReason.UNUSED));

    assertThat(revoked.lastUsed()).isEqualTo(time.instant());
  }

  /** What is written while a key is read is in neither: not in the key, and pending no more. */
  @Test
  void a_revocation_knows_a_use_that_is_written_while_it_reads() {
    AtomicReference<ApiKeys> writes = new AtomicReference<>();
    KeyStore interleaved =
        new ForwardingKeyStore(shared) {
          @Override
          public Optional<StoredKey> find(String keyId) {
            Optional<StoredKey> found = super.find(keyId);
            ApiKeys node = writes.getAndSet(null);
            if (node != null) {
              node.flush();
            }
            return found;
          }
        };
    try (ApiKeys node = node(interleaved, options -> options)) {
      for (int i = 0; i < 3; i++) {
        IssuedKey issued = node.issue(KeySpec.forOwner("owner"));
        time.advance(Duration.ofSeconds(3));
        assertThat(node.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
        node.flush();
        time.advance(Duration.ofSeconds(3));
        assertThat(node.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
        writes.set(node);
        KeyDetails revoked = node.revoke(issued.id(), Revocation.because(RevocationReason.UNUSED));
        assertThat(writes.get()).isNull();
        assertThat(revoked.lastUsed()).isEqualTo(time.instant());
      }
    }
  }

  @Test
  void closing_writes_what_is_pending_and_lets_nobody_in_any_more() {
    IssuedKey issued = issue();
    assertAccepted(issued);
    keys.close();
    keys.close();

    assertThat(shared.find(issued.id()).orElseThrow().lastUsed()).isEqualTo(time.instant());
    assertThat(reason(issued)).isEqualTo(Reason.STORE_UNAVAILABLE);
    assertThat(keys.status().ready()).isFalse();
    assertThatThrownBy(() -> keys.issue(KeySpec.forOwner("owner")))
        .isInstanceOf(IllegalStateException.class);
  }

  private ApiKeys node(KeyStore on, UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(on)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(time, time::nanos)
            .propagation(Duration.ofSeconds(60)); // the test polls
    ApiKeys node = options.apply(builder).build();
    open.add(node);
    return node;
  }

  private IssuedKey issue() {
    IssuedKey issued = keys.issue(KeySpec.forOwner("owner"));
    keys.poll(); // takes in the notice of its own issue, so that it does not come in between
    return issued;
  }

  private void assertAccepted(IssuedKey issued) {
    assertThat(keys.validate(issued.revealToken(), ANY, HERE).isAccepted()).isTrue();
  }

  private Reason reason(IssuedKey issued) {
    return reason(keys, issued);
  }

  private static Reason reason(ApiKeys node, IssuedKey issued) {
    return ((Rejected) node.validate(issued.revealToken(), ANY, HERE)).reason();
  }
}
