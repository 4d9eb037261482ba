package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.store.KeyStore;
import io.keystile.store.StoreException;
import io.keystile.store.jdbc.CuttingProxy.Cut;
import io.keystile.store.jdbc.CuttingProxy.Direction;
import io.keystile.store.jdbc.CuttingProxy.Protocol;
import io.keystile.store.jdbc.Trial.Answer;
import io.keystile.store.jdbc.Trial.Fault;
import io.keystile.store.jdbc.Trial.Finding;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The connection to the server is cut at each boundary of the messages of each verb, before and
 * after the message has arrived; then the same node repeats the call on another connection.
 */
@ExtendWith(Silence.class)
class CutTest {
  private static final List<Verb> VERBS = List.of(Verb.ISSUE, Verb.ROTATE, Verb.REVOKE);
  private static final int DATABASES = 3;

  /** On all databases together; each place is cut at once at least. */
  private static final int CUTS = Math.max(500, Integer.getInteger("keystile.rounds", 500) / 2);

  private static final int CUTS_OF_EACH = (CUTS + DATABASES - 1) / DATABASES;

  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());
  private static final Pattern PORT = Pattern.compile("(?<=:)\\d+(?=/)");

  /** What became of one cut. */
  private record Result(Trial trial, Answer answer, int done) {}

  /** A node whose calls on the thread of the test go through a proxy, when that is asked for. */
  private static final class Line implements AutoCloseable {
    private final Thread thread = Thread.currentThread();
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final HikariDataSource clean;
    private final CuttingProxy proxy;
    private final String urlOfProxy;
    private final ApiKeys keys;

    /** What the thread of the test gets, as from a pool of one. */
    private @Nullable Connection wire;

    Line(Database database) {
      this(database, Set.of(), store -> store);
    }

    /**
     * @param broken methods of a connection that do nothing
     * @param wrapping what the node sees of the store
     */
    Line(Database database, Set<String> broken, UnaryOperator<KeyStore> wrapping) {
      String url = database.freshUrl();
      clean = database.pool(url, true, false);
      Matcher port = PORT.matcher(url);
      assertThat(port.find()).isTrue();
      boolean postgres = database == Database.POSTGRESQL;
      proxy =
          new CuttingProxy(
              postgres ? Protocol.POSTGRESQL : Protocol.MARIADB, Integer.parseInt(port.group()));
      String clearAndWithinAMinute =
          postgres
              ? "&sslmode=disable&gssEncMode=disable&socketTimeout=60"
              : "&socketTimeout=60000";
      urlOfProxy = port.replaceFirst(String.valueOf(proxy.port())) + clearAndWithinAMinute;
      Around.Source source = () -> onWire() ? wire : clean.getConnection();
      Around around =
          (method, call) ->
              broken.contains(method) || method.equals("close") && onWire() ? null : call.proceed();
      JdbcKeyStore store =
          JdbcKeyStore.builder(Around.dataSource(source, around)).initializeSchema(true).build();
      keys = Trial.node(wrapping.apply(store));
    }

    private boolean onWire() {
      return Thread.currentThread() == thread && wire != null;
    }

    /** Each place to cut a verb at, from a run without a cut. */
    List<Cut> places(Verb verb) throws Exception {
      assertThat(run(verb, null).answer()).isEqualTo(Answer.ANSWERED);
      List<Cut> places = new ArrayList<>();
      for (Direction direction : Direction.values()) {
        for (int message = 1; message <= proxy.messages(direction); message++) {
          places.add(new Cut(direction, message, false));
          places.add(new Cut(direction, message, true));
        }
      }
      return places;
    }

    Result run(Verb verb, @Nullable Cut cut) throws Exception {
      String operationId = random.nextBoolean() ? null : UUID.randomUUID().toString();
      Trial trial = Trial.prepare(verb, keys, clean, operationId);
      Connection connection = DriverManager.getConnection(urlOfProxy);
      wire = connection;
      proxy.arm(cut);
      Answer answer = trial.call();
      wire = null;
      proxy.disarm();
      assertThat(proxy.isCut()).as("cut at %s of %s", cut, verb).isEqualTo(cut != null);
      closeQuietly(connection);
      proxy.awaitEnd();
      int done = trial.checkAnswer();
      trial.repeat(done);
      return new Result(trial, answer, done);
    }

    private static void closeQuietly(Connection connection) {
      try {
        connection.close();
      } catch (SQLException e) {
        // it was cut
      }
    }

    void execute(String sql) throws SQLException {
      try (Connection connection = clean.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    @Override
    public void close() {
      keys.close();
      clean.close();
      proxy.close();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB", "MYSQL_DRIVER"})
  void a_cut_connection_leaves_no_half_and_the_repeated_call_is_done_once(Database database)
      throws Exception {
    System.out.printf("%s: cuts of the connection, -Dkeystile.seed=%d%n", database, SEED);
    System.out.println(
        "    verb  places  cuts  answered  refused  unknown/not stored  unknown/stored  wrong");
    List<Finding> findings = new ArrayList<>();
    int cuts = 0;
    try (Line line = new Line(database)) {
      for (Verb verb : VERBS) {
        assertThat(line.run(verb, null).trial().findings).isEmpty();
        List<Cut> places = line.places(verb);
        List<Result> results = new ArrayList<>();
        do {
          for (Cut place : places) {
            results.add(line.run(verb, place));
          }
        } while (results.size() * VERBS.size() < CUTS_OF_EACH);
        print(verb, places.size(), results);
        results.forEach(result -> findings.addAll(result.trial().findings));
        cuts += results.size();
      }
    }
    assertThat(findings).isEmpty();
    assertThat(cuts).isGreaterThanOrEqualTo(CUTS_OF_EACH);
  }

  private static void print(Verb verb, int places, List<Result> results) {
    System.out.printf(
        "%8s  %6d  %4d  %8d  %7d  %18d  %14d  %5d%n",
        verb,
        places,
        results.size(),
        results.stream().filter(result -> result.answer() == Answer.ANSWERED).count(),
        results.stream().filter(result -> result.answer() == Answer.REFUSED).count(),
        results.stream().filter(r -> r.answer() == Answer.UNKNOWN && r.done() == 0).count(),
        results.stream().filter(r -> r.answer() == Answer.UNKNOWN && r.done() > 0).count(),
        results.stream().filter(result -> !result.trial().findings.isEmpty()).count());
  }

  /** What is found when the answers to a verb are lost, at each of them. */
  private static List<Fault> faults(Line line, Verb verb) throws Exception {
    List<Fault> faults = new ArrayList<>();
    for (Cut place : line.places(verb)) {
      if (place.direction() == Direction.TO_CLIENT && !place.delivered()) {
        line.run(verb, place).trial().findings.forEach(finding -> faults.add(finding.fault()));
      }
    }
    return faults;
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void the_twin_without_transactions_is_caught(Database database) throws Exception {
    Set<String> broken = Set.of("setAutoCommit", "commit", "rollback");
    try (Line line = new Line(database, broken, store -> store)) {
      assertThat(faults(line, Verb.ISSUE)).contains(Fault.HALF);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void the_twin_that_takes_a_lost_commit_for_none_is_caught(Database database) throws Exception {
    try (Line line = new Line(database, Set.of(), CutTest::withoutUnknown)) {
      assertThat(faults(line, Verb.ROTATE)).contains(Fault.FALSE_ANSWER);
    }
  }

  private static KeyStore withoutUnknown(KeyStore store) {
    return store(
        (proxy, method, args) -> {
          try {
            return method.invoke(store, args);
          } catch (InvocationTargetException e) {
            throw e.getCause() instanceof StoreException
                ? new StoreException(StoreException.Kind.UNAVAILABLE, "planted", null)
                : e.getCause();
          }
        });
  }

  private static KeyStore store(InvocationHandler handler) {
    Class<?>[] types = {KeyStore.class};
    return (KeyStore) Proxy.newProxyInstance(CutTest.class.getClassLoader(), types, handler);
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void the_twin_that_forgets_operation_ids_is_caught(Database database) throws Exception {
    try (Line line = new Line(database)) {
      String onTable = database == Database.MARIADB ? " ON keystile_audit" : "";
      line.execute("DROP INDEX keystile_audit_by_operation" + onTable);
      assertThat(faults(line, Verb.ISSUE)).contains(Fault.NOT_ONCE);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void the_twin_that_reads_old_records_is_caught(Database database) throws Exception {
    try (Line line = new Line(database, Set.of(), CutTest::withOldRecords)) {
      assertThat(line.run(Verb.REVOKE, null).trial().findings)
          .extracting(Finding::fault)
          .contains(Fault.TOKEN);
    }
  }

  private static KeyStore withOldRecords(KeyStore store) {
    Map<Object, Object> first = new ConcurrentHashMap<>();
    return store(
        (proxy, method, args) -> {
          Object result = method.invoke(store, args);
          return method.getName().equals("load") ? firstOf(first, args[0], result) : result;
        });
  }

  private static Object firstOf(Map<Object, Object> all, Object key, Object value) {
    Object before = all.putIfAbsent(key, value);
    return before == null ? value : before;
  }
}
