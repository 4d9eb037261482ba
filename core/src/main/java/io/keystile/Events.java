package io.keystile;

import io.keystile.store.RevocationReason;
import io.keystile.usage.Risk;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the host's listener on a thread of its own, so that neither what it throws nor the time it
 * takes can harm a request. What waits for it is bounded, and what is too much is dropped: each
 * event that is raised is delivered, failed or dropped, and counted as one of them.
 */
final class Events implements KeyListener {
  private static final Logger log = LoggerFactory.getLogger(Events.class);

  /** How many events may wait for the listener. */
  static final int MAX_WAITING = 1_000;

  /**
   * How many of those that anybody with a good token can raise, as often as he likes: they must not
   * keep out those that come seldom and matter more.
   */
  static final int MAX_OF_REQUESTS = MAX_WAITING - MAX_WAITING / 8;

  private final KeyListener listener;
  private final Executor executor;
  private final Counts counts;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicBoolean reporting = new AtomicBoolean();
  private final AtomicBoolean thrown = new AtomicBoolean();
  private final AtomicBoolean full = new AtomicBoolean();
  private final LongAdder delivered = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder dropped = new LongAdder();

  /**
   * @param executor makes the calls, one after the other in the order in which they come
   * @param counts told to the listener, this object's own among them
   */
  Events(KeyListener listener, Executor executor, Counts counts) {
    this.listener = listener;
    this.executor = executor;
    this.counts = counts;
    counts
        .add("keystile.events", "delivered", delivered::sum)
        .add("keystile.events", "failed", failed::sum)
        .add("keystile.events", "dropped", dropped::sum);
  }

  /** One call that waits. */
  private final class Event implements Runnable {
    private final Runnable call;

    Event(Runnable call) {
      this.call = call;
    }

    @Override
    public void run() {
      try {
        call.run();
        delivered.increment();
      } catch (Throwable e) { // an Error too: the thread serves other events
        failed.increment();
        warn(e);
      } finally {
        waiting.decrementAndGet();
      }
    }
  }

  @Override
  public void insecureTransport(String keyId, boolean accepted) {
    raise(MAX_OF_REQUESTS, () -> listener.insecureTransport(keyId, accepted));
  }

  @Override
  public void usedFromBrowser(String keyId) {
    raise(MAX_OF_REQUESTS, () -> listener.usedFromBrowser(keyId));
  }

  @Override
  public void retiredSecretUsed(String keyId, int secretVersion) {
    raise(MAX_OF_REQUESTS, () -> listener.retiredSecretUsed(keyId, secretVersion));
  }

  @Override
  public void pepperMissing(String pepperId) {
    log.warn("A hash needs the pepper '{}', which this node does not have", pepperId);
    raise(MAX_WAITING, () -> listener.pepperMissing(pepperId));
  }

  @Override
  public void alert(String keyId, RevocationReason reason) {
    log.warn("Key {} was changed because of {}", keyId, reason);
    raise(MAX_WAITING, () -> listener.alert(keyId, reason));
  }

  @Override
  public void wrongSecrets(String network, int count) {
    raise(MAX_OF_REQUESTS, () -> listener.wrongSecrets(network, count));
  }

  @Override
  public void riskFound(String keyId, Risk.Level level, Risk.Kind kind, String evidence) {
    raise(MAX_WAITING, () -> listener.riskFound(keyId, level, kind, evidence));
  }

  @Override
  public void limitAdapted(String keyId, long perMinute) {
    raise(MAX_WAITING, () -> listener.limitAdapted(keyId, perMinute));
  }

  /** Whether anybody listens. */
  @SuppressWarnings("ReferenceEquality") // the one that does nothing
  boolean isHeard() {
    return listener != KeyListener.NONE;
  }

  private void raise(int most, Runnable call) {
    if (!isHeard()) {
      return;
    }
    if (waiting.incrementAndGet() > most) {
      waiting.decrementAndGet();
      drop(1);
      return;
    }
    try {
      executor.execute(new Event(call));
    } catch (Throwable e) { // an Error too: no thread may be left for it
      waiting.decrementAndGet();
      drop(1);
    }
  }

  private void drop(int events) {
    dropped.add(events);
    if (full.compareAndSet(false, true)) {
      log.warn("The KeyListener is too slow, and events are dropped; this is logged once");
    }
  }

  private void warn(Throwable e) {
    if (thrown.compareAndSet(false, true)) {
      log.warn("The KeyListener threw; this is logged once: {}", LogText.of(e));
    }
  }

  /** Tells the listener what was counted, when its turn comes. Blocks and throws nothing. */
  void report() {
    if (!reporting.compareAndSet(false, true)) {
      return; // the last one still waits, and will tell of this, too
    }
    try {
      executor.execute(
          () -> {
            reporting.set(false);
            reportNow();
          });
    } catch (Throwable e) { // an Error too: the schedule would end for ever
      reporting.set(false);
    }
  }

  /** On the thread of the listener. */
  void reportNow() {
    counts.tell(
        (metric, result, added) -> {
          try {
            listener.count(metric, result, added);
          } catch (Throwable e) { // an Error too: the thread serves events
            warn(e);
          }
        });
  }

  /** These will never be run. */
  void discard(List<Runnable> left) {
    int events = (int) left.stream().filter(Event.class::isInstance).count();
    if (events > 0) {
      drop(events);
    }
  }
}
