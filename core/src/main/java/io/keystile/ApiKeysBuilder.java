package io.keystile;

import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.store.KeyStore;
import io.keystile.store.SharedLimits;
import io.keystile.store.UsageStore;
import io.keystile.usage.RequestRecords;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Configures {@link ApiKeys}. A brand and an environment must be given; everything else has a
 * default that is meant to be kept. Not safe for use by several threads; {@link #build} may be
 * called more than once.
 */
public final class ApiKeysBuilder {
  final KeyStore store;
  List<String> brands = List.of();
  List<String> environments = List.of();
  List<ServerSecret> peppers = List.of();
  boolean acceptUnpeppered;
  List<ServerSecret> idKeys = List.of();
  boolean requireMintedIds;
  boolean importsKeys;
  @Nullable ServerSecret importKey;
  InstantSource clock = InstantSource.system();
  LongSupplier ticker = WallTime.SYSTEM_TICKER;
  TransportPolicy transport = TransportPolicy.REQUIRE;
  int maxKeys = 100_000;
  int maxAbsent = 10_000;
  Duration absentFor = Duration.ofSeconds(10);
  Duration propagation = Duration.ofSeconds(1);
  Duration maxStale = Duration.ofSeconds(60);
  Duration refreshAfter = Duration.ofMinutes(5);
  Duration entryAge = Duration.ofMinutes(15);
  Duration loadDeadline = Duration.ofMillis(500);
  Duration gapAge = Duration.ofMinutes(10);
  Duration flushInterval = Duration.ofSeconds(30);
  @Nullable Executor flushExecutor;
  boolean recordsUsage;
  int usageKeys = 100_000;
  @Nullable RiskPolicy riskPolicy;
  boolean logsRequests;
  int keptRequests;
  int loaderThreads = 4;
  int loaderQueue = 256;
  Duration lifetime = LifecycleSettings.DEFAULT_LIFETIME;
  @Nullable Duration maxLifetime;
  Duration personalLifetime = LifecycleSettings.DEFAULT_PERSONAL_LIFETIME;
  Duration maxPersonalLifetime = LifecycleSettings.DEFAULT_PERSONAL_MAXIMUM;
  int maxKeysPerOwner = Integer.MAX_VALUE;
  RotationPolicy rotation = RotationPolicy.usual();
  final Map<String, RotationPolicy> rotationOfPlans = new HashMap<>();
  int maxLiveSecrets = RotationRules.DEFAULT_MAX_LIVE;
  Duration selfRotationGrace = RotationRules.DEFAULT_OWN_GRACE;
  boolean revokeOnRetiredSecret;
  Plan defaultPlan = Plan.standard();
  Plan[] plans = {};
  int limitedKeys = Limiter.DEFAULT_MAX_KEYS;
  @Nullable Duration sharedInterval;
  boolean refuseWithoutSharing;
  @Nullable SubjectPermissions subjectPermissions;
  KeyListener listener = KeyListener.NONE;
  int wrongSecretsPerMinute = WrongSecrets.DEFAULT_THRESHOLD;

  ApiKeysBuilder(KeyStore store) {
    this.store = Objects.requireNonNull(store, "store");
  }

  /**
   * The brands that tokens of this node begin with, each {@code [a-z][a-z0-9]{1,15}}. The first is
   * the default of new keys; a token of another brand is malformed here.
   *
   * @param brands at least one
   * @return this
   */
  public ApiKeysBuilder brand(String... brands) {
    this.brands = List.of(brands);
    return this;
  }

  /**
   * The environments this node serves, each {@code [a-z][a-z0-9]{1,15}}, for instance {@code live}
   * or {@code test}. The first is the default of new keys; a good key of another environment is
   * rejected with {@link Reason#WRONG_ENVIRONMENT}.
   *
   * @param environments at least one
   * @return this
   */
  public ApiKeysBuilder environment(String... environments) {
    this.environments = List.of(environments);
    return this;
  }

  /**
   * The peppers. With one, hashes are keyed with a secret that is not in the database, so that who
   * can write there cannot make a key. Default: none. Validation costs nothing more for it, once a
   * key is warm.
   *
   * <p>To change a pepper: add the new one on every node as another, then make it the primary, then
   * drop the old one when {@link ApiKeys#countNeeding} says that no key needs it any more. Secrets
   * that are let in are hashed again with the primary one in the background, unless they are new or
   * that was done within the last hour, or the store does not take it. Nothing warns of a pepper
   * that is dropped too early, but for that count: its keys are answered with {@link
   * Reason#PEPPER_MISSING} until it is back.
   *
   * @param primary hashes new secrets, and verifies
   * @param others verify only
   * @return this
   */
  public ApiKeysBuilder pepper(ServerSecret primary, ServerSecret... others) {
    peppers = join(primary, others);
    return this;
  }

  /**
   * Accepts hashes without a pepper beside those with one, for keys that were issued before there
   * was one; they get one when they are used. {@link ApiKeys#countUnpeppered} says when it can be
   * switched off. Default: they are not accepted, because who can write to the database can make
   * them.
   *
   * @return this
   */
  public ApiKeysBuilder acceptUnpeppered() {
    acceptUnpeppered = true;
    return this;
  }

  /**
   * The id keys, which mark the ids of new keys as ours. They are for life: ids are not renewed.
   * Never use a pepper as one. Default: none.
   *
   * @param primary marks new ids, and verifies
   * @param others verify only
   * @return this
   */
  public ApiKeysBuilder idKey(ServerSecret primary, ServerSecret... others) {
    idKeys = join(primary, others);
    return this;
  }

  /**
   * Refuses ids that none of the id keys has marked, without asking the store: forged ids then cost
   * no store read (one in 2^32 passes). Switch it on when every key was issued with an id key; keys
   * that were imported need none. Default: off.
   *
   * @return this
   */
  public ApiKeysBuilder requireMintedIds() {
    requireMintedIds = true;
    return this;
  }

  /**
   * As {@link #importedKeys(ServerSecret)}, without a secret: for keys that are random enough,
   * since the id of an imported key is a hash of its token that anybody can compute then. Who reads
   * the database finds a token that can be guessed, in spite of a pepper.
   *
   * @return this
   */
  public ApiKeysBuilder importedKeys() {
    importsKeys = true;
    importKey = null;
    return this;
  }

  /**
   * Takes keys that were issued elsewhere ({@link ApiKeys#importKeys}) and accepts their tokens. A
   * text that is no token of ours then costs a hash, and a read of the store unless it was looked
   * for lately; {@link #requireMintedIds} does not keep it from that. Up to 512 characters are
   * looked at; longer text is malformed. Default: off, and such text is malformed without more.
   *
   * <p>Set it on every node, with the same secret. It is for life: the ids of imported keys follow
   * from it. Once all imported keys have been rotated and their graces are over, nobody sends a
   * foreign token any more; it must stay on nevertheless, as these keys keep their ids.
   *
   * @param importKey keys the ids of imported keys; may be an {@link #idKey}, never a pepper
   * @return this
   */
  public ApiKeysBuilder importedKeys(ServerSecret importKey) {
    importsKeys = true;
    this.importKey = Objects.requireNonNull(importKey, "importKey");
    return this;
  }

  /**
   * What to do with good tokens that were sent in clear. Default: {@link TransportPolicy#REQUIRE}.
   *
   * @param policy the policy
   * @return this
   */
  public ApiKeysBuilder transport(TransportPolicy policy) {
    transport = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /**
   * Within which time a change made on another node is seen here, while the store answers: half of
   * it is the interval of polling the change feed, half the time a poll may take. Default 1 s; 20
   * ms to 1 hour.
   *
   * @param propagation the bound
   * @return this
   */
  public ApiKeysBuilder propagation(Duration propagation) {
    this.propagation =
        between(propagation, "propagation", Duration.ofMillis(20), Duration.ofHours(1));
    return this;
  }

  /**
   * For how long cached keys are accepted while the change feed cannot be read, counted from the
   * start of the last good poll (or of the load of the key, if that is later). Default 60 s; not
   * below {@link #propagation}, up to 1 day. After that a key must be loaded anew, and is
   * unavailable if the store is.
   *
   * @param maxStale the bound
   * @return this
   */
  public ApiKeysBuilder maxStale(Duration maxStale) {
    this.maxStale = between(maxStale, "maxStale", Duration.ofMillis(1), Duration.ofDays(1));
    return this;
  }

  /**
   * The age at which a cached key that is in use is read again in the background; if the store does
   * not answer it is kept, and read again after a tenth of this. Default 5 min; up to 1 day, and
   * below {@link #entryAge}.
   *
   * @param refreshAfter the age
   * @return this
   */
  public ApiKeysBuilder refreshAfter(Duration refreshAfter) {
    this.refreshAfter =
        between(refreshAfter, "refreshAfter", Duration.ofMillis(1), Duration.ofDays(1));
    return this;
  }

  /**
   * The age at which a cached key is not used any more, whatever the change feed says. It is the
   * bound for changes that the feed cannot deliver (a transaction that stays open for more than 10
   * minutes after its write, or is open when this starts and more than 50,000 changes old). Default
   * 15 min; up to 1 day.
   *
   * @param entryAge the age
   * @return this
   */
  public ApiKeysBuilder entryAge(Duration entryAge) {
    this.entryAge = between(entryAge, "entryAge", Duration.ofMillis(1), Duration.ofDays(1));
    return this;
  }

  /**
   * How long a request waits for the store when its key is not cached. Then it is rejected with
   * {@link Reason#STORE_UNAVAILABLE}; the load goes on and serves later requests. Default 500 ms;
   * up to 1 min.
   *
   * @param loadDeadline the bound
   * @return this
   */
  public ApiKeysBuilder loadDeadline(Duration loadDeadline) {
    this.loadDeadline =
        between(loadDeadline, "loadDeadline", Duration.ofMillis(1), Duration.ofMinutes(1));
    return this;
  }

  /**
   * How many threads read the store for validation, and how many loads may wait for them. Beyond
   * that a request is rejected with {@link Reason#STORE_UNAVAILABLE} at once. Default 4 and 256;
   * the connection pool needs one connection per thread, and three for the background.
   *
   * @param threads 1 to 256
   * @param queue 1 to 100,000
   * @return this
   */
  public ApiKeysBuilder loaders(int threads, int queue) {
    loaderThreads = between(threads, "threads", 1, 256);
    loaderQueue = between(queue, "queue", 1, 100_000);
    return this;
  }

  /**
   * How many keys are cached. Default 100,000; 1 to 100,000,000. Room for the references to the
   * ones used last is taken at once: 8 to 16 bytes for each key, twice that on heaps above 32 GB,
   * and for a million places at most.
   *
   * @param maxKeys the bound
   * @return this
   */
  public ApiKeysBuilder cachedKeys(int maxKeys) {
    this.maxKeys = between(maxKeys, "maxKeys", 1, 100_000_000);
    return this;
  }

  /**
   * How many ids that nobody has are remembered, and for how long. They have a cache of their own
   * and cannot push out good keys. Default 10,000 for 10 s; 1 to 10,000,000, up to 1 hour.
   *
   * @param maxIds the bound
   * @param time for how long
   * @return this
   */
  public ApiKeysBuilder unknownIds(int maxIds, Duration time) {
    maxAbsent = between(maxIds, "maxIds", 1, 10_000_000);
    absentFor = between(time, "time", Duration.ofMillis(1), Duration.ofHours(1));
    return this;
  }

  /**
   * How often last use and usage are written to the store. They are as old as this when they are
   * read, and what is younger is lost when the process is killed. Default 30 s; 1 s to 1 hour.
   *
   * @param interval the interval
   * @return this
   */
  public ApiKeysBuilder useInterval(Duration interval) {
    flushInterval = between(interval, "interval", Duration.ofSeconds(1), Duration.ofHours(1));
    return this;
  }

  /**
   * Where last use and usage are written to the store. Default: on a daemon thread of the library.
   *
   * @param executor runs one task per {@link #useInterval}, which blocks while the store works; if
   *     it refuses one, the next one writes more. One that drops tasks without a word is given the
   *     next after ten intervals
   * @return this
   */
  public ApiKeysBuilder useExecutor(Executor executor) {
    flushExecutor = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /**
   * Keeps what keys are used for, per hour and per day: requests, refusals by reason, networks,
   * callers and, where the host tells of them ({@link Accepted#answered}), responses by method,
   * status and endpoint, durations and bytes. No request waits for it. Read with {@link
   * ApiKeys#usage}, removed with {@link ApiKeys#purgeUsage}. Default: off.
   *
   * <p>Written with every {@link #useInterval}: about ten to thirty rows for each key that was used
   * meanwhile. What is younger is lost when the process is killed.
   *
   * @return this
   * @throws IllegalArgumentException if the store does not implement {@link UsageStore}
   */
  public ApiKeysBuilder recordUsage() {
    if (!(store instanceof UsageStore)) {
      throw new IllegalArgumentException("recordUsage: the store does not implement UsageStore");
    }
    recordsUsage = true;
    return this;
  }

  /**
   * Assesses the risk of keys by their usage, and does what the policy says. Default: off. Needs
   * {@link #recordUsage}.
   *
   * @param policy what is to be done
   * @return this
   */
  public ApiKeysBuilder assessRisk(RiskPolicy policy) {
    riskPolicy = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /**
   * Writes one line of JSON per request that the host has told the answer of ({@link
   * Accepted#answered}), on the logger {@value RequestRecords#LOGGER}. Default: off. Needs {@link
   * #recordUsage}. On the thread of the request: it waits as long as the log does.
   *
   * @return this
   */
  public ApiKeysBuilder logRequests() {
    logsRequests = true;
    return this;
  }

  /**
   * Keeps the last 100 requests of each key that the host has told the answer of ({@link
   * Accepted#answered}), in the memory of this node: {@link ApiKeys#recentRequests}. Default: off.
   * Needs {@link #recordUsage}.
   *
   * @param keys of how many keys, those used last, 1 to 1,000,000; 1,000 keys take about 30 MB
   * @return this
   */
  public ApiKeysBuilder keepRequests(int keys) {
    keptRequests = between(keys, "keepRequests", 1, 1_000_000);
    return this;
  }

  /**
   * For how many keys there is room for usage in memory. A key takes one place for each hour that
   * is not stored: two around the border of an hour, more while the store is away; so give twice as
   * many as are in use. What finds no place is dropped and counted ({@link SystemStatus#usage}).
   * Default 100,000; at least 1. About 1.5 kilobytes each, more for keys with many endpoints and
   * networks, and as much again for each key and minute of the last 30 seconds.
   *
   * @param max how many
   * @return this
   */
  public ApiKeysBuilder usageKeys(int max) {
    usageKeys = between(max, "usageKeys", 1, Integer.MAX_VALUE);
    return this;
  }

  /**
   * How long secrets of service keys live if their spec does not say. Default 90 days; 1 s to
   * 36,500 days.
   *
   * @param lifetime the default
   * @return this
   */
  public ApiKeysBuilder lifetime(Duration lifetime) {
    this.lifetime = lifetime(lifetime, "lifetime");
    return this;
  }

  /**
   * The longest lifetime a secret may be given; a longer one, or none, is refused. Default: no
   * maximum.
   *
   * @param maximum 1 s to 36,500 days
   * @return this
   */
  public ApiKeysBuilder maxLifetime(Duration maximum) {
    maxLifetime = lifetime(maximum, "maximum");
    return this;
  }

  /**
   * How long personal access tokens live if their spec does not say, and how long at most, counted
   * from their issue, extensions included. Default 30 days and 365 days.
   *
   * @param lifetime the default, 1 s to 36,500 days
   * @param maximum the maximum, not below the default
   * @return this
   */
  public ApiKeysBuilder personalLifetime(Duration lifetime, Duration maximum) {
    personalLifetime = lifetime(lifetime, "lifetime");
    maxPersonalLifetime = between(maximum, "maximum", lifetime, Duration.ofDays(36_500));
    return this;
  }

  /**
   * How many live keys an owner may have. It is held when keys are issued; where the host itself
   * revives an expired one ({@link ApiKeys#rotate}), it knows what it does. Default: no maximum.
   *
   * @param maximum at least 1
   * @return this
   */
  public ApiKeysBuilder maxKeysPerOwner(int maximum) {
    maxKeysPerOwner = between(maximum, "maximum", 1, Integer.MAX_VALUE);
    return this;
  }

  /**
   * When secrets are due to be replaced, and how long the old ones go on working then. Default:
   * {@link RotationPolicy#usual()}, due one grace of 7 days before the end.
   *
   * @param policy for keys that have no rule of their own or of their plan
   * @return this
   */
  public ApiKeysBuilder rotation(RotationPolicy policy) {
    rotation = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /**
   * The same for the keys of a plan. Default: as for all keys.
   *
   * @param plan the name of the plan
   * @param policy for keys of this plan that have no rule of their own
   * @return this
   */
  public ApiKeysBuilder rotation(String plan, RotationPolicy policy) {
    rotationOfPlans.put(
        Objects.requireNonNull(plan, "plan"), Objects.requireNonNull(policy, "policy"));
    return this;
  }

  /**
   * How many secrets of one key may work at a time; a rotation retires the oldest beyond that at
   * once. Default 3; 1 to 8, with 1 there is no grace.
   *
   * @param maximum the new secret included
   * @return this
   */
  public ApiKeysBuilder maxLiveSecrets(int maximum) {
    maxLiveSecrets = between(maximum, "maximum", 1, SecretRotation.MAX_VERSIONS);
    return this;
  }

  /**
   * How long older secrets go on working after a client has replaced its own ({@link
   * ApiKeys#rotateSelf}). Default 24 hours; 0 to 36,500 days.
   *
   * @param grace the grace
   * @return this
   */
  public ApiKeysBuilder selfRotationGrace(Duration grace) {
    selfRotationGrace = RotationPolicy.requireGrace(grace);
    return this;
  }

  /**
   * Revokes a key when one of its secrets comes back after its grace, or after it was revoked:
   * somebody may have stolen it. Not before one grace of the key's {@link RotationPolicy} (7 days
   * where nothing is set), and at least an hour, has passed since a newer secret was made or this
   * one was revoked, by the last change before its end: so a rotation without grace, or one that
   * cuts a grace short, gives its client the time to hear of it. It is done in the background, soon
   * after the request that was refused, with {@link
   * io.keystile.store.RevocationReason#SUSPICIOUS_ACTIVITY}. Default: off, for a client that was
   * forgotten does the same; {@link KeyListener#retiredSecretUsed} is called in either case.
   *
   * @return this
   */
  public ApiKeysBuilder revokeOnRetiredSecret() {
    revokeOnRetiredSecret = true;
    return this;
  }

  /**
   * The limits of keys that name no plan and have none of their own, or that name a plan which this
   * node does not know. Default: {@link Plan#standard()}, 10 requests a second, 300 a minute, 5,000
   * an hour, 50,000 a day. {@link Plan#unlimited()} turns them off.
   *
   * @param plan the plan
   * @return this
   */
  public ApiKeysBuilder defaultPlan(Plan plan) {
    defaultPlan = Objects.requireNonNull(plan, "plan");
    return this;
  }

  /**
   * The plans that keys may name, besides {@link Plan#free()}, {@link Plan#pro()} and {@link
   * Plan#unlimited()}, which are known by their names unless others have them. Default: no others.
   * Each node counts for itself, unless {@link #sharedLimits} is set.
   *
   * @param plans no two with the same name
   * @return this
   */
  public ApiKeysBuilder plans(Plan... plans) {
    this.plans = plans.clone();
    return this;
  }

  /**
   * How many keys, or owners where a plan counts for them, are counted for their limits at a time.
   * Those whose windows have ended are dropped and do not count; if all of them are in use,
   * requests of others are refused. Default 1,000,000; at least 1. About 300 bytes each with the
   * default limits.
   *
   * @param max how many
   * @return this
   */
  public ApiKeysBuilder limitedKeys(int max) {
    limitedKeys = between(max, "limitedKeys", 1, Integer.MAX_VALUE);
    return this;
  }

  /**
   * Keeps limits together with the other nodes, by leases that they take in the store: no request
   * waits for it. What all nodes together let through is bounded as {@link Limiter.Builder#shared}
   * says: with 1 second, windows from 10 seconds on are kept by leases, and shorter ones are split
   * evenly over the nodes. The counts of longer windows outlive a restart. All nodes should have
   * the same interval and plans. While the store is away, a node goes on alone with its share.
   *
   * <p>Default: off, each node counts for itself. Costs two calls of the store per interval, and
   * two more for each 500 keys in use.
   *
   * @param interval how often nodes speak to each other, 50 ms to 1 hour; 1 second suits most
   * @return this
   * @throws IllegalArgumentException if it is out of range, or the store does not implement {@link
   *     SharedLimits}
   */
  public ApiKeysBuilder sharedLimits(Duration interval) {
    if (!(store instanceof SharedLimits)) {
      throw new IllegalArgumentException("sharedLimits: the store does not implement SharedLimits");
    }
    sharedInterval = between(interval, "interval", Duration.ofMillis(50), Duration.ofHours(1));
    return this;
  }

  /**
   * Refuses requests of keys for which this node has no lease while the store is away, instead of
   * going on alone; see {@link #sharedLimits}. Default: off.
   *
   * @return this
   */
  public ApiKeysBuilder refuseWithoutSharing() {
    refuseWithoutSharing = true;
    return this;
  }

  /**
   * Asks what the user behind a personal access token may do now. Default: nobody is asked, and a
   * token may do all that it was granted.
   *
   * @param permissions the host's answer
   * @return this
   */
  public ApiKeysBuilder subjectPermissions(SubjectPermissions permissions) {
    subjectPermissions = Objects.requireNonNull(permissions, "permissions");
    return this;
  }

  /**
   * Hears of events and counters. Default: {@link KeyListener#NONE}.
   *
   * @param listener the listener
   * @return this
   */
  public ApiKeysBuilder listener(KeyListener listener) {
    this.listener = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /**
   * How many wrong secrets from one address within a minute are told to the listener ({@link
   * KeyListener#wrongSecrets}). Nobody is refused for it. Default 20; 1 to 1,000,000.
   *
   * @param count how many
   * @return this
   */
  public ApiKeysBuilder wrongSecretsPerMinute(int count) {
    wrongSecretsPerMinute = between(count, "wrongSecretsPerMinute", 1, 1_000_000);
    return this;
  }

  /**
   * Where time comes from, for tests. While this is not called, the system's wall clock is read for
   * validations at most every half millisecond, and a secret may be let in for so long after its
   * end. A clock that is given here is read for each.
   *
   * @param clock the wall clock; is used in whole milliseconds
   * @param ticker nanoseconds that never run backwards, as {@link System#nanoTime}
   * @return this
   */
  public ApiKeysBuilder time(InstantSource clock, LongSupplier ticker) {
    this.clock = Objects.requireNonNull(clock, "clock");
    this.ticker = Objects.requireNonNull(ticker, "ticker");
    return this;
  }

  /** For tests of the feed's bound. */
  ApiKeysBuilder gapAge(Duration gapAge) {
    this.gapAge = gapAge;
    return this;
  }

  /**
   * Builds an instance and starts its background threads. Reads the change feed: blocks, and needs
   * the store.
   *
   * @return a new instance, to be closed by the caller
   * @throws IllegalStateException if brand or environment are missing, or options contradict each
   *     other
   * @throws IllegalArgumentException if a brand, an environment or a set of server secrets is
   *     refused
   * @throws io.keystile.store.StoreException if the store does not answer
   */
  public ApiKeys build() {
    checkOptions();
    return new Assembly(this, prefixes()).apiKeys();
  }

  private void checkOptions() {
    require(!brands.isEmpty() && !environments.isEmpty(), "brand and environment must be given");
    require(!requireMintedIds || !idKeys.isEmpty(), "requireMintedIds needs an idKey");
    require(!acceptUnpeppered || !peppers.isEmpty(), "acceptUnpeppered needs a pepper");
    require(refreshAfter.compareTo(entryAge) < 0, "refreshAfter must be below entryAge");
    require(riskPolicy == null || recordsUsage, "assessRisk needs recordUsage");
    require(!logsRequests || recordsUsage, "logRequests needs recordUsage");
    require(keptRequests == 0 || recordsUsage, "keepRequests needs recordUsage");
    require(
        !refuseWithoutSharing || sharedInterval != null, "refuseWithoutSharing needs sharedLimits");
    require(propagation.compareTo(maxStale) <= 0, "propagation must not be above maxStale");
    for (ServerSecret pepper : peppers) {
      require(
          idKeys.stream().noneMatch(pepper::isSameAs),
          "pepper and idKey must be different secrets: peppers are dropped one day, ids stay");
      require(
          importKey == null || !pepper.isSameAs(importKey),
          "pepper and importedKeys must have different secrets: peppers are dropped one day, ids"
              + " stay");
    }
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalStateException(message);
    }
  }

  private List<TokenPrefix> prefixes() {
    List<TokenPrefix> prefixes = new ArrayList<>();
    for (String brand : brands) {
      for (String environment : environments) {
        prefixes.add(new TokenPrefix(brand, environment));
      }
    }
    return List.copyOf(prefixes);
  }

  private static List<ServerSecret> join(ServerSecret primary, ServerSecret... others) {
    List<ServerSecret> all = new ArrayList<>();
    all.add(Objects.requireNonNull(primary, "primary"));
    all.addAll(List.of(others));
    return List.copyOf(all);
  }

  private static Duration lifetime(Duration value, String option) {
    return between(value, option, Duration.ofSeconds(1), Duration.ofDays(36_500));
  }

  private static <T extends Comparable<? super T>> T between(
      T value, String option, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new IllegalArgumentException(
          option + ": must be " + least + " to " + most + ", is " + value);
    }
    return value;
  }
}
