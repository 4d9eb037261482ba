package io.keystile;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The token is not good for what was asked. Immutable. */
public final class Rejected implements Validation {
  private static final Map<Reason, Rejected> UNPROVEN = new EnumMap<>(Reason.class);

  static {
    for (Reason reason : Reason.values()) {
      UNPROVEN.put(reason, new Rejected(reason, null));
    }
  }

  private final Reason reason;
  private final @Nullable ApiKey key;

  private Rejected(Reason reason, @Nullable ApiKey key) {
    this.reason = reason;
    this.key = key;
  }

  /** Allocates nothing: such answers are what an attacker asks for by the million. */
  static Rejected unproven(Reason reason) {
    return Objects.requireNonNull(UNPROVEN.get(reason));
  }

  static Rejected proven(Reason reason, ApiKey key) {
    return new Rejected(reason, Objects.requireNonNull(key, "key"));
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

  @Override
  public boolean isAccepted() {
    return false;
  }

  /**
   * For logs.
   *
   * @return the reason and, if proven, the key id
   */
  @Override
  public String toString() {
    return "Rejected[reason=" + reason + (key == null ? "" : ", key=" + key.id()) + "]";
  }
}
