package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.store.jdbc.ChildJvm.Life;
import io.keystile.store.jdbc.KilledChild.Death;
import io.keystile.store.jdbc.Trial.Fault;
import io.keystile.store.jdbc.Trial.Finding;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A process is killed at each of its calls of JDBC, before and after; then another opens the
 * database and repeats the call.
 */
@ExtendWith(Silence.class)
class KillTest {
  private static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);
  private static final int DATABASES = 5;
  private static final List<Verb> VERBS = List.of(Verb.ISSUE, Verb.ROTATE, Verb.REVOKE);

  /**
   * By a signal, of {@link #VERBS}, on all databases together. Fewer than other rounds: each is a
   * JVM that starts.
   */
  private static final int KILLS = ROUNDS > 500 ? ROUNDS : 200;

  private static final int KILLS_OF_EACH = (KILLS + DATABASES - 1) / DATABASES;

  /** Of {@link Verb#PURGE}, and by themselves: on top of those. */
  private static final int OTHERS_OF_EACH = KILLS_OF_EACH / 20;

  private static final int AT_A_TIME = 2;
  private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(60);
  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());
  private static final AtomicInteger SITES = new AtomicInteger();

  /** Where to kill: at the point with this number, from 1. */
  private record Kill(Verb verb, int point, String name, Death death) {
    /** Whether it counts among {@link #KILLS}. */
    boolean isCounted() {
      return VERBS.contains(verb) && death != Death.HALT;
    }

    String momentOfVerb() {
      return verb + " " + name;
    }

    String momentOfDeath() {
      return death + " " + name;
    }
  }

  private record Result(Kill kill, boolean bySignal, int done, List<Finding> findings) {}

  /** A database with one child at a time. */
  private static final class Site {
    private final Database database;
    private final ChildJvm jvm;
    private final String url;
    private final String name = "child" + SITES.incrementAndGet();

    Site(Database database) throws SQLException {
      this.database = database;
      this.jvm = ChildJvm.of(database);
      this.url = database.freshDurableUrl();
      try (HikariDataSource source = pool()) {
        JdbcKeyStore.builder(source).initializeSchema(true).build();
      }
      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        if (database == Database.POSTGRESQL) {
          assertThat(text(statement, "SHOW fsync")).isEqualTo("on");
          assertThat(text(statement, "SHOW synchronous_commit")).isEqualTo("on");
        }
        if (database == Database.MARIADB) {
          assertThat(text(statement, "SELECT @@innodb_flush_log_at_trx_commit")).isEqualTo("1");
          statement.execute("CREATE USER " + name);
          statement.execute("GRANT ALL ON *.* TO " + name);
        }
      }
    }

    private HikariDataSource pool() {
      return database.pool(url, true, false);
    }

    private interface Work<T> {
      T run(ApiKeys keys, HikariDataSource source) throws SQLException;
    }

    /** Opens the database, and closes it: only one process can have the file of H2. */
    private <T> T open(Work<T> work) throws SQLException {
      try (HikariDataSource source = pool();
          ApiKeys keys = Trial.node(JdbcKeyStore.create(source))) {
        return work.run(keys, source);
      }
    }

    private Trial prepare(Verb verb) throws SQLException {
      String operationId = UUID.randomUUID().toString();
      return open((keys, source) -> Trial.prepare(verb, keys, source, operationId));
    }

    /** All points of a verb. */
    List<String> points(Verb verb, String broken) throws Exception {
      Trial trial = prepare(verb);
      List<String> points = jvm.runToEnd(verb(trial), broken).points();
      awaitEndOfSessions();
      return points;
    }

    /**
     * @param broken see {@link KilledChild#main}
     */
    Result run(Kill kill, String broken) throws Exception {
      Trial prepared = prepare(kill.verb());
      Life life = jvm.run(verb(prepared), kill.point(), kill.death(), broken);
      awaitEndOfSessions();
      assertThat(life.points().get(kill.point() - 1)).isEqualTo(kill.name());
      int most = kill.death() == Death.KILL_RUNNING ? kill.verb().times() : life.commits();
      return open(
          (keys, source) -> {
            Trial trial = prepared.reopened(keys, source);
            int done = trial.check();
            trial.expect(done, life.commits(), most, kill.momentOfDeath());
            trial.repeat(done);
            return new Result(kill, life.bySignal(), done, trial.findings);
          });
    }

    private List<String> verb(Trial trial) {
      String url =
          switch (database) {
            case POSTGRESQL -> this.url + "&ApplicationName=" + name;
            case MARIADB -> this.url.replace("user=keystile", "user=" + name);
            default -> this.url;
          };
      return List.of(url, trial.verb.name(), trial.target(), trial.operationId());
    }

    /** A server may be about to commit when its client is killed. */
    private void awaitEndOfSessions() throws SQLException {
      String sessions =
          switch (database) {
            case POSTGRESQL ->
                "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = '" + name + "'";
            case MARIADB ->
                "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '" + name + "'";
            default -> "";
          };
      if (sessions.isEmpty()) {
        return;
      }
      long began = System.nanoTime();
      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        while (!text(statement, sessions).equals("0")) {
          assertThat(System.nanoTime() - began).as("sessions end").isLessThan(LONGEST_WAIT);
        }
      }
    }

    private static String text(Statement statement, String query) throws SQLException {
      try (ResultSet row = statement.executeQuery(query)) {
        row.next();
        return row.getString(1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"H2_FILE", "SQLITE", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_killed_process_leaves_no_half_and_the_repeated_call_is_done_once(Database database)
      throws Exception {
    List<Site> sites = new ArrayList<>();
    for (int i = 0; i < AT_A_TIME; i++) {
      sites.add(new Site(database));
    }
    List<Kill> ways = ways(sites.get(0));
    List<Kill> kills = drawn(ways, new Random(SEED + database.ordinal()));
    AtomicInteger next = new AtomicInteger();
    List<Result> results = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
    try {
      List<Future<List<Result>>> parts = new ArrayList<>();
      for (Site site : sites) {
        parts.add(
            threads.submit(
                () -> {
                  List<Result> part = new ArrayList<>();
                  for (int i = next.getAndIncrement();
                      i < kills.size();
                      i = next.getAndIncrement()) {
                    part.add(site.run(kills.get(i), ""));
                  }
                  return part;
                }));
      }
      for (Future<List<Result>> part : parts) {
        results.addAll(part.get());
      }
    } finally {
      threads.shutdownNow();
    }
    int counted = (int) results.stream().filter(r -> r.bySignal() && r.kill().isCounted()).count();
    System.out.printf(
        "%s: %d kills, %d of them of issue, rotate or revoke by a signal, of %d ways,"
            + " -Dkeystile.seed=%d; kills/stored at each point%n",
        database, results.size(), counted, ways.size(), SEED);
    print(results);
    assertThat(results).flatExtracting(Result::findings).isEmpty();
    assertThat(counted).isGreaterThanOrEqualTo(KILLS_OF_EACH);
    List<Kill> met = results.stream().map(Result::kill).toList();
    assertThat(moments(met)).as("each kind of moment").isEqualTo(moments(ways));
  }

  /** All ways to be killed. */
  private static List<Kill> ways(Site site) throws Exception {
    List<Kill> ways = new ArrayList<>();
    for (Verb verb : Verb.values()) {
      List<String> points = site.points(verb, "");
      for (int point = 1; point <= points.size(); point++) {
        String name = points.get(point - 1);
        ways.add(new Kill(verb, point, name, Death.HALT));
        ways.add(new Kill(verb, point, name, Death.KILL));
        if (name.startsWith("before")) {
          ways.add(new Kill(verb, point, name, Death.KILL_RUNNING));
        }
      }
    }
    return ways;
  }

  /** The kinds of moments at which the verbs that count are killed. */
  private static Set<String> moments(List<Kill> kills) {
    Set<String> moments = new TreeSet<>();
    for (Kill kill : kills) {
      if (kill.isCounted()) {
        moments.add(kill.momentOfVerb());
        moments.add(kill.momentOfDeath());
      }
    }
    return moments;
  }

  /** By chance, but so that each kind of moment comes, and each way as often as any other. */
  private static List<Kill> drawn(List<Kill> ways, Random random) {
    List<Kill> others = new ArrayList<>(ways);
    others.removeIf(Kill::isCounted);
    Collections.shuffle(others, random);
    List<Kill> left = new ArrayList<>();
    List<Kill> drawn = new ArrayList<>();
    Map<String, Integer> met = new HashMap<>();
    while (drawn.size() < KILLS_OF_EACH || !moments(drawn).equals(moments(ways))) {
      if (left.isEmpty()) {
        left.addAll(ways);
        left.removeIf(kill -> !kill.isCounted());
        Collections.shuffle(left, random);
      }
      Kill next =
          Collections.min(
              left,
              Comparator.<Kill>comparingInt(kill -> met.getOrDefault(kill.momentOfVerb(), 0))
                  .thenComparingInt(kill -> met.getOrDefault(kill.momentOfDeath(), 0)));
      left.remove(next);
      drawn.add(next);
      met.merge(next.momentOfVerb(), 1, Integer::sum);
      met.merge(next.momentOfDeath(), 1, Integer::sum);
    }
    for (int i = 0; i < OTHERS_OF_EACH; i++) {
      drawn.add(others.get(i % others.size()));
    }
    return drawn;
  }

  /** How often it was killed there, and how often that was with the change stored. */
  private static void print(List<Result> results) {
    Map<String, Map<Verb, int[]>> table = new TreeMap<>();
    for (Result result : results) {
      int[] counts =
          table
              .computeIfAbsent(result.kill().name(), point -> new EnumMap<>(Verb.class))
              .computeIfAbsent(result.kill().verb(), verb -> new int[2]);
      counts[0]++;
      counts[1] += result.done() > 0 ? 1 : 0;
    }
    StringBuilder text = new StringBuilder(String.format("%24s", ""));
    for (Verb verb : Verb.values()) {
      text.append(String.format("%10s", verb));
    }
    table.forEach(
        (point, row) -> {
          text.append(String.format("%n%24s", point));
          for (Verb verb : Verb.values()) {
            int[] counts = row.getOrDefault(verb, new int[2]);
            text.append(String.format("%10s", counts[0] + "/" + counts[1]));
          }
        });
    System.out.println(text);
  }

  @ParameterizedTest
  @EnumSource(names = {"H2_FILE", "SQLITE", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void the_twin_without_transactions_is_caught(Database database) throws Exception {
    String broken = "setAutoCommit,commit,rollback";
    Site site = new Site(database);
    String name = "after executeBatch";
    int first = site.points(Verb.ISSUE, broken).indexOf(name) + 1;

    Result result = site.run(new Kill(Verb.ISSUE, first, name, Death.KILL), broken);

    assertThat(result.findings()).extracting(Finding::fault).contains(Fault.HALF);
  }
}
