package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.Polls;
import io.keystile.limit.Plan;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyStore;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A host's transaction changes keys and stays open for ten polls of another node, while others
 * commit hundreds of changes with higher numbers, and some are rolled back. Nothing may be lost.
 * Time is the test's: a second from poll to poll.
 */
class GapTest {
  private static final int CHANGES = Integer.getInteger("keystile.rounds", 500);
  private static final int POLLS = 10;
  private static final int LATE = 3;

  private static final Duration BETWEEN_POLLS = Duration.ofSeconds(1);
  private static final Duration OVERLAP = Duration.ofSeconds(2);

  private final AtomicReference<Instant> time =
      new AtomicReference<>(Instant.parse("2026-11-21T12:00:00Z"));
  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  /** A node that polls when it is told to, and the loads that it asked for. */
  private record Node(ApiKeys keys, AtomicInteger loads) implements AutoCloseable {
    void poll() {
      Polls.poll(keys);
    }

    int good(List<IssuedKey> issued) {
      int good = 0;
      for (IssuedKey key : issued) {
        good += Ending.isGood(keys, key.revealToken()) ? 1 : 0;
      }
      return good;
    }

    @Override
    public void close() {
      keys.close();
    }
  }

  private Node nodeOn(KeyStore store) {
    AtomicInteger loads = new AtomicInteger();
    KeyStore counting =
        Substitute.in(
            store,
            "load",
            arguments -> {
              loads.incrementAndGet();
              return store.load((String) arguments[0]);
            });
    return new Node(node(counting), loads);
  }

  private ApiKeys node(KeyStore store) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .time(time::get, System::nanoTime)
        .propagation(Duration.ofHours(1))
        .maxStale(Duration.ofHours(1))
        .loadDeadline(Duration.ofSeconds(60))
        .build();
  }

  /** A node that asks for what is greater than the highest number it saw, and for nothing else. */
  private static KeyStore forgetsGaps(KeyStore store) {
    return Substitute.in(
        store,
        "changesSince",
        arguments ->
            store.changesSince(
                ChangeCursor.after(((ChangeCursor) arguments[0]).after()), (int) arguments[1]));
  }

  /** A node that asks for what has happened since its last poll, or shortly before that. */
  private KeyStore followsTheClock(KeyStore store, DataSource source) {
    AtomicReference<Instant> lastPoll = new AtomicReference<>(time.get());
    return Substitute.in(
        store,
        "changesSince",
        arguments -> {
          Instant since = lastPoll.getAndSet(time.get()).minus(OVERLAP);
          Changes bounds = store.changesSince(ChangeCursor.after(Long.MAX_VALUE), 1);
          List<Changes.Change> changes = changesSince(since, source);
          if (changes.size() == (int) arguments[1]) {
            changes.add(changes.get(0)); // or else it is taken for a page that is full
          }
          return new Changes(changes, bounds.oldest(), bounds.newest());
        });
  }

  private static List<Changes.Change> changesSince(Instant since, DataSource source) {
    List<Changes.Change> changes = new ArrayList<>();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT seq, key_id FROM keystile_change WHERE happened_at >= "
                    + since.toEpochMilli()
                    + " ORDER BY seq")) {
      while (rows.next()) {
        String keyId = new String(rows.getBytes(2), StandardCharsets.US_ASCII);
        changes.add(new Changes.Change(rows.getLong(1), keyId));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return changes;
  }

  private void poll(List<Node> nodes) {
    time.updateAndGet(now -> now.plus(BETWEEN_POLLS));
    nodes.forEach(Node::poll);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_change_that_is_committed_late_is_seen_at_the_next_poll(Database database)
      throws Exception {
    try (HikariDataSource source = database.fresh()) {
      HostTransactions host = new HostTransactions(source, Connection.TRANSACTION_READ_COMMITTED);
      JdbcKeyStore joined =
          JdbcKeyStore.builder(source).joining(host).initializeSchema(true).build();
      KeyStore store = JdbcKeyStore.create(source);
      try (ApiKeys acting = node(joined);
          Node watching = nodeOn(store);
          Node twin = nodeOn(forgetsGaps(store));
          Node byClock = nodeOn(followsTheClock(store, source))) {
        Load load = new Load(acting, host);
        List<Node> nodes = List.of(watching, twin, byClock);
        for (int poll = 0; poll < 3; poll++) {
          poll(nodes); // takes in the notices of their issue, for the overlap again
        }
        for (Node node : nodes) {
          assertThat(node.good(load.all())).isEqualTo(CHANGES + LATE);
          node.loads().set(0);
        }

        if (database.oneWriterAtATime()) {
          load.run(nodes);
          load.openLate();
          for (int poll = 0; poll < POLLS; poll++) {
            poll(nodes);
          }
        } else {
          load.openLate();
          load.run(nodes);
        }
        assertThat(watching.good(load.late)).as("nothing of it is committed").isEqualTo(LATE);
        try (Node newcomer = nodeOn(store)) {
          assertThat(newcomer.good(load.late)).isEqualTo(LATE);
          load.commitLate();
          poll(List.of(watching, twin, byClock, newcomer));
          assertThat(newcomer.good(load.late)).as("begun while it was open").isZero();
        }

        int changed = load.committed.size() + LATE;
        assertThat(watching.good(load.late)).isZero();
        assertThat(watching.good(load.committed)).isZero();
        assertThat(watching.good(load.rolledBack)).isEqualTo(load.rolledBack.size());
        assertThat(watching.loads()).as("each changed key was forgotten").hasValue(changed);
        int missed = twin.good(load.late) + twin.good(load.committed);
        int missedByClock = byClock.good(load.late);
        System.out.printf(
            "%s: %d changes committed, %d rolled back, %d polls: 0 missed; without gaps %d, by the"
                + " clock %d%n",
            database, changed, load.rolledBack.size(), POLLS + 1, missed, missedByClock);
        assertThat(missedByClock).as("the node that follows the clock").isEqualTo(LATE);
        assertThat(byClock.good(load.committed)).as("it hears of all others").isZero();
        if (database.oneWriterAtATime()) {
          assertThat(missed).as("numbers appear in their order").isZero();
        } else {
          assertThat(missed).as("the node that forgets gaps").isGreaterThanOrEqualTo(LATE);
        }
      }
    }
  }

  /** The keys, and what becomes of them. */
  private final class Load {
    final List<IssuedKey> committed = new ArrayList<>();
    final List<IssuedKey> rolledBack = new ArrayList<>();
    final List<IssuedKey> late = new ArrayList<>();
    private final List<Runnable> changes = new ArrayList<>();
    private final CountDownLatch written = new CountDownLatch(1);
    private final CountDownLatch mayCommit = new CountDownLatch(1);
    private final ApiKeys acting;
    private final HostTransactions host;
    private Future<?> open;

    Load(ApiKeys acting, HostTransactions host) {
      this.acting = acting;
      this.host = host;
      for (int i = 0; i < LATE; i++) {
        late.add(acting.issue(Ending.key()));
      }
      for (int i = 0; i < CHANGES; i++) {
        IssuedKey key = acting.issue(Ending.key());
        Ending ending = Ending.of(i);
        switch (i % 5) {
          case 0 -> {
            rolledBack.add(key);
            changes.add(() -> rollBack(ending, key));
          }
          case 1 -> {
            committed.add(key);
            changes.add(() -> ending.of(acting, key.id(), host, () -> {}));
          }
          default -> {
            committed.add(key);
            changes.add(() -> ending.of(acting, key.id()));
          }
        }
      }
    }

    List<IssuedKey> all() {
      List<IssuedKey> all = new ArrayList<>(late);
      all.addAll(committed);
      all.addAll(rolledBack);
      return all;
    }

    private void rollBack(Ending ending, IssuedKey key) {
      RuntimeException planned = new RuntimeException("the host rolls back");
      assertThatThrownBy(
              () ->
                  ending.of(
                      acting,
                      key.id(),
                      host,
                      () -> {
                        throw planned;
                      }))
          .isSameAs(planned);
    }

    /** In parts, in the middle of each of which the nodes poll. */
    void run(List<Node> nodes) throws Exception {
      for (int poll = 0; poll < POLLS; poll++) {
        List<Future<?>> part = new ArrayList<>();
        for (int i = poll; i < CHANGES; i += POLLS) {
          part.add(threads.submit(changes.get(i)));
        }
        part.get(part.size() / 2).get(60, TimeUnit.SECONDS);
        poll(nodes);
        for (Future<?> change : part) {
          change.get(60, TimeUnit.SECONDS);
        }
      }
    }

    void openLate() throws Exception {
      open =
          threads.submit(
              () ->
                  host.run(
                      connection -> {
                        for (int i = 0; i < LATE; i++) {
                          Ending.of(i).of(acting, late.get(i).id());
                        }
                        written.countDown();
                        await(mayCommit);
                      }));
      await(written);
    }

    void commitLate() throws Exception {
      mayCommit.countDown();
      open.get(60, TimeUnit.SECONDS);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
