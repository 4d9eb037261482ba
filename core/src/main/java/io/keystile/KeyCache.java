package io.keystile;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The records of this node, and the loads that fetch them: at most one per id at a time.
 *
 * <p><b>A revoke beats a load.</b> A load is a <em>flight</em>, registered under its id. Only the
 * flight that is registered when it lands may put what it brought; {@link #invalidate} removes the
 * registration and the cached record in one atomic step of the map. So what was read before an
 * invalidation is never cached after it, and who asks after it does not join the old flight but
 * starts a new one. (A count that guards the put alone is not enough: the joined flight would still
 * hand out what it read.)
 *
 * <p><b>Nor does a shortcut outlive a revoke.</b> In front of the cache stands a {@link FrontTable}
 * of references, and a thread may put one there that it took from the cache a while ago. So
 * whatever leaves the cache is killed before it is out, in the step that takes it out or sooner: an
 * invalidation that comes later finds nothing to kill, so nothing must be left to kill. That what
 * is dead can still be found for a moment does no harm: who finds it began before.
 *
 * <p>Ids that nobody has are kept in a small cache of their own, where they cannot push out good
 * ones, and are forgotten soon.
 */
final class KeyCache {

  /** Fetches a key; an absent one is {@link CachedKey#isAbsent()}. May block and throw. */
  @FunctionalInterface
  interface Loader {
    CachedKey load(KeyId id);
  }

  /** A load, from when it was asked for until it lands. */
  private record Flight(CompletableFuture<CachedKey> result, long askedAt) {}

  /** A flight is given up when it has lasted so many load deadlines. */
  private static final int DEADLINES = 4;

  private final Loader loader;
  private final Executor loaders;
  private final Executor refreshers;
  private final LongSupplier ticker;
  private final long longestFlight;
  private final Cache<KeyId, CachedKey> present;
  private final Cache<KeyId, CachedKey> absent;
  private final FrontTable front;
  private final ConcurrentHashMap<KeyId, Flight> flights = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /**
   * A cache that is empty.
   *
   * @param loaders runs the loads that somebody waits for; may reject them
   * @param refreshers runs the others; may reject them
   */
  KeyCache(Settings settings, Loader loader, Executor loaders, Executor refreshers) {
    this.loader = loader;
    this.loaders = loaders;
    this.refreshers = refreshers;
    ticker = settings.ticker();
    longestFlight = DEADLINES * settings.loadDeadline().toNanos();
    present = bounded(settings.maxKeys()).build();
    absent =
        bounded(settings.maxAbsent())
            .expireAfterWrite(settings.absentFor())
            .ticker(ticker::getAsLong)
            .build();
    front = new FrontTable(settings.maxKeys());
  }

  private Caffeine<KeyId, CachedKey> bounded(long size) {
    // maintenance on the calling thread: measured cheaper than handing it over, and never in the
    // common pool, which is the host's
    return Caffeine.newBuilder()
        .maximumSize(size)
        .executor(Runnable::run)
        .evictionListener(this::evicted);
  }

  private void evicted(@Nullable KeyId id, @Nullable CachedKey key, RemovalCause cause) {
    kill(key);
  }

  private void kill(@Nullable CachedKey key) {
    if (key != null) {
      key.kill();
      front.remove(key);
    }
  }

  /** What is cached, of whatever age, if it was used lately; null says nothing. */
  @Nullable CachedKey recent(long idHigh, long idLow) {
    return front.get(idHigh, idLow);
  }

  /** What is cached, of whatever age, or null. */
  @Nullable CachedKey get(KeyId id) {
    CachedKey key = present.getIfPresent(id);
    if (key == null) {
      key = absent.getIfPresent(id);
    }
    if (key != null) {
      front.put(key);
    }
    return key;
  }

  /** Tells the cache of a use that it has not seen, so that it knows which keys to keep. */
  @SuppressWarnings("CheckReturnValue") // it is looked up to be seen
  void touch(CachedKey key) {
    (key.isAbsent() ? absent : present).getIfPresent(key.id);
  }

  /**
   * Joins the flight for this id or starts one. One that hangs is given up, so that a store that
   * answers again is asked again.
   *
   * @return completed on a loader thread; exceptionally if the load failed
   * @throws RejectedExecutionException if too many loads are waiting
   */
  CompletableFuture<CachedKey> load(KeyId id) {
    return load(id, loaders);
  }

  /**
   * As {@link #load}, for a key that can still be used meanwhile.
   *
   * @throws RejectedExecutionException if too many loads are waiting
   */
  @SuppressWarnings("FutureReturnValueIgnored") // if it fails, the key is kept
  void refresh(KeyId id) {
    load(id, refreshers);
  }

  @SuppressWarnings("ReferenceEquality") // a flight is who it is
  private CompletableFuture<CachedKey> load(KeyId id, Executor executor) {
    long now = ticker.getAsLong();
    Flight mine = new Flight(new CompletableFuture<>(), now);
    Flight flight =
        flights.merge(id, mine, (old, other) -> now - old.askedAt() > longestFlight ? other : old);
    if (flight != mine) {
      return flight.result();
    }
    try {
      if (closed) {
        throw new RejectedExecutionException("closed");
      }
      executor.execute(() -> fly(id, mine));
    } catch (Throwable e) { // an Error too: no thread may be left for it
      flights.remove(id, mine);
      RejectedExecutionException rejected =
          e instanceof RejectedExecutionException r ? r : new RejectedExecutionException(e);
      mine.result().completeExceptionally(rejected); // for those who joined in the meantime
      throw rejected;
    }
    return mine.result();
  }

  private void fly(KeyId id, Flight flight) {
    try {
      CachedKey key = loader.load(id);
      land(id, flight, key);
      flight.result().complete(key);
    } catch (Throwable e) { // an Error too: those who wait must not wait for ever
      flights.remove(id, flight);
      flight.result().completeExceptionally(e);
    }
  }

  @SuppressWarnings("ReferenceEquality") // a flight is who it is
  private void land(KeyId id, Flight flight, CachedKey key) {
    flights.computeIfPresent(
        id,
        (same, registered) -> {
          if (registered != flight) {
            return registered;
          }
          if (closed) {
            return null;
          }
          remove(same, key.isAbsent() ? present : absent);
          put(same, key, key.isAbsent() ? absent : present);
          return null;
        });
  }

  private void put(KeyId id, CachedKey key, Cache<KeyId, CachedKey> into) {
    into.asMap()
        .compute(
            id,
            (same, old) -> {
              kill(old);
              return key;
            });
  }

  private void remove(KeyId id, Cache<KeyId, CachedKey> from) {
    from.asMap()
        .computeIfPresent(
            id,
            (same, key) -> {
              kill(key);
              return null;
            });
  }

  /** Forgets a key. Whoever asks after this has returned gets what was loaded after it began. */
  void invalidate(KeyId id) {
    flights.compute(
        id,
        (same, flight) -> {
          remove(same, present);
          remove(same, absent);
          return null;
        });
  }

  /** Forgets every key. */
  void invalidateAll() {
    invalidateIf(key -> true);
    removeIf(absent, key -> true);
  }

  /** Forgets every key for good: loads are rejected, and those under way are not kept. */
  void close() {
    closed = true;
    invalidateAll();
  }

  /** Forgets the keys for which this holds, and whatever is being loaded: it may be one of them. */
  void invalidateIf(Predicate<CachedKey> condition) {
    // flights first: one that has landed before its turn is found among the keys
    flights.keySet().forEach(this::invalidate);
    removeIf(present, condition);
  }

  private void removeIf(Cache<KeyId, CachedKey> cache, Predicate<CachedKey> condition) {
    cache
        .asMap()
        .forEach(
            (id, key) -> {
              if (condition.test(key)) {
                kill(key);
                cache.asMap().remove(id, key);
              }
            });
  }

  /** Drops a key as Caffeine does when it is full. For tests. */
  void evict(KeyId id) {
    remove(id, present);
  }
}
