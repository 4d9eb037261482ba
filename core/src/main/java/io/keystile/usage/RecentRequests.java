package io.keystile.usage;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The last {@value #PER_KEY} requests of each of many keys, in memory; {@link RequestRecords} has
 * the contract. The records of a key are under a lock of its own, so who adds to one or reads it
 * holds up no other.
 */
final class RecentRequests {
  /** How many requests of a key are kept. */
  static final int PER_KEY = 100;

  private static final int MOST_KEYS = 1_000_000;

  /** The requests of one key, the oldest first. */
  private static final class Ring {
    final ReentrantLock lock = new ReentrantLock();
    final ArrayDeque<RequestRecord> requests = new ArrayDeque<>();
  }

  private final int maxKeys;
  private final ReentrantLock lock = new ReentrantLock();

  /** In the order of their last use; guarded by {@link #lock}. */
  private final LinkedHashMap<String, Ring> rings = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * Keeps so many keys.
   *
   * @param maxKeys how many, 1 to 1,000,000
   */
  RecentRequests(int maxKeys) {
    if (maxKeys < 1 || maxKeys > MOST_KEYS) {
      throw new IllegalArgumentException("maxKeys: must be 1 to " + MOST_KEYS + ", is " + maxKeys);
    }
    this.maxKeys = maxKeys;
  }

  /**
   * Adds a request. Does not block for longer than it takes to copy {@value #PER_KEY} references.
   *
   * @param request the latest of its key
   */
  void record(RequestRecord request) {
    Ring ring = used(request.keyId());
    ring.lock.lock();
    try {
      if (ring.requests.size() == PER_KEY) {
        ring.requests.removeFirst();
      }
      ring.requests.addLast(request);
    } finally {
      ring.lock.unlock();
    }
  }

  /**
   * The last requests of a key, in the order in which they were added. Who is looked at is kept for
   * longer: reading counts as a use.
   *
   * @param keyId the key
   * @return at most {@value #PER_KEY}, the oldest first; a copy
   */
  List<RequestRecord> of(String keyId) {
    Ring ring = find(keyId);
    if (ring == null) {
      return List.of();
    }
    ring.lock.lock();
    try {
      return List.copyOf(ring.requests);
    } finally {
      ring.lock.unlock();
    }
  }

  private Ring used(String keyId) {
    lock.lock();
    try {
      Ring ring = rings.computeIfAbsent(keyId, id -> new Ring());
      if (rings.size() > maxKeys) {
        rings.remove(rings.keySet().iterator().next());
      }
      return ring;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Ring find(String keyId) {
    lock.lock();
    try {
      return rings.get(keyId);
    } finally {
      lock.unlock();
    }
  }

  /** Holds the records of a key while something runs. For tests. */
  void holding(String keyId, Runnable action) {
    Ring ring = used(keyId);
    ring.lock.lock();
    try {
      action.run();
    } finally {
      ring.lock.unlock();
    }
  }
}
