package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.InMemoryKeyStore;
import io.keystile.Internals;
import io.keystile.IssuedKey;
import io.keystile.KeyListener;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.Seed;
import io.keystile.TransportPolicy;
import io.keystile.limit.Plan;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HttpGateTest {

  private static final Access READ = Access.requiring("forecast:read");
  private static final Access WRITE = Access.requiring("forecast:write");
  private static final String PROXY = "10.0.0.1";

  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final List<ApiKeys> open = new ArrayList<>();
  private final ApiKeys keys = node("live", TransportPolicy.REQUIRE);
  private final HttpGate<SampleRequest> gate = gate(keys);

  private ApiKeys node(String environment, TransportPolicy policy) {
    InstantSource clock = now::get;
    ApiKeys node =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment(environment)
            .transport(policy)
            .time(clock, System::nanoTime)
            .listener(
                new KeyListener() {
                  @Override
                  public void insecureTransport(String keyId, boolean accepted) {
                    events.add("insecure " + keyId + " " + accepted);
                  }

                  @Override
                  public void usedFromBrowser(String keyId) {
                    events.add("browser " + keyId);
                  }
                })
            .build();
    open.add(node);
    return node;
  }

  /** What the listeners of all nodes were told. */
  private List<String> events() {
    open.forEach(Internals::awaitEvents);
    return events;
  }

  private static HttpGate<SampleRequest> gate(ApiKeys keys) {
    return HttpGate.of(keys, SampleRequest.GETTER).withProxies(TrustedProxies.of("10.0.0.0/8"));
  }

  @AfterEach
  void close() {
    open.forEach(ApiKeys::close);
  }

  private IssuedKey issue() {
    return keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read"));
  }

  private static SampleRequest with(String token) {
    return SampleRequest.EMPTY.header("X-API-Key", token);
  }

  private static int status(HttpGate.Result result) {
    return result instanceof HttpDenial denial ? denial.status() : 200;
  }

  @Test
  void lets_a_good_key_in() {
    IssuedKey issued = issue();

    HttpGate.Result result = gate.check(with(issued.revealToken()), READ);

    assertThat(result).isInstanceOf(HttpGate.Passed.class);
    assertThat(((HttpGate.Passed) result).accepted().key().id()).isEqualTo(issued.id());
    assertThat(result.headers()).isEmpty();
    assertThat(result.toString()).contains(issued.id()).doesNotContain(issued.revealToken());
  }

  @Test
  void answers_as_the_table_says() {
    String token = issue().revealToken();
    IssuedKey bound =
        keys.issue(KeySpec.forOwner("o").scopes("forecast:read").networks("198.51.100.0/24"));

    assertThat(status(gate.check(SampleRequest.EMPTY, READ))).isEqualTo(401);
    assertThat(status(gate.check(with(token).header("X-API-Key", "other"), READ))).isEqualTo(400);
    assertThat(status(gate.check(with("nonsense"), READ))).isEqualTo(401);
    assertThat(status(gate.check(with(token), WRITE))).isEqualTo(403);
    assertThat(status(gate.check(with(bound.revealToken()), READ))).isEqualTo(403);
    assertThat(status(gate.check(with(bound.revealToken()).peer("198.51.100.7"), READ)))
        .isEqualTo(200);
    assertThat(status(gate.check(with(token).secure(false), READ))).isEqualTo(403);
    assertThat(status(gate.check(with(token), READ))).isEqualTo(200);
  }

  @Test
  void checks_the_caller_name() {
    Access internal = READ.fromNamedCaller();
    String token =
        keys.issue(KeySpec.forOwner("o").scopes("forecast:read").callers("billing")).revealToken();

    assertThat(status(gate.check(with(token), internal))).isEqualTo(403);
    assertThat(status(gate.check(with(token).header("X-Service-Name", "Billing"), internal)))
        .isEqualTo(403);
    assertThat(status(gate.check(with(token).header("X-Service-Name", "billing"), internal)))
        .isEqualTo(200);
  }

  @Test
  void tells_of_a_service_key_in_a_browser() {
    IssuedKey issued = issue();

    gate.check(with(issued.revealToken()).header("Sec-Fetch-Mode", "cors"), READ);

    assertThat(events()).containsExactly("browser " + issued.id());
  }

  @Test
  void gives_real_keys_that_are_not_valid_the_same_answer() {
    String good = issue().revealToken();
    IssuedKey revoked = issue();
    IssuedKey disabled = issue();
    IssuedKey ended = issue();
    String otherEnvironment =
        node("test", TransportPolicy.REQUIRE)
            .issue(KeySpec.forOwner("o").scopes("forecast:read"))
            .revealToken();
    String expired =
        keys.issue(KeySpec.forOwner("o").scopes("forecast:read").lifetime(Duration.ofMinutes(1)))
            .revealToken();
    keys.revoke(revoked.id(), Revocation.because(RevocationReason.LEAKED));
    keys.disable(disabled.id(), Cause.unstated());
    keys.update(ended.id(), KeyUpdate.of().endsAt(now.get().plusSeconds(60)));
    now.updateAndGet(time -> time.plusSeconds(60));
    String unknown;
    try (ApiKeys elsewhere =
        ApiKeys.builder(new InMemoryKeyStore())
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live")
            .build()) {
      unknown = elsewhere.issue(KeySpec.forOwner("o")).revealToken();
    }

    Set<String> answers = new LinkedHashSet<>();
    for (String token :
        List.of(
            "nonsense",
            good.substring(1),
            unknown,
            revoked.revealToken(),
            disabled.revealToken(),
            ended.revealToken(),
            otherEnvironment,
            expired)) {
      answers.add(Answers.text(gate.check(with(token), READ)));
    }

    assertThat(answers).singleElement().asString().startsWith("401|");
    assertThat(status(gate.check(with(good), READ))).isEqualTo(200);
  }

  /** Whether a transport is secure: peer, TLS here, forwarded protocol ({@code -} is none). */
  private static final String TRANSPORTS =
      """
      192.0.2.1 tls   -     => secure
      192.0.2.1 tls   https => secure
      192.0.2.1 tls   http  => secure
      192.0.2.1 clear -     => clear
      192.0.2.1 clear https => clear
      192.0.2.1 clear http  => clear
      127.0.0.1 tls   -     => secure
      127.0.0.1 tls   https => secure
      127.0.0.1 tls   http  => secure
      127.0.0.1 clear -     => secure
      127.0.0.1 clear https => clear
      127.0.0.1 clear http  => clear
      10.0.0.1  tls   -     => secure
      10.0.0.1  tls   https => secure
      10.0.0.1  tls   http  => clear
      10.0.0.1  clear -     => clear
      10.0.0.1  clear https => secure
      10.0.0.1  clear http  => clear
      """;

  @ParameterizedTest
  @EnumSource(TransportPolicy.class)
  void follows_the_transport_policy(TransportPolicy policy) {
    HttpGate<SampleRequest> gate = gate(node("live", policy));
    IssuedKey issued = issue();
    int rows = 0;
    for (String row : TRANSPORTS.lines().toList()) {
      String[] columns = row.split("\\s+");
      boolean clear = columns[4].equals("clear");
      SampleRequest request =
          with(issued.revealToken()).peer(columns[0]).secure(columns[1].equals("tls"));
      if (!columns[2].equals("-")) {
        request = request.header("X-Forwarded-Proto", columns[2]);
      }
      events.clear();

      HttpGate.Result result = gate.check(request, READ);

      boolean refused = clear && policy == TransportPolicy.REQUIRE;
      assertThat(status(result)).as(row).isEqualTo(refused ? 403 : 200);
      assertThat(events())
          .as(row)
          .isEqualTo(
              clear && policy != TransportPolicy.ALLOW
                  ? List.of("insecure " + issued.id() + " " + !refused)
                  : List.of());
      rows++;
    }
    assertThat(rows).isEqualTo(18);
  }

  @Test
  void an_unproven_token_sent_in_clear_raises_no_event() {
    String token = issue().revealToken();
    char last = token.charAt(token.length() - 1);

    HttpGate.Result result =
        gate.check(
            with(token.substring(0, token.length() - 1) + (last == '0' ? '1' : '0')).secure(false),
            READ);

    assertThat(status(result)).isEqualTo(401);
    assertThat(events()).isEmpty();
  }

  @Test
  void protects_urls_that_have_a_key() {
    HttpGate<SampleRequest> query =
        gate.withExtractor(CredentialExtractor.standard().withQueryParameter("api_key"));
    String token = issue().revealToken();
    SampleRequest request = SampleRequest.EMPTY.query("api_key=" + token);

    HttpGate.Result passed = query.check(request, READ);
    HttpGate.Result denied = query.check(request, WRITE);

    assertThat(status(passed)).isEqualTo(200);
    assertThat(status(denied)).isEqualTo(403);
    for (HttpGate.Result result : List.of(passed, denied)) {
      assertThat(Answers.values(result, "Cache-Control")).containsExactly("no-store");
      assertThat(Answers.values(result, "Referrer-Policy")).containsExactly("no-referrer");
    }
    assertThat(status(gate.check(request, READ))).isEqualTo(401);
  }

  @Test
  void tells_a_client_until_when_to_change_its_secret() {
    IssuedKey issued = issue();
    SampleRequest old = with(issued.revealToken());
    assertThat(gate.check(old, READ).headers()).as("of 90 days the first").isEmpty();

    now.updateAndGet(time -> time.plus(Duration.ofDays(83)));
    assertThat(gate.check(old, READ).headers())
        .as("one grace before the end of the lifetime")
        .containsExactly(Map.entry("API-Key-Rotate-By", "Wed, 01 Apr 2026 00:00:00 GMT"));

    IssuedKey next = keys.rotate(issued.id(), Rotation.withGrace(Duration.ofMillis(3_600_999)));
    HttpGate.Result result = gate.check(old, READ);
    assertThat(result.headers())
        .as("the end of the grace, rounded down")
        .containsExactly(Map.entry("API-Key-Rotate-By", "Wed, 25 Mar 2026 01:00:00 GMT"));
    assertThat(HttpGate.headersOf(((HttpGate.Passed) result).accepted()))
        .as("without a gate")
        .isEqualTo(result.headers());
    assertThat(gate.check(with(next.revealToken()), READ).headers()).isEmpty();
    assertThat(status(gate.check(old, WRITE))).isEqualTo(403);
  }

  @Test
  void protects_a_url_that_has_an_old_secret_and_says_until_when_it_works() {
    HttpGate<SampleRequest> query =
        gate.withExtractor(CredentialExtractor.standard().withQueryParameter("api_key"));
    IssuedKey issued = issue();
    keys.rotate(issued.id(), Rotation.usual());

    assertThat(
            query
                .check(SampleRequest.EMPTY.query("api_key=" + issued.revealToken()), READ)
                .headers())
        .containsExactly(
            Map.entry("Cache-Control", "no-store"),
            Map.entry("Referrer-Policy", "no-referrer"),
            Map.entry("API-Key-Rotate-By", "Thu, 08 Jan 2026 00:00:00 GMT"));
  }

  @Test
  void writes_10_000_dates_as_the_standard_of_http_wants_them() {
    SplittableRandom random = Seed.of("HttpGateTest");
    Accepted accepted =
        ((HttpGate.Passed) gate.check(with(issue().revealToken()), READ)).accepted();
    long last = Instant.parse("9999-12-31T23:59:59.999Z").toEpochMilli();
    int wrong = 0;
    int wrongOfTwin = 0;
    for (int round = 0; round < 10_000; round++) {
      Instant time =
          Instant.ofEpochMilli(random.nextLong(round % 2 == 0 ? last + 1 : 4_102_444_800_000L));

      List<Map.Entry<String, String>> headers =
          HttpGate.headersOf(Internals.rotateBy(accepted, time));

      String date = headers.get(0).getValue();
      wrong += date.equals(imfFixdate(time)) && headers.size() == 1 ? 0 : 1;
      String twin = DateTimeFormatter.RFC_1123_DATE_TIME.format(time.atOffset(ZoneOffset.UTC));
      wrongOfTwin += twin.equals(date) ? 0 : 1;
    }
    System.out.printf("10,000 dates, %d wrong; of the JDK's own format: %,d%n", wrong, wrongOfTwin);
    assertThat(wrong).isZero();
    assertThat(wrongOfTwin).isGreaterThan(2_000);
  }

  /** By the grammar: {@code IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT}. */
  private static String imfFixdate(Instant time) {
    ZonedDateTime utc = time.atZone(ZoneOffset.UTC);
    String day = "MonTueWedThuFriSatSun".substring(utc.getDayOfWeek().getValue() * 3 - 3);
    String month = "JanFebMarAprMayJunJulAugSepOctNovDec".substring(utc.getMonthValue() * 3 - 3);
    return day.substring(0, 3)
        + ", "
        + (100 + utc.getDayOfMonth() + " ").substring(1)
        + month.substring(0, 3)
        + (10_000 + utc.getYear() + " ").replaceFirst("1", " ")
        + (100 + utc.getHour() + ":").substring(1)
        + (100 + utc.getMinute() + ":").substring(1)
        + (100 + utc.getSecond() + " GMT").substring(1);
  }

  @Test
  void names_its_realm() {
    HttpGate<SampleRequest> named = gate.withRealm("weather of acme");

    assertThat(Answers.values(named.check(SampleRequest.EMPTY, READ), "WWW-Authenticate"))
        .containsExactly("Bearer realm=\"weather of acme\"", "ApiKey realm=\"weather of acme\"");
    assertThat(Answers.values(named.check(with("x"), READ), "WWW-Authenticate"))
        .containsExactly(
            "Bearer realm=\"weather of acme\", error=\"invalid_token\"",
            "ApiKey realm=\"weather of acme\"");
    assertThatIllegalArgumentException().isThrownBy(() -> gate.withRealm("a\"b"));
  }

  @Test
  void answers_alike_without_blocking() {
    String token = issue().revealToken();
    for (SampleRequest request :
        List.of(
            SampleRequest.EMPTY,
            with(token),
            with("nonsense"),
            with(token).header("Authorization", "ApiKey x"),
            with(token).secure(false))) {
      for (Access access : List.of(READ, WRITE)) {
        HttpGate.Result blocking = gate.check(request, access);
        HttpGate.Result event = gate.checkAsync(request, access).join();

        assertThat(event.getClass()).isEqualTo(blocking.getClass());
        assertThat(Answers.text(event)).isEqualTo(Answers.text(blocking));
      }
    }
  }

  @Test
  void no_control_character_gets_into_an_answer_from_10_000_hostile_requests() {
    SplittableRandom random = Seed.of("HttpGateTest");
    HttpGate<SampleRequest> query =
        gate.withExtractor(CredentialExtractor.standard().withQueryParameter("api_key"));
    String token = issue().revealToken();
    List<String> hostile =
        List.of(
            "\r\nSet-Cookie: a=b",
            "\n",
            "\r",
            "\u001b[2J",
            "\u2028",
            "\u0085",
            "\0",
            "\t",
            "${jndi:ldap://x/a}",
            "\u202e",
            "\ud83d",
            "<script>",
            "\"}");
    List<String> headers =
        List.of(
            "X-API-Key",
            "Authorization",
            "X-Service-Name",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "Forwarded",
            "Origin");
    long control = 0;
    long repeated = 0;
    long controlOfTwin = 0;
    int passed = 0;
    for (int round = 0; round < 10_000; round++) {
      SampleRequest request = random.nextBoolean() ? with(token) : SampleRequest.EMPTY;
      String value = "";
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        value = hostile.get(random.nextInt(hostile.size()));
        value = random.nextBoolean() ? value + token : "ApiKey " + token + value;
        request = request.header(headers.get(random.nextInt(headers.size())), value);
      }
      if (random.nextInt(3) == 0) {
        request = request.query("api_key=" + value);
      }
      request = request.peer(random.nextBoolean() ? PROXY : value);

      HttpGate.Result result = query.check(request, READ);

      String answer = Answers.text(result) + result;
      control += Answers.controlCharacters(answer);
      repeated += answer.contains("jndi") || answer.contains("acme_") ? 1 : 0;
      controlOfTwin += Answers.controlCharacters(echoing(answer, value));
      passed += status(result) == 200 ? 1 : 0;
    }
    System.out.printf(
        "10,000 hostile requests, %,d passed: %d control characters; an echoing answer: %,d%n",
        passed, control, controlOfTwin);
    assertThat(control).isZero();
    assertThat(repeated).isZero();
    assertThat(controlOfTwin).isGreaterThan(1_000);
    assertThat(passed).isBetween(1_000, 9_000);
  }

  /** What is often written: it helps the client by repeating what it sent. */
  private static String echoing(String answer, String presented) {
    return answer.replace("is not valid", "'" + presented + "' is not valid");
  }

  @Test
  void nothing_of_a_hostile_owner_gets_into_an_answer() {
    SplittableRandom random = Seed.of("HttpGateTest");
    int issued = 0;
    for (int round = 0; round < 500; round++) {
      String owner =
          "owner-${jndi:ldap://x}" + (char) random.nextInt(0x20, 0xd800) + "\u2028\u001b[2J\r\n";
      String token;
      try {
        token = keys.issue(KeySpec.forOwner(owner).name(owner)).revealToken();
      } catch (IllegalArgumentException e) {
        continue; // refused up front
      }
      issued++;
      for (Access access : List.of(Access.authenticated(), READ)) {
        HttpGate.Result result = gate.check(with(token), access);
        String answer = Answers.text(result) + result;
        assertThat(Answers.controlCharacters(answer)).isZero();
        assertThat(answer).doesNotContain("jndi");
      }
    }
    System.out.printf("500 hostile owners, %d issued%n", issued);
  }
}
