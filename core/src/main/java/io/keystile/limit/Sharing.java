package io.keystile.limit;

import io.keystile.store.SharedLimits;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import io.keystile.store.StoreException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the limits of a {@link Limiter} together with those of other nodes, through ledgers in a
 * store. Only {@link #exchange} and {@link #leave} speak to the store; calls of the limiter look at
 * what they have left.
 */
final class Sharing {
  private static final Logger log = LoggerFactory.getLogger(Sharing.class);
  private static final int BATCH = 500;
  private static final int ROUNDS = 3;

  private static final int PURGE_EVERY = 500;

  /** A lease outlives so many intervals, so that one exchange may fail. */
  private static final int LEASE_INTERVALS = 3;

  /** A ledger is kept so long after it says nothing any more. */
  private static final long KEPT_MILLIS = 3_600_000;

  /** A cell that the next exchange looks at. */
  private static final class Active {
    final Cell cell;
    final String ledger;

    /** Changes with the plan, also while it waits for the next exchange. */
    volatile Split split;

    /** What was written when it is not known whether it was kept. */
    @Nullable Pending pending;

    Active(Cell cell, Split split, String ledger) {
      this.cell = cell;
      this.split = split;
      this.ledger = ledger;
    }
  }

  /** What waits to be kept by the store. */
  private record Pending(
      Active active, Lease.Report report, Lease.Terms terms, Ledger ledger, long sequence) {}

  /** When the store was asked, by this node's ticks, and what its clock said. */
  private record Moment(long before, long after, Instant store) {}

  private final SharedLimits store;
  private final long interval;
  private final boolean refusing;
  private final LongSupplier clock;
  private final Nodes nodes;
  private final Map<Object, Active> active = new ConcurrentHashMap<>();
  private final ReentrantLock exchanging = new ReentrantLock();

  /** The tick of the last exchange that the store answered. */
  private volatile long heardAt;

  private volatile int sharers = 1;
  private volatile boolean joining = true;
  private boolean failing;
  private int exchanges;

  /**
   * @param interval from one exchange to the next, in milliseconds
   * @param refusing whether to refuse while the store is away, once the leases are over
   * @param clock the tick
   */
  Sharing(SharedLimits store, long interval, boolean refusing, LongSupplier clock) {
    this.store = store;
    this.clock = clock;
    this.interval = interval;
    this.refusing = refusing;
    nodes = new Nodes(interval);
    heardAt = clock.getAsLong();
  }

  Split split(Layout whole) {
    return whole.split(interval);
  }

  /** The limits of this node now. */
  Layout inForce(Split split, long now) {
    Split.Shares shares = split.shares(sharers, joining);
    boolean isAway = !refusing && now - heardAt > LEASE_INTERVALS * interval;
    return isAway ? shares.alone() : shares.leasing();
  }

  /** A lease for a new cell; null if it needs none. */
  @Nullable Lease lease(Split split) {
    return split.leased.length == 0 ? null : new Lease(split.advance(sharers), split.whole.count());
  }

  /** Notes that a cell was used. */
  void used(Object key, Cell cell, Split split, boolean refused) {
    Lease lease = cell.lease();
    if (lease == null) {
      return;
    }
    if (refused && !lease.hungry) {
      lease.hungry = true;
    }
    if (!lease.enlisted || lease.split != split) {
      enlist(key, cell, split, lease);
    }
  }

  private void enlist(Object key, Cell cell, Split split, Lease lease) {
    lease.split = split;
    lease.enlisted = true;
    active.compute(
        key,
        (k, known) -> {
          if (known == null || known.cell != cell) {
            return new Active(cell, split, ledger(key));
          }
          known.split = split;
          return known;
        });
  }

  /** A name that tells nothing of a key, and has one length. */
  private static String ledger(Object key) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      String name = key instanceof Limiter.UnitOf of ? of.key() + "\n" + of.unit() : key.toString();
      byte[] digest = sha256.digest(name.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /**
   * Tells the others what was used, and takes new leases. Blocks; throws nothing.
   *
   * @return whether the store answered
   */
  boolean exchange() {
    return exchange(clock.getAsLong(), false);
  }

  /** Gives all back, and signs off. */
  boolean leave() {
    return exchange(clock.getAsLong(), true);
  }

  private boolean exchange(long now, boolean leaving) {
    exchanging.lock();
    try {
      sign(now, leaving);
      Map<Object, Active> left = new LinkedHashMap<>(active);
      for (int round = 0; round < ROUNDS && !left.isEmpty(); round++) {
        left = exchange(left, leaving);
      }
      heardAt = now;
      if (exchanges++ % PURGE_EVERY == 0) {
        store.purge(store.read(Set.of()).now(), BATCH);
      }
      if (failing) {
        failing = false;
        log.info("Limits are shared with other nodes again");
      }
      return true;
    } catch (RuntimeException e) {
      if (!failing) {
        failing = true;
        // a store promises that no stored value is in its messages; others do not
        String why = e instanceof StoreException ? e.toString() : e.getClass().getName();
        log.warn("Limits are not shared with other nodes for now: {}", why);
      }
      return false;
    } finally {
      exchanging.unlock();
    }
  }

  private void sign(long now, boolean leaving) {
    for (int round = 0; round < ROUNDS; round++) {
      Snapshot snapshot = store.read(Set.of(Nodes.LEDGER));
      Ledger next = nodes.next(snapshot, leaving);
      if (next == null) {
        break;
      }
      if (!store.replace(List.of(next)).isEmpty()) {
        nodes.written(now);
        break;
      }
    }
    sharers = nodes.live();
    joining = nodes.isJoining(now, (LEASE_INTERVALS + 1) * interval);
  }

  /** Those that must be tried again. */
  private Map<Object, Active> exchange(Map<Object, Active> all, boolean leaving) {
    Map<Object, Active> conflicts = new LinkedHashMap<>();
    List<Map.Entry<Object, Active>> entries = new ArrayList<>(all.entrySet());
    for (int from = 0; from < entries.size(); from += BATCH) {
      exchange(entries.subList(from, Math.min(from + BATCH, entries.size())), leaving, conflicts);
    }
    return conflicts;
  }

  private void exchange(
      List<Map.Entry<Object, Active>> batch, boolean leaving, Map<Object, Active> conflicts) {
    Map<String, Ledger> stored = new HashMap<>();
    // a lease is over by the store's time: what counts is the tick before that was read, and what
    // comes back by then the tick after
    long before = clock.getAsLong();
    Snapshot snapshot = store.read(batch.stream().map(e -> e.getValue().ledger).toList());
    Moment moment = new Moment(before, clock.getAsLong(), snapshot.now());
    snapshot.ledgers().forEach(ledger -> stored.put(ledger.id(), ledger));
    Map<Object, Pending> pending = new LinkedHashMap<>();
    for (Map.Entry<Object, Active> entry : batch) {
      Active one = entry.getValue();
      Pending next = prepare(one, stored.get(one.ledger), moment, leaving);
      if (next == null) {
        active.remove(entry.getKey(), one); // its cell is gone
      } else {
        pending.put(entry.getKey(), next);
      }
    }
    Set<String> written = write(pending);
    pending.forEach(
        (key, one) -> {
          boolean isWritten = written.contains(one.ledger.id());
          one.active.cell.settle(one.report, isWritten ? one.terms : null);
          one.active.pending = null;
          if (!isWritten) {
            conflicts.put(key, one.active);
          } else {
            delistIfIdle(key, one);
          }
        });
  }

  private Set<String> write(Map<Object, Pending> pending) {
    if (pending.isEmpty()) {
      return Set.of();
    }
    try {
      return store.replace(pending.values().stream().map(Pending::ledger).toList());
    } catch (StoreException e) {
      boolean unknown = e.kind() == StoreException.Kind.OUTCOME_UNKNOWN;
      for (Pending one : pending.values()) {
        if (unknown) {
          one.active.pending = one;
        } else {
          one.active.cell.settle(one.report, null);
        }
      }
      throw e;
    }
  }

  private void delistIfIdle(Object key, Pending done) {
    Lease lease = done.active.cell.lease();
    if (lease == null || !lease.isIdle(done.report)) {
      return;
    }
    active.remove(key, done.active);
    lease.enlisted = false;
    // who used it in between has seen that it was enlisted still
    if (!done.active.cell.isAt(done.report.count()) || lease.hungry) {
      used(key, done.active.cell, done.active.split, false);
    }
  }

  private @Nullable Pending prepare(
      Active one, @Nullable Ledger stored, Moment moment, boolean leaving) {
    Split split = one.split;
    SharedCount count = read(stored, split);
    count.moveTo(moment.store.toEpochMilli());
    SharedCount.Booking mine = count.booking(nodes.name());
    long sequence = mine == null ? 0 : mine.sequence();
    Pending earlier = one.pending;
    if (earlier != null) {
      boolean wasKept = sequence == earlier.sequence;
      one.cell.settle(earlier.report, wasKept ? earlier.terms : null);
      one.pending = null;
    }
    Lease.Report report = one.cell.report(moment.after, leaving);
    if (report == null) {
      return null;
    }
    int grainBits = split.whole.grainBits;
    if (mine != null) {
      count.giveBack(mine.end(), (long) report.unused() << grainBits);
    }
    long end = count.now() + LEASE_INTERVALS * interval;
    int granted = report.kept() + more(count, report, split);
    count.book(
        nodes.name(),
        new SharedCount.Booking(end, (long) granted << grainBits, sequence + 1),
        (long) report.unbooked() << grainBits);
    count.forgetNodes(count.now() - 10 * LEASE_INTERVALS * interval);
    Ledger next =
        new Ledger(
            one.ledger,
            stored == null ? 1 : stored.revision() + 1,
            count.text(),
            Instant.ofEpochMilli(count.ends() + KEPT_MILLIS));
    return new Pending(one, report, terms(count, granted, split, moment), next, sequence + 1);
  }

  private static SharedCount read(@Nullable Ledger stored, Split split) {
    if (stored != null) {
      try {
        return SharedCount.parse(stored.text(), split.lengths);
      } catch (RuntimeException e) {
        log.warn("A ledger of shared limits makes no sense and is begun anew");
      }
    }
    return SharedCount.of(split.lengths);
  }

  /** How many grains are granted besides those that are kept. */
  private int more(SharedCount count, Lease.Report report, Split split) {
    int grainBits = split.whole.grainBits;
    long room = Integer.MAX_VALUE;
    for (int i = 0; i < split.leased.length; i++) {
      long units = split.limit(i) - count.used(i);
      room = Math.min(room, (units >> grainBits) - report.unbooked() - report.kept());
    }
    // leave the others something until the next exchange
    long most = count.others(nodes.name()) > 0 ? (room + 1) / 2 : room;
    return (int) Math.max(0, Math.min(most, report.wanted() - report.kept()));
  }

  private Lease.Terms terms(SharedCount count, int granted, Split split, Moment moment) {
    int grainBits = split.whole.grainBits;
    int advance = split.advance(sharers);
    long[] used = new long[split.whole.count()];
    long advanceIn = 0;
    long moreIn = interval;
    for (int i = 0; i < split.leased.length; i++) {
      long all = count.used(i);
      long limit = split.limit(i);
      used[split.leased[i]] = all - ((long) granted << grainBits);
      long lacking = all + ((long) advance << grainBits) - limit;
      if (lacking > 0) {
        advanceIn = Math.max(advanceIn, from(count.now(), count.leaves(i, lacking)));
      }
      if (all >= limit) {
        moreIn = Math.max(moreIn, from(count.now(), count.leaves(i, all - limit + 1)));
      }
    }
    return new Lease.Terms(
        granted,
        moment.before + LEASE_INTERVALS * interval,
        advance,
        plus(moment.after, advanceIn),
        plus(moment.after, moreIn),
        used);
  }

  private static long from(long now, long moment) {
    return moment == Reading.NEVER ? Reading.NEVER : moment - now;
  }

  private static long plus(long now, long ticks) {
    return ticks == Reading.NEVER ? Reading.NEVER : now + ticks;
  }
}
