package io.keystile.limit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/**
 * Whatever two threads do to one cell, or to one key of a limiter, comes out as if they had done it
 * one after the other: all interleavings of small scenarios, with limits of two and three.
 *
 * <p>The clock is an argument where the cell is looked at, so that calls may come with an older
 * time than others; at the limiter it is moved by an operation.
 */
class CellLincheckTest {
  private static final int ITERATIONS = Integer.getInteger("keystile.lincheck.iterations", 6);

  /** At most: they end at the first counter-example, as a rule in the first scenarios. */
  private static final int TWIN_ITERATIONS = 100;

  /** Two of them are longer than the first window, four longer than the second. */
  private static final int STEP = 60;

  private static final Window SHORT = new Window(2, Duration.ofMillis(100));
  private static final Window LONG = new Window(3, Duration.ofMillis(200));
  private static final Plan PLAN = Plan.of("small", SHORT, LONG);
  private static final Plan LOWER = Plan.of("lower", new Window(1, SHORT.length()), LONG);

  private static final Plan QUOTA =
      Plan.of("quota", SHORT).quota("bytes", new Window(2, Duration.ofMillis(100)));

  @Test
  void what_is_done_to_a_cell_has_an_order() {
    options(ITERATIONS, 100).check(RealCell.class);
  }

  /** Found in a campaign: a refusal that had read half of one layout and half of another. */
  @Test
  void a_refusal_is_of_one_layout() throws Exception {
    ExecutionScenario scenario =
        new ExecutionScenario(
            List.of(call("take", 2)),
            List.of(List.of(call("takeOfLower", 3)), List.of(call("take", 3))),
            List.of(),
            null);
    options(0, 300).addCustomScenario(scenario).check(RealCell.class);
  }

  private static Actor call(String operation, int time) throws Exception {
    return new Actor(RealCell.class.getMethod(operation, int.class), List.of(time));
  }

  @Test
  void what_is_charged_to_a_cell_has_an_order() {
    options(ITERATIONS, 100).check(ChargedCell.class);
  }

  @Test
  void what_is_done_to_a_key_has_an_order() {
    options(Math.max(1, ITERATIONS / 3), 50).check(RealKey.class); // each is a long one
  }

  @Test
  void a_word_without_a_version_is_caught() {
    assertIsCaught(WordWithoutVersion.class);
  }

  @Test
  void a_key_that_is_looked_at_before_it_is_taken_from_is_caught() {
    assertIsCaught(CheckThenAct.class);
  }

  @Test
  void a_key_that_is_dropped_with_what_was_taken_is_caught() {
    assertIsCaught(DropsWithoutClosing.class);
  }

  private static void assertIsCaught(Class<?> twin) {
    assertThatThrownBy(() -> options(TWIN_ITERATIONS, 300).check(twin))
        .isInstanceOf(LincheckAssertionError.class);
  }

  private static ModelCheckingOptions options(int iterations, int invocations) {
    return new ModelCheckingOptions()
        .iterations(iterations)
        .invocationsPerIteration(invocations)
        .threads(2)
        .actorsPerThread(2)
        .actorsBefore(0)
        .actorsAfter(1);
  }

  /** One cell, all that can be done to it, and calls of another plan. */
  @Param(name = "time", gen = IntGen.class, conf = "0:4")
  public static final class RealCell {
    private final Layout layout = PLAN.requestLayout();
    private final Layout lower = LOWER.requestLayout();
    private final Cell cell = new Cell(layout, 0, null);

    @Operation
    public String take(@Param(name = "time") int time) {
      return cell.take(layout, time * STEP, 1).name();
    }

    @Operation
    public String takeTwo(@Param(name = "time") int time) {
      return decide(time, 2, true);
    }

    @Operation
    public String takeOfLower(@Param(name = "time") int time) {
      return cell.take(lower, time * STEP, 1).name();
    }

    @Operation
    public String peek(@Param(name = "time") int time) {
      return decide(time, 1, false);
    }

    private String decide(int time, int cost, boolean take) {
      Reading reading = new Reading(layout);
      Cell.Outcome outcome = cell.decide(layout, time * STEP, cost, take, reading);
      return outcome + " " + Arrays.toString(reading.used) + Arrays.toString(reading.waits);
    }

    @Operation
    public boolean reset(@Param(name = "time") int time) {
      return cell.reset(time * STEP);
    }

    @Operation
    public boolean closeIfEnded(@Param(name = "time") int time) {
      return cell.closeIfEnded(time * STEP, Long.MAX_VALUE);
    }
  }

  /** A cell that is looked at before, and charged after. */
  @Param(name = "time", gen = IntGen.class, conf = "0:2")
  public static final class ChargedCell {
    private final Layout layout = Layout.ofUnits("bytes", List.of(SHORT), 9);
    private final Cell cell = new Cell(layout, 0, null);

    @Operation
    public String look(@Param(name = "time") int time) {
      return cell.look(layout, time * STEP).name();
    }

    @Operation
    public boolean charge(@Param(name = "time") int time) {
      return cell.charge(layout, time * STEP, 2);
    }
  }

  /** One key of something that limits. */
  public abstract static class Key {
    private final AtomicLong millis = new AtomicLong();

    long nanos() {
      return millis.get() * 1_000_000;
    }

    abstract boolean tryAcquire();

    abstract int drop();

    @Operation
    public boolean take() {
      return tryAcquire();
    }

    @Operation
    public void advance() {
      millis.addAndGet(STEP);
    }

    @Operation
    public int sweep() {
      return drop();
    }
  }

  public static final class RealKey extends Key {
    private final Limiter<String> limiter =
        Limiter.builder(QUOTA).maxKeys(2).ticker(this::nanos).build();
    private final Meter kept = limiter.meter("key");

    @Override
    boolean tryAcquire() {
      return limiter.tryAcquire("key");
    }

    @Operation
    public boolean takeByMeter() {
      return kept.tryAcquire();
    }

    @Operation
    public void charge() {
      kept.charge("bytes", 1);
    }

    @Operation
    public void reset() {
      limiter.reset("key");
    }

    @Override
    int drop() {
      limiter.sweep();
      return 0; // which of two sweeps drops it is not told, nor whether a new key did
    }
  }

  /** The word has a mark and a count; without a version, what was read before is taken for new. */
  public static final class WordWithoutVersion extends Key {
    private static final long LOCKED = Long.MIN_VALUE;

    private final AtomicLong word = new AtomicLong();
    private volatile boolean closed;
    private volatile long ceiling = 1;

    @Override
    boolean tryAcquire() {
      while (true) {
        long seen = word.get();
        if (closed) {
          return false;
        }
        if (seen >= 0 && ceiling - seen < 1) {
          return false;
        }
        if (seen >= 0 && word.compareAndSet(seen, seen + 1)) {
          return true;
        }
        Thread.onSpinWait();
      }
    }

    @Override
    int drop() {
      while (true) {
        long seen = word.get();
        if (seen >= 0 && word.compareAndSet(seen, seen | LOCKED)) {
          closed |= seen == 0;
          word.set(seen);
          return closed ? 1 : 0;
        }
        Thread.onSpinWait();
      }
    }
  }

  public static final class CheckThenAct extends Key {
    private final AtomicLong taken = new AtomicLong();

    @Override
    boolean tryAcquire() {
      if (taken.get() >= 1) {
        return false;
      }
      taken.incrementAndGet();
      return true;
    }

    @Override
    int drop() {
      return 0;
    }
  }

  /** A count that is empty is dropped from the table, while somebody may still hold it. */
  public static final class DropsWithoutClosing extends Key {
    private volatile AtomicLong count = new AtomicLong();

    @Override
    boolean tryAcquire() {
      return count.compareAndSet(0, 1);
    }

    @Override
    int drop() {
      if (count.get() == 0) {
        count = new AtomicLong();
      }
      return 0;
    }
  }
}
