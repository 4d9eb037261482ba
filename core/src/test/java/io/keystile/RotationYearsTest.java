package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Twenty years of clients that change their secrets when they are told to, or when the host's job
 * does: none is ever refused. Each validates on either of two nodes, at least every four hours.
 */
class RotationYearsTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final int YEARS = 20;
  private static final long STEP = Duration.ofHours(4).toMillis();

  /**
   * How a client lives.
   *
   * @param spec what it is issued
   * @param bySelf whether it asks for a new secret itself, or leaves that to the host
   * @param instances how many there are of it
   * @param pickUp how long the others take, at most, until they use the new secret
   */
  private record Life(KeySpec spec, boolean bySelf, int instances, Duration pickUp) {
    static Life self(KeySpec spec) {
      return new Life(spec, true, 1, Duration.ZERO);
    }

    static Life hosted(KeySpec spec, Duration pickUp) {
      return new Life(spec, false, 2, pickUp);
    }
  }

  /** One process of a client, and what it is about to use. */
  private static final class Instance {
    String token;
    @Nullable String next;
    @Nullable Instant nextFrom;

    Instance(String token) {
      this.token = token;
    }
  }

  private static final class Client {
    final Life life;
    final List<Instance> instances = new ArrayList<>();
    String id = "";
    Instant rotatedAt;
    Duration shortest = Duration.ofDays(100_000);
    Duration longest = Duration.ZERO;
    int validations;
    int refusals;
    int rotations;

    Client(Life life, Instant now) {
      this.life = life;
      rotatedAt = now;
    }

    void learn(IssuedKey issued, Instant now, SplittableRandom random) {
      Duration since = Duration.between(rotatedAt, now);
      shortest = since.compareTo(shortest) < 0 ? since : shortest;
      longest = since.compareTo(longest) > 0 ? since : longest;
      rotatedAt = now;
      rotations++;
      for (Instance instance : instances) {
        instance.next = issued.revealToken();
        long delay = life.pickUp().isZero() ? 0 : random.nextLong(life.pickUp().toMillis());
        instance.nextFrom = now.plusMillis(delay);
      }
    }
  }

  /** Two nodes, their clients and the job of the host. */
  private static final class World implements AutoCloseable {
    final Nodes nodes = new Nodes(new InMemoryKeyStore());
    final SplittableRandom random;
    final List<ApiKeys> both;
    final Map<String, Client> clients = new LinkedHashMap<>();

    World(SplittableRandom random, UnaryOperator<ApiKeysBuilder> options) {
      this.random = random;
      UnaryOperator<ApiKeysBuilder> all =
          builder ->
              options.apply(builder.rotation("patient", RotationPolicy.usual().grace(days(14))));
      both = List.of(nodes.node(all), nodes.node(all));
    }

    ApiKeys any() {
      return both.get(random.nextInt(2));
    }

    void add(String name, Life life) {
      Client client = new Client(life, nodes.time.instant());
      IssuedKey issued = any().issue(life.spec().scopes("keys:rotate"));
      client.id = issued.id();
      for (int i = 0; i < life.instances(); i++) {
        client.instances.add(new Instance(issued.revealToken()));
      }
      clients.put(name, client);
    }

    World run(int years) {
      Instant end = nodes.time.instant().plus(Duration.ofDays(365L * years));
      Instant job = nodes.time.instant();
      while (nodes.time.instant().isBefore(end)) {
        nodes.time.set(nodes.time.instant().plusMillis(1 + random.nextLong(STEP)));
        both.forEach(ApiKeys::poll);
        clients.values().forEach(this::live);
        // daily, but for who cannot wait so long
        boolean isTime = nodes.time.instant().isAfter(job);
        rotateDue(any(), isTime);
        job = isTime ? nodes.time.instant().plus(DAY) : job;
      }
      return this;
    }

    private void live(Client client) {
      Instant now = nodes.time.instant();
      for (Instance instance : client.instances) {
        if (instance.next != null && !now.isBefore(instance.nextFrom)) {
          instance.token = instance.next;
          instance.next = null;
        }
        ApiKeys node = any();
        client.validations++;
        Validation result = node.validate(instance.token, Nodes.ANY, Nodes.HERE);
        if (result instanceof Accepted accepted) {
          if (client.life.bySelf() && accepted.rotateBy() != null) {
            rotateSelf(client, instance, node);
          }
        } else {
          client.refusals++;
          rescue(client, node);
        }
      }
    }

    private void rotateSelf(Client client, Instance instance, ApiKeys node) {
      SelfRotation result = node.rotateSelf(instance.token, Nodes.HERE, Cause.unstated());
      if (result.issued() == null) { // another instance was first, and this one will hear of it
        assertThat(Nodes.verdict(result)).isEqualTo("SUPERSEDED");
        return;
      }
      client.learn(result.issued(), nodes.time.instant(), random);
      instance.nextFrom = nodes.time.instant(); // who asked has it at once
    }

    /** So that the years go on. */
    private void rescue(Client client, ApiKeys node) {
      client.learn(node.rotate(client.id, Rotation.usual()), nodes.time.instant(), random);
      client.instances.forEach(instance -> instance.nextFrom = nodes.time.instant());
    }

    private void rotateDue(ApiKeys node, boolean all) {
      KeyPage page = node.list(KeyQuery.all().rotationDue());
      assertThat(page.next()).isNull();
      for (KeyDetails key : page.keys()) {
        Client client =
            clients.values().stream().filter(c -> c.id.equals(key.id())).findFirst().orElseThrow();
        boolean isShort = client.life.spec().lifetime() != null;
        if (!client.life.bySelf() && (all || isShort)) {
          Rotation rotation = Rotation.usual().replacing(key.newestSecret().number()).by("job");
          client.learn(node.rotate(key.id(), rotation), nodes.time.instant(), random);
        }
      }
    }

    Client print(String name) {
      Client client = clients.get(name);
      System.out.printf(
          "  %-45s %,8d validations, %,6d rotations, %,5d refusals%n",
          name, client.validations, client.rotations, client.refusals);
      return client;
    }

    @Override
    public void close() {
      nodes.close();
    }
  }

  private static Duration days(int days) {
    return Duration.ofDays(days);
  }

  private static KeySpec spec() {
    return KeySpec.forOwner("weather-app");
  }

  /** From when on each is due, after its secret was made. */
  private static Map<String, Duration> dueAfter() {
    Map<String, Duration> due = new LinkedHashMap<>();
    due.put("all defaults, by itself", days(83));
    due.put("all defaults, 4 instances, 20 hours", days(83));
    due.put("all defaults, by the host", days(83));
    due.put("plan with a grace of 14 days, by the host", days(76));
    due.put("key with an age of 10 days, by the host", days(10));
    due.put("key with no end and an age, by itself", days(60));
    due.put("key with a grace of 0 and an age, by itself", days(30));
    due.put("personal token, by itself", days(23));
    due.put("lifetime of 2 days, by itself", days(1));
    due.put("lifetime of 2 days, by the host", days(1));
    return due;
  }

  private static void addAll(World world) {
    RotationPolicy usual = RotationPolicy.usual();
    world.add("all defaults, by itself", Life.self(spec()));
    world.add(
        "all defaults, 4 instances, 20 hours", new Life(spec(), true, 4, Duration.ofHours(20)));
    world.add("all defaults, by the host", Life.hosted(spec(), days(5)));
    world.add(
        "plan with a grace of 14 days, by the host", Life.hosted(spec().plan("patient"), days(12)));
    world.add(
        "key with an age of 10 days, by the host",
        Life.hosted(spec().rotation(usual.grace(days(2)).age(days(10))), Duration.ofHours(40)));
    world.add(
        "key with no end and an age, by itself",
        Life.self(spec().neverExpires().rotation(usual.age(days(60)))));
    world.add(
        "key with a grace of 0 and an age, by itself",
        Life.self(spec().rotation(usual.grace(Duration.ZERO).age(days(30)))));
    world.add(
        "personal token, by itself", Life.self(KeySpec.personalToken("weather-app", "user-1")));
    world.add("lifetime of 2 days, by itself", Life.self(spec().lifetime(days(2))));
    world.add(
        "lifetime of 2 days, by the host",
        Life.hosted(spec().lifetime(days(2)), Duration.ofHours(16)));
  }

  @Test
  void who_rotates_when_told_is_never_refused() {
    SplittableRandom random = Seed.of("who_rotates_when_told_is_never_refused");
    for (int maxLive : new int[] {2, 3, 8}) {
      System.out.printf("%d years with up to %d live secrets:%n", YEARS, maxLive);
      try (World world = new World(random.split(), builder -> builder.maxLiveSecrets(maxLive))) {
        addAll(world);
        world.run(YEARS);
        dueAfter().forEach((name, due) -> verify(world.print(name), due));
      }
    }
  }

  private static void verify(Client client, Duration due) {
    assertThat(client.refusals).isZero();
    assertThat(client.validations).isGreaterThan(YEARS * 365 * 6);
    // never before it is due, and soon after: no storm, and nobody is forgotten
    Duration lag = client.life.bySelf() ? HOUR.multipliedBy(4) : HOUR.multipliedBy(36);
    assertThat(client.shortest).isGreaterThanOrEqualTo(due);
    assertThat(client.longest).isLessThanOrEqualTo(due.plus(lag));
  }

  @Test
  void who_is_told_too_late_is_refused() {
    SplittableRandom random = Seed.of("who_is_told_too_late_is_refused");
    RotationPolicy atTheEnd = RotationPolicy.usual().grace(Duration.ZERO);
    try (World world = new World(random, builder -> builder)) {
      world.add("due at its very end, by itself", Life.self(spec().rotation(atTheEnd)));
      world.add(
          "due at its very end, by the host", Life.hosted(spec().rotation(atTheEnd), days(1)));
      world.add("4 instances, 40 hours", new Life(spec(), true, 4, Duration.ofHours(40)));
      world.run(YEARS);

      System.out.printf("%d years of who does not do as told:%n", YEARS);
      for (String name : world.clients.keySet()) {
        assertThat(world.print(name).refusals).isPositive();
      }
    }
  }

  @Test
  void on_another_node_a_new_secret_works_when_it_has_heard_of_it() {
    try (Nodes nodes = new Nodes(new InMemoryKeyStore())) {
      ApiKeys one = nodes.node();
      ApiKeys two = nodes.node();
      IssuedKey issued = one.issue(spec());
      assertThat(Nodes.verdict(two, issued.revealToken())).isEqualTo("ACCEPTED");

      String next = one.rotate(issued.id(), Rotation.usual()).revealToken();

      assertThat(Nodes.verdict(one, next)).isEqualTo("ACCEPTED");
      assertThat(Nodes.verdict(two, next)).isEqualTo("WRONG_SECRET");
      assertThat(Nodes.verdict(two, issued.revealToken())).isEqualTo("ACCEPTED");
      two.poll();
      assertThat(Nodes.verdict(two, next)).isEqualTo("ACCEPTED");
      assertThat(Nodes.verdict(two, issued.revealToken())).isEqualTo("ACCEPTED");
    }
  }
}
