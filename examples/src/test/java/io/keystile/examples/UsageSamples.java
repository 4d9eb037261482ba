package io.keystile.examples;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKey;
import io.keystile.ApiKeys;
import io.keystile.KeyUpdate;
import io.keystile.Origin;
import io.keystile.RiskPolicy;
import io.keystile.store.KeyStore;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.Risk;
import io.keystile.usage.Usage;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageReports;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the page on usage, word for word. */
final class UsageSamples {
  private static final Logger log = LoggerFactory.getLogger(UsageSamples.class);
  private static final Access READ = Access.authenticated();

  private UsageSamples() {}

  static ApiKeys open(KeyStore store) {
    ApiKeys keys = ApiKeys.builder(store).brand("acme").environment("live").recordUsage().build();
    return keys;
  }

  static boolean answer(ApiKeys keys, String token, Origin origin, Function<ApiKey, byte[]> serve) {
    long began = System.nanoTime();
    if (keys.validate(token, READ, origin) instanceof Accepted accepted) {
      byte[] body = serve.apply(accepted.key());
      accepted.answered("GET", "/forecast/{city}", 200, System.nanoTime() - began, body.length);
      return true;
    }
    return false;
  }

  static void map(Accepted accepted, byte[] image) {
    accepted.transferred("image", image.length);
  }

  static long bill(ApiKeys keys, Instant from, Instant until, String owner) {
    Usage used = keys.usage().total(UsageQuery.perDay(from, until).owner(owner));
    long units = used.requests() + used.bytesByCategory().getOrDefault("image", 0L) / 1_000_000;
    return units;
  }

  static void pages(
      ApiKeys keys, Instant from, Instant until, Consumer<? super UsageReports.Row> invoice) {
    UsageQuery query = UsageQuery.perDay(from, until).plan("pro").limit(1_000);
    List<UsageReports.Row> page = keys.usage().rows(query);
    while (!page.isEmpty()) {
      page.forEach(invoice);
      page = keys.usage().rows(query.after(page.get(page.size() - 1)));
    }
  }

  static void export(ApiKeys keys, Instant from, Instant until, Path file) throws IOException {
    try (Writer out = Files.newBufferedWriter(file)) {
      keys.usage().csv(UsageQuery.perDay(from, until), out);
    }
  }

  static void purge(ApiKeys keys, Instant now) {
    keys.purgeUsage(now.minus(Duration.ofDays(35)), now.minus(Duration.ofDays(400)));
  }

  static ApiKeys openWatched(KeyStore store) {
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .recordUsage()
            .keepRequests(1_000)
            .logRequests()
            .assessRisk(RiskPolicy.alerting().adaptingLimits().reportingOnly())
            .build();
    return keys;
  }

  static Risk look(ApiKeys keys, String keyId) {
    Risk risk = keys.risk(keyId);
    log.info("{}: {}", risk.level(), risk.reason());
    for (Risk.Anomaly anomaly : risk.anomalies()) {
      log.info("{}", anomaly.evidence());
    }
    for (RequestRecord request : keys.recentRequests(keyId)) {
      log.info("{}", request);
    }
    return risk;
  }

  static void undo(ApiKeys keys, String keyId) {
    keys.update(keyId, KeyUpdate.of().unadapted().by("alice"));
  }
}
