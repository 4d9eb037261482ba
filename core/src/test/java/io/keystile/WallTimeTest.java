package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class WallTimeTest {

  @Test
  void a_clock_of_the_host_is_read_each_time() {
    ManualTime time = new ManualTime();
    WallTime wall = new WallTime(time, time::nanos);
    for (int i = 0; i < 3; i++) {
      time.set(time.instant().plusMillis(1)); // while the ticker stands still
      assertThat(wall.millis(time.nanos())).isEqualTo(time.millis());
    }
  }

  @Test
  void the_clock_of_the_system_beside_another_ticker_is_read_each_time() {
    WallTime wall = new WallTime(InstantSource.system(), () -> 0);
    long first = wall.millis(0);
    awaitNext(first);
    assertThat(wall.millis(0)).isGreaterThan(first);
  }

  /** Between two readings of the clock, less one for the half millisecond. */
  @Test
  void the_time_of_the_system_is_never_more_than_a_millisecond_old() {
    WallTime wall = new WallTime(InstantSource.system(), WallTime.SYSTEM_TICKER);
    for (int i = 0; i < 1_000_000; i++) {
      long before = System.currentTimeMillis();
      long told = wall.millis(System.nanoTime());
      long after = System.currentTimeMillis();
      assertThat(told >= before - 1 && told <= after).isTrue();
    }
  }

  @Test
  void a_reading_is_held_for_half_a_millisecond_of_the_ticker_and_for_no_older_one() {
    WallTime wall = new WallTime(InstantSource.system(), WallTime.SYSTEM_TICKER);
    long told = wall.millis(1_000_000);
    awaitNext(told);

    assertThat(wall.millis(1_499_999)).isEqualTo(told);
    assertThat(wall.millis(999_999)).as("an older tick").isGreaterThan(told);
    long later = wall.millis(1_500_000);
    assertThat(later).isGreaterThan(told);
    awaitNext(later);
    assertThat(wall.millis(1_500_000 + 500_000)).isGreaterThan(later);
  }

  private static void awaitNext(long millis) {
    while (System.currentTimeMillis() <= millis + 1) {
      Thread.onSpinWait();
    }
  }
}
