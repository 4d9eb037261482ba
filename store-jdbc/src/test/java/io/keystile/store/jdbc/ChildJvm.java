package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.jdbc.KilledChild.Death;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * Starts {@link KilledChild} and kills it. The first that lives to its end leaves an archive of its
 * loaded classes, with which the others start twice as fast.
 */
final class ChildJvm {
  private static final int KILLED_BY_SIGNAL = 128 + 9;

  /** Archives are for jars only. */
  private static final String CLASS_PATH = withoutFolders(System.getProperty("java.class.path"));

  private static final Map<Database, ChildJvm> ALL = new ConcurrentHashMap<>();

  private final Path archive;

  private ChildJvm() {
    try {
      archive = temporary("classes", ".jsa");
      Files.delete(archive);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The drivers differ, and so do the archives. */
  static ChildJvm of(Database database) {
    return ALL.computeIfAbsent(database, any -> new ChildJvm());
  }

  /**
   * How far a child came.
   *
   * @param points all it has come to
   * @param isDone whether the verb has returned
   * @param bySignal whether it was a signal that ended it, and not the process itself
   */
  record Life(List<String> points, boolean isDone, boolean bySignal) {
    /** Commits that have returned. */
    int commits() {
      return Collections.frequency(points, "after commit");
    }
  }

  /** One that lives to its end. */
  Life runToEnd(List<String> verb, String broken) throws Exception {
    Life life = run(verb, Integer.MAX_VALUE, Death.HALT, broken);
    assertThat(life.isDone()).isTrue();
    return life;
  }

  /**
   * @param verb URL, verb, target, operation id
   * @param point where it dies, from 1
   * @param broken see {@link KilledChild#main}
   */
  Life run(List<String> verb, int point, Death death, String broken) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.add(
        (Files.exists(archive) ? "-XX:SharedArchiveFile=" : "-XX:ArchiveClassesAtExit=") + archive);
    command.addAll(List.of("-cp", CLASS_PATH, KilledChild.class.getName()));
    command.addAll(verb);
    command.addAll(List.of(String.valueOf(point), death.name(), broken));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      return follow(process, point, death);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Life follow(Process process, int point, Death death) throws Exception {
    List<String> points = new ArrayList<>();
    StringBuilder other = new StringBuilder();
    boolean done = false;
    boolean killed = false;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith(KilledChild.SAYS)) {
          other.append(line).append('\n');
          continue;
        }
        String said = line.substring(KilledChild.SAYS.length());
        if (said.equals(KilledChild.DONE)) {
          done = true;
          process.getOutputStream().close();
        } else {
          points.add(said);
        }
        if (points.size() == point && death != Death.HALT && !killed) {
          killed = true;
          process.toHandle().destroyForcibly(); // leaves what it has said to be read
        }
      }
    }
    int status = process.waitFor();
    assertThat(status)
        .as("how it ended: %s", other)
        .isIn(KilledChild.HALTED, killed ? KILLED_BY_SIGNAL : KilledChild.HALTED);
    return new Life(points, done, status == KILLED_BY_SIGNAL);
  }

  private static Path temporary(String name, String suffix) throws IOException {
    Path file = Files.createTempFile(Path.of("target"), name, suffix).toAbsolutePath();
    file.toFile().deleteOnExit();
    return file;
  }

  private static String withoutFolders(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator))
        .map(Path::of)
        .map(entry -> Files.isDirectory(entry) ? jarOf(entry) : entry)
        .map(Path::toString)
        .reduce((a, b) -> a + File.pathSeparator + b)
        .orElseThrow();
  }

  private static Path jarOf(Path folder) {
    try {
      Path jar = temporary("classes", ".jar");
      try (OutputStream file = Files.newOutputStream(jar);
          JarOutputStream out = new JarOutputStream(file);
          Stream<Path> entries = Files.walk(folder)) {
        for (Path entry : entries.filter(Files::isRegularFile).toList()) {
          out.putNextEntry(new ZipEntry(folder.relativize(entry).toString()));
          Files.copy(entry, out);
        }
      }
      return jar;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
