package io.keystile;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The keys of one owner, for what the owner does by himself, for instance in a developer portal.
 * Every key of another owner looks exactly like one that does not exist.
 *
 * <pre>{@code
 * OwnerKeys mine = keys.forOwner(account).mayGrant("forecast:*").plans("free", "pro");
 * IssuedKey issued = mine.issue(KeySpec.forOwner(account).scopes("forecast:read").by(user));
 * }</pre>
 *
 * <p>The host says what the owner may give to a key; nothing is granted by default. What the host
 * itself does for the owner, it does with {@code ApiKeys}.
 *
 * <p><b>Security guarantees.</b> For a key of another owner, each method returns or throws exactly
 * what it does for an id that nobody has. Operation ids of one owner are apart from those of all
 * others and of the host, so nobody learns or blocks them. Who may act for the owner is for the
 * host to decide.
 *
 * <p>Immutable and safe for use by many threads; the methods that grant return a changed copy. All
 * others may block, and throw {@link KeyException} if they are refused or the store fails.
 */
public final class OwnerKeys {

  private final Administration own;
  private final String owner;
  private final List<String> grantable;
  private final List<String> plans;
  private final List<String> subjects;

  private OwnerKeys(
      Administration own,
      String owner,
      List<String> grantable,
      List<String> plans,
      List<String> subjects) {
    this.own = own;
    this.owner = owner;
    this.grantable = grantable;
    this.plans = plans;
    this.subjects = subjects;
  }

  /** Nothing may be granted yet. */
  static OwnerKeys of(Administration administration, String owner) {
    Arguments.name(owner, "owner");
    return new OwnerKeys(administration.within(owner), owner, List.of(), List.of(), List.of());
  }

  /**
   * Sets the scopes that the owner may give to a key, in place of what was set before.
   *
   * @param scopes scopes or wildcards, as in {@link KeySpec#scopes(String...)}; default: none
   * @return a changed copy
   * @throws IllegalArgumentException if one of them is not valid
   */
  public OwnerKeys mayGrant(String... scopes) {
    List<String> grants = Arguments.grants(List.of(scopes));
    return new OwnerKeys(own, owner, grants, plans, subjects);
  }

  /**
   * Sets the plans that the owner may choose from, in place of what was set before. A key for which
   * he chooses none gets the first.
   *
   * @param plans names of plans; default: none, and then keys have no plan
   * @return a changed copy
   */
  public OwnerKeys plans(String... plans) {
    return new OwnerKeys(own, owner, grantable, List.of(plans), subjects);
  }

  /**
   * Sets the users for whom personal access tokens may be issued, in place of what was set before:
   * as a rule the one user who is signed in.
   *
   * @param subjects the users; default: none
   * @return a changed copy
   */
  public OwnerKeys subjects(String... subjects) {
    return new OwnerKeys(own, owner, grantable, plans, List.of(subjects));
  }

  /**
   * Issues a key.
   *
   * @param spec what key; its owner must be this one
   * @return the key with its token, which can be read nowhere else
   * @throws IllegalArgumentException if a value of the specification is refused
   * @throws KeyException {@code NOT_PERMITTED} if it is for another owner, grants more than the
   *     host allows or never expires; {@code OWNER_FULL} if the owner has as many keys as the host
   *     allows; else see {@link KeyException.Failure}
   */
  public IssuedKey issue(KeySpec spec) {
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
    if (spec.plan() == null) {
      return own.issue(plans.isEmpty() ? spec : spec.plan(plans.get(0)));
    }
    if (!plans.contains(spec.plan())) {
      throw KeyException.notPermitted("plan: not permitted");
    }
    return own.issue(spec);
  }

  /**
   * Finds a key of this owner.
   *
   * @param keyId the key id
   * @return the key, or empty
   * @throws KeyException if the store fails
   */
  public Optional<KeyDetails> find(String keyId) {
    return own.find(keyId);
  }

  /**
   * Lists keys of this owner.
   *
   * @param query which of them
   * @return a page
   * @throws KeyException if the store fails
   */
  public KeyPage list(KeyQuery query) {
    return own.list(query);
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
    return own.update(
        keyId, KeyUpdate.of().name(name).because(Objects.requireNonNull(cause, "cause")));
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
    return own.revoke(keyId, revocation);
  }
}
