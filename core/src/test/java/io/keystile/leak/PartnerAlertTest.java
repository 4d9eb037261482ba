package io.keystile.leak;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Seed;
import io.keystile.leak.LeakReport.Finding;
import io.keystile.leak.LeakReport.Outcome;
import io.keystile.limit.Plan;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PartnerAlertTest {
  private static final byte[] BODY =
      """
      [{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/"}]"""
          .getBytes(StandardCharsets.UTF_8);

  /** In the encoding of a public key, how many bits at the end do not count. */
  private static final int UNUSED_BITS = 25;

  private final KeyPair host = pair("EC", "secp256r1");
  private final String pem = pem(host.getPublic());
  private final String signature = sign("SHA256withECDSA", host.getPrivate(), BODY);

  @Test
  void what_was_signed_is_signed() {
    assertThat(PartnerAlert.isSigned(BODY, signature, pem)).isTrue();
    assertThat(PartnerAlert.isSigned(BODY, signature, pem.strip())).isTrue();
    assertThat(PartnerAlert.isSigned(BODY, signature, pem.replace("\n", "\r\n"))).isTrue();
    assertThat(PartnerAlert.isSigned(BODY, signature, host.getPublic())).isTrue();
    String ofNothing = sign("SHA256withECDSA", host.getPrivate(), new byte[0]);
    assertThat(PartnerAlert.isSigned(new byte[0], ofNothing, pem)).isTrue();
  }

  @Test
  void no_altered_body_is_signed() {
    int altered = 0;
    for (int i = 0; i < BODY.length; i++) {
      byte[] body = BODY.clone();
      body[i] ^= 1;
      assertThat(PartnerAlert.isSigned(body, signature, pem)).isFalse();
      assertThat(PartnerAlert.isSigned(Arrays.copyOf(BODY, i), signature, pem)).isFalse();
      altered += 2;
    }
    assertThat(PartnerAlert.isSigned(Arrays.copyOf(BODY, BODY.length + 1), signature, pem))
        .isFalse();
    System.out.println(altered + 1 + " altered bodies: none is signed");
  }

  @Test
  void no_other_key_has_signed() {
    PublicKey other = pair("EC", "secp256r1").getPublic();
    assertThat(PartnerAlert.isSigned(BODY, signature, other)).isFalse();
    assertThat(PartnerAlert.isSigned(BODY, signature, pem(other))).isFalse();
    for (String curve : List.of("secp384r1", "secp521r1")) {
      KeyPair pair = pair("EC", curve);
      String right = sign("SHA256withECDSA", pair.getPrivate(), BODY);
      assertThat(PartnerAlert.isSigned(BODY, right, pair.getPublic())).as(curve).isFalse();
      assertThat(PartnerAlert.isSigned(BODY, right, pem(pair.getPublic()))).as(curve).isFalse();
    }
    KeyPair rsa = pair("RSA", null);
    String byRsa = sign("SHA256withRSA", rsa.getPrivate(), BODY);
    assertThat(PartnerAlert.isSigned(BODY, byRsa, rsa.getPublic())).isFalse();
    assertThat(PartnerAlert.isSigned(BODY, byRsa, pem(rsa.getPublic()))).isFalse();
    String bySha512 = sign("SHA512withECDSA", host.getPrivate(), BODY);
    assertThat(PartnerAlert.isSigned(BODY, bySha512, pem)).isFalse();
  }

  @Test
  void no_garbage_is_a_signature_and_none_throws() {
    byte[] der = Base64.getDecoder().decode(signature);
    byte[] zeros = {0x30, 6, 2, 1, 0, 2, 1, 0};
    byte[] huge = new byte[1 << 20];
    for (byte[] bad : List.of(zeros, huge, new byte[0], Arrays.copyOf(der, der.length - 1))) {
      assertThat(PartnerAlert.isSigned(BODY, Base64.getEncoder().encodeToString(bad), pem))
          .isFalse();
    }
    for (String bad :
        Arrays.asList(null, "", " ", "x", "====", signature + "\n", "é" + signature, "\0")) {
      assertThat(PartnerAlert.isSigned(BODY, bad, pem)).isFalse();
      assertThat(PartnerAlert.isSigned(BODY, bad, host.getPublic())).isFalse();
    }
    for (String bad :
        Arrays.asList(
            null,
            "",
            "x",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n\u0141\n-----END PUBLIC KEY-----",
            pem.replace("PUBLIC", "PRIVATE"),
            pem.substring(30))) {
      assertThat(PartnerAlert.isSigned(BODY, signature, bad)).isFalse();
    }
    assertThat(PartnerAlert.isSigned(BODY, signature, (PublicKey) null)).isFalse();
  }

  @Test
  void no_random_change_of_signature_or_key_is_taken() {
    SplittableRandom random = Seed.of("no_random_change_of_signature_or_key_is_taken");
    int rounds = 2 * Integer.getInteger("keystile.rounds", 500);
    byte[] der = Base64.getDecoder().decode(signature);
    byte[] key = host.getPublic().getEncoded();
    int taken = 0;
    for (int i = 0; i < rounds; i++) {
      String bad = Base64.getEncoder().encodeToString(changed(der, random));
      taken += PartnerAlert.isSigned(BODY, bad, pem) ? 1 : 0;
      byte[] badKey = changed(key, random);
      badKey[UNUSED_BITS] =
          0; // where it names as many as end the point in zeros, it is the same key
      boolean isSame = Arrays.equals(badKey, key);
      taken += !isSame && PartnerAlert.isSigned(BODY, signature, pem(badKey)) ? 1 : 0;
    }
    System.out.printf("%,d changed signatures and keys: %d taken%n", 2 * rounds, taken);
    assertThat(taken).isZero();
  }

  private static byte[] changed(byte[] bytes, SplittableRandom random) {
    byte[] changed = bytes.clone();
    int at = random.nextInt(changed.length);
    changed[at] ^= (byte) random.nextInt(1, 256);
    return changed;
  }

  @Test
  void an_alert_is_answered_from_its_raw_body() {
    try (ApiKeys keys =
        ApiKeys.builder(new InMemoryKeyStore())
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .build()) {
      IssuedKey live = keys.issue(KeySpec.forOwner("weather-app"));
      String unknown = LeakTokens.random("acme_live", new SplittableRandom(1));
      String element = "{\"source\":\"commit\",\"token\":\"%s\",\"type\":\"acme\",\"url\":\"%s\"}";
      String json =
          "["
              + element.formatted(live.revealToken(), "https://host.example/a")
              + ","
              + element.formatted(unknown, "")
              + "]";
      byte[] body = json.getBytes(StandardCharsets.UTF_8);
      String right = sign("SHA256withECDSA", host.getPrivate(), body);
      LeakResponse response =
          LeakResponse.of(keys, LeakScanner.of(List.of("acme"), List.of("live")));

      assertThat(PartnerAlert.isSigned(body, right, pem)).isTrue();
      LeakReport report = response.handle(new ByteArrayInputStream(body));

      assertThat(report.findings())
          .extracting(Finding::outcome)
          .containsExactly(Outcome.REVOKED, Outcome.NOT_OURS);
      assertThat(report.findings())
          .extracting(finding -> PartnerAlert.label(finding.outcome()))
          .containsExactly("true_positive", "false_positive");
    }
  }

  @Test
  void each_outcome_has_its_label() {
    assertThat(Arrays.stream(Outcome.values()).map(PartnerAlert::label))
        .containsExactly(
            "true_positive",
            "true_positive",
            "true_positive",
            "false_positive",
            null,
            "true_positive");
  }

  private static KeyPair pair(String algorithm, String curve) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      if (curve == null) {
        generator.initialize(2048);
      } else {
        generator.initialize(new ECGenParameterSpec(curve));
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static String sign(String algorithm, PrivateKey key, byte[] body) {
    try {
      Signature signer = Signature.getInstance(algorithm);
      signer.initSign(key);
      signer.update(body);
      return Base64.getEncoder().encodeToString(signer.sign());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static String pem(PublicKey key) {
    return pem(key.getEncoded());
  }

  private static String pem(byte[] key) {
    String base64 =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(key);
    return "-----BEGIN PUBLIC KEY-----\n" + base64 + "\n-----END PUBLIC KEY-----\n";
  }
}
