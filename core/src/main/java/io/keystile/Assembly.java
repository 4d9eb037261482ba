package io.keystile;

import io.keystile.limit.Limiter;
import io.keystile.store.SharedLimits;
import io.keystile.store.UsageStore;
import io.keystile.usage.RequestRecords;
import io.keystile.usage.RiskSettings;
import io.keystile.usage.UsageRecorder;
import io.keystile.usage.UsageReports;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts the parts of an instance together, as the builder says, and starts what runs by itself. */
final class Assembly {
  /** How many notices of the change feed may be missing before the cache is emptied. */
  private static final long MAX_MISSING = 10_000;

  private static final Duration REPORT_INTERVAL = Duration.ofSeconds(5);

  private final ApiKeysBuilder options;
  private final List<TokenPrefix> prefixes;

  Assembly(ApiKeysBuilder options, List<TokenPrefix> prefixes) {
    this.options = options;
    this.prefixes = prefixes;
  }

  ApiKeys apiKeys() {
    Settings settings = settings();
    SecretHasher hasher =
        options.peppers.isEmpty()
            ? new SecretHasher()
            : new SecretHasher(
                options.peppers.get(0),
                options.peppers.subList(1, options.peppers.size()),
                options.acceptUnpeppered);
    MintTags tags =
        options.idKeys.isEmpty()
            ? null
            : new MintTags(
                options.idKeys.get(0), options.idKeys.subList(1, options.idKeys.size()), prefixes);
    ForeignTokens foreignTokens = options.importsKeys ? new ForeignTokens(options.importKey) : null;
    TokenGenerator generator = new TokenGenerator(options.clock, new SecureRandom(), tags);
    Background background = new Background(options.loaderThreads, options.loaderQueue);
    LifecycleSettings lifecycle = lifecycle();
    KeyLoader loader =
        new KeyLoader(
            options.store,
            hasher,
            options.subjectPermissions,
            lifecycle.rotation(),
            options.ticker);
    KeyCache cache = new KeyCache(settings, loader, background.loaders(), background.refreshers());
    ChangeFeed feed = new ChangeFeed(options.store, cache, settings);
    UseRecorder recorder = new UseRecorder(options.store, options.maxKeys);
    Counts counts = new Counts();
    Events events = new Events(options.listener, background.listener(), counts);
    Limits limits = new Limits(limiter(), Limits.Plans.of(options.defaultPlan, options.plans));
    KeyEditor editor =
        new KeyEditor(
            options.store, options.clock, lifecycle, new ThisNode(cache, recorder, events));
    Administration administration = new Administration(editor, new KeyMint(generator, hasher));
    KeyImporter importer = new KeyImporter(editor, hasher, foreignTokens);
    AutomaticSteps steps =
        new AutomaticSteps(
            administration,
            new Rehasher(editor, hasher, options.ticker, options.refreshAfter),
            background.steps(),
            options.revokeOnRetiredSecret);
    UsageRecording usage =
        options.recordsUsage ? usage((UsageStore) options.store, editor, limits, events) : null;
    Validator.Parts parts =
        new Validator.Parts(
            prefixes,
            hasher,
            options.requireMintedIds ? tags : null,
            foreignTokens,
            loader,
            cache,
            feed,
            recorder,
            usage,
            background.timer(),
            events,
            steps,
            limits,
            outcomes(events, counts));
    loader.countIn(counts);
    feed.countIn(counts);
    recorder.countIn(counts);
    steps.countIn(counts);
    feed.start();
    background.poll(feed::poll, settings.pollInterval());
    background.flush(() -> flush(recorder, usage), options.flushExecutor, options.flushInterval);
    background.sweep(limits::sweep);
    if (usage != null) {
      usage.countIn(counts);
      background.collect(usage::collect, options.flushInterval);
    }
    if (usage != null && options.riskPolicy != null) {
      background.assess(usage.judging()::round, options.riskPolicy.interval());
    }
    if (events.isHeard()) {
      background.report(events::report, REPORT_INTERVAL);
    }
    if (options.sharedInterval != null) {
      limits.exchange(); // signs on, before a request comes
      background.exchange(limits::exchange, options.sharedInterval);
    }
    return new ApiKeys(parts, settings, administration, importer, background);
  }

  private UsageRecording usage(
      UsageStore usageStore, KeyEditor editor, Limits limits, Events events) {
    RiskPolicy policy = options.riskPolicy;
    UsageReports reports = UsageReports.on(usageStore).knowing(this::issuedAt);
    RequestRecords records = new RequestRecords(options.logsRequests, options.keptRequests);
    return new UsageRecording(
        new UsageRecorder(usageStore, options.clock, options.usageKeys),
        records.isOff() ? null : records,
        new Judging(
            reports,
            options.clock,
            policy == null ? RiskSettings.usual() : policy.settings(),
            policy == null ? null : new RiskWatch(usageStore, editor, limits, policy, events)));
  }

  /** Nobody has recorded here how a key from elsewhere was used before it came. */
  private @Nullable Instant issuedAt(String keyId) {
    KeyId id = KeyId.parse(keyId);
    if (id == null || id.isImported()) {
      return null;
    }
    return options.store.find(keyId).map(stored -> stored.record().createdAt()).orElse(null);
  }

  private static void flush(UseRecorder recorder, @Nullable UsageRecording usage) {
    recorder.flush();
    if (usage != null) {
      usage.flush();
    }
  }

  private Outcomes outcomes(Events events, Counts counts) {
    if (!events.isHeard()) {
      return new Outcomes(null, counts);
    }
    WrongSecrets wrong =
        new WrongSecrets(options.wrongSecretsPerMinute, options.ticker, events::wrongSecrets);
    wrong.countIn(counts);
    return new Outcomes(wrong, counts);
  }

  private Limiter<String> limiter() {
    Limiter.Builder builder =
        Limiter.builder(options.defaultPlan).maxKeys(options.limitedKeys).ticker(options.ticker);
    if (options.sharedInterval != null) {
      builder.shared((SharedLimits) options.store, options.sharedInterval);
    }
    if (options.refuseWithoutSharing) {
      builder.refuseWithoutStore();
    }
    return builder.build();
  }

  private Settings settings() {
    return new Settings(
        options.clock,
        options.ticker,
        options.transport,
        options.maxKeys,
        options.maxAbsent,
        options.absentFor,
        options.propagation.dividedBy(2),
        options.propagation.dividedBy(2),
        options.maxStale,
        options.refreshAfter,
        options.entryAge,
        options.loadDeadline,
        options.gapAge,
        MAX_MISSING);
  }

  private LifecycleSettings lifecycle() {
    return new LifecycleSettings(
        prefixes,
        options.lifetime,
        options.maxLifetime,
        options.personalLifetime,
        options.maxPersonalLifetime,
        options.maxKeysPerOwner,
        new RotationRules(
            options.rotation,
            options.rotationOfPlans,
            options.maxLiveSecrets,
            options.selfRotationGrace));
  }
}
