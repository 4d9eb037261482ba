package io.keystile;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * When a secret was last used, as far as this node knows. Written on the hot path: two plain
 * comparisons, and a write at most once a millisecond. A lost race leaves a time that is older by
 * the length of the race.
 */
final class LastUse {
  private volatile long used;
  private volatile long seen;

  /** Whether a {@link UseRecorder} has it on its list. */
  final AtomicBoolean listed = new AtomicBoolean();

  void mark(long now, boolean accepted) {
    if (accepted && now > used) {
      used = now;
    }
    if (now > seen) {
      seen = now;
    }
  }

  /** Epoch milliseconds, 0 for never. */
  long used() {
    return used;
  }

  /** Epoch milliseconds, 0 for never; read after {@link #used()} it is not before it. */
  long seen() {
    return Math.max(seen, used);
  }
}
