package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.keystile.usage.UsageRecorder;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

class SourceNetworksTest {
  private static final long MAPPED = 0xFFFF_0000_0000L;
  private static final int THREADS = 8;
  private static final int EACH = 100 * Threads.ROUNDS;

  private final SourceNetworks networks = new SourceNetworks();

  private static Origin origin(String text) {
    return Origin.of(text);
  }

  private static Origin address(String hex) {
    try {
      return Origin.of(InetAddress.getByAddress(HexFormat.of().parseHex(hex)));
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void an_address_has_one_number_however_it_is_given() {
    long v4 = UsageRecorder.networkOf(0, MAPPED | 0xC000_0207L);
    long v6 = UsageRecorder.networkOf(0x2001_0db8_0001_0002L, 7);
    for (int round = 0; round < 2; round++) { // the second time it is known
      assertThat(networks.of(origin("192.0.2.7"))).isEqualTo(v4);
      assertThat(networks.of(origin("192.0.2.8"))).isEqualTo(v4);
      assertThat(networks.of(origin("::ffff:192.0.2.7"))).isEqualTo(v4);
      assertThat(networks.of(origin("::ffff:c000:207"))).isEqualTo(v4);
      assertThat(networks.of(address("c0000207"))).isEqualTo(v4);
      assertThat(networks.of(address("00000000000000000000ffffc0000207"))).isEqualTo(v4);
      assertThat(networks.of(origin("2001:db8:1:2::7"))).isEqualTo(v6);
      assertThat(networks.of(origin("2001:DB8:1::"))).isEqualTo(v6);
      assertThat(networks.of(address("20010db8000100020000000000000007"))).isEqualTo(v6);
    }
    assertThat(v4).isNotZero().isNotEqualTo(v6);
    assertThat(networks.of(origin("192.0.3.7"))).isNotEqualTo(v4);
  }

  @Test
  void what_cannot_be_read_is_unknown() {
    for (String text : List.of("", "localhost", "192.0.2", "192.0.2.256", "192.0.2.7:80", ":::")) {
      assertThat(networks.of(origin(text))).as(text).isZero();
    }
    assertThat(networks.of(Origin.unknown())).isZero();
  }

  @Test
  void an_address_that_is_known_allocates_nothing() {
    List<Origin> origins =
        List.of(
            origin("192.0.2.7"),
            origin("2001:db8::7"),
            address("c6336407"),
            address("20010db8000000000000000000000009"));
    assertThat(allocated(networks::of, origins)).isZero();
    // the twin that remembers nothing is caught
    assertThat(
            allocated(
                origin -> {
                  IpAddress address = origin.ipAddress();
                  return address == null ? 0 : address.high() + address.hashCode();
                },
                List.of(origin("2001:db8::7"))))
        .isPositive();
  }

  private static long allocated(ToLongFunction<Origin> of, List<Origin> origins) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first warms up
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 100_000; i++) {
        of.applyAsLong(origins.get(i % origins.size()));
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  /** More than are remembered, and pairs of one hash that are in different networks. */
  private static List<String> texts() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      texts.add("10." + i / 256 + "." + i % 256 + ".1");
    }
    for (int digit = 0; digit < 9; digit++) {
      for (char letter = 'a'; letter < 'f'; letter++) {
        String one = "2001:db8:" + digit + letter + "::1";
        String two = "2001:db8:" + (digit + 1) + (char) (letter - 31) + "::1";
        assertThat(one).hasSameHashCodeAs(two);
        texts.addAll(Collections.nCopies(10, one));
        texts.addAll(Collections.nCopies(10, two));
      }
    }
    return texts;
  }

  /** How often threads that race get another network than the right one. */
  private static int wrong(ToLongFunction<Origin> of) throws Exception {
    SplittableRandom random = Seed.of("SourceNetworksTest");
    List<String> texts = texts();
    List<Callable<Integer>> calls = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      SplittableRandom own = random.split();
      calls.add(
          () -> {
            int wrong = 0;
            for (int n = 0; n < EACH; n++) {
              String text = texts.get(own.nextInt(texts.size()));
              IpAddress address = Objects.requireNonNull(IpAddress.parse(text));
              long right = UsageRecorder.networkOf(address.high(), address.low());
              wrong += of.applyAsLong(origin(text)) == right ? 0 : 1;
            }
            return wrong;
          });
    }
    try (Threads race = new Threads()) {
      return race.race(calls).stream().mapToInt(Integer::intValue).sum();
    }
  }

  @Test
  void no_thread_gets_the_network_of_another_address() throws Exception {
    int wrong = wrong(networks::of);

    System.out.printf(
        "networks: %,d looked up by %d threads, %d wrong%n", THREADS * EACH, THREADS, wrong);
    assertThat(wrong).isZero();
  }

  @Test
  void the_twin_that_compares_hashes_alone_is_caught() throws Exception {
    AtomicLongArray networks = new AtomicLongArray(1024);
    AtomicLongArray hashes = new AtomicLongArray(1024);
    ToLongFunction<Origin> twin =
        origin -> {
          int hash = Objects.requireNonNull(origin.source()).hashCode();
          int slot = (hash ^ hash >>> 16) & 1023;
          if (hashes.get(slot) != hash) {
            IpAddress address = Objects.requireNonNull(origin.ipAddress());
            networks.set(slot, UsageRecorder.networkOf(address.high(), address.low()));
            hashes.set(slot, hash);
          }
          return networks.get(slot);
        };

    assertThat(wrong(twin)).isGreaterThan(THREADS * EACH / 100);
  }
}
