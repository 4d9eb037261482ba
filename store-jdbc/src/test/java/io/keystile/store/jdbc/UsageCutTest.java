package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.StoreException;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.store.jdbc.CuttingProxy.Cut;
import io.keystile.store.jdbc.CuttingProxy.Direction;
import io.keystile.store.jdbc.CuttingProxy.Protocol;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The connection to the server is cut at each boundary of the messages of an addition, before and
 * after the message has arrived; then the batch is added again on another connection, until that is
 * answered.
 */
@ExtendWith(Silence.class)
class UsageCutTest {
  private static final int ROUNDS = Math.max(1, Integer.getInteger("keystile.rounds", 500) / 250);
  private static final Pattern PORT = Pattern.compile("(?<=:)\\d+(?=/)");
  private static final Subject SUBJECT = new Subject("0".repeat(22), "owner", "pro");

  /** A store whose connection goes through a proxy, when that is asked for. */
  private static final class Line implements AutoCloseable {
    private final HikariDataSource clean;
    private final CuttingProxy proxy;
    private final String urlOfProxy;
    private final JdbcKeyStore store;
    private final UnaryOperator<Batch> repeated;
    private @Nullable Connection wire;

    /** How many batches were made, of 1 more each. */
    private long batches;

    private int answered;
    private int unknown;

    /**
     * @param repeated what is added instead of a batch whose addition was not answered
     */
    Line(Database database, UnaryOperator<Batch> repeated) {
      String url = database.freshUrl();
      this.repeated = repeated;
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
      Around.Source source = () -> wire == null ? clean.getConnection() : wire;
      Around around =
          (method, call) -> method.equals("close") && wire != null ? null : call.proceed();
      store =
          JdbcKeyStore.builder(Around.dataSource(source, around)).initializeSchema(true).build();
    }

    private static Tally tally(String metric, String label, long amount) {
      return new Tally(SUBJECT, Period.HOUR, Instant.EPOCH, metric, label, amount);
    }

    /** Some of it is new each time. */
    private Batch next() {
      batches++;
      return new Batch(
          "batch-" + batches,
          Keys.NOW,
          List.of(
              tally("requests", "all", 1),
              tally("requests", "new " + batches, 1),
              tally("max-a", "all", batches)));
    }

    void run(@Nullable Cut cut) throws Exception {
      Batch batch = next();
      Connection connection = DriverManager.getConnection(urlOfProxy);
      wire = connection;
      proxy.arm(cut);
      boolean known = false;
      try {
        assertThat(store.add(batch)).isTrue();
        known = true;
        answered++;
      } catch (StoreException e) {
        unknown += e.kind() == StoreException.Kind.OUTCOME_UNKNOWN ? 1 : 0;
      }
      wire = null;
      proxy.disarm();
      assertThat(proxy.isCut()).as("cut at %s", cut).isEqualTo(cut != null);
      try {
        connection.close();
      } catch (SQLException e) {
        // it was cut
      }
      proxy.awaitEnd();
      if (!known) {
        store.add(repeated.apply(batch));
      }
    }

    /** Each place to cut at, from a run without a cut. */
    List<Cut> places() throws Exception {
      run(null);
      List<Cut> places = new ArrayList<>();
      for (Direction direction : Direction.values()) {
        for (int message = 1; message <= proxy.messages(direction); message++) {
          places.add(new Cut(direction, message, false));
          places.add(new Cut(direction, message, true));
        }
      }
      return places;
    }

    List<Tally> stored(String metric) {
      Filter filter =
          new Filter(
              Period.HOUR, Instant.EPOCH, Keys.NOW, SUBJECT.keyId(), null, null, Set.of(metric));
      return store.tallies(filter, null, 10_000);
    }

    long sum() {
      return stored("requests").stream()
          .filter(tally -> tally.label().equals("all"))
          .mapToLong(Tally::amount)
          .sum();
    }

    @Override
    public void close() {
      clean.close();
      proxy.close();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void a_batch_that_is_repeated_until_it_is_answered_counts_once(Database database)
      throws Exception {
    try (Line line = new Line(database, batch -> batch)) {
      line.run(null);
      List<Cut> places = line.places();
      for (int round = 0; round < ROUNDS; round++) {
        for (Cut place : places) {
          line.run(place);
        }
      }
      System.out.printf(
          "%s: %d places, %d batches, %d answered at once, %d unknown, sum %d%n",
          database, places.size(), line.batches, line.answered, line.unknown, line.sum());
      assertThat(places).hasSizeGreaterThan(10);
      assertThat(line.unknown).as("commits that were not answered").isPositive();
      assertThat(line.sum()).isEqualTo(line.batches);
      assertThat(line.stored("requests"))
          .as("the new one of each batch, and the sum")
          .hasSize((int) line.batches + 1)
          .filteredOn(tally -> tally.amount() != 1)
          .hasSize(1);
      assertThat(line.stored("max-a")).containsExactly(Line.tally("max-a", "all", line.batches));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB"})
  void the_twin_that_draws_a_new_id_for_what_it_repeats_counts_twice(Database database)
      throws Exception {
    UnaryOperator<Batch> renamed =
        batch -> new Batch("again-" + batch.id(), batch.madeAt(), batch.tallies());
    try (Line line = new Line(database, renamed)) {
      line.run(null);
      for (Cut place : line.places()) {
        line.run(place);
      }
      System.out.printf(
          "%s: the twin counts %d of %d batches%n", database, line.sum(), line.batches);
      assertThat(line.sum()).isGreaterThan(line.batches);
    }
  }
}
