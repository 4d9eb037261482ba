package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a warm validation costs beside time, and that waiting for a cold one pins no carrier. */
class WarmPathTest {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  /** The result, and a part of the reading of the clock that calls of half a millisecond share. */
  private static final long MOST_BYTES = 33;

  private static final int WARM_UP = 20_000;
  private static final int CALLS = 100_000;

  private final WatchedStore store = new WatchedStore();
  private final ApiKeys keys =
      ApiKeys.builder(store)
          .defaultPlan(Plan.unlimited())
          .plans(
              Plan.of(
                  "busy",
                  Window.perSecond(1 << 30),
                  Window.perMinute(1 << 30),
                  Window.perHour(1 << 30),
                  Window.perDay(1 << 30)))
          .brand("acme")
          .environment("live")
          .pepper(Tokens.secret("p1", 1))
          .loaders(4, 100_000)
          .loadDeadline(Duration.ofMinutes(1))
          .propagation(Duration.ofSeconds(60))
          .build();

  @AfterEach
  void close() {
    keys.close();
  }

  @Test
  void a_warm_validation_reads_no_store_and_allocates_little() {
    KeySpec spec = KeySpec.forOwner("owner").scopes("forecast:read");

    long bytes = bytesPerCall(keys.issue(spec).revealToken());

    assertThat(bytes).isLessThanOrEqualTo(MOST_BYTES);
    System.out.println("Warm path: " + bytes + " bytes per accepted validation");
  }

  @Test
  void four_windows_allocate_nothing_besides() {
    KeySpec spec = KeySpec.forOwner("owner").scopes("forecast:read");

    long without = bytesPerCall(keys.issue(spec).revealToken());
    long with = bytesPerCall(keys.issue(spec.plan("busy")).revealToken());

    assertThat(with).isLessThanOrEqualTo(Math.max(without, MOST_BYTES));
    System.out.println("Warm path: " + with + " bytes with four windows, " + without + " without");
  }

  @Test
  void what_a_listener_counts_allocates_nothing_besides() {
    KeySpec spec = KeySpec.forOwner("owner").scopes("forecast:read");
    try (ApiKeys counted =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .pepper(Tokens.secret("p1", 1))
            .propagation(Duration.ofSeconds(60))
            .listener(new KeyListener() {})
            .build()) {
      long without = bytesPerCall(keys.issue(spec).revealToken());
      long with = bytesPerCall(counted, counted.issue(spec).revealToken());

      assertThat(with).isLessThanOrEqualTo(Math.max(without, MOST_BYTES));
      System.out.println("Warm path: " + with + " bytes counted, " + without + " not counted");
    }
  }

  @Test
  void what_is_recorded_of_usage_allocates_nothing_besides() {
    KeySpec spec = KeySpec.forOwner("owner").scopes("forecast:read");
    try (ApiKeys recorded =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .pepper(Tokens.secret("p1", 1))
            .propagation(Duration.ofSeconds(60))
            .recordUsage()
            .build()) {
      IssuedKey key = recorded.issue(spec);
      long without = bytesPerCall(keys.issue(spec).revealToken());
      long with = bytesPerCall(recorded, key.revealToken());

      assertThat(with).isLessThanOrEqualTo(Math.max(without, MOST_BYTES));
      recorded.flush();
      assertThat(recorded.status().usage().stored()).isEqualTo(WARM_UP + CALLS);
      System.out.println("Warm path: " + with + " bytes recorded, " + without + " not recorded");
    }
  }

  private long bytesPerCall(String token) {
    return bytesPerCall(keys, token);
  }

  private long bytesPerCall(ApiKeys keys, String token) {
    validate(keys, token, WARM_UP);
    int loads = store.loads.get();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();

    long before = threads.getThreadAllocatedBytes(thread);
    int accepted = validate(keys, token, CALLS);
    long bytes = (threads.getThreadAllocatedBytes(thread) - before) / CALLS;

    assertThat(accepted).isEqualTo(CALLS);
    assertThat(store.loads).hasValue(loads);
    return bytes;
  }

  @Test
  void ten_thousand_virtual_threads_wait_for_the_store_and_pin_no_carrier() throws Exception {
    assumeTrue(Runtime.version().feature() >= 21, "needs virtual threads (JDK 21)");
    int count = 10_000;
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tokens.add(keys.issue(KeySpec.forOwner("owner").scopes("forecast:read")).revealToken());
    }
    Path file = Files.createTempFile("pinned", ".jfr");
    ExecutorService virtual =
        (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    int accepted = 0;
    try (Recording recording = new Recording()) {
      recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ofMillis(20));
      recording.start();
      List<Future<Validation>> results = new ArrayList<>();
      for (String token : tokens) {
        results.add(virtual.submit(() -> keys.validate(token, READ, HERE)));
      }
      for (Future<Validation> result : results) {
        accepted += result.get(2, TimeUnit.MINUTES).isAccepted() ? 1 : 0;
      }
      recording.stop();
      recording.dump(file);
    } finally {
      virtual.shutdownNow();
    }

    assertThat(accepted).isEqualTo(count);
    assertThat(RecordingFile.readAllEvents(file)).isEmpty();
    Files.delete(file);
    System.out.println("Virtual threads: " + accepted + " accepted, 0 pinned");
  }

  private static int validate(ApiKeys keys, String token, int times) {
    int accepted = 0;
    for (int i = 0; i < times; i++) {
      accepted += keys.validate(token, READ, HERE).isAccepted() ? 1 : 0;
    }
    return accepted;
  }
}
