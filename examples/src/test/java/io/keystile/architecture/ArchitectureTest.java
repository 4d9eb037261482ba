package io.keystile.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ArchitectureTest {
  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.keystile");
  private static final JavaClasses PLANTED = new ClassFileImporter().importPackages("planted");

  private static final Map<String, ArchRule> FOR_MAIN = Directions.below("io.keystile");
  private static final Map<String, ArchRule> FOR_PLANTED = Directions.below("planted");

  static Stream<String> rules() {
    return FOR_MAIN.keySet().stream();
  }

  @Test
  void the_classes_of_all_modules_are_seen() {
    assertThat(
            MAIN.stream()
                .filter(type -> !type.getSimpleName().equals("package-info"))
                .map(JavaClass::getPackageName))
        .contains(
            "io.keystile",
            "io.keystile.http",
            "io.keystile.leak",
            "io.keystile.store",
            "io.keystile.store.jdbc");
  }

  @ParameterizedTest
  @MethodSource("rules")
  void main_code_keeps_the_rule(String rule) {
    FOR_MAIN.get(rule).check(MAIN);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void the_rule_catches_the_planted_class(String rule) {
    assertThat(FOR_PLANTED.get(rule).evaluate(PLANTED).hasViolation()).isTrue();
  }
}
