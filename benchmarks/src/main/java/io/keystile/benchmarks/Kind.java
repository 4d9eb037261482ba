package io.keystile.benchmarks;

import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.Validation;
import io.keystile.store.RevocationReason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** What a client sends, and what comes of it. */
public enum Kind {
  /** A good token. */
  GOOD(null),
  /** The older of two secrets that both work, so that both are looked at. */
  OLD_SECRET(null),
  /** A character that no token has, at the very end. */
  MALFORMED(Reason.MALFORMED),
  /** A digit of the secret was mistyped. */
  BAD_CHECKSUM(Reason.MALFORMED),
  /** A token that somebody else issued. */
  UNKNOWN(Reason.UNKNOWN),
  /** The id of one key with the secret of another, and the right checksum. */
  WRONG_SECRET(Reason.WRONG_SECRET),
  /** A key that was revoked. */
  REVOKED(Reason.REVOKED),
  /** A secret whose lifetime is over. */
  EXPIRED(Reason.EXPIRED);

  private static final String DIGITS =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  private static final int CHECKSUM = 6;

  /** Secret and checksum at the end of a token. */
  private static final int SECRET = 32 + CHECKSUM;

  private final @Nullable Reason reason;

  Kind(@Nullable Reason reason) {
    this.reason = reason;
  }

  /** Whether this is how such a token is to be answered. */
  boolean isExpected(Validation validation) {
    return validation instanceof Rejected rejected
        ? rejected.reason() == reason
        : reason == null && validation.isAccepted();
  }

  /** What keys of this kind are issued with. */
  KeySpec spec(KeySpec usual) {
    return this == EXPIRED ? usual.lifetime(Duration.ofDays(1)) : usual;
  }

  /**
   * One token for each key. Some kinds change the keys.
   *
   * @param keys that were just issued
   * @param issuer who issued them
   * @return their tokens
   */
  String[] tokens(IssuedKey[] keys, ApiKeys issuer) {
    String[] good = TokenStream.tokens(keys, IssuedKey::revealToken);
    switch (this) {
      case OLD_SECRET ->
          TokenStream.tokens(keys, key -> issuer.rotate(key.id(), Rotation.usual()).id());
      case REVOKED ->
          TokenStream.tokens(
              keys,
              key -> issuer.revoke(key.id(), Revocation.because(RevocationReason.UNUSED)).id());
      default -> {}
    }
    return changed(good);
  }

  private String[] changed(String[] good) {
    String[] tokens = new String[good.length];
    for (int i = 0; i < good.length; i++) {
      String token = good[i];
      tokens[i] =
          switch (this) {
            case MALFORMED -> token.substring(0, token.length() - 1) + '-';
            case BAD_CHECKSUM -> mistyped(token);
            case WRONG_SECRET -> withSecretOf(token, good[(i + 1) % good.length]);
            default -> token;
          };
    }
    return tokens;
  }

  private static String mistyped(String token) {
    int at = token.length() - SECRET;
    char other = token.charAt(at) == 'a' ? 'b' : 'a';
    return token.substring(0, at) + other + token.substring(at + 1);
  }

  private static String withSecretOf(String token, String other) {
    String text =
        token.substring(0, token.length() - SECRET)
            + other.substring(other.length() - SECRET, other.length() - CHECKSUM);
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.US_ASCII));
    StringBuilder checksum = new StringBuilder();
    for (long rest = crc.getValue(); checksum.length() < CHECKSUM; rest /= 62) {
      checksum.append(DIGITS.charAt((int) (rest % 62)));
    }
    return text + checksum.reverse();
  }
}
