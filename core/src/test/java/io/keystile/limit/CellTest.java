package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Amounts at the ends of what a cell can count. */
class CellTest {
  private static final long LARGEST = Window.MAX_LIMIT;

  private static Layout units(long limit) {
    return Layout.ofUnits("bytes", List.of(Window.perSecond(limit)), 9);
  }

  private static long used(Cell cell, Layout layout, long tick) {
    Reading reading = new Reading(layout);
    cell.decide(layout, tick, 1, false, reading);
    return reading.used[0];
  }

  @Test
  void parts_of_the_largest_grain_add_up() {
    Layout layout = units(LARGEST);
    long grain = 1L << layout.grainBits;
    Cell cell = new Cell(layout, 0, null);
    for (int i = 0; i < 400; i++) {
      cell.charge(layout, 0, grain / 4 * 3);
    }
    assertThat(grain).isEqualTo(1L << 32);
    assertThat(used(cell, layout, 0)).isBetween(299 * grain, 301 * grain);
  }

  @Test
  void what_is_less_than_a_grain_is_kept_in_the_window_as_well() {
    Layout layout = units(1L << 40);
    Cell cell = new Cell(layout, 0, null);
    cell.charge(layout, 0, 1);
    assertThat(cell.closeIfEnded(1_000, Long.MAX_VALUE)).isFalse();
    assertThat(cell.closeIfEnded(1_001, Long.MAX_VALUE)).isTrue();
  }

  @Test
  void what_is_less_than_a_grain_is_carried_over_to_smaller_grains() {
    Layout coarse = units(LARGEST);
    Layout fine = units(1_000);
    Cell cell = new Cell(coarse, 0, null);
    cell.charge(coarse, 0, 5_000);
    assertThat(cell.look(fine, 1)).isEqualTo(Cell.Outcome.REFUSED);
  }

  @Test
  void units_that_share_a_grain_cost_one() {
    Layout layout = units(1L << 40);
    Cell cell = new Cell(layout, 0, null);
    for (int i = 0; i < 1_024; i++) {
      cell.charge(layout, 0, 1);
    }
    assertThat(used(cell, layout, 0)).isEqualTo(1_024);
  }

  @Test
  void what_is_far_above_a_limit_refuses_until_it_has_left() {
    for (long limit : new long[] {0, 1, 10, LARGEST}) {
      Layout layout = units(limit);
      Cell cell = new Cell(layout, 0, null);
      for (int i = 0; i < 3; i++) {
        cell.charge(layout, 0, Long.MAX_VALUE);
      }
      Reading reading = new Reading(layout);
      assertThat(cell.decide(layout, 1, 1, false, reading)).isEqualTo(Cell.Outcome.REFUSED);
      assertThat(reading.used[0]).isGreaterThan(limit);
      assertThat(reading.waits[0]).isEqualTo(limit == 0 ? Reading.NEVER : 1_000);
    }
  }

  @Test
  void a_huge_cost_under_a_lowered_limit_is_hopeless() {
    Layout high = Layout.ofPermits(List.of(new Window(100, Duration.ofSeconds(1))), 9);
    Layout low = Layout.ofPermits(List.of(new Window(10, Duration.ofSeconds(1))), 9);
    Cell cell = new Cell(high, 0, null);
    assertThat(cell.take(high, 0, 100)).isEqualTo(Cell.Outcome.TAKEN);
    for (long cost : new long[] {11, Integer.MAX_VALUE, Long.MAX_VALUE}) {
      Reading reading = new Reading(low);
      assertThat(cell.decide(low, 1, cost, true, reading)).isEqualTo(Cell.Outcome.REFUSED);
      assertThat(reading.waits).containsExactly(Reading.NEVER);
    }
  }

  @Test
  void what_was_charged_far_above_a_limit_holds_up_all_until_the_last_has_left() {
    Layout layout = units(1L << 30);
    Cell cell = new Cell(layout, 0, null);
    for (long tick : new long[] {0, 500, 1_000}) {
      cell.charge(layout, tick, (1L << 31) - 2);
    }
    assertThat(cell.look(layout, 2_000)).isEqualTo(Cell.Outcome.REFUSED);
    assertThat(used(cell, layout, 2_001)).isZero();
  }

  @Test
  void a_cell_that_was_used_a_moment_ago_is_left_alone() {
    Layout layout = units(10);
    Cell cell = new Cell(layout, 0, null);
    assertThat(cell.look(layout, 7)).isEqualTo(Cell.Outcome.TAKEN);
    assertThat(cell.closeIfEnded(9, 6)).isFalse();
    assertThat(cell.closeIfEnded(9, 7)).isTrue();
  }
}
