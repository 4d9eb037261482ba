package io.keystile;

import io.keystile.KeyEditor.Change;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The verbs that issue, show, change and remove keys: {@link Lifecycle} decides, {@link KeyEditor}
 * reads and writes, and what is here says which, and goes through many. For any thread; everything
 * may block.
 */
final class Administration {

  private static final String REVOKE = "revoke";
  private static final int PAGE = 200;
  private static final int PURGE_LIMIT = 10_000;
  private static final Duration NOTICES_KEPT = Duration.ofDays(1);
  private static final Set<State> NOT_REVOKED = Set.of(State.ACTIVE, State.DISABLED);

  private final KeyEditor editor;
  private final KeyMint mint;
  private final KeyStore store;
  private final StoreAccess access;

  Administration(KeyEditor editor, KeyMint mint) {
    this.editor = editor;
    this.mint = mint;
    store = editor.store();
    access = editor.access();
  }

  /** The same for the keys of one owner, as if there were no others. */
  Administration within(String owner) {
    return new Administration(editor.within(owner), mint);
  }

  /** The verbs about the secrets of a key. */
  Rotator secrets() {
    return new Rotator(editor, mint);
  }

  /** The rules of the host. */
  LifecycleSettings settings() {
    return editor.settings();
  }

  /** How many keys were there to revoke, and how many of them this call has revoked. */
  private record Found(int keys, int revoked) {}

  IssuedKey issue(KeySpec spec) {
    TokenPrefix prefix = settings().prefix(spec.brand(), spec.environment());
    Operation operation = editor.operation(Operation.ISSUE, spec.cause(), null);
    for (int attempt = 0; attempt < KeyEditor.ATTEMPTS; attempt++) {
      KeyMint.Minted minted = mint.mint(prefix);
      KeyRecord record;
      try {
        record = Lifecycle.issue(spec, minted, settings());
      } catch (KeyException | IllegalArgumentException e) {
        return repeated(editor.earlier(operation, spec.owner()).orElseThrow(() -> e));
      }
      List<KeyWrite> writes = List.of(operation.write(null, record, minted.createdAt()));
      WriteOutcome outcome =
          access.write(
              operation,
              List.of(record.id()),
              () -> store.insert(writes, settings().ownerMaximum()));
      switch (outcome.kind()) {
        case APPLIED -> {
          StoredKey stored = new StoredKey(record, List.of());
          return IssuedKey.fresh(editor.details(stored, editor.now()), minted.revealToken());
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
    KeyDetails details = find(earlier.keyId()).orElseThrow(KeyException::unknownKey);
    return IssuedKey.repeated(details, earlier);
  }

  Optional<KeyDetails> find(String keyId) {
    return editor.find(keyId);
  }

  KeyPage list(KeyQuery query) {
    String onlyOwner = editor.onlyOwner();
    if (onlyOwner != null) {
      if (query.owner() != null && !query.owner().equals(onlyOwner)) {
        return new KeyPage(List.of(), null);
      }
      query = query.owner(onlyOwner);
    }
    Instant now = editor.now();
    KeyFilter filter = query.toFilter(now, settings().rotation());
    List<KeyDetails> keys = new ArrayList<>();
    String after = query.after();
    // the store finds all that are due, and some that are not: it does not know every rule
    int read = query.isRotationDue() ? Math.max(query.limit(), PAGE) : query.limit();
    List<StoredKey> page;
    do {
      page = editor.list(filter, after, read);
      for (StoredKey stored : page) {
        after = stored.record().id();
        KeyDetails details = editor.details(stored, now);
        if (!query.isRotationDue() || details.isRotationDue(now)) {
          keys.add(details);
          if (keys.size() == query.limit()) {
            return new KeyPage(keys, after);
          }
        }
      }
    } while (page.size() == read);
    return new KeyPage(keys, null);
  }

  KeyDetails update(String keyId, KeyUpdate update) {
    return change(
        keyId,
        editor.operation("update", update.cause(), null),
        (stored, now) -> Lifecycle.update(stored.record(), update, now));
  }

  KeyDetails disable(String keyId, Cause cause) {
    return change(
        keyId,
        editor.operation("disable", cause, null),
        (stored, now) -> Lifecycle.disable(stored.record()));
  }

  KeyDetails enable(String keyId, Cause cause) {
    return change(
        keyId,
        editor.operation("enable", cause, null),
        (stored, now) -> Lifecycle.enable(stored.record()));
  }

  KeyDetails extend(String keyId, Duration lifetime, Cause cause) {
    Arguments.lifetime(lifetime, "lifetime");
    return change(
        keyId,
        editor.operation("extend", cause, null),
        (stored, now) ->
            Lifecycle.extend(stored.record(), lifetime, settings().personalMaximum(), now));
  }

  KeyDetails revoke(String keyId, Revocation revocation) {
    String reason = revocation.reason().name();
    return revoke(keyId, revocation, editor.operation(REVOKE, revocation.cause(), reason))
        .details();
  }

  /** Returns how many keys this call, and nobody else, has revoked. */
  int revokeAll(KeyQuery which, Revocation revocation) {
    KeyFilter filter = which.toFilterOfRevocable(editor.now());
    Operation operation = Operation.ofMany(REVOKE, revocation.cause(), revocation.reason().name());
    int revoked = 0;
    // a node whose clock is behind may issue a key that sorts before what was read already
    for (int pass = 0; pass < KeyEditor.ATTEMPTS; pass++) {
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
    for (List<StoredKey> page : pages(filter)) {
      for (StoredKey stored : page) {
        String id = stored.record().id();
        try {
          revoked += revoke(id, revocation, operation.on(id)).isApplied() ? 1 : 0;
        } catch (KeyException e) {
          if (e.failure() != Failure.UNKNOWN_KEY) { // else it was purged meanwhile
            throw e;
          }
        }
        found++;
      }
    }
    return new Found(found, revoked);
  }

  private Change revoke(String keyId, Revocation revocation, Operation operation) {
    Change change =
        editor.apply(keyId, operation, (stored, now) -> Lifecycle.revoke(stored, revocation, now));
    editor.tellIfAlarming(change, revocation.reason());
    return change;
  }

  /**
   * How many keys have a secret that works, or may work again, and is hashed with this pepper; with
   * none if it is null.
   */
  int countNeeding(@Nullable String pepperId) {
    Instant now = editor.now();
    KeyFilter filter =
        KeyFilter.builder().pepperId(pepperId).states(NOT_REVOKED).liveAfter(now).build();
    int count = 0;
    for (List<StoredKey> page : pages(filter)) {
      for (StoredKey stored : page) {
        count += needs(stored.record(), pepperId, now) ? 1 : 0;
      }
    }
    return count;
  }

  /** Whether a secret with this pepper has not ended; that the key has not is known. */
  private static boolean needs(KeyRecord record, @Nullable String pepperId, Instant now) {
    return record.versions().stream()
        .anyMatch(
            version ->
                Objects.equals(version.pepperId(), pepperId)
                    && !Lifecycle.hasEnded(version.end(), now));
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
    Instant now = editor.now();
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
    for (List<StoredKey> page : pages(filter)) {
      List<KeyRecord> records = page.stream().map(StoredKey::record).toList();
      int gone = remove(records, operation);
      if (gone < records.size()) {
        // or else an id that was used for another verb would keep keys for ever, and say nothing
        records.forEach(record -> editor.earlier(operation.on(record.id()), record.id()));
      }
      removed += gone;
    }
    return removed;
  }

  /** Removes these keys, or leaves their tombstones, unless they have changed meanwhile. */
  private int remove(List<KeyRecord> records, Operation operation) {
    Instant now = editor.now();
    List<KeyWrite> removals = new ArrayList<>();
    int removed = 0;
    for (KeyRecord record : records) {
      Operation each = operation.on(record.id());
      if (Tombstone.isOwedTo(record)) {
        KeyWrite write = each.writeOfWhole(record, Tombstone.of(record, now), now);
        WriteOutcome outcome = access.write(each, List.of(record.id()), () -> store.replace(write));
        removed += outcome.kind() == WriteOutcome.Kind.APPLIED ? 1 : 0;
      } else {
        removals.add(each.removal(record, now));
      }
    }
    return removed + purge(new Purge(removals, null, null, PURGE_LIMIT), operation).keys();
  }

  private Purge.Result purge(Purge purge, Operation operation) {
    List<String> keyIds = purge.keys().stream().map(write -> write.record().id()).toList();
    return access.write(operation, keyIds, () -> store.purge(purge));
  }

  private KeyDetails change(String keyId, Operation operation, KeyEditor.Step step) {
    return editor.apply(keyId, operation, step).details();
  }

  /** All keys that a filter finds; each page is read when the one before it is done with. */
  private Iterable<List<StoredKey>> pages(KeyFilter filter) {
    return () ->
        Stream.iterate(
                editor.list(filter, null, PAGE),
                page -> !page.isEmpty(),
                page -> page.size() < PAGE ? List.of() : editor.list(filter, lastId(page), PAGE))
            .iterator();
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
