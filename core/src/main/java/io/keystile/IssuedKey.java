package io.keystile;

import io.keystile.store.AuditEntry;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A key with a secret that was just made, by an issue or a rotation, and its token. This object is
 * the only place where the token can be read: the store has no more than a hash, and nothing brings
 * the token back once the object is gone. Show it to who asked for it, then drop the object.
 *
 * <p><b>Security guarantees.</b> The token is read by {@link #revealToken()} alone: it is not in
 * {@code toString}, the object is not {@code Serializable}, and it has no {@code equals} that would
 * compare secrets.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class IssuedKey {

  private final KeyDetails details;
  private final int secretVersion;
  private final @Nullable String token;

  private IssuedKey(KeyDetails details, int secretVersion, @Nullable String token) {
    this.details = details;
    this.secretVersion = secretVersion;
    this.token = token;
  }

  static IssuedKey fresh(KeyDetails details, String token) {
    int newest = details.newestSecret().number();
    return new IssuedKey(details, newest, Objects.requireNonNull(token, "token"));
  }

  /** The answer to a repeated call. */
  static IssuedKey repeated(KeyDetails details, AuditEntry earlier) {
    int made = Objects.requireNonNull(earlier.secretVersion(), "secretVersion");
    return new IssuedKey(details, made, null);
  }

  /**
   * The id of the key. It is public, and names the key in all other operations.
   *
   * @return 22 base62 digits
   */
  public String id() {
    return details.id();
  }

  /**
   * All about the key but its secret.
   *
   * @return the details as of now
   */
  public KeyDetails details() {
    return details;
  }

  /**
   * The number of the secret that was made, also when an earlier call has made it.
   *
   * @return from 1, one more with each rotation
   */
  public int secretVersion() {
    return secretVersion;
  }

  /**
   * Returns whether an earlier call with the same operation id has made this secret already. Then
   * this call did nothing, {@link #id()} and {@link #secretVersion()} say what there is, and there
   * is no token to read. If nobody has the token, replace it: rotate the key once more, under
   * another operation id.
   *
   * @return true if this is the answer to a repeated call
   */
  public boolean alreadyIssued() {
    return token == null;
  }

  /**
   * Returns the token, the text a client sends. It can be read as long as this object exists, and
   * never again after that.
   *
   * @return the token
   * @throws IllegalStateException if the key was {@linkplain #alreadyIssued() issued already}: its
   *     token was handed out then
   */
  public String revealToken() {
    if (token == null) {
      throw new IllegalStateException(
          "the token was handed out by an earlier call with this operation id and cannot be read"
              + " again: rotate the key to have another");
    }
    return token;
  }

  /**
   * Describes the key, for logs.
   *
   * @return the key id, and that the token is left out
   */
  @Override
  public String toString() {
    return "IssuedKey[id=" + id() + ", token=" + (token == null ? "none" : "redacted") + "]";
  }
}
