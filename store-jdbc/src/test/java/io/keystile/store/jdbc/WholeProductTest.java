package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.Origin;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.Validation;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
    return ApiKeys.builder(store)
        .brand("acme")
        .environment("live")
        .time(time::get, System::nanoTime)
        .propagation(Duration.ofMillis(200))
        .loadDeadline(Duration.ofSeconds(30))
        .build();
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("weather-app").scopes("forecast:read");
  }

  private static void assertRejected(Validation result, Reason reason) {
    assertThat(result).isInstanceOf(Rejected.class);
    assertThat(((Rejected) result).reason()).isEqualTo(reason);
  }
}
