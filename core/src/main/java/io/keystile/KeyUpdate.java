package io.keystile;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What to change about a key. What is not mentioned stays as it is, also when somebody else changes
 * it at the same time. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * keys.update(id, KeyUpdate.of().name("batch").scopes("forecast:read").by("alice"));
 * keys.update(id, KeyUpdate.of().noPlan());
 * }</pre>
 *
 * <p>Values are checked when the update is made to a key, as in {@link KeySpec}, with an {@link
 * IllegalArgumentException} that names the option.
 */
public final class KeyUpdate {

  private static final KeyUpdate NOTHING = new KeyUpdate(builder -> {}, Cause.unstated());

  private final Consumer<KeyRecord.Builder> change;
  private final Cause cause;

  private KeyUpdate(Consumer<KeyRecord.Builder> change, Cause cause) {
    this.change = change;
    this.cause = cause;
  }

  private KeyUpdate and(Consumer<KeyRecord.Builder> more) {
    return new KeyUpdate(change.andThen(more), cause);
  }

  /**
   * Returns the update that changes nothing yet.
   *
   * @return an update to say more about
   */
  public static KeyUpdate of() {
    return NOTHING;
  }

  /**
   * Sets what people call the key.
   *
   * @param name up to 200 bytes of UTF-8
   * @return a changed copy
   */
  public KeyUpdate name(String name) {
    Objects.requireNonNull(name, "name");
    return and(builder -> builder.name(name));
  }

  /**
   * Sets what the key may do, in place of what it may do now.
   *
   * @param scopes as in {@link KeySpec#scopes(String...)}
   * @return a changed copy
   */
  public KeyUpdate scopes(String... scopes) {
    List<String> list = List.of(scopes);
    return and(builder -> builder.scopes(Arguments.grants(list)));
  }

  /**
   * Sets from where the key may be used, in place of what is set now.
   *
   * @param networks as in {@link KeySpec#networks(String...)}; none means from anywhere
   * @return a changed copy
   */
  public KeyUpdate networks(String... networks) {
    List<String> list = List.of(networks);
    return and(builder -> builder.networks(Arguments.networks(list)));
  }

  /**
   * Sets the caller names the key is bound to, in place of what is set now.
   *
   * @param callers as in {@link KeySpec#callers(String...)}
   * @return a changed copy
   */
  public KeyUpdate callers(String... callers) {
    List<String> list = List.of(callers);
    return and(builder -> builder.callers(Arguments.distinct(list)));
  }

  /**
   * Sets the plan.
   *
   * @param plan the name of a plan, 1 to 100 bytes of UTF-8
   * @return a changed copy
   */
  public KeyUpdate plan(String plan) {
    Objects.requireNonNull(plan, "plan");
    return and(builder -> builder.plan(plan));
  }

  /**
   * Takes the plan away: the default applies.
   *
   * @return a changed copy
   */
  public KeyUpdate noPlan() {
    return and(builder -> builder.plan(null));
  }

  /**
   * Sets limits of the key's own, in place of all that it has now. What was used before counts
   * under the new ones.
   *
   * @param own as in {@link KeySpec#limits(Plan)}
   * @return a changed copy
   * @throws IllegalArgumentException as in {@link KeySpec#limits(Plan)}
   */
  public KeyUpdate limits(Plan own) {
    List<KeyRecord.Limit> limits = Limits.stored(own);
    return and(builder -> builder.limits(limits));
  }

  /**
   * Takes the key's own limits away; those of its plan apply.
   *
   * @return a changed copy
   */
  public KeyUpdate usualLimits() {
    return and(builder -> builder.limits(List.of()));
  }

  /**
   * Undoes what risk has made of the limits of the key, see {@link RiskPolicy#adaptingLimits}.
   *
   * @return a changed copy
   */
  public KeyUpdate unadapted() {
    return and(builder -> builder.adapted(null));
  }

  /**
   * Sets what the host keeps with the key, in place of all that it keeps now.
   *
   * @param metadata as in {@link KeySpec#metadata(Map)}
   * @return a changed copy
   */
  public KeyUpdate metadata(Map<String, String> metadata) {
    Map<String, String> copy = Map.copyOf(metadata);
    return and(builder -> builder.metadata(copy));
  }

  /**
   * Sets or moves the fixed end of the key. A key that has ended cannot be brought back with it.
   *
   * @param endsAt a time in the future, as in {@link KeySpec#endsAt(Instant)}
   * @return a changed copy
   * @throws IllegalArgumentException if it is before 1970
   */
  public KeyUpdate endsAt(Instant endsAt) {
    Instant time = Arguments.time(endsAt, "endsAt");
    return and(builder -> builder.endsAt(time));
  }

  /**
   * Takes the fixed end away; the secrets keep theirs. A key that has ended cannot be brought back
   * with it.
   *
   * @return a changed copy
   */
  public KeyUpdate noEnd() {
    return and(builder -> builder.endsAt(null));
  }

  /**
   * Sets when the secret of this key is due to be replaced.
   *
   * @param policy the key's own
   * @return a changed copy
   */
  public KeyUpdate rotation(RotationPolicy policy) {
    KeyRecord.RotationRule rule = policy.toRule();
    return and(builder -> builder.rotation(rule));
  }

  /**
   * Takes the key's own rule for rotation away; that of its plan or of the host applies.
   *
   * @return a changed copy
   */
  public KeyUpdate usualRotation() {
    return and(builder -> builder.rotation(null));
  }

  /**
   * Says who changes it.
   *
   * @param actor 1 to 255 bytes of UTF-8; better an opaque id than a name
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeyUpdate by(String actor) {
    return because(cause.actor(actor));
  }

  /**
   * Says why, in words.
   *
   * @param note 1 to 500 bytes of UTF-8; never a secret
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeyUpdate note(String note) {
    return because(cause.note(note));
  }

  /**
   * Names this one call, see {@link Cause#operationId(String)}.
   *
   * @param operationId 1 to 255 bytes of UTF-8, unique for the call
   * @return a changed copy
   * @throws IllegalArgumentException if the text is refused
   */
  public KeyUpdate operationId(String operationId) {
    return because(cause.operationId(operationId));
  }

  /** Who and why, all at once. */
  KeyUpdate because(Cause cause) {
    return new KeyUpdate(change, cause);
  }

  Cause cause() {
    return cause;
  }

  void applyTo(KeyRecord.Builder builder) {
    change.accept(builder);
  }
}
