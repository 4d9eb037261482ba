package io.keystile.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.architecture.Sources.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Alarms, not laws: whoever raises a number says why. */
class SizeTest {
  private static final int LINES_OF_CODE = 400;
  private static final int PARAMETERS = 5;

  /** Public top-level types of the packages that users see; another package has no budget. */
  private static final Map<String, Integer> PUBLIC_TYPES =
      Map.of(
          "io.keystile", 34,
          "io.keystile.limit", 6,
          "io.keystile.usage", 9,
          "io.keystile.http", 6,
          "io.keystile.leak", 5,
          "io.keystile.store", 18,
          "io.keystile.store.tck", 5,
          "io.keystile.store.jdbc", 4);

  private static final List<Source> MAIN =
      of("store-spi", "core", "store-jdbc", "store-tck", "benchmarks", "examples");

  private static List<Source> of(String... modules) {
    List<Source> sources = new ArrayList<>();
    for (String module : modules) {
      sources.addAll(Sources.below(Path.of("..", module, "src", "main", "java")));
    }
    return sources;
  }

  @Test
  void no_file_is_longer_than_its_budget() {
    assertThat(tooLong(MAIN)).isEmpty();
  }

  @Test
  void no_method_takes_more_parameters_than_its_budget() {
    assertThat(Sources.methodsAbove(PARAMETERS, MAIN)).isEmpty();
  }

  @Test
  void no_package_has_more_public_types_than_its_budget() {
    List<Source> published = of("store-spi", "core", "store-jdbc", "store-tck");

    Map<String, List<String>> types = Sources.publicTypes(published);

    types.forEach((name, list) -> System.out.println(name + ": " + list.size() + " public types"));
    assertThat(types)
        .containsKeys(
            "io.keystile",
            "io.keystile.http",
            "io.keystile.leak",
            "io.keystile.store",
            "io.keystile.store.jdbc",
            "io.keystile.store.tck");
    assertThat(aboveBudget(types)).isEmpty();
  }

  @Test
  void a_planted_long_file_is_found_and_comments_are_not_code() {
    String comment = "\n/* a\n b */ // \" c\n\n".repeat(LINES_OF_CODE);
    String code = "int a = '\"'; /* \" */\n".repeat(LINES_OF_CODE - 3);
    String text = "String s = \"\"\"\n  // \\\"\"\" text\n";

    assertThat(Sources.linesOfCode(new Source("A.java", comment + code + text + "\"\"\";")))
        .isEqualTo(LINES_OF_CODE);
    assertThat(tooLong(List.of(new Source("A.java", comment + code + text + "x\n\"\"\";"))))
        .hasSize(1);
  }

  @Test
  void a_planted_method_is_found_and_a_canonical_constructor_is_not() {
    String six = "(int a, int b, int c, int d, int e, int f)";
    String body = " { this.a = a; this.b = b; this.c = c; this.d = d; this.e = e; this.f = f; }";
    Source source =
        new Source(
            "A.java",
            "record A"
                + six
                + "{ static int x; A"
                + six
                + body
                + " void m"
                + six
                + " {} }"
                + "record B"
                + six
                + "{ B {} B(int a, int b, int c, int d, int e, int f, int g) {} }"
                + "class C { C"
                + six
                + "{} }");

    assertThat(Sources.methodsAbove(PARAMETERS, List.of(source)))
        .containsExactly("A.m has 6", "B.<init> has 7", "C.<init> has 6");
  }

  @Test
  void a_planted_public_type_is_found() {
    List<Source> sources = new ArrayList<>();
    for (String name : List.of("A", "B", "C", "D")) {
      sources.add(
          new Source(
              name + ".java", "package io.keystile.store.jdbc; public class " + name + " {}"));
    }
    sources.add(
        new Source("E.java", "package io.keystile.store.jdbc; class E { public class F {} }"));
    assertThat(aboveBudget(Sources.publicTypes(sources))).isEmpty();

    sources.add(new Source("G.java", "package io.keystile.store.jdbc; public @interface G {}"));
    sources.add(new Source("H.java", "package io.keystile.internal; public enum H {}"));
    assertThat(aboveBudget(Sources.publicTypes(sources)))
        .containsExactly("io.keystile.internal: [H]", "io.keystile.store.jdbc: [A, B, C, D, G]");
  }

  private static List<String> tooLong(List<Source> sources) {
    return sources.stream()
        .filter(source -> Sources.linesOfCode(source) > LINES_OF_CODE)
        .map(source -> source.name() + ": " + Sources.linesOfCode(source))
        .toList();
  }

  private static List<String> aboveBudget(Map<String, List<String>> types) {
    return types.entrySet().stream()
        .filter(e -> e.getValue().size() > PUBLIC_TYPES.getOrDefault(e.getKey(), 0))
        .map(e -> e.getKey() + ": " + e.getValue())
        .toList();
  }
}
