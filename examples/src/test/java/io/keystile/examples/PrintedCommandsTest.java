package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the service prints at its first start is pasted into a shell, in the order it is printed.
 */
class PrintedCommandsTest {
  private static final Pattern COMMAND =
      Pattern.compile("(?m)^ +# ([0-9]{3}): .*\\n +((?:while )?curl .*)$");
  private static final Pattern PART =
      Pattern.compile("-H '([^:]+): ([^']+)'|-d '([^']+)'|-X ([A-Z]+)|(http://[^ ]+)");

  @TempDir private Path data;

  @Test
  void every_command_gets_the_status_that_is_printed_above_it() throws Exception {
    assumeTrue(hasCurl());

    assertThat(mismatches(PrintedCommandsTest::inShell)).isEmpty();
  }

  @Test
  void without_curl_too() throws Exception {
    assertThat(mismatches(PrintedCommandsTest::inJava)).isEmpty();
  }

  private List<String> mismatches(ToIntFunction<String> status) throws Exception {
    Map<String, String> values =
        Map.of("forecast.port", "0", "forecast.admin.port", "0", "forecast.data", data.toString());
    List<String> mismatches = new ArrayList<>();
    try (ForecastServer server = ForecastServer.start(new Settings(values::get))) {
      List<MatchResult> commands = COMMAND.matcher(server.welcome()).results().toList();
      assertThat(commands)
          .extracting(command -> command.group(1))
          .containsExactly("200", "401", "403", "200", "200", "429", "201", "200", "401");
      for (MatchResult command : commands) {
        int answered = status.applyAsInt(command.group(2));
        if (!command.group(1).equals(String.valueOf(answered))) {
          mismatches.add(answered + " for " + command.group());
        }
      }
      System.out.println(commands.size() + " printed commands were run");
    }
    return mismatches;
  }

  private static int inShell(String command) {
    String output = run("sh", "-c", command + " 2>/dev/null");
    Matcher status = Pattern.compile("^HTTP/1.1 ([0-9]{3})").matcher(output);
    assertThat(status.find()).as(output).isTrue();
    if (command.startsWith("while ")) {
      assertThat(output)
          .matches("(?is).*\r\nretry-after: [0-9]+\r\n.*")
          .matches("(?is).*\r\nratelimit: \"minute\";r=0;t=[0-9]+\r\n.*")
          .matches("(?is).*\r\nratelimit-policy: \"minute\";q=10;w=60,.*");
    }
    return Integer.parseInt(status.group(1));
  }

  private static int inJava(String command) {
    if (command.startsWith("while ")) {
      String last = command.substring(command.lastIndexOf("curl "));
      int requests = 0;
      while (inJava(last) < 400 && requests < 100) {
        requests++;
      }
      return inJava(last);
    }
    String url = "";
    String method = "";
    String body = "";
    List<String> headers = new ArrayList<>();
    Matcher part = PART.matcher(command);
    while (part.find()) {
      if (part.group(1) != null) {
        headers.addAll(List.of(part.group(1), part.group(2)));
      } else if (part.group(3) != null) {
        body = part.group(3);
      } else if (part.group(4) != null) {
        method = part.group(4);
      } else {
        url = part.group(5);
      }
    }
    if (method.isEmpty()) {
      method = body.isEmpty() ? "GET" : "POST";
    }
    return Http.send(method, url, body, headers.toArray(String[]::new)).statusCode();
  }

  private static boolean hasCurl() {
    try {
      return run("curl", "--version").startsWith("curl");
    } catch (AssertionError e) {
      return false;
    }
  }

  private static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).start();
      process.onExit().orTimeout(1, TimeUnit.MINUTES).whenComplete((done, late) -> kill(process));
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** With what it has started: a loop that does not end. */
  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
