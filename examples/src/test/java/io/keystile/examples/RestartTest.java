package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.examples.Service.Issued;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service in a process of its own, killed without warning and started again. */
class RestartTest {
  private static final int KILLS = 5;

  @TempDir private Path data;

  @Test
  void keys_survive_kills_on_a_file_of_h2() throws Exception {
    survives(Map.of("forecast.use.interval", "PT1S"));
  }

  @Test
  void the_twin_that_leaves_h2_its_write_delay_is_caught() {
    String url = "jdbc:h2:file:" + data.resolve("keys");

    assertThatThrownBy(() -> survives(Map.of("forecast.jdbc.url", url)))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void keys_survive_kills_on_a_file_of_sqlite() throws Exception {
    String url = "jdbc:sqlite:" + data.resolve("keys.db") + "?journal_mode=WAL&busy_timeout=5000";
    survives(Map.of("forecast.jdbc.url", url));
  }

  /** Each kill follows the answer to the last request at once. */
  private void survives(Map<String, String> more) throws Exception {
    List<Issued> good = new ArrayList<>();
    List<Issued> revoked = new ArrayList<>();
    String admin = "";
    for (int kill = 0; kill < KILLS; kill++) {
      try (Child child = new Child(data, more)) {
        Service service = kill == 0 ? Service.of(child.welcome) : Service.of(child.welcome, admin);
        admin = service.admin();
        for (Issued key : good) {
          assertThat(service.read(key.token())).isEqualTo(200);
        }
        for (Issued key : revoked) {
          assertThat(service.read(key.token())).isEqualTo(401);
        }
        if (kill % 2 == 0) {
          good.add(service.issue("early-" + kill, "forecast:read"));
          good.add(service.issue("late-" + kill, "forecast:read"));
        } else {
          Issued key = good.remove(good.size() - 1);
          service.administer("POST", "/keys/" + key.id() + "/revoke", "{}");
          revoked.add(key);
        }
        child.kill();
      }
    }
    try (Child child = new Child(data, more)) {
      Service service = Service.of(child.welcome, admin);
      assertThat(good).isNotEmpty().allMatch(key -> service.read(key.token()) == 200);
      assertThat(revoked).isNotEmpty().allMatch(key -> service.read(key.token()) == 401);
    }
    System.out.printf(
        "%d kills: %d keys work, %d revoked keys do not%n", KILLS, good.size(), revoked.size());
  }

  /** The service as a process. */
  private static final class Child implements AutoCloseable {
    final String welcome;
    private final Process process;

    Child(Path data, Map<String, String> more) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
      command.add("-Dforecast.port=0");
      command.add("-Dforecast.admin.port=0");
      command.add("-Dforecast.data=" + data);
      more.forEach((name, value) -> command.add("-D" + name + "=" + value));
      command.add("-cp");
      command.add(System.getProperty("java.class.path"));
      command.add(ForecastServer.class.getName());
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
      welcome = readWelcome();
    }

    /** Up to the last line of it. */
    private String readWelcome() throws IOException {
      BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      StringBuilder text = new StringBuilder();
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        text.append(line).append('\n');
        if (line.contains("refused at once") || line.contains("--new-admin-key")) {
          return text.toString();
        }
      }
      throw new AssertionError("The service did not start:\n" + text);
    }

    /** SIGKILL, where there are signals. */
    void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws InterruptedException {
      kill();
    }
  }
}
