package io.keystile;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a token tells from its text alone, without a store: its shape, its age, a redacted form, and
 * a regular expression for secret scanners. Version 1 of the format:
 *
 * <pre>{@code
 * acme_live_0351fcs8Bym6tbejfDMyAJ_KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq322gkU
 * brand env └──── key id, 22 ────┘ └────────── secret, 32 ────────┘└crc┘
 * }</pre>
 *
 * <p>Nothing here proves anything: whoever wants to can write a well-formed token. Text is compared
 * exactly, without trimming, case folding or normalizing. All methods take any text and none throws
 * for it.
 */
public final class TokenFormat {

  private static final String MALFORMED = "(malformed)";
  private static final int SHOWN_OF_ID = 8;

  /** Digits of a token that are kept beside its hash and shown. */
  static final int SHOWN_OF_END = 4;

  private static final String WORD = "[a-z][a-z0-9]{1,15}";
  private static final TokenParser ANY = new TokenParser(List.of());

  private TokenFormat() {}

  /**
   * Returns a form of the token that can be logged and shown: brand, environment, the first 8
   * digits of the key id and the last 4 of the token, as in {@code acme_live_0351fcs8…2gkU}. None
   * of the digits of the secret is in it.
   *
   * @param token any text
   * @return the redacted form; for text that is not a well-formed token the constant {@code
   *     (malformed)}, since that text may be a mistyped secret
   */
  public static String redact(@Nullable String token) {
    if (token == null || !isWellFormed(token)) {
      return MALFORMED;
    }
    int shown = token.length() - TokenParser.BODY_LENGTH + SHOWN_OF_ID;
    return token.substring(0, shown) + "…" + token.substring(token.length() - SHOWN_OF_END);
  }

  /** The redacted form from what a record holds. */
  static String redact(TokenPrefix prefix, String id, String end) {
    return prefix.text() + id.substring(0, SHOWN_OF_ID) + "…" + end;
  }

  /**
   * Returns whether the text is a token of this format with the right checksum, of whatever brand
   * and environment. A secret scanner drops chance hits with it: random text of the right shape
   * passes once in 4 billion times.
   *
   * @param token any text
   * @return whether it is well formed
   */
  public static boolean isWellFormed(@Nullable String token) {
    return ANY.parse(token, new Scratch());
  }

  /**
   * Returns when the key of this token was issued, to the millisecond, as its id says. A secret may
   * be younger than its key.
   *
   * @param token any text
   * @return the time; empty for text that is not well formed, and for the id of an imported key,
   *     which holds none
   */
  public static Optional<Instant> created(@Nullable String token) {
    Scratch scratch = new Scratch();
    if (!ANY.parse(token, scratch)) {
      return Optional.empty();
    }
    long millis = new KeyId(scratch.idHigh, scratch.idLow).timestampMillis();
    return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }

  /**
   * Returns a regular expression that finds tokens of every brand and environment. Prefer the form
   * with brands: characters that touch the front of a token can be taken for its brand here.
   *
   * @return the expression, see {@link #scannerRegex(Collection, Collection)}
   */
  public static String scannerRegex() {
    return scannerRegex(WORD, WORD);
  }

  /**
   * Returns a regular expression that finds tokens of these brands and environments in any text. It
   * uses only what every engine has (alternatives, classes, counts): no look-around, no anchors.
   * Check a hit with {@link #isWellFormed}.
   *
   * @param brands at least one, each {@code [a-z][a-z0-9]{1,15}}
   * @param environments at least one, each {@code [a-z][a-z0-9]{1,15}}
   * @return the expression
   * @throws IllegalArgumentException if there is none of either, or one is not valid
   */
  public static String scannerRegex(Collection<String> brands, Collection<String> environments) {
    if (brands.isEmpty() || environments.isEmpty()) {
      throw new IllegalArgumentException("At least one brand and one environment are needed");
    }
    for (String brand : brands) {
      for (String environment : environments) {
        new TokenPrefix(brand, environment); // refuses what is not a word
      }
    }
    return scannerRegex(alternatives(brands), alternatives(environments));
  }

  private static String scannerRegex(String brand, String environment) {
    // the first digits are bounded by 2^128 and 2^32; that drops 99 % of the chance hits
    return brand + "_" + environment + "_[0-7][0-9A-Za-z]{21}_[0-9A-Za-z]{32}[0-4][0-9A-Za-z]{5}";
  }

  private static String alternatives(Collection<String> words) {
    return words.stream().distinct().sorted().collect(Collectors.joining("|", "(?:", ")"));
  }
}
