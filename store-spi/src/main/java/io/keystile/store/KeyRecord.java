package io.keystile.store;

import java.time.Duration;
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
 * @param limits its own limits, which replace all of those of its plan: up to 20, no two with the
 *     same unit and window, in the order given; empty for those of the plan
 * @param adapted how its limits were adapted to how it is used, or null if they are not
 * @param metadata the host's own: up to 4096 bytes, counted as {@code key=value&} in UTF-8; kept
 *     sorted by key
 * @param createdAt when it was issued
 * @param endsAt its fixed end, which no rotation moves, or null for none
 * @param rotation the key's own rule for rotation, or null for that of its plan or of the host
 * @param revoked how it was revoked; present if and only if the state is {@link State#REVOKED}
 * @param versions its secrets, 1 to 8, in the order of their numbers; the last is the newest, and
 *     each of the others has an {@linkplain SecretVersion#end() end}
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
    List<Limit> limits,
    @Nullable Adapted adapted,
    Map<String, String> metadata,
    Instant createdAt,
    @Nullable Instant endsAt,
    @Nullable RotationRule rotation,
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

  /**
   * How a key is to be rotated.
   *
   * @param grace how long older secrets go on working after a rotation: 0 to 36,500 days, in whole
   *     milliseconds
   * @param age how old a secret may get before it is due for rotation: 1 ms to 36,500 days, in
   *     whole milliseconds; null for any age
   */
  public record RotationRule(Duration grace, @Nullable Duration age) {

    /** Checks the values. */
    public RotationRule {
      Checks.duration(grace, 0, "rotation.grace");
      if (age != null) {
        Checks.duration(age, 1, "rotation.age");
      }
    }
  }

  /**
   * How much of something a key may use.
   *
   * @param unit what is counted, {@code [a-z][a-z0-9-]{0,31}}; {@code requests} for requests
   * @param amount how much may be used in any window of that length: 0 to 2<sup>62</sup>
   * @param window its length: 100 ms to 31 days, in whole milliseconds
   */
  public record Limit(String unit, long amount, Duration window) {

    /** Checks the values. */
    public Limit {
      Checks.unit(unit, "limits.unit");
      Checks.amount(amount, "limits.amount");
      Checks.window(window, "limits.window");
    }
  }

  /**
   * Limits that were adapted to how a key is used: so many requests in any minute, in place of what
   * its plan or its own limits say of a minute.
   *
   * @param at when
   * @param perMinute how many, 0 to 2<sup>62</sup>
   * @param why in words, 1 to 500 bytes
   */
  public record Adapted(Instant at, long perMinute, String why) {

    /** Checks the values. */
    public Adapted {
      Checks.millis(at, "adapted.at");
      Checks.amount(perMinute, "adapted.perMinute");
      Checks.text(why, "adapted.why", 1, Checks.MAX_NOTE_BYTES);
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
    limits = Checks.limits(limits);
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(new TreeMap<>(metadata)));
    Checks.metadata(metadata);
    Checks.millis(createdAt, "createdAt");
    Checks.optionalMillis(endsAt, "endsAt");
    Checks.require(
        (state == State.REVOKED) == (revoked != null),
        "revoked: present exactly when the state is REVOKED");
    versions = List.copyOf(versions);
    Checks.versions(versions);
    Checks.onlyNewestIsEndless(versions);
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
    return latestEnd(versions);
  }

  /**
   * When the last of its older secrets ends: the latest {@linkplain SecretVersion#end() end} of any
   * version but the newest, and not after {@link #endsAt()}. Until then a rotated key has more than
   * one secret that works. Stores keep it in a column of its own.
   *
   * @return the end, or null if there is no older version
   */
  public @Nullable Instant olderUntil() {
    return versions.size() == 1 ? null : latestEnd(versions.subList(0, versions.size() - 1));
  }

  private @Nullable Instant latestEnd(List<SecretVersion> some) {
    Instant latest = some.get(0).end();
    for (SecretVersion version : some) {
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
   * A builder for a new service key: revision 1, active, without name, scopes, plan, limits or end.
   * Id, brand, environment, owner, time of creation and one version must be given.
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
    private List<Limit> limits = List.of();
    private @Nullable Adapted adapted;
    private Map<String, String> metadata = Map.of();
    private @Nullable Instant createdAt;
    private @Nullable Instant endsAt;
    private @Nullable RotationRule rotation;
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
      limits = from.limits;
      adapted = from.adapted;
      metadata = from.metadata;
      createdAt = from.createdAt;
      endsAt = from.endsAt;
      rotation = from.rotation;
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
     * Sets its own limits.
     *
     * @param limits the limits, or none for those of the plan
     * @return this
     */
    public Builder limits(List<Limit> limits) {
      this.limits = limits;
      return this;
    }

    /**
     * Sets how its limits were adapted.
     *
     * @param adapted how, or null if they are not
     * @return this
     */
    public Builder adapted(@Nullable Adapted adapted) {
      this.adapted = adapted;
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
     * Sets its own rule for rotation.
     *
     * @param rotation the rule, or null
     * @return this
     */
    public Builder rotation(@Nullable RotationRule rotation) {
      this.rotation = rotation;
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
          limits,
          adapted,
          metadata,
          Checks.given(createdAt, "createdAt"),
          endsAt,
          rotation,
          revoked,
          versions,
          seal);
    }
  }
}
