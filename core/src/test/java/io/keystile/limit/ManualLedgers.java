package io.keystile.limit;

import io.keystile.store.SharedLimits;
import io.keystile.store.StoreException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Ledgers in memory, by a clock that the test moves, and that fail when the test wants it. */
final class ManualLedgers implements SharedLimits {
  /** How calls fail. */
  enum Fault {
    NONE,
    /** The store is away. */
    AWAY,
    /** What is written is not kept, and the writer is told so. */
    REFUSES,
    /** What is written is kept, and the writer is not told. */
    LOSES_ANSWER,
    /** What is written is not kept, and the writer is not told. */
    LOSES_CALL
  }

  final Map<String, Ledger> ledgers = new TreeMap<>();
  long millis = 1_700_000_000_000L;
  Fault fault = Fault.NONE;
  int calls;
  int longest;

  @Override
  public Snapshot read(Collection<String> ids) {
    calls++;
    if (fault == Fault.AWAY) {
      throw new StoreException(StoreException.Kind.UNAVAILABLE, "read", null);
    }
    List<Ledger> found = ids.stream().filter(ledgers::containsKey).map(ledgers::get).toList();
    return new Snapshot(Instant.ofEpochMilli(millis), found);
  }

  @Override
  public Set<String> replace(List<Ledger> all) {
    calls++;
    switch (fault) {
      case AWAY, REFUSES ->
          throw new StoreException(StoreException.Kind.UNAVAILABLE, "replace", null);
      case LOSES_CALL ->
          throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "replace", null);
      default -> {}
    }
    Set<String> written = new HashSet<>();
    for (Ledger ledger : all) {
      Ledger stored = ledgers.get(ledger.id());
      if ((stored == null ? 0 : stored.revision()) == ledger.revision() - 1) {
        ledgers.put(ledger.id(), ledger);
        written.add(ledger.id());
        longest = Math.max(longest, ledger.text().length());
      }
    }
    if (fault == Fault.LOSES_ANSWER) {
      throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "replace", null);
    }
    return written;
  }

  @Override
  public int purge(Instant before, int limit) {
    int size = ledgers.size();
    ledgers.values().removeIf(ledger -> ledger.keepUntil().isBefore(before));
    return size - ledgers.size();
  }
}
