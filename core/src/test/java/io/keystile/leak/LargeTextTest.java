package io.keystile.leak;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A text far larger than the heap of the process that scans it. */
class LargeTextTest {
  private static final boolean FULL = Integer.getInteger("keystile.rounds", 500) >= 10_000;
  private static final String SEED = String.valueOf(Long.getLong("keystile.seed", 20_261_121L));
  private static final String MEGABYTES = FULL ? "1024" : "64";
  private static final String FLOOD = "300000";
  private static final Pattern RESULT =
      Pattern.compile("(\\d+) tokens planted, (\\d+) found, (\\d+) others, (\\d+) broken");

  @Test
  void all_planted_tokens_are_found_with_a_heap_of_32_megabytes() throws Exception {
    String output = scan(List.of(SEED, MEGABYTES, "text"));

    System.out.print("-Dkeystile.seed=" + SEED + ": " + output);
    Matcher result = RESULT.matcher(output);
    assertThat(result.find()).as(output).isTrue();
    assertThat(Integer.parseInt(result.group(1))).isGreaterThan(FULL ? 3000 : 150);
    assertThat(result.group(2))
        .as("where, and how often, they were planted")
        .isEqualTo(result.group(1));
    assertThat(result.group(3)).isEqualTo("0");
    assertThat(Integer.parseInt(result.group(4))).isGreaterThan(FULL ? 3000 : 150);
  }

  @Test
  void a_scan_that_reads_the_whole_text_first_is_caught() throws Exception {
    assertThat(scan(List.of(SEED, "64", "whole"))).contains("OutOfMemoryError");
  }

  @Test
  void a_flood_of_different_tokens_is_handed_over_with_the_same_heap() throws Exception {
    String output = scan(List.of(SEED, FLOOD, "flood"));

    System.out.print("-Dkeystile.seed=" + SEED + ": " + output);
    assertThat(output).contains(FLOOD + " found");
  }

  @Test
  void a_scan_that_keeps_them_all_is_caught() throws Exception {
    assertThat(scan(List.of(SEED, FLOOD, "list"))).contains("OutOfMemoryError");
  }

  private static String scan(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx32m");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(LargeText.class.getName());
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }
}
