package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ChangeTrackerTest {
  private static final String KEY = "0000000000000000000000";
  private static final long GAP_AGE = 1_000;

  @Test
  void a_number_that_becomes_visible_late_is_asked_for() {
    ChangeTracker tracker = new ChangeTracker(0, 0, GAP_AGE, 100);
    assertThat(tracker.takeIn(changes(1, 4), 0)).isTrue();

    assertThat(tracker.cursor())
        .isEqualTo(new ChangeCursor(4, List.of(new ChangeCursor.Gap(2, 3))));
    tracker.takeIn(changes(3), 10);
    assertThat(tracker.cursor())
        .isEqualTo(new ChangeCursor(4, List.of(new ChangeCursor.Gap(2, 2))));
  }

  @Test
  void a_number_in_the_middle_splits_a_gap() {
    ChangeTracker tracker = new ChangeTracker(0, 0, GAP_AGE, 100);
    tracker.takeIn(changes(9), 0);
    tracker.takeIn(changes(5), 0);

    assertThat(tracker.cursor())
        .isEqualTo(
            new ChangeCursor(9, List.of(new ChangeCursor.Gap(1, 4), new ChangeCursor.Gap(6, 8))));
  }

  @Test
  void a_gap_is_given_up_at_its_age_and_not_before() {
    ChangeTracker tracker = new ChangeTracker(0, 0, GAP_AGE, 100);
    tracker.takeIn(changes(5), 50);
    tracker.takeIn(nothingNew(), 50 + GAP_AGE - 1);
    assertThat(tracker.cursor().gaps()).hasSize(1);

    tracker.takeIn(nothingNew(), 50 + GAP_AGE);
    assertThat(tracker.cursor().gaps()).isEmpty();
  }

  @Test
  void numbers_just_below_the_start_are_expected() {
    ChangeTracker tracker = new ChangeTracker(1_000, 0, GAP_AGE, 100);

    assertThat(tracker.cursor())
        .isEqualTo(new ChangeCursor(1_000, List.of(new ChangeCursor.Gap(950, 999))));
    assertThat(tracker.takeIn(new Changes(List.of(), 1_000, 1_000), 0)).isTrue();
  }

  @Test
  void gives_up_when_too_many_are_missing() {
    ChangeTracker tracker = new ChangeTracker(0, 0, GAP_AGE, 100);

    assertThat(tracker.takeIn(changes(101), 0)).isTrue();
    assertThat(tracker.takeIn(changes(103), 0)).isFalse();
  }

  @Test
  void notices_that_were_purged_before_they_were_seen_are_noticed() {
    ChangeTracker tracker = new ChangeTracker(10, 0, GAP_AGE, 100);

    assertThat(tracker.takeIn(new Changes(List.of(), 11, 20), 0)).isTrue();
    assertThat(tracker.takeIn(new Changes(List.of(), 12, 20), 0)).isFalse();
  }

  @Test
  void a_feed_that_was_emptied_or_begun_anew_is_noticed() {
    assertThat(new ChangeTracker(10, 0, GAP_AGE, 100).takeIn(new Changes(List.of(), 0, 0), 0))
        .isFalse();
    assertThat(new ChangeTracker(10, 0, GAP_AGE, 100).takeIn(new Changes(List.of(), 1, 3), 0))
        .isFalse();
    assertThat(new ChangeTracker(0, 0, GAP_AGE, 100).takeIn(new Changes(List.of(), 0, 0), 0))
        .isTrue();
  }

  @Test
  void every_commit_is_delivered_exactly_once_whatever_the_order() {
    SplittableRandom random = Seed.of("ChangeTracker");
    int delivered = simulate(random, true);
    System.out.println("ChangeTracker: " + delivered + " commits delivered once");
    assertThat(delivered).isGreaterThanOrEqualTo(100_000);
  }

  @Test
  void the_twin_without_gaps_loses_commits() {
    assertThat(simulate(Seed.of("ChangeTracker twin"), false)).isNegative();
  }

  /** Returns the number of commits, or minus the number of those never delivered. */
  private static int simulate(SplittableRandom random, boolean withGaps) {
    ChangeTracker tracker = new ChangeTracker(0, 0, GAP_AGE, 10_000);
    TreeSet<Long> visible = new TreeSet<>();
    List<long[]> open = new ArrayList<>(); // number, time of its end
    Set<Long> seen = new HashSet<>();
    long number = 0;
    int committed = 0;
    int twice = 0;
    for (long now = 0; now < 60_000; now++) {
      for (int i = random.nextInt(5); i > 0; i--) {
        open.add(new long[] {++number, now + random.nextLong(GAP_AGE / 2)});
      }
      for (int i = open.size() - 1; i >= 0; i--) {
        if (open.get(i)[1] <= now) {
          long ended = open.remove(i)[0];
          if (random.nextInt(10) > 0) { // else it is rolled back
            visible.add(ended);
            committed++;
          }
        }
      }
      if (now % 50 == 0) {
        ChangeCursor cursor = tracker.cursor();
        List<Long> answer = new ArrayList<>(visible.tailSet(cursor.after(), false));
        if (withGaps) {
          cursor.gaps().forEach(g -> answer.addAll(visible.subSet(g.first(), g.last() + 1)));
        }
        answer.sort(null);
        assertThat(tracker.takeIn(changes(answer.stream().mapToLong(n -> n).toArray()), now))
            .isTrue();
        for (long n : answer) {
          twice += seen.add(n) ? 0 : 1;
        }
      }
    }
    assertThat(twice).isZero();
    visible.removeAll(seen);
    visible.removeIf(n -> n > tracker.cursor().after()); // committed after the last poll
    long lost = withGaps ? 0 : visible.size();
    if (withGaps) {
      // what is left was committed after the last poll, too, and is still asked for
      for (long n : visible) {
        assertThat(tracker.cursor().gaps()).anyMatch(g -> g.first() <= n && n <= g.last());
      }
    }
    return lost == 0 ? committed : (int) -lost;
  }

  private static Changes nothingNew() {
    return new Changes(List.of(), 1, 1L << 40);
  }

  private static Changes changes(long... numbers) {
    List<Changes.Change> list = new ArrayList<>();
    for (long number : numbers) {
      list.add(new Changes.Change(number, KEY));
    }
    long newest = numbers.length == 0 ? 0 : numbers[numbers.length - 1];
    // an answer may hold late numbers only; the newest one that is visible is no lower than seen
    return new Changes(list, 1, Math.max(newest, 1L << 40));
  }
}
