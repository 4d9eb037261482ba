package io.keystile;

/** The token is good for what was asked. Immutable. */
public final class Accepted implements Validation {
  private final ApiKey key;
  private final int secretVersion;

  Accepted(ApiKey key, int secretVersion) {
    this.key = key;
    this.secretVersion = secretVersion;
  }

  /**
   * The key, as this node knows it: as old as the bound that {@link ApiKeysBuilder#propagation}
   * states.
   *
   * @return the key
   */
  public ApiKey key() {
    return key;
  }

  /**
   * Which of the key's secrets was presented.
   *
   * @return the number of the secret version, from 1
   */
  public int secretVersion() {
    return secretVersion;
  }

  @Override
  public boolean isAccepted() {
    return true;
  }

  /**
   * For logs.
   *
   * @return the key id and the secret version
   */
  @Override
  public String toString() {
    return "Accepted[key=" + key.id() + ", secretVersion=" + secretVersion + "]";
  }
}
