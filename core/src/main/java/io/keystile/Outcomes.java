package io.keystile;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts how validations end: on the hot path, with one increment for each, or none. */
final class Outcomes {

  private final Map<Reason, LongAdder> rejected = new EnumMap<>(Reason.class);
  private final LongAdder accepted = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final @Nullable WrongSecrets wrongSecrets;

  /**
   * @param wrongSecrets counts them by address; null if nothing is to be counted
   */
  Outcomes(@Nullable WrongSecrets wrongSecrets, Counts counts) {
    this.wrongSecrets = wrongSecrets;
    counts.add("keystile.validations", "accepted", accepted::sum);
    for (Reason reason : Reason.values()) {
      LongAdder adder = new LongAdder();
      rejected.put(reason, adder);
      counts.add("keystile.validations", reason.name().toLowerCase(Locale.ROOT), adder::sum);
    }
    counts.add("keystile.cache", "hit", this::hits).add("keystile.cache", "miss", misses::sum);
  }

  /** A request had to wait for a load; it will end, too. */
  void missed(boolean recorded) {
    if (wrongSecrets != null && recorded) {
      misses.increment();
    }
  }

  /** A request has ended; one that is not recorded does not count. */
  void ended(Origin origin, boolean recorded, Validation result) {
    WrongSecrets wrong = wrongSecrets;
    if (wrong == null || !recorded) {
      return;
    }
    if (!(result instanceof Rejected refusal)) {
      accepted.increment();
      return;
    }
    Reason reason = refusal.reason();
    of(reason).increment();
    if (reason == Reason.WRONG_SECRET || reason == Reason.UNKNOWN) {
      wrong.note(origin);
    }
  }

  private LongAdder of(Reason reason) {
    return Objects.requireNonNull(rejected.get(reason));
  }

  /** Not counted but computed, so that a warm request pays for one count and not for two. */
  private long hits() {
    long ended = accepted.sum();
    for (Reason reason : Reason.values()) {
      ended += reason == Reason.MALFORMED ? 0 : of(reason).sum();
    }
    return ended - misses.sum();
  }
}
