package io.keystile;

import io.keystile.KeyImport.Progress;
import io.keystile.KeyImport.Refusal;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes over keys that were issued elsewhere, a batch at a time, so that any number of them needs
 * the memory of one batch. For any thread; blocks.
 *
 * <p>The key id follows from the token's digest, and the operation id from the key id. So a key
 * that comes again, in whatever order and from whatever node, meets itself.
 */
final class KeyImporter {

  /** How many keys are read, and at most stored in one transaction, between two reports. */
  static final int BATCH = 500;

  private static final String ACTION = "import";
  private static final int LISTED_REFUSALS = 1000;

  private final KeyEditor editor;
  private final StoreAccess access;
  private final SecretHasher hasher;
  private final @Nullable ForeignTokens foreignTokens;

  /**
   * @param foreignTokens null where imports are off
   */
  KeyImporter(KeyEditor editor, SecretHasher hasher, @Nullable ForeignTokens foreignTokens) {
    this.editor = editor;
    this.access = editor.access();
    this.hasher = hasher;
    this.foreignTokens = foreignTokens;
  }

  /** A key that is ready to be stored. */
  private record Ready(long index, Operation operation, KeyWrite write) {
    String id() {
      return write.record().id();
    }
  }

  /** What one import has done so far. */
  private static final class Tally {
    private final List<Refusal> first = new ArrayList<>();
    private final List<Refusal> unreported = new ArrayList<>();
    private long imported;
    private long present;
    private long refused;

    void refuse(long index, @Nullable String reason) {
      Refusal refusal = new Refusal(index, Objects.requireNonNullElse(reason, "refused"));
      refused++;
      unreported.add(refusal);
      if (first.size() < LISTED_REFUSALS) {
        first.add(refusal);
      }
    }

    Progress report() {
      Progress progress = new Progress(imported, present, refused, unreported);
      unreported.clear();
      return progress;
    }

    KeyImport.Result result() {
      return new KeyImport.Result(imported, present, refused, first);
    }
  }

  KeyImport.Result run(Iterator<? extends KeyImport> keys, Consumer<? super Progress> listener) {
    if (foreignTokens == null) {
      throw new IllegalStateException("importKeys needs importedKeys to be set on the builder");
    }
    Tally tally = new Tally();
    Map<String, Ready> batch = new TreeMap<>(); // two that import alike wait, and do not deadlock
    for (long index = 0; keys.hasNext(); index++) {
      KeyImport key = keys.next(); // what it throws is no refusal of ours
      try {
        Ready ready = prepare(index, key, foreignTokens);
        if (batch.putIfAbsent(ready.id(), ready) != null) {
          tally.present++;
        }
      } catch (IllegalArgumentException | KeyException e) {
        tally.refuse(index, e.getMessage());
      }
      if ((index + 1) % BATCH == 0 || !keys.hasNext()) {
        store(batch.values(), tally);
        batch.clear();
        listener.accept(tally.report());
      }
    }
    return tally.result();
  }

  private Ready prepare(long index, @Nullable KeyImport key, ForeignTokens foreign) {
    if (key == null) {
      throw new IllegalArgumentException("key: must not be null");
    }
    Instant now = editor.now();
    KeySpec spec = key.spec();
    TokenPrefix prefix = editor.settings().prefix(spec.brand(), spec.environment());
    SecretVersion version = version(key, now);
    String id = foreign.id(key.digest()).toString();
    KeyRecord.Builder record =
        spec.toRecord()
            .id(id)
            .prefix(prefix.brand(), prefix.environment())
            .createdAt(version.createdAt())
            .versions(List.of(version));
    key.applyState(record, now);
    Cause cause = spec.cause().ownOperationId(Operation.IMPORT + id);
    Operation operation = Operation.of(ACTION, cause, null, null);
    return new Ready(index, operation, operation.write(null, record.build(), now));
  }

  private SecretVersion version(KeyImport key, Instant now) {
    SecretHasher.Stored stored = hasher.hashForeign(key.digest());
    Cause cause = key.spec().cause();
    return new SecretVersion(
        1,
        stored.scheme(),
        stored.pepperId(),
        stored.hash(),
        key.lastFour(),
        key.issuedAt(now),
        cause.actor(),
        cause.note(),
        expiresAt(key, now),
        null,
        null);
  }

  private @Nullable Instant expiresAt(KeyImport key, Instant now) {
    Instant said = key.expiresAt();
    if (said != null && !said.isAfter(now)) {
      return said;
    }
    KeySpec spec = said == null ? key.spec() : key.spec().lifetime(Duration.between(now, said));
    Duration lifetime = editor.settings().lifetimeOf(spec);
    return lifetime == null ? null : Arguments.plus(now, lifetime);
  }

  /** Stores those that are not there: all at once if none is, which is the rule. */
  private void store(Collection<Ready> batch, Tally tally) {
    if (batch.isEmpty() || isStored(batch, tally)) {
      return;
    }
    List<Ready> missing = batch.stream().filter(ready -> !isPresent(ready)).toList();
    tally.present += batch.size() - missing.size();
    if (missing.isEmpty() || isStored(missing, tally)) {
      return;
    }
    missing.forEach(ready -> storeOne(ready, tally)); // another import is at it, too
  }

  private boolean isStored(Collection<Ready> batch, Tally tally) {
    if (insert(batch).kind() != WriteOutcome.Kind.APPLIED) {
      return false;
    }
    tally.imported += batch.size();
    return true;
  }

  private boolean isPresent(Ready ready) {
    return access.read(() -> editor.store().find(ready.id())).isPresent();
  }

  private void storeOne(Ready ready, Tally tally) {
    WriteOutcome outcome = insert(List.of(ready));
    AuditEntry earlier = outcome.earlier();
    if (outcome.kind() == WriteOutcome.Kind.APPLIED) {
      tally.imported++;
    } else if (earlier == null || ready.operation().isSame(earlier, ready.id())) {
      tally.present++;
    } else {
      tally.refuse(ready.index(), "operationId: that of this import belongs to another call");
    }
  }

  private WriteOutcome insert(Collection<Ready> batch) {
    Operation operation = batch.iterator().next().operation();
    List<KeyWrite> writes = batch.stream().map(Ready::write).toList();
    List<String> ids = batch.stream().map(Ready::id).toList();
    WriteOutcome outcome =
        access.write(operation, ids, () -> editor.store().insert(writes, Integer.MAX_VALUE));
    return switch (outcome.kind()) {
      case APPLIED, DUPLICATE, REPEATED -> outcome;
      case CONFLICT, OWNER_FULL -> throw StoreAccess.conflict(null);
    };
  }
}
