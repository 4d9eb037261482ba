package io.keystile.examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a client has its key: in a file, which is read for each request, so that whoever replaces
 * the file replaces the key; or in an environment variable, for programs that do not live long,
 * since nothing can replace it there. A key is used when it has been in the file for two seconds,
 * or when the old one is refused: each node of the service has heard of it by then, and the old one
 * has its grace.
 */
final class ClientKey {
  private static final Logger log = LoggerFactory.getLogger(ClientKey.class);
  private static final Pattern TOKEN = Pattern.compile("\"token\":\"([0-9A-Za-z_]+)\"");
  private static final Duration SETTLED = Duration.ofSeconds(2);
  private static final Duration PAUSE = Duration.ofMinutes(1);

  private final @Nullable Path file;
  private final String fixed;
  private String current;
  private final ReentrantLock replacing = new ReentrantLock();
  private long failedAt = System.nanoTime() - PAUSE.toNanos();

  ClientKey(Map<String, String> environment) throws IOException {
    String path = environment.get("FORECAST_API_KEY_FILE");
    file = path == null ? null : Path.of(path).toAbsolutePath();
    fixed = environment.getOrDefault("FORECAST_API_KEY", "");
    current = stored();
  }

  private String stored() throws IOException {
    String key = file == null ? fixed : Files.readString(file).strip();
    if (!key.matches("[0-9A-Za-z_]+")) { // HttpRequest would repeat it in its exception
      throw new IOException("FORECAST_API_KEY_FILE or FORECAST_API_KEY must hold an API key");
    }
    return key;
  }

  /** The key to send. */
  synchronized String read() throws IOException {
    String stored = stored();
    if (!stored.equals(current) && file != null) {
      Duration age = Duration.between(Files.getLastModifiedTime(file).toInstant(), Instant.now());
      current = age.abs().compareTo(SETTLED) < 0 ? current : stored;
    }
    return current;
  }

  /** Whether there is another key to try, now that this one was refused. */
  synchronized boolean hasOtherThan(String refused) throws IOException {
    current = stored();
    return !current.equals(refused);
  }

  /**
   * Replaces the key by a new one of the service, unless another thread is doing so or has done so.
   * If that fails, the old one goes on, and the next attempt is not made within a minute.
   */
  void replace(String old, HttpClient http, URI rotation) throws InterruptedException {
    if (file == null || !replacing.tryLock()) {
      return;
    }
    try {
      if (stored().equals(old) && System.nanoTime() - failedAt >= PAUSE.toNanos()) {
        store(file.toRealPath(), old, http, rotation);
      }
    } catch (IOException e) {
      failedAt = System.nanoTime();
      log.warn("The API key could not be replaced, the old one goes on: {}", e.toString());
    } finally {
      replacing.unlock();
    }
  }

  /** There is a whole key in the file at any time, and only its owner may read it. */
  private static void store(Path file, String old, HttpClient http, URI rotation)
      throws IOException, InterruptedException {
    // before anything is asked for: a new key that cannot be kept would be lost
    Path next = Files.createTempFile(file.resolveSibling(""), "key", ".tmp");
    try {
      String key = newKey(old, http, rotation);
      Files.writeString(next, key, StandardOpenOption.WRITE, StandardOpenOption.SYNC);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(next);
    }
  }

  private static String newKey(String old, HttpClient http, URI rotation)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(rotation)
            .timeout(Duration.ofSeconds(10))
            .header("X-API-Key", old)
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    Matcher token = TOKEN.matcher(response.body());
    if (response.statusCode() != 200 || !token.find()) {
      throw new IOException("The service answered " + response.statusCode());
    }
    return token.group(1);
  }
}
