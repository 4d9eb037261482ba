package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a decision and a key cost in memory, and that virtual threads are served. */
class MeterFootprintTest {
  private static final int CALLS = 100_000;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final AtomicLong millis = new AtomicLong();
  private long taken;

  private Meter meter(Plan plan) {
    return Limiter.<String>builder(plan)
        .ticker(() -> millis.get() * 1_000_000)
        .build()
        .meter("key");
  }

  @Test
  void a_decision_allocates_nothing() {
    Plan many = Plan.of("many", Window.perSecond(1L << 30));
    Meter allowed = meter(many);
    Meter refused = meter(Plan.of("none", Window.perSecond(0)));
    Meter standard = meter(Plan.standard());
    Meter quota = meter(many.quota("bytes", Window.perDay(100)).quota("rows", Window.perDay(10)));
    Meter realTime = Limiter.<String>of(Plan.standard()).meter("key");

    assertThat(allocated(() -> taken += allowed.tryAcquire() ? 1 : 0)).isZero();
    assertThat(allocated(() -> taken += refused.tryAcquire() ? 1 : 0)).isZero();
    assertThat(allocated(() -> taken += realTime.tryAcquire() ? 1 : 0)).isZero();
    assertThat(allocated(() -> taken += quota.tryAcquire(2) ? 1 : 0)).isZero();
    assertThat(allocated(() -> quota.charge("rows", millis.incrementAndGet() % 2))).isZero();
    assertThat(
            allocated( // each call folds all windows
                () -> {
                  millis.addAndGet(7);
                  taken += standard.tryAcquire() ? 1 : 0;
                }))
        .isZero();
    assertThat(taken).isPositive();
  }

  @Test
  void a_full_answer_allocates_and_that_is_noticed() {
    Meter meter = meter(Plan.standard());
    assertThat(allocated(() -> taken += meter.acquire(1).windows().size()))
        .isGreaterThan(100L * CALLS);
  }

  /** Bytes allocated by {@value #CALLS} warm calls on this thread. */
  private static long allocated(Runnable call) {
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first warms up
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run();
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  @Test
  void a_key_takes_the_memory_that_is_stated() {
    assertThat(bytesOfCell(Plan.standard())).isEqualTo(256);
    for (Plan plan :
        List.of(
            Plan.free(),
            Plan.of("one", Window.perMinute(1)),
            Plan.of("exact", Window.perMinute(16)),
            Plan.of("five", Window.perSecond(5), Window.perMinute(100), Window.perDay(1_000))
                .resolution(50),
            Plan.standard().resolution(1_000))) {
      long stated = 72;
      for (int slots : plan.requestLayout().slots) {
        stated += 8 + 4L * slots;
      }
      assertThat(bytesOfCell(plan)).isEqualTo((stated + 7) / 8 * 8);
    }
  }

  private static long bytesOfCell(Plan plan) {
    Layout layout = plan.requestLayout();
    Cell[] cells = new Cell[10_000];
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first may load classes
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < cells.length; i++) {
        cells[i] = new Cell(layout, i, null);
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least / cells.length;
  }

  @Test
  void the_place_of_a_key_in_the_table_takes_what_is_stated() {
    Integer[] keys = new Integer[3 << 16]; // half of the table has entries, as after it grew
    for (int i = 0; i < keys.length; i++) {
      keys[i] = i;
    }
    long before = THREADS.getCurrentThreadAllocatedBytes();
    ConcurrentHashMap<Object, Object> table = new ConcurrentHashMap<>(keys.length);
    for (Integer key : keys) {
      table.put(key, this);
    }
    double bytes = (double) (THREADS.getCurrentThreadAllocatedBytes() - before) / keys.length;
    System.out.printf("a key: 256 bytes, and %.1f for its place in the table%n", bytes);
    assertThat(bytes).isBetween(36.0, 44.0);
  }

  @Test
  void ten_thousand_virtual_threads_take_all_of_the_limit_and_no_more() throws Exception {
    assumeTrue(Runtime.version().feature() >= 21, "needs virtual threads (JDK 21)");
    int count = 10_000;
    int limit = 3_000;
    Meter meter = meter(Plan.of("virtual", Window.perMinute(limit), Window.perDay(2 * limit)));
    ExecutorService virtual =
        (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    int admitted = 0;
    try {
      List<Future<Boolean>> results = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        results.add(
            virtual.submit(
                () -> {
                  millis.incrementAndGet(); // 10 s in all: each call folds
                  meter.peek(1);
                  return meter.tryAcquire();
                }));
      }
      for (Future<Boolean> result : results) {
        admitted += result.get(2, TimeUnit.MINUTES) ? 1 : 0;
      }
    } finally {
      virtual.shutdownNow();
    }
    assertThat(admitted).isEqualTo(limit);
    System.out.printf("%,d virtual threads on one meter: %,d admitted%n", count, admitted);
  }
}
