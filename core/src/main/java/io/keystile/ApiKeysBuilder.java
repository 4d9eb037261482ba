package io.keystile;

import io.keystile.store.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Configures {@link ApiKeys}. A brand and an environment must be given; everything else has a
 * default that is meant to be kept. Not safe for use by several threads; {@link #build} may be
 * called more than once.
 */
public final class ApiKeysBuilder {
  /** How many notices of the change feed may be missing before the cache is emptied. */
  private static final long MAX_MISSING = 10_000;

  private final KeyStore store;
  private List<String> brands = List.of();
  private List<String> environments = List.of();
  private List<ServerSecret> peppers = List.of();
  private boolean acceptUnpeppered;
  private List<ServerSecret> idKeys = List.of();
  private boolean requireMintedIds;
  private InstantSource clock = InstantSource.system();
  private LongSupplier ticker = System::nanoTime;
  private TransportPolicy transport = TransportPolicy.REQUIRE;
  private int maxKeys = 100_000;
  private int maxAbsent = 10_000;
  private Duration absentFor = Duration.ofSeconds(10);
  private Duration propagation = Duration.ofSeconds(1);
  private Duration maxStale = Duration.ofSeconds(60);
  private Duration refreshAfter = Duration.ofMinutes(5);
  private Duration entryAge = Duration.ofMinutes(15);
  private Duration loadDeadline = Duration.ofMillis(500);
  private Duration gapAge = Duration.ofMinutes(10);
  private Duration flushInterval = Duration.ofSeconds(30);
  private int loaderThreads = 4;
  private int loaderQueue = 256;
  private Duration lifetime = LifecycleSettings.DEFAULT_LIFETIME;
  private @Nullable Duration maxLifetime;
  private Duration personalLifetime = LifecycleSettings.DEFAULT_PERSONAL_LIFETIME;
  private Duration maxPersonalLifetime = LifecycleSettings.DEFAULT_PERSONAL_MAXIMUM;
  private int maxKeysPerOwner = Integer.MAX_VALUE;
  private @Nullable SubjectPermissions subjectPermissions;
  private KeyListener listener = KeyListener.NONE;

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
   * <p>To change a pepper: add the new one everywhere as another, then make it the primary, then
   * drop the old one when no hash needs it any more. A hash whose pepper is missing is answered
   * with {@link Reason#PEPPER_MISSING}.
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
   * was one. Default: they are not accepted, because who can write to the database can make them.
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
   * no store read (one in 2^32 passes). Switch it on when every key was issued with an id key.
   * Default: off.
   *
   * @return this
   */
  public ApiKeysBuilder requireMintedIds() {
    requireMintedIds = true;
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
   * minutes after its write). Default 15 min; up to 1 day.
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
   * the connection pool needs one connection per thread, and two for the background.
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
   * How many keys are cached. Default 100,000; 1 to 100,000,000.
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
   * How often last use is written to the store. It is as old as this in lists, and what is younger
   * is lost when the process is killed. Default 30 s; 1 s to 1 hour.
   *
   * @param interval the interval
   * @return this
   */
  public ApiKeysBuilder useInterval(Duration interval) {
    flushInterval = between(interval, "interval", Duration.ofSeconds(1), Duration.ofHours(1));
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
   * How many live keys an owner may have. Default: no maximum.
   *
   * @param maximum at least 1
   * @return this
   */
  public ApiKeysBuilder maxKeysPerOwner(int maximum) {
    maxKeysPerOwner = between(maximum, "maximum", 1, Integer.MAX_VALUE);
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
   * Hears of events. Default: {@link KeyListener#NONE}.
   *
   * @param listener the listener
   * @return this
   */
  public ApiKeysBuilder listener(KeyListener listener) {
    this.listener = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /**
   * Where time comes from, for tests.
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
   * Builds an instance and starts its background threads. Reads the change feed once: blocks, and
   * needs the store.
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
    List<TokenPrefix> prefixes = prefixes();
    Settings settings = settings();
    SecretHasher hasher =
        peppers.isEmpty()
            ? new SecretHasher()
            : new SecretHasher(
                peppers.get(0), peppers.subList(1, peppers.size()), acceptUnpeppered);
    MintTags tags =
        idKeys.isEmpty()
            ? null
            : new MintTags(idKeys.get(0), idKeys.subList(1, idKeys.size()), prefixes);
    TokenGenerator generator = new TokenGenerator(clock, new SecureRandom(), tags);
    Background background = new Background(loaderThreads, loaderQueue);
    KeyLoader loader = new KeyLoader(store, hasher, subjectPermissions, ticker);
    KeyCache cache = new KeyCache(settings, loader, background.loaders(), background.refreshers());
    ChangeFeed feed = new ChangeFeed(store, cache, settings);
    UseRecorder recorder = new UseRecorder(store, maxKeys);
    Validator.Parts parts =
        new Validator.Parts(
            prefixes,
            hasher,
            requireMintedIds ? tags : null,
            loader,
            cache,
            feed,
            recorder,
            background.timer(),
            new Events(listener));
    Administration administration =
        new Administration(
            store,
            new KeyMint(generator, hasher),
            clock,
            lifecycle(prefixes),
            new ThisNode(cache, recorder));
    feed.start();
    background.poll(feed::poll, settings.pollInterval());
    background.flush(recorder::flush, flushInterval);
    return new ApiKeys(parts, settings, administration, background);
  }

  private void checkOptions() {
    require(!brands.isEmpty() && !environments.isEmpty(), "brand and environment must be given");
    require(!requireMintedIds || !idKeys.isEmpty(), "requireMintedIds needs an idKey");
    require(!acceptUnpeppered || !peppers.isEmpty(), "acceptUnpeppered needs a pepper");
    require(refreshAfter.compareTo(entryAge) < 0, "refreshAfter must be below entryAge");
    require(propagation.compareTo(maxStale) <= 0, "propagation must not be above maxStale");
    for (ServerSecret pepper : peppers) {
      require(
          idKeys.stream().noneMatch(pepper::isSameAs),
          "pepper and idKey must be different secrets: peppers are dropped one day, ids stay");
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

  private Settings settings() {
    return new Settings(
        clock,
        ticker,
        transport,
        maxKeys,
        maxAbsent,
        absentFor,
        propagation.dividedBy(2),
        propagation.dividedBy(2),
        maxStale,
        refreshAfter,
        entryAge,
        loadDeadline,
        gapAge,
        MAX_MISSING);
  }

  private LifecycleSettings lifecycle(List<TokenPrefix> prefixes) {
    return new LifecycleSettings(
        prefixes, lifetime, maxLifetime, personalLifetime, maxPersonalLifetime, maxKeysPerOwner);
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
