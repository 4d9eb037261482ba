package io.keystile.examples;

import io.keystile.PepperSource;
import io.keystile.ServerSecret;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pepper and id key in two files, made at the first start and readable for their owner only. That
 * is for the example: next to the database, a pepper does not protect from who copies the disk. In
 * production mount the files from a secret store, or implement {@link PepperSource} for a key
 * management service.
 */
final class ServerSecrets {
  private static final Logger log = LoggerFactory.getLogger(ServerSecrets.class);

  private static final String PEPPER = "pepper-1";
  private static final String ID_KEY = "id-key-1";

  private final Path directory;

  ServerSecrets(Path directory) {
    this.directory = directory;
  }

  boolean areThere() {
    return List.of(PEPPER, ID_KEY).stream().map(directory::resolve).allMatch(Files::exists);
  }

  void create() throws IOException {
    createDirectory(directory);
    for (String id : List.of(PEPPER, ID_KEY)) {
      createFile(id);
    }
  }

  ServerSecret pepper() {
    return PepperSource.directory(directory).secret(PEPPER);
  }

  ServerSecret idKey() {
    return PepperSource.directory(directory).secret(ID_KEY);
  }

  /**
   * The file is there as a whole or not at all, also after a power failure, and never readable for
   * others.
   */
  private void createFile(String id) throws IOException {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    Path unfinished = Files.createTempFile(directory, id, ".tmp", ownerOnly("rw-------"));
    ByteBuffer hex =
        ByteBuffer.wrap(HexFormat.of().formatHex(random).getBytes(StandardCharsets.US_ASCII));
    try (FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
      while (hex.hasRemaining()) {
        channel.write(hex);
      }
      channel.force(true);
    }
    Files.move(unfinished, directory.resolve(id), StandardCopyOption.ATOMIC_MOVE);
  }

  /** A folder that nobody else can look into, also if it is there already; else it warns. */
  static void createDirectory(Path directory) throws IOException {
    Files.createDirectories(directory, ownerOnly("rwx------"));
    Set<PosixFilePermission> wanted = PosixFilePermissions.fromString("rwx------");
    try {
      if (!isPosix()) {
        log.warn("See to it that nobody else can look into {}", directory);
      } else if (!Files.getPosixFilePermissions(directory).equals(wanted)) {
        Files.setPosixFilePermissions(directory, wanted);
      }
    } catch (FileSystemException e) {
      log.warn("Others may look into {}: its permissions cannot be changed", directory);
    }
  }

  private static boolean isPosix() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  }

  private static FileAttribute<?>[] ownerOnly(String permissions) {
    return isPosix()
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
