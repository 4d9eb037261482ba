package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.Origin;
import io.keystile.Polls;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys from their issue to their end, by the facade, on every database. */
class WholeProductTest {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final Instant NOW = Instant.parse("2026-03-29T00:59:59.999Z");

  private final AtomicReference<Instant> time = new AtomicReference<>(NOW);

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_key_is_issued_let_in_refused_and_revoked(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      IssuedKey issued = keys.issue(spec());
      String token = issued.revealToken();

      assertThat(keys.validate(token, READ, HERE)).isInstanceOf(Accepted.class);
      assertRejected(keys.validate(null, READ, HERE), Reason.MALFORMED);
      assertRejected(
          keys.validate(token, Access.requiring("forecast:write"), HERE), Reason.SCOPE_MISSING);
      keys.disable(issued.id(), Cause.by("alice"));
      assertRejected(keys.validate(token, READ, HERE), Reason.DISABLED);
      keys.enable(issued.id(), Cause.by("alice"));
      assertThat(keys.validate(token, READ, HERE).isAccepted()).isTrue();
      keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED).by("alice"));
      assertRejected(keys.validate(token, READ, HERE), Reason.REVOKED);

      assertThat(keys.find(issued.id()).orElseThrow().lastUsed()).isEqualTo(NOW);
      assertThat(keys.list(KeyQuery.ofOwner("weather-app")).keys()).hasSize(1);
      List<AuditEntry> history = keys.audit(AuditFilter.ofKey(issued.id()), 0, 10);
      assertThat(history)
          .extracting(AuditEntry::action)
          .containsExactly("issue", "disable", "enable", "revoke");
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void an_end_is_over_at_its_very_millisecond_cached_or_reloaded(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      String token = keys.issue(spec().lifetime(Duration.ofDays(1))).revealToken();
      Instant end = NOW.plus(Duration.ofDays(1));
      for (int millis = -1; millis <= 1; millis++) {
        time.set(end.minusMillis(5));
        assertThat(keys.validate(token, READ, HERE).isAccepted()).isTrue(); // cached from now on
        time.set(end.plusMillis(millis));
        try (ApiKeys reloading = node(store(source))) {
          for (ApiKeys node : List.of(keys, reloading)) {
            Validation result = node.validate(token, READ, HERE);
            if (millis < 0) {
              assertThat(result.isAccepted()).isTrue();
            } else {
              assertRejected(result, Reason.EXPIRED);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_retirement_is_over_at_its_very_millisecond_cached_or_reloaded(Database database) {
    time.set(NOW.plusNanos(999_999)); // finer than what is stored
    try (HikariDataSource source = database.fresh();
        ApiKeys keys = node(store(source))) {
      IssuedKey issued = keys.issue(spec());
      String old = issued.revealToken();
      Rotation day = Rotation.withGrace(Duration.ofDays(1));
      String next = keys.rotate(issued.id(), day).revealToken();
      Instant retirement = NOW.plus(Duration.ofDays(1));
      for (int millis = -1; millis <= 1; millis++) {
        for (int nanos : new int[] {0, 999_999}) {
          time.set(retirement.minusMillis(5));
          assertThat(keys.validate(old, READ, HERE).isAccepted()).isTrue(); // cached from now on
          time.set(retirement.plusMillis(millis).plusNanos(nanos));
          try (ApiKeys reloading = node(store(source))) {
            for (ApiKeys node : List.of(keys, reloading)) {
              Validation result = node.validate(old, READ, HERE);
              if (millis < 0) {
                assertThat(result.isAccepted()).isTrue();
              } else {
                assertRejected(result, Reason.RETIRED);
              }
              assertThat(node.validate(next, READ, HERE).isAccepted()).isTrue();
              assertThat(node.find(issued.id()).orElseThrow().secrets().get(0).retiresAt())
                  .isEqualTo(retirement);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_change_on_one_node_reaches_another(Database database) {
    try (HikariDataSource source = database.fresh();
        ApiKeys one = node(store(source));
        ApiKeys other = node(store(source))) {
      IssuedKey issued = one.issue(spec());
      assertThat(other.validate(issued.revealToken(), READ, HERE).isAccepted()).isTrue();

      one.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (other.validate(issued.revealToken(), READ, HERE).isAccepted()) {
        assertThat(System.nanoTime()).as("the change never arrived").isLessThan(deadline);
        Thread.onSpinWait();
      }
      assertRejected(other.validate(issued.revealToken(), READ, HERE), Reason.REVOKED);
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_change_whose_notice_is_lost_is_seen_when_the_key_is_read_again(Database database)
      throws SQLException {
    AtomicLong ticker = new AtomicLong();
    try (HikariDataSource source = database.fresh();
        ApiKeys one = node(store(source));
        ApiKeys other =
            builder(store(source))
                .time(time::get, ticker::get)
                .propagation(Duration.ofHours(1)) // the test polls
                .maxStale(Duration.ofHours(1))
                .build()) {
      IssuedKey inUse = one.issue(spec());
      IssuedKey idle = one.issue(spec());
      Polls.poll(other);
      for (IssuedKey issued : List.of(inUse, idle)) {
        assertThat(other.validate(issued.revealToken(), READ, HERE).isAccepted()).isTrue();
        one.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
        deleteNewestNotice(source);
      }
      one.issue(spec()); // its number shows that others are missing

      ticker.set(Duration.ofMinutes(5).toNanos() - 1);
      Polls.poll(other);
      assertThat(other.validate(inUse.revealToken(), READ, HERE).isAccepted()).isTrue();
      ticker.incrementAndGet(); // refreshAfter, by default
      Polls.poll(other);
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (other.validate(inUse.revealToken(), READ, HERE).isAccepted()) {
        assertThat(System.nanoTime()).as("it was never read again").isLessThan(deadline);
        Thread.onSpinWait();
      }
      assertRejected(other.validate(inUse.revealToken(), READ, HERE), Reason.REVOKED);

      ticker.set(Duration.ofMinutes(15).toNanos() - 1);
      Polls.poll(other);
      assertThat(other.validate(idle.revealToken(), READ, HERE).isAccepted()).isTrue();
      ticker.incrementAndGet(); // entryAge, by default
      Polls.poll(other);
      assertRejected(other.validate(idle.revealToken(), READ, HERE), Reason.REVOKED);
    }
  }

  private static void deleteNewestNotice(HikariDataSource source) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      long newest;
      try (ResultSet row = statement.executeQuery("SELECT MAX(seq) FROM keystile_change")) {
        row.next();
        newest = row.getLong(1);
      }
      String delete = "DELETE FROM keystile_change WHERE seq = " + newest;
      assertThat(statement.executeUpdate(delete)).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void a_pepper_is_changed_while_keys_are_used(Database database) {
    ServerSecret old = secret("p1");
    ServerSecret next = secret("p2");
    try (HikariDataSource source = database.fresh();
        ApiKeys before = builder(store(source)).pepper(old).build()) {
      IssuedKey first = before.issue(spec());
      IssuedKey second = before.rotate(first.id(), Rotation.usual());
      time.set(NOW.plus(Duration.ofHours(2))); // new secrets are left alone for a while
      try (ApiKeys both = builder(store(source)).pepper(next, old).build()) {
        assertThat(both.countNeeding("p1")).isEqualTo(1);
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (both.countNeeding("p1") > 0) {
          assertThat(both.validate(first.revealToken(), READ, HERE).isAccepted()).isTrue();
          assertThat(both.validate(second.revealToken(), READ, HERE).isAccepted()).isTrue();
          assertThat(System.nanoTime()).as("a hash was never renewed").isLessThan(deadline);
        }
        assertThat(both.countNeeding("p2")).isEqualTo(1);
        assertThat(both.countUnpeppered()).isZero();
      }

      try (ApiKeys after = builder(store(source)).pepper(next).build()) {
        assertThat(after.validate(first.revealToken(), READ, HERE).isAccepted()).isTrue();
        assertThat(after.validate(second.revealToken(), READ, HERE).isAccepted()).isTrue();
        assertThat(after.find(first.id()).orElseThrow().lastUsed())
            .isEqualTo(NOW.plus(Duration.ofHours(2)));
        assertThat(after.audit(AuditFilter.ofKey(first.id()), 0, 10))
            .extracting(AuditEntry::action)
            .containsExactly("issue", "rotate", "rehash", "rehash");
      }
    }
  }

  private static ServerSecret secret(String id) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) id.hashCode());
    return ServerSecret.of(id, bytes);
  }

  /** A host's transaction, as far as the database takes one beside another connection. */
  @ParameterizedTest
  @EnumSource(
      value = Database.class,
      names = {"H2", "HSQLDB", "SQLITE_WAL", "POSTGRESQL", "MARIADB"})
  void what_a_host_has_not_committed_is_seen_by_nobody_and_then_at_once(Database database) {
    try (HikariDataSource source = database.fresh()) {
      HostTransactions host = new HostTransactions(source, Connection.TRANSACTION_READ_COMMITTED);
      KeyStore store = JdbcKeyStore.builder(source).joining(host).initializeSchema(true).build();
      try (ApiKeys keys = node(store)) {
        IssuedKey issued = keys.issue(spec());
        String token = issued.revealToken();
        Access write = Access.requiring("forecast:write");

        assertThatThrownBy(
                () ->
                    host.run(
                        connection -> {
                          keys.update(issued.id(), KeyUpdate.of().scopes("forecast:write"));
                          assertRejected(keys.validate(token, write, HERE), Reason.SCOPE_MISSING);
                          throw new IllegalStateException("the host rolls back");
                        }))
            .hasMessage("the host rolls back");
        assertThat(keys.validate(token, READ, HERE).isAccepted()).isTrue();
        assertRejected(keys.validate(token, write, HERE), Reason.SCOPE_MISSING);

        host.run(
            connection -> {
              keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
              // reloads or not: it is not committed yet
              assertThat(keys.validate(token, READ, HERE).isAccepted()).isTrue();
            });
        assertRejected(keys.validate(token, READ, HERE), Reason.REVOKED);
      }
    }
  }

  private static KeyStore store(HikariDataSource source) {
    return JdbcKeyStore.builder(source).initializeSchema(true).build();
  }

  private ApiKeys node(KeyStore store) {
    return builder(store).build();
  }

  private ApiKeysBuilder builder(KeyStore store) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .time(time::get, System::nanoTime)
        .propagation(Duration.ofMillis(200))
        .loadDeadline(Duration.ofSeconds(30));
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("weather-app").scopes("forecast:read");
  }

  private static void assertRejected(Validation result, Reason reason) {
    assertThat(result).isInstanceOf(Rejected.class);
    assertThat(((Rejected) result).reason()).isEqualTo(reason);
  }
}
