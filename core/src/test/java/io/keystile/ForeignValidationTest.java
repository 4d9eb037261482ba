package io.keystile;

import static io.keystile.Tokens.EXAMPLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Validation of tokens that were issued elsewhere, beside our own. */
class ForeignValidationTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final ServerSecret PEPPER = Tokens.secret("p1", 1);
  private static final ServerSecret OTHER_PEPPER = Tokens.secret("p2", 2);
  private static final ServerSecret ID_KEY = Tokens.secret("i1", 3);
  private static final ServerSecret IMPORT_KEY = Tokens.secret("m1", 4);
  private static final String FOREIGN = "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU";

  private final ManualTime time = new ManualTime();
  private final KeyStore shared = new InMemoryKeyStore();
  private final WatchedStore store = new WatchedStore(shared);
  private final List<ApiKeys> open = new ArrayList<>();
  private final ApiKeys off = node(store, b -> b);
  private final ApiKeys keys = node(store, b -> b.importedKeys(IMPORT_KEY));

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  @Test
  void what_python_made_is_accepted_from_its_hash_and_from_its_token() throws Exception {
    assertAccepted(ForeignSample.committed());
  }

  @Test
  void what_python_makes_now_is_accepted() throws Exception {
    Optional<List<ForeignSample>> samples = ForeignSample.fresh(130);
    assumeTrue(samples.isPresent(), "no python3 here: only the committed tokens were tried");
    assertAccepted(samples.get());
  }

  private void assertAccepted(List<ForeignSample> samples) {
    List<UnaryOperator<ApiKeysBuilder>> nodes =
        List.of(
            ApiKeysBuilder::importedKeys,
            b -> b.importedKeys(IMPORT_KEY),
            b -> b.importedKeys(IMPORT_KEY).pepper(PEPPER),
            b -> b.importedKeys(ID_KEY).idKey(ID_KEY).requireMintedIds().pepper(PEPPER));
    int accepted = 0;
    for (UnaryOperator<ApiKeysBuilder> options : nodes) {
      for (boolean plaintext : new boolean[] {false, true}) {
        ApiKeys node = node(new InMemoryKeyStore(), options);
        List<KeyImport> imports = new ArrayList<>();
        for (ForeignSample sample : samples) {
          KeySpec spec = KeySpec.forOwner("owner").name(sample.kind());
          imports.add(
              plaintext
                  ? KeyImport.ofToken(sample.token(), spec)
                  : KeyImport.ofSha256(sample.sha256(), spec));
        }
        assertThat(run(node, imports).imported()).isEqualTo(samples.size());
        for (ForeignSample sample : samples) {
          for (int call = 0; call < 2; call++) { // cold and warm
            Validation result = node.validate(sample.token(), ANY, HERE);
            assertThat(result.isAccepted()).as(sample.kind()).isTrue();
            assertThat(((Accepted) result).key().name()).isEqualTo(sample.kind());
            accepted++;
          }
          for (String near : nearMisses(sample.token())) {
            assertThat(node.validate(near, ANY, HERE).isAccepted()).as(sample.kind()).isFalse();
          }
        }
      }
    }
    assertThat(accepted).isEqualTo(16 * samples.size());
    System.out.println("Foreign tokens: " + accepted + " accepted");
  }

  private static List<String> nearMisses(String token) {
    char last = token.charAt(token.length() - 1);
    return List.of(
        token + " ",
        " " + token,
        token.substring(1),
        token.substring(0, token.length() - 1) + (char) (last ^ 1),
        token.toUpperCase(Locale.ROOT) + "!");
  }

  @Test
  void while_imports_are_off_a_foreign_text_is_malformed_and_reads_nothing() {
    run(keys, List.of(KeyImport.ofToken(FOREIGN, KeySpec.forOwner("owner"))));
    int loads = store.loads.get();

    assertThat(reason(off, FOREIGN)).isEqualTo(Reason.MALFORMED);
    assertThat(reason(off, "x".repeat(600))).isEqualTo(Reason.MALFORMED);
    assertThat(store.loads).hasValue(loads);
  }

  @Test
  void while_imports_are_off_a_token_of_ours_with_an_import_id_is_unknown_and_reads_nothing() {
    SplittableRandom random = Seed.of("ForeignValidationTest, import ids");
    int reads = 0;
    for (int i = 0; i < 10_000; i++) {
      KeyId id = new KeyId(random.nextInt(0x1_0000), random.nextLong());
      assertThat(reason(off, own(id))).isEqualTo(Reason.UNKNOWN);
      reads += store.loads.getAndSet(0);
    }
    assertThat(reads).isZero();
    assertThat(reason(off, own(new KeyId(0x1_0000, 7)))).isEqualTo(Reason.UNKNOWN);
    assertThat(store.loads).as("an id of the first millisecond").hasValue(1);
  }

  @Test
  void while_imports_are_on_an_unknown_text_costs_one_read_until_it_is_forgotten() {
    for (int i = 0; i < 10; i++) {
      assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.UNKNOWN);
    }
    assertThat(store.loads).hasValue(1);

    time.advance(Duration.ofSeconds(10));
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.UNKNOWN);
    assertThat(store.loads).hasValue(2);
  }

  @Test
  void what_can_be_no_token_is_malformed_and_reads_nothing() {
    for (String text : new String[] {null, "", "x".repeat(513), "\uD800", "a\uDC00"}) {
      assertThat(reason(keys, text)).isEqualTo(Reason.MALFORMED);
    }
    assertThat(store.loads).hasValue(0);
  }

  @Test
  void an_imported_key_needs_no_mark_and_all_others_still_do() {
    ApiKeys minting = node(store, b -> b.importedKeys(IMPORT_KEY).idKey(ID_KEY).requireMintedIds());
    run(minting, List.of(KeyImport.ofToken(FOREIGN, KeySpec.forOwner("owner"))));
    assertThat(minting.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue();
    assertThat(store.loads).hasValue(1);

    assertThat(reason(minting, EXAMPLE)).isEqualTo(Reason.UNKNOWN);
    assertThat(store.loads).hasValue(1);
    // an import id in a token of ours: the key may have been rotated, so it is looked for
    assertThat(reason(minting, own(new KeyId(1, 2)))).isEqualTo(Reason.UNKNOWN);
    assertThat(store.loads).hasValue(2);
  }

  @Test
  void the_key_must_be_of_a_brand_and_environment_of_this_node() {
    ApiKeys both = node(store, b -> b.importedKeys(IMPORT_KEY).environment("live", "test"));
    KeySpec spec = KeySpec.forOwner("owner").environment("test");
    run(both, List.of(KeyImport.ofToken(FOREIGN, spec)));

    assertThat(both.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue();
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.WRONG_ENVIRONMENT);
    ApiKeys otherBrand = node(store, b -> b.importedKeys(IMPORT_KEY).brand("other"));
    assertThat(reason(otherBrand, FOREIGN)).isEqualTo(Reason.WRONG_ENVIRONMENT);
  }

  @Test
  void an_imported_key_obeys_like_any_other() {
    KeySpec spec = KeySpec.forOwner("owner").scopes("a:b").networks("192.0.2.0/24");
    run(keys, List.of(KeyImport.ofToken(FOREIGN, spec)));
    String id = keys.list(KeyQuery.all()).keys().get(0).id();

    assertThat(keys.validate(FOREIGN, Access.requiring("a:b"), HERE).isAccepted()).isTrue();
    Validation scope = keys.validate(FOREIGN, Access.requiring("a:c"), HERE);
    assertThat(((Rejected) scope).reason()).isEqualTo(Reason.SCOPE_MISSING);
    Validation address = keys.validate(FOREIGN, ANY, Origin.of("198.51.100.1").secure(true));
    assertThat(((Rejected) address).reason()).isEqualTo(Reason.ADDRESS_NOT_ALLOWED);
    Validation clear = keys.validate(FOREIGN, ANY, Origin.of("192.0.2.7").secure(false));
    assertThat(((Rejected) clear).reason()).isEqualTo(Reason.INSECURE_TRANSPORT);
    keys.disable(id, Cause.by("alice"));
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.DISABLED);
    keys.enable(id, Cause.by("alice"));
    time.advance(Duration.ofDays(90));
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.EXPIRED);
    keys.revoke(id, Revocation.because(RevocationReason.LEAKED));
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.REVOKED);
  }

  @Test
  void a_use_is_counted_and_an_asynchronous_call_finds_it() throws Exception {
    run(keys, List.of(KeyImport.ofToken(FOREIGN, KeySpec.forOwner("owner"))));

    Validation result = keys.validateAsync(FOREIGN, ANY, HERE).get(30, TimeUnit.SECONDS);
    assertThat(result.isAccepted()).isTrue();
    assertThat(keys.validateAsync(FOREIGN, ANY, HERE)).isCompleted();

    keys.flush();
    assertThat(keys.list(KeyQuery.all()).keys().get(0).lastUsed()).isEqualTo(time.instant());
  }

  @Test
  void the_rules_for_hashes_without_a_pepper_are_those_of_our_own() {
    run(keys, List.of(KeyImport.ofToken(FOREIGN, KeySpec.forOwner("owner"))));
    ApiKeys strict = node(store, b -> b.importedKeys(IMPORT_KEY).pepper(PEPPER));
    ApiKeys changing =
        node(store, b -> b.importedKeys(IMPORT_KEY).pepper(PEPPER).acceptUnpeppered());
    assertThat(reason(strict, FOREIGN)).isEqualTo(Reason.SCHEME_UNKNOWN);
    assertThat(changing.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue();

    String keyed = FOREIGN + "2";
    run(strict, List.of(KeyImport.ofToken(keyed, KeySpec.forOwner("owner"))));
    ApiKeys later = node(store, b -> b.importedKeys(IMPORT_KEY).pepper(OTHER_PEPPER, PEPPER));
    ApiKeys without = node(store, b -> b.importedKeys(IMPORT_KEY).pepper(OTHER_PEPPER));
    assertThat(strict.validate(keyed, ANY, HERE).isAccepted()).isTrue();
    assertThat(later.validate(keyed, ANY, HERE).isAccepted()).isTrue();
    assertThat(reason(without, keyed)).isEqualTo(Reason.PEPPER_MISSING);
    assertThat(without.status().missingPeppers()).containsExactly("p1");
  }

  @Test
  void the_bare_block_of_a_token_of_ours_proves_nothing() {
    for (ApiKeys node : List.of(keys, node(store, ApiKeysBuilder::importedKeys))) {
      IssuedKey issued = node.issue(KeySpec.forOwner("owner"));
      String token = issued.revealToken();
      assertThat(node.validate(token, ANY, HERE).isAccepted()).isTrue();
      String block = token.substring(token.length() - 61, token.length() - 6);

      assertThat(reason(node, block)).isEqualTo(Reason.UNKNOWN);
      // nor if somebody who can write has moved the hash to where the block is looked for
      Scratch scratch = Tokens.parsed(token);
      byte[] digest = scratch.digestBlock();
      ForeignTokens ids = new ForeignTokens(node.equals(keys) ? IMPORT_KEY : null);
      move(issued.id(), ids.id(digest), shared.find(issued.id()).orElseThrow().record().newest());
      node.poll();
      assertThat(reason(node, block)).isEqualTo(Reason.WRONG_SECRET);
    }
  }

  @Test
  void a_raw_hash_is_no_hash_of_a_token_of_ours() {
    IssuedKey issued = keys.issue(KeySpec.forOwner("owner"));
    String token = issued.revealToken();
    byte[] digest = Tokens.parsed(token).digestBlock();
    SecretVersion raw = version("sha256-raw", digest);
    KeyId id = new KeyId(9, 9);
    move(issued.id(), id, raw);
    // the hash is right, but it is one of a whole foreign text
    String other = own(id);
    byte[] otherDigest = Tokens.parsed(other).digestBlock();
    assertThat(reason(keys, other)).isEqualTo(Reason.WRONG_SECRET);
    replace(id, version("sha256-raw", otherDigest));
    keys.poll();
    assertThat(reason(keys, other)).isEqualTo(Reason.WRONG_SECRET);
    replace(id, version("sha256", otherDigest)); // and this is what makes it one of ours
    keys.poll();
    assertThat(keys.validate(other, ANY, HERE).isAccepted()).isTrue();
  }

  @Test
  void a_pepper_cannot_be_the_import_key_and_an_id_key_can() {
    assertThatIllegalStateException()
        .isThrownBy(
            () -> node(store, b -> b.pepper(PEPPER).importedKeys(Tokens.secret("other-name", 1))))
        .withMessageContaining("pepper and importedKeys")
        .withMessageNotContaining("other-name");
    node(store, b -> b.idKey(ID_KEY).importedKeys(ID_KEY));
  }

  @Test
  void a_negative_answer_does_not_outlive_an_import_on_any_node() {
    WatchedStore second = new WatchedStore(shared);
    ApiKeys other = node(second, b -> b.importedKeys(IMPORT_KEY));
    assertThat(reason(keys, FOREIGN)).isEqualTo(Reason.UNKNOWN);
    assertThat(reason(other, FOREIGN)).isEqualTo(Reason.UNKNOWN);

    run(keys, List.of(KeyImport.ofToken(FOREIGN, KeySpec.forOwner("owner"))));

    assertThat(keys.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue(); // at once
    assertThat(reason(other, FOREIGN)).isEqualTo(Reason.UNKNOWN);
    assertThat(second.loads).as("it was the remembered answer").hasValue(1);
    other.poll();
    assertThat(other.validate(FOREIGN, ANY, HERE).isAccepted()).isTrue();
  }

  private void move(String from, KeyId to, SecretVersion version) {
    KeyRecord record = shared.find(from).orElseThrow().record();
    KeyRecord moved =
        record.toBuilder().id(to.toString()).revision(1).versions(List.of(version)).build();
    shared.insert(List.of(write(moved)), Integer.MAX_VALUE);
  }

  private void replace(KeyId id, SecretVersion version) {
    KeyRecord record = shared.find(id.toString()).orElseThrow().record();
    shared.replace(
        write(
            record.toBuilder().revision(record.revision() + 1).versions(List.of(version)).build()));
  }

  private KeyWrite write(KeyRecord record) {
    return Operation.of("test", Cause.unstated(), null, null).write(null, record, time.instant());
  }

  private SecretVersion version(String scheme, byte[] digest) {
    String hash = HexFormat.of().formatHex(digest);
    return new SecretVersion(
        1, scheme, null, hash, "", time.instant(), null, null, null, null, null);
  }

  private static String own(KeyId id) {
    return TokenGenerator.token("acme", "live", id, "KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq");
  }

  private static KeyImport.Result run(ApiKeys node, List<KeyImport> imports) {
    return node.importKeys(imports.iterator(), progress -> {});
  }

  private static Reason reason(ApiKeys node, String token) {
    return ((Rejected) node.validate(token, ANY, HERE)).reason();
  }

  private ApiKeys node(KeyStore on, UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(on)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .time(time, time::nanos)
            .maxStale(Duration.ofDays(1))
            .entryAge(Duration.ofDays(1))
            .loadDeadline(Duration.ofMinutes(1))
            .propagation(Duration.ofSeconds(60)); // the test polls
    ApiKeys node = options.apply(builder).build();
    open.add(node);
    return node;
  }
}
