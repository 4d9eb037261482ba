package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Retention;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/**
 * The rules of {@link UsageStore} as tests, for stores that have this capability besides being a
 * key store.
 *
 * <pre>{@code
 * class MyUsageStoreTest extends UsageStoreContract {
 *   @Override
 *   protected UsageStore store() {
 *     return new MyStore(database);
 *   }
 * }
 * }</pre>
 *
 * <p>The two hooks that have a default make more of the rules testable; the tests that need them
 * are reported as skipped until they are overridden. Each race is run 500 times, or as often as the
 * system property {@code keystile.rounds} says, and prints its count.
 */
public abstract class UsageStoreContract extends TallyRaceRules {
  /** For subclasses. */
  protected UsageStoreContract() {}

  /**
   * Returns the store under test. Called twice before each test; the two are two nodes on the same
   * data. A store that lives in one process may return the same object twice.
   *
   * @return a store
   */
  @Override
  protected abstract UsageStore store();

  /**
   * Returns one more store on the same data, whose connection is lost after some statements: so
   * many work, each one after that fails, and so does a commit. With it, rules B3 and B4 are tested
   * at every place at which a call may fail.
   *
   * @param statements how many statements still work, from 0
   * @return a store, or empty (the default) if failures cannot be made
   */
  protected Optional<UsageStore> failingStore(int statements) {
    return Optional.empty();
  }

  /**
   * Runs some work in a transaction of the host's on the calling thread, one that the store's other
   * methods join: commits if it returns; rolls back if it throws, and throws the same on. With it,
   * rule B2 is tested wholly. Unless overridden, the test is skipped.
   *
   * @param work what to do in the transaction
   */
  protected void inTransaction(Runnable work) {
    abort("inTransaction() is not overridden");
  }

  /** On another thread, which has no part in the transaction of this one. */
  private static <T> T elsewhere(Supplier<T> call) {
    return TransactionRules.await(CompletableFuture.supplyAsync(call));
  }

  @Test
  void b2_none_joins_a_transaction_of_the_host() {
    Subject subject = subject();
    given(tally(subject, 1));
    Tally old = given(old(PAST));
    Batch batch = batch(List.of(tally(subject, 2)));

    boolean rolledBack = false;
    try {
      inTransaction(
          () -> {
            assertThat(store.tallies(ofKey(subject), null, 10))
                .as("B2: what is committed must be read")
                .containsExactly(tally(subject, 1));
            assertThat(store.add(batch))
                .as("B2: a transaction of the host must keep nothing from being added")
                .isTrue();
            assertThat(store.purge(before(PAST.plusMillis(1), MAX_PURGE)))
                .as("B2: nor from being purged")
                .isPositive();
            assertThat(elsewhere(() -> stored(List.of(subject, old.subject()))))
                .as("B2: what is added must be committed at once")
                .containsExactly(tally(subject, 3));
            assertThat(elsewhere(() -> other.add(batch(List.of(tally(subject, 3))))))
                .as("B2: it must keep nobody waiting, and hold no lock")
                .isTrue();
            assertThat(store.tallies(ofKey(subject), null, 10))
                .as("B2: what others have committed must be read")
                .containsExactly(tally(subject, 6));
            throw new TransactionRules.Rollback();
          });
    } catch (TransactionRules.Rollback e) {
      rolledBack = true;
    }
    assertThat(rolledBack).as("inTransaction() must throw on what its work threw").isTrue();
    assertThat(stored(List.of(subject, old.subject())))
        .as("B2: a rollback of the host must undo nothing")
        .containsExactly(tally(subject, 6));
    assertThat(other.add(batch)).as("B2: nor make a batch be forgotten").isFalse();
  }

  @Test
  @SuppressWarnings("NullAway") // null is one of them
  void b3_illegal_arguments_are_refused() {
    Subject subject = subject();
    assertRefused("a page of 0", () -> store.tallies(ofKey(subject), null, 0));
    assertRefused("a page of -1", () -> store.tallies(ofKey(subject), null, -1));
    assertRefused("a page of 10001", () -> store.tallies(ofKey(subject), null, 10_001));
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> store.add(null), () -> store.tallies(null, null, 1), () -> store.purge(null))) {
      assertThat(catchThrowable(call))
          .as("B3: null must be refused")
          .isInstanceOf(NullPointerException.class);
    }
  }

  private static void assertRefused(String what, ThrowingCallable call) {
    assertThat(catchThrowable(call))
        .as("B3: " + what + " must be refused")
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void b3_a_failing_store_throws_store_exceptions_that_hold_no_owner_plan_and_label() {
    Subject subject = subject(sample.name("plan"));
    Tally tally = tally(subject, "requests", sample.name("label"), 1);
    given(tally);
    int failures = 0;
    failures += failuresOf(failing -> failing.add(batch(List.of(tally))), tally);
    failures += failuresOf(failing -> failing.tallies(ofKey(subject), tally, 1), tally);
    purgeAll(PAST.plusMillis(1));
    Tally old = new Tally(subject, Period.HOUR, PAST, "requests", tally.label(), 1);
    given(old);
    failures += failuresOf(failing -> failing.purge(before(PAST.plusMillis(1), 10)), old);
    assertThat(failures).as("places at which a call was made to fail").isGreaterThanOrEqualTo(3);
  }

  private interface Call {
    Object of(UsageStore store);
  }

  /** Lets a call fail after 0, 1, 2 ... statements, until it goes through. */
  private int failuresOf(Call call, Tally tally) {
    for (int failures = 0; ; failures++) {
      UsageStore failing = requireFailing(failures);
      Throwable thrown = catchThrowable(() -> call.of(failing));
      if (thrown == null) {
        return failures;
      }
      assertThat(thrown)
          .as("B3: a failing store must throw StoreException and no other exception")
          .isInstanceOf(StoreException.class);
      Subject subject = tally.subject();
      assertThat(thrown.getMessage())
          .as("B3: a message may hold no owner, no plan and no label")
          .doesNotContain(subject.owner(), String.valueOf(subject.plan()), tally.label());
    }
  }

  private UsageStore requireFailing(int statements) {
    assertThat(statements).as("statements of one call, none of which went through").isLessThan(100);
    Optional<UsageStore> failing = failingStore(statements);
    assumeTrue(failing.isPresent(), "failingStore() is not overridden");
    return failing.orElseThrow();
  }

  @Test
  void b4_a_batch_that_fails_anywhere_has_added_nothing() {
    Subject subject = subject();
    List<Tally> before = List.of(tally(subject, 10), tally(subject, "max-a", "all", 0));
    given(before);
    Batch batch =
        batch(
            List.of(
                tally(subject, 1),
                tally(subject, "max-a", "all", 11),
                tally(subject(), 1),
                tally(subject(), "max-a", "all", 1)));
    List<Tally> after = new ArrayList<>(batch.tallies());
    after.set(0, tally(subject, 11));
    List<Subject> subjects = after.stream().map(Tally::subject).distinct().toList();
    int failures = 0;
    boolean added = false;
    while (!added) {
      UsageStore failing = requireFailing(failures);
      boolean unknown = false;
      try {
        assertThat(failing.add(batch)).as("B5: what was not added must be added").isTrue();
        added = true;
      } catch (StoreException e) {
        failures++;
        unknown = e.kind() == StoreException.Kind.OUTCOME_UNKNOWN;
      }
      Set<Tally> stored = Set.copyOf(stored(subjects));
      added |= unknown && stored.equals(Set.copyOf(after));
      assertThat(stored)
          .as("B4: after failure %d nothing may be added, and without one all", failures)
          .isEqualTo(Set.copyOf(added ? after : before));
    }
    assertThat(other.add(batch)).as("B5: it was added before").isFalse();
    assertThat(failures).as("places at which the batch was made to fail").isPositive();
  }

  @Test
  void b10_what_is_from_before_the_times_is_removed_and_nothing_else() {
    Instant nextHour = PAST.plus(Period.HOUR.length());
    Instant nextDay = PAST.plus(Period.DAY.length());
    purgeAll(nextDay.plusMillis(1));
    List<Tally> hours = List.of(old(PAST), old(nextHour));
    List<Tally> days = List.of(old(Period.DAY, PAST), old(Period.DAY, nextDay));
    Tally young = tally(subject(), 1);
    List<Tally> all = new ArrayList<>(hours);
    all.addAll(days);
    all.add(young);
    Batch first = new Batch(sample.name("batch"), PAST.minusMillis(1), all);
    Batch second = new Batch(sample.name("batch"), PAST, with(all, 2));
    assertThat(store.add(first) && store.add(second)).isTrue();
    List<Tally> left = new ArrayList<>(with(all, 3));

    assertPurges("nothing is from before", 0, new Retention(PAST, PAST, BEGIN, 100));
    assertLeft(all, left);
    assertPurges("one hour is", 1, new Retention(PAST.plusMillis(1), PAST, BEGIN, 100));
    left.remove(with(hours.get(0), 3));
    assertLeft(all, left);
    assertPurges("one day is", 1, new Retention(BEGIN, PAST.plusMillis(1), BEGIN, 100));
    left.remove(with(days.get(0), 3));
    assertLeft(all, left);
    assertPurges("one batch is", 1, new Retention(BEGIN, BEGIN, PAST, 100));
    assertLeft(all, left);
    assertThat(other.add(second)).as("B10: an id of then or later must be remembered").isFalse();
    assertPurges(
        "the rest is",
        3,
        new Retention(nextHour.plusMillis(1), nextDay.plusMillis(1), PAST.plusMillis(1), 100));
    assertLeft(all, List.of(with(young, 3)));
  }

  private void assertPurges(String what, int number, Retention retention) {
    assertThat(other.purge(retention)).as("B10: " + what + " the times").isEqualTo(number);
  }

  private void assertLeft(List<Tally> all, List<Tally> left) {
    assertThat(stored(all.stream().map(Tally::subject).toList()))
        .as("B10: what is of then or later must stay")
        .containsExactlyInAnyOrderElementsOf(left);
  }

  @Test
  void b10_at_most_so_many_of_each_are_removed_as_the_limit_says() {
    Instant before = PAST.plusMillis(1);
    purgeAll(before);
    List<Tally> old = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      Instant day = PAST.minus(Period.DAY.length().multipliedBy(i));
      List<Tally> two = List.of(old(day), old(Period.DAY, day));
      assertThat(store.add(new Batch(sample.name("batch"), PAST, two))).isTrue();
      old.addAll(two);
    }
    List<Subject> subjects = old.stream().map(Tally::subject).toList();
    for (int left : List.of(3, 1, 0)) {
      assertThat(store.purge(before(before, 2)))
          .as("B10: at most 2 of each may be removed, and so many must be told")
          .isEqualTo(left == 0 ? 3 : 6);
      assertThat(stored(subjects)).as("B10: so many must be left").hasSize(2 * left);
    }
    assertThat(store.purge(before(before, 2))).as("B10: what is gone is not counted").isZero();
  }

  @Test
  void b10_what_was_removed_may_be_added_again() {
    Instant before = PAST.plusMillis(1);
    purgeAll(before);
    Tally old = old(PAST);
    Batch batch = new Batch(sample.name("batch"), PAST, List.of(old));
    for (int i = 0; i < 3; i++) {
      assertThat(store.add(batch)).as("B10: a batch whose id was removed may be added").isTrue();
      assertThat(stored(old.subject()))
          .as("B10: what was removed must begin anew")
          .containsExactly(old);
      assertThat(other.purge(before(before, 10))).as("B10: a tally and an id").isEqualTo(2);
    }
  }
}
