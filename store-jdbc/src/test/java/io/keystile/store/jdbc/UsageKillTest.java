package io.keystile.store.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageReports;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What is lost of usage when a process is killed while it writes: what came since its last write.
 */
class UsageKillTest {
  private static final int KILLS = Math.max(5, Integer.getInteger("keystile.rounds", 500) / 100);
  private static final long SEED = Long.getLong("keystile.seed", System.nanoTime());

  /** How far a child said that it was, and how much is stored. */
  private record Death(long said, long stored) {
    boolean isLost() {
      return stored < said;
    }

    /** What it counted after the last time may be stored, as far as it was on its way. */
    boolean isTooMuch() {
      return stored > said + 2L * CountingChild.INTERVAL;
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2_FILE", "SQLITE"})
  void what_was_written_is_not_lost_when_the_process_is_killed(Database database) throws Exception {
    SplittableRandom random = new SplittableRandom(SEED);
    long said = 0;
    int lost = 0;
    int tooMuch = 0;
    int lostByBoasting = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Death death = kill(database, random, false);
      said += death.said;
      lost += death.isLost() ? 1 : 0;
      tooMuch += death.isTooMuch() ? 1 : 0;
      lostByBoasting += kill(database, random, true).isLost() ? 1 : 0;
    }
    System.out.printf(
        "%s: %d kills, -Dkeystile.seed=%d, %,d requests written: lost %d times, too much %d times;"
            + " by one that says it before it has: lost %d times%n",
        database, KILLS, SEED, said, lost, tooMuch, lostByBoasting);
    assertThat(said).isPositive();
    assertThat(lost).isZero();
    assertThat(tooMuch).isZero();
    assertThat(lostByBoasting).isPositive();
  }

  private static Death kill(Database database, SplittableRandom random, boolean boasts)
      throws Exception {
    String url = database.freshDurableUrl();
    try (HikariDataSource pool = database.pool(url, true, false)) {
      JdbcKeyStore.builder(pool).initializeSchema(true).build();
    }
    long said = run(url, boasts, 1 + random.nextInt(40));
    try (HikariDataSource pool = database.pool(url, true, false)) {
      UsageQuery hour =
          UsageQuery.perHour(CountingChild.HOUR, CountingChild.HOUR.plus(Duration.ofHours(1)));
      return new Death(said, UsageReports.on(JdbcKeyStore.create(pool)).total(hour).requests());
    }
  }

  /** Kills a child when it has spoken so often, and returns the last that it said. */
  private static long run(String url, boolean boasts, int times) throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    CountingChild.class.getName(),
                    url,
                    String.valueOf(boasts)))
            .redirectErrorStream(true)
            .start();
    long said = 0;
    int lines = 0;
    StringBuilder other = new StringBuilder();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (!line.startsWith(KilledChild.SAYS)) {
          other.append(line).append('\n');
          continue;
        }
        said = Long.parseLong(line.substring(KilledChild.SAYS.length()));
        if (++lines == times) {
          process.toHandle().destroyForcibly(); // leaves what it has said to be read
        }
      }
    }
    process.waitFor();
    assertThat(lines).as("what it said besides: %s", other).isGreaterThanOrEqualTo(times);
    return said;
  }
}
