package io.keystile.leak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.Cause;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyException;
import io.keystile.KeyImport;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.Seed;
import io.keystile.ServerSecret;
import io.keystile.leak.LeakReport.Finding;
import io.keystile.leak.LeakReport.Outcome;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeakResponseTest {
  private static final int ROUNDS = Integer.getInteger("keystile.rounds", 500);
  private static final LeakScanner SCANNER =
      LeakScanner.of(List.of("acme"), List.of("live", "test"));
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7");

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final List<ApiKeys> open = new ArrayList<>();
  private final FailingStore failing = new FailingStore();
  private final ApiKeys keys = node(failing.store, builder -> builder);
  private final LeakResponse response = LeakResponse.of(keys, SCANNER).by("leak-desk");
  private final SplittableRandom random = new SplittableRandom(1);

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  private ApiKeys node(KeyStore store, UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(now::get, () -> now.get().toEpochMilli() * 1_000_000);
    ApiKeys keys = options.apply(builder).build();
    open.add(keys);
    return keys;
  }

  private IssuedKey issue() {
    return keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read"));
  }

  @Test
  void a_leak_is_answered_in_one_call() {
    IssuedKey live = issue();
    IssuedKey bound =
        keys.issue(
            KeySpec.forOwner("weather-app")
                .networks("10.0.0.0/8")
                .callers("billing")
                .scopes("a:b"));
    IssuedKey disabled = issue();
    keys.disable(disabled.id(), Cause.by("alice"));
    IssuedKey revoked = issue();
    keys.revoke(revoked.id(), Revocation.because(RevocationReason.OWNER_REQUEST).by("owner"));
    IssuedKey victim = issue();
    String wrongSecret = withSecret(victim.revealToken(), LeakTokens.digits(32, random));
    String unknown = LeakTokens.random("acme_live", random);
    String otherBrand = withPrefix(victim.revealToken(), "umbrella_live_");
    String text =
        String.join(
            "\n",
            "key=" + live.revealToken(),
            "{\"key\":\"" + bound.revealToken() + "\"}",
            "'" + disabled.revealToken() + "'",
            revoked.revealToken() + " " + revoked.revealToken(),
            wrongSecret,
            unknown,
            otherBrand,
            victim.id(),
            live.revealToken());

    LeakReport report = response.evidence("https://paste.example/1").handle(text);

    assertThat(report.findings())
        .extracting(
            Finding::keyId, Finding::outcome, Finding::reason, Finding::line, Finding::count)
        .containsExactly(
            tuple(live.id(), Outcome.REVOKED, null, 1L, 2L),
            tuple(bound.id(), Outcome.REVOKED, Reason.CALLER_NOT_ALLOWED, 2L, 1L),
            tuple(disabled.id(), Outcome.REVOKED, Reason.DISABLED, 3L, 1L),
            tuple(revoked.id(), Outcome.ALREADY_REVOKED, Reason.REVOKED, 4L, 2L),
            tuple(victim.id(), Outcome.NOT_OURS, Reason.WRONG_SECRET, 5L, 1L),
            tuple(unknown.substring(10, 32), Outcome.NOT_OURS, Reason.UNKNOWN, 6L, 1L));
    assertThat(report.findings())
        .extracting(Finding::secretVersion)
        .containsExactly(1, 1, 1, 1, 0, 0);
    assertThat(report.count(Outcome.REVOKED)).isEqualTo(3);
    assertThat(report.count(Outcome.NOT_OURS)).isEqualTo(2);
    assertThat(report.count(Outcome.FAILED)).isZero();
    assertThat(report.isComplete()).isTrue();
    assertThat(report).hasToString("LeakReport[{REVOKED=3, ALREADY_REVOKED=1, NOT_OURS=2}]");
    for (IssuedKey key : List.of(live, bound, disabled)) {
      assertThat(reason(key)).isEqualTo(Reason.REVOKED);
      KeyRecord.Revoked revocation = keys.find(key.id()).orElseThrow().revocation();
      assertThat(revocation.reason()).isEqualTo(RevocationReason.LEAKED);
      assertThat(revocation.by()).isEqualTo("leak-desk");
      assertThat(revocation.note()).isEqualTo("https://paste.example/1");
    }
    assertThat(keys.find(revoked.id()).orElseThrow().revocation().by()).isEqualTo("owner");
    assertThat(keys.validate(victim.revealToken(), READ, HERE).isAccepted()).isTrue();
  }

  private static org.assertj.core.groups.Tuple tuple(Object... values) {
    return org.assertj.core.groups.Tuple.tuple(values);
  }

  @Test
  void what_others_wrote_around_a_secret_does_not_save_its_key() {
    ApiKeys both = node(failing.store, b -> b.environment("live", "test"));
    IssuedKey test = both.issue(KeySpec.forOwner("weather-app").environment("test"));
    IssuedKey live = issue();
    String rewritten = withPrefix(live.revealToken(), "acme_test_");

    LeakReport report = response.handle(test.revealToken() + rewritten);

    assertThat(report.findings())
        .extracting(Finding::keyId, Finding::outcome, Finding::reason)
        .containsExactly(
            tuple(test.id(), Outcome.REVOKED, Reason.WRONG_ENVIRONMENT),
            tuple(live.id(), Outcome.REVOKED, Reason.WRONG_ENVIRONMENT));
    assertThat(reason(live)).isEqualTo(Reason.REVOKED);
    assertThat(response.handle(rewritten).count(Outcome.ALREADY_REVOKED)).isEqualTo(1);
  }

  @Test
  void a_secret_that_has_ended_revokes_its_key_only_if_asked() {
    KeySpec spec = KeySpec.forOwner("weather-app").scopes("forecast:read");
    IssuedKey expired = keys.issue(spec.lifetime(Duration.ofDays(1)));
    IssuedKey ended = keys.issue(spec.endsAt(now.get().plus(Duration.ofDays(1))));
    IssuedKey off = keys.issue(spec.lifetime(Duration.ofDays(1)));
    keys.disable(off.id(), Cause.unstated());
    String rewritten = withPrefix(expired.revealToken(), "acme_test_");
    String text =
        String.join(" ", expired.revealToken(), ended.revealToken(), off.revealToken(), rewritten);
    now.updateAndGet(time -> time.plus(Duration.ofDays(1)));

    LeakReport report = response.handle(text);

    assertThat(report.findings())
        .extracting(Finding::outcome, Finding::reason, Finding::secretVersion)
        .containsExactly(
            tuple(Outcome.ENDED, Reason.EXPIRED, 1),
            tuple(Outcome.ENDED, Reason.KEY_ENDED, 1),
            tuple(Outcome.ENDED, Reason.DISABLED, 1),
            tuple(Outcome.ENDED, Reason.WRONG_ENVIRONMENT, 1));
    assertThat(report.isComplete()).isTrue();
    assertThat(failing.calls("replace")).as("only the one that disabled").isEqualTo(1);

    assertThat(response.alsoEnded().handle(text).findings())
        .extracting(Finding::outcome)
        .containsExactly(
            Outcome.REVOKED, Outcome.REVOKED, Outcome.REVOKED, Outcome.ALREADY_REVOKED);
    assertThat(keys.find(expired.id()).orElseThrow().status()).isEqualTo(KeyDetails.Status.REVOKED);
  }

  @Test
  void a_retired_secret_leaves_alone_a_key_that_lives_on() {
    IssuedKey first = issue();
    IssuedKey second = keys.rotate(first.id(), Rotation.withGrace(Duration.ofHours(1)));
    String retired = first.revealToken();
    String rewritten = withPrefix(retired, "acme_test_");
    now.updateAndGet(time -> time.plus(Duration.ofHours(1)));

    LeakReport report = response.handle(retired + " " + rewritten);

    assertThat(report.findings())
        .extracting(Finding::outcome, Finding::reason, Finding::secretVersion)
        .containsExactly(
            tuple(Outcome.ENDED, Reason.RETIRED, 1),
            tuple(Outcome.ENDED, Reason.WRONG_ENVIRONMENT, 1));
    assertThat(keys.validate(second.revealToken(), READ, HERE).isAccepted()).isTrue();

    LeakReport both = response.handle(retired + " " + second.revealToken() + " " + rewritten);

    assertThat(both.findings())
        .extracting(Finding::outcome, Finding::secretVersion)
        .containsExactly(
            tuple(Outcome.ENDED, 1), tuple(Outcome.REVOKED, 2), tuple(Outcome.ALREADY_REVOKED, 1));
    assertThat(reason(second)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void what_is_over_is_over_by_a_clock_that_is_behind() {
    IssuedKey first = issue();
    IssuedKey second = keys.rotate(first.id(), Rotation.withGrace(Duration.ZERO));
    IssuedKey third = keys.rotate(first.id(), Rotation.withGrace(Duration.ofHours(1)));
    keys.revokeSecret(first.id(), 2, Revocation.because(RevocationReason.LEAKED));
    keys.disable(first.id(), Cause.unstated());
    ApiKeys behind =
        node(
            failing.store,
            b ->
                b.time(
                    () -> now.get().minus(Duration.ofDays(1)),
                    () -> now.get().toEpochMilli() * 1_000_000));
    LeakResponse response = LeakResponse.of(behind, SCANNER);

    assertThat(response.handle(first.revealToken() + second.revealToken()).findings())
        .extracting(Finding::outcome, Finding::reason)
        .containsExactly(
            tuple(Outcome.ENDED, Reason.DISABLED), tuple(Outcome.ENDED, Reason.DISABLED));
    assertThat(response.handle(third.revealToken()).count(Outcome.REVOKED)).isEqualTo(1);
  }

  @Test
  void what_is_live_is_what_validation_accepts() {
    SplittableRandom random = Seed.of("what_is_live_is_what_validation_accepts");
    int live = 0;
    int ended = 0;
    for (int round = 0; round < ROUNDS; round++) {
      IssuedKey key = issue();
      List<String> tokens = new ArrayList<>(List.of(key.revealToken()));
      for (int step = 0; step < 8; step++) {
        switch (random.nextInt(4)) {
          case 0 ->
              keys.revokeSecret(
                  key.id(), tokens.size(), Revocation.because(RevocationReason.LEAKED));
          case 1 -> {
            long minutes = random.nextLong(-90, 180); // clocks are set, and differ
            now.updateAndGet(time -> time.plus(Duration.ofMinutes(minutes)));
          }
          default -> {
            Rotation rotation = Rotation.withGrace(Duration.ofMinutes(60 * random.nextInt(4)));
            tokens.add(keys.rotate(key.id(), rotation).revealToken());
          }
        }
        KeyDetails details = keys.find(key.id()).orElseThrow();
        for (int i = 0; i < tokens.size(); i++) {
          boolean accepted = keys.peek(tokens.get(i), READ, HERE).isAccepted();
          assertThat(details.isLive(i + 1)).isEqualTo(accepted);
          live += accepted ? 1 : 0;
          ended += accepted ? 0 : 1;
        }
      }
    }
    System.out.printf("%,d live secrets and %,d that have ended: all told apart%n", live, ended);
    assertThat(live).isGreaterThan(ROUNDS);
    assertThat(ended).isGreaterThan(ROUNDS);
  }

  @Test
  void a_secret_in_its_grace_is_live() {
    IssuedKey first = issue();
    IssuedKey second = keys.rotate(first.id(), Rotation.withGrace(Duration.ofHours(1)));
    now.updateAndGet(time -> time.plus(Duration.ofHours(1)).minusMillis(1));

    assertThat(response.handle(first.revealToken()).count(Outcome.REVOKED)).isEqualTo(1);
    assertThat(reason(second)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void a_secret_that_was_revoked_alone_has_ended() {
    IssuedKey first = issue();
    IssuedKey second = keys.rotate(first.id(), Rotation.withGrace(Duration.ofHours(1)));
    keys.revokeSecret(first.id(), 1, Revocation.because(RevocationReason.LEAKED));

    Finding finding = response.handle(first.revealToken()).findings().get(0);

    assertThat(finding.outcome()).isEqualTo(Outcome.ENDED);
    assertThat(finding.reason()).isEqualTo(Reason.VERSION_REVOKED);
    assertThat(keys.validate(second.revealToken(), READ, HERE).isAccepted()).isTrue();
    assertThat(response.alsoEnded().handle(first.revealToken()).count(Outcome.REVOKED))
        .isEqualTo(1);
    assertThat(reason(second)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void who_knows_a_key_id_alone_revokes_nothing() {
    IssuedKey key = issue();
    int tries = 0;
    for (int i = 0; i < ROUNDS; i++) {
      String guess = withSecret(key.revealToken(), LeakTokens.digits(32, random));
      tries += response.handle(guess + " " + key.id()).count(Outcome.NOT_OURS);
    }

    assertThat(tries).isEqualTo(ROUNDS);
    assertThat(failing.calls("replace")).isZero();
    assertThat(keys.validate(key.revealToken(), READ, HERE).isAccepted()).isTrue();
  }

  @Test
  void what_a_store_does_before_it_fails_is_in_the_report() {
    List<IssuedKey> issued = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      IssuedKey key = issue();
      issued.add(key);
      text.append(key.revealToken()).append('\n');
    }
    for (String method : List.of("load", "replace", "find")) {
      long before = issued.stream().filter(this::isRevoked).count();
      failing.failAfter(method, method.equals("find") ? 15 : 5);

      LeakReport report = response.handle(text);

      System.out.println(method + " fails: " + report);
      failing.repair();
      assertThat(report.isComplete()).as(method).isFalse();
      assertThat(report.count(Outcome.REVOKED)).as(method).isPositive();
      assertThat(issued.stream().filter(this::isRevoked).count())
          .as(method)
          .isEqualTo(before + report.count(Outcome.REVOKED));
      assertThat(report.findings()).hasSize(30);
      assertThat(report.count(Outcome.FAILED))
          .as(method)
          .isEqualTo(method.equals("load") ? 0 : LeakResponse.MAX_IN_A_ROW);
    }

    LeakReport rest = response.handle(text);

    assertThat(rest.isComplete()).isTrue();
    assertThat(issued).allMatch(this::isRevoked);
    for (IssuedKey key : issued) {
      List<AuditEntry> trail = keys.audit(AuditFilter.ofKey(key.id()), 0, 10);
      assertThat(trail).extracting(AuditEntry::action).containsExactly("issue", "revoke");
    }
  }

  @Test
  void a_store_that_is_away_is_not_asked_for_ever() {
    failing.failAfter("load", 0);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      text.append(LeakTokens.random("acme_live", random)).append('\n');
    }
    int before = failing.calls("load");

    LeakReport report = response.handle(text);

    assertThat(report.count(Outcome.UNDECIDED)).isEqualTo(1000);
    assertThat(report.findings()).allMatch(finding -> finding.reason() == Reason.STORE_UNAVAILABLE);
    assertThat(failing.calls("load") - before).isEqualTo(LeakResponse.MAX_IN_A_ROW);
    failing.repair();
    assertThat(response.handle(text).count(Outcome.NOT_OURS)).as("asked anew").isEqualTo(1000);
  }

  @Test
  void a_lost_answer_is_found_to_be_done_by_the_next_call() {
    IssuedKey key = issue();
    failing.loseAnswers();
    failing.failAfter("replace", 0);

    Finding finding = response.handle(key.revealToken()).findings().get(0);
    failing.repair();

    assertThat(finding.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(finding.isProven()).isTrue();
    assertThat(((KeyException) finding.failure()).failure())
        .isEqualTo(KeyException.Failure.OUTCOME_UNKNOWN);
    assertThat(response.handle(key.revealToken()).count(Outcome.ALREADY_REVOKED)).isEqualTo(1);
  }

  @Test
  void a_key_that_was_purged_meanwhile_has_ended() {
    IssuedKey key = issue();
    assertThat(keys.validate(key.revealToken(), READ, HERE).isAccepted()).isTrue();
    ApiKeys other = node(failing.store, builder -> builder);
    failing.failAfter("changesSince", 0); // so that this node has it in its cache
    other.revoke(key.id(), Revocation.because(RevocationReason.UNUSED));
    now.updateAndGet(time -> time.plusMillis(1));
    other.purge(Duration.ZERO, Duration.ZERO, Cause.unstated());

    LeakReport report = response.handle(key.revealToken());

    assertThat(keys.find(key.id())).isEmpty();
    assertThat(report.count(Outcome.ENDED)).isEqualTo(1);
    assertThat(report.findings().get(0).isProven()).isTrue();
  }

  @Test
  void what_cannot_be_decided_is_said_and_nothing_is_done() {
    ServerSecret pepper = secret("p1");
    InMemoryKeyStore store = new InMemoryKeyStore();
    ApiKeys peppered = node(store, builder -> builder.pepper(pepper));
    String token = peppered.issue(KeySpec.forOwner("weather-app")).revealToken();
    ApiKeys without = node(store, builder -> builder);

    Finding finding = LeakResponse.of(without, SCANNER).handle(token).findings().get(0);

    assertThat(finding.outcome()).isEqualTo(Outcome.UNDECIDED);
    assertThat(finding.reason()).isEqualTo(Reason.PEPPER_MISSING);
    assertThat(peppered.validate(token, Access.authenticated(), HERE).isAccepted()).isTrue();
    keys.close();
    assertThat(response.handle(token).count(Outcome.UNDECIDED)).isEqualTo(1);
  }

  @Test
  void a_text_that_breaks_off_is_handled_up_to_there() {
    for (RuntimeException wrapped :
        new RuntimeException[] {null, new UncheckedIOException(new IOException("gone"))}) {
      IssuedKey key = issue();
      byte[] start = ("text " + key.revealToken()).getBytes(StandardCharsets.US_ASCII);
      InputStream broken =
          new InputStream() {
            @Override
            public int read() throws IOException {
              if (wrapped != null) {
                throw wrapped;
              }
              throw new IOException("gone");
            }
          };

      LeakReport report =
          response.handle(new SequenceInputStream(new ByteArrayInputStream(start), broken));

      assertThat(report.count(Outcome.REVOKED)).isEqualTo(1);
      assertThat(report.readFailure()).hasMessageContaining("gone");
      assertThat(report.isComplete()).isFalse();
      assertThat(report).hasToString("LeakReport[{REVOKED=1}, incomplete]");
      assertThat(isRevoked(key)).isTrue();
    }
  }

  @Test
  void readers_and_single_tokens_are_handled_as_texts_are() throws Exception {
    IssuedKey first = issue();
    IssuedKey second = issue();

    assertThat(response.handle(new StringReader("x" + first.revealToken())).count(Outcome.REVOKED))
        .isEqualTo(1);
    Finding finding = response.handleToken(second.revealToken());

    assertThat(finding.outcome()).isEqualTo(Outcome.REVOKED);
    assertThat(isRevoked(second)).isTrue();
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    assertThat(finding.tokenHash())
        .isEqualTo(
            HexFormat.of()
                .formatHex(sha256.digest(second.revealToken().getBytes(StandardCharsets.UTF_8))));
    for (String text : List.of("", "x", " " + first.revealToken(), first.revealToken() + "\n")) {
      Finding none = response.handleToken(text);
      assertThat(none.outcome()).isEqualTo(Outcome.NOT_OURS);
      assertThat(none.reason()).isEqualTo(Reason.MALFORMED);
      assertThat(none.token()).isEqualTo("(malformed)");
      assertThat(none.keyId()).isNull();
      assertThat(none.tokenHash()).isNull();
    }
  }

  @Test
  void a_reported_token_of_an_imported_key_is_revoked() {
    String foreign = "sk-" + LeakTokens.digits(40, random);
    ApiKeys importing = node(failing.store, ApiKeysBuilder::importedKeys);
    KeySpec spec = KeySpec.forOwner("weather-app");
    importing.importKeys(List.of(KeyImport.ofToken(foreign, spec)).iterator(), progress -> {});
    LeakResponse response = LeakResponse.of(importing, SCANNER).evidence("https://x.y/" + foreign);
    assertThat(importing.peek(foreign, Access.authenticated(), HERE).isAccepted()).isTrue();

    Finding finding = response.handleToken(foreign);

    assertThat(finding.outcome()).isEqualTo(Outcome.REVOKED);
    assertThat(finding.token()).isEqualTo("(malformed)");
    assertThat(finding.tokenHash()).as("it may be what is stored").isNull();
    KeyDetails key = importing.find(finding.keyId()).orElseThrow();
    assertThat(key.revocation().note()).isEqualTo("https://x.y/…");
    assertThat(response.handle(foreign).findings()).as("not by its format").isEmpty();
    assertThat(finding + " " + response).doesNotContain(foreign);
  }

  @Test
  void no_secret_gets_into_the_trail_with_the_evidence() {
    SplittableRandom random = Seed.of("no_secret_gets_into_the_trail_with_the_evidence");
    int told = 0;
    int toldByTwin = 0;
    for (int i = 0; i < ROUNDS; i++) {
      IssuedKey key = issue();
      String token = key.revealToken();
      String evidence =
          switch (i % 5) {
            case 0 -> "https://paste.example/?key=" + token + "&n=1";
            case 1 -> token.substring(0, random.nextInt(60, token.length()));
            case 2 -> "a".repeat(random.nextInt(600)) + token + token;
            case 3 -> token.substring(random.nextInt(10)).replace("_", "%5F");
            default -> {
              int behindId = token.length() - 38 + random.nextInt(38);
              yield token.substring(0, behindId) + "-\u00AD=." + token.substring(behindId);
            }
          };

      response.evidence(evidence).handle(token);

      String trail = keys.audit(AuditFilter.ofKey(key.id()), 0, 10).toString();
      String note = keys.find(key.id()).orElseThrow().revocation().note();
      told += tells(trail + note + response.evidence(evidence), token) ? 1 : 0;
      toldByTwin += tells(evidence, token) ? 1 : 0;
      assertThat(isRevoked(key)).isTrue();
    }
    System.out.printf(
        "%,d pieces of evidence: %d tell a secret; kept as they are %,d%n",
        ROUNDS, told, toldByTwin);
    assertThat(told).isZero();
    assertThat(toldByTwin).isGreaterThan(ROUNDS / 2);
  }

  /** Whether 12 characters of the secret are in a text. */
  private static boolean tells(String text, String token) {
    String secret = token.substring(token.length() - 38, token.length() - 6);
    for (int i = 0; i + 12 <= secret.length(); i++) {
      if (text.contains(secret.substring(i, i + 12))) {
        return true;
      }
    }
    return false;
  }

  @Test
  void no_evidence_keeps_a_key_alive() {
    List<String> texts =
        List.of(
            "",
            "x".repeat(100_000),
            "ä".repeat(1000),
            "€".repeat(1000),
            "\uD83D\uDE00".repeat(1000),
            "a\0b",
            "lone \uD83D surrogate",
            "\uDE00\uD83D");
    for (String text : texts) {
      IssuedKey key = issue();

      LeakReport report = response.evidence("old").evidence(text).handle(key.revealToken());

      assertThat(report.count(Outcome.REVOKED)).isEqualTo(1);
      String note = keys.find(key.id()).orElseThrow().revocation().note();
      if (text.isEmpty()) {
        assertThat(note).isNull();
      } else {
        assertThat(note.getBytes(StandardCharsets.UTF_8).length).isBetween(1, 500);
        assertThat(note).doesNotContain("\0");
      }
    }
  }

  @Test
  void unproven_tokens_are_listed_up_to_a_bound_and_all_counted() {
    ApiKeys minting = node(new InMemoryKeyStore(), b -> b.idKey(secret("i1")).requireMintedIds());
    int tokens = LeakReport.MAX_UNPROVEN + 50;
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < tokens; i++) {
      text.append(LeakTokens.random("acme_live", random)).append(' ');
    }
    IssuedKey last = minting.issue(KeySpec.forOwner("weather-app"));
    text.append(last.revealToken());

    LeakReport report = LeakResponse.of(minting, SCANNER).handle(text);

    assertThat(report.count(Outcome.NOT_OURS)).isEqualTo(tokens);
    assertThat(report.findings()).hasSize(LeakReport.MAX_UNPROVEN + 1);
    assertThat(report.findings().get(LeakReport.MAX_UNPROVEN).outcome()).isEqualTo(Outcome.REVOKED);
  }

  @Test
  void arguments_are_checked_when_they_are_given() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> response.by(""))
        .withMessageStartingWith("actor:");
    assertThatNullPointerException().isThrownBy(() -> response.handle((InputStream) null));
    assertThat(response.alsoEnded().evidence("before").evidence("here"))
        .hasToString(
            "LeakResponse[LeakScanner[acme_live_, acme_test_], Revocation[LEAKED,"
                + " Cause[by=leak-desk, note=null, operationId=null]],"
                + " evidence stated, also for secrets that have ended]");
  }

  private boolean isRevoked(IssuedKey key) {
    return keys.find(key.id()).orElseThrow().status() == KeyDetails.Status.REVOKED;
  }

  private Reason reason(IssuedKey key) {
    return ((Rejected) keys.validate(key.revealToken(), READ, HERE)).reason();
  }

  private static ServerSecret secret(String id) {
    return ServerSecret.of(id, LeakTokens.digits(32, new SplittableRandom(2)).getBytes());
  }

  private static String withPrefix(String token, String prefix) {
    String body = token.substring(token.length() - 61, token.length() - 6);
    return LeakTokens.withChecksum(prefix + body);
  }

  private static String withSecret(String token, String secret) {
    return LeakTokens.withChecksum(token.substring(0, token.length() - 38) + secret);
  }
}
