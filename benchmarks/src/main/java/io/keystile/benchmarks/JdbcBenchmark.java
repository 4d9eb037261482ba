package io.keystile.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.store.AuditEntry;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import io.keystile.store.jdbc.JdbcKeyStore;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The operations of the JDBC store on databases that start from a jar. H2 runs in memory, SQLite on
 * a file of the temporary folder with a write-ahead log, PostgreSQL as a server of its own whose
 * {@code fsync} is off: what disks do is not in the figures. For one thread.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class JdbcBenchmark {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00.123Z");
  private static final int BATCH = 500;
  private static final int PAGE = 100;

  /** {@code h2}, {@code sqlite} or {@code postgresql}. */
  @Param({"h2", "sqlite", "postgresql"})
  public String database;

  /** How many keys are stored before. */
  @Param({"10000"})
  public int stored;

  private @Nullable EmbeddedPostgres server;
  private @Nullable Path folder;
  private HikariDataSource dataSource;
  private KeyStore store;
  private List<KeyRecord> records;
  private long newest;
  private int made;
  private int at;

  /**
   * Starts the database and stores the keys.
   *
   * @throws IOException if it does not start
   */
  @Setup
  public void start() throws IOException {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url());
    config.setMaximumPoolSize(4);
    dataSource = new HikariDataSource(config);
    store = JdbcKeyStore.builder(dataSource).initializeSchema(true).build();
    records = new ArrayList<>();
    while (records.size() < stored) {
      List<KeyWrite> batch = new ArrayList<>();
      for (int i = 0; i < Math.min(BATCH, stored - records.size()); i++) {
        batch.add(write(record(), "issue"));
      }
      store.insert(batch, Integer.MAX_VALUE);
      batch.forEach(write -> records.add(write.record()));
    }
    newest = store.changesSince(ChangeCursor.after(0), 1).newest();
  }

  private String url() throws IOException {
    switch (database) {
      case "h2" -> {
        return "jdbc:h2:mem:keystile;DB_CLOSE_DELAY=-1";
      }
      case "sqlite" -> {
        Path made = Files.createTempDirectory("keystile-benchmark");
        folder = made;
        return "jdbc:sqlite:" + made.resolve("keys.db") + "?journal_mode=WAL&busy_timeout=5000";
      }
      case "postgresql" -> {
        EmbeddedPostgres started = EmbeddedPostgres.builder().start();
        server = started;
        return started.getJdbcUrl("postgres", "postgres");
      }
      default -> throw new IllegalArgumentException("database: " + database);
    }
  }

  /** Ids rise as those of real keys do. */
  private KeyRecord record() {
    made++;
    return KeyRecord.builder()
        .id("0" + digits(21, made))
        .prefix("acme", "live")
        .owner("owner-" + made % 1000)
        .name("A key")
        .scopes(List.of("forecast:read", "forecast:write"))
        .createdAt(NOW)
        .versions(
            List.of(
                new SecretVersion(
                    1,
                    "sha256",
                    null,
                    digits(64, made),
                    "wxyz",
                    NOW,
                    null,
                    null,
                    null,
                    null,
                    null)))
        .build();
  }

  private static String digits(int width, int number) {
    return String.format(Locale.ROOT, "%0" + width + "d", number);
  }

  private KeyWrite write(KeyRecord record, String action) {
    return new KeyWrite(
        record,
        new AuditEntry(
            0,
            record.id() + "/" + record.revision(),
            action,
            record.id(),
            record.owner(),
            null,
            NOW,
            "alice",
            null,
            null,
            null,
            record.state()));
  }

  private int next() {
    at = (at + 7919) % records.size(); // a prime: through all of them, not in their order
    return at;
  }

  /**
   * Stops the database and removes its files.
   *
   * @throws IOException if it does not stop
   */
  @TearDown
  public void stop() throws IOException {
    dataSource.close();
    if (server != null) {
      server.close();
    }
    if (folder != null) {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  /**
   * Loads one key, as a cold validation does.
   *
   * @return the record
   */
  @Benchmark
  public Optional<KeyRecord> load() {
    return store.load(records.get(next()).id());
  }

  /**
   * Finds one key with its last use, as administration does.
   *
   * @return the key
   */
  @Benchmark
  public Optional<StoredKey> find() {
    return store.find(records.get(next()).id());
  }

  /**
   * Stores one new key with its audit entry and its notice.
   *
   * @return applied
   */
  @Benchmark
  public WriteOutcome insert() {
    return applied(store.insert(List.of(write(record(), "issue")), Integer.MAX_VALUE));
  }

  /**
   * Changes the name of one key.
   *
   * @return applied
   */
  @Benchmark
  public WriteOutcome replace() {
    int index = next();
    KeyRecord old = records.get(index);
    KeyRecord changed =
        old.toBuilder().revision(old.revision() + 1).name("Revision " + old.revision()).build();
    records.set(index, changed);
    return applied(store.replace(write(changed, "update")));
  }

  /**
   * Revokes one key. When all are, they are revoked again, which costs the store the same.
   *
   * @return applied
   */
  @Benchmark
  public WriteOutcome revoke() {
    int index = next();
    KeyRecord old = records.get(index);
    KeyRecord.Revoked how =
        new KeyRecord.Revoked(NOW, RevocationReason.LEAKED, "note " + old.revision(), "bob", null);
    KeyRecord revoked = old.toBuilder().revision(old.revision() + 1).revoked(how).build();
    records.set(index, revoked);
    return applied(store.replace(write(revoked, "revoke")));
  }

  /**
   * Lists a page of 100 keys, anywhere in the list.
   *
   * @return the page
   */
  @Benchmark
  public List<StoredKey> listPage() {
    return store.list(KeyFilter.all(), records.get(next()).id(), PAGE);
  }

  /**
   * Asks for changes when there are none, as every node does twice a second.
   *
   * @return none
   */
  @Benchmark
  public Changes changesSince() {
    return store.changesSince(ChangeCursor.after(newest), 1000);
  }

  private static WriteOutcome applied(WriteOutcome outcome) {
    if (outcome.kind() != WriteOutcome.Kind.APPLIED) {
      throw new IllegalStateException("The store answered " + outcome.kind());
    }
    return outcome;
  }
}
