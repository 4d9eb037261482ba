package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The numbers in the documentation of the SPI and in the names of the tests are the same. */
class RuleCoverageTest {
  private static final Path SPI = Path.of("../store-spi/src/main/java/io/keystile/store");
  private static final List<Path> DOCUMENTED =
      List.of(
          SPI.resolve("KeyStore.java"),
          SPI.resolve("SharedLimits.java"),
          SPI.resolve("UsageStore.java"));
  private static final Path GUIDE = Path.of("../docs/writing-a-store.md");
  private static final List<Class<?>> CONTRACTS =
      List.of(
          KeyStoreContract.class,
          KeyStoreRaceContract.class,
          TransactionalKeyStoreContract.class,
          SharedLimitsContract.class,
          UsageStoreContract.class);
  private static final Pattern RULE_IN_GUIDE = Pattern.compile("\\b([GIFLRQUCAPTSB]\\d+)\\b");
  private static final Pattern HOOK_IN_GUIDE = Pattern.compile("\\n\\| `(\\w+)\\(");
  private static final Pattern RULE = Pattern.compile("<li><b>([A-Z]\\d+)</b>");
  private static final Pattern TEST = Pattern.compile("([a-z]\\d+)_[a-z0-9_]+");

  @Test
  void every_rule_of_the_spi_has_a_test_and_every_test_names_a_rule() throws IOException {
    Set<String> rules = rules();
    List<String> tests = new ArrayList<>();
    CONTRACTS.forEach(contract -> tests.addAll(testsOf(contract)));

    assertThat(tests).as("names of tests").allMatch(name -> TEST.matcher(name).matches());
    Set<String> tested =
        tests.stream()
            .map(name -> name.substring(0, name.indexOf('_')))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(tested).as("rules that have a test").isEqualTo(rules);
    assertThat(rules).hasSizeGreaterThan(50);
    System.out.printf("%d rules, %d tests%n", rules.size(), tests.size());
  }

  @Test
  void the_guide_names_rules_and_hooks_that_exist() throws IOException {
    assertThat(rules()).containsAll(found(RULE_IN_GUIDE, GUIDE));
    Set<String> hooks =
        CONTRACTS.stream()
            .flatMap(contract -> Stream.of(contract.getDeclaredMethods()))
            .filter(method -> Modifier.isProtected(method.getModifiers()))
            .map(Method::getName)
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(found(HOOK_IN_GUIDE, GUIDE)).isEqualTo(hooks);
  }

  private static Set<String> rules() throws IOException {
    Set<String> rules = new TreeSet<>();
    for (Path documented : DOCUMENTED) {
      Set<String> found = found(RULE, documented);
      assertThat(rules).as("no number stands for two rules").doesNotContainAnyElementsOf(found);
      rules.addAll(found);
    }
    return rules;
  }

  /** What a pattern finds in a file, in lower case. */
  private static Set<String> found(Pattern pattern, Path file) throws IOException {
    return pattern
        .matcher(Files.readString(file))
        .results()
        .map(result -> result.group(1).toLowerCase(Locale.ROOT))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<String> testsOf(Class<?> contract) {
    List<String> tests = new ArrayList<>();
    for (Class<?> type = contract; type != Object.class; type = type.getSuperclass()) {
      for (Method method : type.getDeclaredMethods()) {
        if (method.isAnnotationPresent(Test.class)) {
          tests.add(method.getName());
        }
      }
    }
    return tests;
  }
}
