package io.keystile.store;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where keys are kept. The core decides, the store keeps: every life-cycle step is a pure function
 * from one {@link KeyRecord} to the next, computed by the core, and a store offers few operations
 * with stated atomicity.
 *
 * <p>The rules below carry a number. The contract kit ({@code keystile-store-tck}) has a test of
 * the same number for each; an adapter is right when the kit passes.
 *
 * <h2>Rules for every method</h2>
 *
 * <ul>
 *   <li><b>G1</b> Safe for use by many threads at once.
 *   <li><b>G2</b> Every value comes back equal to what was written: text byte for byte (no
 *       trimming, no case folding, no normalising), times to the millisecond in whatever time zone
 *       the database session runs.
 *   <li><b>G3</b> Text is compared byte for byte: two owners that differ only in case, accent or
 *       trailing blank are two owners.
 *   <li><b>G4</b> What is read is read whole: a record is returned as one write left it, with all
 *       its secret versions, never parts of two writes.
 *   <li><b>G5</b> A failing store throws {@link StoreException} and no other exception; its message
 *       holds no hash, no owner and no other stored value. Illegal arguments are {@link
 *       IllegalArgumentException} or {@link NullPointerException}.
 *   <li><b>G6</b> A method that throws {@link StoreException} has changed nothing, unless the
 *       exception is of the kind {@link StoreException.Kind#OUTCOME_UNKNOWN}.
 *   <li><b>G7</b> A store reads no clock: time comes in with the arguments. ({@link
 *       SharedLimits#read}, a capability that a store may have besides, is the one exception.)
 * </ul>
 *
 * <h2>Transactions</h2>
 *
 * <p>A store may take part in the host's transactions.
 *
 * <ul>
 *   <li><b>G8</b> If it does, {@link #insert}, {@link #find}, {@link #replace}, {@link #list},
 *       {@link #audit} and {@link #purge} join the transaction of the calling thread, if there is
 *       one; whatever they answer, the transaction stays usable, unless they throw. {@link #load}
 *       and {@link #changesSince} <em>never</em> join: what they return is cached for everybody,
 *       and must be what is committed now, not what an old or an uncommitted snapshot shows. {@link
 *       #recordUse} never does either: it is called from background threads.
 * </ul>
 *
 * <h2>The request path</h2>
 *
 * <p>Only {@link #load} is called while a request waits, on a thread of the core's: the request
 * leaves at its deadline, the call itself nobody ends but the store. All methods may block; a store
 * that limits the time of its reads gives the core its threads back.
 */
public interface KeyStore {

  /**
   * Inserts new keys, all or none: records, secret versions, audit entries and change notices
   * together.
   *
   * <ul>
   *   <li><b>I1</b> Atomic: after {@link WriteOutcome.Kind#APPLIED} all of the list is stored;
   *       after anything else none of it is.
   *   <li><b>I2</b> A key id that is stored already: {@link WriteOutcome.Kind#DUPLICATE}; what is
   *       stored stays as it is.
   *   <li><b>I3</b> An operation id that the audit holds already: {@link
   *       WriteOutcome.Kind#REPEATED} with that entry, before any other outcome. Nothing is done.
   *   <li><b>I4</b> When {@code ownerMaximum} would be passed: {@link
   *       WriteOutcome.Kind#OWNER_FULL}. Counted are the owner's keys that are not revoked and not
   *       ended ({@link KeyRecord#liveUntil()}) at the time of the audit entry. The bound holds
   *       when several nodes insert at once.
   *   <li><b>I5</b> Of several concurrent inserts of one key id, or with one operation id, exactly
   *       one is applied.
   *   <li><b>I6</b> Each insert leaves one change notice per key ({@link #changesSince}), so that a
   *       node that remembers "no such key" forgets it.
   * </ul>
   *
   * @param writes the keys, each at revision 1, all of one owner where a maximum is given; not
   *     empty, no two with the same key id or operation id
   * @param ownerMaximum how many live keys the owner may have after this, at least 1; {@link
   *     Integer#MAX_VALUE} for no maximum
   * @return what happened
   * @throws StoreException if the store fails
   */
  WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum);

  /**
   * Finds one key, for administration: in the host's transaction, where there is one, with what was
   * written earlier in it.
   *
   * <ul>
   *   <li><b>F1</b> Returns the record and its last use, or empty if no such key is stored.
   *   <li><b>F2</b> Reads the record in one statement or one snapshot (rule G4).
   * </ul>
   *
   * @param keyId the key id, 22 characters
   * @return the key, or empty
   * @throws StoreException if the store fails
   */
  Optional<StoredKey> find(String keyId);

  /**
   * Loads one key for validation. This is the one method on the request path.
   *
   * <ul>
   *   <li><b>L1</b> Returns the record as it is committed at some moment between call and return,
   *       whatever transaction the calling thread has open.
   *   <li><b>L2</b> One round trip.
   * </ul>
   *
   * @param keyId the key id, 22 characters
   * @return the record, or empty if no such key is stored
   * @throws StoreException if the store fails
   */
  Optional<KeyRecord> load(String keyId);

  /**
   * Replaces a record if nobody else has changed it: compare-and-set on the revision.
   *
   * <ul>
   *   <li><b>R1</b> Applied if and only if the stored revision is {@code record.revision() - 1}.
   *       Else {@link WriteOutcome.Kind#CONFLICT}, also when no such key is stored.
   *   <li><b>R2</b> Atomic: record, secret versions (those no longer listed are removed), audit
   *       entry and one change notice together, or nothing.
   *   <li><b>R3</b> An operation id that the audit holds already: {@link
   *       WriteOutcome.Kind#REPEATED} with that entry, before any other outcome. Nothing is done.
   *   <li><b>R4</b> Of several concurrent replacements of one revision exactly one is applied.
   *   <li><b>R5</b> Last use ({@link #recordUse}) is not touched, but for that of a version that is
   *       removed, which goes with it.
   * </ul>
   *
   * @param write the new record and its audit entry
   * @return what happened
   * @throws StoreException if the store fails
   */
  WriteOutcome replace(KeyWrite write);

  /**
   * Lists keys in the byte order of their ids, which is the order of their creation.
   *
   * <ul>
   *   <li><b>Q1</b> Returns the first {@code limit} keys that match and whose id is greater than
   *       {@code after}. A result shorter than {@code limit} is the last page.
   *   <li><b>Q2</b> While others write, a key that exists and matches throughout is seen exactly
   *       once over all pages.
   *   <li><b>Q3</b> A page costs a fixed number of statements, however many keys it holds.
   *   <li><b>Q4</b> All conditions of the filter hold together, for the record as the last write
   *       left it and for what it {@linkplain KeyRecord#olderUntil() derives} from its versions.
   * </ul>
   *
   * @param filter which keys
   * @param after the id of the last key of the page before, or null for the first page
   * @param limit how many at most, 1 to 1000
   * @return the page
   * @throws StoreException if the store fails
   */
  List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit);

  /**
   * Notes when secret versions were last used. Kept apart from the record: no revision, no audit
   * entry, no change notice.
   *
   * <ul>
   *   <li><b>U1</b> Monotonic: an older time never replaces a newer one, in whatever order and from
   *       however many nodes marks arrive; each of the two times by itself.
   *   <li><b>U2</b> Idempotent: the same marks twice leave what once leaves.
   *   <li><b>U3</b> Marks of keys, and of versions, that are not stored are ignored.
   *   <li><b>U4</b> The stored revision and {@link #changesSince} do not move.
   * </ul>
   *
   * @param marks in any order, at most one per key and version; may be empty
   * @throws StoreException if the store fails; then some of the marks may be stored
   */
  void recordUse(List<UseMark> marks);

  /**
   * Returns notices of changed keys that the caller has not seen. Notices are numbered by the
   * store; numbers rise, but they may become visible out of order (a transaction that began earlier
   * may commit later) and some never appear (a rolled back transaction). So the caller keeps the
   * gaps below the highest number it saw, and asks for them too.
   *
   * <ul>
   *   <li><b>C1</b> Returns, in rising order, the first {@code limit} notices whose number is
   *       greater than {@code cursor.after()} or lies in one of its gaps.
   *   <li><b>C2</b> Every applied insert, replacement and purge of a key has a notice, visible as
   *       soon as the change itself is.
   *   <li><b>C3</b> A number, once seen, is never given to another change, and a change that
   *       becomes visible later has a number above {@code cursor.after()} or in a gap.
   *   <li><b>C4</b> Reads what is committed now, however often it is called on whatever connection;
   *       never a snapshot of an earlier call.
   * </ul>
   *
   * @param cursor what the caller has seen
   * @param limit how many at most, 1 to 10000
   * @return the notices, and the oldest and newest number that are kept
   * @throws StoreException if the store fails
   */
  Changes changesSince(ChangeCursor cursor, int limit);

  /**
   * Reads the audit trail in the order of its numbers. It is append-only. Numbers may become
   * visible out of order, since a transaction that began earlier may commit later: who follows the
   * trail as it grows reads again some way behind its end.
   *
   * <ul>
   *   <li><b>A1</b> Every applied insert, replacement and purge of a key has exactly one entry, the
   *       one that came with it, written in the same transaction; what was not applied has none.
   *   <li><b>A2</b> Returns the first {@code limit} entries that match and whose number is greater
   *       than {@code after}.
   *   <li><b>A3</b> Entries outlive their key; only {@link Purge#auditBefore()} removes them.
   * </ul>
   *
   * @param filter which entries
   * @param after the number of the last entry of the page before, or 0 for the first page
   * @param limit how many at most, 1 to 1000
   * @return the page
   * @throws StoreException if the store fails
   */
  List<AuditEntry> audit(AuditFilter filter, long after, int limit);

  /**
   * Removes keys, old audit entries and old change notices.
   *
   * <ul>
   *   <li><b>P1</b> A key is removed, with its secret versions and last use, if and only if its
   *       stored revision is still {@code record.revision()}; each removal is atomic with its audit
   *       entry and change notice. Others are left alone.
   *   <li><b>P2</b> Audit entries older than {@link Purge#auditBefore()} and notices older than
   *       {@link Purge#changesBefore()} are removed, at most {@link Purge#limit()} of each per
   *       call.
   *   <li><b>P3</b> Idempotent: a key that is gone already is not an error, is not counted, and
   *       gets no second audit entry. A key whose operation id the audit holds already is left
   *       alone.
   * </ul>
   *
   * @param purge what to remove
   * @return how much was removed
   * @throws StoreException if the store fails; then a part may have been removed, each key wholly
   *     or not at all
   */
  Purge.Result purge(Purge purge);

  /**
   * Runs an action once what the calling thread has written is committed.
   *
   * <ul>
   *   <li><b>T1</b> Without a transaction of the host's: at once, on the calling thread.
   *   <li><b>T2</b> In a transaction of the host's: after its commit, and never after a rollback.
   * </ul>
   *
   * @param action what to run; does not block and does not throw
   */
  void afterCommit(Runnable action);
}
