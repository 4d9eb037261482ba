package io.keystile;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A token as a home-made service issues it, with the hash that such a service keeps. */
record ForeignSample(String kind, String token, String sha256) {

  private static final Path MAKER =
      Path.of("src", "test", "resources", "io", "keystile", "foreign_tokens.py");

  /** Made once by real Python, and committed. */
  static List<ForeignSample> committed() throws IOException {
    try (InputStream in = ForeignSample.class.getResourceAsStream("foreign-tokens.json")) {
      return read(Objects.requireNonNull(in));
    }
  }

  /** Made now by real Python; empty where there is none. */
  static Optional<List<ForeignSample>> fresh(int count) throws Exception {
    Process process;
    try {
      process =
          new ProcessBuilder("python3", MAKER.toString(), String.valueOf(count))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      return Optional.empty();
    }
    List<ForeignSample> samples = read(process.getInputStream());
    if (process.waitFor() != 0) {
      throw new AssertionError("foreign_tokens.py failed");
    }
    return Optional.of(samples);
  }

  private static List<ForeignSample> read(InputStream in) throws IOException {
    List<ForeignSample> samples = new ArrayList<>();
    String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    for (JsonNode node : new ObjectMapper().readTree(json)) {
      samples.add(
          new ForeignSample(
              node.get("kind").textValue(),
              node.get("token").textValue(),
              node.get("sha256").textValue()));
    }
    return samples;
  }
}
