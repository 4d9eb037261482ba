package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Plan;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How an imported key moves to a token of ours. */
class ImportedRotationTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final Duration DAY = Duration.ofDays(1);
  private static final String FOREIGN = "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU";

  private final ManualTime time = new ManualTime();
  private final ApiKeys keys =
      ApiKeys.builder(new InMemoryKeyStore())
          .defaultPlan(Plan.unlimited())
          .brand("acme", "umbra")
          .environment("live", "test")
          .pepper(Tokens.secret("p1", 1))
          .idKey(Tokens.secret("i1", 3))
          .requireMintedIds()
          .importedKeys(Tokens.secret("m1", 4))
          .time(time, time::nanos)
          .maxStale(DAY)
          .entryAge(DAY)
          .loadDeadline(Duration.ofMinutes(1))
          .propagation(Duration.ofSeconds(60))
          .build();

  @AfterEach
  void close() {
    keys.close();
  }

  @Test
  void a_rotation_keeps_the_key_and_both_tokens_work_through_the_grace() {
    String id = importOne();
    assertThat(keys.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue();

    IssuedKey next = keys.rotate(id, Rotation.withGrace(DAY.multipliedBy(7)));

    String token = next.revealToken();
    assertThat(next.id()).isEqualTo(id);
    assertThat(TokenFormat.isWellFormed(token)).isTrue();
    assertThat(token).startsWith("umbra_test_" + id + "_");
    assertThat(TokenFormat.created(token)).isEmpty();
    assertThat(version(token)).isEqualTo(2);
    assertThat(version(FOREIGN)).isEqualTo(1);
    List<KeyDetails.SecretInfo> secrets = keys.find(id).orElseThrow().secrets();
    assertThat(secrets.get(0).redacted()).isEqualTo("…BxKU");
    assertThat(secrets.get(1).redacted()).isEqualTo(TokenFormat.redact(token));
    assertThat(secrets.get(1).createdAt()).isEqualTo(time.instant());

    time.advance(DAY.multipliedBy(7).minusMillis(1));
    assertThat(version(FOREIGN)).isEqualTo(1);
    time.advance(Duration.ofMillis(1));
    assertThat(reason(FOREIGN)).isEqualTo(Reason.RETIRED);
    assertThat(version(token)).isEqualTo(2);
  }

  @Test
  void a_client_can_rotate_with_the_foreign_token() {
    String id = importOne();

    SelfRotation result = keys.rotateSelf(FOREIGN, HERE, Cause.unstated());

    assertThat(result.refusal()).isNull();
    assertThat(result.issued().id()).isEqualTo(id);
    assertThat(version(result.issued().revealToken())).isEqualTo(2);
    time.advance(DAY);
    assertThat(reason(FOREIGN)).isEqualTo(Reason.RETIRED);
  }

  @Test
  void a_wrong_token_of_ours_is_a_wrong_secret_before_and_after() {
    String id = importOne();
    String guess = TokenGenerator.token("umbra", "test", KeyId.parse(id), "0".repeat(32));
    assertThat(reason(guess)).isEqualTo(Reason.WRONG_SECRET);

    keys.rotate(id, Rotation.withGrace(DAY));

    assertThat(reason(guess)).isEqualTo(Reason.WRONG_SECRET);
  }

  @Test
  void an_import_that_is_repeated_after_a_rotation_changes_nothing() {
    String id = importOne();
    String token = keys.rotate(id, Rotation.withGrace(DAY)).revealToken();
    for (int i = 0; i < 3; i++) {
      time.advance(DAY.multipliedBy(100));
      token = keys.rotate(id, Rotation.withGrace(DAY)).revealToken();
    }
    assertThat(keys.find(id).orElseThrow().secrets())
        .as("the imported one is not kept for ever")
        .noneMatch(secret -> secret.number() == 1);
    assertThat(reason(FOREIGN)).isEqualTo(Reason.WRONG_SECRET);

    assertThat(importOne()).isEqualTo(id);

    assertThat(reason(FOREIGN)).isEqualTo(Reason.WRONG_SECRET);
    assertThat(version(token)).isEqualTo(5);
  }

  @Test
  void the_new_secret_lives_as_long_as_any_other_whatever_the_imported_one_did() {
    Instant now = time.instant();
    for (Instant created : List.of(now, now.minus(Duration.ofDays(3000)))) {
      for (Instant end : List.of(now.minus(DAY), now.plus(DAY), now.plus(Duration.ofDays(50)))) {
        String token = "foreign-" + created + end;
        KeySpec service = KeySpec.forOwner(token);
        KeySpec personal = KeySpec.personalToken(token, "user-1");
        assertThat(lifetime(KeyImport.ofToken(token, service).createdAt(created).expiresAt(end)))
            .isEqualTo(Duration.ofDays(90));
        assertThat(
                lifetime(
                    KeyImport.ofToken(token + "p", personal).createdAt(created).expiresAt(end)))
            .isEqualTo(Duration.ofDays(30));
      }
    }
  }

  @Test
  void an_owner_gives_the_new_secret_no_longer_life_than_he_may_choose() {
    Instant end = time.instant().plus(Duration.ofDays(50));
    for (KeySpec spec :
        List.of(KeySpec.forOwner("owner"), KeySpec.personalToken("owner", "user-1"))) {
      KeyImport key = KeyImport.ofToken("foreign-of-" + spec.subject(), spec).expiresAt(end);
      OwnerKeys mine = keys.forOwner("owner").maxLifetime(Duration.ofDays(5));

      assertThat(lifetime(mine.rotate(importOne(key), Rotation.usual())))
          .isEqualTo(Duration.ofDays(5));
    }
  }

  /** Of the secret that a rotation makes. */
  private Duration lifetime(KeyImport key) {
    return lifetime(keys.rotate(importOne(key), Rotation.usual()));
  }

  private Duration lifetime(IssuedKey rotated) {
    return Duration.between(time.instant(), rotated.details().newestSecret().expiresAt());
  }

  private String importOne(KeyImport key) {
    keys.importKeys(List.of(key).iterator(), progress -> {});
    return new ForeignTokens(Tokens.secret("m1", 4)).id(key.digest()).toString();
  }

  private String importOne() {
    KeySpec spec =
        KeySpec.forOwner("owner").brand("umbra").environment("test").scopes("keys:rotate");
    keys.importKeys(List.of(KeyImport.ofToken(FOREIGN, spec)).iterator(), progress -> {});
    return keys.list(KeyQuery.all()).keys().get(0).id();
  }

  private int version(String token) {
    return ((Accepted) keys.validate(token, ANY, HERE)).secretVersion();
  }

  private Reason reason(String token) {
    return ((Rejected) keys.validate(token, ANY, HERE)).reason();
  }
}
