package io.keystile.examples;

import static io.keystile.store.RevocationReason.LEAKED;
import static io.keystile.store.RevocationReason.SUSPICIOUS_ACTIVITY;
import static io.keystile.store.RevocationReason.UNSPECIFIED;

import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyListener;
import io.keystile.KeyPage;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.OwnerKeys;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.RotationPolicy;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the page on rotation, word for word. */
final class RotationSamples {
  private static final Logger log = LoggerFactory.getLogger(RotationSamples.class);

  private RotationSamples() {}

  static ApiKeys open(KeyStore store) {
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .rotation(RotationPolicy.usual().grace(Duration.ofDays(14)))
            .rotation("payments", RotationPolicy.usual().age(Duration.ofDays(30)))
            .selfRotationGrace(Duration.ofDays(2))
            .listener(new Lookout())
            .build();
    return keys;
  }

  static final class Lookout implements KeyListener {
    @Override
    public void retiredSecretUsed(String keyId, int secretVersion) {
      log.warn("Secret {} of key {} came back: who has it?", secretVersion, keyId);
    }

    @Override
    public void alert(String keyId, RevocationReason reason) {
      log.warn("Key {}: {}", keyId, reason);
    }
  }

  static KeyDetails ownRule(ApiKeys keys, String keyId) {
    return keys.update(
        keyId, KeyUpdate.of().rotation(RotationPolicy.usual().grace(Duration.ofDays(30))));
  }

  static void remind(ApiKeys keys, Consumer<KeyDetails> remind) {
    KeyQuery due = KeyQuery.all().rotationDue();
    for (KeyPage page = keys.list(due); ; page = keys.list(due.after(page.next()))) {
      page.keys().forEach(remind);
      if (page.next() == null) {
        break;
      }
    }
  }

  static String rotate(ApiKeys keys, String keyId) {
    IssuedKey next = keys.rotate(keyId, Rotation.usual().by("alice").note("every March"));
    String token = next.revealToken(); // the only time it can be read
    return token;
  }

  static List<KeyDetails.SecretInfo> stillOnOld(ApiKeys keys, String keyId) {
    KeyDetails key = keys.find(keyId).orElseThrow();
    for (KeyDetails.SecretInfo old : key.oldSecretsInUse()) {
      log.info("{} was used {}, ends {}", old.redacted(), old.lastUsed(), old.retiresAt());
    }
    return key.oldSecretsInUse();
  }

  static IssuedKey job(ApiKeys keys, KeyDetails key) {
    Rotation replacing = Rotation.usual().replacing(key.newestSecret().number());
    IssuedKey next = keys.rotate(key.id(), replacing.by("rotation job"));
    return next;
  }

  static IssuedKey issue(ApiKeys keys) {
    IssuedKey issued =
        keys.issue(
            KeySpec.forOwner("weather-app").scopes("forecast:read", "keys:rotate").by("alice"));
    return issued;
  }

  static IssuedKey portal(ApiKeys keys, String account, String user, String keyId) {
    OwnerKeys mine = keys.forOwner(account);
    IssuedKey next = mine.rotate(keyId, Rotation.usual().by(user));
    return next;
  }

  static IssuedKey force(ApiKeys keys, String keyId) {
    IssuedKey next =
        keys.rotate(
            keyId, Rotation.forced(SUSPICIOUS_ACTIVITY).grace(Duration.ofHours(4)).by("alice"));
    return next;
  }

  static KeyDetails revokeOne(ApiKeys keys, String keyId) {
    KeyDetails key = keys.revokeSecret(keyId, 1, Revocation.because(LEAKED).by("alice"));
    return key;
  }

  static IssuedKey repeat(ApiKeys keys, String keyId) {
    Rotation rotation = Rotation.usual().by("alice").operationId("ticket-17");
    IssuedKey next = keys.rotate(keyId, rotation);
    if (next.alreadyIssued()) { // the first attempt was done, and its token is lost
      keys.revokeSecret(
          keyId, next.secretVersion(), Revocation.because(UNSPECIFIED).note("never seen"));
      next = keys.rotate(keyId, rotation.operationId("ticket-17, once more"));
    }
    return next;
  }
}
