package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyImport;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.ServerSecret;
import io.keystile.leak.LeakReport;
import io.keystile.leak.LeakResponse;
import io.keystile.leak.LeakScanner;
import io.keystile.store.KeyStore;
import io.keystile.store.jdbc.JdbcKeyStore;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
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
  void a_leak_is_answered_and_an_alert_of_a_code_host_too() throws Exception {
    try (ApiKeys keys = GuideSamples.open(new InMemoryKeyStore(), id -> random())) {
      IssuedKey pasted = keys.issue(KeySpec.forOwner("weather-app"));
      byte[] text = ("KEY=" + pasted.revealToken()).getBytes(StandardCharsets.UTF_8);

      LeakReport report = GuideSamples.leak(keys, new ByteArrayInputStream(text));

      assertThat(report.count(LeakReport.Outcome.REVOKED)).isEqualTo(1);
      IssuedKey committed = keys.issue(KeySpec.forOwner("weather-app"));
      byte[] body =
          ("[{\"token\":\"" + committed.revealToken() + "\",\"type\":\"acme\",\"url\":\"\"}]")
              .getBytes(StandardCharsets.UTF_8);
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      KeyPair host = generator.generateKeyPair();
      Signature signer = Signature.getInstance("SHA256withECDSA");
      signer.initSign(host.getPrivate());
      signer.update(body);
      String signature = Base64.getEncoder().encodeToString(signer.sign());
      String pem =
          "-----BEGIN PUBLIC KEY-----\n"
              + Base64.getMimeEncoder().encodeToString(host.getPublic().getEncoded())
              + "\n-----END PUBLIC KEY-----\n";
      LeakResponse response =
          LeakResponse.of(keys, LeakScanner.of(List.of("acme"), List.of("live")));

      assertThat(GuideSamples.alert(response, "[]".getBytes(), signature, pem)).isEqualTo(401);
      assertThat(GuideSamples.alert(response, body, signature, pem)).isEqualTo(200);
      assertThat(keys.find(committed.id()).map(KeyDetails::status))
          .contains(KeyDetails.Status.REVOKED);
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

  @Test
  void keys_of_before_move_in_at_once_or_with_their_next_use() throws Exception {
    ServerSecret pepper = ServerSecret.of("pepper-1", random());
    ServerSecret idKey = ServerSecret.of("id-key-1", random());
    Instant created = Instant.parse("2024-01-01T00:00:00Z");
    try (ApiKeys keys = GuideSamples.openForImports(new InMemoryKeyStore(), pepper, idKey)) {
      List<GuideSamples.OldKey> rows =
          List.of(
              new GuideSamples.OldKey("one", sha256("old-token-1"), created),
              new GuideSamples.OldKey("two", "not a digest", created),
              new GuideSamples.OldKey("three", sha256("old-token-3"), created));
      KeyImport.Result result = GuideSamples.moveIn(keys, rows);
      assertThat(result.imported()).isEqualTo(2);
      assertThat(result.refusals()).extracting(KeyImport.Refusal::index).containsExactly(1L);
      assertThat(GuideSamples.moveIn(keys, rows).present()).isEqualTo(2);
      assertThat(keys.validate("old-token-3", READ, ANYWHERE).isAccepted()).isTrue();

      GuideSamples.OldTable table = token -> token.equals("old-token-4") ? "four" : null;
      for (int call = 0; call < 2; call++) {
        assertThat(GuideSamples.onUse(keys, table, "old-token-4", ANYWHERE).isAccepted()).isTrue();
        assertThat(GuideSamples.onUse(keys, table, "old-token-5", ANYWHERE).isAccepted()).isFalse();
      }
    }
  }

  private static String sha256(String text) throws Exception {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void a_pepper_that_leaked_is_dropped_and_what_it_has_hashed_is_revoked() {
    InMemoryKeyStore store = new InMemoryKeyStore();
    String token;
    try (ApiKeys keys = withPepper(store, "pepper-2025")) {
      token = keys.issue(KeySpec.forOwner("weather-app")).revealToken();
      assertThat(GuideSamples.changingAPepper(keys)).isEqualTo(1);
    }
    try (ApiKeys keys = withPepper(store, "pepper-2026")) {
      keys.issue(KeySpec.forOwner("weather-app"));
      assertThat(keys.validate(token, Access.authenticated(), ANYWHERE).isAccepted()).isFalse();
      assertThat(GuideSamples.leakedPepper(keys)).isEqualTo(1);
      assertThat(GuideSamples.changingAPepper(keys)).isZero();
    }
  }

  private static ApiKeys withPepper(KeyStore store, String id) {
    return ApiKeys.builder(store)
        .brand("acme")
        .environment("live")
        .pepper(ServerSecret.of(id, random()))
        .build();
  }

  private static byte[] random() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }
}
