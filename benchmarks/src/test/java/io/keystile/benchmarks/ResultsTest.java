package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.keystile.benchmarks.Results.Row;
import io.keystile.benchmarks.Results.Which;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsTest {
  private static final String RUNS =
      """
      [
        {"benchmark": "io.keystile.benchmarks.FloorBenchmark.sha256", "jvm": "/somewhere/bin/java",
         "mode": "avgt", "threads": 1, "params": {"population": "1000", "zipf": "0.99"},
         "primaryMetric": {"scoreUnit": "ns/op", "rawData": [[90, 80], [700, 85]]},
         "secondaryMetrics": {
           "cpu": {"scoreUnit": "ns/op", "rawData": [[60, 64], [62, 70]]},
           "gc.alloc.rate.norm": {"scoreUnit": "B/op", "rawData": [[0.01, 0.02], [0.01, 0.03]]}}},
        {"benchmark": "io.keystile.benchmarks.FloorBenchmark.sha256",
         "mode": "avgt", "threads": 1, "params": {"population": "1000000", "zipf": "0.99"},
         "primaryMetric": {"scoreUnit": "ns/op", "rawData": [[200]]},
         "secondaryMetrics": {"cpu": {"scoreUnit": "ns/op", "rawData": [[180]]}}},
        {"benchmark": "io.keystile.benchmarks.ValidationBenchmark.accepted",
         "mode": "avgt", "threads": 1,
         "params": {"population": "1000", "zipf": "0.99", "pepper": "false", "clock": "system"},
         "primaryMetric": {"scoreUnit": "ns/op", "rawData": [[150, 150]]},
         "secondaryMetrics": {
           "cpu": {"scoreUnit": "ns/op", "rawData": [[120, 126]]},
           "gc.alloc.rate.norm": {"scoreUnit": "B/op", "rawData": [[32, 32]]}}},
        {"benchmark": "io.keystile.benchmarks.JdbcBenchmark.load",
         "mode": "avgt", "threads": 2, "params": {"database": "h2"},
         "primaryMetric": {"scoreUnit": "us/op", "rawData": [[12]]}}
      ]
      """;

  private static Results results() throws IOException {
    return Results.of(new ObjectMapper().readTree(RUNS));
  }

  @Test
  void lowest_and_median_are_those_of_all_iterations_of_all_forks() throws IOException {
    Row floor = results().rows().get(0);

    assertThat(floor.name()).isEqualTo(Results.FLOOR);
    assertThat(floor.nanos()).isEqualTo(new Figure(60, 63));
    assertThat(floor.bytes().median()).isEqualTo(0.015, within(1e-9));
  }

  @Test
  void without_cpu_time_the_wall_clock_counts_in_its_unit() throws IOException {
    Row load = results().rows().get(3);

    assertThat(load.nanos()).isEqualTo(new Figure(12_000, 12_000));
    assertThat(load.bytes()).isNull();
    assertThat(load.id()).isEqualTo("JdbcBenchmark.load database=h2 threads=2");
  }

  @Test
  void the_floor_of_a_row_is_that_of_its_population() throws IOException {
    Results results = results();
    Row accepted = results.find(Which.named("ValidationBenchmark.accepted")).orElseThrow();

    Figure ratio = accepted.nanos().over(results.floorOf(accepted).orElseThrow().nanos());

    assertThat(ratio.lowest()).isEqualTo(2);
    assertThat(ratio.median()).isCloseTo(123 / 63.0, within(1e-9));
    assertThat(results.find(Which.named(Results.FLOOR, "population", "1000000"))).isPresent();
    assertThat(results.find(Which.named(Results.FLOOR).threads(2))).isEmpty();
  }

  @Test
  void the_report_says_what_was_met_and_what_was_not_measured() throws IOException {
    String report = Report.of("A run", List.of("Java: 17"), results());

    assertThat(report)
        .contains("| accepted, no limits | 2.50 | 2.00 | 2.00 / 1.95 | yes, stretch |")
        .contains("| bytes of an accepted validation | 32 B | 0 B | 32 / 32 | yes |")
        .contains("| malformed | 0.50 | 0.20 | not measured |  |")
        .contains("`FloorBenchmark.sha256`: 60.0 / 63.0 ns")
        .contains("| ValidationBenchmark.accepted clock=system pepper=false population=1000")
        .contains("- Java: 17");
  }

  @Test
  void what_is_kept_does_not_name_the_place_of_java(@TempDir Path folder) throws IOException {
    Path raw = Files.writeString(folder.resolve("raw.json"), RUNS);
    Path kept = folder.resolve("kept.json");

    Results.strip(raw, kept);

    assertThat(Files.readString(kept)).doesNotContain("somewhere");
    assertThat(Results.read(kept)).isEqualTo(results());
  }

  @Test
  void charts_hold_the_rows_that_were_measured(@TempDir Path folder) throws IOException {
    Charts.write(results(), folder, "-test.svg");

    String validation = Files.readString(folder.resolve("validation-test.svg"));
    String peers = Files.readString(folder.resolve("peers-test.svg"));
    assertThat(validation).contains("<svg").contains("<path").contains("<title>What");
    assertThat(peers).contains("<svg").isNotEqualTo(validation);
  }
}
