package io.keystile;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads tokens that were issued elsewhere. Nothing in such a text names its key, so the key id is
 * made from the digest of the whole: 48 zero bits, which no id that is minted here begins with,
 * then the first 80 bits of HMAC-SHA-256(import key, digest), or of the digest itself where the
 * host gives no secret. Immutable, for any thread.
 */
final class ForeignTokens {

  /** Most characters of a foreign token. */
  static final int MAX_LENGTH = 512;

  private static final String LABEL = "keystile v1 import";

  private final @Nullable Key importKey;

  /**
   * @param secret keys the ids, so that who reads the database cannot try guesses of weak tokens
   *     against them; null for ids that anybody can compute
   */
  ForeignTokens(@Nullable ServerSecret secret) {
    importKey = secret == null ? null : Hmac.key(secret.derive(LABEL));
  }

  /**
   * Reads a text into the scratch: its digest and the id that belongs to it.
   *
   * @return false if it can be no token: empty, too long, or not well-formed Unicode
   */
  boolean read(@Nullable String text, Scratch into) {
    if (!digest(text, into)) {
      return false;
    }
    KeyId id = id(into.digest);
    into.idHigh = id.high();
    into.idLow = id.low();
    into.prefix = Scratch.FOREIGN;
    return true;
  }

  /** The id of the key whose token has this digest. */
  KeyId id(byte[] digest) {
    byte[] bytes = importKey == null ? digest : Hmac.sha256(importKey, digest);
    ByteBuffer first = ByteBuffer.wrap(bytes);
    return new KeyId(first.getShort() & 0xFFFFL, first.getLong());
  }

  /**
   * Leaves the SHA-256 of the text's UTF-8 in {@link Scratch#digest}.
   *
   * @return false if the text can be no token
   */
  static boolean digest(@Nullable String text, Scratch into) {
    // a lone surrogate has no UTF-8: the platform would make a question mark of each
    if (text == null || text.isEmpty() || text.length() > MAX_LENGTH || !isWellFormed(text)) {
      return false;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    into.sha256.update(bytes);
    into.finishDigest(into.digest);
    Arrays.fill(bytes, (byte) 0);
    return true;
  }

  private static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        boolean isPair =
            i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
        if (!isPair) {
          return false;
        }
        i++;
      }
    }
    return true;
  }
}
