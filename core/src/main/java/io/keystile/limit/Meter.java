package io.keystile.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Counts for one key under one plan: what {@link Limiter#meter} returns. Keep it as long as the key
 * is in use: it spares the look-up. Any number of meters may count for one key, and a meter keeps
 * on working when its key was dropped from the limiter and comes back.
 *
 * <p>Safe for use by many threads, virtual ones too; no method blocks. {@link #tryAcquire}
 * allocates nothing.
 */
public final class Meter {

  /** One unit of the plan. */
  private static final class Counter {
    final Object key;
    final Layout layout;

    /** How it is kept with other nodes; null if it is not. */
    final @Nullable Split split;

    volatile @Nullable Cell cell;

    Counter(Object key, Layout layout, @Nullable Sharing sharing) {
      this.key = key;
      this.layout = layout;
      split = sharing == null ? null : sharing.split(layout);
    }
  }

  private final Limiter<?> limiter;
  private final Plan plan;
  private final @Nullable Sharing sharing;
  private final @Nullable Counter requests;
  private final Counter[] quotas;

  Meter(Limiter<?> limiter, Object key, Plan plan) {
    this.limiter = limiter;
    this.plan = plan;
    Layout permits = plan.requestLayout();
    sharing = limiter.sharing();
    requests = permits == null ? null : new Counter(key, permits, sharing);
    quotas =
        plan.quotaLayouts().stream()
            .map(layout -> new Counter(new Limiter.UnitOf(key, layout.unit), layout, sharing))
            .toArray(Counter[]::new);
  }

  /**
   * The plan it counts under.
   *
   * @return the plan
   */
  public Plan plan() {
    return plan;
  }

  /**
   * Takes one permit, if every window of the plan has room for it and every quota anything left.
   *
   * @return whether it did
   */
  public boolean tryAcquire() {
    return tryAcquire(1);
  }

  /**
   * Takes permits, all or none: if every window of the plan has room for them and every quota
   * anything left. Otherwise nothing changes.
   *
   * @param cost how many, at least 1; above the limit of a window it is always refused
   * @return whether it did
   * @throws IllegalArgumentException if the cost is below 1
   */
  public boolean tryAcquire(long cost) {
    return tryAcquire(cost, limiter.nanos());
  }

  /**
   * As {@link #tryAcquire(long)}, for callers that have read the limiter's ticker already. The
   * value should be fresh: what waited since is counted as if it came then, or at the last time
   * that was seen if that is later.
   *
   * @param cost how many, at least 1
   * @param nanos a value of the limiter's ticker
   * @return whether it did
   */
  public boolean tryAcquire(long cost, long nanos) {
    long now = Limiter.tick(nanos);
    int permits = permits(cost);
    for (Counter quota : quotas) {
      if (!hasRoom(quota, now)) {
        return false;
      }
    }
    Counter counter = requests;
    return counter == null || take(counter, now, permits);
  }

  /**
   * As {@link #tryAcquire(long)}, with the full answer.
   *
   * @param cost how many, at least 1
   * @return whether it took the permits, and how every window stands after it
   * @throws IllegalArgumentException if the cost is below 1
   */
  public Decision acquire(long cost) {
    return acquire(cost, limiter.nanos());
  }

  /**
   * As {@link #acquire(long)}, for callers that have read the limiter's ticker already.
   *
   * @param cost how many, at least 1
   * @param nanos a value of the limiter's ticker
   * @return whether it took the permits, and how every window stands after it
   */
  public Decision acquire(long cost, long nanos) {
    return decide(cost, nanos, true);
  }

  /**
   * Tells whether permits could be taken, and takes none.
   *
   * @param cost how many, at least 1
   * @return whether {@link #acquire} would take them, and how every window stands
   * @throws IllegalArgumentException if the cost is below 1
   */
  public Decision peek(long cost) {
    return decide(cost, limiter.nanos(), false);
  }

  /**
   * Charges what was used of a quota. It always counts, also above the limit: then nothing is let
   * in until enough has left the window. Not counted are a unit that the plan does not limit, and
   * what comes when the limiter is at its maximum of keys and this one is not among them.
   *
   * @param unit the unit of a quota of the plan
   * @param amount how much, at least 0
   * @throws IllegalArgumentException if the amount is negative
   */
  public void charge(String unit, long amount) {
    Objects.requireNonNull(unit, "unit");
    if (amount < 0) {
      throw new IllegalArgumentException("amount: must not be negative, is " + amount);
    }
    for (Counter quota : quotas) {
      if (quota.layout.unit.equals(unit)) {
        charge(quota, amount);
      }
    }
  }

  private void charge(Counter quota, long amount) {
    long now = Limiter.tick(limiter.nanos());
    for (Cell cell = cell(quota, now); cell != null; cell = next(quota, cell, now)) {
      if (cell.charge(inForce(quota, now), now, amount)) {
        noteUse(quota, cell, false);
        return;
      }
    }
  }

  private Decision decide(long cost, long nanos, boolean take) {
    long now = Limiter.tick(nanos);
    permits(cost);
    List<Reading> ofQuotas = new ArrayList<>();
    boolean enough = true;
    boolean isCounted = true;
    for (Counter quota : quotas) {
      Reading reading = new Reading(quota.layout);
      ofQuotas.add(reading);
      Cell.@Nullable Outcome outcome = decide(quota, now, 1, false, reading);
      isCounted &= outcome != null;
      enough &= outcome == Cell.Outcome.TAKEN;
    }
    List<Reading> all = new ArrayList<>();
    Counter counter = requests;
    if (counter != null) {
      Reading reading = new Reading(counter.layout);
      all.add(reading);
      Cell.@Nullable Outcome outcome = decide(counter, now, cost, take && enough, reading);
      isCounted &= outcome != null;
      enough &= outcome == Cell.Outcome.TAKEN;
    }
    all.addAll(ofQuotas);
    return isCounted ? Decision.of(enough, all) : Decision.noRoom(all, Limiter.ROOM_AFTER);
  }

  private static int permits(long cost) {
    if (cost < 1) {
      throw new IllegalArgumentException("cost: must be at least 1, is " + cost);
    }
    return (int) Math.min(cost, Integer.MAX_VALUE);
  }

  private boolean take(Counter counter, long now, int permits) {
    for (Cell cell = cell(counter, now); cell != null; cell = next(counter, cell, now)) {
      Cell.Outcome outcome = cell.take(inForce(counter, now), now, permits);
      if (outcome != Cell.Outcome.CLOSED) {
        noteUse(counter, cell, outcome == Cell.Outcome.REFUSED);
        return outcome == Cell.Outcome.TAKEN;
      }
      // the key has another cell by now, or gets one
    }
    return false;
  }

  private boolean hasRoom(Counter quota, long now) {
    for (Cell cell = cell(quota, now); cell != null; cell = next(quota, cell, now)) {
      Cell.Outcome outcome = cell.look(inForce(quota, now), now);
      if (outcome != Cell.Outcome.CLOSED) {
        noteUse(quota, cell, outcome == Cell.Outcome.REFUSED);
        return outcome == Cell.Outcome.TAKEN;
      }
    }
    return false;
  }

  /** Null if there is no room for the key. */
  private Cell.@Nullable Outcome decide(
      Counter counter, long now, long cost, boolean take, Reading into) {
    for (Cell cell = cell(counter, now); cell != null; cell = next(counter, cell, now)) {
      Cell.Outcome outcome = cell.decide(inForce(counter, now), now, cost, take, into);
      if (outcome != Cell.Outcome.CLOSED) {
        noteUse(counter, cell, outcome == Cell.Outcome.REFUSED);
        return outcome;
      }
    }
    return null;
  }

  private Layout inForce(Counter counter, long now) {
    return sharing == null || counter.split == null
        ? counter.layout
        : sharing.inForce(counter.split, now);
  }

  /** Sees to it that the other nodes hear of it. */
  private void noteUse(Counter counter, Cell cell, boolean refused) {
    if (sharing != null && counter.split != null) {
      sharing.used(counter.key, cell, counter.split, refused);
    }
  }

  private @Nullable Cell cell(Counter counter, long now) {
    Cell known = counter.cell;
    return known != null ? known : resolve(counter, now);
  }

  private @Nullable Cell next(Counter counter, Cell closed, long now) {
    limiter.remove(counter.key, closed);
    return resolve(counter, now);
  }

  private @Nullable Cell resolve(Counter counter, long now) {
    Cell cell = limiter.cell(counter.key, inForce(counter, now), counter.split, now);
    counter.cell = cell;
    return cell;
  }
}
