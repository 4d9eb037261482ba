package io.keystile.leak;

import io.keystile.TokenFormat;

/**
 * A token that stands in a text. That it is well formed proves nothing: anybody can write one.
 *
 * <p><b>Security guarantees.</b> The token is read by {@link #revealToken()} alone: it is not in
 * {@code toString}, the object is not {@code Serializable}, and it has no {@code equals} that would
 * compare secrets.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class FoundToken {
  /** Characters of the secret and the checksum. */
  static final int AFTER_ID = 38;

  /** Characters of a key id. */
  static final int ID_LENGTH = 22;

  private final String token;
  private final long offset;
  private final long line;
  private final long count;

  FoundToken(String token, long offset, long line, long count) {
    this.token = token;
    this.offset = offset;
    this.line = line;
    this.count = count;
  }

  /**
   * Returns the token as it stands in the text.
   *
   * @return the token, a live credential perhaps
   */
  public String revealToken() {
    return token;
  }

  /**
   * The form that can be logged and shown.
   *
   * @return the token without its secret, as {@link TokenFormat#redact(String)} makes it
   */
  public String redacted() {
    return TokenFormat.redact(token);
  }

  /**
   * The id of the key that the token names. Nothing is proven.
   *
   * @return 22 base62 digits
   */
  public String keyId() {
    int end = token.length() - AFTER_ID - 1;
    return token.substring(end - ID_LENGTH, end);
  }

  /**
   * Where it stands first.
   *
   * @return how many bytes of a stream, or {@code char}s of a text, stand before it
   */
  public long offset() {
    return offset;
  }

  /**
   * In which line it stands first. A line ends with a line feed.
   *
   * @return the number of the line, from 1
   */
  public long line() {
    return line;
  }

  /**
   * How often it was seen.
   *
   * @return 1 or more
   */
  public long count() {
    return count;
  }

  /**
   * Describes the find, for logs.
   *
   * @return the redacted token, and where it stands
   */
  @Override
  public String toString() {
    return "FoundToken["
        + redacted()
        + ", offset="
        + offset
        + ", line="
        + line
        + ", count="
        + count
        + "]";
  }
}
