package io.keystile.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;

/** What a figure must not be told without. */
final class Machine {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private Machine() {}

  /**
   * Java, processor and day, one a line.
   *
   * @param command what was run
   */
  static List<String> facts(String command) {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    return List.of(
        "Java: %s, %s"
            .formatted(System.getProperty("java.vm.version"), System.getProperty("java.vm.vendor")),
        "Processor: %s, %d of it, %s"
            .formatted(
                cpu("model name"), Runtime.getRuntime().availableProcessors(), shaInstructions()),
        "System: %s %s; load before the run: %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load)),
        "Command: `%s`".formatted(command),
        "Date: %s".formatted(LocalDate.now(ZoneOffset.UTC)));
  }

  private static String shaInstructions() {
    String flags = " " + cpu("flags") + " " + cpu("Features") + " ";
    boolean known = flags.contains(" sha_ni ") || flags.contains(" sha2 ");
    return known ? "with instructions for SHA-256 (`sha_ni` or `sha2`)" : "no `sha_ni` flag found";
  }

  private static String cpu(String name) {
    if (Files.isReadable(CPU_INFO)) {
      try {
        for (String line : Files.readAllLines(CPU_INFO)) {
          int colon = line.indexOf(':');
          if (colon > 0 && line.substring(0, colon).trim().equals(name)) {
            return line.substring(colon + 1).trim();
          }
        }
      } catch (IOException e) {
        return "unknown"; // it is a courtesy of the system
      }
    }
    return "unknown";
  }
}
