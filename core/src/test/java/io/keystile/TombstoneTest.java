package io.keystile;

import static io.keystile.store.RevocationReason.LEAKED;
import static io.keystile.store.RevocationReason.UNSPECIFIED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a purge leaves of an imported key. */
class TombstoneTest {
  private static final Access ANY = Access.authenticated();
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  private static final Duration DAY = Duration.ofDays(1);
  private static final Cause NIGHTLY = Cause.by("nightly");
  private static final String REVOKED = "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU";
  private static final String EXPIRED = "c927ed75-fdf9-4663-9c2c-299bc4bd28d0";

  /** Counts the keys that were listed. */
  private static final class CountingStore extends ForwardingKeyStore {
    int listed;

    CountingStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      List<StoredKey> keys = super.list(filter, after, limit);
      listed += keys.size();
      return keys;
    }
  }

  private final ManualTime time = new ManualTime();
  private final CountingStore store = new CountingStore();
  private final ApiKeys keys =
      ApiKeys.builder(store)
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .pepper(Tokens.secret("p1", 1))
          .importedKeys(Tokens.secret("m1", 4))
          .time(time, time::nanos)
          .maxStale(DAY)
          .loadDeadline(Duration.ofMinutes(1))
          .propagation(Duration.ofSeconds(60))
          .build();

  @AfterEach
  void close() {
    keys.close();
  }

  @Test
  void a_purged_import_leaves_its_id_and_nothing_that_says_more() {
    importBoth();
    IssuedKey issued = keys.issue(KeySpec.forOwner("owner").lifetime(DAY));
    assertThat(keys.validate(REVOKED, ANY, HERE).isAccepted()).isTrue();
    keys.flush();
    keys.revoke(idOf(REVOKED), Revocation.because(LEAKED).by("bob").note("n"));
    Instant revokedAt = time.instant();
    time.advance(DAY.multipliedBy(100));

    assertThat(keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY).keys()).isEqualTo(3);

    assertThat(keys.find(issued.id())).isEmpty();
    List<StoredKey> left = store.list(KeyFilter.all(), null, 10);
    assertThat(left).hasSize(2);
    for (StoredKey stored : left) {
      KeyRecord record = stored.record();
      boolean isRevoked = record.id().equals(idOf(REVOKED));
      assertThat(stored.uses()).allMatch(use -> use.lastUsed() == null);
      assertThat(record)
          .isEqualTo(
              KeyRecord.builder()
                  .id(record.id())
                  .revision(record.revision())
                  .prefix("acme", "live")
                  .owner("owner")
                  .createdAt(record.createdAt())
                  .revoked(revoked(Arguments.LATEST, isRevoked ? LEAKED : UNSPECIFIED))
                  .versions(
                      List.of(
                          new SecretVersion(
                              2,
                              "none",
                              null,
                              "00".repeat(32),
                              "",
                              isRevoked ? revokedAt : time.instant(),
                              null,
                              null,
                              null,
                              null,
                              null)))
                  .build());
    }
    List<AuditEntry> trail = store.audit(AuditFilter.ofKey(idOf(REVOKED)), 0, 10);
    AuditEntry last = trail.get(trail.size() - 1);
    assertThat(last.action()).isEqualTo("purge");
    assertThat(last.actor()).isEqualTo("nightly");
    assertThat(last.after()).isEqualTo(KeyRecord.State.REVOKED);
    KeyDetails details = keys.find(idOf(REVOKED)).orElseThrow();
    assertThat(details.status()).isEqualTo(KeyDetails.Status.REVOKED);
    assertThat(details.revocation()).isEqualTo(revoked(revokedAt, LEAKED));
    assertThat(keys.find(idOf(EXPIRED)).orElseThrow().revocation())
        .isEqualTo(revoked(time.instant(), UNSPECIFIED));
    assertThat(details.secrets().get(0).redacted()).isEqualTo("…");
  }

  @Test
  void a_tombstone_is_unknown_to_clients_and_cannot_be_brought_back() {
    importBoth();
    buryBoth();
    List<StoredKey> left = store.list(KeyFilter.all(), null, 10);

    for (String token : List.of(REVOKED, EXPIRED)) {
      for (int call = 0; call < 3; call++) {
        assertThat(((Rejected) keys.validate(token, ANY, HERE)).reason()).isEqualTo(Reason.UNKNOWN);
      }
      String id = idOf(token);
      String own = TokenGenerator.token("acme", "live", KeyId.parse(id), "0".repeat(32));
      assertThat(((Rejected) keys.validate(own, ANY, HERE)).reason()).isEqualTo(Reason.UNKNOWN);
      assertThatExceptionOfType(KeyException.class).isThrownBy(() -> keys.enable(id, NIGHTLY));
      assertThatExceptionOfType(KeyException.class)
          .isThrownBy(() -> keys.update(id, KeyUpdate.of().name("back")));
    }
    // neither while the audit remembers the import, nor after
    for (int audit = 0; audit < 2; audit++) {
      assertThat(importBoth()).isEqualTo(new KeyImport.Result(0, 2, 0, List.of()));
      assertThat(store.list(KeyFilter.all(), null, 10)).isEqualTo(left);
      keys.purge(DAY, Duration.ZERO, NIGHTLY);
      time.advance(Duration.ofMillis(1));
      keys.purge(DAY, Duration.ZERO, NIGHTLY);
      assertThat(store.audit(AuditFilter.all(), 0, 10)).isEmpty();
    }
  }

  @Test
  void purging_again_and_again_leaves_tombstones_as_they_are() {
    importBoth();
    buryBoth();
    List<StoredKey> left = store.list(KeyFilter.all(), null, 10);
    List<AuditEntry> trail = store.audit(AuditFilter.all(), 0, 1000);

    for (int i = 0; i < 100; i++) {
      time.advance(DAY);
      Cause cause = i % 2 == 0 ? NIGHTLY : NIGHTLY.operationId("purge-" + i);
      assertThat(keys.purge(DAY, DAY.multipliedBy(1000), cause).keys()).isZero();
    }

    assertThat(store.list(KeyFilter.all(), null, 10)).isEqualTo(left);
    assertThat(store.audit(AuditFilter.all(), 0, 1000)).isEqualTo(trail);
  }

  @Test
  void a_named_purge_is_done_once_and_an_id_of_another_verb_is_told() {
    importBoth();
    time.advance(DAY.multipliedBy(100));
    keys.disable(idOf(REVOKED), Cause.by("x").operationId("night-1/" + idOf(REVOKED)));

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY.operationId("night-1")))
        .extracting(KeyException::failure)
        .isEqualTo(KeyException.Failure.OPERATION_ID_REUSED);
    assertThat(keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY.operationId("night-2")).keys())
        .isEqualTo(1);
  }

  @Test
  void more_than_a_page_of_imports_is_purged() {
    List<KeyImport> many = new ArrayList<>();
    for (int i = 0; i < 450; i++) {
      many.add(KeyImport.ofToken("token-" + i, KeySpec.forOwner("owner").lifetime(DAY)));
    }
    keys.importKeys(many.iterator(), progress -> {});
    for (int i = 0; i < 50; i++) {
      keys.issue(KeySpec.forOwner("owner").lifetime(DAY));
    }
    time.advance(DAY.multipliedBy(100));

    assertThat(keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY).keys()).isEqualTo(500);
    assertThat(keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY).keys()).isZero();
    assertThat(store.list(KeyFilter.all(), null, 1000)).hasSize(450);
  }

  @Test
  void no_purge_reads_a_tombstone_again() {
    importBoth();
    buryBoth();
    store.listed = 0;

    for (int i = 0; i < 10; i++) {
      time.advance(DAY);
      keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY);
    }

    assertThat(store.listed).isZero();
  }

  private KeyImport.Result importBoth() {
    KeySpec spec =
        KeySpec.personalToken("owner", "user-17")
            .name("old")
            .scopes("a:b")
            .networks("192.0.2.0/24")
            .callers("billing")
            .plan("pro")
            .metadata(Map.of("k", "v"))
            .by("alice")
            .note("moved");
    return keys.importKeys(
        List.of(
                KeyImport.ofToken(REVOKED, spec.callers()),
                KeyImport.ofToken(EXPIRED, spec.endsAt(time.instant().plus(DAY))))
            .iterator(),
        progress -> {});
  }

  private void buryBoth() {
    keys.revoke(idOf(REVOKED), Revocation.because(LEAKED));
    time.advance(DAY.multipliedBy(100));
    assertThat(keys.purge(DAY, DAY.multipliedBy(1000), NIGHTLY).keys()).isEqualTo(2);
  }

  private static String idOf(String token) {
    Scratch scratch = new Scratch();
    new ForeignTokens(Tokens.secret("m1", 4)).read(token, scratch);
    return new KeyId(scratch.idHigh, scratch.idLow).toString();
  }

  private static KeyRecord.Revoked revoked(Instant at, RevocationReason reason) {
    return new KeyRecord.Revoked(at, reason, null, null, null);
  }
}
