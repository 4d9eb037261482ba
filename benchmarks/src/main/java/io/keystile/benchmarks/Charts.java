package io.keystile.benchmarks;

import io.keystile.benchmarks.Results.Row;
import io.keystile.benchmarks.Results.Which;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Draws results. */
final class Charts {
  private static final String[] SAME = {"population", "1000", "zipf", "0.99"};

  private static final Pattern DIGITS = Pattern.compile("(\\d+\\.\\d\\d)\\d+");
  private static final Pattern SVG = Pattern.compile("<svg [^>]*>");

  private Charts() {}

  private record Bar(String label, Which row) {}

  private static Bar bar(String label, String row) {
    return new Bar(label, Which.named(row, SAME));
  }

  private static Bar validation(String label, String method) {
    String[] params = {"population", "1000", "zipf", "0.99", "pepper", "false", "clock", "system"};
    return new Bar(label, Which.named("ValidationBenchmark." + method, params));
  }

  /**
   * Draws each outcome of a validation, and accepted validations beside peers.
   *
   * @param results what was measured
   * @param folder where the charts go
   * @param suffix of their names
   * @throws IOException if they cannot be written
   */
  static void write(Results results, Path folder, String suffix) throws IOException {
    write(
        chart(
            "What a validation costs, in SHA-256 of the same token",
            results,
            List.of(
                bar("SHA-256", Results.FLOOR),
                validation("accepted", "accepted"),
                validation("with four windows", "acceptedWithLimits"),
                validation("with usage", "acceptedWithUsage"),
                validation("scopes, networks", "scopesAndNetworks"),
                validation("old secret", "graceOldSecret"),
                validation("refused by limits", "refusedByLimits"),
                validation("malformed", "malformed"),
                validation("bad checksum", "badChecksum"),
                validation("unknown", "unknown"),
                validation("forged id", "forgedId"),
                validation("wrong secret", "wrongSecret"),
                validation("revoked", "revoked"),
                validation("expired", "expired"))),
        folder.resolve("validation" + suffix));
    write(
        chart(
            "An accepted validation, in SHA-256 of the same token",
            results,
            List.of(
                bar("SHA-256", Results.FLOOR),
                validation("Keystile", "accepted"),
                validation("Keystile, four windows", "acceptedWithLimits"),
                bar("a map + SHA-256", "PeerBenchmark.chmSha256"),
                bar("Caffeine + SHA-256", "PeerBenchmark.caffeineSha256"),
                bar("Caffeine + Bucket4j", "PeerBenchmark.caffeineBucket4j"))),
        folder.resolve("peers" + suffix));
  }

  /** A chart of the rows that were measured. */
  private static CategoryChart chart(String title, Results results, List<Bar> bars) {
    List<String> labels = new ArrayList<>();
    List<Double> lowest = new ArrayList<>();
    List<Double> median = new ArrayList<>();
    for (Bar bar : bars) {
      for (Row row : results.find(bar.row()).stream().toList()) {
        for (Row floor : results.floorOf(row).stream().toList()) {
          Figure ratio = row.nanos().over(floor.nanos());
          labels.add(bar.label());
          lowest.add(ratio.lowest());
          median.add(ratio.median());
        }
      }
    }
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(900)
            .height(480)
            .title(title)
            .yAxisTitle("multiple of SHA-256 (CPU time)")
            .build();
    chart.getStyler().setXAxisLabelRotation(45).setLegendPosition(LegendPosition.InsideNE);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    if (!labels.isEmpty()) {
      chart.addSeries("lowest iteration", labels, lowest);
      chart.addSeries("median iteration", labels, median);
    }
    return chart;
  }

  private static void write(CategoryChart chart, Path file) throws IOException {
    if (chart.getSeriesMap().isEmpty()) {
      return;
    }
    VectorGraphicsEncoder.saveVectorGraphic(chart, file.toString(), VectorGraphicsFormat.SVG);
    // letters are drawn as outlines, of which two digits are enough; readers need a title in text
    String svg = DIGITS.matcher(Files.readString(file)).replaceAll("$1");
    String title = "<title>" + chart.getTitle() + "</title>";
    Files.writeString(file, SVG.matcher(svg).replaceFirst("$0" + title));
  }
}
