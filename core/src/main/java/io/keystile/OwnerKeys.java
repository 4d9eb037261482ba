package io.keystile;

import io.keystile.usage.RequestRecord;
import io.keystile.usage.Risk;
import io.keystile.usage.UsageReports;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one owner, for what the owner does by himself, for instance in a developer portal.
 * Every key of another owner looks exactly like one that does not exist.
 *
 * <pre>{@code
 * OwnerKeys mine = keys.forOwner(account).mayGrant("forecast:*").plans("free", "pro");
 * IssuedKey issued = mine.issue(KeySpec.forOwner(account).scopes("forecast:read").by(user));
 * }</pre>
 *
 * <p>A specification names its owner, here as everywhere; one for another owner is refused.
 *
 * <h2>What an owner may choose</h2>
 *
 * <p>The host says what the owner may give to a key; nothing is granted by default: no scopes, no
 * plan, no users, the first brand and environment of the host, and at most the lifetime that the
 * host's keys have where nothing is said. Within that the owner chooses. Name, note, networks,
 * callers and a fixed end are the owner's own: they can only narrow what a key may do. So is the
 * metadata, and the actor: do not decide by either what a key may do. What the host itself does for
 * the owner, it does with {@code ApiKeys}.
 *
 * <h2>Operation ids</h2>
 *
 * <p>Operation ids of one owner are apart from those of all others and of the host. So the audit
 * trail holds, in place of the id that was given (or drawn), {@code owner:} and the SHA-256 of the
 * owner, a zero byte and the id, in lower-case hexadecimal. To find a call, compute it, or read the
 * history of the owner or of the key.
 *
 * <p><b>Security guarantees.</b> For a key of another owner, each method returns or throws exactly
 * what it does for an id that nobody has. Operation ids of others are neither learned nor blocked.
 * Who may act for the owner is for the host to decide.
 *
 * <p>Immutable and safe for use by many threads; the methods that grant return a changed copy. All
 * others may block, and throw {@link KeyException} if they are refused or the store fails (those
 * that read usage {@link io.keystile.store.StoreException}), and {@link IllegalStateException} once
 * the {@link ApiKeys} are closed.
 */
public final class OwnerKeys {

  private final Supplier<Administration> administration;
  private final Supplier<UsageRecording> recording;
  private final String owner;

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private List<String> grantable = List.of();
  private List<String> plans = List.of();
  private List<String> subjects = List.of();
  private List<String> brands = List.of();
  private List<String> environments = List.of();
  private @Nullable Duration maxLifetime;

  private OwnerKeys(
      Supplier<Administration> administration, Supplier<UsageRecording> recording, String owner) {
    this.administration = administration;
    this.recording = recording;
    this.owner = owner;
  }

  private OwnerKeys copy() {
    OwnerKeys copy = new OwnerKeys(administration, recording, owner);
    copy.grantable = grantable;
    copy.plans = plans;
    copy.subjects = subjects;
    copy.brands = brands;
    copy.environments = environments;
    copy.maxLifetime = maxLifetime;
    return copy;
  }

  /**
   * Nothing may be granted yet.
   *
   * @param administration asked for at each call: it is not given out when all is closed
   * @param recording asked for in the same way
   */
  static OwnerKeys of(
      Supplier<Administration> administration, Supplier<UsageRecording> recording, String owner) {
    return new OwnerKeys(administration, recording, Arguments.name(owner, "owner"));
  }

  /**
   * Sets the scopes that the owner may give to a key, in place of what was set before.
   *
   * @param scopes scopes or wildcards, as in {@link KeySpec#scopes(String...)}; default: none
   * @return a changed copy
   * @throws IllegalArgumentException if one of them is not valid
   */
  public OwnerKeys mayGrant(String... scopes) {
    OwnerKeys copy = copy();
    copy.grantable = Arguments.grants(List.of(scopes));
    return copy;
  }

  /**
   * Sets the plans that the owner may choose from, in place of what was set before. A key for which
   * he chooses none gets the first.
   *
   * @param plans names of plans; default: none, and then keys have no plan
   * @return a changed copy
   */
  public OwnerKeys plans(String... plans) {
    OwnerKeys copy = copy();
    copy.plans = List.of(plans);
    return copy;
  }

  /**
   * Sets the users for whom personal access tokens may be issued, in place of what was set before:
   * as a rule the one user who is signed in.
   *
   * @param subjects the users; default: none
   * @return a changed copy
   */
  public OwnerKeys subjects(String... subjects) {
    OwnerKeys copy = copy();
    copy.subjects = List.of(subjects);
    return copy;
  }

  /**
   * Sets the brands that the owner may choose from, in place of what was set before. A key for
   * which he chooses none gets the first.
   *
   * @param brands some of those of the host; default: the first of them alone
   * @return a changed copy
   */
  public OwnerKeys brands(String... brands) {
    OwnerKeys copy = copy();
    copy.brands = List.of(brands);
    return copy;
  }

  /**
   * Sets the environments that the owner may choose from, in place of what was set before. A key
   * for which he chooses none gets the first.
   *
   * @param environments some of those of the host; default: the first of them alone
   * @return a changed copy
   */
  public OwnerKeys environments(String... environments) {
    OwnerKeys copy = copy();
    copy.environments = List.of(environments);
    return copy;
  }

  /**
   * Sets the longest lifetime that the owner may give to a key, personal access tokens included.
   * The maximum that the host has set for all keys holds as well.
   *
   * @param maximum at least 1 ms; default: what a key has for which none is said ({@link
   *     ApiKeysBuilder#lifetime}, {@link ApiKeysBuilder#personalLifetime})
   * @return a changed copy
   * @throws IllegalArgumentException if it is shorter than 1 ms, zero or negative
   */
  public OwnerKeys maxLifetime(Duration maximum) {
    OwnerKeys copy = copy();
    copy.maxLifetime = Arguments.lifetime(maximum, "maximum");
    return copy;
  }

  /**
   * Issues a key.
   *
   * @param spec what key; its owner must be this one
   * @return the key with its token, which can be read nowhere else
   * @throws IllegalArgumentException if a value of the specification is refused
   * @throws KeyException {@code NOT_PERMITTED} if it is for another owner, has more than the host
   *     allows or limits of its own, lives longer or never expires; {@code OWNER_FULL} if the owner
   *     has as many keys as the host allows; else see {@link KeyException.Failure}
   */
  public IssuedKey issue(KeySpec spec) {
    Administration own = own();
    requirePermitted(spec);
    LifecycleSettings settings = own.settings();
    TokenPrefix first = settings.prefixes().get(0);
    KeySpec permitted =
        spec.lifetime(lifetimeOf(spec, settings))
            .brand(chosen("brand", spec.brand(), or(brands, first.brand())))
            .environment(
                chosen("environment", spec.environment(), or(environments, first.environment())));
    boolean hasPlan = spec.plan() != null || !plans.isEmpty();
    return own.issue(hasPlan ? permitted.plan(chosen("plan", spec.plan(), plans)) : permitted);
  }

  private void requirePermitted(KeySpec spec) {
    if (!spec.owner().equals(owner)) {
      throw KeyException.notPermitted("owner: not permitted");
    }
    if (spec.subject() != null && !subjects.contains(spec.subject())) {
      throw KeyException.notPermitted("subject: not permitted");
    }
    GrantedScopes granted = GrantedScopes.of(grantable);
    if (!Arguments.grants(spec.scopes()).stream().allMatch(granted::covers)) {
      throw KeyException.notPermitted("scopes: more than permitted");
    }
    if (spec.isNeverExpiring()) {
      throw KeyException.notPermitted("neverExpires: not permitted for this key");
    }
    if (spec.hasOwnLimits()) {
      throw KeyException.notPermitted("limits: not permitted for this key");
    }
  }

  private Duration lifetimeOf(KeySpec spec, LifecycleSettings settings) {
    Duration usual = settings.usualLifetime(spec.subject() != null);
    Duration longest = longest(usual);
    Duration asked = spec.lifetime();
    if (asked == null) {
      return usual.compareTo(longest) < 0 ? usual : longest;
    }
    LifecycleSettings.requireAtMost(longest, asked);
    return asked;
  }

  private Duration longest(Duration usual) {
    return maxLifetime == null ? usual : maxLifetime;
  }

  private static List<String> or(List<String> named, String otherwise) {
    return named.isEmpty() ? List.of(otherwise) : named;
  }

  private static String chosen(String option, @Nullable String asked, List<String> permitted) {
    if (asked == null) {
      return permitted.get(0);
    }
    if (!permitted.contains(asked)) {
      throw KeyException.notPermitted(option + ": not permitted");
    }
    return asked;
  }

  private Administration own() {
    return administration.get().within(owner);
  }

  /**
   * Finds a key of this owner.
   *
   * @param keyId the key id
   * @return the key, or empty
   * @throws KeyException if the store fails
   */
  public Optional<KeyDetails> find(String keyId) {
    return own().find(keyId);
  }

  /**
   * Lists keys of this owner.
   *
   * @param query which of them
   * @return a page
   * @throws KeyException if the store fails
   */
  public KeyPage list(KeyQuery query) {
    return own().list(query);
  }

  /**
   * Gives a key of this owner another name.
   *
   * @param keyId the key id
   * @param name up to 200 bytes of UTF-8
   * @param cause who does it, and why
   * @return the key with its new name
   * @throws IllegalArgumentException if the name is refused
   * @throws KeyException {@code UNKNOWN_KEY} if this owner has no such key, {@code STATE_FORBIDS}
   *     if it is revoked; else see {@link KeyException.Failure}
   */
  public KeyDetails rename(String keyId, String name, Cause cause) {
    return own()
        .update(keyId, KeyUpdate.of().name(name).because(Objects.requireNonNull(cause, "cause")));
  }

  /**
   * Replaces the secret of a key of this owner, as {@link ApiKeys#rotate} does. Where {@link
   * ApiKeysBuilder#maxKeysPerOwner} is set, a key that has expired is not revived: it would be one
   * more.
   *
   * @param keyId the key id
   * @param rotation how, and who does it; a lifetime as for a new key, if one is given. If none is,
   *     what {@link Rotation#lifetime} says, and the longest that the owner may choose in place of
   *     a usual lifetime that is longer
   * @return the key, with the one chance to read its new token
   * @throws KeyException {@code UNKNOWN_KEY} if this owner has no such key, {@code NOT_PERMITTED}
   *     if the lifetime is longer than an owner may choose; else see {@link KeyException.Failure}
   */
  public IssuedKey rotate(String keyId, Rotation rotation) {
    Administration own = own();
    if (rotation.isNeverExpiring()) {
      throw KeyException.notPermitted("neverExpires: not permitted for this key");
    }
    return own.secrets().rotate(keyId, rotation, this::longest);
  }

  /**
   * Revokes one secret of a key of this owner alone, as {@link ApiKeys#revokeSecret} does.
   *
   * @param keyId the key id
   * @param secretVersion the number of the secret
   * @param revocation why, and who does it
   * @return the key after it
   * @throws KeyException {@code UNKNOWN_KEY} if this owner has no such key; else see {@link
   *     KeyException.Failure}
   */
  public KeyDetails revokeSecret(String keyId, int secretVersion, Revocation revocation) {
    return own().secrets().revoke(keyId, secretVersion, revocation);
  }

  /**
   * Revokes a key of this owner, for good. Idempotent: a key that is revoked stays revoked as it
   * was, and is returned.
   *
   * @param keyId the key id
   * @param revocation why, and who does it
   * @return the revoked key
   * @throws KeyException {@code UNKNOWN_KEY} if this owner has no such key; else see {@link
   *     KeyException.Failure}
   */
  public KeyDetails revoke(String keyId, Revocation revocation) {
    return own().revoke(keyId, revocation);
  }

  /**
   * Reads what the keys of this owner were used for.
   *
   * @return reports that see no other owner's keys
   * @throws IllegalStateException if usage is not recorded, see {@link ApiKeysBuilder#recordUsage}
   */
  public UsageReports usage() {
    return recording.get().judging().reports().within(owner);
  }

  /**
   * Assesses the risk of a key of this owner, as {@link ApiKeys#risk} does.
   *
   * @param keyId the key id
   * @return its risk; unknown for a key that was never used, or is another's
   * @throws IllegalStateException if usage is not recorded
   * @throws io.keystile.store.StoreException if the store fails
   */
  public Risk risk(String keyId) {
    return recording.get().judging().risk(usage(), keyId);
  }

  /**
   * The last requests of a key of this owner that this node has answered, as {@link
   * ApiKeys#recentRequests} tells them. Asks nobody.
   *
   * @param keyId the key id
   * @return at most 100, the oldest first; none for a key that is another's
   * @throws IllegalStateException if usage is not recorded
   */
  public List<RequestRecord> recentRequests(String keyId) {
    return recording.get().recent(keyId).stream()
        .filter(request -> request.owner().equals(owner))
        .toList();
  }
}
