package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.ServerSecret;
import io.keystile.store.jdbc.JdbcKeyStore;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The code in the documents does what they say. */
class SamplesTest {
  private static final Origin ANYWHERE = Origin.of("192.0.2.7");
  private static final Access READ = Access.requiring("forecast:read");

  @Test
  void the_quick_start_serves_and_revokes() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl("jdbc:h2:mem:quickstart");
    try (HikariDataSource dataSource = new HikariDataSource(config)) {
      JdbcKeyStore.builder(dataSource).initializeSchema(true).build();
      List<String> served = new ArrayList<>();

      ServerSecret pepper = ServerSecret.of("pepper-1", random());
      QuickStart.run(dataSource, pepper, served::add);

      assertThat(served).containsExactly("weather-app");
      try (ApiKeys keys =
          ApiKeys.builder(JdbcKeyStore.create(dataSource))
              .brand("acme")
              .environment("live")
              .pepper(pepper)
              .build()) {
        assertThat(keys.list(KeyQuery.ofOwner("weather-app")).keys())
            .extracting(KeyDetails::status)
            .containsExactly(KeyDetails.Status.REVOKED);
      }
    }
  }

  @Test
  void the_samples_of_the_guide_do_what_it_says() throws Exception {
    InMemoryKeyStore store = new InMemoryKeyStore();
    try (ApiKeys keys = GuideSamples.open(store, id -> random())) {
      Access[] accesses = GuideSamples.accesses();
      IssuedKey client =
          keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read", "export:*"));
      for (Access access : accesses) {
        assertThat(keys.validate(client.revealToken(), access, ANYWHERE).isAccepted()).isTrue();
      }
      assertThat(GuideSamples.unused(keys)).as("its use is not written yet").hasSize(1);

      IssuedKey laptop = GuideSamples.personal(keys);
      assertThat(keys.validate(laptop.revealToken(), READ, ANYWHERE).isAccepted()).isTrue();
      assertThat(GuideSamples.leaving(keys)).isEqualTo(1);
      assertThat(keys.validate(laptop.revealToken(), READ, ANYWHERE).isAccepted()).isFalse();

      IssuedKey portal = GuideSamples.portal(keys, "account-9", "user-1");
      assertThat(keys.find(portal.id()).map(KeyDetails::status))
          .contains(KeyDetails.Status.REVOKED);
      assertThat(GuideSamples.history(keys, portal.id())).hasSize(3);

      assertThat(GuideSamples.incident(keys)).isEqualTo(1);
      assertThat(keys.validate(client.revealToken(), READ, ANYWHERE).isAccepted()).isFalse();
      assertThat(GuideSamples.purge(keys).keys()).isZero();
    }
  }

  @Test
  void a_token_may_do_no_more_than_the_roles_of_its_user() {
    try (ApiKeys keys =
        GuideSamples.withRoles(new InMemoryKeyStore(), user -> List.of("forecast:read"))) {
      String token = GuideSamples.personal(keys).revealToken();

      assertThat(keys.validate(token, READ, ANYWHERE).isAccepted()).isTrue();
      Access write = Access.requiring("forecast:write");
      assertThat(keys.validate(token, write, ANYWHERE).isAccepted()).isFalse();
    }
  }

  private static byte[] random() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }
}
