package io.keystile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.benchmarks.WorstWindow.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WorstWindowTest {

  @Test
  void of_all_limiters_ours_keeps_to_its_limit() {
    Map<String, Row> rows = WorstWindow.measure(100);

    System.out.println(WorstWindow.table(List.of(rows)));
    assertThat(rows.get("Keystile").worst()).isBetween(1L, 100L);
    assertThat(rows).hasSize(5);
    assertThat(rows.values()).as("the recount catches others").anyMatch(row -> row.ratio() > 1.5);
  }
}
