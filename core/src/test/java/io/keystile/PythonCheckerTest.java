package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checker in another language agrees with the vectors, and notices when they are wrong. */
class PythonCheckerTest {

  private static final Path CHECKER = Path.of("..", "docs", "check_token.py");

  private record Run(int status, String output) {}

  private final JsonMapper json =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  @BeforeEach
  void python_is_here() throws Exception {
    try {
      if (run(List.of("--version")).status != 0) {
        abort("python3 does not run on this machine: the checker in Python was not tried");
      }
    } catch (IOException e) {
      abort("there is no python3 on this machine: the checker in Python was not tried");
    }
  }

  @Test
  void all_vectors_are_right() throws Exception {
    JsonNode vectors = json.readTree(TokenVectorsTest.FILE.toFile());
    int count =
        Stream.of("valid", "malformed", "proofs", "mints", "scanners", "imports")
            .mapToInt(member -> vectors.get(member).size())
            .sum();

    Run run = run(List.of(CHECKER.toString()));

    System.out.print("PythonCheckerTest: " + run.output);
    assertThat(run.output).startsWith(count + " vectors, ").endsWith(" checks, 0 wrong\n");
    assertThat(run.status).isZero();
  }

  @Test
  void every_wrong_vector_is_noticed(@TempDir Path directory) throws Exception {
    String[][] changes = {
      {"/peppers/0", "hashKey", "00".repeat(32)},
      {"/idKeys/1/mintKeys", "acme_live", "00".repeat(32)},
      {"/valid/0", "token", Tokens.EXAMPLE.replace("gkU", "gkV")},
      {"/valid/0", "keyIdHex", "00".repeat(16)},
      {"/valid/0", "redacted", "acme_live_0351fcs8…gkU"},
      {"/valid/0", "sha256", "00".repeat(32)},
      {"/valid/0/hmacSha256", "pepper-2", "00".repeat(32)},
      {"/malformed/0", "text", Tokens.EXAMPLE},
      {"/proofs/0", "result", "wrong"},
      {"/proofs/0", "stored", "00".repeat(32)},
      {"/scanners/0", "regex", "acme"},
      {"/idKeys/0", "importKey", "00".repeat(32)},
      {"/imports/0", "keyId", "0".repeat(22)},
      {"/imports/3", "sha256", "00".repeat(32)},
      {"/imports/3", "stored", "00".repeat(32)},
      {"/imports/3", "importKey", "id-2"}
    };
    int noticed = 0;
    for (String[] change : changes) {
      JsonNode vectors = json.readTree(TokenVectorsTest.FILE.toFile());
      ((ObjectNode) vectors.at(change[0])).put(change[1], change[2]);
      Path file =
          Files.writeString(directory.resolve("vectors.json"), json.writeValueAsString(vectors));

      Run run = run(List.of(CHECKER.toString(), file.toString()));

      assertThat(run.status).as(change[0] + " " + change[1] + "\n" + run.output).isOne();
      noticed++;
    }
    assertThat(noticed).isEqualTo(16);
  }

  @Test
  void texts_are_checked_from_standard_input(@TempDir Path directory) throws Exception {
    String typo = Tokens.EXAMPLE.replace("gkU", "gkV");
    Path input = Files.writeString(directory.resolve("input"), Tokens.EXAMPLE + "\n" + typo + "\n");

    Process process =
        new ProcessBuilder("python3", CHECKER.toString(), "--stdin")
            .redirectInput(input.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).isOne();
    assertThat(output)
        .startsWith("well formed: acme_live_0351fcs8")
        .endsWith("malformed: breaks rule 5\n")
        .doesNotContain(Tokens.EXAMPLE.substring(33, 65));
  }

  private static Run run(List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add("python3");
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), output);
  }
}
