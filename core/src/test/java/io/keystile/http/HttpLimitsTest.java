package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.Rotation;
import io.keystile.Seed;
import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client is told of its limits. Time is the test's. */
class HttpLimitsTest {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Access WRITE = Access.requiring("forecast:write");
  private static final Origin HERE = Origin.of("192.0.2.1").secure(true);
  private static final long START = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();
  private static final String POLICY = "RateLimit-Policy";
  private static final String STATE = "RateLimit";

  /** The largest integer of a structured field. */
  private static final long MOST = 999_999_999_999_999L;

  private final AtomicLong millis = new AtomicLong();
  private final ApiKeys keys =
      ApiKeys.builder(new InMemoryKeyStore())
          .defaultPlan(Plan.unlimited())
          .brand("acme")
          .environment("live")
          .time(() -> Instant.ofEpochMilli(START + millis.get()), () -> millis.get() * 1_000_000)
          .propagation(Duration.ofHours(1))
          .maxStale(Duration.ofDays(1))
          .build();
  private final HttpGate<SampleRequest> quiet = HttpGate.of(keys, SampleRequest.GETTER);
  private final HttpGate<SampleRequest> gate = quiet.withRateLimitFields();

  @AfterEach
  void close() {
    keys.close();
  }

  private IssuedKey issue(String owner) {
    return keys.issue(KeySpec.forOwner(owner).plan("gold").scopes("forecast:read"));
  }

  /** The request of a new key with this plan. */
  private SampleRequest on(Plan plan) {
    keys.changePlans(Plan.unlimited(), plan);
    return with(issue("weather-app").revealToken());
  }

  private static SampleRequest with(String token) {
    return SampleRequest.EMPTY.header("X-API-Key", token);
  }

  private static int status(HttpGate.Result result) {
    return result instanceof HttpDenial denial ? denial.status() : 200;
  }

  private static Plan plan(Window... windows) {
    return Plan.of("gold", windows);
  }

  private HttpGate.Result refused(SampleRequest request) {
    HttpGate.Result result = gate.check(request, READ);
    while (status(result) == 200) {
      result = gate.check(request, READ);
    }
    assertThat(status(result)).isEqualTo(429);
    return result;
  }

  @Test
  void answers_a_key_at_its_limit() {
    SampleRequest request = on(plan(Window.perSecond(2), Window.perMinute(3)));
    refused(request);
    millis.addAndGet(1_001);
    HttpDenial denial = (HttpDenial) refused(request);

    assertThat(denial.headers())
        .containsExactly(
            Map.entry("Content-Type", "application/problem+json"),
            Map.entry("Cache-Control", "no-store"),
            Map.entry("Retry-After", "59"),
            Map.entry(POLICY, "\"second\";q=2;w=1, \"minute\";q=3;w=60"),
            Map.entry(STATE, "\"minute\";r=0;t=59"));
    assertThat(denial.body())
        .isEqualTo(
            "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\","
                + "\"title\":\"Too Many Requests\",\"status\":429,"
                + "\"detail\":\"The limit of this API key is reached. Try again later.\","
                + "\"error\":\"limit_exceeded\",\"violated-policies\":[\"minute\"]}");
    assertThat(denial).hasToString("HttpDenial[429 limit_exceeded]");
    millis.addAndGet(58_000);
    assertThat(((HttpDenial) refused(request)).body())
        .contains("\"violated-policies\":[\"minute\"]");
  }

  @Test
  void names_every_policy_that_refuses() {
    Plan plan =
        plan(Window.perSecond(1), new Window(1, Duration.ofMillis(1_500)), Window.perDay(1))
            .quota("bytes", Window.perHour(10));
    SampleRequest request = on(plan);
    ((HttpGate.Passed) gate.check(request, READ)).accepted().charge("bytes", 10);

    HttpDenial denial = (HttpDenial) gate.check(request, READ);

    assertThat(denial.body())
        .endsWith("\"violated-policies\":[\"second\",\"1500ms\",\"day\",\"bytes-hour\"]}");
    assertThat(Answers.values(denial, STATE))
        .containsExactly("\"second\";r=0;t=2, \"day\";r=0;t=86401, \"bytes-hour\";r=0;t=3601");
    assertThat(Answers.values(denial, "Retry-After")).containsExactly("86401");
  }

  @Test
  void who_waits_as_many_seconds_as_it_is_told_is_let_in_and_a_second_less_is_too_early() {
    SplittableRandom random = Seed.of("HttpLimitsTest");
    int waits = 0;
    while (waits < 1_000) {
      SampleRequest request =
          on(
              plan(
                  new Window(random.nextInt(1, 30), Duration.ofMillis(random.nextInt(100, 20_000))),
                  new Window(
                      random.nextInt(1, 60), Duration.ofMillis(random.nextInt(20_001, 90_000)))));
      for (int i = 0; i < 20; i++) {
        if (status(gate.check(request, READ)) == 429) {
          HttpGate.Result denial = gate.check(request, READ);
          long seconds = Long.parseLong(Answers.values(denial, "Retry-After").get(0));
          assertThat(seconds).isPositive();
          millis.addAndGet((seconds - 1) * 1_000);
          assertThat(status(gate.check(request, READ))).isEqualTo(429);
          millis.addAndGet(1_000);
          assertThat(status(gate.check(request, READ))).isEqualTo(200);
          waits++;
        }
        millis.addAndGet(random.nextInt(3) == 0 ? random.nextInt(3_000) : 0);
      }
    }
    System.out.println(waits + " waits of whole seconds were tried");
  }

  @Test
  void a_request_that_costs_more_than_a_limit_is_not_told_to_wait() {
    SampleRequest request = on(plan(Window.perSecond(5), Window.perMinute(50)));

    HttpDenial denial = (HttpDenial) gate.check(request, READ.costing(6));

    assertThat(denial.status()).isEqualTo(429);
    assertThat(Answers.values(denial, "Retry-After")).isEmpty();
    assertThat(Answers.values(denial, STATE)).containsExactly("\"second\";r=5;t=0");
    assertThat(denial.body())
        .contains("\"detail\":\"This request costs more than the limit of this API key.\"")
        .endsWith("\"error\":\"limit_exceeded\",\"violated-policies\":[\"second\"]}");
    assertThat(status(gate.check(request, READ.costing(5)))).isEqualTo(200);
  }

  @Test
  void where_there_is_no_room_for_another_key_no_window_is_blamed() {
    ApiKeys full =
        ApiKeys.builder(new InMemoryKeyStore())
            .brand("acme")
            .environment("live")
            .limitedKeys(1)
            .build();
    try (full) {
      HttpGate<SampleRequest> fullGate =
          HttpGate.of(full, SampleRequest.GETTER).withRateLimitFields();
      KeySpec spec = KeySpec.forOwner("owner").scopes("forecast:read");
      assertThat(status(fullGate.check(with(full.issue(spec).revealToken()), READ))).isEqualTo(200);

      HttpDenial denial = (HttpDenial) fullGate.check(with(full.issue(spec).revealToken()), READ);

      assertThat(denial.status()).isEqualTo(429);
      assertThat(Answers.values(denial, "Retry-After")).containsExactly("1");
      assertThat(Answers.values(denial, POLICY)).hasSize(1);
      assertThat(Answers.values(denial, STATE)).isEmpty();
      assertThat(denial.body()).endsWith("\"violated-policies\":[]}");
    }
  }

  @Test
  void tells_a_good_key_what_is_left_where_it_is_switched_on() {
    SampleRequest request =
        on(plan(Window.perSecond(5), Window.perDay(100)).quota("bytes", Window.perHour(4_000)));
    gate.check(request, READ);
    millis.addAndGet(300);

    HttpGate.Passed passed = (HttpGate.Passed) gate.check(request, READ);
    assertThat(passed.headers())
        .containsExactly(
            Map.entry(
                POLICY,
                "\"second\";q=5;w=1, \"day\";q=100;w=86400,"
                    + " \"bytes-hour\";q=4000;w=3600;qu=\"bytes\""),
            Map.entry(
                STATE, "\"second\";r=3;t=1, \"day\";r=98;t=86401, \"bytes-hour\";r=4000;t=0"));
    assertThat(HttpGate.rateLimitFieldsOf(passed.accepted()))
        .as("without a gate")
        .isEqualTo(passed.headers());
    assertThat(quiet.check(request, READ).headers()).isEmpty();
    assertThat(gate.check(with(keys.issue(unlimited()).revealToken()), READ).headers()).isEmpty();
  }

  private static KeySpec unlimited() {
    return KeySpec.forOwner("owner").scopes("forecast:read");
  }

  @Test
  void tells_it_without_blocking_too() {
    SampleRequest request = on(plan(Window.perMinute(1)));

    assertThat(Answers.values(gate.checkAsync(request, READ).join(), STATE))
        .containsExactly("\"minute\";r=0;t=61");
    assertThat(status(gate.checkAsync(request, READ).join())).isEqualTo(429);
  }

  @Test
  void a_client_that_must_change_its_secret_is_told_both() {
    keys.changePlans(Plan.unlimited(), plan(Window.perMinute(9)));
    IssuedKey issued = issue("weather-app");
    keys.rotate(issued.id(), Rotation.usual());

    assertThat(gate.check(with(issued.revealToken()), READ).headers())
        .extracting(Map.Entry::getKey)
        .containsExactly("API-Key-Rotate-By", POLICY, STATE);
  }

  @Test
  void the_fields_of_a_refusal_are_left_out_where_they_are_not_switched_on() {
    SampleRequest request = on(plan(Window.perMinute(1)));
    refused(request);

    HttpDenial denial = (HttpDenial) quiet.check(request, READ);

    assertThat(denial.headers())
        .extracting(Map.Entry::getKey)
        .containsExactly("Content-Type", "Cache-Control", "Retry-After");
    assertThat(denial.withRateLimitFields().withRealm("other").headers())
        .isEqualTo(gate.check(request, READ).headers());
    assertThat(denial.withRateLimitFields().body()).isEqualTo(denial.body());
  }

  @Test
  void an_adapter_without_a_gate_can_send_them_as_well() {
    keys.changePlans(Plan.unlimited(), plan(Window.perMinute(1)));
    String token = issue("weather-app").revealToken();
    Accepted accepted = (Accepted) keys.validate(token, READ, HERE);
    Rejected rejected = (Rejected) keys.validate(token, READ, HERE);

    assertThat(HttpGate.rateLimitFieldsOf(accepted))
        .containsExactly(
            Map.entry(POLICY, "\"minute\";q=1;w=60"), Map.entry(STATE, "\"minute\";r=0;t=61"));
    HttpDenial denial = HttpDenial.of(rejected, READ).withRateLimitFields();
    assertThat(Answers.values(denial, STATE)).containsExactly("\"minute\";r=0;t=61");
  }

  @Test
  void windows_that_are_not_whole_seconds_and_limits_of_more_than_15_digits_are_left_out() {
    Plan plan =
        plan(new Window(5, Duration.ofMillis(100)), new Window(6, Duration.ofSeconds(90)))
            .quota(
                "bytes",
                new Window(MOST, Duration.ofMillis(2_500)),
                Window.perDay(MOST),
                new Window(MOST + 1, Duration.ofDays(30)));
    SampleRequest request = on(plan);

    HttpGate.Result passed = gate.check(request, READ);

    assertThat(Answers.values(passed, POLICY))
        .containsExactly("\"90s\";q=6;w=90, \"bytes-day\";q=999999999999999;w=86400;qu=\"bytes\"");
    assertThat(Answers.values(passed, STATE))
        .containsExactly("\"90s\";r=5;t=91, \"bytes-day\";r=999999999999999;t=0");
  }

  @Test
  void a_plan_of_which_nothing_can_be_told_has_no_fields() {
    SampleRequest request = on(plan(new Window(1, Duration.ofMillis(100))));

    assertThat(gate.check(request, READ).headers()).isEmpty();
    HttpGate.Result denial = gate.check(request, READ);
    assertThat(denial.headers())
        .extracting(Map.Entry::getKey)
        .containsExactly("Content-Type", "Cache-Control", "Retry-After");
    assertThat(Answers.values(denial, "Retry-After")).containsExactly("1");
  }

  /** What no client may learn from an answer, as no key of the plan may be told to a proxy. */
  @Test
  void no_key_id_owner_plan_or_token_is_in_any_answer() {
    keys.changePlans(Plan.unlimited(), plan(Window.perSecond(3)).quota("bytes", Window.perDay(9)));
    int searched = 0;
    int found = 0;
    for (int i = 0; i < 100; i++) {
      IssuedKey issued = issue("tenant-" + i);
      List<String> secrets =
          List.of(issued.id(), "tenant-", "gold", issued.revealToken().substring(33));
      for (int call = 0; call < 10; call++) {
        HttpGate.Result result = gate.check(with(issued.revealToken()), READ);
        String answer = Answers.text(result);
        secrets.forEach(secret -> assertThat(answer).doesNotContain(secret));
        assertThat(Answers.controlCharacters(answer)).isZero();
        searched++;
        found += status(result) == 429 ? 1 : 0;
      }
    }
    System.out.println(searched + " answers were searched, " + found + " of them 429");
    assertThat(found).isEqualTo(700);
  }

  @Test
  void an_answer_to_an_unproven_key_tells_nothing_of_limits() {
    SampleRequest request = on(plan(Window.perMinute(1)));
    String token = refusedToken(request);
    char last = token.charAt(token.length() - 1);
    String unproven = token.substring(0, token.length() - 1) + (last == '0' ? '1' : '0');
    IssuedKey disabled = issue("other");
    keys.disable(disabled.id(), Cause.unstated());

    List<HttpGate.Result> answers = new ArrayList<>();
    answers.add(gate.check(SampleRequest.EMPTY, READ));
    answers.add(gate.check(with(token).header("X-API-Key", "other"), READ));
    answers.add(gate.check(with(unproven), READ));
    answers.add(gate.check(with("nonsense"), READ));
    answers.add(gate.check(with(disabled.revealToken()), READ));
    answers.add(gate.check(request, WRITE));
    answers.add(gate.check(request.secure(false), READ));

    assertThat(answers)
        .extracting(HttpLimitsTest::status)
        .containsExactly(401, 400, 401, 401, 401, 403, 403);
    for (HttpGate.Result answer : answers) {
      assertThat(Answers.text(answer)).doesNotContain("RateLimit", "Retry-After", "policies");
    }
    assertThat(Answers.text(answers.get(2))).isEqualTo(Answers.text(answers.get(3)));
    assertThat(Answers.text(answers.get(4))).isEqualTo(Answers.text(answers.get(3)));
  }

  private String refusedToken(SampleRequest request) {
    refused(request);
    return request.lines().get(0).getValue();
  }

  @Test
  void every_field_is_what_the_draft_says_and_tells_what_the_limiter_knows() {
    SplittableRandom random = Seed.of("HttpLimitsTest");
    int fields = 0;
    for (int round = 0; round < 200; round++) {
      SampleRequest request = on(randomPlan(random));
      for (int call = 0; call < 5; call++) {
        HttpGate.Result result = gate.check(request, READ.costing(random.nextInt(1, 4)));
        Decision decision =
            result instanceof HttpGate.Passed passed
                ? passed.accepted().limits()
                : ((Rejected)
                        keys.peek(request.lines().get(0).getValue(), READ.costing(1L << 40), HERE))
                    .limits();
        fields += check(result, decision);
        millis.addAndGet(random.nextInt(3) == 0 ? random.nextInt(10_000) : 0);
      }
    }
    System.out.printf("%,d fields were read as structured fields%n", fields);
    assertThat(fields).isGreaterThan(1_500);
  }

  private static Plan randomPlan(SplittableRandom random) {
    List<Window> windows = new ArrayList<>();
    for (int length : new int[] {1, 60, 90, 3_600, 2_678_400}) {
      if (random.nextBoolean()) {
        windows.add(new Window(random.nextInt(0, 20), Duration.ofSeconds(length)));
      }
    }
    if (random.nextBoolean()) {
      windows.add(new Window(random.nextInt(1, 20), Duration.ofMillis(1_234)));
    }
    Plan plan = plan(windows.toArray(Window[]::new));
    return random.nextBoolean()
        ? plan.quota("content-bytes", new Window(random.nextLong(1L << 62), Duration.ofDays(7)))
        : plan;
  }

  /** How many fields there were. */
  private static int check(HttpGate.Result result, Decision decision) {
    List<String> policies = Answers.values(result, POLICY);
    List<String> states = Answers.values(result, STATE);
    List<Decision.Standing> told =
        decision.windows().stream()
            .filter(w -> w.window().length().toMillis() % 1_000 == 0)
            .filter(w -> w.window().limit() <= MOST)
            .toList();
    if (told.isEmpty()) {
      assertThat(policies).isEmpty();
      assertThat(states).isEmpty();
      return 0;
    }
    List<StructuredList.Item> items = StructuredList.parse(policies.get(0));
    assertThat(items).hasSize(told.size());
    for (int i = 0; i < items.size(); i++) {
      Decision.Standing window = told.get(i);
      assertThat(items.get(i).integer("q")).isEqualTo(window.window().limit());
      assertThat(items.get(i).integer("w")).isEqualTo(window.window().length().toSeconds());
      assertThat(items.get(i).parameters().get("qu"))
          .isEqualTo(window.unit().equals("requests") ? null : window.unit());
    }
    assertThat(items).extracting(StructuredList.Item::name).doesNotHaveDuplicates();
    long retryAfter =
        Answers.values(result, "Retry-After").stream().mapToLong(Long::parseLong).sum();
    for (String state : states) {
      for (StructuredList.Item item : StructuredList.parse(state)) {
        assertThat(items).extracting(StructuredList.Item::name).contains(item.name());
        Decision.Standing window = told.get(names(items).indexOf(item.name()));
        assertThat(item.integer("r")).isEqualTo(window.remaining());
        assertThat(item.integer("t"))
            .isBetween(window.frees().toSeconds(), window.frees().toSeconds() + 1);
        assertThat(item.parameters()).containsOnlyKeys("r", "t");
        if (retryAfter > 0) {
          assertThat(retryAfter)
              .as("not before there is more")
              .isGreaterThanOrEqualTo(item.integer("t"));
        }
      }
    }
    return policies.size() + states.size();
  }

  private static List<String> names(List<StructuredList.Item> items) {
    return items.stream().map(StructuredList.Item::name).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "second;q=1",
        "\"second\";q=1,",
        "\"second;q=1",
        "\"second\";q",
        "\"second\";q=1.5",
        "\"second\";q=1;q=2",
        "\"second\";q=1000000000000000",
        "\"sec\u00f6nd\";q=1",
        "\"second\" ;q=1",
        "\"second\";Q=1",
        "\"a\\b\";q=1"
      })
  void what_is_no_such_list_is_noticed(String field) {
    assertThatIllegalArgumentException().isThrownBy(() -> StructuredList.parse(field));
  }
}
