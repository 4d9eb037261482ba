package io.keystile;

import io.keystile.store.SharedLimits;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import io.keystile.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Stores with one mistake each in what nodes share of limits, of the kind that people make. */
final class BrokenLimits {
  private static final int PURGE_ALL = 100_000;

  private BrokenLimits() {}

  private static Snapshot at(Instant now, Snapshot snapshot) {
    return new Snapshot(now, snapshot.ledgers());
  }

  private static Set<String> ids(List<Ledger> ledgers) {
    return ledgers.stream().map(Ledger::id).collect(Collectors.toSet());
  }

  /** The stored revision, 0 if none is stored. */
  private static long revision(SharedLimits store, String id) {
    return store.read(List.of(id)).ledgers().stream().mapToLong(Ledger::revision).sum();
  }

  /** The database would refuse it, or the author has thought of that. */
  private static void checkDistinct(List<Ledger> ledgers) {
    if (ids(ledgers).size() < ledgers.size() || ledgers.size() > 1000) {
      throw new IllegalArgumentException("ledgers");
    }
  }

  private static boolean fits(SharedLimits store, Ledger ledger) {
    return revision(store, ledger.id()) == ledger.revision() - 1;
  }

  /** Changes ledgers on their way into the store. */
  abstract static class Changes extends PassThroughLimits {
    abstract Ledger changed(Ledger ledger);

    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      return right.replace(ledgers.stream().map(this::changed).toList());
    }
  }

  /** Keeps text in a column that ignores blanks at its end. */
  static final class TrimsText extends Changes {
    @Override
    Ledger changed(Ledger ledger) {
      return new Ledger(
          ledger.id(), ledger.revision(), ledger.text().stripTrailing(), ledger.keepUntil());
    }
  }

  /** Keeps time in seconds. */
  static final class RoundsTimes extends Changes {
    @Override
    Ledger changed(Ledger ledger) {
      Instant seconds = ledger.keepUntil().truncatedTo(ChronoUnit.SECONDS);
      return new Ledger(ledger.id(), ledger.revision(), ledger.text(), seconds);
    }
  }

  /** Leaves the time as it was when it replaces. */
  static final class LeavesTimesAsTheyWere extends Changes {
    @Override
    Ledger changed(Ledger ledger) {
      for (Ledger stored : right.read(List.of(ledger.id())).ledgers()) {
        return new Ledger(ledger.id(), ledger.revision(), ledger.text(), stored.keepUntil());
      }
      return ledger;
    }
  }

  /** Compares ids without regard to case. */
  static final class FoldsCaseOfIds extends PassThroughLimits {
    private final Map<String, String> spelled = new ConcurrentHashMap<>();

    private String id(String id) {
      return spelled.computeIfAbsent(id.toLowerCase(Locale.ROOT), folded -> id);
    }

    @Override
    public Snapshot read(Collection<String> ids) {
      return right.read(ids.stream().map(this::id).toList());
    }

    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      Set<String> written = new HashSet<>(right.replace(ledgers));
      for (Ledger ledger : ledgers) {
        if (!id(ledger.id()).equals(ledger.id())) {
          written.remove(ledger.id());
        }
      }
      return written;
    }
  }

  /** Writes what others see when the host commits, if it does. */
  static final class JoinsTheHost extends PassThroughLimits {
    private final ThreadLocal<@Nullable List<Ledger>> uncommitted = new ThreadLocal<>();

    @Override
    void inTransaction(Runnable work) {
      uncommitted.set(new ArrayList<>());
      try {
        work.run();
        right.replace(uncommitted.get());
      } finally {
        uncommitted.remove();
      }
    }

    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      List<Ledger> mine = uncommitted.get();
      if (mine == null) {
        return right.replace(ledgers);
      }
      mine.addAll(ledgers);
      return ids(ledgers);
    }
  }

  /** Takes what it is given. */
  static final class ChecksNoArguments extends PassThroughLimits {
    @Override
    public Snapshot read(Collection<String> ids) {
      return right.read(ids.stream().limit(1000).toList());
    }
  }

  /** Lets the text of its driver out. */
  static final class SaysTooMuch extends PassThroughLimits {
    @Override
    RuntimeException failure(String operation, Object[] arguments) {
      return new StoreException(
          StoreException.Kind.UNAVAILABLE, operation + List.of(arguments), null);
    }
  }

  /** Each node shows what it has once read. */
  static final class ReadsThroughAnOldSnapshot extends PassThroughLimits {
    @Override
    SharedLimits node() {
      Map<String, List<Ledger>> seen = new ConcurrentHashMap<>();
      return new PassThroughLimits(right) {
        @Override
        public Snapshot read(Collection<String> ids) {
          Snapshot snapshot = right.read(ids);
          snapshot.ledgers().forEach(ledger -> seen.putIfAbsent(ledger.id(), List.of(ledger)));
          List<Ledger> old =
              snapshot.ledgers().stream().map(ledger -> seen.get(ledger.id()).get(0)).toList();
          return new Snapshot(snapshot.now(), old);
        }
      };
    }
  }

  /** Reads revision and text one after the other. */
  static final class ReadsInTwoStatements extends PassThroughLimits {
    @Override
    public Snapshot read(Collection<String> ids) {
      Snapshot revisions = right.read(ids);
      BrokenStores.roundTrip();
      Map<String, Ledger> texts =
          right.read(ids).ledgers().stream().collect(Collectors.toMap(Ledger::id, text -> text));
      List<Ledger> torn = new ArrayList<>();
      for (Ledger ledger : revisions.ledgers()) {
        Ledger later = texts.getOrDefault(ledger.id(), ledger);
        torn.add(new Ledger(ledger.id(), ledger.revision(), later.text(), later.keepUntil()));
      }
      return new Snapshot(revisions.now(), torn);
    }
  }

  /** Answers as often as it is asked. */
  static final class ReturnsOnePerQuestion extends PassThroughLimits {
    @Override
    public Snapshot read(Collection<String> ids) {
      Snapshot snapshot = right.read(ids);
      Map<String, Ledger> found =
          snapshot.ledgers().stream().collect(Collectors.toMap(Ledger::id, ledger -> ledger));
      return new Snapshot(
          snapshot.now(), ids.stream().filter(found::containsKey).map(found::get).toList());
    }
  }

  /** Looks at the clock of the node that asks; those of some are slow. */
  static final class AsksEachNodeForTheTime extends PassThroughLimits {
    private final AtomicInteger nodes = new AtomicInteger();

    @Override
    SharedLimits node() {
      Duration behind = Duration.ofMillis(250L * (nodes.getAndIncrement() % 2));
      return new PassThroughLimits(right) {
        @Override
        public Snapshot read(Collection<String> ids) {
          Snapshot snapshot = super.read(ids);
          return at(snapshot.now().minus(behind), snapshot);
        }
      };
    }
  }

  /** Tells when it was made, as databases tell when a transaction began. */
  static final class TellsWhenItBegan extends PassThroughLimits {
    private final Instant began = right.read(List.of()).now();

    @Override
    public Snapshot read(Collection<String> ids) {
      return at(began, super.read(ids));
    }
  }

  /** Looks at the clock when it has the ledgers. */
  static final class ReadsTheClockLast extends PassThroughLimits {
    @Override
    public Snapshot read(Collection<String> ids) {
      Snapshot snapshot = right.read(ids);
      if (ids.isEmpty()) {
        return snapshot;
      }
      // a database that is far away: meanwhile others write, and look at the same clock
      LockSupport.parkNanos(3_000_000);
      return at(right.read(List.of()).now(), snapshot);
    }
  }

  /** Writes over whatever is there. */
  private static void writeOver(SharedLimits store, Ledger ledger) {
    Set<String> written;
    do {
      long next = revision(store, ledger.id()) + 1;
      written =
          store.replace(List.of(new Ledger(ledger.id(), next, ledger.text(), ledger.keepUntil())));
    } while (written.isEmpty());
  }

  /** The last one wins. */
  static final class IgnoresRevisions extends PassThroughLimits {
    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      checkDistinct(ledgers);
      ledgers.forEach(ledger -> writeOver(right, ledger));
      return ids(ledgers);
    }
  }

  /** Inserts with the clause that updates what is there. */
  static final class UpdatesDuplicates extends PassThroughLimits {
    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      Set<String> written = new HashSet<>(right.replace(ledgers));
      for (Ledger ledger : ledgers) {
        if (ledger.revision() == 1 && written.add(ledger.id())) {
          writeOver(right, ledger);
        }
      }
      return written;
    }
  }

  /** Takes any greater revision for the next one. */
  static final class LetsRevisionsJump extends PassThroughLimits {
    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      Set<String> written = new HashSet<>(right.replace(ledgers));
      for (Ledger ledger : ledgers) {
        long stored = revision(right, ledger.id());
        if (stored > 0 && ledger.revision() > stored && written.add(ledger.id())) {
          writeOver(right, ledger);
        }
      }
      return written;
    }
  }

  /** Rolls all of them back when one is refused. */
  static final class AllOrNothing extends PassThroughLimits {
    @Override
    public synchronized Set<String> replace(List<Ledger> ledgers) {
      checkDistinct(ledgers);
      for (Ledger ledger : ledgers) {
        if (!fits(right, ledger)) {
          return Set.of();
        }
      }
      return right.replace(ledgers);
    }
  }

  /** Ends at the first that is refused. */
  static final class EndsAtTheFirstRefusal extends PassThroughLimits {
    @Override
    public synchronized Set<String> replace(List<Ledger> ledgers) {
      checkDistinct(ledgers);
      int fitting = 0;
      while (fitting < ledgers.size() && fits(right, ledgers.get(fitting))) {
        fitting++;
      }
      return right.replace(ledgers.subList(0, fitting));
    }
  }

  /** Takes a batch that was sent for one that was applied. */
  static final class ReportsAllAsWritten extends PassThroughLimits {
    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      right.replace(ledgers);
      return ids(ledgers);
    }
  }

  /** Looks whether the revision fits, and then writes over whatever is there. */
  static final class ChecksThenWrites extends PassThroughLimits {
    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      checkDistinct(ledgers);
      List<Ledger> fit = new ArrayList<>();
      for (Ledger ledger : ledgers) {
        if (fits(right, ledger)) {
          fit.add(ledger);
        }
      }
      BrokenStores.roundTrip();
      fit.forEach(ledger -> writeOver(right, ledger));
      return ids(fit);
    }
  }

  /** Fails after the first of a list, and leaves it. */
  static final class FailsHalfWay extends PassThroughLimits {
    @Override
    SharedLimits failingAfter(int calls) {
      return new PassThroughLimits(super.failingAfter(calls)) {
        @Override
        public Set<String> replace(List<Ledger> ledgers) {
          if (calls > 0 && calls < ledgers.size()) {
            right.replace(ledgers.subList(0, calls));
            throw new StoreException(StoreException.Kind.UNAVAILABLE, "replace", null);
          }
          return right.replace(ledgers);
        }
      };
    }
  }

  /** Removes what is kept until then, too. */
  static final class PurgesTooMuch extends PassThroughLimits {
    @Override
    public int purge(Instant before, int limit) {
      return right.purge(before.getNano() % 1_000_000 == 0 ? before.plusMillis(1) : before, limit);
    }
  }

  /** Looks what is old, and then removes it as it is by now. */
  static final class LooksThenPurges extends PassThroughLimits {
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      known.addAll(ids(ledgers));
      return right.replace(ledgers);
    }

    @Override
    public synchronized int purge(Instant before, int limit) {
      if (limit < 1 || limit > PURGE_ALL || before.getNano() % 1_000_000 > 0) {
        return right.purge(before, limit);
      }
      List<Ledger> old = new ArrayList<>();
      for (String id : known) {
        right.read(List.of(id)).ledgers().stream()
            .filter(ledger -> ledger.keepUntil().isBefore(before))
            .forEach(old::add);
      }
      BrokenStores.roundTrip();
      List<Ledger> removed = old.subList(0, Math.min(limit, old.size()));
      for (Ledger ledger : removed) {
        known.remove(ledger.id());
        writeOver(right, new Ledger(ledger.id(), 1, "", Instant.EPOCH));
      }
      right.purge(Instant.EPOCH.plusMillis(1), PURGE_ALL);
      return removed.size();
    }
  }

  /** Removes all that is old, in one long transaction. */
  static final class PurgesWithoutLimit extends PassThroughLimits {
    @Override
    public int purge(Instant before, int limit) {
      return right.purge(before, limit < 1 || limit > PURGE_ALL ? limit : PURGE_ALL);
    }
  }

  /** Remembers what it has removed, and lets none of it come back. */
  static final class RefusesWhatWasRemoved extends PassThroughLimits {
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    @Override
    public Set<String> replace(List<Ledger> ledgers) {
      List<Ledger> allowed = new ArrayList<>(ledgers);
      allowed.removeIf(ledger -> known.contains(ledger.id()) && revision(right, ledger.id()) == 0);
      Set<String> written = right.replace(allowed);
      known.addAll(written);
      return written;
    }
  }
}
