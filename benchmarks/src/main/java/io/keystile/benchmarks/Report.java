package io.keystile.benchmarks;

import io.keystile.benchmarks.Results.Row;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Writes results in Markdown. */
final class Report {
  private Report() {}

  /**
   * All of a report.
   *
   * @param title its heading
   * @param facts lines that say where, when and how this was measured
   * @param results what was measured
   * @return Markdown
   */
  static String of(String title, List<String> facts, Results results) {
    StringBuilder text = new StringBuilder("# ").append(title).append("\n\n");
    facts.forEach(fact -> text.append("- ").append(fact).append('\n'));
    text.append(
        """

        Ratios of CPU time per operation, lowest / median over all iterations of all forks. A target
        is met when both are within it. How to read them: [benchmarks](../../docs/benchmarks.md).

        ## Targets

        """);
    text.append(targets(results));
    text.append("\n## All rows\n\n");
    results.find(Results.Which.named(Results.FLOOR)).ifPresent(floor -> text.append(floor(floor)));
    return text.append(rows(results)).toString();
  }

  /** The targets, and what was reached of them. */
  static String targets(Results results) {
    StringBuilder table =
        new StringBuilder("| | Target | Stretch | Reached | Met |\n|---|---:|---:|---:|---|\n");
    for (Target target : Target.ALL) {
      Optional<Figure> reached = target.reached(results);
      table.append(
          "| %s | %s | %s | %s | %s |%n"
              .formatted(
                  target.what(),
                  bound(target, target.bound()),
                  bound(target, target.stretch()),
                  reached.map(f -> target.isBytes() ? bytes(f) : ratio(f)).orElse("not measured"),
                  reached.map(f -> met(target, f)).orElse("")));
    }
    return table.toString();
  }

  private static String met(Target target, Figure reached) {
    if (reached.isWithin(target.stretch())) {
      return "yes, stretch";
    }
    return reached.isWithin(target.bound()) ? "yes" : "**no**";
  }

  private static String bound(Target target, double bound) {
    return target.isBytes() ? "%.0f B".formatted(Math.floor(bound)) : number(bound);
  }

  private static String floor(Row floor) {
    return "B is `%s`: %s / %s ns here.%n%n"
        .formatted(Results.FLOOR, number(floor.nanos().lowest()), number(floor.nanos().median()));
  }

  /** Each row as a multiple of the floor of its population. */
  static String rows(Results results) {
    StringBuilder table = new StringBuilder("| | x B | B/op |\n|---|---:|---:|\n");
    for (Row row : results.rows()) {
      String ratio =
          results.floorOf(row).map(floor -> ratio(row.nanos().over(floor.nanos()))).orElse("");
      Figure bytes = row.bytes();
      table.append(
          "| %s | %s | %s |%n".formatted(row.id(), ratio, bytes == null ? "" : bytes(bytes)));
    }
    return table.toString();
  }

  static String ratio(Figure figure) {
    return number(figure.lowest()) + " / " + number(figure.median());
  }

  private static String bytes(Figure figure) {
    return "%.0f / %.0f".formatted(figure.lowest(), figure.median());
  }

  /** Three digits that say something. */
  static String number(double number) {
    double size = Math.abs(number);
    String format = size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.4f";
    return String.format(Locale.ROOT, format, number);
  }
}
