package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Changes that the feed does not deliver, since their transaction stayed open for too long or their
 * notice is lost: the age of what is cached is the bound then. Time is the test's.
 */
class LostNoticeTest {
  private static final int KEYS = 1000;
  private static final Duration TICK = Duration.ofNanos(1);
  private static final Duration GAP_AGE = Duration.ofSeconds(1);
  private static final Duration REFRESH_AFTER = Duration.ofMinutes(5);
  private static final Duration ENTRY_AGE = Duration.ofMinutes(15);

  private final SilentStore store = new SilentStore();
  private final Nodes nodes = new Nodes(store);
  private final ApiKeys acting = nodes.node();

  @AfterEach
  void close() {
    nodes.close();
  }

  /** Loses single notices, and shows the changes of one key only when they are committed. */
  private static final class SilentStore extends ForwardingKeyStore {
    private final Set<Long> lost = new HashSet<>();
    private @Nullable KeyRecord before;

    SilentStore() {
      super(new InMemoryKeyStore());
    }

    void loseNewest() {
      lost.add(delegate.changesSince(ChangeCursor.after(Long.MAX_VALUE), 1).newest());
    }

    void begin(String keyId) {
      before = delegate.load(keyId).orElseThrow();
    }

    void commit() {
      before = null;
    }

    private boolean isOpen(String keyId) {
      return before != null && before.id().equals(keyId);
    }

    @Override
    public Optional<KeyRecord> load(String keyId) {
      return isOpen(keyId) ? Optional.of(before) : delegate.load(keyId);
    }

    @Override
    public Changes changesSince(ChangeCursor cursor, int limit) {
      Changes changes = delegate.changesSince(cursor, limit);
      List<Changes.Change> heard = new ArrayList<>(changes.list());
      heard.removeIf(change -> lost.contains(change.number()) || isOpen(change.keyId()));
      return new Changes(heard, changes.oldest(), changes.newest());
    }
  }

  /** A node that keeps keys for longer than is promised. */
  private ApiKeys hoarder() {
    return nodes.node(
        builder ->
            builder
                .gapAge(GAP_AGE)
                .refreshAfter(ENTRY_AGE.multipliedBy(2))
                .entryAge(ENTRY_AGE.multipliedBy(3)));
  }

  private static void poll(ApiKeys... watching) {
    for (ApiKeys node : watching) {
      node.poll();
    }
  }

  private static String verdict(ApiKeys node, IssuedKey issued) {
    return Nodes.verdict(node, issued.revealToken());
  }

  /** A key that all these have cached now. */
  private IssuedKey cached(ApiKeys... watching) {
    IssuedKey issued = acting.issue(KeySpec.forOwner("owner"));
    poll(watching); // takes in the notice of its own issue, so that it does not come in between
    for (ApiKeys node : watching) {
      assertThat(verdict(node, issued)).isEqualTo("ACCEPTED");
    }
    return issued;
  }

  /** Revokes a key in a transaction that stays open for so long, while the nodes poll. */
  private IssuedKey revokedLate(Duration open, ApiKeys... watching) {
    IssuedKey issued = cached(watching);
    store.begin(issued.id());
    acting.revoke(issued.id(), Desk.LEAK);
    acting.issue(KeySpec.forOwner("owner")); // its number shows that one is missing
    poll(watching);
    nodes.time.advance(open);
    poll(watching);
    store.commit();
    poll(watching);
    return issued;
  }

  private void revokeUnheard(IssuedKey issued) {
    acting.revoke(issued.id(), Desk.LEAK);
    store.loseNewest();
    acting.issue(KeySpec.forOwner("owner")); // and others go on
  }

  @Test
  void a_transaction_is_waited_for_until_its_gap_is_old() {
    ApiKeys node = nodes.node(builder -> builder.gapAge(GAP_AGE));
    ApiKeys usual = nodes.node();

    IssuedKey inTime = revokedLate(GAP_AGE.minus(TICK), node, usual);
    assertThat(verdict(node, inTime)).isEqualTo("REVOKED");
    assertThat(verdict(usual, inTime)).isEqualTo("REVOKED");

    IssuedKey tooLate = revokedLate(GAP_AGE, node, usual);
    assertThat(verdict(node, tooLate)).as("its notice is forgotten").isEqualTo("ACCEPTED");
    assertThat(verdict(usual, tooLate)).as("ten minutes by default").isEqualTo("REVOKED");
  }

  @Test
  void what_outlasts_its_gap_is_seen_when_the_key_is_too_old() {
    ApiKeys node = nodes.node(builder -> builder.gapAge(GAP_AGE));
    ApiKeys twin = hoarder();
    IssuedKey issued = revokedLate(GAP_AGE, node, twin);

    nodes.time.advance(ENTRY_AGE.minus(GAP_AGE).minus(TICK));
    poll(node, twin);
    assertThat(verdict(node, issued)).isEqualTo("ACCEPTED");
    assertThat(verdict(twin, issued)).isEqualTo("ACCEPTED");

    nodes.time.advance(TICK);
    poll(node, twin);
    assertThat(verdict(node, issued)).isEqualTo("REVOKED");
    assertThat(verdict(twin, issued)).as("the twin that keeps it longer").isEqualTo("ACCEPTED");
  }

  @Test
  void a_key_in_use_whose_notice_is_lost_is_refused_when_it_was_read_again() {
    ApiKeys node = nodes.node();
    ApiKeys twin = hoarder();
    IssuedKey issued = cached(node, twin);
    revokeUnheard(issued);

    Duration step = Duration.ofSeconds(10);
    for (Duration age = step; age.compareTo(REFRESH_AFTER) < 0; age = age.plus(step)) {
      nodes.time.advance(step);
      poll(node, twin);
      assertThat(verdict(node, issued)).isEqualTo("ACCEPTED");
    }
    nodes.time.advance(step);
    poll(node, twin);

    Waiting.until(() -> verdict(node, issued).equals("REVOKED"));
    assertThat(verdict(twin, issued)).as("the twin that reads it later").isEqualTo("ACCEPTED");
  }

  @Test
  void no_key_whose_notice_is_lost_is_accepted_for_longer_than_its_age() {
    SplittableRandom random = Seed.of("no_key_whose_notice_is_lost_is_accepted_for_longer");
    ApiKeys node = nodes.node();
    ApiKeys twin = hoarder();
    int accepted = 0;
    int tooLate = 0;
    int tooLateByTwin = 0;
    for (int i = 0; i < KEYS; i++) {
      IssuedKey issued = cached(node, twin);
      nodes.time.advance(Duration.ofSeconds(random.nextInt(600)));
      revokeUnheard(issued);
      Instant bound = nodes.time.instant().plus(ENTRY_AGE);
      while (nodes.time.instant().isBefore(bound.plusSeconds(300))) {
        nodes.time.advance(Duration.ofSeconds(random.nextInt(300)));
        poll(node, twin);
        boolean isOver = !nodes.time.instant().isBefore(bound);
        boolean isAccepted = verdict(node, issued).equals("ACCEPTED");
        accepted += isAccepted ? 1 : 0;
        tooLate += isAccepted && isOver ? 1 : 0;
        tooLateByTwin += verdict(twin, issued).equals("ACCEPTED") && isOver ? 1 : 0;
      }
    }

    System.out.printf(
        "%,d revocations whose notice is lost: %,d accepts, %d of them beyond the age of an entry;"
            + " of the twin that keeps keys longer %,d%n",
        KEYS, accepted, tooLate, tooLateByTwin);
    assertThat(accepted).isPositive();
    assertThat(tooLate).isZero();
    assertThat(tooLateByTwin).isPositive();
  }
}
