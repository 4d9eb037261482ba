package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.keystile.http.CredentialExtractor;
import io.keystile.http.HeaderGetter;
import io.keystile.http.HttpGate;
import io.keystile.http.TrustedProxies;
import io.keystile.leak.LeakResponse;
import io.keystile.leak.LeakScanner;
import io.keystile.leak.PartnerAlert;
import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.AuditFilter;
import io.keystile.store.ChangeCursor;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.RevocationReason;
import io.keystile.store.SharedLimits;
import io.keystile.store.StoreException;
import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.RequestRecords;
import io.keystile.usage.Risk;
import io.keystile.usage.RiskSettings;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageRecorder;
import io.keystile.usage.UsageReports;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * No secret is in any {@code toString}, exception or log line: every public type is walked, and
 * every public method that takes text is given a token for it.
 */
class LeakTest {
  private static final byte[] PEPPER_BYTES = "pepper-of-thirty-two-bytes-or-so".getBytes();

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();
  private final ServerSecret pepper = ServerSecret.of("p1", PEPPER_BYTES);
  private final WatchedStore store = new WatchedStore();
  private final ApiKeys keys =
      ApiKeys.builder(store)
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .pepper(pepper)
          .idKey(Tokens.secret("i1", 7))
          .importedKeys(Tokens.secret("i1", 7))
          .recordUsage()
          .keepRequests(1)
          .build();
  private final IssuedKey issued =
      keys.issue(KeySpec.forOwner("owner").scopes("a:b").metadata(Map.of("k", "v")));
  private final String token = issued.revealToken();

  /** For what revokes the keys of the tokens it sees. */
  private final ApiKeys others =
      ApiKeys.builder(new InMemoryKeyStore())
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .build();

  @BeforeEach
  void listen() {
    log.start();
    root.setLevel(Level.TRACE);
    root.addAppender(log);
  }

  @AfterEach
  void stop() {
    keys.close();
    others.close();
    root.detachAppender(log);
    root.setLevel(level);
  }

  @Test
  void no_public_type_tells_a_secret() throws Exception {
    List<Object> samples = samples();
    Set<Class<?>> walked = new HashSet<>();
    Map<Object, Boolean> seen = new IdentityHashMap<>();
    int texts = 0;
    for (Object sample : samples) {
      texts += walk(sample, seen, walked, 0);
    }

    List<String> missing = new ArrayList<>();
    for (Class<?> type : publicTypes()) {
      boolean isValue = !type.isInterface() && !type.isEnum() && hasState(type);
      if (isValue && walked.stream().noneMatch(type::isAssignableFrom)) {
        missing.add(type.getName());
      }
    }
    assertThat(missing).as("public types without a sample here").isEmpty();
    System.out.println("Leaks: " + walked.size() + " types, " + texts + " texts, 0 secrets");
  }

  @Test
  void the_twin_that_tells_a_part_is_caught() {
    record Telling(String text) {}
    Object twin = List.of(new Telling(token.substring(40)));

    assertThatThrownBy(() -> walk(twin, new IdentityHashMap<>(), new HashSet<>(), 0))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void no_method_repeats_the_text_it_refuses() throws Exception {
    int calls = 0;
    int refusals = 0;
    for (Class<?> type : publicTypes()) {
      for (Method method : type.getMethods()) {
        boolean takesText = Arrays.asList(method.getParameterTypes()).contains(String.class);
        if (!takesText || method.getDeclaringClass() != type || type.isEnum()) {
          continue;
        }
        for (Object target : targets(type, method)) {
          calls++;
          try {
            method.invoke(target, arguments(method));
          } catch (InvocationTargetException e) {
            refusals++;
            for (Throwable t = e.getCause(); t != null; t = t.getCause()) {
              assertClean(String.valueOf(t), method.toString());
              assertThat(t.getSuppressed()).isEmpty();
            }
          }
        }
      }
    }
    assertThat(calls).isGreaterThan(50);
    assertThat(refusals).isGreaterThan(10);
    System.out.println("Leaks: " + calls + " calls with a token, " + refusals + " refused");
  }

  @Test
  void no_log_line_tells_a_secret() {
    Origin clear = Origin.of("192.0.2.1").secure(false);
    keys.validate(token, Access.authenticated(), clear);
    keys.validate(token + "x", Access.authenticated(), clear);
    store.down = true;
    keys.poll();
    failureOf(() -> keys.revokeAllOfSubject("nobody", because()));
    assertThat(log.list).isNotEmpty();
  }

  private static Revocation because() {
    return Revocation.because(RevocationReason.UNSPECIFIED);
  }

  @AfterEach
  void logIsClean() {
    assertThat(log.list).allSatisfy(event -> assertClean(event.toString(), "log"));
  }

  private List<Object> samples() throws Exception {
    Access access = Access.requiring("a:b");
    Origin origin = Origin.of("192.0.2.1").secure(true);
    OwnerKeys own = keys.forOwner("owner").mayGrant("a:*");
    List<Object> samples =
        new ArrayList<>(
            List.of(
                keys,
                ApiKeys.builder(store).defaultPlan(Plan.unlimited()).pepper(pepper),
                issued,
                pepper,
                access,
                origin,
                own,
                KeySpec.forOwner("owner").scopes("a:b"),
                KeyUpdate.of(),
                KeyQuery.all(),
                Cause.by("alice"),
                because(),
                keys.list(KeyQuery.all()),
                keys.find(issued.id()).orElseThrow(),
                keys.validate(token, access, origin),
                keys.validate(token, Access.requiring("x:y"), origin),
                keys.validate("wrong", access, origin),
                keys.status(),
                keys.audit(AuditFilter.all(), 0, 10),
                store.find(issued.id()).orElseThrow(),
                store.list(KeyFilter.all(), null, 10),
                store.changesSince(ChangeCursor.after(0), 10),
                new InMemoryKeyStore(),
                TokenFormat.class,
                new StoreException(StoreException.Kind.UNAVAILABLE, "test", null)));
    samples.addAll(rotationSamples(access, origin));
    samples.addAll(storeSamples());
    samples.addAll(httpSamples());
    samples.addAll(importSamples());
    samples.addAll(leakSamples());
    samples.addAll(limitSamples());
    samples.addAll(requestSamples());
    samples.addAll(usageSamples());
    samples.add(failureOf(() -> keys.disable("0".repeat(22), Cause.by("alice"))));
    samples.add(new OutcomeUnknownException("op", (StoreException) samples.get(24)));
    return samples;
  }

  private List<Object> requestSamples() {
    RequestRecord request =
        new RequestRecord(
            Instant.EPOCH, issued.id(), "owner", "/e", "GET", 200, null, null, 1L, "caller");
    RequestRecords recent = new RequestRecords(false, 1);
    recent.record(request);
    return List.of(request, recent);
  }

  /** Of the key whose secret the walk looks for. */
  private List<Object> usageSamples() {
    Instant day = Instant.parse("2026-03-02T00:00:00Z");
    InMemoryKeyStore kept = new InMemoryKeyStore();
    UsageRecorder recorder = new UsageRecorder(kept, () -> day, 10);
    UsageRecorder.OfKey counts = recorder.of(issued.id(), "owner", "pro");
    counts.accepted(day.toEpochMilli(), 1, 0, "caller");
    counts.refused(day.toEpochMilli(), 1, "RETIRED");
    counts.answered(day.toEpochMilli(), "GET", "/e", 200, 1);
    recorder.flush();
    UsageReports reports = UsageReports.on(kept);
    UsageQuery query = UsageQuery.perDay(day, day.plusSeconds(1));
    UsageReports.Row row = reports.rows(query).get(0);
    Risk risk = reports.risk(issued.id(), RiskSettings.usual(), day.plusSeconds(1));
    assertThat(risk.anomalies()).isNotEmpty();
    assertThat(risk.summary().busiestEndpoints()).isNotEmpty();
    UsageStore.Subject subject = new UsageStore.Subject(issued.id(), "owner", null);
    UsageStore.Tally tally = new UsageStore.Tally(subject, Period.DAY, day, "requests", "all", 1);
    return List.of(
        counts,
        reports,
        query,
        row,
        row.usage(),
        row.usage().durations(),
        recorder,
        recorder.counts(),
        risk,
        RiskSettings.usual(),
        RiskPolicy.alerting().adaptingLimits(),
        new UsageStore.Batch("b", day, List.of(tally)),
        new UsageStore.Filter(Period.DAY, day, day, issued.id(), null, null, Set.of()),
        new UsageStore.Retention(day, day, day, 1),
        new KeyRecord.Adapted(day, 1, "why"));
  }

  /** Counted for the key whose secret the walk looks for. */
  private List<Object> limitSamples() {
    Plan plan = Plan.of("team", Window.perSecond(1)).quota("bytes", Window.perDay(9));
    InMemoryKeyStore shared = new InMemoryKeyStore();
    Limiter.Builder builder = Limiter.builder(plan).shared(shared, Duration.ofSeconds(1));
    Limiter<String> limiter = builder.build();
    limiter.acquire(issued.id(), 1);
    limiter.exchange();
    SharedLimits.Snapshot snapshot = shared.read(Set.of("nodes"));
    Decision decision = limiter.peek(issued.id(), 1);
    return List.of(
        plan,
        plan.windows().get(0),
        builder,
        limiter,
        limiter.meter(issued.id()),
        decision,
        decision.windows().get(0),
        snapshot,
        snapshot.ledgers().get(0),
        new KeyRecord.Limit("requests", 1, Duration.ofSeconds(1)));
  }

  private List<Object> rotationSamples(Access access, Origin origin) {
    IssuedKey other = keys.issue(KeySpec.forOwner("owner").scopes("keys:rotate"));
    return List.of(
        Rotation.forced(RevocationReason.LEAKED).by("alice"),
        RotationPolicy.usual(),
        RotationPolicy.usual().toRule(),
        new KeyFilter.Due(Instant.EPOCH, Instant.EPOCH),
        keys.rotateSelf(other.revealToken(), origin, Cause.unstated()),
        keys.rotateSelf(token, origin, Cause.unstated()));
  }

  private List<Object> storeSamples() {
    KeyRecord record = store.find(issued.id()).orElseThrow().record();
    KeyWrite write =
        Operation.of("test", Cause.unstated(), null, null)
            .write(record, record, record.createdAt());
    return List.of(
        record.toBuilder(),
        write,
        WriteOutcome.repeated(write.entry()),
        new Purge(List.of(write), null, null, 1),
        new Purge.Result(1, 2, 3),
        new ChangeCursor(9, List.of(new ChangeCursor.Gap(1, 2))),
        new UseMark(issued.id(), 1, null, record.createdAt()),
        new KeyRecord.Revoked(record.createdAt(), RevocationReason.LEAKED, "note", "alice", null),
        KeyFilter.builder(),
        KeyFilter.all(),
        AuditFilter.all());
  }

  /** Of foreign tokens that hold what the walk looks for, good ones and bad ones. */
  private List<Object> importSamples() {
    KeySpec spec = KeySpec.forOwner("owner");
    String foreign = "legacy-" + token;
    List<Object> samples = new ArrayList<>();
    KeyImport good = KeyImport.ofToken(foreign, spec);
    KeyImport bad = KeyImport.ofSha256(foreign, spec);
    KeyImport ours = KeyImport.ofToken(token, spec);
    samples.addAll(List.of(good, bad, ours));
    KeyImport.Result result = keys.importKeys(List.of(good, bad, ours).iterator(), samples::add);
    samples.add(result);
    samples.addAll(result.refusals());
    samples.add(keys.validate(foreign, Access.authenticated(), Origin.of("192.0.2.1")));
    assertThat(result.refused()).isEqualTo(2);
    return samples;
  }

  private List<Object> httpSamples() {
    HeaderGetter<String> getter = new OneHeader();
    HttpGate<String> gate = HttpGate.of(keys, getter);
    CredentialExtractor extractor = CredentialExtractor.standard();
    return List.of(
        gate,
        extractor,
        extractor.extract(token, getter),
        TrustedProxies.none(),
        Networks.listed("192.0.2.0/24"),
        gate.check(token, Access.authenticated()),
        gate.check(token, Access.requiring("x:y")));
  }

  private List<Object> leakSamples() {
    LeakScanner scanner = LeakScanner.of(List.of("acme"), List.of("live"));
    LeakResponse response = LeakResponse.of(others, scanner).evidence("at " + token);
    String leaked = others.issue(KeySpec.forOwner("owner")).revealToken();
    return List.of(
        scanner,
        scanner.scan(token),
        response,
        response.handle(token + leaked),
        response.handleToken(token),
        PartnerAlert.class);
  }

  /** A request that is nothing but the value of its one header. */
  private static final class OneHeader implements HeaderGetter<String> {
    @Override
    public List<String> headers(String request, String name) {
      return name.equalsIgnoreCase("X-API-Key") ? List.of(request) : List.of();
    }

    @Override
    public @Nullable String rawQuery(String request) {
      return null;
    }

    @Override
    public boolean isSecure(String request) {
      return true;
    }

    @Override
    public String peerAddress(String request) {
      return "192.0.2.1";
    }
  }

  private static Object failureOf(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      return e;
    }
    return fail("should have been refused");
  }

  /** Looks at the text of a value and of all that its accessors return. */
  private int walk(Object value, Map<Object, Boolean> seen, Set<Class<?>> walked, int depth)
      throws Exception {
    if (value == null || depth > 6 || seen.put(value, true) != null) {
      return 0;
    }
    walked.add(value.getClass());
    assertClean(String.valueOf(value), value.getClass().getName());
    int texts = 1;
    if (value instanceof Iterable<?> many) {
      for (Object one : many) {
        texts += walk(one, seen, walked, depth + 1);
      }
    }
    if (!value.getClass().getName().startsWith("io.keystile")) {
      return texts;
    }
    for (Method method : value.getClass().getMethods()) {
      boolean isAccessor =
          method.getParameterCount() == 0
              && method.getReturnType() != void.class
              && !Modifier.isStatic(method.getModifiers())
              && Modifier.isPublic(value.getClass().getModifiers());
      // these two are what a token and a hash are read by, and are named for it
      if (isAccessor
          && !Set.of("revealToken", "hash", "build", "getClass").contains(method.getName())) {
        texts += walk(method.invoke(value), seen, walked, depth + 1);
      }
    }
    return texts;
  }

  private List<Object> targets(Class<?> type, Method method) throws Exception {
    if (Modifier.isStatic(method.getModifiers())) {
      return Collections.singletonList(null);
    }
    return samples().stream().filter(type::isInstance).toList();
  }

  private Object[] arguments(Method method) {
    return Stream.of(method.getParameterTypes())
        .map(
            type -> {
              if (type == String.class) {
                return token;
              }
              if (type == String[].class) {
                return new String[] {token + " "};
              }
              if (type == int.class) {
                return (Object) 1;
              }
              if (type == long.class) {
                return (Object) 1L;
              }
              if (type == boolean.class) {
                return (Object) false;
              }
              if (type == byte[].class) {
                return new byte[3];
              }
              if (type == Duration.class) {
                return Duration.ofDays(1);
              }
              if (type == Cause.class) {
                return Cause.unstated();
              }
              if (type == Revocation.class) {
                return because();
              }
              if (type == Access.class) {
                return Access.authenticated();
              }
              return null;
            })
        .toArray();
  }

  private void assertClean(String text, String where) {
    String secret = token.substring(token.length() - 38, token.length() - 6);
    for (int i = 0; i + 12 <= secret.length(); i++) {
      assertThat(text).as(where).doesNotContain(secret.substring(i, i + 12));
    }
    assertThat(text)
        .as(where)
        .doesNotContain(new String(PEPPER_BYTES))
        .doesNotContain(HexFormat.of().formatHex(PEPPER_BYTES))
        .doesNotContain(Base64.getEncoder().encodeToString(PEPPER_BYTES));
  }

  private static boolean hasState(Class<?> type) {
    return Stream.of(type.getDeclaredFields()).anyMatch(f -> !Modifier.isStatic(f.getModifiers()));
  }

  /** The public types of core and of the SPI, nested ones too. */
  private static List<Class<?>> publicTypes() throws Exception {
    List<Class<?>> types = new ArrayList<>();
    for (Class<?> anchor : List.of(ApiKeys.class, KeyStore.class)) {
      Path place = Path.of(anchor.getProtectionDomain().getCodeSource().getLocation().toURI());
      for (Class<?> type : classesIn(place)) {
        if (Modifier.isPublic(type.getModifiers())
            && (type.getEnclosingClass() == null
                || Modifier.isPublic(type.getEnclosingClass().getModifiers()))) {
          types.add(type);
        }
      }
    }
    assertThat(types.size()).isGreaterThan(40);
    return types;
  }

  private static List<Class<?>> classesIn(Path place) throws IOException, ClassNotFoundException {
    if (!Files.isDirectory(place)) {
      try (var jar = FileSystems.newFileSystem(place)) {
        return classesBelow(jar.getPath("/"));
      }
    }
    return classesBelow(place);
  }

  private static List<Class<?>> classesBelow(Path root) throws IOException, ClassNotFoundException {
    List<Class<?>> classes = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
        String name = root.relativize(file).toString().replace('/', '.').replace('\\', '.');
        if (!name.endsWith("-info.class")) {
          classes.add(Class.forName(name.substring(0, name.length() - ".class".length())));
        }
      }
    }
    return classes;
  }
}
