package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** An adapter is small, a client is small, and a route is one line; else the library is wrong. */
class ExampleSizeTest {
  private static final Path SOURCES = Path.of("src/main/java/io/keystile/examples");
  private static final Pattern ROUTE =
      Pattern.compile(
          " +(return new Routes\\(guard\\)|)\\.on\\(\"[A-Z]+\", \"/[^\"]+\", [A-Z]+, this::[a-z]+\\)(;|)"); // a whole line

  @Test
  void the_adapter_has_less_than_50_lines() throws IOException {
    assertThat(linesOf("ApiKeyGuard")).isLessThan(50);
  }

  @Test
  void the_client_has_less_than_60_lines() throws IOException {
    assertThat(linesOf("ForecastClient")).isLessThan(60);
  }

  @Test
  void the_binding_to_micrometer_has_less_than_60_lines() throws IOException {
    assertThat(linesOf("KeyMetrics")).isLessThan(60);
  }

  @Test
  void where_the_client_keeps_its_key_has_less_than_100_lines() throws IOException {
    assertThat(linesOf("ClientKey")).isLessThan(100);
  }

  @Test
  void every_route_says_in_one_line_what_it_requires() throws IOException {
    int routes = 0;
    for (String file :
        List.of(
            "ForecastApi",
            "SelfService",
            "AdminApi",
            "RotationApi",
            "LeakApi",
            "ImportApi",
            "UsageApi")) {
      for (String line : Files.readAllLines(SOURCES.resolve(file + ".java"))) {
        if (line.contains(".on(")) {
          assertThat(line).matches(ROUTE);
          routes++;
        }
      }
    }
    System.out.println(routes + " routes");
    assertThat(routes).isEqualTo(16);
  }

  @Test
  void a_longer_class_is_noticed() {
    List<String> file = List.of("import a;", "", "/** Doc. */", "final class A {", "", "}");

    assertThat(lines(file)).isEqualTo(3);
  }

  /** From the line that opens the class to its end: blank lines and comments in it count. */
  private static long linesOf(String type) throws IOException {
    long lines = lines(Files.readAllLines(SOURCES.resolve(type + ".java")));
    System.out.println(type + " has " + lines + " lines");
    return lines;
  }

  private static long lines(List<String> file) {
    return file.stream().dropWhile(line -> !line.startsWith("final class ")).count();
  }
}
