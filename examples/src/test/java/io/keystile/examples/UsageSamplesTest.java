package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.store.AuditEntry;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.WriteOutcome;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.Risk;
import io.keystile.usage.Usage;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageReports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code of the page on usage does what it says, and so do its figures. */
class UsageSamplesTest {
  private static final Path PAGE = Path.of("../docs/usage.md");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true).caller("billing");
  private static final Instant FROM = Instant.now().minus(Duration.ofDays(2));
  private static final Instant UNTIL = Instant.now().plus(Duration.ofDays(2));

  private final InMemoryKeyStore store = new InMemoryKeyStore();

  @TempDir Path folder;

  /** A key that made so many requests on a node that was closed then, and so has written them. */
  private IssuedKey used(int requests) {
    try (ApiKeys keys = UsageSamples.open(store)) {
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").plan("pro"));
      for (int i = 0; i < requests; i++) {
        boolean isAnswered = UsageSamples.answer(keys, issued.revealToken(), HERE, key -> served());
        assertThat(isAnswered).isTrue();
      }
      return issued;
    }
  }

  /** Takes a microsecond at least: what took none has no row for its duration. */
  private static byte[] served() {
    long began = System.nanoTime();
    while (System.nanoTime() - began < 1_000) {
      Thread.onSpinWait();
    }
    return new byte[1_000];
  }

  @Test
  void what_was_answered_is_billed_paged_and_exported() throws Exception {
    IssuedKey issued = used(10);
    try (ApiKeys keys = UsageSamples.open(store)) {
      Accepted accepted =
          (Accepted) keys.validate(issued.revealToken(), Access.authenticated(), HERE);
      UsageSamples.map(accepted, new byte[3_000_000]);
    }
    try (ApiKeys keys = UsageSamples.open(store)) {
      Usage used = keys.usage().total(UsageQuery.perHour(FROM, UNTIL).key(issued.id()));
      assertThat(used.requests()).isEqualTo(11);
      assertThat(used.answers()).isEqualTo(Map.of("GET 200", 10L));
      assertThat(used.endpoints()).isEqualTo(Map.of("/forecast/{city}", 10L));
      assertThat(used.networks()).isEqualTo(Map.of("192.0.2.0/24", 11L));
      assertThat(used.callers()).isEqualTo(Map.of("billing", 11L));
      assertThat(used.durations().count()).isEqualTo(10);
      assertThat(used.bytesByCategory()).isEqualTo(Map.of("all", 10_000L, "image", 3_000_000L));
      assertThat(UsageSamples.bill(keys, FROM, UNTIL, "weather-app")).isEqualTo(11 + 3);
      assertThat(UsageSamples.bill(keys, FROM, UNTIL, "another")).isZero();

      List<UsageReports.Row> rows = new ArrayList<>();
      UsageSamples.pages(keys, FROM, UNTIL, rows::add);
      assertThat(rows).extracting(UsageReports.Row::owner).containsOnly("weather-app");
      assertThat(rows.stream().mapToLong(row -> row.usage().requests()).sum()).isEqualTo(11);

      Path file = folder.resolve("usage.csv");
      UsageSamples.export(keys, FROM, UNTIL, file);
      assertThat(Files.readAllLines(file))
          .startsWith("key_id,owner,plan,period,start,metric,label,amount")
          .anyMatch(line -> line.endsWith(",endpoints,/forecast/{city},10"));
    }
  }

  @Test
  void what_is_old_is_removed() {
    used(1);
    try (ApiKeys keys = UsageSamples.open(store)) {
      UsageSamples.purge(keys, Instant.now());
      assertThat(UsageSamples.bill(keys, FROM, UNTIL, "weather-app")).isEqualTo(1);

      UsageSamples.purge(keys, Instant.now().plus(Duration.ofDays(402)));
      assertThat(UsageSamples.bill(keys, FROM, UNTIL, "weather-app")).isZero();
    }
  }

  /** A usual client: one route, one network, one caller. */
  @Test
  void the_rows_on_the_page_are_those_of_a_usual_client() throws Exception {
    IssuedKey answered = used(1);
    IssuedKey told;
    try (ApiKeys keys = UsageSamples.open(store)) {
      told = keys.issue(KeySpec.forOwner("weather-app"));
      Origin origin = Origin.of("192.0.2.7");
      assertThat(keys.validate(told.revealToken(), Access.authenticated(), origin).isAccepted())
          .isTrue();
    }

    String page = Files.readString(PAGE);
    assertThat(page)
        .contains("%d rows".formatted(rows(answered)))
        .contains("%d rows".formatted(rows(told)));
  }

  private int rows(IssuedKey key) {
    int rows = 0;
    for (Period period : Period.values()) {
      Filter all =
          new Filter(
              period,
              Instant.EPOCH,
              Instant.parse("9999-01-01T00:00:00Z"),
              key.id(),
              null,
              null,
              Set.of());
      rows += store.tallies(all, null, 1_000).size();
    }
    return rows;
  }

  @Test
  void a_key_is_looked_at_with_its_last_requests() {
    try (ApiKeys keys = UsageSamples.openWatched(store)) {
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app"));
      UsageSamples.answer(keys, issued.revealToken(), HERE, key -> new byte[7]);

      assertThat(UsageSamples.look(keys, issued.id()).level()).isEqualTo(Risk.Level.UNKNOWN);
      List<RequestRecord> recent = keys.recentRequests(issued.id());
      assertThat(recent).hasSize(1);
      assertThat(recent.get(0).client()).isEqualTo("192.0.2.7");
      assertThat(recent.get(0).bytes()).isEqualTo(7);
    }
  }

  @Test
  void what_risk_has_made_of_limits_is_undone() {
    try (ApiKeys keys = UsageSamples.openWatched(store)) {
      IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app"));
      adapt(issued.id());
      assertThat(keys.find(issued.id()).orElseThrow().adapted()).isNotNull();

      UsageSamples.undo(keys, issued.id());

      assertThat(keys.find(issued.id()).orElseThrow().adapted()).isNull();
    }
  }

  /** As a node would that has found high risk. */
  private void adapt(String keyId) {
    KeyRecord record = store.find(keyId).orElseThrow().record();
    KeyRecord adapted =
        record.toBuilder()
            .revision(record.revision() + 1)
            .adapted(new KeyRecord.Adapted(Instant.ofEpochMilli(1), 10, "HIGH risk"))
            .build();
    AuditEntry entry =
        new AuditEntry(
            0,
            "adapt-it",
            "adapt",
            keyId,
            record.owner(),
            null,
            Instant.ofEpochMilli(1),
            null,
            null,
            null,
            record.state(),
            record.state());
    assertThat(store.replace(new KeyWrite(adapted, entry))).isEqualTo(WriteOutcome.APPLIED);
  }
}
