package io.keystile.store.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.KeyException;
import io.keystile.KeyException.Failure;
import io.keystile.Rotation;
import io.keystile.limit.Plan;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.WriteOutcome;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** One node, in a process of its own, whose threads all rotate the same key at one moment. */
final class RotatingNode {
  static final int THREADS = 4;

  /**
   * What came of it.
   *
   * @param tokens one for each rotation that succeeded
   * @param conflicts how many lost, and were told so
   */
  record Outcome(List<String> tokens, int conflicts) implements Serializable {
    @Override
    public String toString() {
      return tokens.size() + " done, " + conflicts + " conflicts";
    }
  }

  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final AtomicInteger refused = new AtomicInteger();
  private HikariDataSource pool;
  private ApiKeys keys;

  /**
   * Connects, anew if it was connected.
   *
   * @param overwrites whether writes are made whatever revision they were made from
   */
  boolean open(String url, boolean overwrites) {
    if (pool != null) {
      close();
    }
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(THREADS + 6);
    pool = new HikariDataSource(config);
    KeyStore store = JdbcKeyStore.create(pool);
    keys =
        ApiKeys.builder(overwrites ? overwriting(store) : counting(store, refused))
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .build();
    return true;
  }

  /** Counts the writes that the store refuses: races that were lost at the very last moment. */
  static KeyStore counting(KeyStore store, AtomicInteger refused) {
    return Substitute.in(
        store,
        "replace",
        arguments -> {
          WriteOutcome outcome = store.replace((KeyWrite) arguments[0]);
          if (outcome.kind() == WriteOutcome.Kind.CONFLICT) {
            refused.incrementAndGet();
          }
          return outcome;
        });
  }

  /** Reads the revision once more, and so overwrites whatever is there. */
  static KeyStore overwriting(KeyStore store) {
    return Substitute.in(store, "replace", arguments -> overwrite(store, (KeyWrite) arguments[0]));
  }

  private static WriteOutcome overwrite(KeyStore store, KeyWrite write) {
    WriteOutcome outcome;
    do {
      long stored = store.find(write.record().id()).orElseThrow().record().revision();
      outcome =
          store.replace(
              new KeyWrite(write.record().toBuilder().revision(stored + 1).build(), write.entry()));
    } while (outcome.kind() == WriteOutcome.Kind.CONFLICT);
    return outcome;
  }

  Outcome rotate(String keyId, long moment) throws Exception {
    Rotation rotation = Rotation.withGrace(Duration.ofDays(7)).replacing(1);
    List<Future<String>> rotating = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      rotating.add(
          threads.submit(
              () -> {
                Moment.await(moment);
                try {
                  return keys.rotate(keyId, rotation).revealToken();
                } catch (KeyException e) {
                  if (e.failure() == Failure.CONFLICT) {
                    return "";
                  }
                  throw e;
                }
              }));
    }
    List<String> tokens = new ArrayList<>();
    for (Future<String> one : rotating) {
      String token = one.get(60, TimeUnit.SECONDS);
      if (!token.isEmpty()) {
        tokens.add(token);
      }
    }
    return new Outcome(tokens, THREADS - tokens.size());
  }

  boolean close() {
    keys.close();
    pool.close();
    return true;
  }

  int refused() {
    return refused.get();
  }
}
