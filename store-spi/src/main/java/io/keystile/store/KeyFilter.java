package io.keystile.store;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which keys to list. All conditions hold together; what is null (or empty) is not asked about.
 *
 * @param owner the owner
 * @param subject the subject of personal access tokens
 * @param brand the brand
 * @param environment the environment
 * @param pepperId some secret version is hashed with this pepper, whether or not it has ended
 * @param states any of these; empty for any state
 * @param liveAfter {@link KeyRecord#liveUntil()} is null or after this
 * @param liveUntil {@link KeyRecord#liveUntil()} is at this time or before
 * @param olderLiveAfter {@link KeyRecord#olderUntil()} is present and after this
 * @param due the newest version is about to end or old, or the key has a rule of its own that may
 *     say so
 * @param revokedBefore revoked before this
 * @param issuedBefore created before this
 * @param unusedSince not let in at this time or later, or never ({@link StoredKey#lastUsed()})
 * @param neverUsed never let in at all, if true
 */
public record KeyFilter(
    @Nullable String owner,
    @Nullable String subject,
    @Nullable String brand,
    @Nullable String environment,
    @Nullable String pepperId,
    Set<KeyRecord.State> states,
    @Nullable Instant liveAfter,
    @Nullable Instant liveUntil,
    @Nullable Instant olderLiveAfter,
    @Nullable Due due,
    @Nullable Instant revokedBefore,
    @Nullable Instant issuedBefore,
    @Nullable Instant unusedSince,
    boolean neverUsed) {

  /**
   * Which keys may be due for rotation: those for which at least one of three things holds. The
   * {@linkplain KeyRecord#newest() newest} version {@linkplain SecretVersion#end() ends} at {@code
   * endsBy} or before; or it was created at {@code createdBy} or before; or the key has a
   * {@linkplain KeyRecord#rotation() rule of its own}, whatever it says: only the core can judge
   * that.
   *
   * @param endsBy the latest end, inclusive
   * @param createdBy the latest time of creation, inclusive; null if age is not asked about
   */
  public record Due(Instant endsBy, @Nullable Instant createdBy) {

    /** Checks the values. */
    public Due {
      Checks.millis(endsBy, "due.endsBy");
      Checks.optionalMillis(createdBy, "due.createdBy");
    }
  }

  /** Checks and copies the values. */
  public KeyFilter {
    if (pepperId != null) {
      Checks.plainName(pepperId, "pepperId");
    }
    states = Set.copyOf(states);
    Checks.optionalMillis(liveAfter, "liveAfter");
    Checks.optionalMillis(liveUntil, "liveUntil");
    Checks.optionalMillis(olderLiveAfter, "olderLiveAfter");
    Checks.optionalMillis(revokedBefore, "revokedBefore");
    Checks.optionalMillis(issuedBefore, "issuedBefore");
    Checks.optionalMillis(unusedSince, "unusedSince");
  }

  /**
   * All keys.
   *
   * @return a filter without conditions
   */
  public static KeyFilter all() {
    return new Builder().build();
  }

  /**
   * A builder without conditions.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Builds filters. Not safe for use by several threads. */
  public static final class Builder {
    private @Nullable String owner;
    private @Nullable String subject;
    private @Nullable String brand;
    private @Nullable String environment;
    private @Nullable String pepperId;
    private Set<KeyRecord.State> states = Set.of();
    private @Nullable Instant liveAfter;
    private @Nullable Instant liveUntil;
    private @Nullable Instant olderLiveAfter;
    private @Nullable Due due;
    private @Nullable Instant revokedBefore;
    private @Nullable Instant issuedBefore;
    private @Nullable Instant unusedSince;
    private boolean neverUsed;

    private Builder() {}

    /**
     * Asks for keys of one owner.
     *
     * @param owner the owner
     * @return this
     */
    public Builder owner(@Nullable String owner) {
      this.owner = owner;
      return this;
    }

    /**
     * Asks for personal access tokens of one user.
     *
     * @param subject the user
     * @return this
     */
    public Builder subject(@Nullable String subject) {
      this.subject = subject;
      return this;
    }

    /**
     * Asks for keys of one brand.
     *
     * @param brand the brand
     * @return this
     */
    public Builder brand(@Nullable String brand) {
      this.brand = brand;
      return this;
    }

    /**
     * Asks for keys of one environment.
     *
     * @param environment the environment
     * @return this
     */
    public Builder environment(@Nullable String environment) {
      this.environment = environment;
      return this;
    }

    /**
     * Asks for keys with a secret version that is hashed with a pepper, whether or not it has
     * ended.
     *
     * @param pepperId the id of the pepper
     * @return this
     */
    public Builder pepperId(@Nullable String pepperId) {
      this.pepperId = pepperId;
      return this;
    }

    /**
     * Asks for keys in any of some states.
     *
     * @param states the states; empty for any
     * @return this
     */
    public Builder states(Set<KeyRecord.State> states) {
      this.states = states;
      return this;
    }

    /**
     * Asks for keys with a secret that ends after a time or never.
     *
     * @param time the time, exclusive
     * @return this
     */
    public Builder liveAfter(@Nullable Instant time) {
      this.liveAfter = time;
      return this;
    }

    /**
     * Asks for keys whose last secret has ended by a time.
     *
     * @param time the time, inclusive
     * @return this
     */
    public Builder liveUntil(@Nullable Instant time) {
      this.liveUntil = time;
      return this;
    }

    /**
     * Asks for keys with an older secret that ends after a time.
     *
     * @param time the time, exclusive
     * @return this
     */
    public Builder olderLiveAfter(@Nullable Instant time) {
      this.olderLiveAfter = time;
      return this;
    }

    /**
     * Asks for keys that may be due for rotation.
     *
     * @param due which these are
     * @return this
     */
    public Builder due(@Nullable Due due) {
      this.due = due;
      return this;
    }

    /**
     * Asks for keys that were revoked before a time.
     *
     * @param time the time, exclusive
     * @return this
     */
    public Builder revokedBefore(@Nullable Instant time) {
      this.revokedBefore = time;
      return this;
    }

    /**
     * Asks for keys that were created before a time.
     *
     * @param time the time, exclusive
     * @return this
     */
    public Builder issuedBefore(@Nullable Instant time) {
      this.issuedBefore = time;
      return this;
    }

    /**
     * Asks for keys that were not used since a time, or never.
     *
     * @param time the time; a use at that very time is one since
     * @return this
     */
    public Builder unusedSince(@Nullable Instant time) {
      this.unusedSince = time;
      return this;
    }

    /**
     * Asks for keys that were never used.
     *
     * @param neverUsed whether to ask for it
     * @return this
     */
    public Builder neverUsed(boolean neverUsed) {
      this.neverUsed = neverUsed;
      return this;
    }

    /**
     * Builds the filter.
     *
     * @return a new filter
     */
    public KeyFilter build() {
      return new KeyFilter(
          owner,
          subject,
          brand,
          environment,
          pepperId,
          states,
          liveAfter,
          liveUntil,
          olderLiveAfter,
          due,
          revokedBefore,
          issuedBefore,
          unusedSince,
          neverUsed);
    }
  }
}
