package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ForeignTokensTest {
  private static final int ROUNDS = 10_000;
  private static final byte[] SECRET = bytes(5);

  private final ForeignTokens keyed = new ForeignTokens(ServerSecret.of("import", SECRET));
  private final ForeignTokens bare = new ForeignTokens(null);

  @Test
  void ids_are_made_as_the_format_says() throws Exception {
    SplittableRandom random = Seed.of("ForeignTokensTest");
    checkIds(keyed::id, importKey(SECRET), random);
    checkIds(bare::id, null, random);
  }

  @Test
  void an_id_of_the_bare_digest_although_there_is_a_key_is_caught() {
    assertThatThrownBy(
            () -> checkIds(bare::id, importKey(SECRET), Seed.of("ForeignTokensTest, bare twin")))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void an_id_of_the_secret_itself_is_caught() {
    assertThatThrownBy(() -> checkIds(keyed::id, SECRET, Seed.of("ForeignTokensTest, raw twin")))
        .isInstanceOf(AssertionError.class);
  }

  /** Against a reference of its own: big numbers, and the platform's HMAC. */
  private static void checkIds(
      Function<byte[], KeyId> ids, byte @Nullable [] importKey, SplittableRandom random)
      throws Exception {
    Set<KeyId> distinct = new HashSet<>();
    for (int i = 0; i < ROUNDS; i++) {
      byte[] digest = new byte[32];
      random.nextBytes(digest);
      byte[] hashed = importKey == null ? digest : hmac(importKey, digest);
      BigInteger number = new BigInteger(1, Arrays.copyOf(hashed, 10));

      KeyId id = ids.apply(digest);

      assertThat(id.toString()).isEqualTo(Tokens.digits(number));
      assertThat(id.isImported()).isTrue();
      assertThat(id.timestampMillis()).isZero();
      distinct.add(id);
    }
    assertThat(distinct).hasSize(ROUNDS);
  }

  @Test
  void the_first_millisecond_is_no_imported_key() {
    assertThat(new KeyId(0xFFFF, -1).isImported()).isTrue();
    assertThat(new KeyId(0x1_0000, 0).isImported()).isFalse();
    assertThat(new KeyId(-1, -1).isImported()).isFalse();
  }

  @Test
  void a_text_is_hashed_as_its_utf8_whatever_is_in_it() throws Exception {
    SplittableRandom random = Seed.of("ForeignTokensTest, texts");
    Scratch scratch = new Scratch();
    int refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
      String text = text(random);
      boolean isWellFormed = StandardCharsets.UTF_8.newEncoder().canEncode(text);

      boolean isRead = keyed.read(text, scratch);

      assertThat(isRead).isEqualTo(isWellFormed);
      if (isRead) {
        byte[] digest = sha256(text);
        assertThat(scratch.digest).isEqualTo(digest);
        assertThat(new KeyId(scratch.idHigh, scratch.idLow)).isEqualTo(keyed.id(digest));
        assertThat(scratch.prefix).isEqualTo(Scratch.FOREIGN);
      } else {
        refused++;
      }
    }
    assertThat(refused).isBetween(ROUNDS / 10, ROUNDS - ROUNDS / 10);
  }

  @Test
  void what_can_be_no_token_is_refused() {
    Scratch scratch = new Scratch();

    assertThat(keyed.read(null, scratch)).isFalse();
    for (String text :
        List.of("", "x".repeat(513), "\uD800", "\uDC00", "a\uDC00\uD800", "\uD834")) {
      assertThat(keyed.read(text, scratch)).as(text).isFalse();
    }
    for (String text : List.of("x", "x".repeat(512), "\uD834\uDD1E".repeat(256), "\0", " ")) {
      assertThat(keyed.read(text, scratch)).as(text).isTrue();
    }
  }

  /** Mostly ASCII; half of the texts have a lone surrogate somewhere, or a pair. */
  private static String text(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(1, 200);
    while (text.length() < length) {
      text.append((char) random.nextInt(random.nextInt(20) == 0 ? 0xD800 : 0x80));
    }
    if (random.nextBoolean()) {
      int at = random.nextInt(text.length());
      boolean pair = random.nextBoolean();
      text.insert(at, pair ? "\uD834\uDD1E" : "" + (char) random.nextInt(0xD800, 0xE000));
    }
    return text.toString();
  }

  private static byte[] importKey(byte[] secret) throws Exception {
    return hmac(secret, "keystile v1 import".getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] hmac(byte[] key, byte[] message) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(message);
  }

  private static byte[] sha256(String text) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] bytes(int fill) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) fill);
    return bytes;
  }
}
