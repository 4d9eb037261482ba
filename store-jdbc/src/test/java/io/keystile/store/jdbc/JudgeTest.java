package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.jdbc.ClusterNode.Journal;
import io.keystile.store.jdbc.ClusterNode.Span;
import io.keystile.store.jdbc.Judge.Ended;
import io.keystile.store.jdbc.Judge.Rule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the judge of a cluster lets pass, with journals that are made up. */
class JudgeTest {
  private static final long MILLI = 1_000_000;
  private static final int ENDINGS = 40;

  /** One ending every ten seconds, just after a poll; of some of them the next poll comes late. */
  private static Judge judged(int late, boolean pollsAreLate) {
    List<Ended> ended = new ArrayList<>();
    List<Span> polls = new ArrayList<>();
    long[] accepted = new long[ENDINGS];
    long[] asOf = new long[ENDINGS];
    for (int i = 0; i < ENDINGS; i++) {
      long start = i * 10_000 * MILLI;
      for (int poll = 0; poll < 20; poll++) {
        boolean isMissing = i < late && pollsAreLate && (poll == 1 || poll == 2);
        long from = start + poll * 500 * MILLI;
        if (!isMissing) {
          polls.add(new Span(from, from + MILLI));
        }
      }
      ended.add(new Ended(i, 1, start + 10 * MILLI));
      asOf[i] = start;
      accepted[i] = start + (i < late ? 1_400 : 400) * MILLI;
    }
    Judge judge = new Judge(Duration.ofSeconds(1), Duration.ofSeconds(60));
    judge.hear(0, new Journal(accepted, asOf, polls, 1), false, ended);
    return judge;
  }

  @Test
  void late_polls_excuse_one_ending_in_twenty_and_no_more() {
    for (int late = 0; late <= ENDINGS; late++) {
      Judge judge = judged(late, true);
      assertThat(judge.broken().get(0)).isEmpty();
      assertThat(judge.isSeldomExcused()).as("%d late", late).isEqualTo(late <= 2);
    }
  }

  @Test
  void nothing_else_is_an_excuse() {
    assertThat(judged(0, false).broken().get(0)).isEmpty();
    assertThat(judged(3, false).broken().get(0)).containsEntry(Rule.PROPAGATION, 3);
  }
}
