package io.keystile.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Caffeine;
import io.keystile.Access;
import io.keystile.store.KeyStore;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** A program that is a module itself, and requires core alone. */
class ModuleConsumerTest {
  private static final String MODULE = "module consumer { requires io.keystile; }";
  private static final String PROGRAM =
      """
      package consumer;

      public final class Main {
        public static void main(String[] args) {
          io.keystile.Access access = io.keystile.Access.requiring("forecast:read");
          Class<?> spi = io.keystile.store.KeyStore.class;
          System.out.println(access.getClass().getModule().getName());
          System.out.println(spi.getModule().getName());
        }
      }
      """;

  @TempDir private Path folder;

  @Test
  void compiles_and_runs_on_the_module_path() throws Exception {
    String modulePath =
        Stream.of(Access.class, KeyStore.class, Caffeine.class, Logger.class, NullMarked.class)
            .map(ModuleConsumerTest::home)
            .collect(Collectors.joining(File.pathSeparator));
    Path module = Files.writeString(folder.resolve("module-info.java"), MODULE);
    Path program = Files.writeString(folder.resolve("Main.java"), PROGRAM);

    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-Xlint:all",
                "-Werror",
                "--release",
                "17",
                "-p",
                modulePath,
                "-d",
                folder.toString(),
                module.toString(),
                program.toString());
    Process run =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-p",
                modulePath + File.pathSeparator + folder,
                "-m",
                "consumer/consumer.Main")
            .redirectErrorStream(true)
            .start();
    String output = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(compiled).isZero();
    assertThat(run.waitFor()).as(output).isZero();
    assertThat(output.lines()).containsExactly("io.keystile", "io.keystile.store");
  }

  private static String home(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
