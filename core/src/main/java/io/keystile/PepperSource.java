package io.keystile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Where the secrets of the server come from: peppers and id keys. Implement it in a few lines for a
 * key management service; the environment and a directory of files are ready-made.
 *
 * <pre>{@code
 * ServerSecret pepper = PepperSource.environment().secret("pepper-2026"); // KEYSTILE_SECRET_PEPPER_2026
 * ServerSecret idKey = PepperSource.directory(Path.of("/run/secrets")).secret("id-key");
 * }</pre>
 *
 * <p>It is asked while a host starts, never during a validation, and may block.
 */
@FunctionalInterface
public interface PepperSource {

  /**
   * Reads the bytes of a secret. The caller clears the array.
   *
   * @param id the id of the secret, {@code [a-z0-9][a-z0-9_-]{0,31}}
   * @return the bytes, in an array that nobody else holds
   * @throws IOException if there is no such secret or it cannot be read. The message names the id
   *     and the place, and never holds the secret
   */
  byte[] read(String id) throws IOException;

  /**
   * Reads a secret and checks it.
   *
   * @param id the id of the secret, {@code [a-z0-9][a-z0-9_-]{0,31}}
   * @return the secret
   * @throws UncheckedIOException if there is no such secret or it cannot be read
   * @throws IllegalArgumentException if the id or the bytes are refused by {@link ServerSecret#of}
   */
  default ServerSecret secret(String id) {
    ServerSecret.requireId(id);
    byte[] bytes;
    try {
      bytes = read(id);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    try {
      return ServerSecret.of(id, bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /**
   * Reads environment variables. The secret {@code pepper-2026} is in {@code
   * KEYSTILE_SECRET_PEPPER_2026}: upper case, hyphens as underscores. The value is text: an even
   * number of hexadecimal digits, or else base64 (also its URL-safe form, padding optional). Blanks
   * and line ends around it are ignored.
   *
   * @return a source that reads the environment of this process at each call
   */
  static PepperSource environment() {
    return SecretText.fromEnvironment(System::getenv);
  }

  /**
   * Reads the files of a directory, as container platforms mount secrets. The secret {@code
   * pepper-2026} is in the file of that name, as the same text as in {@link #environment()}; raw
   * bytes are refused.
   *
   * @param directory the folder; files are read at each call, up to 4096 bytes
   * @return a source that reads the directory
   */
  static PepperSource directory(Path directory) {
    return SecretText.fromDirectory(directory);
  }
}
