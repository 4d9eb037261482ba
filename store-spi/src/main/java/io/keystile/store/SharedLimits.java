package io.keystile.store;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What a store offers besides {@link KeyStore} if several nodes are to keep limits together. A
 * store that can do it implements both; one that cannot is a store all the same, and each of its
 * nodes counts for itself.
 *
 * <p>How limits are shared is the core's: it writes down in a ledger which node may spend how much,
 * and until when. The store keeps these small texts, lets the first of several writers win, and
 * tells the time, so that all nodes go by one clock. The rules below have tests of the same number
 * in the contract kit.
 *
 * <h2>Rules for every method</h2>
 *
 * <ul>
 *   <li><b>S1</b> Every value comes back equal to what was written: the text byte for byte, with
 *       blanks at its ends, the time to the millisecond in whatever time zone the database session
 *       runs. Ids are compared byte for byte.
 *   <li><b>S2</b> Safe for use by many threads; called from background threads. None joins a
 *       transaction of the host's: what is read is what is committed, and what is written stays
 *       when the host rolls back.
 *   <li><b>S3</b> A failing store throws {@link StoreException} and no other exception; its message
 *       holds no id and no text. Illegal arguments are {@link IllegalArgumentException} or {@link
 *       NullPointerException}, and change nothing.
 * </ul>
 */
public interface SharedLimits {

  /**
   * What nodes have written down about one thing that is limited. Only the core can read it.
   *
   * @param id what it is about: 1 to 64 characters of printable ASCII, no blanks
   * @param revision 1 when it is inserted, and one more with each replacement
   * @param text 0 to 4000 characters of printable ASCII, blanks among them
   * @param keepUntil the store keeps it until then, and longer if it is not purged; whole
   *     milliseconds
   */
  record Ledger(String id, long revision, String text, Instant keepUntil) {
    /** Checks the values. */
    public Ledger {
      Checks.ledgerId(id);
      Checks.require(revision >= 1, "revision: must be at least 1");
      Checks.ledgerText(text);
      Checks.millis(Objects.requireNonNull(keepUntil, "keepUntil"), "keepUntil");
    }
  }

  /**
   * An answer of {@link #read}.
   *
   * @param now what the store's clock said; whole milliseconds
   * @param ledgers those that are stored, in any order
   */
  record Snapshot(Instant now, List<Ledger> ledgers) {
    /** Checks the time and copies the list. */
    public Snapshot {
      Checks.millis(now, "now");
      ledgers = List.copyOf(ledgers);
    }
  }

  /**
   * Reads ledgers, and the store's clock.
   *
   * <ul>
   *   <li><b>S4</b> Returns the ledgers of these ids that are stored, each once, and as one
   *       replacement left it: each as it is committed at some moment between call and return.
   *   <li><b>S5</b> {@link Snapshot#now()} is read between call and return, and not after the
   *       ledgers: what was written before that time is in them. It is one clock for all nodes, and
   *       it moves on. This is the one exception to rule G7 of {@link KeyStore}, and nothing but
   *       this answer may depend on that clock.
   * </ul>
   *
   * @param ids at most 1000, in any order; one that no ledger can have is stored nowhere. If there
   *     are none, only the clock is read
   * @return the ledgers and the time
   * @throws StoreException if the store fails
   */
  Snapshot read(Collection<String> ids);

  /**
   * Inserts and replaces ledgers that nobody else has changed: compare-and-set on each revision.
   *
   * <ul>
   *   <li><b>S6</b> A ledger is written if and only if the stored revision is {@code
   *       ledger.revision() - 1}; at revision 1 if and only if none with its id is stored.
   *   <li><b>S7</b> Each by itself: those that are refused keep no other from being written.
   *       Returned are the ids of those that were written, and no others.
   *   <li><b>S8</b> Of several concurrent replacements of one revision, or insertions of one id,
   *       exactly one is applied.
   *   <li><b>S9</b> If it throws {@link StoreException}, none was written, unless the exception is
   *       of the kind {@link StoreException.Kind#OUTCOME_UNKNOWN}.
   * </ul>
   *
   * @param ledgers at most 1000, in any order, no two with the same id; may be empty
   * @return the ids of those that were written
   * @throws StoreException if the store fails
   */
  Set<String> replace(List<Ledger> ledgers);

  /**
   * Removes ledgers that need not be kept any longer.
   *
   * <ul>
   *   <li><b>S10</b> Removes ledgers whose {@link Ledger#keepUntil()} is before the given time, at
   *       most {@code limit} of them, and no others: one that is replaced by a ledger to be kept
   *       longer, before it is removed, stays.
   *   <li><b>S11</b> Idempotent: what is gone is not an error and is not counted. A ledger that was
   *       removed may be inserted again, with revision 1.
   * </ul>
   *
   * @param before the time; whole milliseconds
   * @param limit how many at most, 1 to 100000
   * @return how many were removed; fewer than {@code limit} if no more were found
   * @throws StoreException if the store fails; then some may have been removed
   */
  int purge(Instant before, int limit);
}
