package io.keystile;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Stores with one mistake each in what they keep of usage, of the kind that people make. */
final class BrokenUsage {
  private static final int ALL = 10_000;
  private static final long MAX_AMOUNT = 1L << 62;
  private static final AtomicInteger FRESH = new AtomicInteger();

  private BrokenUsage() {}

  /** A database that is far away: so long that two who begin at one moment are both under way. */
  private static void longRoundTrip() {
    LockSupport.parkNanos(1_000_000);
  }

  private static UsageStore.Tally with(UsageStore.Tally tally, long amount) {
    return new UsageStore.Tally(
        tally.subject(), tally.period(), tally.start(), tally.metric(), tally.label(), amount);
  }

  private static UsageStore.Batch with(UsageStore.Batch batch, List<UsageStore.Tally> tallies) {
    return new UsageStore.Batch(batch.id(), batch.madeAt(), tallies);
  }

  private static UsageStore.Batch withFreshId(UsageStore.Batch batch) {
    return new UsageStore.Batch(
        "fresh-" + FRESH.incrementAndGet(), batch.madeAt(), batch.tallies());
  }

  /** What a tally is of; owners and amounts do not tell. */
  private static List<Object> thing(UsageStore.Tally tally) {
    return List.of(
        tally.subject().keyId(),
        String.valueOf(tally.subject().plan()),
        tally.subject().plan() == null,
        tally.period(),
        tally.start(),
        tally.metric(),
        tally.label());
  }

  /** The stored amount, or -1. */
  private static long amount(UsageStore store, UsageStore.Tally tally) {
    UsageStore.Filter filter =
        new UsageStore.Filter(
            tally.period(),
            tally.start(),
            tally.start().plusMillis(1),
            tally.subject().keyId(),
            null,
            tally.subject().plan(),
            Set.of(tally.metric()));
    return store.tallies(filter, null, ALL).stream()
        .filter(stored -> thing(stored).equals(thing(tally)))
        .mapToLong(UsageStore.Tally::amount)
        .findAny()
        .orElse(-1);
  }

  /** Changes what tallies are of on their way into the store. */
  abstract static class ChangesThings extends PassThroughUsage {
    abstract Tally changed(Tally tally);

    @Override
    public boolean add(Batch batch) {
      Map<List<Object>, Tally> merged = new LinkedHashMap<>();
      for (Tally tally : batch.tallies()) {
        Tally changed = changed(tally);
        merged.merge(
            thing(changed),
            changed,
            (a, b) -> with(a, Math.min(MAX_AMOUNT - b.amount(), a.amount()) + b.amount()));
      }
      return right.add(with(batch, List.copyOf(merged.values())));
    }

    static Tally labelled(Tally tally, String label) {
      return new Tally(
          tally.subject(), tally.period(), tally.start(), tally.metric(), label, tally.amount());
    }
  }

  /** Has no plan in its primary key: the first one stays. */
  static final class ForgetsThePlan extends ChangesThings {
    private final Map<List<Object>, Subject> first = new ConcurrentHashMap<>();

    @Override
    Tally changed(Tally tally) {
      Subject none = new Subject(tally.subject().keyId(), tally.subject().owner(), null);
      List<Object> thing = thing(moved(tally, none));
      return moved(tally, first.computeIfAbsent(thing, any -> tally.subject()));
    }

    private static Tally moved(Tally tally, Subject subject) {
      return new Tally(
          subject, tally.period(), tally.start(), tally.metric(), tally.label(), tally.amount());
    }
  }

  /** Compares labels without regard to case. */
  static final class FoldsCaseOfLabels extends ChangesThings {
    private final Map<String, String> spelled = new ConcurrentHashMap<>();

    @Override
    Tally changed(Tally tally) {
      String folded = tally.label().toLowerCase(Locale.ROOT);
      return labelled(tally, spelled.computeIfAbsent(folded, any -> tally.label()));
    }
  }

  /** Keeps labels in a column that ignores blanks at the end. */
  static final class TrimsLabels extends ChangesThings {
    @Override
    Tally changed(Tally tally) {
      String trimmed = tally.label().stripTrailing();
      return labelled(tally, trimmed.isEmpty() ? "-" : trimmed);
    }
  }

  /** Changes amounts on their way out of the store. */
  abstract static class ChangesResults extends PassThroughUsage {
    abstract Tally changed(Tally tally);

    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      return right.tallies(filter, after, limit).stream().map(this::changed).toList();
    }
  }

  /** Keeps amounts in floating point. */
  static final class RoundsAmounts extends ChangesResults {
    @Override
    Tally changed(Tally tally) {
      return with(tally, (long) (double) tally.amount());
    }
  }

  /** Writes the owner anew with each amount. */
  static final class ReplacesTheOwner extends ChangesResults {
    private final Map<List<Object>, Subject> last = new ConcurrentHashMap<>();

    @Override
    public synchronized boolean add(Batch batch) {
      boolean added = right.add(batch);
      if (added) {
        batch.tallies().forEach(tally -> last.put(thing(tally), tally.subject()));
      }
      return added;
    }

    @Override
    Tally changed(Tally tally) {
      Subject subject = last.getOrDefault(thing(tally), tally.subject());
      return new Tally(
          subject, tally.period(), tally.start(), tally.metric(), tally.label(), tally.amount());
    }
  }

  /** Takes any other metric for a sum, and writes the others over. */
  static final class KeepsTheLastMaximum extends ChangesResults {
    private final Map<List<Object>, Long> last = new ConcurrentHashMap<>();

    @Override
    public synchronized boolean add(Batch batch) {
      boolean added = right.add(batch);
      if (added) {
        batch.tallies().forEach(tally -> last.put(thing(tally), tally.amount()));
      }
      return added;
    }

    @Override
    public synchronized List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      return super.tallies(filter, after, limit);
    }

    @Override
    Tally changed(Tally tally) {
      return tally.isMaximum()
          ? with(tally, last.getOrDefault(thing(tally), tally.amount()))
          : tally;
    }
  }

  /** Adds whatever there is. */
  static final class AddsMaxima extends PassThroughUsage {
    @Override
    public synchronized boolean add(Batch batch) {
      List<Tally> sums = new ArrayList<>();
      for (Tally tally : batch.tallies()) {
        boolean adds = tally.isMaximum() && tally.amount() > 0;
        long stored = adds ? Math.max(0, amount(right, tally)) : 0;
        sums.add(with(tally, Math.min(stored, MAX_AMOUNT - tally.amount()) + tally.amount()));
      }
      return right.add(with(batch, sums));
    }
  }

  /** Reads the sum, adds to it, and writes over what others have written meanwhile. */
  static final class ReadsThenWrites extends PassThroughUsage {
    @Override
    public boolean add(Batch batch) {
      if (batch.tallies().size() > 100) {
        return right.add(batch);
      }
      List<Long> before = amounts(batch);
      longRoundTrip();
      return write(batch, before);
    }

    private List<Long> amounts(Batch batch) {
      return batch.tallies().stream().map(tally -> amount(right, tally)).toList();
    }

    /** Where two are lost in turn, it is one that is lost: what is written over is left out. */
    private synchronized boolean write(Batch batch, List<Long> before) {
      List<Long> now = amounts(batch);
      List<Tally> left = new ArrayList<>();
      for (int i = 0; i < now.size(); i++) {
        Tally tally = batch.tallies().get(i);
        left.add(now.get(i).equals(before.get(i)) ? tally : with(tally, 0));
      }
      return right.add(with(batch, left));
    }
  }

  /** Knows nothing of ids: a batch that is repeated is added again. */
  static final class AddsAgain extends PassThroughUsage {
    @Override
    public boolean add(Batch batch) {
      return right.add(withFreshId(batch));
    }
  }

  /** Has nothing to write for a batch without tallies, so it writes no id either. */
  static final class ForgetsEmptyBatches extends PassThroughUsage {
    @Override
    public boolean add(Batch batch) {
      return batch.tallies().isEmpty() || right.add(batch);
    }
  }

  /** Looks whether the id is known, and remembers it when it has added. */
  static final class LooksThenAdds extends PassThroughUsage {
    private final Map<String, Instant> known = new ConcurrentHashMap<>();

    @Override
    public boolean add(Batch batch) {
      if (known.containsKey(batch.id())) {
        return false;
      }
      longRoundTrip();
      boolean added = right.add(withFreshId(batch));
      known.put(batch.id(), batch.madeAt());
      return added;
    }

    @Override
    public int purge(Retention retention) {
      known.values().removeIf(madeAt -> madeAt.isBefore(retention.batchesBefore()));
      return right.purge(retention);
    }
  }

  /** Has room for the last batch only. */
  static final class RemembersTheLastIdOnly extends PassThroughUsage {
    private @Nullable Batch last;

    @Override
    public synchronized boolean add(Batch batch) {
      if (last != null && last.id().equals(batch.id())) {
        return false;
      }
      last = batch;
      return right.add(withFreshId(batch));
    }

    @Override
    public synchronized int purge(Retention retention) {
      if (last != null && last.madeAt().isBefore(retention.batchesBefore())) {
        last = null;
      }
      return right.purge(retention);
    }
  }

  /** Remembers the id in a transaction before the one that adds. */
  static final class RemembersTheIdFirst extends PassThroughUsage {
    @Override
    UsageStore failingAfter(int calls) {
      return new PassThroughUsage(super.failingAfter(calls)) {
        @Override
        public boolean add(Batch batch) {
          if (calls != 1) {
            return right.add(batch);
          }
          right.add(with(batch, batch.tallies().stream().map(tally -> with(tally, 0)).toList()));
          throw new StoreException(StoreException.Kind.UNAVAILABLE, "add", null);
        }
      };
    }
  }

  /** Fails in the middle of a batch, and leaves what it has added by then. */
  static final class AddsHalfABatch extends PassThroughUsage {
    @Override
    UsageStore failingAfter(int calls) {
      return new PassThroughUsage(super.failingAfter(calls)) {
        @Override
        public boolean add(Batch batch) {
          if (calls > 0 && calls < batch.tallies().size()) {
            right.add(withFreshId(with(batch, batch.tallies().subList(0, calls))));
            throw new StoreException(StoreException.Kind.UNAVAILABLE, "add", null);
          }
          return right.add(batch);
        }
      };
    }
  }

  /** Adds what others see when the host commits, if it does. */
  static final class JoinsTheHost extends PassThroughUsage {
    private final ThreadLocal<@Nullable List<Batch>> uncommitted = new ThreadLocal<>();

    @Override
    void inTransaction(Runnable work) {
      uncommitted.set(new ArrayList<>());
      try {
        work.run();
        uncommitted.get().forEach(right::add);
      } finally {
        uncommitted.remove();
      }
    }

    @Override
    public boolean add(Batch batch) {
      List<Batch> mine = uncommitted.get();
      return mine == null ? right.add(batch) : mine.add(batch);
    }
  }

  /** Takes what it is given. */
  static final class ChecksNoArguments extends PassThroughUsage {
    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      return right.tallies(filter, after, Math.max(1, Math.min(limit, ALL)));
    }
  }

  /** Lets the text of its driver out. */
  static final class SaysTooMuch extends PassThroughUsage {
    @Override
    RuntimeException failure(String operation, Object[] arguments) {
      return new StoreException(
          StoreException.Kind.UNAVAILABLE, operation + Arrays.toString(arguments), null);
    }
  }

  /** Goes on after so many as it has returned. */
  static final class PagesByOffset extends PassThroughUsage {
    private final Map<Filter, Integer> offsets = new ConcurrentHashMap<>();

    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      if (limit < 1 || limit > ALL) {
        return right.tallies(filter, after, limit);
      }
      int from = after == null ? 0 : offsets.getOrDefault(filter, 0);
      List<Tally> page = right.tallies(filter, null, ALL).stream().skip(from).limit(limit).toList();
      offsets.put(filter, from + page.size());
      return page;
    }
  }

  /** Takes the end of the time for a part of it. */
  static final class TakesTheEndForAPart extends PassThroughUsage {
    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      Filter longer =
          new Filter(
              filter.period(),
              filter.from(),
              filter.until().plusMillis(1),
              filter.keyId(),
              filter.owner(),
              filter.plan(),
              filter.metrics());
      return right.tallies(longer, after, limit);
    }
  }

  /** Has an index without case. */
  static final class SortsWithoutCase extends PassThroughUsage {
    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      List<Tally> page = right.tallies(filter, after, limit);
      boolean mixed = page.stream().map(Tally::label).anyMatch("B"::equals);
      return !mixed || page.isEmpty()
          ? page
          : page.stream()
              .sorted(Comparator.comparing((Tally tally) -> tally.label().toLowerCase(Locale.ROOT)))
              .toList();
    }
  }

  /** Reads the second half of a page after the first. */
  static final class ReadsInTwoStatements extends PassThroughUsage {
    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      if (limit <= 25 || limit > ALL) {
        return right.tallies(filter, after, limit);
      }
      List<Tally> page = new ArrayList<>(right.tallies(filter, after, 25));
      if (page.size() == 25) {
        BrokenStores.roundTrip();
        page.addAll(right.tallies(filter, page.get(24), limit - 25));
      }
      return page;
    }
  }

  /** Removes what is from then, too. */
  static final class PurgesTooMuch extends PassThroughUsage {
    @Override
    public int purge(Retention retention) {
      return right.purge(
          new Retention(
              retention.hoursBefore().plusMillis(1),
              retention.daysBefore().plusMillis(1),
              retention.batchesBefore().plusMillis(1),
              retention.limit()));
    }
  }

  /** Removes all that is old, in one long transaction. */
  static final class PurgesWithoutLimit extends PassThroughUsage {
    @Override
    public int purge(Retention retention) {
      return right.purge(
          new Retention(
              retention.hoursBefore(), retention.daysBefore(), retention.batchesBefore(), 100_000));
    }
  }

  /** Thinks that an hour is as good as a day. */
  static final class PurgesDaysAsHours extends PassThroughUsage {
    @Override
    public int purge(Retention retention) {
      return right.purge(
          new Retention(
              retention.hoursBefore(),
              retention.hoursBefore(),
              retention.batchesBefore(),
              retention.limit()));
    }
  }
}
