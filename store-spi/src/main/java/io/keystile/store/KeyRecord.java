package io.keystile.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A key as it is stored: the identity that lives across rotations, with its secret versions.
 * Immutable.
 *
 * <p>The constructor refuses what a store could not give back on every database: text that is too
 * long (lengths are bytes of UTF-8), NUL characters, lone surrogates, times finer than a
 * millisecond. So a store need not check again.
 *
 * @param id the key id: 22 base62 digits in ASCII order, so that ids sort by time of creation
 * @param revision 1 when inserted, one more with each replacement
 * @param kind for whom the key is
 * @param state whether it may be used
 * @param brand the brand that its tokens begin with, {@code [a-z][a-z0-9]{1,15}}
 * @param environment the environment in its tokens, {@code [a-z][a-z0-9]{1,15}}
 * @param owner whom the key belongs to, 1 to 255 bytes; better an opaque id than a name
 * @param subject the user a personal access token acts for, 1 to 255 bytes; null for other kinds
 * @param name what people call the key, up to 200 bytes
 * @param scopes what it may do: up to 100, each of 1 to 100 printable ASCII characters, no blank
 * @param networks from where, in CIDR notation: up to 100, form as scopes; empty for anywhere
 * @param callers the caller names it is bound to: up to 100, form as scopes
 * @param plan the name of its plan, up to 100 bytes, or null for the default
 * @param metadata the host's own: up to 4096 bytes, counted as {@code key=value&} in UTF-8; kept
 *     sorted by key
 * @param createdAt when it was issued
 * @param endsAt its fixed end, which no rotation moves, or null for none
 * @param revoked how it was revoked; present if and only if the state is {@link State#REVOKED}
 * @param versions its secrets, 1 to 8, in the order of their numbers; the last is the newest
 * @param seal room for a seal over the record, up to 200 characters; null where rows are not sealed
 */
public record KeyRecord(
    String id,
    long revision,
    Kind kind,
    State state,
    String brand,
    String environment,
    String owner,
    @Nullable String subject,
    String name,
    List<String> scopes,
    List<String> networks,
    List<String> callers,
    @Nullable String plan,
    Map<String, String> metadata,
    Instant createdAt,
    @Nullable Instant endsAt,
    @Nullable Revoked revoked,
    List<SecretVersion> versions,
    @Nullable String seal) {

  /** For whom a key is. */
  public enum Kind {
    /** Machine to machine. */
    SERVICE,
    /** A personal access token: acts for a user, its subject. */
    PERSONAL
  }

  /** Whether a key may be used. Expiry is no state: it follows from the times. */
  public enum State {
    /** May be used. */
    ACTIVE,
    /** Switched off; may be enabled again. */
    DISABLED,
    /** Revoked for good. */
    REVOKED
  }

  /**
   * How a key was revoked.
   *
   * @param at when
   * @param reason why
   * @param note more about it, up to 500 bytes
   * @param by who did it, up to 255 bytes
   * @param lastUsed when the key had last been used, as far as was known then
   */
  public record Revoked(
      Instant at,
      RevocationReason reason,
      @Nullable String note,
      @Nullable String by,
      @Nullable Instant lastUsed) {

    /** Checks the values. */
    public Revoked {
      Checks.millis(at, "revoked.at");
      Objects.requireNonNull(reason, "reason");
      Checks.optionalText(note, "note", Checks.MAX_NOTE_BYTES);
      Checks.optionalText(by, "actor", Checks.MAX_NAME_BYTES);
      Checks.optionalMillis(lastUsed, "revoked.lastUsed");
    }
  }

  /** Checks and copies the values. */
  public KeyRecord {
    Checks.keyId(id);
    Checks.require(revision >= 1, "revision: must be at least 1");
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(state, "state");
    Checks.label(brand, "brand");
    Checks.label(environment, "environment");
    Checks.text(owner, "owner", 1, Checks.MAX_NAME_BYTES);
    Checks.optionalText(subject, "subject", Checks.MAX_NAME_BYTES);
    Checks.require(
        (kind == Kind.PERSONAL) == (subject != null),
        "subject: a personal access token has one, other kinds have none");
    Checks.text(name, "name", 0, 200);
    scopes = Checks.words(scopes, "scopes");
    networks = Checks.words(networks, "networks");
    callers = Checks.words(callers, "callers");
    Checks.optionalText(plan, "plan", 100);
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(new TreeMap<>(metadata)));
    Checks.metadata(metadata);
    Checks.millis(createdAt, "createdAt");
    Checks.optionalMillis(endsAt, "endsAt");
    Checks.require(
        (state == State.REVOKED) == (revoked != null),
        "revoked: present exactly when the state is REVOKED");
    versions = List.copyOf(versions);
    Checks.versions(versions);
    Checks.optionalText(seal, "seal", 200);
  }

  /**
   * When the last of its secrets ends: the latest {@linkplain SecretVersion#end() end} of any
   * version, and not after {@link #endsAt()}. Stores keep it in a column of its own, so that
   * questions about expiry are ranges.
   *
   * @return the end, or null for never
   */
  public @Nullable Instant liveUntil() {
    Instant latest = versions.get(0).end();
    for (SecretVersion version : versions) {
      Instant end = version.end();
      if (latest != null && (end == null || end.isAfter(latest))) {
        latest = end;
      }
    }
    return Checks.earlier(latest, endsAt);
  }

  /**
   * The newest secret version.
   *
   * @return the last of {@link #versions()}
   */
  public SecretVersion newest() {
    return versions.get(versions.size() - 1);
  }

  /**
   * A builder that starts with the values of this record.
   *
   * @return a new builder
   */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /**
   * A builder for a new service key: revision 1, active, without name, scopes, plan or end. Id,
   * brand, environment, owner, time of creation and one version must be given.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Builds records. Not safe for use by several threads. */
  public static final class Builder {
    private @Nullable String id;
    private long revision = 1;
    private Kind kind = Kind.SERVICE;
    private State state = State.ACTIVE;
    private @Nullable String brand;
    private @Nullable String environment;
    private @Nullable String owner;
    private @Nullable String subject;
    private String name = "";
    private List<String> scopes = List.of();
    private List<String> networks = List.of();
    private List<String> callers = List.of();
    private @Nullable String plan;
    private Map<String, String> metadata = Map.of();
    private @Nullable Instant createdAt;
    private @Nullable Instant endsAt;
    private @Nullable Revoked revoked;
    private List<SecretVersion> versions = new ArrayList<>();
    private @Nullable String seal;

    private Builder() {}

    private Builder(KeyRecord from) {
      id = from.id;
      revision = from.revision;
      kind = from.kind;
      state = from.state;
      brand = from.brand;
      environment = from.environment;
      owner = from.owner;
      subject = from.subject;
      name = from.name;
      scopes = from.scopes;
      networks = from.networks;
      callers = from.callers;
      plan = from.plan;
      metadata = from.metadata;
      createdAt = from.createdAt;
      endsAt = from.endsAt;
      revoked = from.revoked;
      versions = from.versions;
      seal = from.seal;
    }

    /**
     * Sets the key id.
     *
     * @param id 22 base62 digits
     * @return this
     */
    public Builder id(String id) {
      this.id = id;
      return this;
    }

    /**
     * Sets the revision.
     *
     * @param revision at least 1
     * @return this
     */
    public Builder revision(long revision) {
      this.revision = revision;
      return this;
    }

    /**
     * Makes it a personal access token.
     *
     * @param subject the user it acts for
     * @return this
     */
    public Builder personal(String subject) {
      this.kind = Kind.PERSONAL;
      this.subject = subject;
      return this;
    }

    /**
     * Sets the state to active or disabled. A revoked record stays revoked.
     *
     * @param state the state
     * @return this
     */
    public Builder state(State state) {
      this.state = state;
      return this;
    }

    /**
     * Makes it a revoked record.
     *
     * @param revoked how it was revoked
     * @return this
     */
    public Builder revoked(Revoked revoked) {
      this.revoked = revoked;
      this.state = State.REVOKED;
      return this;
    }

    /**
     * Sets what its tokens begin with.
     *
     * @param brand the brand
     * @param environment the environment
     * @return this
     */
    public Builder prefix(String brand, String environment) {
      this.brand = brand;
      this.environment = environment;
      return this;
    }

    /**
     * Sets the owner.
     *
     * @param owner the owner
     * @return this
     */
    public Builder owner(String owner) {
      this.owner = owner;
      return this;
    }

    /**
     * Sets the name.
     *
     * @param name the name
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * Sets the scopes.
     *
     * @param scopes the scopes
     * @return this
     */
    public Builder scopes(List<String> scopes) {
      this.scopes = scopes;
      return this;
    }

    /**
     * Sets the networks.
     *
     * @param networks in CIDR notation
     * @return this
     */
    public Builder networks(List<String> networks) {
      this.networks = networks;
      return this;
    }

    /**
     * Sets the caller names.
     *
     * @param callers the caller names
     * @return this
     */
    public Builder callers(List<String> callers) {
      this.callers = callers;
      return this;
    }

    /**
     * Sets the plan.
     *
     * @param plan the name of the plan, or null
     * @return this
     */
    public Builder plan(@Nullable String plan) {
      this.plan = plan;
      return this;
    }

    /**
     * Sets the metadata.
     *
     * @param metadata the metadata
     * @return this
     */
    public Builder metadata(Map<String, String> metadata) {
      this.metadata = metadata;
      return this;
    }

    /**
     * Sets the time of creation.
     *
     * @param createdAt in whole milliseconds
     * @return this
     */
    public Builder createdAt(Instant createdAt) {
      this.createdAt = createdAt;
      return this;
    }

    /**
     * Sets the fixed end.
     *
     * @param endsAt in whole milliseconds, or null
     * @return this
     */
    public Builder endsAt(@Nullable Instant endsAt) {
      this.endsAt = endsAt;
      return this;
    }

    /**
     * Sets the secret versions.
     *
     * @param versions in the order of their numbers
     * @return this
     */
    public Builder versions(List<SecretVersion> versions) {
      this.versions = versions;
      return this;
    }

    /**
     * Sets the seal.
     *
     * @param seal the seal, or null
     * @return this
     */
    public Builder seal(@Nullable String seal) {
      this.seal = seal;
      return this;
    }

    /**
     * Builds the record.
     *
     * @return a new record
     * @throws IllegalArgumentException if a value is missing or refused; the message names it
     */
    public KeyRecord build() {
      return new KeyRecord(
          Checks.given(id, "id"),
          revision,
          kind,
          state,
          Checks.given(brand, "brand"),
          Checks.given(environment, "environment"),
          Checks.given(owner, "owner"),
          subject,
          name,
          scopes,
          networks,
          callers,
          plan,
          metadata,
          Checks.given(createdAt, "createdAt"),
          endsAt,
          revoked,
          versions,
          seal);
    }
  }
}
