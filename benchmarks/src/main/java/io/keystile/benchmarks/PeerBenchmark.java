package io.keystile.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.util.concurrent.RateLimiter;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.LocalBucketBuilder;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.keystile.benchmarks.TokenStream.Client;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.security.crypto.password.Pbkdf2PasswordEncoder;

/**
 * What else a team would use, on the same stream of tokens: the best that can be put together from
 * libraries by hand ({@code chm}, {@code caffeine}), limiters alone, and what tutorials show. The
 * hand-made ones look a key up by the hash of the token and check its expiry; they know no scopes,
 * networks, states or owners, and no way to hear that a key was revoked.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class PeerBenchmark {
  private static final long HIGH = 1_000_000_000;
  private static final Duration LONG = Duration.ofDays(3650);

  /** A SHA-256 as a key of a map: four numbers, no text. */
  record Hash(long a, long b, long c, long d) {
    private static final VarHandle LONGS =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    static Hash of(byte[] bytes) {
      return new Hash(
          (long) LONGS.get(bytes, 0),
          (long) LONGS.get(bytes, 8),
          (long) LONGS.get(bytes, 16),
          (long) LONGS.get(bytes, 24));
    }
  }

  /** What is kept of a key. */
  record Entry(String owner, boolean enabled, long expiresAt, Bucket bucket) {
    boolean isLive() {
      return enabled && System.currentTimeMillis() < expiresAt;
    }
  }

  /** One client thread: a digest, room for its input and its result. */
  @State(Scope.Thread)
  public static class Hasher {
    private final byte[] text = new byte[Sha256.LENGTH];
    private final byte[] hash = new byte[32];
    private final MessageDigest sha256 = Sha256.digest();

    Hash hash(String token) throws DigestException {
      Sha256.copy(token, text);
      sha256.update(text, 0, text.length);
      sha256.digest(hash, 0, hash.length);
      return Hash.of(hash);
    }
  }

  /** The keys of the stream, in a map and in a cache. */
  @State(Scope.Benchmark)
  public static class Assembled {
    private String[] stream;
    private Map<Hash, Entry> map;
    private Cache<Hash, Entry> cache;

    /**
     * Issues the tokens and keeps what the row needs.
     *
     * @param order of the tokens
     * @param params name the row
     * @throws DigestException never: the room is large enough
     */
    @Setup
    public void prepare(TokenStream order, BenchmarkParams params) throws DigestException {
      String[] tokens = order.texts();
      stream = order.of(tokens);
      boolean inMap = params.getBenchmark().endsWith("chmSha256");
      boolean limited = params.getBenchmark().endsWith("caffeineBucket4j");
      map = new ConcurrentHashMap<>();
      cache =
          Caffeine.newBuilder()
              .maximumSize(tokens.length + tokens.length / 4)
              .expireAfterWrite(Duration.ofHours(1))
              .build();
      Bucket none = bucket();
      Hasher hasher = new Hasher();
      long end = Instant.now().plus(LONG).toEpochMilli();
      for (String token : tokens) {
        Entry entry = new Entry("owner", true, end, limited ? bucket() : none);
        if (inMap) {
          map.put(hasher.hash(token), entry);
        } else {
          cache.put(hasher.hash(token), entry);
        }
      }
    }
  }

  static Bucket bucket() {
    LocalBucketBuilder builder = Bucket.builder();
    for (Duration length :
        List.of(
            Duration.ofSeconds(1),
            Duration.ofMinutes(1),
            Duration.ofHours(1),
            Duration.ofDays(1))) {
      builder.addLimit(Bandwidth.builder().capacity(HIGH).refillGreedy(HIGH, length).build());
    }
    return builder.build();
  }

  /** Limiters of one key each, which let everything through. */
  @State(Scope.Thread)
  public static class Limiters {
    private final Bucket bucket = bucket();
    private final RateLimiter guava = RateLimiter.create(HIGH);
    private final dev.failsafe.RateLimiter<Object> failsafe =
        dev.failsafe.RateLimiter.burstyBuilder(HIGH, Duration.ofSeconds(1)).build();
    private final io.github.resilience4j.ratelimiter.RateLimiter resilience =
        io.github.resilience4j.ratelimiter.RateLimiter.of(
            "limiter",
            RateLimiterConfig.custom()
                .limitForPeriod((int) HIGH)
                .limitRefreshPeriod(Duration.ofSeconds(1))
                .timeoutDuration(Duration.ZERO)
                .build());
  }

  /** Keys as tutorials keep them: by the hexadecimal hash of the whole token. */
  @State(Scope.Benchmark)
  public static class Tutorial {
    /** A row of theirs. */
    static final class Row {
      private final String expiresAt = Instant.now().plus(LONG).toString();
      private final boolean enabled = true;

      @SuppressWarnings("UnusedVariable") // read by whoever looks at the key
      private volatile String lastUsedAt = "";
    }

    private String[] stream;
    private final Map<String, Row> map = new HashMap<>();
    private HikariDataSource dataSource;

    /**
     * Issues the tokens, and fills the map and the table with them.
     *
     * @param order of the tokens
     * @throws SQLException if the database fails
     */
    @Setup
    public void prepare(TokenStream order) throws SQLException {
      String[] tokens = order.texts();
      stream = order.of(tokens);
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl("jdbc:h2:mem:tutorial;DB_CLOSE_DELAY=-1");
      config.setMaximumPoolSize(10);
      dataSource = new HikariDataSource(config);
      try (Connection connection = dataSource.getConnection();
          Statement create = connection.createStatement()) {
        create.execute(
            "CREATE TABLE api_key (key_hash VARCHAR(64) PRIMARY KEY, name VARCHAR(50),"
                + " enabled BOOLEAN, expires_at TIMESTAMP, last_used_at TIMESTAMP)");
        try (PreparedStatement insert =
            connection.prepareStatement("INSERT INTO api_key VALUES (?, 'owner', TRUE, ?, NULL)")) {
          Timestamp end = Timestamp.from(Instant.now().plus(LONG));
          for (String token : tokens) {
            String hash = hex(token);
            map.put(hash, new Row());
            insert.setString(1, hash);
            insert.setTimestamp(2, end);
            insert.addBatch();
          }
          insert.executeBatch();
        }
      }
    }

    /** Closes what was opened. */
    @TearDown
    public void close() {
      dataSource.close();
    }

    private static String hex(String token) {
      byte[] hash = Sha256.digest().digest(token.getBytes(StandardCharsets.UTF_8));
      StringBuilder hex = new StringBuilder();
      for (byte b : hash) {
        String digits = Integer.toHexString(0xff & b);
        if (digits.length() == 1) {
          hex.append('0');
        }
        hex.append(digits);
      }
      return hex.toString();
    }

    private boolean select(String hash) throws SQLException {
      try (Connection connection = dataSource.getConnection();
          PreparedStatement select =
              connection.prepareStatement(
                  "SELECT name, enabled, expires_at FROM api_key WHERE key_hash = ?")) {
        select.setString(1, hash);
        try (ResultSet row = select.executeQuery()) {
          return row.next()
              && row.getBoolean(2)
              && row.getTimestamp(3).toInstant().isAfter(Instant.now());
        }
      }
    }

    private boolean update(String hash) throws SQLException {
      try (Connection connection = dataSource.getConnection();
          PreparedStatement update =
              connection.prepareStatement(
                  "UPDATE api_key SET last_used_at = ? WHERE key_hash = ?")) {
        update.setTimestamp(1, Timestamp.from(Instant.now()));
        update.setString(2, hash);
        return update.executeUpdate() == 1;
      }
    }
  }

  /** Hashes that are made for passwords. */
  @State(Scope.Benchmark)
  public static class Passwords {
    private final PasswordEncoder bcrypt = new BCryptPasswordEncoder(10);
    private final PasswordEncoder pbkdf2 = Pbkdf2PasswordEncoder.defaultsForSpringSecurity_v5_8();
    private String token;
    private String bcryptHash;
    private String pbkdf2Hash;

    /** Hashes one secret with each. */
    @Setup
    public void prepare() {
      token = "KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq";
      bcryptHash = bcrypt.encode(token);
      pbkdf2Hash = pbkdf2.encode(token);
    }
  }

  /**
   * SHA-256, then a look into a ConcurrentHashMap that is never cleared.
   *
   * @param keys the keys
   * @param client who sends a token
   * @param hasher hashes it
   * @return whether it is good
   * @throws DigestException never: the room is large enough
   */
  @Benchmark
  public boolean chmSha256(Assembled keys, Client client, Hasher hasher) throws DigestException {
    Entry entry = keys.map.get(hasher.hash(client.next(keys.stream)));
    return entry != null && entry.isLive();
  }

  /**
   * SHA-256, then a look into a Caffeine cache with a maximum size and an expiry, as it comes.
   *
   * @param keys the keys
   * @param client who sends a token
   * @param hasher hashes it
   * @return whether it is good
   * @throws DigestException never: the room is large enough
   */
  @Benchmark
  public boolean caffeineSha256(Assembled keys, Client client, Hasher hasher)
      throws DigestException {
    Entry entry = keys.cache.getIfPresent(hasher.hash(client.next(keys.stream)));
    return entry != null && entry.isLive();
  }

  /**
   * The same, then a bucket of Bucket4j with four bandwidths in each entry: the best validation
   * with limits that libraries give.
   *
   * @param keys the keys
   * @param client who sends a token
   * @param hasher hashes it
   * @return whether it is good
   * @throws DigestException never: the room is large enough
   */
  @Benchmark
  public boolean caffeineBucket4j(Assembled keys, Client client, Hasher hasher)
      throws DigestException {
    Entry entry = keys.cache.getIfPresent(hasher.hash(client.next(keys.stream)));
    return entry != null && entry.isLive() && entry.bucket.tryConsume(1);
  }

  /**
   * Bucket4j alone, four bandwidths.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean bucket4jFourBandwidths(Limiters limiters) {
    return limiters.bucket.tryConsume(1);
  }

  /**
   * Resilience4j alone, one window.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean resilience4j(Limiters limiters) {
    return limiters.resilience.acquirePermission();
  }

  /**
   * Guava alone, one rate.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean guava(Limiters limiters) {
    return limiters.guava.tryAcquire();
  }

  /**
   * Failsafe alone, one window.
   *
   * @param limiters the limiters
   * @return true
   */
  @Benchmark
  public boolean failsafe(Limiters limiters) {
    return limiters.failsafe.tryAcquirePermit();
  }

  /**
   * Tutorial code on a map: hexadecimal text, times as text, a last use that is written.
   *
   * @param keys the keys
   * @param client who sends a token
   * @return whether it is good
   */
  @Benchmark
  public boolean tutorialMap(Tutorial keys, Client client) {
    Tutorial.Row row = keys.map.get(Tutorial.hex(client.next(keys.stream)));
    if (row == null || !row.enabled || Instant.parse(row.expiresAt).isBefore(Instant.now())) {
      return false;
    }
    row.lastUsedAt = Instant.now().toString();
    return true;
  }

  /**
   * Tutorial code on H2 in memory: a SELECT with each request.
   *
   * @param keys the keys
   * @param client who sends a token
   * @return whether it is good
   * @throws SQLException if the database fails
   */
  @Benchmark
  public boolean tutorialH2Select(Tutorial keys, Client client) throws SQLException {
    return keys.select(Tutorial.hex(client.next(keys.stream)));
  }

  /**
   * Tutorial code on H2 in memory: a SELECT, then an UPDATE of the last use.
   *
   * @param keys the keys
   * @param client who sends a token
   * @return whether it is good
   * @throws SQLException if the database fails
   */
  @Benchmark
  public boolean tutorialH2SelectUpdate(Tutorial keys, Client client) throws SQLException {
    String hash = Tutorial.hex(client.next(keys.stream));
    return keys.select(hash) && keys.update(hash);
  }

  /**
   * BCrypt at cost 10, the default of Spring Security.
   *
   * @param passwords the hashes
   * @return true
   */
  @Benchmark
  public boolean bcrypt(Passwords passwords) {
    return passwords.bcrypt.matches(passwords.token, passwords.bcryptHash);
  }

  /**
   * PBKDF2 with the defaults of Spring Security since 5.8.
   *
   * @param passwords the hashes
   * @return true
   */
  @Benchmark
  public boolean pbkdf2(Passwords passwords) {
    return passwords.pbkdf2.matches(passwords.token, passwords.pbkdf2Hash);
  }
}
