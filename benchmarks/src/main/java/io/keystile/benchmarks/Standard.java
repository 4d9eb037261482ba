package io.keystile.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs a fixed set of benchmarks and writes what came of it: the results of JMH, a table of ratios
 * with the targets, and charts.
 *
 * <pre>{@code
 * java -cp benchmarks/target/benchmarks.jar io.keystile.benchmarks.Standard quick
 * java -cp benchmarks/target/benchmarks.jar io.keystile.benchmarks.Standard standard
 * }</pre>
 *
 * <p>Quick looks whether something is badly wrong, in one fork. Standard is what is published.
 */
public final class Standard {
  private static final Map<String, String> THOUSAND = Map.of("population", "1000", "zipf", "0.99");
  private static final Map<String, String> MILLION =
      Map.of("population", "1000000", "zipf", "0.99");

  private Standard() {}

  /**
   * Rows that are run alike.
   *
   * @param rows class and method of each
   * @param params their parameters
   * @param threads how many threads call
   * @param setUpSeconds about how long a fork takes besides its iterations
   */
  record Part(List<String> rows, Map<String, String> params, int threads, double setUpSeconds) {}

  /**
   * A set of rows, and how long each is run.
   *
   * @param name of the set
   * @param forks of each row
   * @param warmups iterations that are thrown away
   * @param warmupMillis how long each of them takes
   * @param iterations that count
   * @param millis how long each of them takes
   * @param parts the rows
   */
  record Plan(
      String name,
      int forks,
      int warmups,
      int warmupMillis,
      int iterations,
      int millis,
      List<Part> parts) {

    /** About how long it takes, on a machine that has nothing else to do. */
    double seconds() {
      double iterating = (warmups * warmupMillis + iterations * millis) / 1000.0;
      return parts.stream()
          .mapToDouble(part -> part.rows().size() * forks * (iterating + part.setUpSeconds()))
          .sum();
    }
  }

  /** Under three minutes. */
  static final Plan QUICK =
      new Plan(
          "quick",
          1,
          3,
          800,
          3,
          200,
          List.of(
              part(
                  THOUSAND,
                  Results.FLOOR,
                  "ValidationBenchmark.accepted",
                  "ValidationBenchmark.acceptedWithLimits",
                  "ValidationBenchmark.malformed",
                  "ValidationBenchmark.badChecksum",
                  "ValidationBenchmark.unknown",
                  "ValidationBenchmark.forgedId",
                  "LimiterBenchmark.clock",
                  "LimiterBenchmark.fourWindows",
                  "LimiterBenchmark.fourWindowsMovingClock",
                  "LimiterBenchmark.bucket4jLockFreeMovingClock",
                  "LimiterBenchmark.bucket4jSynchronizedMovingClock",
                  "PeerBenchmark.chmSha256",
                  "PeerBenchmark.caffeineSha256",
                  "PeerBenchmark.caffeineBucket4j",
                  "PeerBenchmark.bucket4jFourBandwidths",
                  "PeerBenchmark.tutorialH2SelectUpdate",
                  "GenerationBenchmark.issueToken",
                  "GenerationBenchmark.uuidString"),
              peppered(),
              million(),
              millionKeys(),
              threads(1),
              threads(2)));

  /** Under fifteen minutes. Warm for three seconds: some peers are fast only then. */
  static final Plan STANDARD =
      new Plan(
          "standard",
          3,
          4,
          750,
          5,
          250,
          List.of(
              part(
                  THOUSAND,
                  Results.FLOOR,
                  "ValidationBenchmark.accepted",
                  "ValidationBenchmark.acceptedWithLimits",
                  "ValidationBenchmark.acceptedWithUsage",
                  "ValidationBenchmark.graceOldSecret",
                  "ValidationBenchmark.scopesAndNetworks",
                  "ValidationBenchmark.refusedByLimits",
                  "ValidationBenchmark.malformed",
                  "ValidationBenchmark.badChecksum",
                  "ValidationBenchmark.unknown",
                  "ValidationBenchmark.forgedId",
                  "ValidationBenchmark.wrongSecret",
                  "ValidationBenchmark.revoked",
                  "ValidationBenchmark.expired",
                  "LimiterBenchmark.clock",
                  "LimiterBenchmark.fourWindows",
                  "LimiterBenchmark.fourWindowsMovingClock",
                  "LimiterBenchmark.bucket4jLockFreeMovingClock",
                  "LimiterBenchmark.bucket4jSynchronizedMovingClock",
                  "PeerBenchmark.chmSha256",
                  "PeerBenchmark.caffeineSha256",
                  "PeerBenchmark.caffeineBucket4j",
                  "PeerBenchmark.bucket4jFourBandwidths",
                  "PeerBenchmark.resilience4j",
                  "PeerBenchmark.guava",
                  "PeerBenchmark.failsafe",
                  "PeerBenchmark.tutorialMap",
                  "PeerBenchmark.tutorialH2Select",
                  "PeerBenchmark.tutorialH2SelectUpdate",
                  "PeerBenchmark.bcrypt",
                  "PeerBenchmark.pbkdf2",
                  "GenerationBenchmark.issueToken",
                  "GenerationBenchmark.uuidString"),
              peppered(),
              million(),
              millionKeys(),
              threads(1),
              threads(2)));

  private static Part part(Map<String, String> params, String... rows) {
    return new Part(List.of(rows), params, 1, 1.5);
  }

  private static Part peppered() {
    return part(
        Map.of("population", "1000", "zipf", "0.99", "pepper", "true"),
        "ValidationBenchmark.accepted");
  }

  private static Part million() {
    List<String> rows = List.of(Results.FLOOR, "PeerBenchmark.caffeineSha256");
    return new Part(rows, MILLION, 1, 8);
  }

  /** Apart, since all its keys must be loaded first. */
  private static Part millionKeys() {
    return new Part(List.of("ValidationBenchmark.acceptedWithLimits"), MILLION, 1, 40);
  }

  private static Part threads(int number) {
    return new Part(List.of("ThreadsBenchmark.acceptedOwnKeys"), THOUSAND, number, 1.5);
  }

  /**
   * Runs a set.
   *
   * @param args {@code quick} or {@code standard}, then {@code --out} and a folder, {@code
   *     benchmarks/results} if none is given
   * @throws IOException if the results cannot be written
   * @throws RunnerException if a benchmark fails
   */
  public static void main(String[] args) throws IOException, RunnerException {
    Plan plan = plan(args);
    if (plan == null) {
      System.err.println("Usage: Standard quick|standard [--out <folder>]");
      System.exit(2);
      return;
    }
    Path out = Path.of(args.length == 3 ? args[2] : "benchmarks/results");
    System.out.printf("About %.0f minutes, if nothing else runs here.%n", plan.seconds() / 60);
    String command = "java -cp benchmarks.jar " + Standard.class.getName() + " " + args[0];
    List<String> facts = new ArrayList<>(Machine.facts(command));
    facts.add(
        "%d fork(s), each %d x %d ms to warm up and %d x %d ms that count"
            .formatted(
                plan.forks(),
                plan.warmups(),
                plan.warmupMillis(),
                plan.iterations(),
                plan.millis()));
    facts.add(HeapPerKey.text());
    List<RunResult> results = new ArrayList<>();
    for (Part part : plan.parts()) {
      results.addAll(new Runner(options(plan, part).build()).run());
    }
    write(results, plan, facts, out);
  }

  private static @Nullable Plan plan(String[] args) {
    boolean isUsable = args.length == 1 || (args.length == 3 && args[1].equals("--out"));
    return Stream.of(QUICK, STANDARD)
        .filter(plan -> isUsable && plan.name().equals(args[0]))
        .findFirst()
        .orElse(null);
  }

  private static ChainedOptionsBuilder options(Plan plan, Part part) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .forks(plan.forks())
            .warmupIterations(plan.warmups())
            .warmupTime(TimeValue.milliseconds(plan.warmupMillis()))
            .measurementIterations(plan.iterations())
            .measurementTime(TimeValue.milliseconds(plan.millis()))
            .threads(part.threads())
            .shouldFailOnError(true)
            .addProfiler(GCProfiler.class)
            .addProfiler(CpuProfiler.class)
            // so that the size of the heap is the same in each fork, and touched before it counts
            .jvmArgsAppend("-Xms1g", "-Xmx4g");
    part.rows().forEach(row -> options.include("\\." + Pattern.quote(row) + "$"));
    part.params().forEach(options::param);
    return options;
  }

  private static void write(List<RunResult> results, Plan plan, List<String> facts, Path out)
      throws IOException {
    Files.createDirectories(out);
    String name = plan.name() + "-jdk" + Runtime.version().feature();
    Path raw = Files.createTempFile("keystile-jmh", ".json");
    Path json = out.resolve(name + ".json");
    ResultFormatFactory.getInstance(ResultFormatType.JSON, raw.toString()).writeOut(results);
    Results.strip(raw, json);
    Files.delete(raw);
    Results read = Results.read(json);
    String report = Report.of("Benchmarks, " + plan.name() + " set", facts, read);
    Files.writeString(out.resolve(name + ".md"), report);
    Charts.write(read, out, "-" + name + ".svg");
    System.out.println(report);
    System.out.println("Written to " + out);
  }
}
