package io.keystile.benchmarks;

import io.keystile.benchmarks.Results.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for rows that have become slower: compares the ratios to the floor of two runs, which hold
 * on another machine too. A row counts as slower only if the lowest and the median of its
 * iterations both are: noise raises the median of a run, and seldom the lowest of it.
 *
 * <pre>{@code
 * java -cp benchmarks.jar io.keystile.benchmarks.Compare committed.json new.json
 * }</pre>
 */
public final class Compare {
  /** By how much a ratio may rise: less than this is seen between two runs of the same code. */
  static final double TOLERANCE = 0.25;

  /** Below this, a row is the clock of the profiler and the loop of JMH. */
  private static final double LEAST = 0.05;

  private Compare() {}

  /**
   * A row in both runs.
   *
   * @param id of the row
   * @param before as a multiple of the floor of that run
   * @param after the same of this run
   */
  record Change(String id, Figure before, Figure after) {

    /** How much more it is now. */
    Figure factor() {
      return after.over(before);
    }

    /** Whether it became slower for sure. */
    boolean isSlower(double tolerance) {
      Figure factor = factor();
      boolean isSmall = after.median() < LEAST;
      return !isSmall && factor.lowest() > 1 + tolerance && factor.median() > 1 + tolerance;
    }
  }

  /**
   * The rows that both have, but for the floor.
   *
   * @param before a run
   * @param after a later one
   * @return their ratios
   */
  static List<Change> changes(Results before, Results after) {
    List<Change> changes = new ArrayList<>();
    for (Row now : after.rows()) {
      if (now.name().equals(Results.FLOOR)) {
        continue;
      }
      Optional<Row> then =
          before.rows().stream().filter(row -> row.id().equals(now.id())).findFirst();
      Optional<Figure> old = then.flatMap(row -> ratio(before, row));
      Optional<Figure> fresh = ratio(after, now);
      if (old.isPresent() && fresh.isPresent()) {
        changes.add(new Change(now.id(), old.get(), fresh.get()));
      }
    }
    return changes;
  }

  private static Optional<Figure> ratio(Results results, Row row) {
    return results.floorOf(row).map(floor -> row.nanos().over(floor.nanos()));
  }

  /** The changes in Markdown, those that are slower marked. */
  static String table(List<Change> changes, double tolerance) {
    StringBuilder table =
        new StringBuilder("| | x B before | x B now | factor | |\n|---|---:|---:|---:|---|\n");
    for (Change change : changes) {
      table.append(
          "| %s | %s | %s | %s | %s |%n"
              .formatted(
                  change.id(),
                  Report.ratio(change.before()),
                  Report.ratio(change.after()),
                  Report.ratio(change.factor()),
                  change.isSlower(tolerance) ? "**slower**" : ""));
    }
    return table.toString();
  }

  /**
   * Compares two files. Ends with status 1 if a row became slower, and with 2 if nothing can be
   * compared.
   *
   * @param args the committed results, new ones, and a tolerance if it is not 0.25
   * @throws IOException if a file cannot be read
   */
  public static void main(String[] args) throws IOException {
    if (args.length < 2 || args.length > 3) {
      System.err.println("Usage: Compare <committed.json> <new.json> [tolerance]");
      System.exit(2);
    }
    double tolerance = args.length == 3 ? Double.parseDouble(args[2]) : TOLERANCE;
    List<Change> changes = changes(Results.read(Path.of(args[0])), Results.read(Path.of(args[1])));
    System.out.println(table(changes, tolerance));
    long slower = changes.stream().filter(change -> change.isSlower(tolerance)).count();
    System.out.printf(
        "%d of %d rows became slower by more than %.0f %%.%n",
        slower, changes.size(), 100 * tolerance);
    if (slower > 0 || changes.isEmpty()) {
      System.exit(slower > 0 ? 1 : 2);
    }
  }
}
