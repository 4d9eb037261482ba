package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.KeyImport.Progress;
import io.keystile.KeyImport.Refusal;
import io.keystile.KeyImport.Result;
import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KeyImporterTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret IMPORT_KEY = Tokens.secret("m1", 4);
  private static final ForeignTokens IDS = new ForeignTokens(IMPORT_KEY);
  private static final Consumer<Progress> SILENT = progress -> {};
  private static final KeySpec SPEC = KeySpec.forOwner("owner");

  private final ManualTime time = new ManualTime();
  private final List<ApiKeys> open = new ArrayList<>();
  private final KeyStore store = new InMemoryKeyStore();
  private final ApiKeys keys = node(store);

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void everything_that_is_said_of_a_key_is_kept() {
    Instant created = Instant.parse("2019-03-04T05:06:07.008Z");
    KeySpec spec =
        SPEC.brand("umbra")
            .environment("test")
            .name("old")
            .scopes("a:b", "c:*")
            .plan("pro")
            .networks("192.0.2.0/24")
            .callers("billing")
            .metadata(Map.of("k", "v"))
            .by("migration")
            .note("from the old table");
    KeyImport key =
        KeyImport.ofToken("legacy-0123456789", spec)
            .createdAt(created.plusNanos(999))
            .expiresAt(time.instant().plus(Duration.ofDays(5)).plusNanos(999));

    assertThat(run(key)).isEqualTo(new Result(1, 0, 0, List.of()));

    KeyRecord record = onlyRecord();
    assertThat(record)
        .isEqualTo(
            KeyRecord.builder()
                .id(IDS.id(sha256("legacy-0123456789")).toString())
                .prefix("umbra", "test")
                .owner("owner")
                .name("old")
                .scopes(List.of("a:b", "c:*"))
                .plan("pro")
                .networks(List.of("192.0.2.0/24"))
                .callers(List.of("billing"))
                .metadata(Map.of("k", "v"))
                .createdAt(created)
                .versions(
                    List.of(
                        new SecretVersion(
                            1,
                            "sha256-raw",
                            null,
                            HexFormat.of().formatHex(sha256("legacy-0123456789")),
                            "6789",
                            created,
                            "migration",
                            "from the old table",
                            time.instant().plus(Duration.ofDays(5)),
                            null,
                            null)))
                .build());
    List<AuditEntry> trail = store.audit(AuditFilter.all(), 0, 10);
    assertThat(trail).hasSize(1);
    AuditEntry entry = trail.get(0);
    assertThat(entry.action()).isEqualTo("import");
    assertThat(entry.operationId()).isEqualTo("import:" + record.id());
    assertThat(entry.actor()).isEqualTo("migration");
    assertThat(entry.note()).isEqualTo("from the old table");
    assertThat(entry.before()).isNull();
    assertThat(entry.after()).isEqualTo(KeyRecord.State.ACTIVE);
    assertThat(entry.at()).isEqualTo(time.instant());
  }

  @Test
  void a_digest_in_three_ways_is_one_key() {
    byte[] digest = sha256("legacy-0123456789");
    String hex = HexFormat.of().formatHex(digest);
    assertThat(run(KeyImport.ofSha256(digest, SPEC)).imported()).isEqualTo(1);
    assertThat(onlyRecord().newest().lastFour()).isEmpty();

    assertThat(
            run(
                KeyImport.ofSha256(hex, SPEC),
                KeyImport.ofSha256(hex.toUpperCase(Locale.ROOT), SPEC),
                KeyImport.ofToken("legacy-0123456789", SPEC)))
        .isEqualTo(new Result(0, 3, 0, List.of()));
  }

  @Test
  void the_digest_is_the_callers_no_more() {
    byte[] digest = sha256("token");
    KeyImport key = KeyImport.ofSha256(digest, SPEC);
    Arrays.fill(digest, (byte) 0);

    run(key);

    assertThat(keys.validate("token", ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void no_more_of_a_token_is_kept_than_its_end_and_only_of_a_long_one() {
    assertThat(lastFour("0123456789abcdef")).isEqualTo("cdef");
    assertThat(lastFour("0123456789abcde")).isEmpty();
    assertThat(lastFour("0123456789abcde\n")).isEmpty();
    assertThat(lastFour("0123456789abcde ")).isEmpty();
    assertThat(lastFour("0123456789abcdeé")).isEmpty();
    assertThat(lastFour("0123456789abcd\uD834\uDD1E")).isEmpty();
    assertThat(lastFour("KHPUw7fQUInMfKAkCz69NdG+U7Soq2P4STbkbGlRkgo=")).isEqualTo("kgo=");
  }

  private static String lastFour(String token) {
    return KeyImport.ofToken(token, SPEC).lastFour();
  }

  @Test
  void a_secret_lives_as_long_as_a_new_one_unless_it_is_said() {
    Instant now = time.instant();
    Instant old = now.minus(Duration.ofDays(1000));
    KeySpec personal = KeySpec.personalToken("owner", "user-1");
    assertThat(expiry(SPEC, null)).isEqualTo(now.plus(Duration.ofDays(90)));
    assertThat(expiry(personal, null)).isEqualTo(now.plus(Duration.ofDays(30)));
    assertThat(expiry(SPEC.lifetime(Duration.ofDays(7)), null))
        .isEqualTo(now.plus(Duration.ofDays(7)));
    assertThat(expiry(SPEC.neverExpires(), null)).isNull();
    assertThat(expiry(SPEC, old)).isEqualTo(old);
    assertThat(expiry(SPEC, now)).isEqualTo(now);
    assertThat(expiry(SPEC.neverExpires(), now.plusMillis(1))).isEqualTo(now.plusMillis(1));
    assertThat(expiry(SPEC, Instant.MAX)).isEqualTo(Instant.parse("9999-12-31T23:59:59.999Z"));
  }

  private Instant expiry(KeySpec spec, Instant said) {
    KeyStore fresh = new InMemoryKeyStore();
    KeyImport key = KeyImport.ofToken("token", spec);
    Result result = run(node(fresh), said == null ? key : key.expiresAt(said));
    assertThat(result.refusals()).isEmpty();
    return fresh.list(KeyFilter.all(), null, 1).get(0).record().newest().expiresAt();
  }

  @Test
  void what_the_host_does_not_permit_is_refused() {
    ApiKeys strict = build(node -> node.maxLifetime(Duration.ofDays(30)).maxKeysPerOwner(1), store);
    KeySpec personal = KeySpec.personalToken("owner", "user-1");
    Instant now = time.instant();

    Result result =
        run(
            strict,
            KeyImport.ofToken("a", SPEC.lifetime(Duration.ofDays(31))),
            KeyImport.ofToken("b", SPEC.neverExpires()),
            KeyImport.ofToken("c", SPEC).expiresAt(now.plus(Duration.ofDays(30)).plusMillis(1)),
            KeyImport.ofToken("d", personal).expiresAt(now.plus(Duration.ofDays(366))),
            KeyImport.ofToken("e", SPEC).expiresAt(now.plus(Duration.ofDays(30))),
            KeyImport.ofToken("f", SPEC.brand("other")),
            KeyImport.ofToken("g", SPEC.environment("prod")),
            KeyImport.ofToken("h", SPEC)); // the owner has one already

    assertThat(result.imported()).isEqualTo(2);
    assertThat(result.refusals())
        .extracting(Refusal::index)
        .containsExactly(0L, 1L, 2L, 3L, 5L, 6L);
    assertThat(result.refusals())
        .extracting(Refusal::reason)
        .containsExactly(
            "NOT_PERMITTED: lifetime: longer than permitted",
            "NOT_PERMITTED: neverExpires: not permitted for this key",
            "NOT_PERMITTED: lifetime: longer than permitted",
            "NOT_PERMITTED: lifetime: longer than permitted",
            "brand, environment: must be among those that the host has named",
            "brand, environment: must be among those that the host has named");
  }

  @Test
  void a_key_can_be_imported_disabled_or_revoked() {
    Instant at = time.instant().minus(Duration.ofDays(3));
    Revocation revocation =
        Revocation.because(RevocationReason.LEAKED).by("alice").note("in a paste");
    run(
        KeyImport.ofToken("disabled", SPEC).disabled(),
        KeyImport.ofToken("revoked", SPEC).disabled().revoked(at, revocation),
        KeyImport.ofToken("expired", SPEC).expiresAt(at),
        KeyImport.ofToken("ended", SPEC.endsAt(at)));

    assertThat(reason("disabled")).isEqualTo(Reason.DISABLED);
    assertThat(reason("revoked")).isEqualTo(Reason.REVOKED);
    assertThat(reason("expired")).isEqualTo(Reason.EXPIRED);
    assertThat(reason("ended")).isEqualTo(Reason.KEY_ENDED);
    assertThat(details("revoked").revocation())
        .isEqualTo(new KeyRecord.Revoked(at, RevocationReason.LEAKED, "in a paste", "alice", null));
    assertThat(store.audit(AuditFilter.ofKey(id("revoked")), 0, 10).get(0).after())
        .isEqualTo(KeyRecord.State.REVOKED);
  }

  @Test
  void a_bad_key_is_told_and_does_not_stop_the_rest() {
    Instant future = time.instant().plusMillis(1);
    String token = Tokens.EXAMPLE;
    List<KeyImport> bad =
        Arrays.asList(
            KeyImport.ofSha256((String) null, SPEC),
            KeyImport.ofSha256("", SPEC),
            KeyImport.ofSha256("ab".repeat(31), SPEC),
            KeyImport.ofSha256("zz".repeat(32), SPEC),
            KeyImport.ofSha256((byte[]) null, SPEC),
            KeyImport.ofSha256(new byte[31], SPEC),
            KeyImport.ofToken(null, SPEC),
            KeyImport.ofToken("", SPEC),
            KeyImport.ofToken("x".repeat(513), SPEC),
            KeyImport.ofToken("lone \uD800", SPEC),
            KeyImport.ofToken(token, SPEC),
            KeyImport.ofToken("t1", SPEC).createdAt(future),
            KeyImport.ofToken("t2", SPEC).createdAt(Instant.EPOCH.minusMillis(1)),
            KeyImport.ofToken("t3", SPEC).expiresAt(Instant.MIN),
            KeyImport.ofToken("t4", SPEC)
                .revoked(future, Revocation.because(RevocationReason.UNUSED)),
            KeyImport.ofToken("t5", SPEC.name("n".repeat(201))),
            KeyImport.ofToken("t6", SPEC.scopes("not a scope")),
            null);
    List<KeyImport> all = new ArrayList<>(bad);
    all.add(0, KeyImport.ofToken("first", SPEC));
    all.add(KeyImport.ofToken("last", SPEC));
    List<Progress> heard = new ArrayList<>();

    Result result = keys.importKeys(all.iterator(), heard::add);

    assertThat(result.imported()).isEqualTo(2);
    assertThat(result.refused()).isEqualTo(bad.size());
    assertThat(result.refusals())
        .extracting(Refusal::index)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, bad.size()).asLongStream().boxed().toList());
    assertThat(result.refusals().stream().map(Refusal::reason).map(r -> r.split(":")[0]))
        .containsExactly(
            "sha256",
            "sha256",
            "sha256",
            "sha256",
            "sha256",
            "sha256",
            "token",
            "token",
            "token",
            "token",
            "token",
            "createdAt",
            "createdAt",
            "expiresAt",
            "revoked",
            "name",
            "scopes",
            "key");
    assertThat(result.toString())
        .doesNotContain("ab".repeat(6))
        .doesNotContain("zz")
        .doesNotContain("nnn")
        .doesNotContain(token.substring(33, 60));
    assertThat(heard).hasSize(1);
    assertThat(heard.get(0).refusals()).isEqualTo(result.refusals());
    for (String good : List.of("first", "last")) {
      assertThat(keys.validate(good, ANY, HERE).isAccepted()).isTrue();
    }
  }

  @Test
  void progress_is_told_after_each_batch_and_no_key_is_read_ahead() {
    AtomicLong read = new AtomicLong();
    AtomicLong stored = new AtomicLong();
    AtomicInteger inserts = new AtomicInteger();
    KeyStore watched =
        new ForwardingKeyStore(store) {
          @Override
          public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
            inserts.incrementAndGet();
            assertThat(ownerMaximum).isEqualTo(Integer.MAX_VALUE);
            assertThat(read.get() - stored.get()).isLessThanOrEqualTo(500);
            stored.addAndGet(writes.size());
            return super.insert(writes, ownerMaximum);
          }
        };
    List<Progress> heard = new ArrayList<>();

    Result result =
        node(watched)
            .importKeys(
                IntStream.range(0, 1201)
                    .mapToObj(i -> KeyImport.ofToken("token-" + i, SPEC))
                    .peek(key -> read.incrementAndGet())
                    .iterator(),
                heard::add);

    assertThat(result).isEqualTo(new Result(1201, 0, 0, List.of()));
    assertThat(heard).extracting(Progress::imported).containsExactly(500L, 1000L, 1201L);
    assertThat(inserts).hasValue(3);
    assertThat(run().imported()).isZero();
  }

  @Test
  void no_more_than_a_thousand_refusals_are_listed_and_all_are_told() {
    List<Refusal> told = new ArrayList<>();

    Result result =
        keys.importKeys(
            Collections.nCopies(2300, KeyImport.ofSha256("", SPEC)).iterator(),
            progress -> told.addAll(progress.refusals()));

    assertThat(result.refused()).isEqualTo(2300);
    assertThat(result.refusals()).hasSize(1000);
    assertThat(told).hasSize(2300);
    assertThat(told.subList(0, 1000)).isEqualTo(result.refusals());
  }

  @Test
  void repeating_an_import_changes_nothing() {
    List<KeyImport> imports = imports(0, 1300);
    keys.importKeys(imports.iterator(), SILENT);
    String id = id("token-7");
    keys.update(id, KeyUpdate.of().name("renamed"));
    keys.revoke(id("token-8"), Revocation.because(RevocationReason.UNUSED));
    var before = everything();
    int entries = store.audit(AuditFilter.all(), 1290, 1000).size();

    Result again = keys.importKeys(imports.iterator(), SILENT);

    assertThat(again).isEqualTo(new Result(0, 1300, 0, List.of()));
    assertThat(everything()).isEqualTo(before);
    assertThat(store.audit(AuditFilter.all(), 1290, 1000)).hasSize(entries);
  }

  /** What imports, right or wrong. */
  private interface Importer {
    Result run(KeyStore store, List<KeyImport> imports);
  }

  @Test
  void what_is_there_already_takes_nothing_else_out_of_its_batch() {
    int rounds = Threads.ROUNDS / 5;
    int imported = checkOverlaps(this::right, rounds);
    System.out.println("Imports: " + rounds + " with overlaps, " + imported + " keys, 0 lost");
  }

  @Test
  void an_importer_that_loses_the_rest_of_a_batch_on_a_duplicate_is_caught() {
    assertThatThrownBy(() -> checkOverlaps(this::losingTwin, Threads.ROUNDS / 5))
        .isInstanceOf(AssertionError.class);
  }

  private int checkOverlaps(Importer importer, int rounds) {
    SplittableRandom random = Seed.of("KeyImporterTest");
    int imported = 0;
    for (int round = 0; round < rounds; round++) {
      KeyStore fresh = new InMemoryKeyStore();
      int first = random.nextInt(1, 40);
      right(fresh, imports(0, first));
      List<KeyImport> second = imports(random.nextInt(first), random.nextInt(40));
      second.addAll(imports(0, random.nextInt(10))); // some of them twice
      Collections.shuffle(second, new Random(random.nextLong()));

      Result result = importer.run(fresh, second);

      for (KeyImport key : second) {
        assertThat(fresh.load(IDS.id(key.digest()).toString())).as("round %d", round).isPresent();
      }
      assertThat(result.imported() + result.present()).isEqualTo(second.size());
      imported += (int) result.imported();
    }
    assertThat(imported).isPositive();
    return imported;
  }

  private Result right(KeyStore on, List<KeyImport> imports) {
    LifecycleSettings settings = Desk.ownerMaximum(Integer.MAX_VALUE);
    KeyEditor editor = new KeyEditor(on, time, settings, id -> {});
    return new KeyImporter(editor, new SecretHasher(), IDS).run(imports.iterator(), SILENT);
  }

  /** Takes the answer of the store to a batch for the answer to each of its keys. */
  private Result losingTwin(KeyStore on, List<KeyImport> imports) {
    KeyStore losing =
        new ForwardingKeyStore(on) {
          @Override
          public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
            super.insert(writes, ownerMaximum);
            return WriteOutcome.APPLIED;
          }
        };
    return right(losing, imports);
  }

  @Test
  void two_nodes_that_import_the_same_keys_share_the_work() throws Exception {
    int rounds = Math.max(10, Threads.ROUNDS / 10);
    long imported = 0;
    try (Threads threads = new Threads()) {
      for (int round = 0; round < rounds; round++) {
        KeyStore fresh = new InMemoryKeyStore();
        List<Callable<Result>> both = new ArrayList<>();
        for (int node = 0; node < 2; node++) {
          List<KeyImport> mine = imports(node * 20, 60);
          Collections.shuffle(mine, new Random(round));
          both.add(() -> right(fresh, mine));
        }
        List<Result> results = threads.race(both);

        long sum = results.stream().mapToLong(Result::imported).sum();
        assertThat(sum).isEqualTo(80);
        assertThat(results).allSatisfy(r -> assertThat(r.imported() + r.present()).isEqualTo(60));
        imported += sum;
      }
    }
    assertThat(imported).isEqualTo(80L * rounds);
  }

  @Test
  void an_import_that_failed_half_way_is_repeated() {
    AtomicInteger calls = new AtomicInteger();
    KeyStore failing =
        new ForwardingKeyStore(store) {
          @Override
          public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
            int call = calls.incrementAndGet();
            if (call == 2) {
              throw new StoreException(StoreException.Kind.UNAVAILABLE, "for the test", null);
            }
            WriteOutcome outcome = super.insert(writes, ownerMaximum);
            if (call == 4) { // done, and the answer is lost
              throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "for the test", null);
            }
            return outcome;
          }
        };
    ApiKeys node = node(failing);
    List<KeyImport> imports = imports(0, 1500);

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> node.importKeys(imports.iterator(), SILENT))
        .extracting(KeyException::failure)
        .isEqualTo(KeyException.Failure.STORE_UNAVAILABLE);
    assertThatExceptionOfType(OutcomeUnknownException.class)
        .isThrownBy(() -> node.importKeys(imports.iterator(), SILENT));
    assertThat(node.importKeys(imports.iterator(), SILENT))
        .isEqualTo(new Result(500, 1000, 0, List.of()));
    for (int i = 0; i < 1500; i++) {
      assertThat(node.validate("token-" + i, ANY, HERE).isAccepted()).isTrue();
    }
  }

  @Test
  void what_the_listener_throws_ends_the_import() {
    IllegalStateException enough = new IllegalStateException("enough");

    assertThatThrownBy(
            () ->
                keys.importKeys(
                    imports(0, 1500).iterator(),
                    progress -> {
                      throw enough;
                    }))
        .isSameAs(enough);
    assertThat(everything()).hasSize(500);
  }

  @Test
  void what_the_iterator_throws_ends_the_import() {
    for (RuntimeException broken :
        List.of(
            new IllegalArgumentException("row 700: hunter2"),
            KeyException.notPermitted("of another instance"),
            new IllegalStateException("closed"))) {
      AtomicInteger asked = new AtomicInteger();
      Iterator<KeyImport> rows = imports(0, 1500).iterator();
      Iterator<KeyImport> breaking =
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return asked.get() < 1500;
            }

            @Override
            public KeyImport next() {
              if (asked.incrementAndGet() > 700) {
                throw broken;
              }
              return rows.next();
            }
          };

      assertThatThrownBy(() -> keys.importKeys(breaking, SILENT)).isSameAs(broken);

      assertThat(asked).hasValue(701);
      assertThat(everything()).hasSize(500);
    }
  }

  @Test
  void a_host_transaction_imports_all_or_nothing() {
    HostStore host = new HostStore();
    ApiKeys node = node(host);
    assertThat(reason(node, "token-0")).isEqualTo(Reason.UNKNOWN);

    assertThatThrownBy(
            () ->
                host.inTransaction(
                    () -> {
                      assertThat(right(host, imports(0, 700)).imported()).isEqualTo(700);
                      throw new IllegalStateException("rolled back");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(node.list(KeyQuery.all()).keys()).isEmpty();
    host.inTransaction(() -> node.importKeys(imports(0, 700).iterator(), SILENT));
    assertThat(node.validate("token-0", ANY, HERE).isAccepted()).isTrue();
    assertThat(node.validate("token-699", ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void an_operation_id_that_somebody_else_took_is_told() {
    Cause taken = Cause.unstated().ownOperationId("import:" + id("token-1")); // as none but we can
    keys.disable(keys.issue(SPEC).id(), taken);

    Result result = keys.importKeys(imports(0, 3).iterator(), SILENT);

    assertThat(result.imported()).isEqualTo(2);
    assertThat(result.refusals())
        .containsExactly(
            new Refusal(1, "operationId: that of this import belongs to another call"));
  }

  @Test
  void imports_must_be_switched_on_and_the_node_open() {
    Iterator<KeyImport> none = Collections.emptyIterator();
    ApiKeys off =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .build();
    open.add(off);
    assertThatIllegalStateException()
        .isThrownBy(() -> off.importKeys(none, SILENT))
        .withMessageContaining("importedKeys");
    assertThatNullPointerException().isThrownBy(() -> keys.importKeys(none, null));
    keys.close();
    assertThatIllegalStateException().isThrownBy(() -> keys.importKeys(none, SILENT));
  }

  /** The reader of a dump tries what the tokens of a careless issuer can be. */
  @Test
  void a_dump_tells_a_weak_token_unless_both_its_hash_and_its_id_are_keyed() {
    assertThat(guessed(builder -> {})).as("neither").isTrue();
    assertThat(guessed(b -> b.pepper(Tokens.secret("p1", 1)))).as("pepper only").isTrue();
    assertThat(guessed(b -> b.importedKeys(IMPORT_KEY))).as("import key only").isTrue();
    assertThat(guessed(b -> b.importedKeys(IMPORT_KEY).pepper(Tokens.secret("p1", 1)))).isFalse();
  }

  private boolean guessed(Consumer<ApiKeysBuilder> options) {
    KeyStore dump = new InMemoryKeyStore();
    ApiKeys node =
        build(builder -> options.accept(builder.importedKeys()), dump); // keyed where it is said
    run(node, KeyImport.ofToken("customer-007421", SPEC));
    KeyRecord record = dump.list(KeyFilter.all(), null, 1).get(0).record();
    ForeignTokens unkeyed = new ForeignTokens(null);
    for (int number = 0; number < 10_000; number++) {
      byte[] digest = sha256("customer-%06d".formatted(number));
      if (record.toString().contains(unkeyed.id(digest).toString())
          || record.newest().hash().equals(HexFormat.of().formatHex(digest))) {
        return true;
      }
    }
    return false;
  }

  @Test
  void a_redacted_secret_does_not_look_like_a_token_of_ours() {
    run(KeyImport.ofToken("legacy-0123456789", SPEC), KeyImport.ofSha256(sha256("other"), SPEC));

    assertThat(details("legacy-0123456789").secrets().get(0).redacted()).isEqualTo("…6789");
    assertThat(details("other").secrets().get(0).redacted()).isEqualTo("…");
  }

  @Test
  void a_hundred_thousand_keys_are_imported_and_each_is_let_in() {
    int count = 100_000;
    List<Long> heard = new ArrayList<>();

    Result result =
        keys.importKeys(
            IntStream.range(0, count)
                .mapToObj(i -> KeyImport.ofSha256(sha256("token-" + i), SPEC))
                .iterator(),
            progress -> heard.add(progress.imported()));

    assertThat(result).isEqualTo(new Result(count, 0, 0, List.of()));
    assertThat(heard).hasSize(200).isSorted();
    int accepted = 0;
    int others = 0;
    for (int i = 0; i < count; i += 200) { // as many as may wait for the loaders, and some less
      accepted += accepted("token-", i, 200);
      others += accepted("Token-", i, 20);
    }
    assertThat(accepted).isEqualTo(count);
    assertThat(others).isZero();
    System.out.println("Imports: " + accepted + " of " + count + " keys let in");
  }

  private int accepted(String prefix, int from, int count) {
    List<CompletableFuture<Validation>> results =
        IntStream.range(from, from + count)
            .mapToObj(i -> keys.validateAsync(prefix + i, ANY, HERE))
            .toList();
    return (int) results.stream().filter(result -> result.join().isAccepted()).count();
  }

  private static List<KeyImport> imports(int from, int count) {
    List<KeyImport> imports = new ArrayList<>();
    for (int i = from; i < from + count; i++) {
      imports.add(KeyImport.ofToken("token-" + i, SPEC));
    }
    return imports;
  }

  private List<KeyRecord> everything() {
    List<KeyRecord> all = new ArrayList<>();
    String after = null;
    while (true) {
      var page = store.list(KeyFilter.all(), after, 1000);
      page.forEach(stored -> all.add(stored.record()));
      if (page.size() < 1000) {
        return all;
      }
      after = page.get(999).record().id();
    }
  }

  private KeyRecord onlyRecord() {
    List<KeyRecord> all = everything();
    assertThat(all).hasSize(1);
    return all.get(0);
  }

  private static String id(String token) {
    return IDS.id(sha256(token)).toString();
  }

  private KeyDetails details(String token) {
    return keys.find(id(token)).orElseThrow();
  }

  private Result run(KeyImport... imports) {
    return run(keys, imports);
  }

  private static Result run(ApiKeys node, KeyImport... imports) {
    return node.importKeys(Stream.of(imports).iterator(), SILENT);
  }

  private Reason reason(String token) {
    return reason(keys, token);
  }

  private static Reason reason(ApiKeys node, String token) {
    return ((Rejected) node.validate(token, ANY, HERE)).reason();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private ApiKeys node(KeyStore on) {
    return build(builder -> {}, on);
  }

  private ApiKeys build(Consumer<ApiKeysBuilder> options, KeyStore on) {
    ApiKeysBuilder builder =
        ApiKeys.builder(on)
            .defaultPlan(Plan.unlimited())
            .brand("acme", "umbra")
            .environment("live", "test")
            .importedKeys(IMPORT_KEY)
            .time(time, time::nanos)
            .loadDeadline(Duration.ofMinutes(1))
            .propagation(Duration.ofSeconds(60));
    options.accept(builder);
    ApiKeys node = builder.build();
    open.add(node);
    return node;
  }
}
