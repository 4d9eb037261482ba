package io.keystile;

import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the host for the keys it issues.
 *
 * @param prefixes the pairs of brand and environment it names; the first is the default
 * @param lifetime of a service key's secret where the specification says nothing
 * @param maximumLifetime of a service key's secret; null for none, and then it may have no end
 * @param personalLifetime of a personal access token where the specification says nothing
 * @param personalMaximum of a personal access token, extensions included
 * @param ownerMaximum live keys of one owner; {@link Integer#MAX_VALUE} for no maximum
 * @param rotation the rules for replacing secrets
 */
record LifecycleSettings(
    List<TokenPrefix> prefixes,
    Duration lifetime,
    @Nullable Duration maximumLifetime,
    Duration personalLifetime,
    Duration personalMaximum,
    int ownerMaximum,
    RotationRules rotation) {

  static final Duration DEFAULT_LIFETIME = Duration.ofDays(90);
  static final Duration DEFAULT_PERSONAL_LIFETIME = Duration.ofDays(30);
  static final Duration DEFAULT_PERSONAL_MAXIMUM = Duration.ofDays(365);

  LifecycleSettings {
    prefixes = List.copyOf(prefixes);
    if (prefixes.isEmpty()) {
      throw new IllegalArgumentException("brand, environment: at least one of each must be named");
    }
    Arguments.lifetime(lifetime, "lifetime");
    if (maximumLifetime != null) {
      Arguments.lifetime(maximumLifetime, "maximumLifetime");
    }
    Arguments.lifetime(personalLifetime, "personalLifetime");
    Arguments.lifetime(personalMaximum, "personalMaximum");
    if (ownerMaximum < 1) {
      throw new IllegalArgumentException("ownerMaximum: must be at least 1");
    }
  }

  /** Whether an owner may not have as many keys as he likes. */
  boolean hasOwnerMaximum() {
    return ownerMaximum < Integer.MAX_VALUE;
  }

  /** The first named pair with this brand and environment; null stands for any. */
  TokenPrefix prefix(@Nullable String brand, @Nullable String environment) {
    return prefixes.stream()
        .filter(prefix -> brand == null || prefix.brand().equals(brand))
        .filter(prefix -> environment == null || prefix.environment().equals(environment))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "brand, environment: must be among those that the host has named"));
  }

  /** How long the first secret of a key works where its specification does not say. */
  Duration usualLifetime(boolean personal) {
    if (personal) {
      return shorter(personalLifetime, personalMaximum);
    }
    return maximumLifetime == null ? lifetime : shorter(lifetime, maximumLifetime);
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** How long the first secret of a key works; null for ever. */
  @Nullable Duration lifetimeOf(KeySpec spec) {
    boolean personal = spec.subject() != null;
    if (spec.isNeverExpiring()) {
      return requireNever(personal);
    }
    Duration asked = spec.lifetime();
    return asked == null ? usualLifetime(personal) : requirePermitted(asked, personal);
  }

  /**
   * How long the next secret of a key works; null for ever.
   *
   * @param longest from the usual lifetime, the longest that an owner may choose; null for the host
   */
  @Nullable Duration lifetimeOf(
      Rotation rotation, KeyRecord record, @Nullable UnaryOperator<Duration> longest) {
    boolean personal = record.kind() == KeyRecord.Kind.PERSONAL;
    if (rotation.isNeverExpiring()) {
      return requireNever(personal);
    }
    Duration usual = usualLifetime(personal);
    Duration most = longest == null ? null : longest.apply(usual);
    Duration asked = rotation.lifetime();
    if (asked != null) {
      requireAtMost(most, asked);
      return requirePermitted(asked, personal);
    }
    SecretVersion newest = record.newest();
    Instant end = newest.expiresAt();
    if (end == null) {
      return maximum(personal); // for ever, where that is still permitted
    }
    Duration unchosen = most == null ? usual : shorter(usual, most);
    if (newest.scheme().equals(SecretHasher.SHA256_RAW)) {
      return unchosen; // nobody here has chosen the time between its two
    }
    Duration same = Duration.between(newest.createdAt(), end);
    if (personal) {
      return shorter(same, unchosen); // it may have been extended
    }
    // as the host, or the owner, has made it: an owner may keep it, also where it is more than he
    // may choose
    return maximumLifetime == null ? same : shorter(same, maximumLifetime);
  }

  private @Nullable Duration maximum(boolean personal) {
    return personal ? personalMaximum : maximumLifetime;
  }

  private @Nullable Duration requireNever(boolean personal) {
    if (maximum(personal) != null) {
      throw KeyException.notPermitted("neverExpires: not permitted for this key");
    }
    return null;
  }

  private Duration requirePermitted(Duration asked, boolean personal) {
    requireAtMost(maximum(personal), asked);
    return asked;
  }

  /** Refuses a lifetime that is longer than a maximum, if there is one. */
  static void requireAtMost(@Nullable Duration maximum, Duration asked) {
    if (maximum != null && asked.compareTo(maximum) > 0) {
      throw KeyException.notPermitted("lifetime: longer than permitted");
    }
  }
}
