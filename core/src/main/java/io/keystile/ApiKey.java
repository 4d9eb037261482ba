package io.keystile;

import io.keystile.store.KeyRecord;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key, as a validation tells of it: whose it is and what it may do. Never a secret and never a
 * hash. Immutable; two objects tell of one key when their {@link #id()} is equal.
 */
public final class ApiKey {

  private final String id;
  private final KeyRecord.Kind kind;
  private final String brand;
  private final String environment;
  private final String owner;
  private final @Nullable String subject;
  private final String name;
  private final List<String> scopes;
  private final GrantedScopes granted;
  private final @Nullable String plan;
  private final Map<String, String> metadata;
  private final Instant createdAt;
  private final @Nullable Instant endsAt;

  // copies what it tells, so that not even reflection finds the hashes of the record in here
  private ApiKey(KeyRecord record, List<String> scopes) {
    id = record.id();
    kind = record.kind();
    brand = record.brand();
    environment = record.environment();
    owner = record.owner();
    subject = record.subject();
    name = record.name();
    this.scopes = scopes;
    granted = GrantedScopes.of(scopes);
    plan = record.plan();
    metadata = record.metadata();
    createdAt = record.createdAt();
    endsAt = record.endsAt();
  }

  /** With the scopes as they were granted. */
  static ApiKey of(KeyRecord record) {
    return new ApiKey(record, record.scopes());
  }

  /**
   * With the scopes that were granted and are allowed as well. Where one of two is wider, what both
   * cover is left: granted {@code orders:*} and allowed {@code orders:read} leave {@code
   * orders:read}, and the other way round.
   */
  static ApiKey narrowed(KeyRecord record, Collection<String> allowed) {
    GrantedScopes granted = GrantedScopes.of(record.scopes());
    GrantedScopes permitted = GrantedScopes.of(allowed);
    Set<String> both = new LinkedHashSet<>();
    record.scopes().stream().filter(permitted::covers).forEach(both::add);
    allowed.stream().filter(Scopes::isGrant).filter(granted::covers).forEach(both::add);
    return new ApiKey(record, List.copyOf(both));
  }

  /**
   * The key id: 22 base62 digits. It is public, lives across rotations, and sorts by creation.
   *
   * @return the id
   */
  public String id() {
    return id;
  }

  /**
   * For whom the key is.
   *
   * @return service or personal
   */
  public KeyRecord.Kind kind() {
    return kind;
  }

  /**
   * What its tokens begin with.
   *
   * @return the brand
   */
  public String brand() {
    return brand;
  }

  /**
   * The environment it is for, for instance {@code live} or {@code test}.
   *
   * @return the environment
   */
  public String environment() {
    return environment;
  }

  /**
   * Whom the key belongs to.
   *
   * @return the owner
   */
  public String owner() {
    return owner;
  }

  /**
   * The user a personal access token acts for.
   *
   * @return the subject; null for a service key
   */
  public @Nullable String subject() {
    return subject;
  }

  /**
   * What people call the key.
   *
   * @return the name, which may be empty
   */
  public String name() {
    return name;
  }

  /**
   * What the key may do. For a personal access token that was validated: what it was granted and
   * its user is still permitted.
   *
   * @return the granted scopes, wildcards as such; unmodifiable
   */
  public List<String> scopes() {
    return scopes;
  }

  /**
   * Returns whether one of {@link #scopes()} covers a scope: it is that scope, or a wildcard above
   * it. Case counts. Does not allocate.
   *
   * @param scope a scope as in {@link Access}, without wildcard
   * @return whether the key may do it
   * @throws IllegalArgumentException if it is not a scope
   */
  public boolean hasScope(String scope) {
    return granted.covers(Scopes.requireScope(scope));
  }

  /** The scopes, compiled. */
  GrantedScopes granted() {
    return granted;
  }

  /**
   * The name of its plan.
   *
   * @return the plan; null for the default
   */
  public @Nullable String plan() {
    return plan;
  }

  /**
   * What the host keeps with the key.
   *
   * @return the metadata, sorted by its keys; unmodifiable
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * When it was issued.
   *
   * @return the time, in whole milliseconds
   */
  public Instant createdAt() {
    return createdAt;
  }

  /**
   * Its fixed end, which no rotation moves. Its secrets may end earlier.
   *
   * @return the time, in whole milliseconds; null for none
   */
  public @Nullable Instant endsAt() {
    return endsAt;
  }

  /**
   * Describes the key, for logs.
   *
   * @return id, kind and owner
   */
  @Override
  public String toString() {
    return "ApiKey[id=" + id + ", kind=" + kind + ", owner=" + owner + "]";
  }
}
