package io.keystile;

import io.keystile.limit.Decision;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The token is not good for what was asked. Immutable. */
public final class Rejected implements Validation {
  private static final Map<Reason, Rejected> UNPROVEN = new EnumMap<>(Reason.class);

  static {
    for (Reason reason : Reason.values()) {
      UNPROVEN.put(reason, new Rejected(reason, null, 0, null));
    }
  }

  private final Reason reason;
  private final @Nullable ApiKey key;
  private final int secretVersion;
  private final @Nullable Decision limits;

  private Rejected(
      Reason reason, @Nullable ApiKey key, int secretVersion, @Nullable Decision limits) {
    this.reason = reason;
    this.key = key;
    this.secretVersion = secretVersion;
    this.limits = limits;
  }

  /** Allocates nothing: such answers are what an attacker asks for by the million. */
  static Rejected unproven(Reason reason) {
    return Objects.requireNonNull(UNPROVEN.get(reason));
  }

  static Rejected proven(Reason reason, ApiKey key, int secretVersion) {
    return new Rejected(reason, Objects.requireNonNull(key, "key"), secretVersion, null);
  }

  static Rejected limited(ApiKey key, int secretVersion, Decision limits) {
    return new Rejected(
        Reason.LIMIT_EXCEEDED, Objects.requireNonNull(key, "key"), secretVersion, limits);
  }

  /**
   * Why.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }

  /**
   * The key, if the token proved one of its secrets; else null, whatever key id the token named.
   *
   * @return the key, or null
   */
  public @Nullable ApiKey key() {
    return key;
  }

  /**
   * Which of the key's secrets was presented.
   *
   * @return the number of the secret version, from 1; 0 if none was proven
   */
  public int secretVersion() {
    return secretVersion;
  }

  /**
   * How the windows of the key stood when it was refused for its limits, which of them refused it,
   * and when to try again.
   *
   * @return the decision; null for any other reason than {@link Reason#LIMIT_EXCEEDED}
   */
  public @Nullable Decision limits() {
    return limits;
  }

  @Override
  public boolean isAccepted() {
    return false;
  }

  /**
   * For logs.
   *
   * @return the reason and, if proven, the key id and the secret version
   */
  @Override
  public String toString() {
    String proven = key == null ? "" : ", key=" + key.id() + ", secretVersion=" + secretVersion;
    return "Rejected[reason=" + reason + proven + "]";
  }
}
