package io.keystile.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The results of one run, as JMH writes them in JSON.
 *
 * @param rows one for each benchmark and set of parameters, in the order of the file
 */
record Results(List<Row> rows) {
  /** What each ratio is of, if nothing else is said. */
  static final String FLOOR = "FloorBenchmark.sha256";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * A row.
   *
   * @param name class and method
   * @param params its parameters
   * @param threads how many it ran with
   * @param nanos what an operation costs: CPU time of the workers, or wall time where that is
   *     unknown
   * @param bytes what an operation allocates; null if that was not measured
   */
  record Row(
      String name,
      SortedMap<String, String> params,
      int threads,
      Figure nanos,
      @Nullable Figure bytes) {

    /** Tells rows apart, within a run and from one run to the next. */
    String id() {
      StringBuilder id = new StringBuilder(name);
      params.forEach((param, value) -> id.append(' ').append(param).append('=').append(value));
      return threads == 1 ? id.toString() : id + " threads=" + threads;
    }
  }

  /**
   * Which row is meant.
   *
   * @param name class and method
   * @param params those that matter
   * @param threads how many it ran with
   */
  record Which(String name, Map<String, String> params, int threads) {
    static Which named(String name, String... params) {
      Map<String, String> all = new TreeMap<>();
      for (int i = 0; i < params.length; i += 2) {
        all.put(params[i], params[i + 1]);
      }
      return new Which(name, all, 1);
    }

    Which threads(int number) {
      return new Which(name, params, number);
    }

    private boolean is(Row row) {
      return row.name.equals(name)
          && row.threads == threads
          && row.params.entrySet().containsAll(params.entrySet());
    }
  }

  /** The first such row. */
  Optional<Row> find(Which which) {
    return rows.stream().filter(which::is).findFirst();
  }

  /**
   * The floor under a row: that of the same population and skew, or the first there is for rows
   * without tokens.
   */
  Optional<Row> floorOf(Row row) {
    Map<String, String> same = new TreeMap<>(row.params);
    same.keySet().retainAll(List.of("population", "zipf"));
    return find(new Which(FLOOR, same, 1));
  }

  /**
   * Reads a file of JMH's.
   *
   * @throws IOException if it cannot be read
   */
  static Results read(Path file) throws IOException {
    return of(JSON.readTree(file.toFile()));
  }

  /** Reads what JMH wrote. */
  static Results of(JsonNode runs) {
    List<Row> rows = new ArrayList<>();
    for (JsonNode run : runs) {
      rows.add(row(run));
    }
    return new Results(List.copyOf(rows));
  }

  private static Row row(JsonNode run) {
    String[] parts = run.get("benchmark").asText().split("\\.");
    SortedMap<String, String> params = new TreeMap<>();
    run.path("params").properties().forEach(e -> params.put(e.getKey(), e.getValue().asText()));
    JsonNode secondary = run.path("secondaryMetrics");
    JsonNode cpu = secondary.path(CpuProfiler.METRIC);
    JsonNode bytes = secondary.path("gc.alloc.rate.norm");
    return new Row(
        parts[parts.length - 2] + "." + parts[parts.length - 1],
        params,
        run.get("threads").asInt(),
        cpu.isMissingNode() ? figure(run.get("primaryMetric")) : figure(cpu),
        bytes.isMissingNode() ? null : figure(bytes));
  }

  private static Figure figure(JsonNode metric) {
    double scale =
        switch (metric.get("scoreUnit").asText()) {
          case "us/op" -> 1e3;
          case "ms/op" -> 1e6;
          case "s/op" -> 1e9;
          default -> 1;
        };
    List<Double> samples = new ArrayList<>();
    for (JsonNode fork : metric.get("rawData")) {
      fork.forEach(sample -> samples.add(sample.asDouble() * scale));
    }
    return Figure.of(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /**
   * Rewrites a file of JMH's without what only this machine knows: where its Java is.
   *
   * @throws IOException if it cannot be read or written
   */
  static void strip(Path from, Path to) throws IOException {
    JsonNode runs = JSON.readTree(from.toFile());
    for (JsonNode run : runs) {
      ((ObjectNode) run).put("jvm", "java");
    }
    JSON.writeValue(to.toFile(), runs);
  }
}
