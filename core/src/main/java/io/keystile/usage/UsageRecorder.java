package io.keystile.usage;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts what keys are used for, and writes it to a store in batches: no request waits for the
 * store. A host gets one with {@code ApiKeysBuilder.recordUsage}; alone it serves whoever validates
 * in another way.
 *
 * <p><b>Memory.</b> There is so much room as the maximum says: a key takes one place for each hour
 * that is not stored yet, so two around the border of an hour, and more while the store is away. A
 * place has at most 50 networks and answers, 100 endpoints and 20 of everything else; what is
 * beyond that is counted as {@code other}, and what finds no place is dropped and counted as
 * dropped. What was not {@linkplain #collect collected} yet takes up to twice as many places
 * besides, one for each minute.
 *
 * <p><b>Exactness.</b> Each call of a {@link OfKey} is a mark. Every mark is stored once, or
 * dropped and counted, or still pending: {@link Counts}. A batch goes out under an id of its own;
 * if the answer of the store is lost, the same batch is sent again, and the store adds it once
 * ({@link UsageStore#add}). While the store is away, what comes is merged into what is pending, and
 * each failure doubles the pause before the next try, up to ten intervals. If the process is
 * killed, what is pending is lost: what came since the last flush, while the store answers.
 *
 * <p>Safe for use by many threads. Counting never blocks, and allocates nothing for a key that was
 * counted since the last collection, and in the same minute. {@link #flush} and {@link #close} wait
 * for the store; {@link #collect} and {@link #abandon} do not, whatever another thread waits for.
 */
public final class UsageRecorder {
  private static final Logger log = LoggerFactory.getLogger(UsageRecorder.class);
  private static final int ID_BYTES = 16;
  private static final int MAX_PAUSE = 10;
  private static final long PAUSE_NANOS = 10_000;
  private static final int LAST_TRIES = 5;
  private static final long LAST_PAUSE_NANOS = 100_000_000;

  /**
   * A batch holds each hour twice, as an hour and as a part of its day; hours are not divided, and
   * none has more tallies than this.
   */
  private static final int MAX_TALLIES_OF_HOUR = 400;

  private final UsageStore store;
  private final InstantSource clock;
  private final int maxKeys;
  private final Stripe[] stripes;
  private final AtomicInteger minutes = new AtomicInteger();
  private final String name = HexFormat.of().formatHex(randomBytes());

  /** Held while the store is called; never taken by who holds {@link #collecting}. */
  private final ReentrantLock flushing = new ReentrantLock();

  /** Guarded by {@link #flushing}, as is what follows. */
  private int failures;

  private int pause;

  /** Held for moments only: never while the store is called. */
  private final ReentrantLock collecting = new ReentrantLock();

  /** Guarded by {@link #collecting}, as is what follows; the counts are read without. */
  private final Map<Hour.Of, Hour> hours = new HashMap<>();

  /** Those with something that is in no batch yet. */
  private final Deque<Hour> ready = new ArrayDeque<>();

  private long batches;
  private @Nullable Sent unanswered;
  private boolean isClosed;
  private volatile boolean hasAbandoned;
  private volatile Counts counts = new Counts(0, 0, 0);

  /** A batch, and how many marks are in it. */
  private record Sent(Batch batch, long marks) {}

  /**
   * What has become of the marks, as of the last time that they were collected.
   *
   * @param recorded how many there were
   * @param stored how many are in the store
   * @param dropped how many were dropped: too many keys, or closed before the store had answered.
   *     If it answers after all, what it took is moved to the stored ones
   */
  public record Counts(long recorded, long stored, long dropped) {

    /**
     * How many wait to be stored.
     *
     * @return the rest
     */
    public long pending() {
      return recorded - stored - dropped;
    }
  }

  /**
   * Makes a recorder that writes when it is told to.
   *
   * @param store where to
   * @param clock tells the time of batches
   * @param maxKeys how many keys at a time, at least 1
   */
  public UsageRecorder(UsageStore store, InstantSource clock, int maxKeys) {
    this.store = Objects.requireNonNull(store, "store");
    this.clock = Objects.requireNonNull(clock, "clock");
    if (maxKeys < 1) {
      throw new IllegalArgumentException("maxKeys: must be at least 1, is " + maxKeys);
    }
    this.maxKeys = maxKeys;
    stripes = new Stripe[4 * Integer.highestOneBit(Runtime.getRuntime().availableProcessors())];
    for (int i = 0; i < stripes.length; i++) {
      // a key that several threads use is in several stripes
      stripes[i] = new Stripe(minutes, (int) Math.min(Integer.MAX_VALUE, 2L * maxKeys));
    }
  }

  private static byte[] randomBytes() {
    byte[] bytes = new byte[ID_BYTES];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  /**
   * Where to count for a key. Cheap; may be kept and shared.
   *
   * @param keyId the key id, 22 characters
   * @param owner whose key it is, 1 to 255 bytes of UTF-8
   * @param plan the plan it has, up to 100 bytes; null for none
   * @return what counts for it
   */
  public OfKey of(String keyId, String owner, @Nullable String plan) {
    return new OfKey(new Subject(keyId, owner, plan));
  }

  /**
   * The number under which a network is counted: the /24 of an IPv4 address, the /48 of an IPv6
   * one.
   *
   * @param high the first 64 bits of the address; an IPv4 address in its mapped form, {@code
   *     ::ffff:a.b.c.d}
   * @param low the last 64 bits
   * @return the number, not 0, which stands for an unknown network
   */
  public static long networkOf(long high, long low) {
    return Network.of(high, low);
  }

  /** Counts for one key. Safe for use by many threads; nothing here blocks or throws. */
  public final class OfKey {
    private final Subject subject;
    private final int stripe;

    private OfKey(Subject subject) {
      this.subject = subject;
      this.stripe = (subject.keyId().hashCode() * 0x9E37_79B9) >>> 16;
    }

    /**
     * A request was let in.
     *
     * @param now when, milliseconds since 1970
     * @param secret the number of the secret version that it proved
     * @param network {@link #networkOf} its address; 0 if unknown
     * @param caller the name of the caller, or null
     */
    public void accepted(long now, int secret, long network, @Nullable String caller) {
      Stripe taken = take(stripe);
      try {
        Amounts amounts = taken.amounts(subject, now);
        if (amounts != null) {
          amounts.accepted(secret, network, caller);
        }
      } finally {
        taken.giveBack();
      }
    }

    /**
     * A request that proved a secret was refused.
     *
     * @param now when, milliseconds since 1970
     * @param secret the number of the secret version that it proved
     * @param reason why
     */
    public void refused(long now, int secret, String reason) {
      Stripe taken = take(stripe);
      try {
        Amounts amounts = taken.amounts(subject, now);
        if (amounts != null) {
          amounts.refused(reason, secret);
        }
      } finally {
        taken.giveBack();
      }
    }

    /**
     * A request that was let in was answered.
     *
     * @param now when it was let in, milliseconds since 1970
     * @param method the method, as {@code GET}
     * @param endpoint the route, without what differs from request to request; null if unknown
     * @param status the status, as 200
     * @param micros how long it took, in microseconds
     */
    public void answered(
        long now, String method, @Nullable String endpoint, int status, long micros) {
      Stripe taken = take(stripe);
      try {
        Amounts amounts = taken.amounts(subject, now);
        if (amounts != null) {
          amounts.answered(method, endpoint, status, micros);
        }
      } finally {
        taken.giveBack();
      }
    }

    /**
     * Bytes were sent or received.
     *
     * @param now when the request was let in, milliseconds since 1970
     * @param category what they were, as {@code image}; {@code all} where none is told apart
     * @param bytes how many
     */
    public void transferred(long now, String category, long bytes) {
      if (bytes <= 0) {
        return;
      }
      Stripe taken = take(stripe);
      try {
        Amounts amounts = taken.amounts(subject, now);
        if (amounts != null) {
          amounts.sent(category, bytes);
        }
      } finally {
        taken.giveBack();
      }
    }
  }

  /**
   * Begins with the stripe of the key, so that a key is in one of them unless several threads use
   * it in the same moment. There are more than processors, so one that nobody holds is found soon.
   */
  private Stripe take(int first) {
    for (int i = first; ; i++) {
      Stripe stripe = stripes[i & stripes.length - 1];
      if (stripe.take()) {
        return stripe;
      }
      Thread.onSpinWait();
    }
  }

  /**
   * Collects what was counted, and writes it, unless the store has failed a short while ago. Waits
   * for the store, and for another thread that does. Throws nothing; what the store does not take
   * stays pending.
   *
   * @return whether nothing is pending
   */
  public boolean flush() {
    collect();
    flushing.lock();
    try {
      if (pause > 0) {
        pause--;
        return false;
      }
      return write();
    } finally {
      flushing.unlock();
    }
  }

  /**
   * Collects what was counted, without writing it: what {@link #flush} begins with. To be called
   * from time to time by another thread than the one that flushes, since a store that does not
   * answer holds that up; what was counted in a minute that is not collected takes places of its
   * own. Does not wait for the store; throws nothing.
   */
  public void collect() {
    collecting.lock();
    try {
      if (!isClosed) {
        merge();
      }
    } finally {
      collecting.unlock();
    }
  }

  /**
   * Writes what is pending, however often the store has failed, with a few tries within a second;
   * then {@linkplain #abandon abandons} the rest. Waits for the store, and for another thread that
   * does. May be called again.
   *
   * @return whether nothing was abandoned
   */
  public boolean close() {
    collect();
    flushing.lock();
    try {
      for (int tries = 1; !write() && tries < LAST_TRIES; tries++) {
        LockSupport.parkNanos(LAST_PAUSE_NANOS);
      }
      abandon();
      return !hasAbandoned;
    } finally {
      flushing.unlock();
    }
  }

  /**
   * Drops what is pending, and counts it as dropped, with what the store was given and has not
   * answered for. What is counted from now on is lost. Does not wait for the store; throws nothing.
   */
  public void abandon() {
    collecting.lock();
    try {
      if (isClosed) {
        return;
      }
      merge();
      isClosed = true;
      long pending = counts.pending();
      if (pending > 0) {
        hasAbandoned = true;
        count(0, 0, pending);
        log.warn("{} marks of usage were dropped: closed before they were written", pending);
      }
      hours.clear();
      ready.clear();
      unanswered = null;
    } finally {
      collecting.unlock();
    }
  }

  /**
   * What has become of the marks.
   *
   * @return the counts as of the last time that they were collected
   */
  public Counts counts() {
    return counts;
  }

  private void merge() {
    long dropped = 0;
    List<Minute> all = new ArrayList<>();
    for (Stripe stripe : stripes) {
      while (!stripe.take()) {
        LockSupport.parkNanos(PAUSE_NANOS); // its holder was descheduled
      }
      try {
        Stripe.Drained drained = stripe.drain();
        // first, so that what fails later leaves marks pending that are never dropped unsaid
        count(drained.recorded(), 0, drained.dropped());
        dropped += drained.dropped();
        all.addAll(drained.minutes());
      } finally {
        stripe.giveBack();
      }
    }
    all.sort(Comparator.comparingLong(minute -> minute.start));
    boolean isFull = false;
    for (Minute minute : all) {
      if (minute.amounts.marks == 0) {
        continue;
      }
      Instant start = Period.HOUR.startOf(Instant.ofEpochMilli(minute.start));
      Hour.Of of = new Hour.Of(minute.subject, start);
      Hour hour = hours.get(of);
      if (hour == null && hours.size() >= maxKeys && !isFull) {
        hours.values().removeIf(Hour::isEmpty);
        isFull = hours.size() >= maxKeys;
      }
      if (hour == null && hours.size() >= maxKeys) {
        dropped += minute.amounts.marks;
        count(0, 0, minute.amounts.marks);
        continue;
      }
      if (hour == null) {
        hour = new Hour(of);
        hours.put(of, hour);
      }
      if (hour.isEmpty()) {
        ready.add(hour);
      }
      hour.add(minute);
    }
    if (dropped > 0) {
      log.warn("{} marks of usage were dropped: there is room for {} keys", dropped, maxKeys);
    }
  }

  private void count(long recorded, long stored, long dropped) {
    Counts old = counts;
    counts = new Counts(old.recorded + recorded, old.stored + stored, old.dropped + dropped);
  }

  private boolean write() {
    try {
      for (Sent next = next(); next != null; next = next()) {
        store.add(next.batch);
        settle(next);
      }
      failures = 0;
      return true;
    } catch (Throwable e) { // an Error too: the schedule would end for ever, without a word
      pause = Math.min(MAX_PAUSE, 1 << Math.min(failures++, 4)) - 1;
      // the message of any other exception may hold what a client has sent
      String why = e instanceof StoreException ? e.toString() : e.getClass().getName();
      log.warn("Usage was not written and is kept for later: {}", why);
      return false;
    }
  }

  /** The batch whose answer was lost, else a new one; null if there is nothing to write. */
  private @Nullable Sent next() {
    collecting.lock();
    try {
      if (unanswered == null) {
        unanswered = batch();
      }
      if (unanswered == null) {
        Instant now = Instant.ofEpochMilli(clock.millis());
        hours.values().removeIf(hour -> hour.isOver(now));
      }
      return unanswered;
    } finally {
      collecting.unlock();
    }
  }

  /** The store has it. */
  private void settle(Sent sent) {
    collecting.lock();
    try {
      boolean wasAbandoned = unanswered == null;
      count(0, sent.marks, wasAbandoned ? -sent.marks : 0);
      unanswered = null;
    } finally {
      collecting.unlock();
    }
  }

  private @Nullable Sent batch() {
    Map<Object, Tally> tallies = new LinkedHashMap<>();
    List<Hour> inIt = new ArrayList<>();
    long marks = 0;
    for (Hour hour : ready) {
      if (tallies.size() > UsageStore.MAX_TALLIES - 2 * MAX_TALLIES_OF_HOUR) {
        break;
      }
      inIt.add(hour);
      marks += hour.marks();
      for (Tally tally : hour.tallies()) {
        put(tallies, tally);
        put(tallies, ofDay(tally));
      }
    }
    if (tallies.isEmpty()) {
      return null;
    }
    String id = name + "-" + batches++;
    Instant now = Instant.ofEpochMilli(Math.max(0, clock.millis()));
    Sent sent = new Sent(new Batch(id, now, List.copyOf(tallies.values())), marks);
    // last, so that nothing is lost if something fails before
    for (Hour hour : inIt) {
      ready.remove();
      hour.clear();
    }
    return sent;
  }

  private static Tally ofDay(Tally tally) {
    Instant day = Period.DAY.startOf(tally.start());
    return new Tally(
        tally.subject(), Period.DAY, day, tally.metric(), tally.label(), tally.amount());
  }

  /** Several hours of one day have the same things. */
  private static void put(Map<Object, Tally> tallies, Tally tally) {
    Tally thing =
        new Tally(tally.subject(), tally.period(), tally.start(), tally.metric(), tally.label(), 0);
    tallies.merge(
        thing,
        tally,
        (a, b) ->
            new Tally(
                a.subject(),
                a.period(),
                a.start(),
                a.metric(),
                a.label(),
                a.isMaximum()
                    ? Math.max(a.amount(), b.amount())
                    : Amounts.sum(a.amount(), b.amount())));
  }
}
