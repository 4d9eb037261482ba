package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoredKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The rules of {@link KeyStore} about transactions of the host as tests, for stores that take part
 * in them.
 *
 * <pre>{@code
 * class MyTransactionsTest extends TransactionalKeyStoreContract {
 *   @Override
 *   protected KeyStore store() {
 *     return new MyStore(connectionsOfTheHost);
 *   }
 *
 *   @Override
 *   protected void inTransaction(Runnable work) {
 *     transactionTemplate.executeWithoutResult(status -> work.run());
 *   }
 * }
 * }</pre>
 *
 * <p>Run it once for each isolation level that hosts may use.
 */
public abstract class TransactionalKeyStoreContract extends TransactionRules {
  private static final int POLLS = 10;

  /** For subclasses. */
  protected TransactionalKeyStoreContract() {}

  /**
   * Returns the store under test, one that joins the transactions of {@link #inTransaction}. Called
   * twice before each test.
   *
   * @return a store
   */
  @Override
  protected abstract KeyStore store();

  /**
   * Runs some work in a transaction of the host's on the calling thread: commits if it returns;
   * rolls back if it throws, and throws the same on. Called from two threads at once, each of which
   * has its own transaction.
   *
   * @param work what to do in the transaction
   */
  @Override
  protected abstract void inTransaction(Runnable work);

  /**
   * Whether a transaction that has written keeps all other writers waiting until it ends, as with
   * SQLite. Then tests in which two transactions write at the same time are skipped.
   *
   * @return false, unless overridden
   */
  @Override
  protected boolean oneWriterAtATime() {
    return false;
  }

  @Test
  void g8_what_the_transaction_wrote_is_seen_by_its_own_reads_and_by_nobody_else() {
    KeyRecord first = given(sample.record());
    KeyRecord second = sample.next(first);
    KeyRecord fresh = sample.record(first.owner()).build();
    KeyRecord gone = given(sample.record(first.owner()));

    inTransaction(
        () -> {
          assertApplied(store.replace(sample.write(second)));
          assertApplied(insert(fresh));
          assertThat(purge(sample.write(gone)).keys()).isEqualTo(1);
          assertThat(store.find(first.id()))
              .as("G8: find must see what was written earlier in the transaction")
              .contains(new StoredKey(second, List.of()));
          assertThat(store.list(ofOwner(first.owner()), null, 10).stream().map(StoredKey::record))
              .as("G8: list must see what was written earlier in the transaction")
              .containsExactly(second, fresh);
          assertThat(trail(first.owner()))
              .as("G8: audit must see what was written earlier in the transaction")
              .hasSize(5);
          assertThat(elsewhere(() -> listed(ofOwner(first.owner()))))
              .as("G8: nobody else may see it before the commit")
              .containsExactly(first, gone);
        });

    assertThat(elsewhere(() -> listed(ofOwner(first.owner()))))
        .as("G8: everybody must see it after the commit")
        .containsExactly(second, fresh);
  }

  @Test
  void g8_what_is_rolled_back_leaves_nothing() {
    KeyRecord record = given(sample.record());
    KeyRecord fresh = sample.record(record.owner()).build();
    Feed feed = new Feed(other);

    rolledBack(() -> assertApplied(store.replace(sample.write(sample.next(record)))));
    rolledBack(() -> assertApplied(insert(fresh)));
    rolledBack(() -> assertThat(purge(sample.write(record)).keys()).isEqualTo(1));

    assertThat(listed(ofOwner(record.owner())))
        .as("G8: the key must be as it was before")
        .containsExactly(record);
    assertThat(trail(record.owner()))
        .as("A1: what is rolled back may have no audit entry")
        .hasSize(1);
    assertThat(feed.poll()).as("C2: what is rolled back may have no notice").isEmpty();
  }

  @Test
  void g8_an_operation_that_was_rolled_back_may_be_tried_again() {
    KeyWrite insert = sample.write(sample.record().build());
    KeyWrite replace = sample.write(sample.next(insert.record()));

    rolledBack(() -> assertApplied(store.insert(List.of(insert), 1)));
    inTransaction(() -> assertApplied(store.insert(List.of(insert), 1)));
    rolledBack(() -> assertApplied(store.replace(replace)));
    inTransaction(() -> assertApplied(store.replace(replace)));

    assertThat(store.load(insert.record().id())).contains(replace.record());
  }

  @Test
  void g8_record_use_takes_no_part_in_the_transaction() {
    KeyRecord record = given(sample.record());

    rolledBack(() -> store.recordUse(List.of(ChangeRules.used(record, 1, 5, 5))));

    assertThat(store.find(record.id()).orElseThrow().uses())
        .as("G8: last use must not be rolled back with the transaction of the calling thread")
        .containsExactly(ChangeRules.used(record, 1, 5, 5));
  }

  @Test
  void l1_load_returns_what_is_committed_while_the_transaction_has_changes() {
    KeyRecord first = given(sample.record());
    KeyRecord second = sample.next(first);
    KeyRecord fresh = sample.record().build();

    inTransaction(
        () -> {
          assertApplied(store.replace(sample.write(second)));
          assertApplied(insert(fresh));
          assertThat(store.load(first.id()))
              .as("L1: load must not see what the transaction has not committed")
              .contains(first);
          assertThat(store.load(fresh.id()))
              .as("L1: load must not see what the transaction has not committed")
              .isEmpty();
        });

    assertThat(store.load(first.id())).contains(second);
    assertThat(store.load(fresh.id())).contains(fresh);
  }

  @Test
  void l1_load_sees_what_was_committed_after_the_transaction_took_its_snapshot() {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    KeyRecord first = given(sample.record());

    inTransaction(
        () -> {
          store.find(first.id());
          KeyRecord second = elsewhere(() -> givenNext(first));
          assertThat(store.load(first.id()))
              .as("L1: load must not read through the snapshot of the transaction")
              .contains(second);
        });
  }

  @Test
  void c4_changes_since_takes_no_part_in_the_transaction() {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    KeyRecord mine = sample.record().build();
    KeyRecord theirs = sample.record().build();
    Feed feed = new Feed(store);

    inTransaction(
        () -> {
          store.find(mine.id());
          assertApplied(insert(mine));
          assertThat(feed.poll())
              .as("C4: a change that is not committed must not be told")
              .isEmpty();
          elsewhere(() -> insert(theirs));
          assertThat(feed.poll())
              .as("C4: what others committed must be told, whatever snapshot is open")
              .containsExactly(theirs.id());
        });

    assertThat(feed.poll()).as("C2: told after the commit").containsExactly(mine.id());
  }

  @Test
  void c3_a_change_of_a_slow_transaction_is_delivered_through_its_gap() {
    KeyRecord slow = sample.record().build();
    List<String> late = pollWhileSlowTransactionIsOpen(() -> inTransaction(() -> hold(slow)));

    assertThat(late)
        .as("C3: a change that was committed late must have a number in a gap or above")
        .containsExactly(slow.id());
  }

  @Test
  void c3_a_gap_of_a_transaction_that_is_rolled_back_stays_empty() {
    KeyRecord slow = sample.record().build();
    List<String> late = pollWhileSlowTransactionIsOpen(() -> rolledBack(() -> hold(slow)));

    assertThat(late).as("C3: what is rolled back has no notice").isEmpty();
    assertThat(store.find(slow.id())).isEmpty();
  }

  private final CountDownLatch written = new CountDownLatch(1);
  private final CountDownLatch polled = new CountDownLatch(1);

  /** Writes, and lets the transaction wait until others have polled. */
  private void hold(KeyRecord record) {
    assertApplied(insert(record));
    written.countDown();
    await(polled);
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the other thread did not come within " + SECONDS + " seconds");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** What the feed tells after the transaction, which began before others that committed. */
  private List<String> pollWhileSlowTransactionIsOpen(Runnable slowTransaction) {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    Feed feed = new Feed(other);
    Future<?> slow = elsewhere.submit(slowTransaction);
    await(written);
    KeyRecord quick = given(sample.record());
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < POLLS; i++) {
      seen.addAll(feed.poll());
    }
    polled.countDown();
    await(slow);
    assertThat(seen)
        .as("C2: while one transaction is open, what others committed must be told, once")
        .containsExactly(quick.id());
    return feed.poll();
  }

  @Test
  void t2_an_action_runs_after_the_commit_and_sees_what_was_committed() {
    KeyRecord first = given(sample.record());
    KeyRecord second = sample.next(first);
    List<KeyRecord> seen = new ArrayList<>();

    inTransaction(
        () -> {
          assertApplied(store.replace(sample.write(second)));
          store.afterCommit(() -> store.load(first.id()).ifPresent(seen::add));
          store.afterCommit(() -> seen.add(first));
          assertThat(seen).as("T2: an action must not run before the commit").isEmpty();
        });

    assertThat(seen)
        .as("T2: each action must run once, after the commit, and see what was committed")
        .containsExactlyInAnyOrder(second, first);
    inTransaction(() -> store.find(first.id()));
    assertThat(seen).as("T2: an action must run once").hasSize(2);
  }

  @Test
  void t2_an_action_never_runs_after_a_rollback() {
    KeyRecord record = given(sample.record());
    List<String> ran = new ArrayList<>();

    rolledBack(
        () -> {
          assertApplied(store.replace(sample.write(sample.next(record))));
          store.afterCommit(() -> ran.add("rolled back"));
        });
    assertThat(ran).as("T2: an action must not run after a rollback").isEmpty();
    inTransaction(() -> store.find(record.id()));
    assertThat(ran)
        .as("T2: an action of a transaction that was rolled back must not run after a later one")
        .isEmpty();
    store.afterCommit(() -> ran.add("now"));
    assertThat(ran)
        .as("T1: without a transaction an action must run at once")
        .containsExactly("now");
  }
}
