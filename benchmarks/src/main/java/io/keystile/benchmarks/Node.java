package io.keystile.benchmarks;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.ApiKeysBuilder;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.ServerSecret;
import io.keystile.Validation;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** How nodes are set up for measuring: as a host would, but that nothing goes on beside it. */
final class Node {
  static final Access READ = Access.requiring("forecast:read");
  static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  private static final String BRAND = "acme";
  private static final String ENVIRONMENT = "live";
  private static final String OWNER = "owner";
  private static final List<String> SCOPES = List.of("forecast:read", "forecast:write");
  private static final Duration LIFETIME = Duration.ofDays(3650);

  static final KeySpec SPEC =
      KeySpec.forOwner(OWNER).scopes(SCOPES.toArray(String[]::new)).lifetime(LIFETIME);

  private Node() {}

  /**
   * A node that keeps all keys of a population in memory, without limits.
   *
   * @param store its store
   * @param population how many keys it will see
   * @return a builder, for what a row needs besides
   */
  static ApiKeysBuilder builder(MapStore store, int population) {
    return ApiKeys.builder(store)
        .brand(BRAND)
        .environment(ENVIRONMENT)
        .defaultPlan(Plan.unlimited())
        .cachedKeys(population + population / 4)
        .limitedKeys(2 * population)
        .unknownIds(population + population / 4, Duration.ofHours(1))
        .loaders(2, 100_000)
        .loadDeadline(Duration.ofMinutes(1)) // a million loads wait for each other
        // so that the polls of a cluster of one are not measured
        .propagation(Duration.ofHours(1))
        .maxStale(Duration.ofDays(1))
        .refreshAfter(Duration.ofHours(23))
        .entryAge(Duration.ofDays(1))
        .useInterval(Duration.ofHours(1));
  }

  /** A secret that is the same in each run. */
  static ServerSecret secret(String id, long seed) {
    byte[] bytes = new byte[32];
    new Random(seed).nextBytes(bytes);
    return ServerSecret.of(id, bytes);
  }

  /** One window of a second. */
  static Plan oneWindow(long limit) {
    return Plan.of("one", Window.perSecond(limit));
  }

  /** The four windows of the default plan, with one limit for all. */
  static Plan fourWindows(long limit) {
    return Plan.of(
        "four",
        Window.perSecond(limit),
        Window.perMinute(limit),
        Window.perHour(limit),
        Window.perDay(limit));
  }

  /**
   * The tokens of one kind, of keys that are in this store; those of an unknown kind are not.
   *
   * @param kind what is sent
   * @param stream how many
   * @param store where the keys go
   * @param pepper of the node that will see them, or none
   * @param spec of each key
   * @return one for each client
   */
  static String[] tokens(
      Kind kind, TokenStream stream, MapStore store, List<ServerSecret> pepper, KeySpec spec) {
    if (kind == Kind.GOOD && pepper.isEmpty() && spec == SPEC) {
      String[] tokens = stream.texts();
      Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
      Arrays.stream(tokens).parallel().forEach(token -> store.put(record(token, now)));
      return tokens; // a tenth of the time that it takes to issue a million of them
    }
    MapStore target = kind == Kind.UNKNOWN ? new MapStore() : store;
    ApiKeysBuilder builder = builder(target, stream.population);
    pepper.forEach(builder::pepper);
    if (kind == Kind.EXPIRED) {
      InstantSource before = () -> Instant.now().minus(Duration.ofDays(2));
      builder.time(before, System::nanoTime);
    }
    try (ApiKeys issuer = builder.build()) {
      IssuedKey[] keys = stream.issue(issuer, kind.spec(spec));
      return kind.tokens(keys, issuer);
    }
  }

  /** The record that an issue leaves of such a token. */
  private static KeyRecord record(String token, Instant now) {
    byte[] text = new byte[Sha256.LENGTH];
    Sha256.copy(token, text);
    SecretVersion version =
        new SecretVersion(
            1,
            "sha256",
            null,
            HexFormat.of().formatHex(Sha256.digest().digest(text)),
            token.substring(token.length() - 4),
            now,
            null,
            null,
            now.plus(LIFETIME),
            null,
            null);
    return KeyRecord.builder()
        .id(new String(text, 0, Sha256.ID_LENGTH, StandardCharsets.US_ASCII))
        .prefix(BRAND, ENVIRONMENT)
        .owner(OWNER)
        .scopes(SCOPES)
        .createdAt(now)
        .versions(List.of(version))
        .build();
  }

  /**
   * Sends each token once, on all processors, so that all keys are in memory then.
   *
   * @param node who is to keep them
   * @param tokens what is sent
   * @return the answers
   */
  static List<Validation> warm(ApiKeys node, String[] tokens) {
    return Arrays.stream(tokens).parallel().map(token -> node.validate(token, READ, HERE)).toList();
  }

  /**
   * Sends each token once, and makes sure of the answers.
   *
   * @throws IllegalStateException if one is not as expected
   */
  static void warm(ApiKeys node, String[] tokens, Kind kind) {
    for (Validation answer : warm(node, tokens)) {
      if (!kind.isExpected(answer)) {
        throw new IllegalStateException(kind + " was answered with " + answer);
      }
    }
  }
}
