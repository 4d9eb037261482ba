package io.keystile;

import io.keystile.KeyEditor.Change;
import io.keystile.KeyException.Failure;
import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The verbs about the secrets of a key: {@link SecretRotation} decides, {@link KeyEditor} reads and
 * writes. For any thread; everything may block.
 */
final class Rotator {

  private static final String ROTATE = "rotate";
  private static final String ROTATE_SELF = "rotate_self";

  private final KeyEditor editor;
  private final KeyMint mint;

  Rotator(KeyEditor editor, KeyMint mint) {
    this.editor = editor;
    this.mint = mint;
  }

  /** Replaces the secret of a key for the host. */
  IssuedKey rotate(String keyId, Rotation rotation) {
    return rotate(keyId, rotation, null);
  }

  /**
   * Replaces the secret of a key.
   *
   * @param longest as {@link LifecycleSettings#lifetimeOf(Rotation, KeyRecord, UnaryOperator)}
   *     takes it
   */
  IssuedKey rotate(String keyId, Rotation rotation, @Nullable UnaryOperator<Duration> longest) {
    String reason = rotation.reason() == null ? null : rotation.reason().name();
    Operation operation = editor.operation(ROTATE, rotation.cause(), reason);
    // the maximum of an owner is held when a key is issued: he gets around it in no other way
    boolean isLimited = editor.onlyOwner() != null && editor.settings().hasOwnerMaximum();
    Successor successor =
        new Successor(
            rotation, longest, isLimited ? SecretRotation::requireNotExpired : (r, now) -> {});
    Change change = editor.apply(keyId, operation, successor);
    editor.tellIfAlarming(change, rotation.reason());
    return successor.issued(change);
  }

  /**
   * Replaces the secret of a key for a client that has proven one of its secrets.
   *
   * @param proven the result of the validation
   * @return the key with its new secret, or why not
   */
  SelfRotation rotateSelf(Accepted proven, Cause cause) {
    ApiKey key = proven.key();
    Operation operation = Operation.ofClient(ROTATE_SELF, cause, key.id());
    Rotation rotation =
        Rotation.withGrace(editor.settings().rotation().ownGrace())
            .replacing(proven.secretVersion())
            .because(cause);
    Successor successor = new Successor(rotation, null, SecretRotation::requireClientMay);
    try {
      return SelfRotation.of(successor.issued(editor.apply(key.id(), operation, successor)));
    } catch (KeyException e) {
      return SelfRotation.refused(refusal(e, successor, proven));
    }
  }

  private static Rejected refusal(KeyException e, Successor successor, Accepted proven) {
    Rejected superseded = Rejected.proven(Reason.SUPERSEDED, proven.key(), proven.secretVersion());
    return switch (e.failure()) {
      case STATE_FORBIDS -> superseded;
      case NOT_PERMITTED ->
          Rejected.proven(Reason.SCOPE_MISSING, proven.key(), proven.secretVersion());
      // that others were changing the key all the time is no fault of its client's
      case CONFLICT ->
          successor.isTooLate ? superseded : Rejected.unproven(Reason.STORE_UNAVAILABLE);
      case UNKNOWN_KEY -> Rejected.unproven(Reason.UNKNOWN); // purged since
      default -> Rejected.unproven(Reason.STORE_UNAVAILABLE);
    };
  }

  /** Revokes one secret of a key alone. */
  KeyDetails revoke(String keyId, int number, Revocation revocation) {
    Operation operation =
        editor.operation("revoke_secret", revocation.cause(), revocation.reason().name());
    Change change =
        editor.apply(
            keyId, operation, (stored, now) -> SecretRotation.revoke(stored.record(), number, now));
    if (change.earlier() != null) {
      Operation.requireSameSecret(change.earlier(), number);
    }
    editor.tellIfAlarming(change, revocation.reason());
    return change.details();
  }

  /** Makes the next secret, the same one however often the race is run. */
  private final class Successor implements KeyEditor.Step {
    private final Rotation rotation;
    private final @Nullable UnaryOperator<Duration> longest;
    private final BiConsumer<KeyRecord, Instant> precondition;

    /** The newest secret when this was read first: it is the one to replace. */
    private @Nullable Integer replaced;

    private KeyMint.@Nullable Minted minted;

    /** Whether the secret to replace is not the newest any more. */
    private boolean isTooLate;

    Successor(
        Rotation rotation,
        @Nullable UnaryOperator<Duration> longest,
        BiConsumer<KeyRecord, Instant> precondition) {
      this.rotation = rotation;
      this.longest = longest;
      this.precondition = precondition;
      replaced = rotation.replaced();
    }

    @Override
    public KeyRecord next(StoredKey stored, Instant now) {
      KeyRecord record = stored.record();
      int newest = record.newest().number();
      if (replaced == null) {
        replaced = newest;
      }
      if (replaced != newest) {
        // two at once must not make two successors
        isTooLate = true;
        throw new KeyException(Failure.CONFLICT, "the secret was replaced already", null);
      }
      precondition.accept(record, now);
      LifecycleSettings settings = editor.settings();
      Duration lifetime = settings.lifetimeOf(rotation, record, longest);
      if (minted == null) {
        minted = mint.mintSecret(record);
      }
      SecretVersion version =
          minted.version(
              newest + 1,
              now,
              rotation.causeOfSecret(),
              lifetime == null ? null : Arguments.plus(now, lifetime));
      Duration grace =
          rotation.grace() != null ? rotation.grace() : settings.rotation().of(record).grace();
      return SecretRotation.rotate(record, version, grace, settings.rotation().maxLive(), now);
    }

    /** The outcome: the new token is in it if it was this call that made it. */
    IssuedKey issued(Change change) {
      return change.earlier() == null
          ? IssuedKey.fresh(change.details(), Objects.requireNonNull(minted).revealToken())
          : IssuedKey.repeated(change.details(), change.earlier());
    }
  }
}
