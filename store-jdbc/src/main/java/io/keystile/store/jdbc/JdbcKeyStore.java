package io.keystile.store.jdbc;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.SharedLimits;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UsageStore;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps keys in a SQL database: H2, HSQLDB, SQLite, PostgreSQL or MariaDB.
 *
 * <pre>{@code
 * KeyStore store = JdbcKeyStore.create(dataSource);
 * }</pre>
 *
 * <p>The tables must be there: the migrations are in this jar under {@code
 * io/keystile/store/jdbc/db-migration/<database>}, ready for Flyway with the placeholder {@code
 * prefix}, or let the store create them with {@link Builder#initializeSchema}. Building a store
 * checks them and names what is missing.
 *
 * <p><b>Connections.</b> Each operation borrows one connection and gives it back as it was:
 * autocommit as found, isolation untouched, no transaction open. Pools with autocommit on or off
 * both work; with autocommit off, a read begins and ends with a rollback. The data source must give
 * connections that are the store's own: not one that hands out the connection of the thread's
 * transaction. To take part in the host's transactions, see {@link
 * Builder#joining(ConnectionSource)}.
 *
 * <p><b>Shared limits.</b> Nodes on one database keep limits together by the clock of its server,
 * in transactions of the store's own. A role that only validates may lack the rights on the table
 * for it; then those calls fail, and nothing else does.
 *
 * <p><b>Usage.</b> Batches of tallies are added, read and purged in transactions of the store's
 * own, too; only a role that keeps usage needs rights on its two tables.
 *
 * <p><b>Contention.</b> A transaction of the store's own that the database gives up for a deadlock
 * or a serialization failure is tried again, up to ten times in all with short pauses, until a
 * second after the first failure; then it is a {@link StoreException} of kind {@code CONFLICT}. So
 * is, at once, a lock that was waited for as long as the database allows. If the answer to a commit
 * is lost, the kind is {@code OUTCOME_UNKNOWN}; every other failure is {@code UNAVAILABLE}.
 *
 * <p><b>Secrecy.</b> Exceptions and log lines name the operation, the class of the driver's
 * exception, its SQLState and its vendor code; never its text, which may hold values, and never a
 * value. No secret reaches a store, so none is ever bound.
 *
 * <p>Safe for use by many threads. Holds no thread, no connection and no cache; there is nothing to
 * close. All methods block.
 */
public final class JdbcKeyStore implements KeyStore, SharedLimits, UsageStore {
  private static final Logger LOG = LoggerFactory.getLogger(JdbcKeyStore.class);
  private static final int MARKS_PER_TRANSACTION = 1000;

  private final Transactions transactions;
  private final Sql sql;
  private final KeyWriter writer;
  private final Ledgers ledgers;
  private final Tallies tallies;

  private JdbcKeyStore(Transactions transactions, Failures failures, Sql sql) {
    this.transactions = transactions;
    this.sql = sql;
    this.writer = new KeyWriter(transactions, failures, sql);
    this.ledgers = new Ledgers(transactions, failures, sql);
    this.tallies = new Tallies(transactions, failures, sql);
  }

  /**
   * Makes a store on existing tables with all defaults.
   *
   * @param dataSource where connections come from
   * @return a new store
   * @throws IllegalStateException if the database is not supported, runs with settings under which
   *     the contract cannot hold, or lacks a table, column or index; the message says what to do
   * @throws StoreException if the database cannot be reached
   */
  public static JdbcKeyStore create(DataSource dataSource) {
    return builder(dataSource).build();
  }

  /**
   * A builder with all defaults.
   *
   * @param dataSource where connections come from; they must be the store's own, not those of a
   *     transaction of the calling thread
   * @return a new builder
   */
  public static Builder builder(DataSource dataSource) {
    return new Builder(dataSource);
  }

  @Override
  public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
    return writer.insert(List.copyOf(writes), ownerMaximum);
  }

  @Override
  public Optional<StoredKey> find(String keyId) {
    if (!Encoding.isKeyId(keyId)) {
      return Optional.empty();
    }
    return transactions.read("find", session -> queryKey(session, sql.find, keyId, true));
  }

  @Override
  public Optional<KeyRecord> load(String keyId) {
    if (!Encoding.isKeyId(keyId)) {
      return Optional.empty();
    }
    return transactions
        .readCommitted("load", session -> queryKey(session, sql.load, keyId, false))
        .map(StoredKey::record);
  }

  @Override
  public WriteOutcome replace(KeyWrite write) {
    return writer.replace(write);
  }

  @Override
  public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    check(limit >= 1 && limit <= 1000, "limit: must be 1 to 1000");
    if (!Encoding.isStorable(filter.owner())
        || !Encoding.isStorable(filter.subject())
        || !Encoding.isStorable(filter.brand())
        || !Encoding.isStorable(filter.environment())
        || !Encoding.isStorable(after)) {
      return List.of();
    }
    return transactions.read(
        "list",
        session ->
            session.query(
                sql.list(filter, after == null),
                binder -> Records.bindFilter(binder, filter, after, limit),
                row -> Records.readKeys(row, true)));
  }

  @Override
  public void recordUse(List<UseMark> marks) {
    // all nodes update in one order, so that their batches do not deadlock
    List<UseMark> sorted = new ArrayList<>(marks);
    sorted.sort(Comparator.comparing(UseMark::keyId).thenComparingInt(UseMark::version));
    for (int from = 0; from < sorted.size(); from += MARKS_PER_TRANSACTION) {
      int to = Math.min(from + MARKS_PER_TRANSACTION, sorted.size());
      List<UseMark> part = sorted.subList(from, to);
      transactions.writeApart(
          "recordUse",
          session -> {
            session.batch(sql.recordUse, part, Records::bindMark);
            return true;
          });
    }
  }

  @Override
  public Changes changesSince(ChangeCursor cursor, int limit) {
    check(limit >= 1 && limit <= 10_000, "limit: must be 1 to 10000");
    return transactions.readCommitted(
        "changesSince", session -> ChangeFeed.read(session, sql, cursor, limit));
  }

  @Override
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    check(after >= 0, "after: must not be negative");
    check(limit >= 1 && limit <= 1000, "limit: must be 1 to 1000");
    if (!Encoding.isStorable(filter.keyId())
        || !Encoding.isStorable(filter.owner())
        || !Encoding.isStorable(filter.operationId())) {
      return List.of();
    }
    return transactions.read(
        "audit",
        session ->
            session.query(
                sql.audit(filter),
                binder -> Records.bindFilter(binder, filter, after, limit),
                Records::readEntries));
  }

  @Override
  public Purge.Result purge(Purge purge) {
    return writer.purge(purge);
  }

  @Override
  public Snapshot read(Collection<String> ids) {
    return ledgers.read(ids);
  }

  @Override
  public Set<String> replace(List<Ledger> replacements) {
    return ledgers.replace(replacements);
  }

  @Override
  public int purge(Instant before, int limit) {
    return ledgers.purge(before, limit);
  }

  @Override
  public boolean add(Batch batch) {
    return tallies.add(batch);
  }

  @Override
  public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
    return tallies.find(filter, after, limit);
  }

  @Override
  public int purge(Retention retention) {
    return tallies.purge(retention);
  }

  @Override
  public void afterCommit(Runnable action) {
    transactions.afterCommit(Objects.requireNonNull(action, "action"));
  }

  private Optional<StoredKey> queryKey(Session session, String query, String keyId, boolean withUse)
      throws SQLException {
    List<StoredKey> keys =
        session.query(query, binder -> binder.exact(keyId), row -> Records.readKeys(row, withUse));
    return keys.stream().findFirst();
  }

  static void check(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  /** Builds stores. Not safe for use by several threads. */
  public static final class Builder {
    private static final Pattern PREFIX = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,29}");

    private final DataSource dataSource;
    private @Nullable ConnectionSource host;
    private String prefix = "keystile_";
    private boolean initializeSchema;
    private Duration readTimeout = Duration.ofSeconds(5);
    private boolean driverCauses;

    private Builder(DataSource dataSource) {
      this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
    }

    /**
     * Lets administration take part in the host's transactions. Default: every operation has a
     * transaction of its own.
     *
     * @param source gives the connection of the calling thread's transaction
     * @return this
     */
    public Builder joining(ConnectionSource source) {
      this.host = Objects.requireNonNull(source, "source");
      return this;
    }

    /**
     * What the names of all tables and indexes begin with. Default: {@code keystile_}.
     *
     * @param prefix a letter and up to 29 letters, digits and underscores, all ASCII
     * @return this
     * @throws IllegalArgumentException if it is anything else
     */
    public Builder tablePrefix(String prefix) {
      check(PREFIX.matcher(prefix).matches(), "tablePrefix: must match " + PREFIX);
      this.prefix = prefix;
      return this;
    }

    /**
     * Whether to create tables and indexes that do not exist yet. For development and tests, and
     * for small installations; it needs a role that may do it. Default: false.
     *
     * @param initialize true to create them
     * @return this
     */
    public Builder initializeSchema(boolean initialize) {
      this.initializeSchema = initialize;
      return this;
    }

    /**
     * How long one query of {@code load}, {@code changesSince} or any other read in a transaction
     * of the store's own may take, on PostgreSQL and MariaDB; the other databases have no limit
     * that leaves the connection as it was. Default: 5 seconds.
     *
     * @param timeout whole seconds, 1 to 3600
     * @return this
     * @throws IllegalArgumentException if it is anything else
     */
    public Builder readTimeout(Duration timeout) {
      check(
          timeout.getNano() == 0 && timeout.getSeconds() >= 1 && timeout.getSeconds() <= 3600,
          "readTimeout: must be 1 to 3600 whole seconds");
      this.readTimeout = timeout;
      return this;
    }

    /**
     * Whether the driver's exception becomes the cause of {@link StoreException}. It helps to find
     * errors, but its text may hold stored values: owners, key ids, hashes. Default: false.
     *
     * @param driverCauses true to keep it
     * @return this
     */
    public Builder driverCauses(boolean driverCauses) {
      this.driverCauses = driverCauses;
      return this;
    }

    /**
     * Connects once, chooses the database's dialect and checks settings and schema.
     *
     * @return a new store
     * @throws IllegalStateException if the database is not supported, runs with settings under
     *     which the contract cannot hold, or lacks a table, column or index
     * @throws StoreException if the database cannot be reached
     */
    public JdbcKeyStore build() {
      try (Connection connection = dataSource.getConnection()) {
        Dialect dialect = inspect(connection);
        Failures failures = new Failures(dialect, driverCauses);
        int seconds = Math.toIntExact(readTimeout.toSeconds());
        Transactions transactions = new Transactions(dataSource, host, dialect, failures, seconds);
        return new JdbcKeyStore(transactions, failures, new Sql(prefix, dialect));
      } catch (SQLException e) {
        throw new StoreException(
            StoreException.Kind.UNAVAILABLE,
            "build: " + Failures.describe(e),
            driverCauses ? e : null);
      }
    }

    /** Gives the connection back without an open transaction, also where it is refused. */
    private Dialect inspect(Connection connection) throws SQLException {
      boolean autoCommit = connection.getAutoCommit();
      try {
        Dialect dialect = Dialect.of(connection.getMetaData());
        dialect.checkSettings(connection);
        checkSchema(connection, new Schema(dialect, prefix));
        return dialect;
      } finally {
        if (!autoCommit) {
          Transactions.rollBack(connection);
        }
      }
    }

    private void checkSchema(Connection connection, Schema schema) throws SQLException {
      List<String> problems = schema.problems(connection);
      if (!problems.isEmpty() && initializeSchema) {
        LOG.info("Creating the tables {}*", prefix);
        problems = schema.createAndCheck(connection);
      }
      if (!problems.isEmpty()) {
        throw new IllegalStateException(
            "the schema is not as it must be: "
                + String.join("; ", problems)
                + ". Run the migrations in "
                + schema.location()
                + " of this jar, or call initializeSchema(true)");
      }
    }
  }
}
