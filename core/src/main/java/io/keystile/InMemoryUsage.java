package io.keystile;

import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Keeps how keys were used, in memory. Safe for use by many threads. */
final class InMemoryUsage {
  private static final long MAX_AMOUNT = 1L << 62;

  /** The order of pages; two tallies are of the same thing if they are of one period, and equal. */
  private static final Comparator<Tally> ORDER =
      Comparator.comparing((Tally tally) -> tally.subject().keyId())
          .thenComparing(Tally::start)
          .thenComparing(
              tally -> tally.subject().plan(), Comparator.nullsFirst(InMemoryUsage::byBytes))
          .thenComparing(Tally::metric)
          .thenComparing(Tally::label, InMemoryUsage::byBytes);

  private final NavigableMap<Tally, Tally> hours = new TreeMap<>(ORDER);
  private final NavigableMap<Tally, Tally> days = new TreeMap<>(ORDER);
  private final Map<String, Instant> batches = new HashMap<>();

  /** Unlike the natural order of strings, in which some characters come after emoji. */
  private static int byBytes(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  private NavigableMap<Tally, Tally> of(Period period) {
    return switch (period) {
      case HOUR -> hours;
      case DAY -> days;
    };
  }

  synchronized boolean add(Batch batch) {
    if (batches.putIfAbsent(batch.id(), batch.madeAt()) != null) {
      return false;
    }
    for (Tally tally : batch.tallies()) {
      of(tally.period()).merge(tally, tally, InMemoryUsage::merged);
    }
    return true;
  }

  private static Tally merged(Tally stored, Tally added) {
    long amount =
        stored.isMaximum()
            ? Math.max(stored.amount(), added.amount())
            : Math.min(stored.amount(), MAX_AMOUNT - added.amount()) + added.amount();
    return new Tally(
        stored.subject(), stored.period(), stored.start(), stored.metric(), stored.label(), amount);
  }

  synchronized List<Tally> find(Filter filter, @Nullable Tally after, int limit) {
    InMemoryKeyStore.require(limit >= 1 && limit <= 10_000, "limit: must be 1 to 10000");
    NavigableMap<Tally, Tally> all = of(filter.period());
    NavigableMap<Tally, Tally> rest = after == null ? all : all.tailMap(after, false);
    return rest.values().stream().filter(tally -> matches(tally, filter)).limit(limit).toList();
  }

  private static boolean matches(Tally tally, Filter filter) {
    Subject subject = tally.subject();
    return !tally.start().isBefore(filter.from())
        && tally.start().isBefore(filter.until())
        && (filter.keyId() == null || filter.keyId().equals(subject.keyId()))
        && (filter.owner() == null || filter.owner().equals(subject.owner()))
        && (filter.plan() == null || filter.plan().equals(subject.plan()))
        && (filter.metrics().isEmpty() || filter.metrics().contains(tally.metric()));
  }

  synchronized int purge(Retention retention) {
    int limit = retention.limit();
    return remove(hours, startsBefore(retention.hoursBefore()), limit)
        + remove(days, startsBefore(retention.daysBefore()), limit)
        + remove(batches, madeAt -> madeAt.isBefore(retention.batchesBefore()), limit);
  }

  private static Predicate<Tally> startsBefore(Instant time) {
    return tally -> tally.start().isBefore(time);
  }

  private static <T> int remove(Map<?, T> map, Predicate<T> old, int limit) {
    int removed = 0;
    Iterator<T> values = map.values().iterator();
    while (removed < limit && values.hasNext()) {
      if (old.test(values.next())) {
        values.remove();
        removed++;
      }
    }
    return removed;
  }
}
