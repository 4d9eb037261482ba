package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads keys and changes them one at a time: reads, lets a {@link Step} decide, and writes if
 * nobody else has written meanwhile. Every verb on an existing key is a step. For any thread;
 * everything may block.
 *
 * <p>A race that was lost is tried again with what the winner left, so that the outcome is that of
 * one call after the other. Not so in a transaction of the host's: it may not see what the winner
 * did, or may be broken already, so there {@link KeyException.Failure#CONFLICT} is reported at
 * once.
 */
final class KeyEditor {

  /** Each lost race means that somebody else got ahead, so this many in a row do not happen. */
  static final int ATTEMPTS = 1000;

  private static final Set<RevocationReason> ALARMING =
      Set.of(
          RevocationReason.SUSPICIOUS_ACTIVITY,
          RevocationReason.SECURITY_BREACH,
          RevocationReason.LEAKED);

  private final KeyStore store;
  private final InstantSource clock;
  private final LifecycleSettings settings;
  private final StoreAccess access;
  private final int attempts;

  /** If not null, the keys of all others do not exist here. */
  private final @Nullable String onlyOwner;

  KeyEditor(KeyStore store, InstantSource clock, LifecycleSettings settings, LocalNode node) {
    this.store = store;
    this.clock = clock;
    this.settings = settings;
    this.access = new StoreAccess(store, node);
    this.attempts = ATTEMPTS;
    this.onlyOwner = null;
  }

  private KeyEditor(KeyEditor whole, StoreAccess access, int attempts, @Nullable String onlyOwner) {
    store = whole.store;
    clock = whole.clock;
    settings = whole.settings;
    this.access = access;
    this.attempts = attempts;
    this.onlyOwner = onlyOwner;
  }

  /** The same for the keys of one owner, as if there were no others. */
  KeyEditor within(String owner) {
    return new KeyEditor(this, access, attempts, owner);
  }

  /** The same, but giving way: a race that was lost is a conflict at once. */
  KeyEditor yielding() {
    return new KeyEditor(this, access.yielding(), 1, onlyOwner);
  }

  /** What a change makes of a key; the record it was given if there is nothing to do. */
  @FunctionalInterface
  interface Step {
    KeyRecord next(StoredKey stored, Instant now);
  }

  /**
   * How a key is after a change.
   *
   * @param isApplied whether it was this call that changed it
   * @param earlier what an earlier call with the same operation id did, if that is why not
   */
  record Change(KeyDetails details, boolean isApplied, @Nullable AuditEntry earlier) {

    boolean isRepeated() {
      return earlier != null;
    }
  }

  KeyStore store() {
    return store;
  }

  StoreAccess access() {
    return access;
  }

  LifecycleSettings settings() {
    return settings;
  }

  @Nullable String onlyOwner() {
    return onlyOwner;
  }

  /** Reads, decides, and writes if nobody else has written meanwhile; else once more. */
  Change apply(String keyId, Operation operation, Step step) {
    for (int attempt = 0; attempt < attempts; attempt++) {
      StoredKey stored = stored(keyId);
      KeyRecord record = stored.record();
      Instant now = now();
      KeyRecord next = record;
      RuntimeException refusal = null;
      try {
        next = step.next(stored, now);
      } catch (KeyException | IllegalArgumentException e) {
        refusal = e;
      }
      if (next.equals(record)) {
        // it may have been another node that has changed it, and this one may not know yet
        access.changed(List.of(keyId));
        // or it was this very call, when it came first
        AuditEntry earlier = earlier(operation, keyId).orElse(null);
        if (refusal != null && earlier == null) {
          throw refusal;
        }
        return new Change(details(stored, now), false, earlier);
      }
      KeyWrite write = operation.write(record, next, now);
      WriteOutcome outcome = access.write(operation, List.of(keyId), () -> store.replace(write));
      switch (outcome.kind()) {
        case APPLIED -> {
          return new Change(details(withUsesOf(stored, next), now), true, null);
        }
        case REPEATED -> {
          AuditEntry earlier = Objects.requireNonNull(outcome.earlier());
          operation.requireSame(earlier, keyId);
          KeyDetails details = find(keyId).orElseThrow(KeyException::unknownKey);
          return new Change(details, false, earlier);
        }
        default -> access.lost(null); // else the record has moved on
      }
    }
    throw StoreAccess.conflict(null);
  }

  /** The use of a secret that the key does not have any more is forgotten with it. */
  private static StoredKey withUsesOf(StoredKey stored, KeyRecord next) {
    Set<Integer> numbers =
        next.versions().stream().map(SecretVersion::number).collect(Collectors.toSet());
    return new StoredKey(
        next, stored.uses().stream().filter(use -> numbers.contains(use.version())).toList());
  }

  /** What a call that finds nothing to do now, or is refused, did when it came first. */
  Optional<AuditEntry> earlier(Operation operation, String target) {
    if (!operation.isNamedByCaller()) {
      return Optional.empty();
    }
    AuditFilter sameId = new AuditFilter(null, null, operation.storedId(), null, null);
    Optional<AuditEntry> earlier =
        access.read(() -> store.audit(sameId, 0, 1)).stream().findFirst();
    earlier.ifPresent(entry -> operation.requireSame(entry, target));
    return earlier;
  }

  Optional<KeyDetails> find(String keyId) {
    return read(keyId).map(stored -> details(stored, now()));
  }

  /** A key as it is stored now. */
  StoredKey stored(String keyId) {
    return read(keyId).orElseThrow(KeyException::unknownKey);
  }

  private Optional<StoredKey> read(String keyId) {
    Objects.requireNonNull(keyId, "keyId");
    if (KeyId.parse(keyId) == null) {
      return Optional.empty();
    }
    return access
        .read(() -> store.find(keyId))
        .filter(stored -> onlyOwner == null || stored.record().owner().equals(onlyOwner))
        .map(access::withOwnUse);
  }

  List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return access.read(() -> store.list(filter, after, limit));
  }

  /**
   * Tells the host of a change that was made for a reason to look into, after the commit. A
   * repeated call tells it again: the answer to the first may have been lost before it was told.
   */
  void tellIfAlarming(Change change, @Nullable RevocationReason reason) {
    if (reason != null
        && ALARMING.contains(reason)
        && (change.isApplied() || change.isRepeated())) {
      access.alert(change.details().id(), reason);
    }
  }

  Operation operation(String action, Cause cause, @Nullable String reason) {
    return Operation.of(action, cause, reason, onlyOwner);
  }

  KeyDetails details(StoredKey stored, Instant now) {
    return new KeyDetails(stored, now, settings.rotation());
  }

  Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
