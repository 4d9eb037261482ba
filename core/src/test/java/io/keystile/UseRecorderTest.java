package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.StoreException;
import io.keystile.store.UseMark;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class UseRecorderTest {
  private static final int SECRETS = 100_000;

  /** Takes marks, or fails before, as often as it is told to. */
  private static final class Flaky extends ForwardingKeyStore {
    final AtomicLong taken = new AtomicLong();
    final double failing;
    private final SplittableRandom random = Seed.of("UseRecorderTest");

    Flaky(double failing) {
      super(new InMemoryKeyStore());
      this.failing = failing;
    }

    @Override
    public synchronized void recordUse(List<UseMark> marks) {
      if (random.nextDouble() < failing) {
        throw new StoreException(StoreException.Kind.UNAVAILABLE, "record use", null);
      }
      taken.addAndGet(marks.size());
    }
  }

  /** Each of many secrets is used once, by four threads, while another one writes. */
  private static UseRecorder used(Flaky store, int maxPending) throws Exception {
    UseRecorder recorder = new UseRecorder(store, maxPending);
    int threads = 4;
    List<Callable<Boolean>> calls = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int first = i * SECRETS / threads;
      calls.add(
          () -> {
            for (int n = first; n < first + SECRETS / threads; n++) {
              recorder.record(new LastUse(SampleKeys.id(n).toString(), 1), 1 + n, true);
            }
            return true;
          });
    }
    AtomicBoolean done = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              while (!done.get()) {
                recorder.flush();
              }
            });
    writer.start();
    try (Threads race = new Threads()) {
      race.race(calls);
    }
    done.set(true);
    writer.join();
    recorder.close();
    return recorder;
  }

  @Test
  void each_mark_is_written_or_dropped_and_counted() throws Exception {
    for (double failing : new double[] {0, 0.5, 0.95, 1}) {
      for (int maxPending : new int[] {1_000, SECRETS}) {
        Flaky store = new Flaky(failing);
        UseRecorder recorder = used(store, maxPending);
        System.out.printf(
            "%,d secrets used once, room for %,d, %.0f %% of writes fail: %,d written, %,d dropped%n",
            SECRETS, maxPending, 100 * failing, recorder.written(), recorder.dropped());
        assertThat(recorder.written() + recorder.dropped()).isEqualTo(SECRETS);
        assertThat(recorder.written()).isEqualTo(store.taken.get());
        if (failing == 0 && maxPending == SECRETS) {
          assertThat(recorder.dropped()).isZero();
        }
        if (failing == 1) {
          assertThat(recorder.written()).isZero();
        }
      }
    }
  }

  @Test
  void what_is_abandoned_is_counted_at_once_and_again_if_the_store_answers() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answers = new CountDownLatch(1);
    ForwardingKeyStore hanging =
        new ForwardingKeyStore(new InMemoryKeyStore()) {
          @Override
          public void recordUse(List<UseMark> marks) {
            asked.countDown();
            try {
              answers.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          }
        };
    UseRecorder recorder = new UseRecorder(hanging, SECRETS);
    for (int i = 0; i < 1_500; i++) {
      recorder.record(new LastUse(SampleKeys.id(i).toString(), 1), 1, true);
    }
    Thread flush = new Thread(recorder::flush);
    flush.start();
    asked.await();
    recorder.abandon();
    assertThat(recorder.written()).isZero();
    assertThat(recorder.dropped()).isEqualTo(1_500);
    answers.countDown();
    flush.join();
    assertThat(recorder.written()).isEqualTo(1_500);
    assertThat(recorder.dropped()).isZero();
  }

  @Test
  void a_million_secrets_while_the_store_is_away_take_no_more_memory_than_stated() {
    int maxPending = 100_000;
    UseRecorder recorder = new UseRecorder(new Flaky(1), maxPending);
    long before = used();
    int secrets = 1_000_000;
    for (int flush = 0; flush < 20; flush++) { // every 30 s for 10 minutes
      for (int i = 0; i < secrets / 20; i++) {
        String id = SampleKeys.id(flush * secrets / 20 + i).toString();
        recorder.record(new LastUse(id, 1), 1 + flush, true);
      }
      recorder.flush();
    }
    long each = (used() - before) / maxPending;
    recorder.close();
    System.out.printf(
        "%,d secrets, room for %,d: %d bytes each, %,d dropped%n",
        secrets, maxPending, each, recorder.dropped());
    assertThat(each).isLessThan(300);
    assertThat(recorder.dropped()).isEqualTo(secrets);
  }

  private static long used() {
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
