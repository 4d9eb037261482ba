package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Who guesses is told by address, and nobody's flood hides him. */
class WrongSecretsTest {
  private static final int THRESHOLD = 20;
  private static final int FLOOD = 500_000;

  private final ManualTime time = new ManualTime();
  private final List<String> alarms = new CopyOnWriteArrayList<>();
  private final Map<String, Long> counts = new HashMap<>();
  private final Counts totals = new Counts();
  private final WrongSecrets wrong = table(THRESHOLD);

  private WrongSecrets table(int threshold) {
    WrongSecrets table =
        new WrongSecrets(
            threshold, time::nanos, (network, count) -> alarms.add(network + " " + count));
    table.countIn(totals);
    return table;
  }

  private static void note(WrongSecrets table, String address, int times) {
    for (int i = 0; i < times; i++) {
      table.note(Origin.of(address));
    }
  }

  private long count(String result) {
    totals.tell((metric, name, added) -> counts.merge(name, added, Long::sum));
    return counts.getOrDefault(result, 0L);
  }

  @Test
  void an_address_is_told_when_it_has_sent_so_many_in_a_minute_and_once() {
    note(wrong, "192.0.2.7", THRESHOLD - 1);
    assertThat(alarms).isEmpty();

    note(wrong, "192.0.2.7", 1);
    assertThat(alarms).containsExactly("192.0.2.7/32 20");

    note(wrong, "192.0.2.7", 100_000);
    assertThat(alarms).hasSize(1);

    time.advance(Duration.ofMinutes(1).minusNanos(1));
    note(wrong, "192.0.2.7", THRESHOLD);
    assertThat(alarms).hasSize(1);

    time.advance(Duration.ofNanos(1));
    note(wrong, "192.0.2.7", THRESHOLD);
    assertThat(alarms).containsExactly("192.0.2.7/32 20", "192.0.2.7/32 20");
  }

  @Test
  void who_comes_slowly_is_not_told() {
    for (int i = 0; i < 1_000; i++) {
      note(wrong, "192.0.2.7", 1);
      time.advance(Duration.ofSeconds(4)); // 15 a minute
    }
    assertThat(alarms).isEmpty();
  }

  @Test
  void one_client_has_all_of_a_64_and_one_ipv4_address_in_any_form() {
    for (int i = 0; i < THRESHOLD; i++) {
      note(wrong, "2001:db8:0:1::" + Integer.toHexString(i), 1);
      note(wrong, i % 2 == 0 ? "192.0.2.7" : "::ffff:192.0.2.7", 1);
      note(wrong, "::" + i, 1);
      note(wrong, "2001:db8:0:" + (i + 2) + "::1", 1);
      note(wrong, "192.0.2." + (i + 8), 1);
    }
    assertThat(alarms)
        .containsExactlyInAnyOrder("2001:db8:0:1::/64 20", "192.0.2.7/32 20", "::/64 20");
  }

  @Test
  void what_has_no_address_is_counted_together() {
    wrong.note(Origin.unknown());
    wrong.note(Origin.of("host.example"));

    assertThat(alarms).isEmpty();
    assertThat(count("unaddressed")).isEqualTo(2);
    assertThat(count("counted")).isZero();
  }

  private static String address(int bits) {
    return (bits >>> 24)
        + "."
        + (bits >>> 16 & 0xFF)
        + "."
        + (bits >>> 8 & 0xFF)
        + "."
        + (bits & 0xFF);
  }

  /** Counts by address. */
  @FunctionalInterface
  private interface Table {
    void note(Origin origin);
  }

  /** What comes to mind first: of as many addresses, the one that was idle longest has to go. */
  private final class Oldest implements Table {
    private final Map<String, Integer> counts =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
            return size() > WrongSecrets.SETS * WrongSecrets.WAYS;
          }
        };

    @Override
    public void note(Origin origin) {
      String network = origin.ipAddress() + "/32";
      if (counts.merge(network, 1, Integer::sum) == THRESHOLD) {
        alarms.add(network + " " + THRESHOLD);
      }
    }
  }

  /** How many of those who guess in the midst of a flood of addresses are told. */
  private int told(Table table) {
    int guessers = 50;
    int times = 25;
    SplittableRandom random = Seed.of("flood of addresses");
    alarms.clear();
    for (int time = 0; time < times; time++) {
      for (int guesser = 0; guesser < guessers; guesser++) {
        table.note(Origin.of(address(guesser)));
        table.note(Origin.of(address(guesser))); // two at a time: the second saves its place
      }
      for (int i = 0; i < FLOOD / times; i++) {
        table.note(Origin.of(address(random.nextInt() | 1 << 31))); // none of the guessers'
      }
    }
    return alarms.size();
  }

  @Test
  void a_flood_of_addresses_does_not_hide_who_guesses() {
    int told = told(wrong::note);
    long displaced = count("displaced");
    int ofTwin = told(new Oldest());

    System.out.printf(
        "50 guessers in %,d addresses: %d told, %,d displaced; %d by the twin%n",
        FLOOD, told, displaced, ofTwin);
    assertThat(told).isEqualTo(50);
    assertThat(displaced).isGreaterThan(FLOOD / 2);
    assertThat(count("overlooked")).isZero();
    assertThat(ofTwin).isZero();
  }

  @Test
  void who_fills_the_table_with_addresses_that_stay_has_raised_an_alarm_for_each() {
    SplittableRandom random = Seed.of("full table");
    WrongSecrets small = table(2);
    int places = WrongSecrets.SETS * WrongSecrets.WAYS;
    for (int i = 0; i < 20 * places; i++) {
      note(small, address(random.nextInt()), 2);
    }
    assertThat(alarms).hasSize(places).doesNotHaveDuplicates();
    assertThat(count("overlooked")).isPositive();
    assertThat(count("counted") + count("overlooked")).isEqualTo(40L * places);

    time.advance(Duration.ofMinutes(1)); // and then it is empty
    alarms.clear();
    note(small, "192.0.2.7", 2);
    assertThat(alarms).containsExactly("192.0.2.7/32 2");
  }

  @Test
  void threads_raise_one_alarm_together() throws Exception {
    int rounds = 20 * Threads.ROUNDS;
    int each = 10;
    try (Threads threads = new Threads()) {
      List<Callable<Integer>> calls = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        calls.add(
            () -> {
              for (int round = 0; round < rounds; round++) {
                note(wrong, address(round % 1_000), each);
              }
              return rounds;
            });
      }
      threads.race(calls);
    }
    assertThat(alarms).hasSize(1_000).doesNotHaveDuplicates();
    assertThat(count("counted")).isEqualTo(4L * each * rounds);
  }

  @Test
  void a_node_tells_who_guesses_and_blames_no_key() {
    try (Nodes nodes = new Nodes(new InMemoryKeyStore())) {
      KeyListener listening =
          new KeyListener() {
            @Override
            public void wrongSecrets(String network, int count) {
              alarms.add(network + " " + count);
            }
          };
      ApiKeys node =
          nodes.node(builder -> builder.listener(listening).wrongSecretsPerMinute(THRESHOLD));
      IssuedKey issued = node.issue(KeySpec.forOwner("owner"));
      String token = issued.revealToken();
      String guess = Tokens.withChecksum(token.substring(0, token.length() - 38) + "x".repeat(32));
      for (int i = 0; i < THRESHOLD; i++) {
        node.peek(guess, Nodes.ANY, Nodes.HERE);
        Nodes.verdict(node, token.substring(1)); // malformed
      }
      Internals.awaitEvents(node);
      assertThat(alarms).isEmpty();

      for (int i = 0; i < THRESHOLD; i++) {
        assertThat(Nodes.verdict(node, i % 2 == 0 ? guess : Tokens.EXAMPLE))
            .isNotEqualTo("ACCEPTED");
      }
      Internals.awaitEvents(node);
      assertThat(alarms).containsExactly("192.0.2.7/32 20");
      assertThat(node.find(issued.id()).orElseThrow().lastSeen()).isNull();
      assertThat(Nodes.verdict(node, token)).isEqualTo("ACCEPTED"); // nobody is refused for it
    }
  }
}
