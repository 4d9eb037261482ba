package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ServerSecretsTest {
  @TempDir private Path data;

  @Test
  void are_made_once_and_differ() throws Exception {
    ServerSecrets secrets = new ServerSecrets(data.resolve("secrets"));
    assertThat(secrets.areThere()).isFalse();

    secrets.create();

    assertThat(secrets.areThere()).isTrue();
    assertThat(secrets.pepper().id()).isEqualTo("pepper-1");
    assertThat(secrets.idKey().id()).isEqualTo("id-key-1");
    assertThat(Files.readString(data.resolve("secrets/pepper-1")))
        .matches("[0-9a-f]{64}")
        .isNotEqualTo(Files.readString(data.resolve("secrets/id-key-1")));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void are_for_their_owner_only() throws Exception {
    Path folder = data.resolve("secrets");
    new ServerSecrets(folder).create();

    assertThat(permissions(folder)).isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(2).extracting(file -> permissions(file)).containsOnly("rw-------");
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void a_folder_that_is_there_is_closed_to_others() throws Exception {
    Path folder = Files.createDirectory(data.resolve("secrets"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xrwx"));

    new ServerSecrets(folder).create();

    assertThat(permissions(folder)).isEqualTo("rwx------");
  }

  @Test
  void lost_secrets_stop_the_start_and_are_not_replaced() throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      assertThat(Service.tokens(server.welcome())).isNotEmpty();
    }
    Path pepper = data.resolve("secrets/pepper-1");
    Path elsewhere = Files.move(pepper, data.resolve("kept"));

    assertThatThrownBy(() -> ForecastServer.start(new Settings(values::get)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("bring them back");
    assertThat(pepper).doesNotExist();

    Files.move(elsewhere, pepper);
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      assertThat(List.of(server.welcome().split("\n"))).anyMatch(line -> line.contains("work"));
    }
  }

  private static String permissions(Path path) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }
}
