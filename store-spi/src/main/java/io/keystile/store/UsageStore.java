package io.keystile.store;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a store offers besides {@link KeyStore} if usage is to be kept: how often each key was used,
 * for what and from where, per hour and per day. A store that can do it implements both; one that
 * cannot is a store all the same, and its host keeps no usage.
 *
 * <p>Usage comes in batches of tallies, from all nodes, and is added to what is there. What a
 * tally's metric and label mean is the core's; a store adds amounts, and hands them back. The rules
 * below have tests of the same number in the contract kit.
 *
 * <p>A node that was not told what became of a batch adds it again under the same id, for as long
 * as it takes. That is what makes sums exact, and all of it rests on B4 and B5.
 *
 * <h2>Rules for every method</h2>
 *
 * <ul>
 *   <li><b>B1</b> Every value comes back equal to what was written, and is compared byte for byte,
 *       as rules G2 and G3 of {@link KeyStore} say; a plan that is null is none, and differs from
 *       every other.
 *   <li><b>B2</b> Safe for use by many threads. None joins a transaction of the host's: what is
 *       read is what is committed, and what is added stays when the host rolls back.
 *   <li><b>B3</b> A failing store throws {@link StoreException} and no other exception; its message
 *       holds no owner, no plan and no label. Illegal arguments are {@link
 *       IllegalArgumentException} or {@link NullPointerException}, and change nothing. No clock is
 *       read.
 * </ul>
 */
public interface UsageStore {

  /** How long a tally counts; it starts at a multiple of that since 1970, in UTC. */
  enum Period {
    /** An hour. */
    HOUR(Duration.ofHours(1)),
    /** A day. */
    DAY(Duration.ofDays(1));

    private final Duration length;

    Period(Duration length) {
      this.length = length;
    }

    /**
     * How long it is.
     *
     * @return the length
     */
    public Duration length() {
      return length;
    }

    /**
     * The start of the period that a time is in.
     *
     * @param time the time
     * @return the start
     */
    public Instant startOf(Instant time) {
      long millis = time.toEpochMilli();
      return Instant.ofEpochMilli(millis - Math.floorMod(millis, length.toMillis()));
    }
  }

  /**
   * Whose use it is. An owner is not part of what tells things apart, for a key has only one.
   *
   * @param keyId the key
   * @param owner the owner of the key, 1 to 255 bytes of UTF-8
   * @param plan the plan it was used under, 1 to 100 bytes of UTF-8; null if it had none
   */
  record Subject(String keyId, String owner, @Nullable String plan) {
    /** Checks the values. */
    public Subject {
      Checks.keyId(keyId);
      Checks.text(owner, "owner", 1, Checks.MAX_NAME_BYTES);
      Checks.optionalText(plan, "plan", MAX_PLAN_BYTES);
    }
  }

  /**
   * An amount of one thing in one period. Two tallies are of the same thing if they are equal but
   * for amount and owner.
   *
   * @param subject whose use it is
   * @param period how long it counts
   * @param start when the period begins
   * @param metric what is counted, {@code [a-z][a-z0-9-]{0,31}}; amounts of a metric whose name
   *     begins with {@code max-} are merged by the greater one, all others by their sum
   * @param label which of them, 1 to 200 bytes of UTF-8
   * @param amount how much, 0 to 2^62
   */
  record Tally(
      Subject subject, Period period, Instant start, String metric, String label, long amount) {
    /** Checks the values. */
    public Tally {
      Objects.requireNonNull(subject, "subject");
      Checks.periodStart(period, start);
      Checks.unit(metric, "metric");
      Checks.text(label, "label", 1, MAX_LABEL_BYTES);
      Checks.amount(amount, "amount");
    }

    /**
     * Whether amounts are merged by the greater one instead of their sum.
     *
     * @return true for metrics whose name begins with {@code max-}
     */
    public boolean isMaximum() {
      return metric.startsWith("max-");
    }
  }

  /**
   * What one node adds at once.
   *
   * @param id names it, for good: 1 to 64 characters of printable ASCII, no blanks
   * @param madeAt when it was made; the store remembers its id until a {@link Retention} reaches
   *     this time
   * @param tallies 0 to 5000, no two of the same thing; an empty one only leaves its id, so that of
   *     several nodes one knows that it was the first
   */
  record Batch(String id, Instant madeAt, List<Tally> tallies) {
    /** Checks the values and copies the list. */
    public Batch {
      Checks.ledgerId(id);
      Checks.millis(madeAt, "madeAt");
      tallies = Checks.tallies(tallies);
    }
  }

  /**
   * Which tallies: all conditions hold together.
   *
   * @param period of this length
   * @param from that start then or later
   * @param until that start before then
   * @param keyId of this key; null for all
   * @param owner of keys of this owner; null for all
   * @param plan under this plan; null for all
   * @param metrics of these metrics, at most 20; empty for all
   */
  record Filter(
      Period period,
      Instant from,
      Instant until,
      @Nullable String keyId,
      @Nullable String owner,
      @Nullable String plan,
      Set<String> metrics) {
    /** Checks the values and copies the set. */
    public Filter {
      Objects.requireNonNull(period, "period");
      Checks.millis(from, "from");
      Checks.millis(until, "until");
      metrics = Set.copyOf(metrics);
      Checks.require(metrics.size() <= MAX_METRICS, "metrics: must be at most " + MAX_METRICS);
      metrics.forEach(metric -> Checks.unit(metric, "metrics"));
    }
  }

  /**
   * What is not to be kept any longer. An id that is forgotten can be added once more: whoever
   * forgets ids must be sure that nobody still repeats their batches.
   *
   * @param hoursBefore tallies of hours that start before then
   * @param daysBefore tallies of days that start before then
   * @param batchesBefore ids of batches that were made before then
   * @param limit how many of each at most, 1 to 100000
   */
  record Retention(Instant hoursBefore, Instant daysBefore, Instant batchesBefore, int limit) {
    /** Checks the values. */
    public Retention {
      Checks.millis(hoursBefore, "hoursBefore");
      Checks.millis(daysBefore, "daysBefore");
      Checks.millis(batchesBefore, "batchesBefore");
      Checks.require(limit >= 1 && limit <= 100_000, "limit: must be 1 to 100000");
    }
  }

  /** The longest name of a plan, in bytes of UTF-8. */
  int MAX_PLAN_BYTES = 100;

  /** The longest label, in bytes of UTF-8. */
  int MAX_LABEL_BYTES = 200;

  /** The most tallies of a batch. */
  int MAX_TALLIES = 5_000;

  /** The most metrics of a filter. */
  int MAX_METRICS = 20;

  /**
   * Adds a batch, once.
   *
   * <ul>
   *   <li><b>B4</b> Atomic: all of its tallies are added, or none. If it throws {@link
   *       StoreException}, none was, unless the exception is of the kind {@link
   *       StoreException.Kind#OUTCOME_UNKNOWN}.
   *   <li><b>B5</b> A batch whose id was added before is not added again, whatever it holds: so it
   *       can be repeated after an answer was lost. Of several concurrent calls with one id exactly
   *       one adds.
   *   <li><b>B6</b> Amounts are added to what is stored of the same thing, or the greater one is
   *       kept ({@link Tally#isMaximum}). A sum that would be more than 2^62 is 2^62. Of concurrent
   *       batches nothing is lost, in whatever order their tallies are.
   *   <li><b>B7</b> The key need not be stored, before or after. The owner that is stored with a
   *       thing already stays.
   * </ul>
   *
   * @param batch the batch
   * @return true if it was added now, false if it had been before
   * @throws StoreException if the store fails
   */
  boolean add(Batch batch);

  /**
   * Reads tallies in the order of key id, start, plan (none first), metric and label, each in byte
   * order.
   *
   * <ul>
   *   <li><b>B8</b> Returns the first {@code limit} tallies that match and come after the given one
   *       in this order, which need not be stored any more. A result shorter than {@code limit} is
   *       the last page; pages together hold what was there throughout, each once.
   *   <li><b>B9</b> A call sees all batches that were added before it, and of none a part.
   * </ul>
   *
   * @param filter which
   * @param after the last one of the page before, or null for the first page
   * @param limit how many at most, 1 to 10000
   * @return the page
   * @throws StoreException if the store fails
   */
  List<Tally> tallies(Filter filter, @Nullable Tally after, int limit);

  /**
   * Removes what is old.
   *
   * <ul>
   *   <li><b>B10</b> Removes tallies of hours, tallies of days and ids of batches from before the
   *       given times, at most so many of each as the limit says, and nothing else. What is gone is
   *       not counted. A thing that was removed may be added again, and so may a batch whose id
   *       was.
   * </ul>
   *
   * @param retention what to remove
   * @return how many tallies and ids were removed, together; 0 if no more are found
   * @throws StoreException if the store fails; then some may have been removed
   */
  int purge(Retention retention);
}
