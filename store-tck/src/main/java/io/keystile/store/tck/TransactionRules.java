package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What a write that is refused, or that others were quicker with, does to the transaction it is
 * part of.
 */
abstract class TransactionRules extends Rules {
  static final int SECONDS = 60;

  final ExecutorService elsewhere = Executors.newSingleThreadExecutor();

  abstract void inTransaction(Runnable work);

  abstract boolean oneWriterAtATime();

  @AfterEach
  final void endOtherThread() {
    elsewhere.shutdownNow();
  }

  static final class Rollback extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  final void rolledBack(Runnable work) {
    Throwable thrown =
        catchThrowable(
            () ->
                inTransaction(
                    () -> {
                      work.run();
                      throw new Rollback();
                    }));
    if (!(thrown instanceof Rollback)) {
      throw new AssertionError("inTransaction() must throw on what its work threw", thrown);
    }
  }

  /** On another thread, which has no part in the transaction of this one. */
  final <T> T elsewhere(Callable<T> call) {
    return await(elsewhere.submit(call));
  }

  static <T> T await(Future<T> future) {
    try {
      return future.get(SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("another thread failed: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("another thread waits since " + SECONDS + " seconds", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  static void assertApplied(WriteOutcome outcome) {
    assertThat(outcome).isEqualTo(WriteOutcome.APPLIED);
  }

  @Test
  void i2_a_duplicate_leaves_the_transaction_usable() {
    KeyRecord taken = given(sample.record());
    assertUsableAfter(
        "I2", WriteOutcome.Kind.DUPLICATE, () -> insert(sample.record().id(taken.id()).build()));
  }

  @Test
  void i2_a_key_that_the_transaction_inserted_is_a_duplicate_too() {
    KeyRecord record = sample.record().build();
    assertUsableAfter(
        "I2",
        WriteOutcome.Kind.DUPLICATE,
        () -> {
          assertApplied(insert(record));
          return insert(record);
        });
    assertThat(store.load(record.id())).contains(record);
  }

  @Test
  void i3_a_repeated_insert_leaves_the_transaction_usable() {
    KeyWrite write = sample.write(sample.record().build());
    assertApplied(store.insert(List.of(write), NO_MAXIMUM));
    assertUsableAfter(
        "I3", WriteOutcome.Kind.REPEATED, () -> store.insert(List.of(write), NO_MAXIMUM));
  }

  @Test
  void i4_a_full_owner_leaves_the_transaction_usable() {
    KeyRecord record = given(sample.record());
    assertUsableAfter(
        "I4",
        WriteOutcome.Kind.OWNER_FULL,
        () -> store.insert(List.of(sample.write(sample.record(record.owner()).build())), 1));
  }

  @Test
  void r1_a_refused_replacement_leaves_the_transaction_usable() {
    KeyRecord record = given(sample.record());
    assertUsableAfter("R1", WriteOutcome.Kind.CONFLICT, () -> store.replace(sample.write(record)));
  }

  @Test
  void r3_a_repeated_replacement_leaves_the_transaction_usable() {
    KeyRecord record = given(sample.record());
    KeyWrite write = sample.write(sample.next(record));
    assertApplied(store.replace(write));
    AuditEntry earlier = trailOfOperation(write.entry().operationId()).get(0);
    assertUsableAfter(
        "R3",
        WriteOutcome.Kind.REPEATED,
        () -> {
          WriteOutcome outcome = store.replace(write);
          assertThat(outcome.earlier()).as("R3: the entry that holds the id").isEqualTo(earlier);
          return outcome;
        });
  }

  private void assertUsableAfter(
      String rule, WriteOutcome.Kind expected, Supplier<WriteOutcome> refused) {
    KeyRecord before = sample.record().build();
    KeyRecord after = sample.record().build();

    Throwable thrown =
        catchThrowable(
            () ->
                inTransaction(
                    () -> {
                      assertApplied(insert(before));
                      assertThat(refused.get().kind())
                          .as("%s in a transaction", rule)
                          .isEqualTo(expected);
                      assertThat(store.find(before.id())).isPresent();
                      assertApplied(insert(after));
                    }));

    assertThat(thrown)
        .as("%s: the transaction of the host must stay usable after %s", rule, expected)
        .isNull();
    assertThat(store.load(before.id()))
        .as("%s: what was written before %s must be committed", rule, expected)
        .contains(before);
    assertThat(store.load(after.id()))
        .as("%s: what was written after %s must be committed", rule, expected)
        .contains(after);
  }

  @Test
  void r1_a_replacement_through_an_old_snapshot_is_never_applied() {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    KeyRecord first = given(sample.record());
    List<KeyRecord> theirs = new ArrayList<>();

    assertRefusedOrConflict(
        WriteOutcome.Kind.CONFLICT,
        () -> {
          store.find(first.id());
          theirs.add(elsewhere(() -> givenNext(first)));
          return store.replace(sample.write(sample.next(first)));
        });

    assertThat(store.load(first.id()))
        .as("R1: what others committed must not be written over")
        .contains(theirs.get(0));
    assertThat(trailOfKey(first.id())).hasSize(2);
  }

  @Test
  void r3_an_operation_id_is_recognised_through_an_old_snapshot() {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    KeyRecord first = given(sample.record());
    KeyWrite write = sample.write(sample.next(first));

    assertRefusedOrConflict(
        WriteOutcome.Kind.REPEATED,
        () -> {
          store.find(first.id());
          assertApplied(elsewhere(() -> store.replace(write)));
          return store.replace(write);
        });

    assertThat(trailOfKey(first.id())).as("R3: nothing may be done").hasSize(2);
  }

  @Test
  void i2_a_duplicate_is_recognised_through_an_old_snapshot() {
    assumeFalse(oneWriterAtATime(), "one writer at a time");
    KeyRecord theirs = sample.record().build();

    assertRefusedOrConflict(
        WriteOutcome.Kind.DUPLICATE,
        () -> {
          store.find(theirs.id());
          assertApplied(elsewhere(() -> insert(theirs)));
          return insert(sample.record().id(theirs.id()).build());
        });

    assertThat(store.load(theirs.id())).as("I2: stays as it is").contains(theirs);
  }

  /** Some databases give up a transaction whose snapshot is too old: that is an answer too. */
  private void assertRefusedOrConflict(WriteOutcome.Kind expected, Supplier<WriteOutcome> write) {
    List<WriteOutcome.Kind> outcomes = new ArrayList<>();
    Throwable thrown = catchThrowable(() -> inTransaction(() -> outcomes.add(write.get().kind())));
    if (thrown instanceof StoreException e) {
      assertThat(e.kind())
          .as("a transaction that is given up must be reported as a conflict")
          .isEqualTo(StoreException.Kind.CONFLICT);
    } else {
      assertThat(thrown).isNull();
      assertThat(outcomes).as("what others committed must be noticed").containsExactly(expected);
    }
  }
}
