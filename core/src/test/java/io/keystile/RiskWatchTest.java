package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.RevocationReason;
import io.keystile.store.StoreException;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.usage.Risk;
import io.keystile.usage.Usage;
import io.keystile.usage.UsageQuery;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is done about risk, on one node and on several. Time is the test's. */
class RiskWatchTest {
  private static final KeySpec SPEC = KeySpec.forOwner("owner").plan("pro").neverExpires();
  private static final Origin HOME = Origin.of("192.0.2.7").secure(true);
  private static final Origin THIEF = Origin.of("198.51.100.9").secure(true);

  private final List<String> told = new CopyOnWriteArrayList<>();
  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final Nodes nodes = new Nodes(store);

  @AfterEach
  void close() {
    nodes.close();
  }

  private final class Listening implements KeyListener {
    @Override
    public void riskFound(String keyId, Risk.Level level, Risk.Kind kind, String evidence) {
      told.add("risk " + kind);
    }

    @Override
    public void limitAdapted(String keyId, long perMinute) {
      told.add("limit " + perMinute);
    }

    @Override
    public void alert(String keyId, RevocationReason reason) {
      told.add("alert " + reason);
    }
  }

  private ApiKeys node(RiskPolicy policy) {
    return nodes.node(
        options ->
            options
                .defaultPlan(Plan.standard())
                .recordUsage()
                .assessRisk(policy)
                .listener(new Listening()));
  }

  /** Sixty requests in each hour of four weeks, from one network. */
  private void usedForWeeks(IssuedKey key) {
    Instant now = Period.HOUR.startOf(nodes.time.instant());
    Subject subject = new Subject(key.id(), "owner", "pro");
    for (int day = 30; day > 0; day--) {
      List<Tally> tallies = new ArrayList<>();
      Instant from = Period.DAY.startOf(now.minus(Duration.ofDays(day)));
      for (int hour = 0; hour < 24; hour++) {
        Instant start = from.plus(Duration.ofHours(hour));
        if (start.isBefore(now)) {
          tallies.addAll(usual(subject, Period.HOUR, start, 60));
        }
      }
      tallies.addAll(usual(subject, Period.DAY, from, 24 * 60));
      store.add(new Batch(UUID.randomUUID().toString(), now, tallies));
    }
  }

  private static List<Tally> usual(Subject subject, Period period, Instant start, long requests) {
    return List.of(
        new Tally(subject, period, start, "requests", "all", requests),
        new Tally(subject, period, start, "networks", "192.0.2.0/24", requests),
        new Tally(subject, period, start, "secrets", "1", requests),
        new Tally(subject, period, start, "max-networks", "all", 1),
        new Tally(subject, period, start, "max-minute", "all", 2));
  }

  /** Far more than usual, from elsewhere: within the limits of the plan. */
  private void stolen(ApiKeys node, IssuedKey key) {
    for (int minute = 0; minute < 20; minute++) {
      for (int i = 0; i < 200; i++) {
        if (i % 10 == 0) {
          nodes.time.advance(Duration.ofSeconds(1).plusMillis(5));
        }
        node.validate(key.revealToken(), Nodes.ANY, THIEF);
      }
      nodes.time.advance(Duration.ofSeconds(40));
    }
    node.flush();
  }

  private IssuedKey stolenKey(ApiKeys node) {
    IssuedKey key = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key);
    stolen(node, key);
    return key;
  }

  private void round(ApiKeys... all) {
    nodes.time.advance(Duration.ofMinutes(15));
    for (ApiKeys node : all) {
      node.assess();
      Internals.awaitEvents(node);
    }
  }

  private List<AuditEntry> audit(ApiKeys node, IssuedKey key) {
    return node.audit(AuditFilter.ofKey(key.id()), 0, 100).stream()
        .filter(entry -> !entry.action().equals("issue"))
        .toList();
  }

  @Test
  void a_key_that_is_stolen_is_told_of_tightened_and_explained_on_every_node() {
    RiskPolicy policy = RiskPolicy.alerting().adaptingLimits();
    ApiKeys one = node(policy);
    ApiKeys other = node(policy);
    IssuedKey key = stolenKey(one);
    assertThat(Uses.accepted(other, key, 1)).isEqualTo(1); // cached

    round(other);
    round(one);

    Risk risk = one.risk(key.id());
    System.out.println(risk);
    assertThat(risk.level()).isEqualTo(Risk.Level.HIGH);
    assertThat(told).contains("risk RATE", "risk NEW_NETWORK", "limit 10").doesNotHaveDuplicates();
    KeyRecord.Adapted adapted = one.find(key.id()).orElseThrow().adapted();
    assertThat(adapted.perMinute()).isEqualTo(10);
    assertThat(adapted.why()).startsWith("HIGH risk, was 300 a minute: ").contains("RATE");
    assertThat(audit(one, key)).hasSize(1);
    assertThat(audit(one, key).get(0).action()).isEqualTo("adapt");
    assertThat(audit(one, key).get(0).actor()).isEqualTo("keystile");
    assertThat(audit(one, key).get(0).note()).contains("RATE");

    for (ApiKeys node : List.of(one, other)) {
      node.poll();
      nodes.time.advance(Duration.ofMinutes(2));
      int accepted = 0;
      for (int second = 0; second < 30; second++) {
        nodes.time.advance(Duration.ofSeconds(1).plusMillis(5));
        accepted += Uses.accepted(node, key, 5);
      }
      assertThat(accepted).isEqualTo(10);
    }

    one.update(key.id(), KeyUpdate.of().unadapted());
    assertThat(one.find(key.id()).orElseThrow().adapted()).isNull();
  }

  @Test
  void nodes_that_share_limits_share_one_that_was_tightened() {
    List<ApiKeys> both = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      both.add(
          nodes.node(
              options ->
                  options
                      .defaultPlan(Plan.standard())
                      .sharedLimits(Duration.ofHours(1)) // so long that they speak when told to
                      .recordUsage()
                      .assessRisk(RiskPolicy.alerting().adaptingLimits())));
    }
    IssuedKey key = both.get(0).issue(SPEC);
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key);
    for (int i = 0; i < 3; i++) {
      both.forEach(ApiKeys::exchange);
      nodes.time.advance(Duration.ofMinutes(1));
    }
    stolen(both.get(0), key);
    round(both.get(0));
    assertThat(both.get(0).find(key.id()).orElseThrow().adapted().perMinute()).isEqualTo(10);

    both.forEach(ApiKeys::poll);
    both.forEach(ApiKeys::exchange);
    nodes.time.advance(Duration.ofMinutes(2));
    int accepted = 0;
    for (int second = 0; second < 50; second++) {
      nodes.time.advance(Duration.ofSeconds(1).plusMillis(5));
      for (ApiKeys node : both) {
        accepted += Uses.accepted(node, key, 5);
      }
    }
    assertThat(accepted).isEqualTo(10);
  }

  @Test
  void a_limit_comes_back_a_step_a_day_once_risk_is_low() {
    ApiKeys node = node(RiskPolicy.alerting().adaptingLimits());
    IssuedKey key = stolenKey(node);
    round(node);
    assertThat(node.find(key.id()).orElseThrow().adapted().perMinute()).isEqualTo(10);

    List<Long> limits = new ArrayList<>();
    nodes.time.advance(Duration.ofDays(40));
    usedForWeeks(key);
    for (int day = 0; day < 4; day++) {
      for (int times = 0; times < 3; times++) {
        node.validate(key.revealToken(), Nodes.ANY, HOME);
        node.flush();
        round(node);
      }
      limits.add(node.find(key.id()).orElseThrow().adapted().perMinute());
      nodes.time.advance(Duration.ofHours(24));
      usedForWeeks(key);
    }
    assertThat(limits).containsExactly(11L, 12L, 13L, 14L);
  }

  /** What eight nodes that assess at once, twenty times, tell and do. */
  private IssuedKey assessAtOnce(Nodes cluster, List<ApiKeys> all) throws Exception {
    int count = 8;
    for (int i = 0; i < count; i++) {
      all.add(
          cluster.node(
              options ->
                  options
                      .defaultPlan(Plan.standard())
                      .recordUsage()
                      .assessRisk(RiskPolicy.alerting().adaptingLimits().disabling())
                      .listener(new Listening())));
    }
    IssuedKey key = stolenKey(all.get(0));
    try (Threads race = new Threads()) {
      for (int round = 0; round < 20; round++) {
        nodes.time.advance(Duration.ofMinutes(15));
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (ApiKeys node : all) {
          calls.add(
              () -> {
                node.assess();
                return true;
              });
        }
        race.race(calls);
      }
    }
    all.forEach(Internals::awaitEvents);
    System.out.println(count + " nodes, 20 rounds at once: " + told);
    return key;
  }

  @Test
  void of_many_nodes_one_tells_and_one_acts() throws Exception {
    List<ApiKeys> all = new ArrayList<>();
    IssuedKey key = assessAtOnce(nodes, all);
    assertThat(told).doesNotHaveDuplicates().contains("limit 10", "alert SUSPICIOUS_ACTIVITY");
    assertThat(audit(all.get(0), key))
        .extracting(AuditEntry::action)
        .containsExactlyInAnyOrder("adapt", "disable");
    UsageQuery ever = UsageQuery.perDay(Instant.EPOCH, nodes.time.instant().plusSeconds(1));
    assertThat(all.get(0).usage().total(ever.key(key.id())).alerts().values())
        .isNotEmpty()
        .allMatch(times -> times == 1);
  }

  @Test
  void nodes_that_do_not_know_of_each_other_are_caught() throws Exception {
    Nodes apart =
        new Nodes(
            new UsageStoreWrapper(store) {
              @Override
              public boolean add(Batch batch) {
                String id = UUID.randomUUID().toString();
                return super.add(new Batch(id, batch.madeAt(), batch.tallies()));
              }
            },
            nodes.time);
    try (apart) {
      assessAtOnce(apart, new ArrayList<>());
      assertThat(told.stream().filter("risk RATE"::equals).count()).isGreaterThan(1);
      assertThat(told.stream().filter("limit 10"::equals).count()).isEqualTo(1);
    }
  }

  @Test
  void a_policy_that_only_reports_changes_nothing() {
    ApiKeys node =
        node(
            RiskPolicy.alerting()
                .adaptingLimits()
                .disabling()
                .endingSecretsWithin(Duration.ofDays(2))
                .reportingOnly());
    IssuedKey key = stolenKey(node);
    KeyRecord before = nodes.record(key.id());
    round(node);
    assertThat(told).contains("risk RATE").noneMatch(event -> event.startsWith("limit"));
    assertThat(nodes.record(key.id())).isEqualTo(before);
    assertThat(audit(node, key)).isEmpty();
  }

  @Test
  void a_forced_rotation_tells_the_client_by_when() {
    ApiKeys node = node(RiskPolicy.alerting().endingSecretsWithin(Duration.ofDays(2)));
    IssuedKey key = stolenKey(node);
    Instant from = nodes.time.instant();
    round(node);
    Instant end = nodes.record(key.id()).newest().expiresAt();
    assertThat(end).isBetween(from, from.plus(Duration.ofDays(2)).plus(Duration.ofHours(1)));
    Accepted accepted = (Accepted) node.validate(key.revealToken(), Nodes.ANY, HOME);
    assertThat(accepted.rotateBy()).isEqualTo(end);
    assertThat(told).contains("alert SUSPICIOUS_ACTIVITY");

    round(node);
    assertThat(nodes.record(key.id()).newest().expiresAt()).isEqualTo(end);
    IssuedKey next = node.rotate(key.id(), Rotation.usual());
    assertThat(next.details().key().id()).isEqualTo(key.id());
    Instant endOfNext = nodes.record(key.id()).newest().expiresAt();
    for (int hour = 0; hour < 30; hour++) { // as long as what was found is looked at, and longer
      nodes.time.advance(Duration.ofMinutes(45));
      round(node);
    }
    assertThat(nodes.record(key.id()).newest().expiresAt()).isEqualTo(endOfNext);
    nodes.time.advance(Duration.ofDays(3));
    assertThat(Nodes.verdict(node, key.revealToken())).isNotEqualTo("ACCEPTED");
    assertThat(Nodes.verdict(node, next.revealToken())).isEqualTo("ACCEPTED");
  }

  @Test
  void a_disabled_key_is_left_to_who_enables_it_for_the_day() {
    ApiKeys node = node(RiskPolicy.alerting().disabling());
    IssuedKey key = stolenKey(node);
    round(node);
    assertThat(Nodes.verdict(node, key.revealToken())).isEqualTo("DISABLED");
    node.enable(key.id(), Cause.by("alice"));
    for (int hour = 0; hour < 30; hour++) { // midnight is among them
      nodes.time.advance(Duration.ofMinutes(45));
      round(node);
      assertThat(Nodes.verdict(node, key.revealToken())).isEqualTo("ACCEPTED");
    }
  }

  @Test
  void who_knows_a_key_id_alone_cannot_harm_the_key() {
    ApiKeys node = node(RiskPolicy.alerting().disabling());
    IssuedKey key = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key);
    node.validate(key.revealToken(), Nodes.ANY, HOME);
    KeyRecord before = nodes.record(key.id());
    String good = key.revealToken();
    String beforeSecret =
        good.substring(0, good.length() - TokenGenerator.SECRET_LENGTH - Base62.CRC_LENGTH);
    Set<String> wrong = ConcurrentHashMap.newKeySet();
    int tries = 20_000;
    for (int i = 0; i < tries; i++) {
      String token = Tokens.withChecksum(beforeSecret + "%032d".formatted(i));
      wrong.add(Nodes.verdict(node.validate(token, Nodes.ANY, THIEF)));
    }
    node.flush();
    round(node);
    assertThat(wrong).containsExactly("WRONG_SECRET");
    assertThat(told).isEmpty();
    assertThat(nodes.record(key.id())).isEqualTo(before);
    assertThat(node.risk(key.id()).level()).isEqualTo(Risk.Level.LOW);
    Usage all =
        node.usage()
            .total(
                UsageQuery.perHour(
                    Period.HOUR.startOf(nodes.time.instant()), nodes.time.instant()));
    assertThat(all.requests() + all.refused()).isLessThanOrEqualTo(61);
    assertThat(all.networks()).doesNotContainKey("198.51.100.0/24");
  }

  @Test
  void what_the_host_says_of_limits_takes_the_place_of_what_was_adapted() {
    ApiKeys node = node(RiskPolicy.alerting().adaptingLimits());
    IssuedKey key = stolenKey(node);
    round(node);
    assertThat(node.find(key.id()).orElseThrow().adapted()).isNotNull();
    node.update(key.id(), KeyUpdate.of().name("other"));
    assertThat(node.find(key.id()).orElseThrow().adapted()).isNotNull();
    node.update(key.id(), KeyUpdate.of().limits(Plan.of("own", Window.perMinute(5))));
    assertThat(node.find(key.id()).orElseThrow().adapted()).isNull();
    assertThat(Uses.accepted(node, key, 100)).isEqualTo(5);
  }

  @Test
  void who_has_found_a_retired_secret_cannot_have_the_key_disabled() {
    ApiKeys node = node(RiskPolicy.alerting().disabling());
    IssuedKey old = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(1));
    IssuedKey key = node.rotate(old.id(), Rotation.withGrace(Duration.ZERO).neverExpires());
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key);
    for (int i = 0; i < 100; i++) {
      assertThat(Nodes.verdict(node.validate(old.revealToken(), Nodes.ANY, THIEF)))
          .isEqualTo("RETIRED");
    }
    node.flush();
    round(node);
    assertThat(told).contains("risk RETIRED_SECRET").doesNotContain("risk NEW_NETWORK");
    assertThat(Nodes.verdict(node.validate(key.revealToken(), Nodes.ANY, HOME)))
        .isEqualTo("ACCEPTED");
  }

  @Test
  void who_has_found_a_retired_secret_does_not_wake_a_key_that_sleeps() {
    ApiKeys node = node(RiskPolicy.alerting().disabling());
    IssuedKey old = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(1));
    IssuedKey key = node.rotate(old.id(), Rotation.withGrace(Duration.ZERO).neverExpires());
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key);
    nodes.time.advance(Duration.ofDays(50));
    for (int day = 0; day < 3; day++) {
      assertThat(Nodes.verdict(node.validate(old.revealToken(), Nodes.ANY, THIEF)))
          .isEqualTo("RETIRED");
      node.flush();
      round(node);
      nodes.time.advance(Duration.ofDays(1));
    }
    assertThat(told).containsOnly("risk RETIRED_SECRET");
    assertThat(Nodes.verdict(node.validate(key.revealToken(), Nodes.ANY, HOME)))
        .isEqualTo("ACCEPTED");
    node.flush();
    assertThat(node.risk(key.id()).anomalies())
        .extracting(Risk.Anomaly::kind)
        .contains(Risk.Kind.DORMANT_AWAKE); // what woke it is no thief, and it had slept still
  }

  @Test
  void a_key_from_elsewhere_is_not_dormant_because_nobody_recorded_it_there() {
    ApiKeys node =
        nodes.node(
            options -> options.importedKeys().recordUsage().assessRisk(RiskPolicy.alerting()));
    IssuedKey busy = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(busy);
    nodes.time.advance(Duration.ofDays(62));
    Instant longAgo = nodes.time.instant().minus(Duration.ofDays(700));
    String token = "legacy-0123456789-0123456789-0123456789";
    KeySpec spec = KeySpec.forOwner("owner").neverExpires();
    node.importKeys(
        List.of(KeyImport.ofToken(token, spec).createdAt(longAgo)).iterator(), progress -> {});
    Accepted accepted = (Accepted) node.validate(token, Nodes.ANY, HOME);
    node.flush();
    assertThat(node.risk(accepted.key().id()).anomalies()).isEmpty();
  }

  @Test
  void what_is_only_reported_is_reported_once_a_day_and_growth_is_not() {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(RiskWatch.class);
    logger.addAppender(log);
    logger.setLevel(Level.INFO);
    try {
      ApiKeys node =
          node(
              RiskPolicy.alerting()
                  .adaptingLimits()
                  .endingSecretsWithin(Duration.ofDays(2))
                  .disabling()
                  .reportingOnly());
      IssuedKey calm = node.issue(SPEC);
      IssuedKey key = node.issue(SPEC);
      nodes.time.advance(Duration.ofDays(31));
      usedForWeeks(calm);
      usedForWeeks(key);
      node.validate(calm.revealToken(), Nodes.ANY, HOME);
      stolen(node, key);
      for (int i = 0; i < 20; i++) {
        node.validate(calm.revealToken(), Nodes.ANY, HOME);
        node.flush();
        round(node);
      }
      assertThat(node.risk(calm.id()).level()).isEqualTo(Risk.Level.LOW);
      assertThat(log.list)
          .extracting(ILoggingEvent::getFormattedMessage)
          .hasSize(3)
          .allMatch(line -> line.contains(key.id()));
    } finally {
      logger.detachAppender(log);
      logger.setLevel(null);
    }
  }

  @Test
  void a_conflict_about_one_key_leaves_the_others_to_be_judged() {
    UsageStoreWrapper crowded =
        new UsageStoreWrapper(store) {
          private boolean isFirst = true;

          @Override
          public boolean add(Batch batch) {
            if (batch.id().startsWith("alert-") && isFirst) {
              isFirst = false;
              throw new StoreException(StoreException.Kind.CONFLICT, "add", null);
            }
            return super.add(batch);
          }
        };
    try (Nodes those = new Nodes(crowded, nodes.time)) {
      ApiKeys node =
          those.node(
              options ->
                  options
                      .recordUsage()
                      .assessRisk(RiskPolicy.alerting().disabling())
                      .listener(new Listening()));
      List<IssuedKey> keys = List.of(node.issue(SPEC), node.issue(SPEC));
      nodes.time.advance(Duration.ofDays(31));
      keys.forEach(this::usedForWeeks);
      keys.forEach(key -> stolen(node, key));
      round(node);
      assertThat(keys)
          .extracting(key -> Nodes.verdict(node, key.revealToken()))
          .containsExactlyInAnyOrder("ACCEPTED", "DISABLED");
      round(node);
      assertThat(keys)
          .extracting(key -> Nodes.verdict(node, key.revealToken()))
          .containsOnly("DISABLED");
    }
  }

  @Test
  void the_hour_of_the_day_does_not_change_what_is_usual() {
    ApiKeys node = node(RiskPolicy.alerting());
    IssuedKey key = node.issue(SPEC);
    nodes.time.advance(Duration.ofDays(31));
    usedForWeeks(key); // sixty an hour
    for (int hour = 0; hour < 24; hour++) {
      assertThat(node.risk(key.id()).summary().averageDailyRequests())
          .as("at " + nodes.time.instant())
          .isEqualTo(24 * 60);
      nodes.time.advance(Duration.ofMinutes(hour == 0 ? 30 : 60));
      Instant over = Period.HOUR.startOf(nodes.time.instant()).minus(Duration.ofHours(1));
      Subject subject = new Subject(key.id(), "owner", "pro");
      store.add(
          new Batch(
              UUID.randomUUID().toString(),
              nodes.time.instant(),
              usual(subject, Period.HOUR, over, 60)));
    }
  }

  @Test
  void a_plan_that_counts_for_owners_is_not_adapted() {
    Plan team = Plan.of("pro", Window.perMinute(300)).perOwner();
    ApiKeys node =
        nodes.node(
            options ->
                options
                    .plans(team)
                    .recordUsage()
                    .assessRisk(RiskPolicy.alerting().adaptingLimits())
                    .listener(new Listening()));
    IssuedKey key = stolenKey(node);
    round(node);
    assertThat(told).contains("risk RATE").noneMatch(event -> event.startsWith("limit"));
    assertThat(node.find(key.id()).orElseThrow().adapted()).isNull();
  }

  @Test
  void what_is_not_recorded_cannot_be_read_or_judged() {
    ApiKeys node = nodes.node();
    IssuedKey key = node.issue(SPEC);
    assertThatIllegalStateException().isThrownBy(node::usage);
    assertThatIllegalStateException().isThrownBy(() -> node.risk(key.id()));
    assertThatIllegalStateException().isThrownBy(() -> node.forOwner("owner").usage());
    assertThatIllegalStateException()
        .isThrownBy(() -> nodes.node(options -> options.assessRisk(RiskPolicy.alerting())))
        .withMessageContaining("recordUsage");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ApiKeys.builder(new PassThroughStore()).recordUsage())
        .withMessageStartingWith("recordUsage");
  }

  @Test
  void an_owner_reads_and_judges_his_keys_alone() {
    ApiKeys node = node(RiskPolicy.alerting());
    IssuedKey key = stolenKey(node);
    UsageQuery all = UsageQuery.perDay(Instant.EPOCH, nodes.time.instant()).key(key.id());
    OwnerKeys mine = node.forOwner("owner");
    OwnerKeys other = node.forOwner("thief");
    assertThat(mine.usage().total(all).requests()).isPositive();
    assertThat(mine.risk(key.id()).level()).isEqualTo(Risk.Level.HIGH);
    assertThat(other.usage().total(all)).isEqualTo(Usage.NONE);
    assertThat(other.usage().rows(all.owner("owner"))).isEmpty();
    assertThat(other.risk(key.id()))
        .usingRecursiveComparison()
        .ignoringFields("keyId")
        .isEqualTo(other.risk(SampleKeys.id(7).toString()));
  }

  /** A store that loses the answers to marks, after it has left them or before. */
  private UsageStoreWrapper losingAnswersToMarks(boolean leavesThem, List<String> lost) {
    return new UsageStoreWrapper(store) {
      @Override
      public boolean add(Batch batch) {
        boolean isMark = batch.id().startsWith("risk-") || batch.id().startsWith("alert-");
        if (!isMark || lost.contains(batch.id())) {
          return super.add(batch);
        }
        lost.add(batch.id());
        if (leavesThem) {
          super.add(batch);
        }
        throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "add", null);
      }
    };
  }

  @Test
  void a_mark_whose_answer_was_lost_keeps_nothing_from_being_done() {
    for (boolean leavesThem : new boolean[] {true, false}) {
      told.clear();
      List<String> lost = new CopyOnWriteArrayList<>();
      try (Nodes lossy = new Nodes(losingAnswersToMarks(leavesThem, lost), nodes.time)) {
        ApiKeys node =
            lossy.node(
                options ->
                    options
                        .recordUsage()
                        .assessRisk(RiskPolicy.alerting().disabling())
                        .listener(new Listening()));
        IssuedKey key = stolenKey(node);
        round(node);
        round(node);
        assertThat(lost).hasSizeGreaterThanOrEqualTo(3);
        assertThat(told).contains("risk RATE", "risk NEW_NETWORK", "alert SUSPICIOUS_ACTIVITY");
        assertThat(told.stream().filter("alert SUSPICIOUS_ACTIVITY"::equals)).hasSize(1);
        assertThat(Nodes.verdict(node, key.revealToken())).isEqualTo("DISABLED");
      }
    }
  }

  @Test
  void a_node_that_is_closed_in_the_middle_of_a_round_changes_no_key() {
    AtomicReference<ApiKeys> closes = new AtomicReference<>();
    AtomicInteger reads = new AtomicInteger();
    UsageStoreWrapper closing =
        new UsageStoreWrapper(store) {
          @Override
          public List<Tally> tallies(Filter filter, Tally after, int limit) {
            reads.incrementAndGet();
            ApiKeys node = closes.getAndSet(null);
            if (node != null) {
              node.close();
            }
            return super.tallies(filter, after, limit);
          }
        };
    try (Nodes those = new Nodes(closing, nodes.time)) {
      ApiKeys node =
          those.node(
              options ->
                  options
                      .recordUsage()
                      .assessRisk(RiskPolicy.alerting().adaptingLimits().disabling())
                      .listener(new Listening()));
      IssuedKey other = node.issue(SPEC);
      IssuedKey key = stolenKey(node);
      stolen(node, other);
      KeyRecord before = nodes.record(key.id());
      nodes.time.advance(Duration.ofMinutes(15));
      reads.set(0);
      closes.set(node);
      node.assess();
      assertThat(closes.get()).isNull();
      assertThat(reads.get()).isLessThan(5); // of the hours of one key, not of both
      assertThat(nodes.record(key.id())).isEqualTo(before);
      assertThat(told).isEmpty();

      ApiKeys open = node(RiskPolicy.alerting().disabling());
      round(open);
      assertThat(Nodes.verdict(open, key.revealToken())).isEqualTo("DISABLED");
    }
  }

  @Test
  void a_key_that_was_not_used_since_its_issue_is_dormant_if_usage_was_recorded_all_the_time() {
    ApiKeys node = node(RiskPolicy.alerting());
    IssuedKey silent = node.issue(SPEC);
    for (int days : new int[] {60, 200}) {
      IssuedKey older = node.issue(SPEC);
      nodes.time.advance(Duration.ofDays(days));
      node.validate(older.revealToken(), Nodes.ANY, HOME);
      node.flush();
      assertThat(node.risk(older.id()).anomalies()).isEmpty(); // nobody was recorded then
    }
    IssuedKey busy = node.issue(SPEC);
    usedForWeeks(busy); // thirty days, which begin 92 days before what follows
    nodes.time.advance(Duration.ofDays(62));
    node.validate(silent.revealToken(), Nodes.ANY, HOME);
    node.flush();
    assertThat(node.risk(silent.id()).level()).isEqualTo(Risk.Level.MEDIUM);
    Risk.Anomaly dormant = node.risk(silent.id()).anomalies().get(0);
    assertThat(dormant.kind()).isEqualTo(Risk.Kind.DORMANT_AWAKE);
    assertThat(dormant.evidence()).matches("used after 9[12] days without use, as far as is known");
    assertThat(node.forOwner("owner").risk(silent.id()).anomalies()).containsExactly(dormant);
    assertThat(node.forOwner("thief").risk(silent.id()).anomalies()).isEmpty();
  }

  /** A client that makes 60 requests an hour as ever, and does not mind that most are refused. */
  @Test
  void refusals_by_a_tightened_limit_do_not_keep_it_tight() {
    ApiKeys node = node(RiskPolicy.alerting().adaptingLimits(0, 2));
    IssuedKey key = stolenKey(node);
    round(node);
    assertThat(node.find(key.id()).orElseThrow().adapted().perMinute()).isLessThan(20);

    int refused = 0;
    long tightest = Long.MAX_VALUE;
    for (int hour = 0; hour < 5 * 24; hour++) {
      for (int i = 0; i < 60; i++) {
        refused +=
            Nodes.verdict(node.validate(key.revealToken(), Nodes.ANY, HOME)).equals("ACCEPTED")
                ? 0
                : 1;
        nodes.time.advance(Duration.ofMillis(120));
      }
      nodes.time.advance(Duration.ofMinutes(45).minusSeconds(8));
      node.flush();
      round(node);
      tightest = Math.min(tightest, node.find(key.id()).orElseThrow().adapted().perMinute());
    }
    long atLast = node.find(key.id()).orElseThrow().adapted().perMinute();
    System.out.printf(
        "%,d requests refused, %d a minute at most, %d at last%n", refused, tightest, atLast);
    assertThat(refused).isGreaterThan(1_000);
    assertThat(atLast).isGreaterThanOrEqualTo(tightest + 3);
  }
}
