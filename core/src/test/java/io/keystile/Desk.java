package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import io.keystile.store.UseMark;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Administration for tests: over a store in memory, with a clock that stands still. */
final class Desk {

  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  static final List<TokenPrefix> PREFIXES =
      List.of(
          new TokenPrefix("acme", "live"),
          new TokenPrefix("acme", "test"),
          new TokenPrefix("umbra", "live"));
  static final Revocation LEAK = Revocation.because(RevocationReason.LEAKED);
  static final Cause ALICE = Cause.by("alice");

  final KeyStore store;
  final KeyMint mint;
  final Administration administration;

  /** The keys that the node was told to forget. */
  final List<String> changed = new CopyOnWriteArrayList<>();

  /** What the host was told to look into, as key id and reason. */
  final List<String> alerts = new CopyOnWriteArrayList<>();

  volatile Instant now = START;

  Desk() {
    this(new InMemoryKeyStore());
  }

  Desk(KeyStore store) {
    this(store, ownerMaximum(Integer.MAX_VALUE));
  }

  Desk(KeyStore store, LifecycleSettings settings) {
    this.store = store;
    mint = new KeyMint(new TokenGenerator(() -> now, new SecureRandom(), null), new SecretHasher());
    administration =
        new Administration(new KeyEditor(store, () -> now, settings, new Listening()), mint);
  }

  private final class Listening implements LocalNode {
    @Override
    public void changed(String keyId) {
      changed.add(keyId);
    }

    @Override
    public void alert(String keyId, RevocationReason reason) {
      alerts.add(keyId + " " + reason);
    }
  }

  /** The defaults, but for the replacing of secrets. */
  static LifecycleSettings rotation(RotationRules rules) {
    LifecycleSettings usual = ownerMaximum(Integer.MAX_VALUE);
    return new LifecycleSettings(
        usual.prefixes(),
        usual.lifetime(),
        usual.maximumLifetime(),
        usual.personalLifetime(),
        usual.personalMaximum(),
        usual.ownerMaximum(),
        rules);
  }

  /** The defaults, but for the number of keys. */
  static LifecycleSettings ownerMaximum(int keys) {
    return new LifecycleSettings(
        PREFIXES,
        LifecycleSettings.DEFAULT_LIFETIME,
        null,
        LifecycleSettings.DEFAULT_PERSONAL_LIFETIME,
        LifecycleSettings.DEFAULT_PERSONAL_MAXIMUM,
        keys,
        RotationRules.USUAL);
  }

  void pass(Duration time) {
    now = now.plus(time);
  }

  /** The id of a new key. */
  String issue(KeySpec spec) {
    return administration.issue(spec).id();
  }

  /** The id of a new service key of somebody. */
  String issue() {
    return issue(KeySpec.forOwner("weather-app"));
  }

  KeyRecord record(String keyId) {
    return store.find(keyId).orElseThrow().record();
  }

  KeyDetails details(String keyId) {
    return administration.find(keyId).orElseThrow();
  }

  List<AuditEntry> audit() {
    return store.audit(AuditFilter.all(), 0, 1000);
  }

  List<AuditEntry> audit(String keyId) {
    return store.audit(AuditFilter.ofKey(keyId), 0, 1000);
  }

  void use(String keyId, Instant time) {
    store.recordUse(List.of(new UseMark(keyId, 1, time, time)));
  }

  /** Where no usage is recorded. */
  static UsageRecording noUsage() {
    throw new IllegalStateException("no usage");
  }
}
