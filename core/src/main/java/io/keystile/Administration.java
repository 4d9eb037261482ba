package io.keystile;

import io.keystile.KeyException.Failure;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The verbs that change and show keys, over a store: {@link Lifecycle} decides, the store keeps,
 * and what is here repeats a lost race, recognises a repeated call and says what failed. For any
 * thread; everything may block.
 *
 * <p>A race that was lost is tried again with what the winner left, so that the outcome is that of
 * one call after the other. Not so in a transaction of the host's: it may not see what the winner
 * did, or may be broken already, so there {@link Failure#CONFLICT} is reported at once.
 */
final class Administration {

  /** Each lost race means that somebody else got ahead, so this many in a row do not happen. */
  private static final int ATTEMPTS = 1000;

  private static final String REVOKE = "revoke";
  private static final int PAGE = 200;
  private static final int PURGE_LIMIT = 10_000;
  private static final Duration NOTICES_KEPT = Duration.ofDays(1);
  private static final Set<State> NOT_REVOKED = Set.of(State.ACTIVE, State.DISABLED);

  private final KeyStore store;
  private final KeyMint mint;
  private final InstantSource clock;
  private final LifecycleSettings settings;
  private final StoreAccess access;

  /** If not null, the keys of all others do not exist here. */
  private final @Nullable String onlyOwner;

  Administration(
      KeyStore store,
      KeyMint mint,
      InstantSource clock,
      LifecycleSettings settings,
      LocalNode node) {
    this.store = store;
    this.mint = mint;
    this.clock = clock;
    this.settings = settings;
    this.access = new StoreAccess(store, node);
    this.onlyOwner = null;
  }

  private Administration(Administration whole, String onlyOwner) {
    store = whole.store;
    mint = whole.mint;
    clock = whole.clock;
    settings = whole.settings;
    access = whole.access;
    this.onlyOwner = onlyOwner;
  }

  /** The same for the keys of one owner, as if there were no others. */
  Administration within(String owner) {
    return new Administration(this, owner);
  }

  /** The rules of the host. */
  LifecycleSettings settings() {
    return settings;
  }

  /** What a change makes of a key. */
  @FunctionalInterface
  private interface Step {
    KeyRecord next(StoredKey stored, Instant now);
  }

  /** How a key is after a change, and whether it was this call that changed it. */
  private record Change(KeyDetails details, boolean isApplied) {}

  /** How many keys were there to revoke, and how many of them this call has revoked. */
  private record Found(int keys, int revoked) {}

  IssuedKey issue(KeySpec spec) {
    TokenPrefix prefix = settings.prefix(spec.brand(), spec.environment());
    Operation operation = operation(Operation.ISSUE, spec.cause(), null);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      KeyMint.Minted minted = mint.mint(prefix);
      KeyRecord record;
      try {
        record = Lifecycle.issue(spec, minted, settings);
      } catch (KeyException | IllegalArgumentException e) {
        return repeated(earlier(operation, spec.owner()).orElseThrow(() -> e));
      }
      List<KeyWrite> writes = List.of(operation.write(null, record, minted.createdAt()));
      WriteOutcome outcome =
          access.write(
              operation, List.of(record.id()), () -> store.insert(writes, settings.ownerMaximum()));
      switch (outcome.kind()) {
        case APPLIED -> {
          StoredKey stored = new StoredKey(record, List.of());
          return IssuedKey.fresh(new KeyDetails(stored, now()), minted.revealToken());
        }
        case REPEATED -> {
          AuditEntry earlier = Objects.requireNonNull(outcome.earlier());
          operation.requireSame(earlier, spec.owner());
          return repeated(earlier);
        }
        case OWNER_FULL ->
            throw new KeyException(
                Failure.OWNER_FULL, "the owner has as many keys as permitted", null);
        case DUPLICATE, CONFLICT -> {
          // the next id is another one
        }
      }
    }
    throw StoreAccess.conflict(null);
  }

  private IssuedKey repeated(AuditEntry earlier) {
    return IssuedKey.repeated(find(earlier.keyId()).orElseThrow(KeyException::unknownKey));
  }

  Optional<KeyDetails> find(String keyId) {
    return read(keyId).map(stored -> new KeyDetails(stored, now()));
  }

  KeyPage list(KeyQuery query) {
    if (onlyOwner != null) {
      if (query.owner() != null && !query.owner().equals(onlyOwner)) {
        return new KeyPage(List.of(), null);
      }
      query = query.owner(onlyOwner);
    }
    Instant now = now();
    List<StoredKey> keys = list(query.toFilter(now), query.after(), query.limit());
    return new KeyPage(
        keys.stream().map(stored -> new KeyDetails(stored, now)).toList(),
        keys.size() < query.limit() ? null : lastId(keys));
  }

  KeyDetails update(String keyId, KeyUpdate update) {
    return change(
        keyId,
        operation("update", update.cause(), null),
        (stored, now) -> Lifecycle.update(stored.record(), update, now));
  }

  KeyDetails disable(String keyId, Cause cause) {
    return change(
        keyId,
        operation("disable", cause, null),
        (stored, now) -> Lifecycle.disable(stored.record()));
  }

  KeyDetails enable(String keyId, Cause cause) {
    return change(
        keyId,
        operation("enable", cause, null),
        (stored, now) -> Lifecycle.enable(stored.record()));
  }

  KeyDetails extend(String keyId, Duration lifetime, Cause cause) {
    Arguments.lifetime(lifetime, "lifetime");
    return change(
        keyId,
        operation("extend", cause, null),
        (stored, now) ->
            Lifecycle.extend(stored.record(), lifetime, settings.personalMaximum(), now));
  }

  KeyDetails revoke(String keyId, Revocation revocation) {
    String reason = revocation.reason().name();
    return revoke(keyId, revocation, operation(REVOKE, revocation.cause(), reason)).details();
  }

  /** Returns how many keys this call, and nobody else, has revoked. */
  int revokeAll(KeyQuery which, Revocation revocation) {
    KeyFilter filter = which.toFilterOfRevocable(now());
    Operation operation = Operation.ofMany(REVOKE, revocation.cause(), revocation.reason().name());
    int revoked = 0;
    // a node whose clock is behind may issue a key that sorts before what was read already
    for (int pass = 0; pass < ATTEMPTS; pass++) {
      Found found = revokeListed(filter, revocation, operation);
      if (found.keys() == 0) {
        return revoked;
      }
      revoked += found.revoked();
    }
    throw StoreAccess.conflict(null);
  }

  private Found revokeListed(KeyFilter filter, Revocation revocation, Operation operation) {
    int found = 0;
    int revoked = 0;
    String after = null;
    List<StoredKey> keys;
    do {
      keys = list(filter, after, PAGE);
      for (StoredKey stored : keys) {
        after = stored.record().id();
        try {
          revoked += revoke(after, revocation, operation.on(after)).isApplied() ? 1 : 0;
        } catch (KeyException e) {
          if (e.failure() != Failure.UNKNOWN_KEY) { // else it was purged meanwhile
            throw e;
          }
        }
        found++;
      }
    } while (keys.size() == PAGE);
    return new Found(found, revoked);
  }

  private Change revoke(String keyId, Revocation revocation, Operation operation) {
    return apply(keyId, operation, (stored, now) -> Lifecycle.revoke(stored, revocation, now));
  }

  /** The audit trail, oldest first. */
  List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    if (filter.keyId() != null && KeyId.parse(filter.keyId()) == null) {
      return List.of();
    }
    if (filter.owner() != null) {
      Arguments.name(filter.owner(), "owner");
    }
    if (filter.operationId() != null) {
      Arguments.name(filter.operationId(), "operationId");
    }
    return access.read(() -> store.audit(filter, after, limit));
  }

  /**
   * Removes for good what is old enough.
   *
   * @param keysKept how long keys stay after they were revoked or have ended
   * @param auditKept how long audit entries stay
   */
  Purge.Result purge(Duration keysKept, Duration auditKept, Cause cause) {
    Instant now = now();
    Instant keysBefore = Arguments.minus(now, notNegative(keysKept, "keysKept"));
    Instant auditBefore = Arguments.minus(now, notNegative(auditKept, "auditKept"));
    Instant changesBefore = Arguments.minus(now, NOTICES_KEPT);
    Operation operation = Operation.ofMany("purge", cause, null);
    int keys =
        purgeKeys(
                KeyFilter.builder().states(Set.of(State.REVOKED)).revokedBefore(keysBefore).build(),
                operation)
            + purgeKeys(
                KeyFilter.builder().states(NOT_REVOKED).liveUntil(keysBefore).build(), operation);
    int auditEntries = 0;
    int changes = 0;
    Purge.Result step;
    do {
      step = purge(new Purge(List.of(), auditBefore, changesBefore, PURGE_LIMIT), operation);
      auditEntries += step.auditEntries();
      changes += step.changes();
    } while (step.auditEntries() == PURGE_LIMIT || step.changes() == PURGE_LIMIT);
    return new Purge.Result(keys, auditEntries, changes);
  }

  private int purgeKeys(KeyFilter filter, Operation operation) {
    int removed = 0;
    String after = null;
    List<StoredKey> keys;
    do {
      keys = list(filter, after, PAGE);
      if (!keys.isEmpty()) {
        Instant now = now();
        List<KeyWrite> removals =
            keys.stream()
                .map(StoredKey::record)
                .map(record -> operation.on(record.id()).removal(record, now))
                .toList();
        int gone = purge(new Purge(removals, null, null, PURGE_LIMIT), operation).keys();
        if (gone < removals.size()) {
          // or else an id that was used for another verb would keep keys for ever, and say nothing
          keys.forEach(key -> earlier(operation.on(key.record().id()), key.record().id()));
        }
        removed += gone;
        after = lastId(keys);
      }
    } while (keys.size() == PAGE);
    return removed;
  }

  private Purge.Result purge(Purge purge, Operation operation) {
    List<String> keyIds = purge.keys().stream().map(write -> write.record().id()).toList();
    return access.write(operation, keyIds, () -> store.purge(purge));
  }

  private KeyDetails change(String keyId, Operation operation, Step step) {
    return apply(keyId, operation, step).details();
  }

  /** Reads, decides, and writes if nobody else has written meanwhile; else once more. */
  private Change apply(String keyId, Operation operation, Step step) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      StoredKey stored = read(keyId).orElseThrow(KeyException::unknownKey);
      KeyRecord record = stored.record();
      Instant now = now();
      KeyRecord next;
      try {
        next = step.next(stored, now);
      } catch (KeyException | IllegalArgumentException e) {
        if (earlier(operation, keyId).isEmpty()) {
          throw e;
        }
        next = record;
      }
      if (next.equals(record)) {
        // it may have been another node that has changed it, and this one may not know yet
        access.changed(List.of(keyId));
        return new Change(new KeyDetails(stored, now), false);
      }
      KeyWrite write = operation.write(record, next, now);
      WriteOutcome outcome = access.write(operation, List.of(keyId), () -> store.replace(write));
      switch (outcome.kind()) {
        case APPLIED -> {
          return new Change(new KeyDetails(new StoredKey(next, stored.uses()), now), true);
        }
        case REPEATED -> {
          operation.requireSame(Objects.requireNonNull(outcome.earlier()), keyId);
          return new Change(find(keyId).orElseThrow(KeyException::unknownKey), false);
        }
        default -> access.lost(null); // else the record has moved on
      }
    }
    throw StoreAccess.conflict(null);
  }

  /** What a call that is refused now did when it came first. */
  private Optional<AuditEntry> earlier(Operation operation, String target) {
    if (!operation.isNamedByCaller()) {
      return Optional.empty();
    }
    AuditFilter sameId = new AuditFilter(null, null, operation.storedId(), null, null);
    Optional<AuditEntry> earlier =
        access.read(() -> store.audit(sameId, 0, 1)).stream().findFirst();
    earlier.ifPresent(entry -> operation.requireSame(entry, target));
    return earlier;
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

  private List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
    return access.read(() -> store.list(filter, after, limit));
  }

  private Operation operation(String action, Cause cause, @Nullable String reason) {
    return Operation.of(action, cause, reason, onlyOwner);
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private static String lastId(List<StoredKey> keys) {
    return keys.get(keys.size() - 1).record().id();
  }

  private static Duration notNegative(Duration duration, String option) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException(option + ": must not be negative");
    }
    return duration;
  }
}
