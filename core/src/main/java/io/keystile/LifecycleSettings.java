package io.keystile;

import java.time.Duration;
import java.util.List;
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
 */
record LifecycleSettings(
    List<TokenPrefix> prefixes,
    Duration lifetime,
    @Nullable Duration maximumLifetime,
    Duration personalLifetime,
    Duration personalMaximum,
    int ownerMaximum) {

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
    Duration maximum = personal ? personalMaximum : maximumLifetime;
    if (spec.isNeverExpiring()) {
      if (maximum != null) {
        throw KeyException.notPermitted("neverExpires: not permitted for this key");
      }
      return null;
    }
    Duration asked = spec.lifetime();
    if (asked == null) {
      return usualLifetime(personal);
    }
    if (maximum != null && asked.compareTo(maximum) > 0) {
      throw KeyException.notPermitted("lifetime: longer than permitted");
    }
    return asked;
  }
}
