package io.keystile.benchmarks;

import static io.keystile.benchmarks.Results.Which.named;

import io.keystile.benchmarks.Results.Row;
import io.keystile.benchmarks.Results.Which;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the library is to reach: a row as a multiple of another of the same run, or the bytes that
 * an operation of it allocates.
 *
 * @param what in words
 * @param row the row
 * @param bases the rows it is told as a multiple of, of which the fastest counts; none for bytes
 * @param bound what lowest and median must both be within
 * @param stretch what would be better still
 */
record Target(String what, Which row, List<Which> bases, double bound, double stretch) {
  private static final Which FLOOR = named(Results.FLOOR, "population", "1000", "zipf", "0.99");
  private static final String[] MILLION = {"population", "1000000", "zipf", "0.99"};

  /** JMH counts what its own threads allocate too, over all operations of an iteration. */
  private static final double NO_BYTES = 0.5;

  /** All of them. */
  static final List<Target> ALL =
      List.of(
          ratio("accepted, no limits", validation("accepted"), FLOOR, 2.5, 2),
          ratio("accepted with four windows", validation("acceptedWithLimits"), FLOOR, 3, 2.3),
          ratio(
              "the same, of Caffeine + Bucket4j",
              validation("acceptedWithLimits"),
              named("PeerBenchmark.caffeineBucket4j", "population", "1000"),
              0.6,
              0.5),
          ratio(
              "with a pepper, of the same without",
              named("ValidationBenchmark.accepted", "population", "1000", "pepper", "true"),
              validation("accepted"),
              1.05,
              1),
          bytes("bytes of an accepted validation", validation("accepted"), 32, NO_BYTES),
          bytes("the same with four windows", validation("acceptedWithLimits"), 32, NO_BYTES),
          ratio("malformed", validation("malformed"), FLOOR, 0.5, 0.2),
          bytes("bytes of malformed", validation("malformed"), NO_BYTES, NO_BYTES),
          ratio("bad checksum", validation("badChecksum"), FLOOR, 0.75, 0.4),
          bytes("bytes of bad checksum", validation("badChecksum"), NO_BYTES, NO_BYTES),
          ratio("unknown id, no id key", validation("unknown"), FLOOR, 2.5, 2),
          bytes("bytes of unknown id", validation("unknown"), NO_BYTES, NO_BYTES),
          ratio("forged id, id key set", validation("forgedId"), FLOOR, 3.5, 2.5),
          bytes("bytes of forged id", validation("forgedId"), NO_BYTES, NO_BYTES),
          ratio(
              "four windows alone, of one clock read",
              named("LimiterBenchmark.fourWindows"),
              named("LimiterBenchmark.clock"),
              1.6,
              1.3),
          new Target(
              "the same, moving clock, of the better Bucket4j",
              named("LimiterBenchmark.fourWindowsMovingClock"),
              List.of(
                  named("LimiterBenchmark.bucket4jLockFreeMovingClock"),
                  named("LimiterBenchmark.bucket4jSynchronizedMovingClock")),
              0.75,
              0.6),
          ratio(
              "a million keys, accepted with limits",
              named("ValidationBenchmark.acceptedWithLimits", MILLION),
              named(Results.FLOOR, MILLION),
              4,
              3),
          ratio(
              "the same, of plain Caffeine",
              named("ValidationBenchmark.acceptedWithLimits", MILLION),
              named("PeerBenchmark.caffeineSha256", MILLION),
              0.6,
              0.6),
          ratio(
              "two threads on different keys, of one",
              named("ThreadsBenchmark.acceptedOwnKeys").threads(2),
              named("ThreadsBenchmark.acceptedOwnKeys"),
              1.15,
              1.05),
          ratio(
              "text of a token, of a UUID's",
              named("GenerationBenchmark.issueToken"),
              named("GenerationBenchmark.uuidString"),
              2.5,
              2),
          ratio(
              "accepted, of tutorial code with SELECT + UPDATE",
              validation("accepted"),
              named("PeerBenchmark.tutorialH2SelectUpdate"),
              1 / 100.0,
              1 / 150.0));

  private static Which validation(String method) {
    return named(
        "ValidationBenchmark." + method,
        "population",
        "1000",
        "zipf",
        "0.99",
        "pepper",
        "false",
        "clock",
        "system");
  }

  private static Target ratio(String what, Which row, Which base, double bound, double stretch) {
    return new Target(what, row, List.of(base), bound, stretch);
  }

  private static Target bytes(String what, Which row, double bound, double stretch) {
    return new Target(what, row, List.of(), bound, stretch);
  }

  /** Whether this is about bytes. */
  boolean isBytes() {
    return bases.isEmpty();
  }

  /** What was reached, or empty if a row is missing. */
  Optional<Figure> reached(Results results) {
    Optional<Row> measured = results.find(row);
    if (isBytes()) {
      return measured.map(Row::bytes);
    }
    Optional<Row> base =
        bases.stream()
            .flatMap(which -> results.find(which).stream())
            .min(Comparator.comparingDouble(found -> found.nanos().lowest()));
    return measured.flatMap(m -> base.map(b -> m.nanos().over(b.nanos())));
  }
}
