package io.keystile;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.store.KeyRecord;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * A revoke beats a load: no validation that begins after a revoke has returned accepts. All
 * interleavings of small scenarios, on one key, with loads on the calling thread.
 *
 * <p>Without {@code actorsBefore(0)} a sequential prefix would warm the cache and hide the race of
 * a cold one; {@code evict} makes it cold again, and {@code revokeThenValidate} asks for the
 * promise on one thread.
 */
class KeyCacheLincheckTest {
  /** At most: they end at the first counter-example, as a rule in the first scenarios. */
  private static final int TWIN_ITERATIONS = 50;

  private static final KeyId ID = SampleKeys.id(1);

  @Test
  void a_revoke_beats_a_load() {
    options(Integer.getInteger("keystile.lincheck.iterations", 6)).check(Real.class);
  }

  @Test
  void the_twin_that_gets_loads_and_puts_is_caught() {
    assertThatThrownBy(() -> options(TWIN_ITERATIONS).check(GetLoadPut.class))
        .isInstanceOf(LincheckAssertionError.class);
  }

  @Test
  void the_twin_that_evicts_without_a_word_to_the_table_in_front_is_caught() {
    assertThatThrownBy(() -> options(TWIN_ITERATIONS).check(EvictsInSilence.class))
        .isInstanceOf(LincheckAssertionError.class);
  }

  @Test
  void the_twin_whose_count_guards_only_the_put_is_caught() {
    assertThatThrownBy(() -> options(TWIN_ITERATIONS).check(CountGuardsThePut.class))
        .isInstanceOf(LincheckAssertionError.class);
  }

  private static ModelCheckingOptions options(int iterations) {
    return new ModelCheckingOptions()
        .iterations(iterations)
        .invocationsPerIteration(300)
        .threads(2)
        .actorsPerThread(2)
        .actorsBefore(0)
        .actorsAfter(1);
  }

  /** A store with one key, and a cache in front of it. */
  public abstract static class Node {
    private final List<CachedKey> activeKeys = keys(KeyRecord.State.ACTIVE);
    private final List<CachedKey> revokedKeys = keys(KeyRecord.State.REVOKED);
    private final AtomicInteger loads = new AtomicInteger();
    private volatile boolean revoked;

    /** More than a scenario can load. */
    private static List<CachedKey> keys(KeyRecord.State state) {
      return Stream.generate(() -> SampleKeys.cached(ID, state)).limit(10).toList();
    }

    /** Another object each time: what was dead must not come back. */
    CachedKey load() {
      return (revoked ? revokedKeys : activeKeys).get(loads.getAndIncrement());
    }

    abstract CachedKey read();

    abstract void invalidate();

    abstract void drop();

    void invalidateAll() {
      invalidate();
    }

    @Operation
    public boolean validate() {
      return read().state == KeyRecord.State.ACTIVE;
    }

    @Operation
    public void revoke() {
      revoked = true;
      invalidate();
    }

    @Operation
    public boolean revokeThenValidate() {
      revoke();
      return validate();
    }

    @Operation
    public void evict() {
      drop();
    }

    @Operation
    public void forgetAll() {
      invalidateAll();
    }

    /** At rest, what is cached is what is stored. */
    @Validate
    public void nothingStaleStays() {
      if (revoked && read().state != KeyRecord.State.REVOKED) {
        throw new AssertionError("a revoked key is still cached as active");
      }
    }
  }

  public static final class Real extends Node {
    private final KeyCache cache =
        new KeyCache(
            SampleKeys.settings(new ManualTime()), id -> load(), Runnable::run, Runnable::run);

    @Override
    CachedKey read() {
      CachedKey key = cache.recent(ID.high(), ID.low());
      if (key == null) {
        key = cache.get(ID);
      }
      return key != null ? key : cache.load(ID).join();
    }

    @Override
    void invalidate() {
      cache.invalidate(ID);
    }

    @Override
    void invalidateAll() {
      cache.invalidateIf(key -> true);
    }

    @Override
    void drop() {
      cache.evict(ID);
    }
  }

  public static final class GetLoadPut extends Node {
    private final ConcurrentHashMap<KeyId, CachedKey> map = new ConcurrentHashMap<>();

    @Override
    CachedKey read() {
      CachedKey key = map.get(ID);
      if (key == null) {
        key = load();
        map.put(ID, key);
      }
      return key;
    }

    @Override
    void invalidate() {
      map.remove(ID);
    }

    @Override
    void drop() {
      map.remove(ID);
    }
  }

  /**
   * Has a shortcut, too, and an eviction flags nothing: who took the key from the map may go on.
   */
  public static final class EvictsInSilence extends Node {
    private final ConcurrentHashMap<KeyId, CachedKey> map = new ConcurrentHashMap<>();
    private volatile CachedKey front;
    private volatile CachedKey dead;

    @Override
    CachedKey read() {
      CachedKey key = front;
      if (key != null && key != dead) {
        return key;
      }
      key = map.computeIfAbsent(ID, id -> load());
      front = key;
      return key;
    }

    @Override
    void invalidate() {
      map.computeIfPresent(
          ID,
          (id, key) -> {
            dead = key;
            return null;
          });
      front = null;
    }

    @Override
    void drop() {
      map.remove(ID);
    }
  }

  /** Puts nothing that was read before an invalidation, but lets others join the old flight. */
  public static final class CountGuardsThePut extends Node {
    private final ConcurrentHashMap<KeyId, CachedKey> map = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<KeyId, CompletableFuture<CachedKey>> flights =
        new ConcurrentHashMap<>();
    private final AtomicLong count = new AtomicLong();

    @Override
    CachedKey read() {
      CachedKey key = map.get(ID);
      if (key != null) {
        return key;
      }
      CompletableFuture<CachedKey> mine = new CompletableFuture<>();
      CompletableFuture<CachedKey> flight = flights.putIfAbsent(ID, mine);
      if (flight != null) {
        return flight.join();
      }
      long before = count.get();
      CachedKey loaded = load();
      map.compute(ID, (id, old) -> count.get() == before ? loaded : old);
      flights.remove(ID);
      mine.complete(loaded);
      return loaded;
    }

    @Override
    void invalidate() {
      map.compute(
          ID,
          (id, old) -> {
            count.incrementAndGet();
            return null;
          });
    }

    @Override
    void drop() {
      map.remove(ID);
    }
  }
}
