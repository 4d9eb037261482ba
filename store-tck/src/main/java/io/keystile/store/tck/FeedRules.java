package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.ChangeCursor;
import io.keystile.store.ChangeCursor.Gap;
import io.keystile.store.Changes;
import io.keystile.store.Changes.Change;
import io.keystile.store.KeyRecord;
import io.keystile.store.Purge;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code changesSince} promises. */
abstract class FeedRules extends ReadRules {
  private static final Instant END_OF_TIME = Instant.parse("9999-12-31T23:59:59.999Z");

  /** Makes so many changes, one after the other, and returns their notices. */
  private List<Change> givenChanges(int number) {
    Feed feed = new Feed(other);
    sample.records(number).forEach(this::given);
    List<Change> changes = feed.pollChanges();
    assertThat(changes).hasSize(number);
    return changes;
  }

  @Test
  void c1_notices_after_the_cursor_come_in_rising_order_up_to_the_limit() {
    List<Change> changes = givenChanges(10);
    long start = changes.get(0).number() - 1;

    assertChanges(ChangeCursor.after(start), 10_000, changes);
    assertChanges(ChangeCursor.after(start), 3, changes.subList(0, 3));
    assertChanges(ChangeCursor.after(changes.get(5).number()), 3, changes.subList(6, 9));
    assertChanges(ChangeCursor.after(changes.get(9).number()), 10, List.of());
  }

  @Test
  void c1_notices_in_the_gaps_of_the_cursor_come_too() {
    List<Change> changes = givenChanges(10);
    long after = changes.get(7).number();
    Gap one = new Gap(changes.get(1).number(), changes.get(1).number());
    Gap three = new Gap(changes.get(4).number(), changes.get(6).number());
    List<Change> expected = new ArrayList<>();
    expected.add(changes.get(1));
    expected.addAll(changes.subList(4, 7));
    expected.addAll(changes.subList(8, 10));

    assertChanges(new ChangeCursor(after, List.of(one, three)), 100, expected);
    assertChanges(new ChangeCursor(after, List.of(one, three)), 2, expected.subList(0, 2));
    assertChanges(
        new ChangeCursor(after, List.of(three)), 100, expected.subList(1, expected.size()));
  }

  @Test
  void c1_a_cursor_may_have_ten_thousand_gaps() {
    List<Change> changes = givenChanges(20);
    long first = changes.get(0).number();
    List<Gap> gaps = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      gaps.add(new Gap(first + 2L * i, first + 2L * i));
    }
    List<Change> expected =
        changes.stream().filter(change -> (change.number() - first) % 2 == 0).toList();

    assertChanges(new ChangeCursor(first + 20_000, gaps), 10_000, expected);
  }

  private void assertChanges(ChangeCursor cursor, int limit, List<Change> expected) {
    assertThat(other.changesSince(cursor, limit).list())
        .as(
            "C1: the first %d notices after %d or in one of %d gaps",
            limit, cursor.after(), cursor.gaps().size())
        .isEqualTo(expected);
  }

  @Test
  void c1_the_answer_says_which_numbers_are_kept() {
    List<Change> changes = givenChanges(3);
    Changes answer = other.changesSince(ChangeCursor.after(changes.get(0).number()), 1);

    assertThat(answer.newest())
        .as("C1: newest must be the highest number that is visible, whatever the limit")
        .isEqualTo(changes.get(2).number());
    assertThat(answer.oldest())
        .as("C1: oldest must be the lowest number that is kept")
        .isPositive()
        .isLessThanOrEqualTo(changes.get(0).number());
    assertThat(other.changesSince(ChangeCursor.after(0), 1).list().get(0).number())
        .as("C1: oldest must be the lowest number that is kept")
        .isEqualTo(answer.oldest());
  }

  @Test
  void c2_every_insert_replacement_and_purge_has_a_notice_at_once() {
    Feed feed = new Feed(other);
    KeyRecord record = given(sample.record());
    assertNotice(feed, record, "an insert");
    record = givenNext(record);
    assertNotice(feed, record, "a replacement");
    record = givenNext(record);
    assertNotice(feed, record, "a second replacement");
    purge(sample.write(record));
    assertNotice(feed, record, "a purge");
  }

  private static void assertNotice(Feed feed, KeyRecord record, String what) {
    assertThat(feed.poll())
        .as("C2: " + what + " must have a notice, visible as soon as the change itself is")
        .containsExactly(record.id());
  }

  @Test
  void c3_a_number_is_never_given_again_even_when_all_notices_were_purged() {
    long last = givenChanges(3).get(2).number();
    Changes kept;
    do {
      store.purge(new Purge(List.of(), null, END_OF_TIME, 100_000));
      kept = other.changesSince(ChangeCursor.after(0), 1);
    } while (kept.newest() > 0);
    assertThat(kept).as("C1: 0 when no notice is kept").isEqualTo(new Changes(List.of(), 0, 0));

    KeyRecord record = given(sample.record());

    List<Change> changes = other.changesSince(ChangeCursor.after(last), 10).list();
    assertThat(changes)
        .extracting(Change::keyId)
        .as("C3: a number, once seen, must never be given to another change")
        .containsExactly(record.id());
  }

  @Test
  void c4_each_call_reads_what_is_committed_now() {
    Feed feed = new Feed(other);
    for (int i = 0; i < 10; i++) {
      assertThat(feed.poll()).as("C4: nothing has changed").isEmpty();
      KeyRecord record = given(sample.record());
      assertThat(feed.poll())
          .as("C4: poll %d must see what was committed before it, not an earlier snapshot", i)
          .containsExactly(record.id());
    }
  }
}
