package io.keystile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Server secrets kept as text, hexadecimal or base64: the sources behind {@link PepperSource}. */
final class SecretText {

  private static final int MAX_FILE_BYTES = 4096;
  private static final Pattern HEX = Pattern.compile("([0-9A-Fa-f]{2})+");

  private SecretText() {}

  static PepperSource fromEnvironment(Function<String, @Nullable String> variables) {
    return id -> {
      ServerSecret.requireId(id);
      String name = "KEYSTILE_SECRET_" + id.toUpperCase(Locale.ROOT).replace('-', '_');
      String value = variables.apply(name);
      if (value == null) {
        throw new IOException(
            "Server secret '%s': environment variable %s is not set".formatted(id, name));
      }
      return decode(value, "Server secret '%s': environment variable %s".formatted(id, name));
    };
  }

  static PepperSource fromDirectory(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return id -> {
      ServerSecret.requireId(id); // also keeps the path inside the directory
      Path file = directory.resolve(id);
      String place = "Server secret '%s': file %s".formatted(id, file);
      byte[] content = readFile(file, place);
      try {
        return decode(new String(content, StandardCharsets.ISO_8859_1), place);
      } finally {
        Arrays.fill(content, (byte) 0);
      }
    };
  }

  private static byte[] readFile(Path file, String place) throws IOException {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(MAX_FILE_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new IOException(place + " does not exist", e);
    } catch (IOException e) {
      throw new IOException(place + " cannot be read", e);
    }
    if (content.length > MAX_FILE_BYTES) {
      throw new IOException("%s is longer than %d bytes".formatted(place, MAX_FILE_BYTES));
    }
    return content;
  }

  private static byte[] decode(String value, String place) throws IOException {
    String text = value.strip();
    if (HEX.matcher(text).matches()) {
      return HexFormat.of().parseHex(text);
    }
    try {
      return Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/'));
    } catch (IllegalArgumentException e) {
      // without the cause, whose message repeats characters of the secret
      throw new IOException(place + " is neither hexadecimal nor base64");
    }
  }
}
