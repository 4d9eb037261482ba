package io.keystile.limit;

import io.keystile.store.SharedLimits;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Limits how often each of many keys may be used: any kind of key with {@code equals} and {@code
 * hashCode}, as client addresses, users, or the owners of API keys.
 *
 * <pre>{@code
 * Limiter<String> logins = Limiter.of(Plan.of("logins", Window.perMinute(5), Window.perDay(50)));
 *
 * if (!logins.tryAcquire(address)) {
 *   Duration wait = logins.peek(address, 1).retryAfter();
 *   ...
 * }
 * }</pre>
 *
 * <h2>What holds</h2>
 *
 * <p>In any interval of a window's length, wherever it begins, at most the limit of that window is
 * taken of one key, whatever threads, schedules and clocks do. All windows of a plan are decided in
 * one step, all or nothing. A call that is refused changes nothing: no window, and not the end of
 * the refusal. The time of a permit is the later of the ticker's value that it came with and the
 * beginning of the tick, of one millisecond, in which it was counted; ticks never go back.
 *
 * <p>Why it holds: a permit counts in a window from the tick in which it is taken to the first tick
 * that begins more than a window's length later. Within a tick permits are taken from a number that
 * was computed, for all windows together, at its beginning, and that nobody raises; so what counts
 * never passes the limit, and what was taken within a length is among what counts. It is a little
 * less than the limit that may come through in return, unless the limit is small: {@link Plan} says
 * how much.
 *
 * <p>Exempt are: a change of plan, after which what was taken before counts under the new windows,
 * so that in a window that spans the change at most the greater of both limits is taken; {@link
 * #reset}; a restart, as nothing is stored; and quotas, whose units are charged afterwards.
 *
 * <h2>Memory</h2>
 *
 * <p>A key takes 72 bytes, for each window 8, and 4 for each of its portions: 256 bytes with the
 * four windows of {@link Plan#standard}, and about 40 for its place in the table, besides the key
 * itself (64-bit JVM, compressed references). Keys whose windows have all ended are dropped, some
 * whenever a new key comes, all by {@link #sweep}. A key that is still in a window is never
 * dropped. When the maximum of keys is reached, and none has ended, calls of further keys are
 * refused: so no flood of keys takes memory without bound, or gives a limited key its budget back.
 *
 * <p>Safe for use by many threads, virtual ones too. No method blocks, holds a monitor, or starts a
 * thread. {@link Meter#tryAcquire} allocates nothing.
 *
 * @param <K> the keys
 */
public final class Limiter<K> {
  /** How many keys are counted at a time, unless {@link Builder#maxKeys} says otherwise. */
  public static final int DEFAULT_MAX_KEYS = 1_000_000;

  /** After which time it is worth to ask again, when there was no room for another key. */
  static final Duration ROOM_AFTER = Duration.ofSeconds(1);

  private static final long NANOS_PER_TICK = 1_000_000;

  /**
   * Each new key looks after some others, so that those that ended go faster than new ones come.
   */
  private static final int SWEPT_PER_KEY = 8;

  private static final int SWEPT_WHEN_FULL = 64;

  /** While there is room, what was in use a moment ago stays: it will be wanted again. */
  private static final long REST_TICKS = 1_000;

  /** The count of a key in one unit besides requests. */
  record UnitOf(Object key, String unit) {}

  private final ConcurrentHashMap<Object, Cell> cells = new ConcurrentHashMap<>();
  private final AtomicInteger tracked = new AtomicInteger();
  private final ReentrantLock sweeping = new ReentrantLock();
  private final int maxKeys;
  private final LongSupplier ticker;
  private final @Nullable Sharing sharing;

  /** All units besides requests that were counted, of whatever plan. */
  private final Set<String> units = ConcurrentHashMap.newKeySet();

  /** Where the sweep goes on; guarded by {@link #sweeping}. */
  private Iterator<Map.Entry<Object, Cell>> sweep = cells.entrySet().iterator();

  /** The latest tick at which a cell was dropped: a new one for its key must not begin earlier. */
  private final AtomicLong sweptAt = new AtomicLong(Long.MIN_VALUE);

  private volatile Plan plan;

  private Limiter(Builder options) {
    plan = options.plan;
    maxKeys = options.maxKeys;
    ticker = options.ticker;
    SharedLimits store = options.store;
    sharing =
        store == null
            ? null
            : new Sharing(
                store, options.interval.toMillis(), options.refusing, () -> tick(nanos()));
  }

  /**
   * A limiter with all defaults.
   *
   * @param <K> the keys
   * @param plan the limits of each key
   * @return a new limiter
   */
  public static <K> Limiter<K> of(Plan plan) {
    return new Builder(plan).build();
  }

  /**
   * Begins to configure a limiter.
   *
   * @param plan the limits of each key
   * @return a new builder
   */
  public static Builder builder(Plan plan) {
    return new Builder(plan);
  }

  /** Configures a limiter. Not safe for use by several threads. */
  public static final class Builder {
    private final Plan plan;
    private int maxKeys = DEFAULT_MAX_KEYS;
    private LongSupplier ticker = System::nanoTime;
    private @Nullable SharedLimits store;
    private Duration interval = Duration.ZERO;
    private boolean refusing;

    private Builder(Plan plan) {
      this.plan = Objects.requireNonNull(plan, "plan");
    }

    /**
     * Sets how many keys are counted at a time; a quota counts as a key of its own.
     *
     * @param maxKeys at least 1, {@value Limiter#DEFAULT_MAX_KEYS} by default
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder maxKeys(int maxKeys) {
      if (maxKeys < 1) {
        throw new IllegalArgumentException("maxKeys: must be at least 1, is " + maxKeys);
      }
      this.maxKeys = maxKeys;
      return this;
    }

    /**
     * Replaces the clock, for tests.
     *
     * @param ticker nanoseconds from any origin; by default {@link System#nanoTime}
     * @return this
     */
    public Builder ticker(LongSupplier ticker) {
      this.ticker = Objects.requireNonNull(ticker, "ticker");
      return this;
    }

    /**
     * Keeps the limits together with other nodes, whose limiters have the same store, interval and
     * plans. The host calls {@link Limiter#exchange} once per interval. Default: this node counts
     * for itself.
     *
     * <p>No call of the limiter speaks to the store. Windows of at least ten intervals are kept by
     * <em>leases</em>: at each exchange a node books what it will need until the next, and gives
     * back what it did not use. Shorter windows are split evenly over the nodes.
     *
     * <p><b>What holds</b>, with {@code n} nodes that see each other, a limit {@code L}, and times
     * by the clock of the store: in any interval of a window's length all nodes together take at
     * most {@code L + n * max(1, L / (10 * n))}, which is {@code L} and a tenth, or {@code L + n},
     * where the window is kept by leases; and at most {@code max(L, n)} where it is split. What is
     * above {@code L} are the advances that each node takes for a key that it has no lease for, so
     * that its first request need not wait; what is leased never passes {@code L}. A node that was
     * started again within the window counts twice in {@code n}. A node that has just started takes
     * 1 of each split window until the others have heard of it, four intervals later. Clocks of
     * nodes do not matter. What a node held when it was killed counts as used until it has left the
     * windows.
     *
     * <p>While the store does not answer, a node goes on with its leases for up to three intervals,
     * and then alone, with an even part of each limit among the nodes it saw last, of which its own
     * use until then is taken off: with {@code m} nodes cut off at most {@code m * L / n} comes to
     * the bound above.
     *
     * <p>Small limits suffer: {@code L} below {@code n} in a split window lets each node take 1,
     * and a cost above the even part is refused there. The {@linkplain Decision#retryAfter() time
     * to wait} is no longer exact, but when it is worth to ask again.
     *
     * @param store where nodes meet
     * @param interval from one exchange to the next, 50 ms to 1 hour
     * @return this
     * @throws IllegalArgumentException if the interval is out of range
     */
    public Builder shared(SharedLimits store, Duration interval) {
      this.store = Objects.requireNonNull(store, "store");
      if (interval.compareTo(Duration.ofMillis(50)) < 0
          || interval.compareTo(Duration.ofHours(1)) > 0) {
        throw new IllegalArgumentException("interval: must be 50 ms to 1 hour, is " + interval);
      }
      this.interval = interval;
      return this;
    }

    /**
     * Refuses what has no lease while the store does not answer, instead of going on alone.
     * Default: off.
     *
     * @return this
     */
    public Builder refuseWithoutStore() {
      refusing = true;
      return this;
    }

    /**
     * Builds the limiter.
     *
     * @param <K> the keys
     * @return a new limiter
     */
    public <K> Limiter<K> build() {
      return new Limiter<>(this);
    }
  }

  /**
   * The limits of each key.
   *
   * @return the plan in force
   */
  public Plan plan() {
    return plan;
  }

  /**
   * Changes the limits of each key. What was taken before counts under the new windows: in one of
   * the same length as before what that one knew, in another what the next longer one knew, or the
   * longest. Meters that were made before keep their plan.
   *
   * @param plan the plan from now on
   */
  public void changePlan(Plan plan) {
    this.plan = Objects.requireNonNull(plan, "plan");
  }

  /**
   * Takes one permit of a key, if every window of the plan has room for it.
   *
   * @param key the key
   * @return whether it did
   */
  public boolean tryAcquire(K key) {
    return meter(key).tryAcquire();
  }

  /**
   * Takes permits of a key, all or none.
   *
   * @param key the key
   * @param cost how many, at least 1; above the limit of a window it is always refused
   * @return whether it did
   * @throws IllegalArgumentException if the cost is below 1
   */
  public boolean tryAcquire(K key, long cost) {
    return meter(key).tryAcquire(cost);
  }

  /**
   * As {@link #tryAcquire(Object, long)}, with the full answer.
   *
   * @param key the key
   * @param cost how many, at least 1
   * @return whether it took the permits, and how every window stands after it
   * @throws IllegalArgumentException if the cost is below 1
   */
  public Decision acquire(K key, long cost) {
    return meter(key).acquire(cost);
  }

  /**
   * Tells whether permits of a key could be taken, and takes none.
   *
   * @param key the key
   * @param cost how many, at least 1
   * @return whether {@link #acquire} would take them, and how every window stands
   * @throws IllegalArgumentException if the cost is below 1
   */
  public Decision peek(K key, long cost) {
    return meter(key).peek(cost);
  }

  /**
   * Charges what a key has used of a quota; see {@link Meter#charge}.
   *
   * @param key the key
   * @param unit the unit of a quota of the plan
   * @param amount how much, at least 0
   * @throws IllegalArgumentException if the amount is negative
   */
  public void charge(K key, String unit, long amount) {
    meter(key).charge(unit, amount);
  }

  /**
   * Forgets what a key has used, of requests and all other units.
   *
   * @param key the key
   */
  public void reset(K key) {
    long now = tick(nanos());
    units.forEach(unit -> reset(new UnitOf(key, unit), now));
    reset((Object) key, now);
  }

  private void reset(Object key, long now) {
    Cell cell = cells.get(key);
    if (cell != null) {
      cell.reset(now); // or it is closed, which is as good
    }
  }

  /**
   * A meter for a key under the plan in force now.
   *
   * @param key the key
   * @return a new meter
   */
  public Meter meter(K key) {
    return new Meter(this, Objects.requireNonNull(key, "key"), plan);
  }

  /**
   * A meter for a key under a plan of its own. Meters of one key should have one plan: each use
   * under another carries over what was counted.
   *
   * @param key the key
   * @param plan its limits, instead of {@link #plan()}
   * @return a new meter
   */
  public Meter meter(K key, Plan plan) {
    return new Meter(
        this, Objects.requireNonNull(key, "key"), Objects.requireNonNull(plan, "plan"));
  }

  /**
   * How many keys are counted now; a quota counts as a key of its own.
   *
   * @return about so many, at most the maximum
   */
  public int trackedKeys() {
    return tracked.get();
  }

  /**
   * Drops all keys whose windows have ended. Takes time in proportion to the number of keys. Not
   * needed for the bound on memory; a host that has a timer may call it every minute, so that
   * nothing is kept while no new key comes.
   *
   * @return how many were dropped
   */
  public int sweep() {
    long now = tick(nanos());
    int dropped = 0;
    for (Map.Entry<Object, Cell> entry : cells.entrySet()) {
      dropped += dropIfEnded(entry, now, Long.MAX_VALUE) ? 1 : 0;
    }
    return dropped;
  }

  /**
   * Tells the other nodes what was used, and takes what will be needed until the next time. Does
   * nothing if the limits are not {@linkplain Builder#shared shared}. To be called once per
   * interval, on a thread that may wait: blocks for some calls of the store. Throws nothing.
   *
   * @return whether the store answered
   */
  public boolean exchange() {
    return sharing == null || sharing.exchange();
  }

  /**
   * Gives back what other nodes may use, and signs off: for the end of a process. Blocks, and
   * throws nothing.
   *
   * @return whether the store answered
   */
  public boolean leave() {
    return sharing == null || sharing.leave();
  }

  @Nullable Sharing sharing() {
    return sharing;
  }

  long nanos() {
    return ticker.getAsLong();
  }

  static long tick(long nanos) {
    return Math.floorDiv(nanos, NANOS_PER_TICK);
  }

  /** The cell of a key; null if there is room for no other. */
  @Nullable Cell cell(Object key, Layout layout, @Nullable Split split, long now) {
    Cell known = cells.get(key);
    if (known != null) {
      return known;
    }
    if (key instanceof UnitOf quota) {
      units.add(quota.unit());
    }
    // before there is a cell that nothing was taken from yet
    sweepSome(SWEPT_PER_KEY, now, now - REST_TICKS);
    Cell made = make(key, layout, split, now);
    if (made == null) {
      sweepSome(SWEPT_WHEN_FULL, now, Long.MAX_VALUE);
      made = make(key, layout, split, now);
    }
    return made;
  }

  /** In one step, so that it begins no earlier than any cell that its key had meanwhile ended. */
  private @Nullable Cell make(Object key, Layout layout, @Nullable Split split, long now) {
    return cells.computeIfAbsent(
        key, k -> reserve() ? new Cell(layout, Math.max(now, sweptAt.get()), lease(split)) : null);
  }

  private @Nullable Lease lease(@Nullable Split split) {
    return sharing == null || split == null ? null : sharing.lease(split);
  }

  /** Drops a cell that is closed. */
  void remove(Object key, Cell closed) {
    sweptAt.accumulateAndGet(closed.tick(), Math::max); // before anybody can make another
    cells.computeIfPresent(
        key,
        (k, cell) -> {
          if (cell != closed) {
            return cell;
          }
          tracked.decrementAndGet(); // before anybody sees that it is gone, and wants the place
          return null;
        });
  }

  private boolean reserve() {
    return tracked.getAndUpdate(count -> Math.min(count + 1, maxKeys)) < maxKeys;
  }

  /** Looks after the next few; one thread does, the others go on. */
  private void sweepSome(int count, long now, long unusedSince) {
    if (!sweeping.tryLock()) {
      return;
    }
    try {
      for (int i = 0; i < count; i++) {
        if (!sweep.hasNext()) {
          sweep = cells.entrySet().iterator();
          if (!sweep.hasNext()) {
            return;
          }
        }
        dropIfEnded(sweep.next(), now, unusedSince);
      }
    } finally {
      sweeping.unlock();
    }
  }

  private boolean dropIfEnded(Map.Entry<Object, Cell> entry, long now, long unusedSince) {
    Cell cell = entry.getValue();
    if (!cell.closeIfEnded(now, unusedSince)) {
      return false;
    }
    remove(entry.getKey(), cell);
    return true;
  }
}
