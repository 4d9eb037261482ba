package io.keystile;

import java.security.SecureRandom;
import java.time.InstantSource;

/**
 * Writes tokens and does nothing else, for a benchmark: the library itself never gives out a token
 * that it has not hashed. In this package because its parts are not public; works on the class path
 * only.
 */
public final class TokenTexts {
  private final TokenPrefix prefix = new TokenPrefix("acme", "live");
  private final TokenGenerator generator =
      new TokenGenerator(InstantSource.system(), new SecureRandom(), null);

  /**
   * A new token, its id without a mark.
   *
   * @return its text
   */
  public String next() {
    return TokenGenerator.token(
        prefix.brand(), prefix.environment(), generator.newId(prefix), generator.newSecret());
  }
}
