package io.keystile.limit;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** Two threads at one cell, as the memory model has it. 1 is taken, 0 refused, -1 closed. */
final class CellStress {
  private static final Layout ONE = permits(1);
  private static final Layout TWO = permits(2);
  private static final Layout BYTES =
      Layout.ofUnits("bytes", List.of(new Window(2, Duration.ofMillis(100))), 9);

  /** The first tick at which what was taken at 0 has left. */
  private static final long LATER = 101;

  private CellStress() {}

  private static Layout permits(long limit) {
    Window other = new Window(2 * limit, Duration.ofSeconds(1));
    return Layout.ofPermits(List.of(new Window(limit, Duration.ofMillis(100)), other), 9);
  }

  private static int number(Cell.Outcome outcome) {
    return switch (outcome) {
      case TAKEN -> 1;
      case REFUSED -> 0;
      case CLOSED -> -1;
    };
  }

  @JCStressTest
  @Outcome(id = "1, 0, 0", expect = ACCEPTABLE, desc = "the first takes it")
  @Outcome(id = "0, 1, 0", expect = ACCEPTABLE, desc = "the second takes it")
  @Outcome(expect = FORBIDDEN, desc = "both, none, or one is left")
  @State
  public static class TakeStress {
    private final Cell cell = new Cell(ONE, 0, null);

    @Actor
    public void first(III_Result r) {
      r.r1 = number(cell.take(ONE, 0, 1));
    }

    @Actor
    public void second(III_Result r) {
      r.r2 = number(cell.take(ONE, 0, 1));
    }

    @Arbiter
    public void left(III_Result r) {
      r.r3 = number(cell.take(ONE, 0, 1));
    }
  }

  @JCStressTest
  @Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "one in each window")
  @Outcome(id = "0, 1, 0", expect = ACCEPTABLE, desc = "the older call came too late")
  @Outcome(expect = FORBIDDEN, desc = "two in the later window, or none")
  @State
  public static class TakeWhileTimeGoesOnStress {
    private final Cell cell = new Cell(ONE, 0, null);

    @Actor
    public void early(III_Result r) {
      r.r1 = number(cell.take(ONE, 0, 1));
    }

    @Actor
    public void late(III_Result r) {
      r.r2 = number(cell.take(ONE, LATER, 1));
    }

    @Arbiter
    public void left(III_Result r) {
      r.r3 = number(cell.take(ONE, LATER, 1));
    }
  }

  @JCStressTest
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "taken, and so it stays")
  @Outcome(id = "-1, 1", expect = ACCEPTABLE, desc = "closed, and nothing taken")
  @Outcome(expect = FORBIDDEN, desc = "taken of what is dropped")
  @State
  public static class TakeWhileClosedStress {
    private final Cell cell = new Cell(ONE, 0, null);

    @Actor
    public void take(II_Result r) {
      r.r1 = number(cell.take(ONE, 0, 1));
    }

    @Actor
    public void close(II_Result r) {
      r.r2 = cell.closeIfEnded(0, Long.MAX_VALUE) ? 1 : 0;
    }
  }

  @JCStressTest
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "it is full all the time")
  @Outcome(expect = FORBIDDEN, desc = "room was seen where there was none")
  @State
  public static class LookWhileChargedStress {
    private final Cell cell = new Cell(BYTES, 0, null);

    public LookWhileChargedStress() {
      cell.charge(BYTES, 0, 2);
    }

    @Actor
    public void look(II_Result r) {
      r.r1 = number(cell.look(BYTES, 0));
    }

    @Actor
    public void charge() {
      cell.charge(BYTES, LATER, 2);
    }

    @Arbiter
    public void after(II_Result r) {
      r.r2 = number(cell.look(BYTES, LATER));
    }
  }

  @JCStressTest
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "each as its plan says")
  @Outcome(id = "0, 0", expect = ACCEPTABLE_INTERESTING, desc = "refused under the lower plan")
  @Outcome(expect = FORBIDDEN, desc = "taken above the lower limit")
  @State
  public static class TakeWhileLoweredStress {
    private final Cell cell = new Cell(TWO, 0, null);

    public TakeWhileLoweredStress() {
      cell.take(TWO, 0, 1);
    }

    @Actor
    public void higher(II_Result r) {
      r.r1 = number(cell.take(TWO, 0, 1));
    }

    @Actor
    public void lower(II_Result r) {
      r.r2 = number(cell.take(ONE, 0, 1));
    }
  }

  @JCStressTest
  @Outcome(
      id = {"1, 0", "0, 1"},
      expect = ACCEPTABLE,
      desc = "one is let in")
  @Outcome(expect = FORBIDDEN, desc = "both, or none")
  @State
  public static class FirstTouchStress {
    private final Limiter<String> limiter =
        Limiter.builder(Plan.of("one", Window.perDay(1))).maxKeys(1).ticker(() -> 0).build();

    @Actor
    public void first(II_Result r) {
      r.r1 = limiter.tryAcquire("key") ? 1 : 0;
    }

    @Actor
    public void second(II_Result r) {
      r.r2 = limiter.tryAcquire("key") ? 1 : 0;
    }
  }

  @JCStressTest
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "taken, and known after the sweep")
  @Outcome(expect = FORBIDDEN, desc = "forgotten, or refused although there is room")
  @State
  public static class TakeWhileSweptStress {
    private final Limiter<String> limiter =
        Limiter.builder(Plan.of("one", Window.perDay(1))).maxKeys(1).ticker(() -> 0).build();
    private final Meter meter = limiter.meter("key");

    public TakeWhileSweptStress() {
      meter.peek(1); // so that there is something to drop
    }

    @Actor
    public void take(II_Result r) {
      r.r1 = meter.tryAcquire() ? 1 : 0;
    }

    @Actor
    public void sweep() {
      limiter.sweep();
    }

    @Arbiter
    public void after(II_Result r) {
      r.r2 = limiter.tryAcquire("key") ? 1 : 0;
    }
  }

  /** Not among the others: it must fail. */
  @JCStressTest
  @Outcome(
      id = {"1, 0", "0, 1"},
      expect = ACCEPTABLE,
      desc = "one is let in")
  @Outcome(expect = FORBIDDEN, desc = "both")
  @State
  public static class LooksBeforeItTakesTwin {
    private volatile int taken;

    @Actor
    public void first(II_Result r) {
      r.r1 = take();
    }

    @Actor
    public void second(II_Result r) {
      r.r2 = take();
    }

    private int take() {
      if (taken > 0) {
        return 0;
      }
      taken = 1;
      return 1;
    }
  }
}
