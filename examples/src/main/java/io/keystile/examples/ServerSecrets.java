package io.keystile.examples;

import io.keystile.PepperSource;
import io.keystile.ServerSecret;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;

/**
 * Pepper and id key in two files, made at the first start and readable for their owner only. That
 * is for the example: next to the database, a pepper does not protect from who copies the disk. In
 * production mount the files from a secret store, or implement {@link PepperSource} for a key
 * management service.
 */
final class ServerSecrets {
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

  /** The file is there as a whole or not at all, and never readable for others. */
  private void createFile(String id) throws IOException {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    Path unfinished = Files.createTempFile(directory, id, ".tmp", ownerOnly("rw-------"));
    Files.writeString(unfinished, HexFormat.of().formatHex(random));
    Files.move(unfinished, directory.resolve(id), StandardCopyOption.ATOMIC_MOVE);
  }

  /** A folder that nobody else can look into; one that is there is left as it is. */
  static void createDirectory(Path directory) throws IOException {
    Files.createDirectories(directory, ownerOnly("rwx------"));
  }

  private static FileAttribute<?>[] ownerOnly(String permissions) {
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    return posix
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
