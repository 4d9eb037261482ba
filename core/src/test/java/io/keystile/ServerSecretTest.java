package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerSecretTest {

  private final byte[] bytes = HexFormat.of().parseHex("c0ffee".repeat(11));

  @Test
  void empty_short_and_zero_bytes_are_refused() {
    refused(new byte[0], "empty");
    refused(new byte[] {7}, "has 1 bytes");
    refused(Arrays.copyOf(bytes, 31), "has 31 bytes");
    refused(new byte[32], "zero");
    refused(new byte[64], "zero");
    assertThat(ServerSecret.of("pepper-1", Arrays.copyOf(bytes, 32)).id()).isEqualTo("pepper-1");
  }

  private static void refused(byte[] bytes, String why) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerSecret.of("pepper-1", bytes))
        .withMessageContaining("'pepper-1'")
        .withMessageContaining(why)
        .withMessageNotContaining(HexFormat.of().formatHex(bytes) + "!")
        .withNoCause();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A", "-a", "_a", "a b", "a/b", "..", "a.b", "ä", "a\n"})
  void ids_outside_the_grammar_are_refused_and_not_repeated(String id) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerSecret.of(id, bytes))
        .withMessage("The id of a server secret must match [a-z0-9][a-z0-9_-]{0,31}");
  }

  @Test
  void the_bytes_are_copied_and_not_shown() {
    ServerSecret secret = ServerSecret.of("pepper-1", bytes);
    byte[] before = secret.derive("label");
    Arrays.fill(bytes, (byte) 1);

    assertThat(secret.derive("label")).isEqualTo(before);
    assertThat(secret).hasToString("ServerSecret[pepper-1, redacted]");
    assertThat(secret).isNotInstanceOf(java.io.Serializable.class);
  }

  @Test
  void labels_derive_different_keys() {
    ServerSecret secret = ServerSecret.of("pepper-1", bytes);

    assertThat(secret.derive("keystile v1 hash"))
        .hasSize(32)
        .isNotEqualTo(secret.derive("keystile v1 mint acme_live"));
  }

  @Test
  void environment_variables_are_hexadecimal_or_base64() throws IOException {
    String hex = HexFormat.of().formatHex(bytes);
    for (String text :
        new String[] {
          hex,
          hex.toUpperCase(java.util.Locale.ROOT),
          " " + hex + "\n",
          Base64.getEncoder().encodeToString(bytes),
          Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
        }) {
      PepperSource source =
          SecretText.fromEnvironment(Map.of("KEYSTILE_SECRET_PEPPER_1", text)::get);
      assertThat(source.read("pepper-1")).isEqualTo(bytes);
      assertThat(source.secret("pepper-1").id()).isEqualTo("pepper-1");
    }
  }

  @Test
  void a_missing_variable_is_named() {
    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> PepperSource.environment().secret("no-such-pepper"))
        .withMessageContaining("'no-such-pepper'")
        .withMessageContaining("KEYSTILE_SECRET_NO_SUCH_PEPPER");
  }

  @Test
  void text_that_is_neither_is_not_repeated() {
    PepperSource source = SecretText.fromEnvironment(name -> "correct horse battery staple");

    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> source.secret("pepper-1"))
        .withMessageContaining("KEYSTILE_SECRET_PEPPER_1 is neither hexadecimal nor base64")
        .withMessageNotContaining("horse")
        .withRootCauseInstanceOf(IOException.class);
  }

  @Test
  void files_are_named_by_the_id(@TempDir Path directory) throws IOException {
    Files.writeString(
        directory.resolve("pepper-1"), HexFormat.of().formatHex(bytes) + System.lineSeparator());
    PepperSource source = PepperSource.directory(directory);

    assertThat(source.read("pepper-1")).isEqualTo(bytes);
    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> source.secret("pepper-2"))
        .withMessageContaining("'pepper-2'")
        .withMessageContaining(directory.resolve("pepper-2").toString());
    assertThatIllegalArgumentException().isThrownBy(() -> source.read("../pepper-1"));
    assertThatIllegalArgumentException().isThrownBy(() -> source.secret("../pepper-1"));
  }

  @Test
  void a_long_file_is_refused(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("pepper-1"), "ab".repeat(3000));

    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> PepperSource.directory(directory).secret("pepper-1"))
        .withMessageContaining("longer than 4096 bytes");
  }

  @Test
  void what_a_source_returned_is_cleared() throws IOException {
    byte[] handed = bytes.clone();
    PepperSource source = id -> handed;

    assertThat(source.secret("pepper-1").derive("x"))
        .isEqualTo(ServerSecret.of("pepper-1", bytes).derive("x"));
    assertThat(handed).containsOnly(0);
  }
}
