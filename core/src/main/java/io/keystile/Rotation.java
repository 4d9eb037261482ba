package io.keystile;

import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How to replace the secret of a key, and by whom and why. Immutable: each method returns a changed
 * copy.
 *
 * <pre>{@code
 * keys.rotate(id, Rotation.usual().by("alice"));
 * keys.rotate(id, Rotation.withGrace(Duration.ofDays(7)).by("alice"));
 * keys.rotate(id, Rotation.forced(SUSPICIOUS_ACTIVITY).by("alice").note("odd addresses"));
 * }</pre>
 */
public final class Rotation {

  private final @Nullable Duration grace;

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private @Nullable Duration lifetime;
  private boolean neverExpires;
  private @Nullable Integer replaced;
  private @Nullable RevocationReason reason;
  private Cause cause = Cause.unstated();

  private Rotation(@Nullable Duration grace) {
    this.grace = grace;
  }

  private Rotation copy() {
    return copyWithGrace(grace);
  }

  private Rotation copyWithGrace(@Nullable Duration grace) {
    Rotation copy = new Rotation(grace);
    copy.lifetime = lifetime;
    copy.neverExpires = neverExpires;
    copy.replaced = replaced;
    copy.reason = reason;
    copy.cause = cause;
    return copy;
  }

  /**
   * Returns a rotation with the grace that the {@link RotationPolicy} of the key says: 7 days where
   * the host has set nothing else.
   *
   * @return a rotation of which nothing else is said
   */
  public static Rotation usual() {
    return new Rotation(null);
  }

  /**
   * Returns a rotation with a grace of its own.
   *
   * @param grace how long every older secret goes on working, if it does not end before: 0 to
   *     36,500 days, rounded down to milliseconds. With 0 only the new secret works
   * @return a rotation of which nothing else is said
   * @throws IllegalArgumentException if the grace is out of range
   */
  public static Rotation withGrace(Duration grace) {
    return new Rotation(RotationPolicy.requireGrace(grace));
  }

  /**
   * Returns a rotation that somebody else than the client has decided on, without grace: no older
   * secret works any more once it is done. The reason goes into the audit trail, and its name
   * becomes the note of the new secret if there is no other; for a suspicion, a breach or a leak,
   * {@link KeyListener#alert} is called.
   *
   * @param reason why
   * @return a rotation with this reason
   */
  public static Rotation forced(RevocationReason reason) {
    Rotation rotation = withGrace(Duration.ZERO);
    rotation.reason = Objects.requireNonNull(reason, "reason");
    return rotation;
  }

  /**
   * Sets the grace, for instance of a forced rotation that leaves some hours.
   *
   * @param grace as {@link #withGrace} takes it
   * @return a changed copy
   * @throws IllegalArgumentException if the grace is out of range
   */
  public Rotation grace(Duration grace) {
    return copyWithGrace(RotationPolicy.requireGrace(grace));
  }

  /**
   * Sets how long the new secret works. It never works beyond the key's fixed end.
   *
   * @param lifetime at least 1 ms; the host may have set a maximum. Default: as long as the secret
   *     it replaces was made to work, but never more than the host's maximum, and for a personal
   *     access token (it may have been extended) than the host's usual lifetime, 30 days where it
   *     has set nothing else; for the secret of an imported key that ends, the host's usual
   *     lifetime
   * @return a changed copy
   * @throws IllegalArgumentException if it is shorter than 1 ms, zero or negative
   */
  public Rotation lifetime(Duration lifetime) {
    Rotation copy = copy();
    copy.lifetime = Arguments.lifetime(lifetime, "lifetime");
    copy.neverExpires = false;
    return copy;
  }

  /**
   * Gives the new secret no end but the key's. Refused where the host does not permit it, and for
   * personal access tokens.
   *
   * @return a changed copy
   */
  public Rotation neverExpires() {
    Rotation copy = copy();
    copy.lifetime = null;
    copy.neverExpires = true;
    return copy;
  }

  /**
   * Says which secret is to be replaced: if it is not the newest any more, somebody else was first,
   * and the call fails with {@link KeyException.Failure#CONFLICT} and changes nothing. For jobs
   * that run on several nodes.
   *
   * @param secretVersion the number of the newest secret, as far as the caller knows
   * @return a changed copy
   */
  public Rotation replacing(int secretVersion) {
    Rotation copy = copy();
    copy.replaced = secretVersion;
    return copy;
  }

  /**
   * Says who does it.
   *
   * @param actor 1 to 255 bytes of UTF-8; better an opaque id than a name
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public Rotation by(String actor) {
    return because(cause.actor(actor));
  }

  /**
   * Says why, in words.
   *
   * @param note 1 to 500 bytes of UTF-8; never a secret
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public Rotation note(String note) {
    return because(cause.note(note));
  }

  /**
   * Names this one call, see {@link Cause#operationId(String)}. A second call with the same id
   * changes nothing and has no token to show ({@link IssuedKey#alreadyIssued()}).
   *
   * @param operationId 1 to 255 bytes of UTF-8, unique for the call
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public Rotation operationId(String operationId) {
    return because(cause.operationId(operationId));
  }

  Rotation because(Cause cause) {
    Rotation copy = copy();
    copy.cause = cause;
    return copy;
  }

  @Nullable Duration grace() {
    return grace;
  }

  @Nullable Duration lifetime() {
    return lifetime;
  }

  boolean isNeverExpiring() {
    return neverExpires;
  }

  @Nullable Integer replaced() {
    return replaced;
  }

  @Nullable RevocationReason reason() {
    return reason;
  }

  Cause cause() {
    return cause;
  }

  /** Who made the new secret and why: in words, or else by the name of the reason. */
  Cause causeOfSecret() {
    return reason == null || cause.note() != null ? cause : cause.note(reason.name());
  }

  /**
   * Describes the rotation, for logs.
   *
   * @return grace, lifetime, reason and cause
   */
  @Override
  public String toString() {
    return "Rotation[grace=%s, lifetime=%s, reason=%s, %s]"
        .formatted(grace, neverExpires ? "none" : lifetime, reason, cause);
  }
}
