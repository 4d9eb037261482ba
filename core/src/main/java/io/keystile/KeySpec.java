package io.keystile;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What key to issue. Only the owner must be given. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read").plan("pro"));
 * keys.issue(KeySpec.personalToken("acme-corp", "user-17").name("laptop").by("user-17"));
 * }</pre>
 *
 * <p>Lengths are bytes of UTF-8; text with NUL or a lone surrogate is refused. What is too long is
 * refused when the key is issued, with an {@link IllegalArgumentException} that names the option.
 */
public final class KeySpec {

  private final String owner;
  private final @Nullable String subject;

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private @Nullable String brand;
  private @Nullable String environment;
  private String name = "";
  private List<String> scopes = List.of();
  private List<String> networks = List.of();
  private List<String> callers = List.of();
  private @Nullable String plan;
  private List<KeyRecord.Limit> limits = List.of();
  private Map<String, String> metadata = Map.of();
  private @Nullable Duration lifetime;
  private boolean neverExpires;
  private @Nullable Instant endsAt;
  private @Nullable RotationPolicy rotation;
  private Cause cause = Cause.unstated();

  private KeySpec(String owner, @Nullable String subject) {
    this.owner = owner;
    this.subject = subject;
  }

  private KeySpec copy() {
    KeySpec copy = new KeySpec(owner, subject);
    copy.brand = brand;
    copy.environment = environment;
    copy.name = name;
    copy.scopes = scopes;
    copy.networks = networks;
    copy.callers = callers;
    copy.plan = plan;
    copy.limits = limits;
    copy.metadata = metadata;
    copy.lifetime = lifetime;
    copy.neverExpires = neverExpires;
    copy.endsAt = endsAt;
    copy.rotation = rotation;
    copy.cause = cause;
    return copy;
  }

  /**
   * Returns the specification of a service key, for one machine that talks to another.
   *
   * @param owner whom the key belongs to, 1 to 255 bytes; better an opaque id than a name
   * @return a specification without scopes, plan, or anything else
   * @throws IllegalArgumentException if the owner is refused
   */
  public static KeySpec forOwner(String owner) {
    return new KeySpec(Arguments.name(owner, "owner"), null);
  }

  /**
   * Returns the specification of a personal access token: it acts for a user, with those of its
   * scopes that the user is permitted at the time of use if the host has set {@link
   * SubjectPermissions} (else with all of them), and always expires (after 30 days, where the host
   * has not set another time).
   *
   * @param owner whom the key belongs to, 1 to 255 bytes, for instance the user's organisation or
   *     the user
   * @param subject the user it acts for, 1 to 255 bytes
   * @return a specification without scopes, plan, or anything else
   * @throws IllegalArgumentException if owner or subject is refused
   */
  public static KeySpec personalToken(String owner, String subject) {
    return new KeySpec(Arguments.name(owner, "owner"), Arguments.name(subject, "subject"));
  }

  /**
   * Sets what its tokens begin with.
   *
   * @param brand one that the host has named; default: the first of them
   * @return a changed copy
   */
  public KeySpec brand(String brand) {
    KeySpec copy = copy();
    copy.brand = Objects.requireNonNull(brand, "brand");
    return copy;
  }

  /**
   * Sets the environment it is for.
   *
   * @param environment one that the host has named; default: the first of them
   * @return a changed copy
   */
  public KeySpec environment(String environment) {
    KeySpec copy = copy();
    copy.environment = Objects.requireNonNull(environment, "environment");
    return copy;
  }

  /**
   * Sets what people call the key.
   *
   * @param name up to 200 bytes; default: empty
   * @return a changed copy
   */
  public KeySpec name(String name) {
    KeySpec copy = copy();
    copy.name = Objects.requireNonNull(name, "name");
    return copy;
  }

  /**
   * Sets what the key may do, in place of what was set before.
   *
   * @param scopes up to 100, each as in {@link Access}, or a wildcard: {@code forecast:*} for all
   *     below {@code forecast}, {@code *} for all; repeated ones count once; default: none
   * @return a changed copy
   */
  public KeySpec scopes(String... scopes) {
    KeySpec copy = copy();
    copy.scopes = List.of(scopes);
    return copy;
  }

  /**
   * Sets from where the key may be used, in place of what was set before.
   *
   * @param networks up to 100 in CIDR notation, IPv4 or IPv6; default: none, which means from
   *     anywhere
   * @return a changed copy
   */
  public KeySpec networks(String... networks) {
    KeySpec copy = copy();
    copy.networks = List.of(networks);
    return copy;
  }

  /**
   * Sets the caller names the key is bound to, in place of what was set before.
   *
   * @param callers up to 100, each of 1 to 100 printable ASCII characters without blanks; default:
   *     none
   * @return a changed copy
   */
  public KeySpec callers(String... callers) {
    KeySpec copy = copy();
    copy.callers = List.of(callers);
    return copy;
  }

  /**
   * Sets the plan.
   *
   * @param plan the name of a plan, 1 to 100 bytes, see {@link ApiKeysBuilder#plans}; default: no
   *     plan, and the host's default limits
   * @return a changed copy
   */
  public KeySpec plan(String plan) {
    KeySpec copy = copy();
    copy.plan = Objects.requireNonNull(plan, "plan");
    return copy;
  }

  /**
   * Sets limits of the key's own, which replace all of those of its plan. They are counted for this
   * key alone; name, resolution and {@link Plan#perOwner} of what is given are not kept.
   *
   * @param own at least one window, at most 20 in all; default: the limits of the plan
   * @return a changed copy
   * @throws IllegalArgumentException if there is no window, or there are more than 20
   */
  public KeySpec limits(Plan own) {
    KeySpec copy = copy();
    copy.limits = Limits.stored(own);
    return copy;
  }

  /**
   * Sets what the host keeps with the key, in place of what was set before.
   *
   * @param metadata up to 4096 bytes, counted as {@code key=value&}; default: none
   * @return a changed copy
   */
  public KeySpec metadata(Map<String, String> metadata) {
    KeySpec copy = copy();
    copy.metadata = Map.copyOf(metadata);
    return copy;
  }

  /**
   * Sets how long the first secret works. A length that would pass the year 9999 ends there.
   *
   * @param lifetime at least 1 ms, rounded down to milliseconds; the host may have set a maximum;
   *     default: 90 days for a service key and 30 days for a personal access token, where the host
   *     has set nothing else
   * @return a changed copy
   * @throws IllegalArgumentException if it is shorter than 1 ms, zero or negative
   */
  public KeySpec lifetime(Duration lifetime) {
    KeySpec copy = copy();
    copy.lifetime = Arguments.lifetime(lifetime, "lifetime");
    copy.neverExpires = false;
    return copy;
  }

  /**
   * Gives the first secret no end. Refused where the host does not permit it, and for personal
   * access tokens.
   *
   * @return a changed copy
   */
  public KeySpec neverExpires() {
    KeySpec copy = copy();
    copy.lifetime = null;
    copy.neverExpires = true;
    return copy;
  }

  /**
   * Sets a fixed end of the key, which no rotation moves. It is rounded down to milliseconds; a
   * time after the year 9999 is taken as the last moment of that year.
   *
   * @param endsAt a time in the future; default: none
   * @return a changed copy
   * @throws IllegalArgumentException if it is before 1970
   */
  public KeySpec endsAt(Instant endsAt) {
    KeySpec copy = copy();
    copy.endsAt = Arguments.time(endsAt, "endsAt");
    return copy;
  }

  /**
   * Sets when the secret of this key is due to be replaced.
   *
   * @param policy the key's own; default: that of its plan, or of the host
   * @return a changed copy
   */
  public KeySpec rotation(RotationPolicy policy) {
    KeySpec copy = copy();
    copy.rotation = Objects.requireNonNull(policy, "policy");
    return copy;
  }

  /**
   * Says who issues it.
   *
   * @param actor 1 to 255 bytes; better an opaque id than a name
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeySpec by(String actor) {
    return cause(cause.actor(actor));
  }

  /**
   * Says why, in words.
   *
   * @param note 1 to 500 bytes; never a secret
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeySpec note(String note) {
    return cause(cause.note(note));
  }

  /**
   * Names this one call, see {@link Cause#operationId(String)}. A second call with the same id and
   * owner issues nothing and has no token to show ({@link IssuedKey#alreadyIssued()}).
   *
   * @param operationId 1 to 255 bytes, unique for the call
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeySpec operationId(String operationId) {
    return cause(cause.operationId(operationId));
  }

  private KeySpec cause(Cause cause) {
    KeySpec copy = copy();
    copy.cause = cause;
    return copy;
  }

  String owner() {
    return owner;
  }

  @Nullable String subject() {
    return subject;
  }

  @Nullable String brand() {
    return brand;
  }

  @Nullable String environment() {
    return environment;
  }

  List<String> scopes() {
    return scopes;
  }

  boolean hasOwnLimits() {
    return !limits.isEmpty();
  }

  @Nullable String plan() {
    return plan;
  }

  @Nullable Duration lifetime() {
    return lifetime;
  }

  boolean isNeverExpiring() {
    return neverExpires;
  }

  @Nullable Instant endsAt() {
    return endsAt;
  }

  Cause cause() {
    return cause;
  }

  /** What is said about the key itself; id, secret and time are still to be added. */
  KeyRecord.Builder toRecord() {
    KeyRecord.Builder builder = KeyRecord.builder();
    if (subject != null) {
      builder.personal(subject);
    }
    return builder
        .owner(owner)
        .name(name)
        .scopes(Arguments.grants(scopes))
        .networks(Arguments.networks(networks))
        .callers(Arguments.distinct(callers))
        .plan(plan)
        .limits(limits)
        .metadata(metadata)
        .endsAt(endsAt)
        .rotation(rotation == null ? null : rotation.toRule());
  }

  /**
   * Describes the specification, for logs.
   *
   * @return owner, subject, name, scopes and plan
   */
  @Override
  public String toString() {
    return "KeySpec[owner=%s, subject=%s, name=%s, scopes=%s, plan=%s]"
        .formatted(owner, subject, name, scopes, plan);
  }
}
