package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.benchmarks.Results.Which;
import io.keystile.benchmarks.Standard.Part;
import io.keystile.benchmarks.Standard.Plan;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Benchmark;

class StandardTest {
  private static final List<Plan> PLANS = List.of(Standard.QUICK, Standard.STANDARD);

  private static boolean isBenchmark(String row) {
    String[] parts = row.split("\\.");
    try {
      Class<?> type = Class.forName("io.keystile.benchmarks." + parts[0]);
      return Stream.of(type.getMethods())
          .anyMatch(m -> m.getName().equals(parts[1]) && m.isAnnotationPresent(Benchmark.class));
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  @Test
  void sets_end_in_time() {
    PLANS.forEach(plan -> System.out.printf("%s: %.0f s%n", plan.name(), plan.seconds()));

    assertThat(Standard.QUICK.seconds()).isLessThan(3 * 60);
    assertThat(Standard.STANDARD.seconds()).isLessThan(15 * 60);
  }

  @Test
  void every_row_of_a_set_is_a_benchmark() {
    assertThat(PLANS)
        .allSatisfy(
            plan ->
                assertThat(plan.parts())
                    .flatExtracting(Part::rows)
                    .isNotEmpty()
                    .allMatch(StandardTest::isBenchmark));
  }

  @Test
  void every_target_is_measured_by_both_sets() {
    for (Plan plan : PLANS) {
      Set<String> measured =
          plan.parts().stream().flatMap(part -> part.rows().stream()).collect(Collectors.toSet());
      assertThat(Target.ALL)
          .allSatisfy(
              target -> {
                assertThat(measured).contains(target.row().name());
                assertThat(measured).containsAll(target.bases().stream().map(Which::name).toList());
              });
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ValidationBenchmark.accepted",
        "ValidationBenchmark.acceptedWithLimits",
        "ValidationBenchmark.malformed",
        "ValidationBenchmark.unknown",
        "LimiterBenchmark.fourWindows",
        "FloorBenchmark.sha256",
        "PeerBenchmark.caffeineBucket4j",
        "PeerBenchmark.bucket4jFourBandwidths",
        "GenerationBenchmark.issueToken",
        "GenerationBenchmark.uuidString"
      })
  void names_that_others_script_stay(String row) {
    assertThat(isBenchmark(row)).isTrue();
  }
}
