package io.keystile.store.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.limit.Plan;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyStore;
import java.io.Serializable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/**
 * One node of a cluster, in a process of its own: validates a set of keys at full speed, ends some
 * of them, and notes when. All times are {@link System#nanoTime}, which all processes of a machine
 * share.
 */
final class ClusterNode {
  /** What may be wrong with a node. */
  enum Fault {
    NONE,
    /** It does not forget what it has changed itself. */
    FORGETS_NOT,
    /** Its polls succeed, and bring nothing. */
    SEES_NOTHING
  }

  /**
   * How a node is set up.
   *
   * @param origin what its clock says when {@link System#nanoTime} is 0
   * @param failing how many of its polls fail, 0 to 1
   */
  record Setting(
      String url,
      Instant origin,
      Duration propagation,
      Duration maxStale,
      double failing,
      Fault fault)
      implements Serializable {
    Setting with(double failing) {
      return new Setting(url, origin, propagation, maxStale, failing, fault);
    }

    Setting with(Duration propagation, Duration maxStale) {
      return new Setting(url, origin, propagation, maxStale, failing, fault);
    }

    Setting withClock(Duration ahead) {
      return new Setting(url, origin.plus(ahead), propagation, maxStale, failing, fault);
    }

    Setting with(Fault fault) {
      return new Setting(url, origin, propagation, maxStale, failing, fault);
    }
  }

  /** The keys that all nodes validate. */
  record Tokens(List<String> ids, List<String> tokens) implements Serializable {
    @Override
    public String toString() {
      return ids.toString();
    }
  }

  /**
   * What a node does to a key.
   *
   * @param key the place of the key in the list
   * @param joined whether in a transaction of the host's
   * @param pause nanoseconds before it
   */
  record Act(int key, Ending ending, boolean joined, long pause) implements Serializable {}

  /** When a verb had returned, or the host's transaction was committed. */
  record Acted(int key, long returned) implements Serializable {}

  /** From when to when. */
  record Span(long from, long to) implements Serializable {}

  /**
   * What a node did.
   *
   * @param accepted for each key when the last validation started that was accepted
   * @param asOf for each key the start of the last good poll, as the node told it before a
   *     validation that was accepted; the latest of these
   * @param polls how long the store took to answer each poll that it answered
   */
  record Journal(long[] accepted, long[] asOf, List<Span> polls, long validations)
      implements Serializable {}

  private Instant origin = Instant.EPOCH;
  private HikariDataSource pool;
  private HostTransactions host;
  private ApiKeys keys;
  private Tokens tokens;
  private AtomicLongArray accepted;
  private AtomicLongArray asOf;
  private final Queue<Span> polls = new ConcurrentLinkedQueue<>();
  private volatile boolean leaving;
  private volatile long validations;
  private Thread validator;

  /** Starts to validate; returns when each key was accepted. */
  boolean join(Setting setting, Tokens set, long seed) {
    origin = setting.origin();
    tokens = set;
    leaving = false;
    validations = 0;
    polls.clear();
    accepted = filled(set.ids().size());
    asOf = filled(set.ids().size());
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(setting.url());
    config.setMaximumPoolSize(10);
    pool = new HikariDataSource(config);
    host = new HostTransactions(pool, Connection.TRANSACTION_READ_COMMITTED);
    DataSource source = failing(pool, setting.failing(), new SplittableRandom(seed));
    JdbcKeyStore store = JdbcKeyStore.builder(source).joining(host).build();
    keys =
        ApiKeys.builder(watched(store, setting.fault()))
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(() -> origin.plusNanos(System.nanoTime()), System::nanoTime)
            .propagation(setting.propagation())
            .maxStale(setting.maxStale())
            .loadDeadline(Duration.ofSeconds(10))
            .useInterval(Duration.ofSeconds(1))
            .build();
    for (int key = 0; key < accepted.length(); key++) {
      while (!validate(key)) {
        Thread.onSpinWait();
      }
    }
    validator = new Thread(this::validateAll, "validator");
    validator.start();
    return true;
  }

  private static AtomicLongArray filled(int size) {
    AtomicLongArray array = new AtomicLongArray(size);
    for (int i = 0; i < size; i++) {
      array.set(i, Long.MIN_VALUE);
    }
    return array;
  }

  private KeyStore watched(KeyStore store, Fault fault) {
    KeyStore timed =
        Substitute.in(
            store,
            "changesSince",
            arguments -> {
              long began = System.nanoTime();
              Changes changes = store.changesSince((ChangeCursor) arguments[0], (int) arguments[1]);
              polls.add(new Span(began, System.nanoTime()));
              return fault == Fault.SEES_NOTHING
                  ? new Changes(List.of(), changes.oldest(), changes.newest())
                  : changes;
            });
    return fault == Fault.FORGETS_NOT
        ? Substitute.in(timed, "afterCommit", arguments -> null)
        : timed;
  }

  /** Fails to connect for so many of the polls. */
  private static DataSource failing(DataSource source, double part, SplittableRandom random) {
    return (DataSource)
        Proxy.newProxyInstance(
            ClusterNode.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              boolean polls = Thread.currentThread().getName().startsWith("keystile-poller");
              if (polls && random.nextDouble() < part) {
                throw new SQLException("planted", "08006");
              }
              try {
                return method.invoke(source, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private void validateAll() {
    long count = 0;
    boolean last;
    do {
      last = leaving; // and once more each
      for (int key = 0; key < accepted.length(); key++) {
        validate(key);
      }
      count += accepted.length();
    } while (!last);
    validations = count;
  }

  private boolean validate(int key) {
    long fresh = lastGoodPoll();
    long start = System.nanoTime();
    boolean good = Ending.isGood(keys, tokens.tokens().get(key));
    if (good) {
      accepted.accumulateAndGet(key, start, Math::max);
      asOf.accumulateAndGet(key, fresh, Math::max);
    }
    return good;
  }

  private long lastGoodPoll() {
    Instant at = Objects.requireNonNull(keys.status().lastGoodPoll());
    return Duration.between(origin, at).toNanos();
  }

  /** Acts, and tries each key at once. */
  List<Acted> act(List<Act> acts) {
    List<Acted> acted = new ArrayList<>();
    for (Act act : acts) {
      LockSupport.parkNanos(act.pause());
      String id = tokens.ids().get(act.key());
      if (act.joined()) {
        act.ending().of(keys, id, host, () -> LockSupport.parkNanos(act.pause() / 2));
      } else {
        act.ending().of(keys, id);
      }
      acted.add(new Acted(act.key(), System.nanoTime()));
      validate(act.key());
    }
    return acted;
  }

  /** Goes on validating until then, and a last time. */
  Journal leave(long notBefore) throws InterruptedException {
    while (System.nanoTime() < notBefore) {
      LockSupport.parkNanos(notBefore - System.nanoTime());
    }
    leaving = true;
    validator.join();
    if (validations == 0) {
      throw new IllegalStateException("the validating thread has died");
    }
    keys.close();
    pool.close();
    return new Journal(array(accepted), array(asOf), List.copyOf(polls), validations);
  }

  private static long[] array(AtomicLongArray array) {
    long[] copy = new long[array.length()];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = array.get(i);
    }
    return copy;
  }
}
