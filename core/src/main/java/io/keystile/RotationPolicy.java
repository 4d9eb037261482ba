package io.keystile;

import io.keystile.store.KeyRecord;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When the secret of a key is due to be replaced, and how long the old one goes on working then.
 * The host sets one for all keys ({@link ApiKeysBuilder#rotation(RotationPolicy)}), may set others
 * for plans, and for single keys ({@link KeySpec#rotation}, {@link KeyUpdate#rotation}); the
 * nearest applies, as a whole. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * RotationPolicy.usual().grace(Duration.ofDays(14)).age(Duration.ofDays(60));
 * }</pre>
 *
 * <p>A key is <em>due</em> from the earliest of
 *
 * <ul>
 *   <li>one grace before the lifetime of its newest secret ends, but not before half of that
 *       lifetime is over; with all defaults on day 83 of 90;
 *   <li>the set age of its newest secret, if there is one;
 *   <li>the moment at which its newest secret was revoked alone.
 * </ul>
 *
 * A key whose secret lives until the key's own fixed end is not due for that: no rotation moves
 * that end. So who rotates when it is due, and changes to the new secret within the grace and
 * before the old secret's own end, but not before all nodes know it ({@link
 * ApiKeysBuilder#propagation}), is never refused.
 */
public final class RotationPolicy {

  private static final Duration LONGEST = Duration.ofDays(36_500);
  private static final RotationPolicy USUAL = new RotationPolicy(Duration.ofDays(7), null);

  private final Duration grace;
  private final @Nullable Duration age;

  private RotationPolicy(Duration grace, @Nullable Duration age) {
    this.grace = grace;
    this.age = age;
  }

  /**
   * Returns the policy that applies where nothing is said: a grace of 7 days, and no age.
   *
   * @return the policy
   */
  public static RotationPolicy usual() {
    return USUAL;
  }

  static RotationPolicy of(KeyRecord.RotationRule rule) {
    return new RotationPolicy(rule.grace(), rule.age());
  }

  /**
   * Sets how long older secrets go on working after a rotation that does not say, and how long
   * before its end a secret is due. With 0 it is due at its very end: set an age as well.
   *
   * @param grace 0 to 36,500 days, rounded down to milliseconds
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RotationPolicy grace(Duration grace) {
    return new RotationPolicy(requireGrace(grace), age);
  }

  /**
   * Sets the age at which a secret is due to be replaced, whatever its lifetime.
   *
   * @param age 1 ms to 36,500 days, rounded down to milliseconds
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public RotationPolicy age(Duration age) {
    Objects.requireNonNull(age, "age");
    if (age.compareTo(Duration.ofMillis(1)) < 0 || age.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("age: must be 1 ms to 36,500 days");
    }
    return new RotationPolicy(grace, Duration.ofMillis(age.toMillis()));
  }

  static Duration requireGrace(Duration grace) {
    Objects.requireNonNull(grace, "grace");
    if (grace.isNegative() || grace.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("grace: must be 0 to 36,500 days");
    }
    return Duration.ofMillis(grace.toMillis());
  }

  Duration grace() {
    return grace;
  }

  @Nullable Duration age() {
    return age;
  }

  KeyRecord.RotationRule toRule() {
    return new KeyRecord.RotationRule(grace, age);
  }

  /**
   * Describes the policy, for logs.
   *
   * @return grace and age
   */
  @Override
  public String toString() {
    return "RotationPolicy[grace=" + grace + ", age=" + age + "]";
  }
}
