package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyImport;
import io.keystile.KeyImport.Result;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.limit.Plan;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys that were issued elsewhere, on every database. */
class ImportTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);

  @ParameterizedTest
  @EnumSource(Database.class)
  void an_imported_key_lives_like_any_other_and_stays_away_when_it_is_purged(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      String foreign = "schlüssel.1795315702.MaQKnd98Qu33nWHl+KbyWbF104nCBxKU==";
      KeyImport key = KeyImport.ofToken(foreign, KeySpec.forOwner("owner").name("öld"));
      assertThat(reason(keys, foreign)).isEqualTo(Reason.UNKNOWN);
      assertThat(run(keys, List.of(key)).imported()).isEqualTo(1);
      assertThat(keys.validate(foreign, ANY, HERE).isAccepted()).isTrue();
      String id = keys.list(KeyQuery.all()).keys().get(0).id();

      IssuedKey rotated = keys.rotate(id, Rotation.withGrace(Duration.ofDays(1)));
      assertThat(rotated.id()).isEqualTo(id);
      assertThat(keys.validate(rotated.revealToken(), ANY, HERE).isAccepted()).isTrue();
      assertThat(keys.validate(foreign, ANY, HERE).isAccepted()).isTrue();
      keys.revoke(id, Revocation.because(RevocationReason.LEAKED));
      assertThat(reason(keys, foreign)).isEqualTo(Reason.REVOKED);

      assertThat(purge(keys)).isEqualTo(1);
      assertThat(purge(keys)).isZero();
      assertThat(reason(keys, foreign)).isEqualTo(Reason.UNKNOWN);
      assertThat(run(keys, List.of(key))).isEqualTo(new Result(0, 1, 0, List.of()));
      assertThat(reason(keys, foreign)).isEqualTo(Reason.UNKNOWN);
      KeyDetails tombstone = keys.find(id).orElseThrow();
      assertThat(tombstone.status()).isEqualTo(KeyDetails.Status.REVOKED);
      assertThat(tombstone.key().name()).isEmpty();
      assertThat(tombstone.lastUsed()).isNull();
    }
  }

  private static int purge(ApiKeys keys) {
    return keys.purge(Duration.ZERO, Duration.ofDays(1000), Cause.by("nightly")).keys();
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void what_is_there_already_takes_nothing_else_out_of_its_batch(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      assertThat(run(keys, imports(0, 300)).imported()).isEqualTo(300);
      List<KeyImport> more = imports(200, 500);
      Collections.shuffle(more, new Random(1));

      assertThat(run(keys, more)).isEqualTo(new Result(400, 100, 0, List.of()));

      assertThat(accepted(keys, 0, 700)).isEqualTo(700);
      assertThat(run(keys, imports(0, 700))).isEqualTo(new Result(0, 700, 0, List.of()));
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void two_nodes_that_import_the_same_keys_share_the_work(Database database) throws Exception {
    int rounds = Math.max(3, ROUNDS / 200);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (HikariDataSource source = database.fresh();
        ApiKeys one = node(store(source));
        ApiKeys other = node(store(source))) {
      long imported = 0;
      for (int round = 0; round < rounds; round++) {
        int from = 1000 * round;
        List<Future<Result>> results = new ArrayList<>();
        for (ApiKeys node : List.of(one, other)) {
          List<KeyImport> mine = imports(node == one ? from : from + 20, 100);
          Collections.shuffle(mine, new Random(round));
          results.add(threads.submit(() -> run(node, mine)));
        }
        long sum = 0;
        for (Future<Result> result : results) {
          sum += result.get(2, TimeUnit.MINUTES).imported();
        }
        assertThat(sum).isEqualTo(120);
        imported += sum;
      }
      System.out.println(database + ": " + imported + " keys by two nodes at once, 0 lost");
    } finally {
      threads.shutdownNow();
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_negative_answer_does_not_outlive_an_import(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys one = node(store(source));
        ApiKeys other = node(store(source))) {
      assertThat(reason(other, "token-0")).isEqualTo(Reason.UNKNOWN);

      run(one, imports(0, 1));

      assertThat(one.validate("token-0", ANY, HERE).isAccepted()).isTrue();
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!other.validate("token-0", ANY, HERE).isAccepted()) {
        assertThat(System.nanoTime()).as("the import never arrived").isLessThan(deadline);
        Thread.onSpinWait();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Database.class,
      names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void a_host_transaction_imports_all_or_nothing(Database database) {
    try (HikariDataSource source = database.fresh()) {
      HostTransactions host = new HostTransactions(source, Connection.TRANSACTION_READ_COMMITTED);
      KeyStore store = JdbcKeyStore.builder(source).joining(host).initializeSchema(true).build();
      try (ApiKeys keys = node(store)) {
        run(keys, imports(0, 10));
        assertThatThrownBy(
                () ->
                    host.run(
                        connection -> {
                          assertThat(run(keys, imports(5, 10)).imported()).isEqualTo(5);
                          throw new IllegalStateException("the host rolls back");
                        }))
            .hasMessage("the host rolls back");
        assertThat(accepted(keys, 0, 20)).isEqualTo(10);

        // what is there already must not spoil the transaction
        host.run(
            connection -> {
              assertThat(run(keys, imports(5, 10))).isEqualTo(new Result(5, 5, 0, List.of()));
              assertThat(run(keys, imports(10, 10))).isEqualTo(new Result(5, 5, 0, List.of()));
            });
        assertThat(accepted(keys, 0, 20)).isEqualTo(20);
      }
    }
  }

  /** Two for a build; in a campaign all five, with 100,000 keys each. */
  static Stream<Database> databasesForMany() {
    return ROUNDS < 10_000
        ? Stream.of(Database.H2, Database.POSTGRESQL)
        : Stream.of(
            Database.H2, Database.HSQLDB, Database.SQLITE, Database.POSTGRESQL, Database.MARIADB);
  }

  @ParameterizedTest
  @MethodSource("databasesForMany")
  void many_keys_are_imported_and_each_is_let_in(Database database) {
    int count = Math.min(100_000, 20 * ROUNDS);
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      List<Long> heard = new ArrayList<>();
      long began = System.nanoTime();

      Result result =
          keys.importKeys(
              IntStream.range(0, count).mapToObj(ImportTest::imported).iterator(),
              progress -> heard.add(progress.imported()));

      long imported = System.nanoTime();
      assertThat(result).isEqualTo(new Result(count, 0, 0, List.of()));
      assertThat(heard).hasSize((count + 499) / 500).isSorted();
      assertThat(accepted(keys, 0, count)).isEqualTo(count);
      System.out.printf(
          "%s: %,d keys imported in %,d ms and let in, in %,d ms%n",
          database,
          count,
          (imported - began) / 1_000_000,
          (System.nanoTime() - imported) / 1_000_000);
    }
  }

  /** How many of these tokens are let in; as many at a time as may wait for the loaders. */
  private static int accepted(ApiKeys keys, int from, int count) {
    int accepted = 0;
    for (int i = from; i < from + count; i += 200) {
      List<CompletableFuture<Validation>> results =
          IntStream.range(i, Math.min(i + 200, from + count))
              .mapToObj(number -> keys.validateAsync("token-" + number, ANY, HERE))
              .toList();
      accepted += (int) results.stream().filter(result -> result.join().isAccepted()).count();
    }
    return accepted;
  }

  private static List<KeyImport> imports(int from, int count) {
    return new ArrayList<>(
        IntStream.range(from, from + count).mapToObj(ImportTest::imported).toList());
  }

  private static KeyImport imported(int number) {
    try {
      byte[] token = ("token-" + number).getBytes(StandardCharsets.UTF_8);
      return KeyImport.ofSha256(
          MessageDigest.getInstance("SHA-256").digest(token),
          KeySpec.forOwner("owner-" + number % 100).scopes("forecast:read"));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static Result run(ApiKeys keys, List<KeyImport> imports) {
    return keys.importKeys(imports.iterator(), progress -> {});
  }

  private static Reason reason(ApiKeys keys, String token) {
    return ((Rejected) keys.validate(token, ANY, HERE)).reason();
  }

  private static KeyStore store(HikariDataSource source) {
    return JdbcKeyStore.builder(source).initializeSchema(true).build();
  }

  private static ApiKeys node(KeyStore store) {
    byte[] secret = new byte[32];
    Arrays.fill(secret, (byte) 7);
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .importedKeys(ServerSecret.of("import-1", secret))
        .propagation(Duration.ofMillis(200))
        .loadDeadline(Duration.ofMinutes(1))
        .build();
  }
}
