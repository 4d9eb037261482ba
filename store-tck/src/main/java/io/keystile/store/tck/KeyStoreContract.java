package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoreException;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/**
 * The rules of {@link KeyStore} as tests, but for those about concurrency ({@link
 * KeyStoreRaceContract}) and about transactions of the host ({@link
 * TransactionalKeyStoreContract}). A store is right when it passes.
 *
 * <pre>{@code
 * class MyStoreTest extends KeyStoreContract {
 *   @Override
 *   protected KeyStore store() {
 *     return new MyStore(database);
 *   }
 * }
 * }</pre>
 *
 * <p>The two hooks that have a default make more of the rules testable; the tests that need them
 * are reported as skipped until they are overridden.
 */
public abstract class KeyStoreContract extends TextRules {

  /** For subclasses. */
  protected KeyStoreContract() {}

  /**
   * Returns the store under test. Called twice before each test; the two are two nodes on the same
   * data: what one writes, the other must see. A store that holds its data in itself, in memory,
   * must therefore be the same object both times: return a field of the test class, not {@code new
   * MyStore()}. A field that is not static gives each test a store of its own, a static one is
   * shared by all tests; both are fine.
   *
   * <p>There may be data in it, of other tests or of earlier runs. The tests leave theirs behind,
   * and purge what they find.
   *
   * @return a store
   */
  @Override
  protected abstract KeyStore store();

  /**
   * How many statements or other round trips the stores that {@link #store()} returned have made up
   * to now. With it, rules L2 and Q3 are tested.
   *
   * @return the count, or empty (the default) if nobody counts
   */
  protected OptionalLong statements() {
    return OptionalLong.empty();
  }

  /**
   * Returns one more store on the same data, whose connection is lost after some statements: so
   * many work, each one after that fails, and so does a commit. With it, rules G5 and G6 are tested
   * at every place at which a write may fail.
   *
   * @param statements how many statements still work, from 0
   * @return a store, or empty (the default) if failures cannot be made
   */
  protected Optional<KeyStore> failingStore(int statements) {
    return Optional.empty();
  }

  @Test
  void g5_illegal_arguments_are_refused_and_change_nothing() {
    KeyRecord record = sample.record().build();
    KeyWrite write = sample.write(record);
    List<KeyWrite> none = List.of();
    KeyRecord sameOwner = sample.record(record.owner()).build();
    String operationId = write.entry().operationId();

    assertRefused("an empty list", () -> store.insert(none, NO_MAXIMUM));
    assertRefused("a maximum of 0", () -> store.insert(List.of(write), 0));
    assertRefused("a key twice", () -> insertBoth(write, sample.write(record)));
    assertRefused(
        "an operation id twice", () -> insertBoth(write, sample.write(sameOwner, operationId)));
    assertRefused(
        "revision 2", () -> store.insert(List.of(sample.write(sample.next(record))), NO_MAXIMUM));
    assertRefused(
        "two owners under one maximum",
        () -> store.insert(List.of(write, sample.write(sample.record().build())), 5));
    assertRefused("a page of 0", () -> store.list(KeyFilter.all(), null, 0));
    assertRefused("a page of 1001", () -> store.list(KeyFilter.all(), null, 1001));
    assertRefused("a page of 0", () -> store.audit(AuditFilter.all(), 0, 0));
    assertRefused("a page of 1001", () -> store.audit(AuditFilter.all(), 0, 1001));
    assertRefused("a page after -1", () -> store.audit(AuditFilter.all(), -1, 10));
    assertRefused("0 notices", () -> store.changesSince(ChangeCursor.after(0), 0));
    assertRefused("10001 notices", () -> store.changesSince(ChangeCursor.after(0), 10_001));

    assertThat(other.find(record.id())).as("G5: a refused call must change nothing").isEmpty();
    assertThat(trail(record.owner())).as("G5: a refused call must change nothing").isEmpty();
  }

  private void insertBoth(KeyWrite one, KeyWrite two) {
    store.insert(List.of(one, two), NO_MAXIMUM);
  }

  private static void assertRefused(String what, ThrowingCallable call) {
    assertThat(catchThrowable(call))
        .as("G5: " + what + " must be refused")
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void g5_a_failing_store_throws_store_exceptions_that_hold_no_stored_value() {
    KeyStore failing = requireFailing(0);
    KeyRecord record = given(sample.full(sample.id(), sample.name("owner")));
    KeyWrite write = sample.write(sample.next(record));
    List<ThrowingCallable> calls =
        List.of(
            () -> failing.insert(List.of(sample.write(sample.record(record.owner()).build())), 9),
            () -> failing.find(record.id()),
            () -> failing.load(record.id()),
            () -> failing.replace(write),
            () -> failing.list(ofOwner(record.owner()), null, 10),
            () -> failing.recordUse(List.of(used(record, 7, 1, 1))),
            () -> failing.changesSince(ChangeCursor.after(0), 10),
            () -> failing.audit(AuditFilter.ofOwner(record.owner()), 0, 10),
            () -> failing.purge(new Purge(List.of(sample.write(record)), null, null, 1)));

    for (ThrowingCallable call : calls) {
      Throwable thrown = catchThrowable(call);
      assertThat(thrown)
          .as("G5: a failing store must throw StoreException and no other exception")
          .isInstanceOf(StoreException.class);
      assertThat(thrown.getMessage())
          .as("G5: a message may hold no stored value")
          .doesNotContain(record.owner(), record.id(), write.entry().operationId())
          .doesNotContain(record.newest().hash(), record.name());
    }
    assertThat(other.load(record.id())).contains(record);
  }

  private KeyStore requireFailing(int statements) {
    Optional<KeyStore> failing = failingStore(statements);
    assumeTrue(failing.isPresent(), "failingStore() is not overridden");
    return failing.orElseThrow();
  }

  @Test
  void g6_an_insert_that_fails_anywhere_has_changed_nothing() {
    List<KeyRecord> records = new ArrayList<>();
    String owner = sample.name("owner");
    for (int i = 0; i < 3; i++) {
      records.add(sample.full(sample.id(), owner));
    }
    List<KeyWrite> writes = sample.writes(records);

    assertFailsCleanly(
        store -> assertThat(store.insert(writes, 3)).isEqualTo(WriteOutcome.APPLIED),
        () -> listed(ofOwner(owner)).isEmpty() && trail(owner).isEmpty(),
        () -> listed(ofOwner(owner)).size() == 3 && trail(owner).size() == 3);
  }

  @Test
  void g6_a_replacement_that_fails_anywhere_has_changed_nothing() {
    KeyRecord first = given(sample.full(sample.id(), sample.name("owner")));
    KeyRecord second = sample.next(first).toBuilder().versions(List.of(Sample.version(9))).build();
    KeyWrite write = sample.write(second);

    assertFailsCleanly(
        store -> assertThat(store.replace(write)).isEqualTo(WriteOutcome.APPLIED),
        () ->
            other.load(first.id()).equals(Optional.of(first)) && trailOfKey(first.id()).size() == 1,
        () ->
            other.load(first.id()).equals(Optional.of(second))
                && trailOfKey(first.id()).size() == 2);
  }

  @Test
  void g6_a_purge_that_fails_anywhere_leaves_each_key_whole_or_gone() {
    KeyRecord record = given(sample.full(sample.id(), sample.name("owner")));
    KeyWrite removal = sample.write(record);

    assertFailsCleanly(
        store ->
            assertThat(store.purge(new Purge(List.of(removal), null, null, 1)).keys()).isEqualTo(1),
        () ->
            other.load(record.id()).equals(Optional.of(record))
                && trailOfKey(record.id()).size() == 1,
        () -> other.load(record.id()).isEmpty() && trailOfKey(record.id()).size() == 2);
  }

  /** Lets a write fail after 0, 1, 2 ... statements, until it goes through. */
  private void assertFailsCleanly(Consumer<KeyStore> write, State before, State after) {
    int failures = 0;
    while (!after.holds()) {
      KeyStore failing = requireFailing(failures);
      Feed feed = new Feed(other);
      try {
        write.accept(failing);
        assertThat(after.holds()).as("G6: a write that did not fail must be stored").isTrue();
      } catch (StoreException e) {
        failures++;
        boolean unchanged = before.holds() && feed.poll().isEmpty();
        boolean unknown = e.kind() == StoreException.Kind.OUTCOME_UNKNOWN;
        assertThat(unchanged || (unknown && after.holds()))
            .as("G6: nothing may have changed after a failure at statement %d", failures)
            .isTrue();
      }
    }
    assertThat(failures).as("places at which the write was made to fail").isPositive();
  }

  private interface State {
    boolean holds();
  }

  @Test
  void g7_a_store_reads_no_clock() {
    Instant past = Instant.parse("1975-06-01T00:00:00Z");
    Instant future = Instant.parse("2200-06-01T00:00:00Z");
    store.purge(new Purge(List.of(), past.plusMillis(1), past.plusMillis(1), 100_000));
    for (Instant at : List.of(past, future)) {
      String owner = sample.name("owner");
      KeyRecord ended = sample.record(owner).endsAt(at).build();
      KeyRecord live = sample.record(owner).endsAt(at.plusMillis(1)).build();
      KeyRecord more = sample.record(owner).endsAt(at.plusMillis(1)).build();
      given(List.of(ended));

      assertThat(insertAt(live, 1, at))
          .as("G7: what has ended at the time of the entry must not count, whatever the clock says")
          .isEqualTo(WriteOutcome.APPLIED);
      assertThat(insertAt(more, 1, at))
          .as("G7: what is live at the time of the entry must count, whatever the clock says")
          .isEqualTo(WriteOutcome.OWNER_FULL);
    }
    Purge earlier = new Purge(List.of(), past, past, 100_000);
    store.purge(earlier);
    assertThat(store.purge(earlier))
        .as("G7: age must be told by the times that came in")
        .isEqualTo(new Purge.Result(0, 0, 0));
    assertThat(store.purge(new Purge(List.of(), past.plusMillis(1), past.plusMillis(1), 100_000)))
        .as("G7: age must be told by the times that came in")
        .isEqualTo(new Purge.Result(0, 1, 1));
  }

  private WriteOutcome insertAt(KeyRecord record, int ownerMaximum, Instant at) {
    return store.insert(List.of(Sample.write(record, sample.name("op"), at)), ownerMaximum);
  }

  @Test
  void l2_load_is_one_round_trip() {
    KeyRecord full = given(sample.full(sample.id(), sample.name("owner")));
    other.load(full.id());

    long before = requireStatements();
    other.load(full.id());
    assertThat(requireStatements() - before)
        .as("L2: load must be one round trip")
        .isLessThanOrEqualTo(1);
  }

  @Test
  void q3_a_page_costs_the_same_number_of_statements_however_many_keys_it_holds() {
    String owner = sample.name("owner");
    List<KeyRecord> records = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      records.add(sample.full(sample.id(), owner));
    }
    given(records);
    other.list(ofOwner(owner), null, 1);

    assertThat(statementsOfPage(owner, 50))
        .as("Q3: a page of 50 keys must cost no more statements than a page of 2")
        .isEqualTo(statementsOfPage(owner, 2));
  }

  private long statementsOfPage(String owner, int limit) {
    long before = requireStatements();
    assertThat(other.list(ofOwner(owner), null, limit)).hasSize(limit);
    return requireStatements() - before;
  }

  private long requireStatements() {
    OptionalLong statements = statements();
    assumeTrue(statements.isPresent(), "statements() is not overridden");
    return statements.orElseThrow();
  }

  @Test
  void t1_without_a_transaction_an_action_runs_at_once_on_the_calling_thread() {
    List<Thread> ran = new ArrayList<>();

    store.afterCommit(() -> ran.add(Thread.currentThread()));

    assertThat(ran)
        .as("T1: without a transaction an action must run at once, on the calling thread")
        .containsExactly(Thread.currentThread());
  }
}
