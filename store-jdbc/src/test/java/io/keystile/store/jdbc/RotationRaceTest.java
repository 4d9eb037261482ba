package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyException;
import io.keystile.KeyException.Failure;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Polls;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rotations against each other, from two processes, and against revocations. */
class RotationRaceTest {
  private static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);
  private static final int ROUNDS_OF_TWINS = 20;
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());

  private final ExecutorService threads = Executors.newFixedThreadPool(2);

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  /** HSQLDB is not among them: its file belongs to one process. */
  @ParameterizedTest
  @EnumSource(names = {"H2_FILE", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void of_all_rotations_of_a_secret_in_two_processes_one_makes_the_successor(Database database)
      throws Exception {
    String url = database.freshUrl() + (database == Database.H2_FILE ? ";AUTO_SERVER=TRUE" : "");
    try (HikariDataSource pool = database.pool(url, true, false);
        ApiKeys keys = node(JdbcKeyStore.builder(pool).initializeSchema(true).build());
        NodeProcess<RotatingNode> one = new NodeProcess<>(RotatingNode.class);
        NodeProcess<RotatingNode> other = new NodeProcess<>(RotatingNode.class)) {
      List<NodeProcess<RotatingNode>> nodes = List.of(one, other);
      NodeProcess.askAll(nodes, node -> node.open(url, false));

      int wrong = keysWithoutOneSuccessor(keys, nodes, ROUNDS);

      int refused =
          NodeProcess.askAll(nodes, RotatingNode::refused).stream().mapToInt(n -> n).sum();
      NodeProcess.askAll(nodes, node -> node.open(url, true));
      int wrongOfTwin = keysWithoutOneSuccessor(keys, nodes, ROUNDS_OF_TWINS);
      NodeProcess.askAll(nodes, RotatingNode::close);
      System.out.printf(
          "%s: %d keys, each rotated by 2 processes x %d threads at once: %d without exactly one"
              + " successor (%d lost at the write); if overwritten %d of %d%n",
          database, ROUNDS, RotatingNode.THREADS, wrong, refused, wrongOfTwin, ROUNDS_OF_TWINS);
      assertThat(wrong).isZero();
      assertThat(refused).as("races").isPositive();
      assertThat(wrongOfTwin).isPositive();
    }
  }

  private static int keysWithoutOneSuccessor(
      ApiKeys keys, List<NodeProcess<RotatingNode>> nodes, int rounds) throws Exception {
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app"));
      String id = issued.id();
      long moment = Moment.soon(2_000_000);
      List<String> tokens = new ArrayList<>();
      int conflicts = 0;
      for (RotatingNode.Outcome outcome :
          NodeProcess.askAll(nodes, node -> node.rotate(id, moment))) {
        tokens.addAll(outcome.tokens());
        conflicts += outcome.conflicts();
      }
      KeyDetails details = keys.find(id).orElseThrow();
      boolean right =
          tokens.size() == 1
              && conflicts == 2 * RotatingNode.THREADS - 1
              && details.secrets().size() == 2
              && actions(keys, id).equals(List.of("issue", "rotate"))
              && isGood(keys, tokens.get(0))
              && isGood(keys, issued.revealToken());
      wrong += right ? 0 : 1;
    }
    return wrong;
  }

  @ParameterizedTest
  @EnumSource(names = {"H2_FILE", "HSQLDB_FILE", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_revocation_beats_a_rotation_in_every_order(Database database) throws Exception {
    SplittableRandom random = new SplittableRandom(SEED);
    try (HikariDataSource pool = database.fresh()) {
      AtomicInteger refused = new AtomicInteger();
      KeyStore store = JdbcKeyStore.builder(pool).initializeSchema(true).build();
      TreeMap<String, Integer> states = new TreeMap<>();
      try (ApiKeys revoking = node(store);
          ApiKeys rotating = node(RotatingNode.counting(store, refused))) {
        Rival rival = new Rival(revoking, rotating);
        for (int round = 0; round < ROUNDS; round++) {
          states.merge(rival.race(random), 1, Integer::sum);
        }
      }
      TreeMap<String, Integer> gated = gated(store, store);
      TreeMap<String, Integer> twin = gated(store, RotatingNode.overwriting(store));

      System.out.printf(
          "%s: keystile.seed=%d, %d races: %s, %d lost at the write; revoked between reading and"
              + " writing: %s; if overwritten: %s%n",
          database, SEED, ROUNDS, states, refused.get(), gated, twin);
      assertThat(states).containsOnlyKeys(ROTATED_FIRST, REVOKED_FIRST);
      assertThat(refused).as("races, and not one after the other").hasPositiveValue();
      assertThat(gated).containsOnlyKeys(REVOKED_FIRST);
      assertThat(twin.keySet()).doesNotContain(ROTATED_FIRST, REVOKED_FIRST);
    }
  }

  private static final String ROTATED_FIRST = "rotated, then revoked";
  private static final String REVOKED_FIRST = "revoked, rotation refused";

  /** Revokes each key after the other node has read it and before it writes. */
  private TreeMap<String, Integer> gated(KeyStore store, KeyStore written) throws Exception {
    TreeMap<String, Integer> states = new TreeMap<>();
    Gate gate = new Gate();
    KeyStore late =
        Substitute.in(
            written,
            "replace",
            arguments -> {
              gate.pass();
              return written.replace((KeyWrite) arguments[0]);
            });
    try (ApiKeys revoking = node(store);
        ApiKeys rotating = node(late)) {
      Rival rival = new Rival(revoking, rotating);
      for (int round = 0; round < ROUNDS_OF_TWINS; round++) {
        states.merge(rival.meet(gate), 1, Integer::sum);
      }
    }
    return states;
  }

  /** Lets a writer wait until somebody else has written. */
  private static final class Gate {
    private volatile CountDownLatch reached = new CountDownLatch(0);
    private volatile CountDownLatch open = new CountDownLatch(0);

    void close() {
      reached = new CountDownLatch(1);
      open = new CountDownLatch(1);
    }

    void pass() {
      reached.countDown();
      await(open);
    }

    private static void await(CountDownLatch latch) {
      try {
        assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Two nodes: one revokes what the other rotates. */
  private final class Rival {
    private final ApiKeys revoking;
    private final ApiKeys rotating;

    Rival(ApiKeys revoking, ApiKeys rotating) {
      this.revoking = revoking;
      this.rotating = rotating;
    }

    /** Both at once, or nearly: either may be a little later. */
    String race(SplittableRandom random) throws Exception {
      IssuedKey issued = warm();
      Rotation rotation = random.nextBoolean() ? zero() : Rotation.usual();
      long moment = Moment.soon(100_000);
      long early = moment + random.nextLong(300_000);
      long late = moment + random.nextLong(300_000);
      Future<String> rotated =
          threads.submit(
              () -> {
                Moment.await(early);
                return rotate(issued.id(), rotation);
              });
      Future<?> revoked =
          threads.submit(
              () -> {
                Moment.await(late);
                revoke(issued.id());
              });
      revoked.get(60, TimeUnit.SECONDS);
      return state(issued, rotated.get(60, TimeUnit.SECONDS));
    }

    String meet(Gate gate) throws Exception {
      IssuedKey issued = warm();
      gate.close();
      Future<String> rotated = threads.submit(() -> rotate(issued.id(), zero()));
      Gate.await(gate.reached);
      revoke(issued.id());
      gate.open.countDown();
      return state(issued, rotated.get(60, TimeUnit.SECONDS));
    }

    private IssuedKey warm() {
      IssuedKey issued = revoking.issue(KeySpec.forOwner("weather-app"));
      Polls.poll(revoking);
      Polls.poll(rotating);
      assertThat(isGood(revoking, issued.revealToken())).isTrue();
      assertThat(isGood(rotating, issued.revealToken())).isTrue();
      return issued;
    }

    private static Rotation zero() {
      return Rotation.withGrace(Duration.ZERO);
    }

    /** The new token, or none if the state of the key forbids it. */
    private String rotate(String id, Rotation rotation) {
      try {
        return rotating.rotate(id, rotation).revealToken();
      } catch (KeyException e) {
        assertThat(e.failure()).isEqualTo(Failure.STATE_FORBIDS);
        return "";
      }
    }

    private void revoke(String id) {
      revoking.revoke(id, Revocation.because(RevocationReason.UNUSED));
    }

    private String state(IssuedKey issued, String token) {
      KeyDetails details = revoking.find(issued.id()).orElseThrow();
      List<String> actions = actions(revoking, issued.id());
      Polls.poll(rotating); // and not the other: it knows already
      for (ApiKeys node : List.of(revoking, rotating)) {
        if (isGood(node, issued.revealToken()) || isGood(node, token)) {
          return "a token is accepted after " + actions;
        }
      }
      boolean revoked = details.status() == KeyDetails.Status.REVOKED;
      int secrets = details.secrets().size();
      if (revoked
          && token.isEmpty()
          && secrets == 1
          && actions.equals(List.of("issue", "revoke"))) {
        return REVOKED_FIRST;
      }
      if (revoked
          && !token.isEmpty()
          && secrets == 2
          && actions.equals(List.of("issue", "rotate", "revoke"))) {
        return ROTATED_FIRST;
      }
      return details.status() + " with " + secrets + " secrets after " + actions;
    }
  }

  private static boolean isGood(ApiKeys keys, String token) {
    return keys.validate(token, ANY, HERE).isAccepted();
  }

  private static List<String> actions(ApiKeys keys, String id) {
    return keys.audit(AuditFilter.ofKey(id), 0, 100).stream().map(AuditEntry::action).toList();
  }

  /** It polls when it is told to. */
  private static ApiKeys node(KeyStore store) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .propagation(Duration.ofHours(1))
        .maxStale(Duration.ofHours(1))
        .loadDeadline(Duration.ofSeconds(60))
        .build();
  }
}
