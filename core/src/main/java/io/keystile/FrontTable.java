package io.keystile;

import org.jspecify.annotations.Nullable;

/**
 * The keys that were used last, found without the cost of a real cache, which takes as long as the
 * hash: two places for each id, and whoever comes last has the first of them. It is only a
 * shortcut: {@link KeyCache} says what is cached, and flags what is not any more ({@link
 * CachedKey#isDead}). So a place may hold anything, and be written by any thread without a lock:
 * what is found there is looked at first.
 */
final class FrontTable {

  /** So that it takes a few megabytes; of more keys more are looked up in the cache. */
  private static final int MAX_PLACES = 1 << 20;

  private final @Nullable CachedKey[] places;
  private final int shift;

  /**
   * An empty table with at least twice as many places as keys, up to a maximum. If so many keys are
   * in use, about a fifth of them share two places with two others or more.
   */
  FrontTable(int keys) {
    int wanted = (int) Math.min(MAX_PLACES, Math.max(4, 2L * keys));
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(wanted - 1);
    places = new CachedKey[1 << bits];
    shift = Long.SIZE - bits + 1;
  }

  /** The key with this id, or null, which says nothing. */
  @Nullable CachedKey get(long high, long low) {
    int first = first(high, low);
    CachedKey key = places[first];
    if (isGood(key, high, low)) {
      return key;
    }
    key = places[first + 1];
    return isGood(key, high, low) ? key : null;
  }

  private static boolean isGood(@Nullable CachedKey key, long high, long low) {
    return key != null && key.idLow == low && key.idHigh == high && !key.isDead();
  }

  /** Offers a key. It may be dead by now: then nobody will be given it. */
  void put(CachedKey key) {
    int first = first(key.idHigh, key.idLow);
    places[first + 1] = places[first];
    places[first] = key;
  }

  /** Lets go of a key that is dead, so that it takes no memory. */
  void remove(CachedKey key) {
    int first = first(key.idHigh, key.idLow);
    removeFrom(first, key);
    removeFrom(first + 1, key);
  }

  @SuppressWarnings("ReferenceEquality") // another object for the same key is alive
  private void removeFrom(int place, CachedKey key) {
    if (places[place] == key) {
      places[place] = null; // if another has just taken it, it will take it again
    }
  }

  /** The first of two places. */
  private int first(long high, long low) {
    return (int) (((high ^ low) * 0x9E37_79B9_7F4A_7C15L) >>> shift) << 1;
  }
}
