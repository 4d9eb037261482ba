package io.keystile.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LicenseTest {

  @ParameterizedTest
  @ValueSource(strings = {"store-spi", "core", "store-tck", "store-jdbc"})
  void is_among_what_goes_into_the_jar(String module) {
    assertThat(Path.of("..", module, "target", "classes", "META-INF", "LICENSE"))
        .hasSameTextualContentAs(Path.of("..", "LICENSE"));
  }
}
