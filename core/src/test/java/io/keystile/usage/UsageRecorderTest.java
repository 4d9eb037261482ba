package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import io.keystile.InMemoryKeyStore;
import io.keystile.Seed;
import io.keystile.Threads;
import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class UsageRecorderTest {
  private static final Instant NOON = Instant.parse("2026-03-02T12:00:00Z");
  private static final String OWNER = "weather-app";
  private static final long NETWORK = UsageRecorder.networkOf(0, 0xFFFF_C000_0201L);
  private static final String NETWORK_TEXT = "192.0.2.0/24";

  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final UsageReports reports = UsageReports.on(store);
  private final AtomicLong now = new AtomicLong(NOON.toEpochMilli());

  private UsageRecorder recorder(UsageStore to, int maxKeys) {
    return new UsageRecorder(to, () -> Instant.ofEpochMilli(now.get()), maxKeys);
  }

  private static String id(int number) {
    return "0351fcs8Bym6t%09d".formatted(number);
  }

  private static UsageRecorder.OfKey key(UsageRecorder recorder, int number) {
    return recorder.of(id(number), OWNER, "pro");
  }

  private static UsageQuery hours() {
    return UsageQuery.perHour(NOON.minus(Duration.ofDays(1)), NOON.plus(Duration.ofDays(1)));
  }

  private static UsageQuery days() {
    return UsageQuery.perDay(NOON.minus(Duration.ofDays(1)), NOON.plus(Duration.ofDays(1)));
  }

  @Test
  void what_was_used_is_kept_per_hour_and_per_day() {
    UsageRecorder recorder = recorder(store, 10);
    UsageRecorder.OfKey key = key(recorder, 1);
    key.accepted(now.get(), 1, NETWORK, "billing");
    key.accepted(now.get(), 2, NETWORK, null);
    key.refused(now.get(), 1, "SCOPE_MISSING");
    key.answered(now.get(), "GET", "/forecast", 200, 1_500);
    key.answered(now.get(), "GET", "/forecast", 404, 900);
    key.answered(now.get(), "POST", null, 200, 300_000_000);
    key.transferred(now.get(), "all", 1_000);
    key.transferred(now.get(), "image", 500);
    key.accepted(now.get() + Duration.ofHours(1).toMillis(), 2, 0, null);

    assertThat(recorder.flush()).isTrue();

    List<UsageReports.Row> rows = reports.rows(hours());
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).keyId()).isEqualTo(id(1));
    assertThat(rows.get(0).owner()).isEqualTo(OWNER);
    assertThat(rows.get(0).plan()).isEqualTo("pro");
    assertThat(rows.get(0).start()).isEqualTo(NOON);
    Usage usage = rows.get(0).usage();
    assertThat(usage.requests()).isEqualTo(2);
    assertThat(usage.refusals()).isEqualTo(Map.of("SCOPE_MISSING", 1L));
    assertThat(usage.answers()).isEqualTo(Map.of("GET 200", 1L, "GET 404", 1L, "POST 200", 1L));
    assertThat(usage.endpoints()).isEqualTo(Map.of("/forecast", 2L));
    assertThat(usage.bytesByCategory()).isEqualTo(Map.of("all", 1_000L, "image", 500L));
    assertThat(usage.callers()).isEqualTo(Map.of("billing", 1L));
    assertThat(usage.networks()).isEqualTo(Map.of(NETWORK_TEXT, 2L));
    assertThat(usage.secrets()).isEqualTo(Map.of("1", 2L, "2", 1L));
    assertThat(usage.durations().count()).isEqualTo(3);
    assertThat(usage.durations().total()).isEqualTo(Duration.ofNanos(300_002_400_000L));
    assertThat(usage.durations().longest()).isEqualTo(Duration.ofSeconds(300));
    assertThat(usage.durations().buckets().get(0)).isEqualTo(1);
    assertThat(usage.durations().buckets().get(1)).isEqualTo(1);
    assertThat(usage.durations().buckets().get(19)).isEqualTo(1);
    assertThat(usage.peakMinute()).isEqualTo(2);
    assertThat(usage.networksInOneMinute()).isEqualTo(1);
    assertThat(rows.get(1).usage().requests()).isEqualTo(1);

    assertThat(reports.rows(days())).hasSize(1);
    assertThat(reports.total(days()).requests()).isEqualTo(3);
    assertThat(reports.total(days())).isEqualTo(reports.total(hours()));
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(9, 9, 0));
  }

  @Test
  void usage_counts_for_the_plan_that_the_key_had_then() {
    UsageRecorder recorder = recorder(store, 10);
    recorder.of(id(1), OWNER, "free").accepted(now.get(), 1, 0, null);
    recorder.of(id(1), OWNER, "pro").accepted(now.get(), 1, 0, null);
    recorder.of(id(1), OWNER, "pro").accepted(now.get(), 1, 0, null);
    recorder.of(id(1), OWNER, null).accepted(now.get(), 1, 0, null);
    recorder.flush();

    assertThat(reports.total(hours().plan("free")).requests()).isEqualTo(1);
    assertThat(reports.total(hours().plan("pro")).requests()).isEqualTo(2);
    assertThat(reports.total(hours()).requests()).isEqualTo(4);
  }

  @Test
  void the_busiest_minute_is_found_over_threads_and_flushes() throws Exception {
    UsageRecorder recorder = recorder(store, 10);
    int threads = 8;
    int each = 500;
    try (Threads race = new Threads()) {
      for (int round = 0; round < 3; round++) {
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
          long network = UsageRecorder.networkOf(i + 1L << 20, 0);
          calls.add(
              () -> {
                for (int n = 0; n < each; n++) {
                  key(recorder, 1).accepted(now.get(), 1, network, null);
                }
                return true;
              });
        }
        race.race(calls);
        recorder.flush(); // in the middle of the minute
      }
    }
    now.addAndGet(60_000);
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    recorder.flush();

    Usage usage = reports.total(hours());
    assertThat(usage.peakMinute()).isEqualTo(3L * threads * each);
    assertThat(usage.networksInOneMinute()).isEqualTo(threads);
    assertThat(usage.requests()).isEqualTo(3L * threads * each + 1);
  }

  @Test
  void labels_are_bounded_for_the_whole_hour_and_sums_stay_right() {
    UsageRecorder recorder = recorder(store, 10);
    UsageRecorder.OfKey key = key(recorder, 1);
    int probed = 0;
    int busy = 0;
    for (int flush = 0; flush < 20; flush++) {
      for (int i = 0; i < 1_000; i++) {
        key.answered(now.get(), "GET", "/probe/" + probed++, 404, 10);
        key.answered(now.get(), "GET", "/forecast", 200, 10);
        busy++;
      }
      recorder.flush();
    }
    Usage usage = reports.total(hours());
    assertThat(usage.endpoints())
        .hasSizeLessThanOrEqualTo(Amounts.MAX_ENDPOINTS + Amounts.MAX_BUSY_ENDPOINTS + 1);
    assertThat(usage.endpoints()).containsEntry("/forecast", (long) busy);
    assertThat(usage.endpoints().values().stream().mapToLong(n -> n).sum())
        .isEqualTo(probed + busy);
  }

  /** The busy ones come in each place of a minute, among probes that each come once or twice. */
  @Test
  void a_busy_endpoint_is_told_apart_however_late_it_comes() {
    SplittableRandom random = Seed.of("UsageRecorderTest.busy");
    UsageRecorder recorder = recorder(store, 10);
    UsageRecorder.OfKey key = key(recorder, 1);
    long answers = 0;
    for (int i = 0; i < 200; i++, answers++) {
      key.answered(now.get(), "GET", "/early/" + i % 100, 404, 10);
    }
    recorder.flush();
    int probed = 0;
    Map<String, Long> busy = new TreeMap<>();
    for (int minute = 1; minute <= 40; minute++) {
      now.addAndGet(60_000);
      for (int i = 0; i < 2_000; i++, answers++) {
        // from the minute of its number on, each has a tenth of the answers; the rest are probes
        int which = random.nextInt(10);
        boolean isProbe = which >= 4 || minute < 10 * which;
        String endpoint = isProbe ? "/probe/" + probed++ / 2 : "/busy/" + which;
        key.answered(now.get(), "GET", endpoint, 200, 10);
        if (!isProbe) {
          busy.merge(endpoint, 1L, Long::sum);
        }
      }
      recorder.flush();
    }
    Map<String, Long> told = reports.total(hours()).endpoints();

    assertThat(busy).hasSize(4);
    busy.forEach(
        (endpoint, count) ->
            assertThat(told.getOrDefault(endpoint, 0L))
                .as(endpoint)
                .isBetween(count * 95 / 100, count));
    assertThat(told.size())
        .isLessThanOrEqualTo(Amounts.MAX_ENDPOINTS + Amounts.MAX_BUSY_ENDPOINTS + 1);
    assertThat(told.values().stream().mapToLong(n -> n).sum()).isEqualTo(answers);
    System.out.println("Endpoints told apart: " + told.size() + ", busy ones " + busy.keySet());
  }

  /** What the table for a minute promises, and a twin that replaces without rank does not keep. */
  @Test
  void of_the_busiest_none_that_is_above_its_share_is_missing() {
    SplittableRandom random = Seed.of("UsageRecorderTest.share");
    int rounds = 2_000;
    int heavy = 0;
    int missingInTwin = 0;
    for (int round = 0; round < rounds; round++) {
      int max = 1 + random.nextInt(20);
      Counts counts = new Counts(max);
      Map<Long, Long> exact = new HashMap<>();
      Map<Long, Long> twin = new HashMap<>();
      int length = random.nextInt(2_000);
      for (int i = 0; i < length; i++) {
        long which = (long) Math.pow(random.nextInt(1, 40), random.nextDouble(3));
        exact.merge(which, 1L, Long::sum);
        counts.addToBusiest(null, which, 1);
        if (twin.size() == max && !twin.containsKey(which)) {
          twin.remove(
              twin.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow().getKey());
        }
        twin.merge(which, 1L, Long::sum);
      }
      Map<Long, Long> told = new HashMap<>();
      counts.forEach((name, code, amount) -> told.put(code, amount));
      for (Map.Entry<Long, Long> one : exact.entrySet()) {
        if (one.getValue() > (double) length / max) {
          heavy++;
          assertThat(told).as("round %d, seed above", round).containsKey(one.getKey());
          missingInTwin += twin.containsKey(one.getKey()) ? 0 : 1;
        }
        assertThat(told.getOrDefault(one.getKey(), 0L)).isLessThanOrEqualTo(one.getValue());
      }
      long sum = told.values().stream().mapToLong(n -> n).sum();
      assertThat(sum + counts.other()).isEqualTo(length);
    }
    assertThat(heavy).isGreaterThan(rounds / 2);
    assertThat(missingInTwin).isPositive();
    System.out.printf(
        "Busiest: %d above their share, 0 missing; %d in the twin%n", heavy, missingInTwin);
  }

  @Test
  void whatever_hosts_and_clients_say_can_be_stored() {
    SplittableRandom random = Seed.of("UsageRecorderTest.labels");
    UsageRecorder recorder = recorder(store, 10_000);
    int texts = 10_000;
    for (int i = 0; i < texts; i++) {
      StringBuilder text = new StringBuilder();
      int length = random.nextInt(300);
      for (int n = 0; n < length; n++) {
        text.append((char) random.nextInt(random.nextBoolean() ? 0x80 : 0x1_0000));
      }
      String label = text.toString();
      UsageRecorder.OfKey key = key(recorder, i % 1_000);
      key.accepted(now.get(), 1, 0, label);
      key.answered(now.get(), label, label, random.nextInt(), random.nextLong());
      key.transferred(now.get(), label, random.nextLong());
      if (i % 100 == 0) {
        assertThat(recorder.flush()).as("seed above, text " + i).isTrue();
      }
    }
    assertThat(recorder.flush()).isTrue();
    Usage usage = reports.total(hours());
    assertThat(usage.requests()).isEqualTo(texts);
    assertThat(usage.callers().values().stream().mapToLong(n -> n).sum()).isEqualTo(texts);
    assertThat(usage.answers().values().stream().mapToLong(n -> n).sum()).isEqualTo(texts);
    assertThat(usage.bytes()).isPositive();
    assertThat(recorder.counts().pending()).isZero();
  }

  /** What a store that does not know batches makes of retries. */
  private static UsageStore forgetful(UsageStore store) {
    return new UsageStore() {
      @Override
      public boolean add(Batch batch) {
        return store.add(new Batch(UUID.randomUUID().toString(), batch.madeAt(), batch.tallies()));
      }

      @Override
      public List<Tally> tallies(Filter filter, Tally after, int limit) {
        return store.tallies(filter, after, limit);
      }

      @Override
      public int purge(Retention retention) {
        return store.purge(retention);
      }
    };
  }

  /** How many requests are stored, and what the recorder says. */
  private record Outcome(
      long recorded, long requests, UsageRecorder.Counts counts, int lostAnswers) {}

  private Outcome record(UsageStore to, int maxKeys, boolean downAtTheEnd) throws Exception {
    SplittableRandom random = Seed.of("UsageRecorderTest.exact");
    UnreliableUsageStore unreliable = new UnreliableUsageStore(to, random.split(), 0.3);
    UsageRecorder recorder = recorder(unreliable, maxKeys);
    int threads = 4;
    int each = 20 * Threads.ROUNDS;
    AtomicBoolean done = new AtomicBoolean();
    List<Callable<Boolean>> calls = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      SplittableRandom own = random.split();
      calls.add(
          () -> {
            for (int n = 0; n < each; n++) {
              key(recorder, own.nextInt(200)).accepted(now.get(), 1, NETWORK, null);
              now.addAndGet(own.nextInt(5));
            }
            return true;
          });
    }
    Thread flusher =
        new Thread(
            () -> {
              while (!done.get()) {
                recorder.flush();
              }
            });
    flusher.start();
    try (Threads race = new Threads()) {
      race.race(calls);
    }
    done.set(true);
    flusher.join();
    if (downAtTheEnd) {
      key(recorder, 1).accepted(now.get(), 1, NETWORK, null);
      unreliable.down = true;
    }
    for (int i = 0; i < 1_000 && !downAtTheEnd && !recorder.flush(); i++) {
      // until it has got through
    }
    recorder.close();
    UsageQuery all =
        UsageQuery.perDay(NOON.minus(Duration.ofDays(1)), NOON.plus(Duration.ofDays(9)));
    return new Outcome(
        (long) threads * each + (downAtTheEnd ? 1 : 0),
        UsageReports.on(to).total(all).requests(),
        recorder.counts(),
        unreliable.lostAnswers);
  }

  @Test
  void each_mark_is_stored_once_or_dropped_and_counted_whatever_the_store_does() throws Exception {
    Outcome all = record(store, 1_000, false);
    System.out.println("usage, all stored: " + all);
    assertThat(all.counts()).isEqualTo(new UsageRecorder.Counts(all.recorded(), all.recorded(), 0));
    assertThat(all.requests()).isEqualTo(all.recorded());
    assertThat(all.lostAnswers()).isPositive();

    Outcome some = record(new InMemoryKeyStore(), 20, true);
    System.out.println("usage, some dropped: " + some);
    assertThat(some.counts().recorded()).isEqualTo(some.recorded());
    assertThat(some.counts().pending()).isZero();
    assertThat(some.counts().dropped()).isPositive();
    // what was sent with the last answer lost is in the store, and told as dropped
    assertThat(some.requests()).isGreaterThanOrEqualTo(some.counts().stored());
    assertThat(some.requests()).isLessThanOrEqualTo(some.recorded());

    Outcome twice = record(forgetful(new InMemoryKeyStore()), 1_000, false);
    System.out.println("usage, if a retry is another batch: " + twice);
    assertThat(twice.requests()).isGreaterThan(twice.recorded());
  }

  @Test
  void a_store_that_is_away_is_asked_less_and_less_often() {
    UnreliableUsageStore away =
        new UnreliableUsageStore(store, Seed.of("UsageRecorderTest.away"), 0);
    UsageRecorder recorder = recorder(away, 10);
    away.down = true;
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    for (int i = 0; i < 100; i++) {
      assertThat(recorder.flush()).isFalse();
    }
    assertThat(away.calls).isBetween(10, 15);
    away.down = false;
    int flushes = 0;
    while (!recorder.flush()) {
      flushes++;
    }
    assertThat(flushes).isLessThanOrEqualTo(10);
    assertThat(reports.total(hours()).requests()).isEqualTo(1);
  }

  @Test
  void responses_that_come_late_take_no_room_of_other_keys() {
    UsageRecorder recorder = recorder(store, 10);
    UsageRecorder.OfKey key = key(recorder, 1);
    long began = now.get() - 30_000; // in the hour before
    int requests = 10_000;
    for (int i = 0; i < requests; i++) {
      key.accepted(now.get(), 1, NETWORK, null);
      key.answered(now.get() - 1, "GET", "/poll", 200, 1);
      key.answered(began, "GET", "/poll", 200, 30_000_000);
      now.addAndGet(i % 1_000 == 0 ? 60_000 : 0);
    }
    key(recorder, 2).accepted(now.get(), 1, NETWORK, null);
    assertThat(recorder.flush()).isTrue();
    assertThat(recorder.counts().dropped()).isZero();
    assertThat(recorder.counts().stored()).isEqualTo(3L * requests + 1);
    assertThat(reports.total(hours()).requests()).isEqualTo(requests + 1);
    assertThat(reports.rows(hours().key(id(1)))).hasSize(2);
  }

  @Test
  void long_texts_take_no_more_room_than_their_labels() {
    UsageRecorder recorder = recorder(store, 10);
    String path = "/" + "x".repeat(100_000);
    for (int i = 0; i < 20; i++) {
      key(recorder, 1).answered(now.get(), "GET", path + i, 200, 1);
    }
    recorder.flush();
    assertThat(reports.total(hours()).endpoints())
        .isEqualTo(Map.of(path.substring(0, UsageStore.MAX_LABEL_BYTES), 20L));
  }

  /** Does not answer before it is told to. */
  private static final class Hanging implements UsageStore {
    final CountDownLatch asked = new CountDownLatch(1);
    final CountDownLatch answers = new CountDownLatch(1);
    private final UsageStore store;

    Hanging(UsageStore store) {
      this.store = store;
    }

    @Override
    public boolean add(Batch batch) {
      asked.countDown();
      try {
        answers.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return store.add(batch);
    }

    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      return store.tallies(filter, after, limit);
    }

    @Override
    public int purge(Retention retention) {
      return store.purge(retention);
    }
  }

  /** Ten keys in each of fifty minutes, with room for ten, while a flush waits for its answer. */
  private UsageRecorder usedWhileHanging(Hanging hanging, boolean collects) throws Exception {
    UsageRecorder recorder = recorder(hanging, 10);
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    Thread flush = new Thread(recorder::flush);
    flush.setDaemon(true);
    flush.start();
    hanging.asked.await();
    for (int minute = 0; minute < 50; minute++) {
      for (int i = 0; i < 10; i++) {
        key(recorder, i).accepted(now.get(), 1, 0, null);
      }
      now.addAndGet(60_000);
      if (collects) {
        recorder.collect();
      }
    }
    return recorder;
  }

  @Test
  void a_store_that_does_not_answer_keeps_nothing_from_being_counted() throws Exception {
    Hanging hanging = new Hanging(store);
    UsageRecorder recorder = usedWhileHanging(hanging, true);
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(501, 0, 0));
    hanging.answers.countDown();
    assertThat(recorder.close()).isTrue();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(501, 501, 0));
    assertThat(reports.total(hours()).requests()).isEqualTo(501);
  }

  @Test
  void the_twin_that_collects_only_when_it_flushes_is_caught() throws Exception {
    Hanging hanging = new Hanging(store);
    UsageRecorder recorder = usedWhileHanging(hanging, false);
    hanging.answers.countDown();
    recorder.close();
    System.out.println("usage, collected only by a flush that hangs: " + recorder.counts());
    assertThat(recorder.counts().recorded()).isEqualTo(501);
    assertThat(recorder.counts().dropped()).isPositive();
  }

  /** Threads that come and go, as virtual ones do, must not take a place each. */
  @Test
  void a_key_takes_as_much_room_whatever_threads_use_it() throws Exception {
    UsageRecorder recorder = recorder(store, 50);
    for (int i = 0; i < 64; i++) {
      Thread thread =
          new Thread(
              () -> {
                for (int key = 0; key < 50; key++) {
                  key(recorder, key).accepted(now.get(), 1, 0, null);
                }
              });
      thread.start();
      thread.join();
    }
    recorder.flush();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(64 * 50, 64 * 50, 0));
  }

  @Test
  void nothing_is_lost_if_a_batch_cannot_be_made() {
    boolean[] fails = {true};
    UsageRecorder recorder =
        new UsageRecorder(
            store,
            () -> {
              if (fails[0]) {
                throw new IllegalStateException("made up");
              }
              return Instant.ofEpochMilli(now.get());
            },
            10);
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    key(recorder, 1).accepted(-5, 1, 0, null); // of a host whose clock begins below
    assertThat(recorder.flush()).isFalse();
    fails[0] = false;
    assertThat(recorder.close()).isTrue();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(2, 2, 0));
    assertThat(reports.total(hours()).requests()).isEqualTo(1);
  }

  @Test
  void what_is_abandoned_is_counted_at_once_and_again_if_the_store_answers() throws Exception {
    Hanging hanging = new Hanging(store);
    UsageRecorder recorder = usedWhileHanging(hanging, true);
    recorder.abandon();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(501, 0, 501));
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    recorder.collect();
    hanging.answers.countDown();
    assertThat(recorder.close()).as("nothing was abandoned").isFalse();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(501, 1, 500));
    assertThat(reports.total(hours()).requests()).isEqualTo(1);
  }

  @Test
  void after_closing_nothing_is_written() {
    UsageRecorder recorder = recorder(store, 10);
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    assertThat(recorder.close()).isTrue();
    assertThat(recorder.counts()).isEqualTo(new UsageRecorder.Counts(1, 1, 0));
    key(recorder, 1).accepted(now.get(), 1, 0, null);
    assertThat(recorder.flush()).isTrue();
    assertThat(recorder.close()).isTrue();
    assertThat(reports.total(hours()).requests()).isEqualTo(1);
  }

  @Test
  void counting_allocates_nothing_for_a_key_that_was_counted_in_the_same_minute() {
    UsageRecorder recorder = recorder(store, 10);
    UsageRecorder.OfKey key = key(recorder, 1);
    Runnable request =
        () -> {
          key.accepted(NOON.toEpochMilli(), 1, NETWORK, "billing");
          key.answered(NOON.toEpochMilli(), "GET", "/forecast", 200, 1_500);
          key.transferred(NOON.toEpochMilli(), "all", 1_000);
        };
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 100_000; i++) {
        request.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isZero();
  }

  @Test
  void a_million_keys_while_the_store_is_away_take_no_more_memory_than_stated() {
    UnreliableUsageStore away =
        new UnreliableUsageStore(store, Seed.of("UsageRecorderTest.million"), 0);
    away.down = true;
    int maxKeys = 20_000;
    UsageRecorder recorder = recorder(away, maxKeys);
    long before = used();
    int keys = 1_000_000;
    for (int flush = 0; flush < 20; flush++) { // every 30 s for 10 minutes
      for (int i = 0; i < keys / 20; i++) {
        UsageRecorder.OfKey key = key(recorder, flush * keys / 20 + i);
        key.accepted(now.get(), 1, UsageRecorder.networkOf(0, 0xFFFF_0000_0000L + i), "billing");
        key.answered(now.get(), "GET", "/forecast", 200, 1_500);
        key.transferred(now.get(), "all", 1_000);
      }
      if (flush == 0) {
        long uncollected = (used() - before) / (2L * maxKeys);
        System.out.printf("usage that is not collected yet: %d bytes a place%n", uncollected);
        assertThat(uncollected).isLessThan(1_300);
      }
      recorder.flush();
      now.addAndGet(30_000);
    }
    long perKey = (used() - before) / maxKeys;
    UsageRecorder.Counts counts = recorder.counts();
    System.out.printf(
        "usage of %,d keys, %,d kept: %d bytes each, %s%n", keys, maxKeys, perKey, counts);
    assertThat(perKey).isLessThan(1_800);
    assertThat(counts.recorded()).isEqualTo(3L * keys);
    assertThat(counts.stored()).isZero();
    // and those of the batch that waits for its answer
    assertThat(counts.pending()).isBetween(3L * maxKeys, 3L * maxKeys + UsageStore.MAX_TALLIES);
    away.down = false;
    recorder.close();
    assertThat(recorder.counts().stored()).isEqualTo(counts.pending());
    assertThat(reports.total(hours()).requests()).isEqualTo(counts.pending() / 3);
  }

  private static long used() {
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  void networks_are_named_as_people_write_them() {
    assertThat(Network.text(NETWORK)).isEqualTo(NETWORK_TEXT);
    assertThat(Network.text(UsageRecorder.networkOf(0x2001_0db8_0001_ffffL, 1)))
        .isEqualTo("2001:db8:1::/48");
    assertThat(Network.text(UsageRecorder.networkOf(0, 0xFFFF_FFFF_FFFFL)))
        .isEqualTo("255.255.255.0/24");
    assertThat(Network.text(UsageRecorder.networkOf(0, 1))).isEqualTo("0:0:0::/48");
  }

  @Test
  void a_recorder_keeps_at_least_one_key() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> recorder(store, 0))
        .withMessageStartingWith("maxKeys");
  }
}
