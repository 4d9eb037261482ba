package io.keystile.limit;

import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.SharedLimits.Snapshot;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes share limits: a ledger in which each signs now and then. Not safe for use by several
 * threads.
 */
final class Nodes {
  static final String LEDGER = "nodes";

  private static final int RADIX = 36;
  private static final int SIGNED_EVERY = 2;
  private static final int LIVE_FOR = 10;
  private static final int KNOWN_FOR = 100;

  /** After so long without a look, those who were not seen meanwhile may not be gone. */
  private static final int LOOKS_EVERY = 5;

  private final String name;
  private final long interval;
  private int live = 1;
  private boolean signed;
  private long joinedAt;
  private boolean alone;

  /** The store's time of the last look, and since when there was no long pause between looks. */
  private long lookedAt = Long.MIN_VALUE / 2;

  private long watchingSince;

  Nodes(long interval) {
    this.interval = interval;
    name = Long.toString(new SecureRandom().nextLong() >>> 12, RADIX);
  }

  /** This node: a random name, new with each start. */
  String name() {
    return name;
  }

  /** How many nodes there are, this one among them. */
  int live() {
    return live;
  }

  /** Whether others may not have heard of this node yet, who joined them shortly before. */
  boolean isJoining(long now, long heardAfter) {
    return !signed || (!alone && now - joinedAt < heardAfter);
  }

  /** Reads who there is; returns what to write, or null if nothing need be. */
  @Nullable Ledger next(Snapshot snapshot, boolean leaving) {
    long time = snapshot.now().toEpochMilli();
    Ledger stored = snapshot.ledgers().isEmpty() ? null : snapshot.ledgers().get(0);
    Map<String, Long> seen = stored == null ? new TreeMap<>() : parse(stored.text());
    seen.values().removeIf(at -> at < time - KNOWN_FOR * interval);
    Long mine = seen.get(name);
    live = 1 + others(seen, time);
    if (leaving) {
      seen.remove(name);
      return mine == null ? null : ledger(stored, seen, time);
    }
    if (mine != null && mine >= time - SIGNED_EVERY * interval) {
      return null;
    }
    seen.put(name, time);
    return ledger(stored, seen, time);
  }

  /** Who was not seen for long is gone; but only if this node was there all the time to see it. */
  private int others(Map<String, Long> seen, long time) {
    if (time - lookedAt > LOOKS_EVERY * interval) {
      watchingSince = time;
    }
    lookedAt = Math.max(time, lookedAt);
    boolean canTell = time - watchingSince >= LIVE_FOR * interval;
    long oldest = canTell ? time - LIVE_FOR * interval : Long.MIN_VALUE;
    return (int)
        seen.entrySet().stream()
            .filter(node -> !node.getKey().equals(name) && node.getValue() >= oldest)
            .count();
  }

  /** What {@link #next} returned was written. */
  void written(long now) {
    if (!signed) {
      signed = true;
      joinedAt = now;
      alone = live == 1; // whoever comes later finds this node's name
    }
  }

  private Ledger ledger(@Nullable Ledger stored, Map<String, Long> seen, long time) {
    StringBuilder text = new StringBuilder("1");
    seen.forEach(
        (node, at) -> text.append(" N").append(node).append('=').append(Long.toString(at, RADIX)));
    return new Ledger(
        LEDGER,
        stored == null ? 1 : stored.revision() + 1,
        text.toString(),
        Instant.ofEpochMilli(time + KNOWN_FOR * interval));
  }

  private static Map<String, Long> parse(String text) {
    Map<String, Long> seen = new TreeMap<>();
    for (String word : text.split(" ")) {
      String[] parts = word.split("=", 2);
      if (parts.length == 2 && parts[0].startsWith("N")) {
        seen.put(parts[0].substring(1), Long.parseLong(parts[1], RADIX));
      }
    }
    return seen;
  }
}
