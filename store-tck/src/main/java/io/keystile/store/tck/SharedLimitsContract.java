package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keystile.store.SharedLimits;
import io.keystile.store.SharedLimits.Ledger;
import io.keystile.store.StoreException;
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
 * The rules of {@link SharedLimits} as tests, for stores that have this capability besides being a
 * key store.
 *
 * <pre>{@code
 * class MySharedLimitsTest extends SharedLimitsContract {
 *   @Override
 *   protected SharedLimits store() {
 *     return new MyStore(database);
 *   }
 * }
 * }</pre>
 *
 * <p>The two hooks that have a default make more of the rules testable; the tests that need them
 * are reported as skipped until they are overridden. Each race is run 500 times, or as often as the
 * system property {@code keystile.rounds} says, and prints its count.
 */
public abstract class SharedLimitsContract extends LedgerRaceRules {
  /** For subclasses. */
  protected SharedLimitsContract() {}

  /**
   * Returns the store under test. Called twice before each test; the two are two nodes on the same
   * data. A store that lives in one process may return the same object twice.
   *
   * @return a store
   */
  @Override
  protected abstract SharedLimits store();

  /**
   * Returns one more store on the same data, whose connection is lost after some statements: so
   * many work, each one after that fails, and so does a commit. With it, rules S3 and S9 are tested
   * at every place at which a call may fail.
   *
   * @param statements how many statements still work, from 0
   * @return a store, or empty (the default) if failures cannot be made
   */
  protected Optional<SharedLimits> failingStore(int statements) {
    return Optional.empty();
  }

  /**
   * Runs some work in a transaction of the host's on the calling thread, one that the store's other
   * methods join: commits if it returns; rolls back if it throws, and throws the same on. With it,
   * rule S2 is tested wholly. Unless overridden, the test is skipped.
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
  void s2_none_joins_a_transaction_of_the_host() {
    Ledger first = given(fresh());
    Ledger second = next(first);
    Ledger third = next(second);
    Ledger added = fresh();
    Ledger old = given(new Ledger(sample.name("ledger"), 1, "", PAST));
    List<Ledger> all = List.of(first, added, old);

    boolean rolledBack = false;
    try {
      inTransaction(
          () -> {
            assertThat(store.read(ids(all)).ledgers())
                .as("S2: what is committed must be read")
                .containsExactlyInAnyOrder(first, old);
            assertThat(store.replace(List.of(second, added)))
                .as("S2: a transaction of the host must keep nothing from being written")
                .hasSize(2);
            assertThat(store.purge(PAST.plusMillis(1), 100_000))
                .as("S2: nor from being purged")
                .isPositive();
            assertThat(elsewhere(() -> stored(all)))
                .as("S2: what is written must be committed at once")
                .containsExactlyInAnyOrder(second, added);
            assertThat(elsewhere(() -> other.replace(List.of(third))))
                .as("S2: it must keep nobody waiting, and hold no lock")
                .hasSize(1);
            assertThat(store.read(ids(all)).ledgers())
                .as("S2: what others have committed must be read")
                .containsExactlyInAnyOrder(third, added);
            throw new TransactionRules.Rollback();
          });
    } catch (TransactionRules.Rollback e) {
      rolledBack = true;
    }
    assertThat(rolledBack).as("inTransaction() must throw on what its work threw").isTrue();
    assertThat(stored(all))
        .as("S2: a rollback of the host must undo nothing")
        .containsExactlyInAnyOrder(third, added);
  }

  @Test
  void s3_illegal_arguments_are_refused_and_change_nothing() {
    List<String> ids = new ArrayList<>();
    fresh(MAX_LEDGERS + 1).forEach(ledger -> ids.add(ledger.id()));
    List<Ledger> tooMany = fresh(MAX_LEDGERS + 1);
    Ledger ledger = fresh();
    Ledger old = given(new Ledger(sample.name("ledger"), 1, "", PAST));

    assertRefused("1001 ids", () -> store.read(ids));
    assertRefused("1001 ledgers", () -> store.replace(tooMany));
    assertRefused("an id twice", () -> store.replace(List.of(ledger, at(1, ledger))));
    assertRefused("an id twice", () -> store.replace(List.of(ledger, at(2, ledger))));
    assertRefused("a purge of 0", () -> store.purge(PAST.plusMillis(1), 0));
    assertRefused("a purge of 100001", () -> store.purge(PAST.plusMillis(1), 100_001));
    assertRefused("half a millisecond", () -> store.purge(PAST.plusNanos(500_000), 1));

    assertThat(stored(List.of(tooMany.get(0), tooMany.get(MAX_LEDGERS), ledger, old)))
        .as("S3: a refused call must change nothing")
        .containsExactly(old);
  }

  private static void assertRefused(String what, ThrowingCallable call) {
    assertThat(catchThrowable(call))
        .as("S3: " + what + " must be refused")
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void s3_a_failing_store_throws_store_exceptions_that_hold_no_id_and_no_text() {
    Ledger ledger = given(fresh());
    Ledger old = given(new Ledger(sample.name("ledger"), 1, "", PAST));
    int failures = 0;
    failures += failuresOf(failing -> failing.read(List.of(ledger.id())), ledger);
    failures += failuresOf(failing -> failing.replace(List.of(next(ledger), fresh())), ledger);
    failures += failuresOf(failing -> failing.purge(PAST.plusMillis(1), 10), old);
    assertThat(failures).as("places at which a call was made to fail").isGreaterThanOrEqualTo(3);
  }

  private interface Call {
    Object of(SharedLimits store);
  }

  /** Lets a call fail after 0, 1, 2 ... statements, until it goes through. */
  private int failuresOf(Call call, Ledger ledger) {
    for (int failures = 0; ; failures++) {
      SharedLimits failing = requireFailing(failures);
      Throwable thrown = catchThrowable(() -> call.of(failing));
      if (thrown == null) {
        return failures;
      }
      assertThat(thrown)
          .as("S3: a failing store must throw StoreException and no other exception")
          .isInstanceOf(StoreException.class);
      assertThat(thrown.getMessage())
          .as("S3: a message may hold no id and no text")
          .doesNotContain(ledger.id())
          .satisfies(message -> assertThat(holds(message, ledger.text())).isFalse());
    }
  }

  private static boolean holds(String message, String text) {
    return !text.isEmpty() && message.contains(text);
  }

  private SharedLimits requireFailing(int statements) {
    assertThat(statements).as("statements of one call, none of which went through").isLessThan(100);
    Optional<SharedLimits> failing = failingStore(statements);
    assumeTrue(failing.isPresent(), "failingStore() is not overridden");
    return failing.orElseThrow();
  }

  @Test
  void s9_a_replacement_that_fails_anywhere_has_written_nothing() {
    List<Ledger> before = fresh(2);
    given(before);
    List<Ledger> after = new ArrayList<>(fresh(2));
    before.forEach(ledger -> after.add(next(ledger)));
    int failures = 0;
    boolean written = false;
    while (!written) {
      SharedLimits failing = requireFailing(failures);
      boolean unknown = false;
      try {
        assertThat(failing.replace(after))
            .as("S6: the next revision must be written")
            .isEqualTo(ids(after));
        written = true;
      } catch (StoreException e) {
        failures++;
        unknown = e.kind() == StoreException.Kind.OUTCOME_UNKNOWN;
      }
      List<Ledger> stored = stored(after);
      boolean isAfter = Set.copyOf(stored).equals(Set.copyOf(after));
      if (unknown && isAfter) {
        written = true;
      }
      assertThat(Set.copyOf(stored))
          .as("S9: after failure %d nothing may be written, and without one all", failures)
          .isEqualTo(Set.copyOf(written ? after : before));
    }
    assertThat(failures).as("places at which the replacement was made to fail").isPositive();
  }

  @Test
  void s10_what_is_kept_until_before_the_time_is_removed_and_nothing_else() {
    purgeAll(PAST.plusMillis(2));
    Ledger over = given(new Ledger(sample.name("ledger"), 1, "", PAST.minusMillis(1)));
    Ledger still = given(new Ledger(sample.name("ledger"), 1, "", PAST));
    Ledger later = given(new Ledger(sample.name("ledger"), 1, "", PAST.plusMillis(1)));
    Ledger longer = given(new Ledger(sample.name("ledger"), 1, "", PAST.minusMillis(1)));
    Ledger renewed = new Ledger(longer.id(), 2, "", PAST.plusMillis(1));
    assertThat(isWritten(renewed)).isTrue();
    Ledger shorter = given(fresh());
    assertThat(isWritten(new Ledger(shorter.id(), 2, "", PAST.minusMillis(1)))).isTrue();

    assertThat(other.purge(PAST, 1000)).as("S10: two were kept until before then").isEqualTo(2);
    assertThat(stored(List.of(over, still, later, longer, shorter)))
        .as("S10: what is kept until then or later must stay")
        .containsExactlyInAnyOrder(still, later, renewed);
    assertThat(other.purge(PAST.plusMillis(1), 1000)).as("S10: one more is over now").isEqualTo(1);
    assertThat(stored(List.of(still, later, longer)))
        .as("S10: what is kept until then or later must stay")
        .containsExactlyInAnyOrder(later, renewed);
  }

  @Test
  void s10_at_most_so_many_are_removed_as_the_limit_says() {
    Instant before = PAST.plusMillis(1);
    purgeAll(before);
    List<Ledger> old = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      old.add(new Ledger(sample.name("ledger"), 1, "", PAST.minusMillis(i)));
    }
    given(old);

    for (int left : List.of(3, 1, 0)) {
      assertThat(store.purge(before, 2))
          .as("S10: at most 2 may be removed, and so many must be told")
          .isEqualTo(left == 0 ? 1 : 2);
      assertThat(stored(old)).as("S10: so many must be left").hasSize(left);
    }
  }

  @Test
  void s11_what_is_removed_is_gone_and_may_be_inserted_again() {
    Instant before = PAST.plusMillis(1);
    purgeAll(before);
    Ledger first = given(new Ledger(sample.name("ledger"), 1, "first", PAST));
    Ledger second = new Ledger(first.id(), 2, "second", PAST);
    assertThat(isWritten(second)).isTrue();

    assertThat(store.purge(before, 10)).as("S10: it was kept until before then").isEqualTo(1);
    assertThat(other.purge(before, 10)).as("S11: what is gone must not be counted").isZero();
    assertThat(isWritten(new Ledger(first.id(), 3, "third", KEPT)))
        .as("S11: what is gone has no next revision")
        .isFalse();
    Ledger again = new Ledger(first.id(), 1, "again", KEPT);
    assertThat(isWritten(again))
        .as("S11: what was removed must be insertable again, with revision 1")
        .isTrue();
    assertThat(stored(List.of(first)))
        .as("S11: what was inserted again must be stored")
        .containsExactly(again);
  }
}
