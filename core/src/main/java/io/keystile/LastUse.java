package io.keystile;

import io.keystile.store.UseMark;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * When a secret was last used, as far as this node knows. Written on the hot path: a comparison,
 * and a write at most once a millisecond. A lost race leaves a time that is older by the length of
 * the race.
 */
final class LastUse {
  /** Which secret. */
  record Of(String keyId, int version) {}

  final Of of;

  /** Whether it waits to be written. */
  final AtomicBoolean pending = new AtomicBoolean();

  private volatile long used;
  private volatile long seen;

  LastUse(String keyId, int version) {
    of = new Of(keyId, version);
  }

  void mark(long now, boolean accepted) {
    if (accepted) {
      if (now > used) {
        used = now; // which means that it was seen, too
      }
    } else if (now > seen) {
      seen = now;
    }
  }

  /** Takes in what an older object for the same secret knows. */
  void takeIn(LastUse other) {
    used = Math.max(used, other.used);
    seen = Math.max(seen, other.seen);
  }

  /** What there is to write, the later of it and another mark of the same secret. */
  UseMark mark(@Nullable UseMark other) {
    long lastUsed = used;
    long lastSeen = Math.max(lastUsed, seen);
    if (other != null) {
      Instant otherUsed = other.lastUsed();
      lastUsed = Math.max(lastUsed, otherUsed == null ? 0 : otherUsed.toEpochMilli());
      lastSeen = Math.max(lastSeen, other.lastSeen().toEpochMilli());
    }
    return new UseMark(
        of.keyId(),
        of.version(),
        lastUsed == 0 ? null : Instant.ofEpochMilli(lastUsed),
        Instant.ofEpochMilli(lastSeen));
  }
}
