package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Addresses and networks against a naive reader of texts with split strings and big integers. */
class NetworksReferenceTest {

  private static final int PAIRS = 1_000_000;

  private static final Pattern OCTET =
      Pattern.compile("0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]");
  private static final Pattern GROUP = Pattern.compile("[0-9A-Fa-f]{1,4}");
  private static final Pattern PREFIX = Pattern.compile("0|[1-9][0-9]{0,2}");

  private interface Matcher {
    boolean permits(String network, String address);
  }

  /** An address: 32 or 128 bits. */
  private record Bits(int width, BigInteger value) {}

  private record Tally(long pairs, long networks, long addresses, long contained, long differs) {}

  @Test
  void a_million_pairs() {
    Tally tally = compare(NetworksReferenceTest::permits, PAIRS);

    System.out.printf(
        "NetworksReferenceTest: %,d pairs, %,d valid networks, %,d valid addresses,"
            + " %,d contained, %d differ%n",
        tally.pairs, tally.networks, tally.addresses, tally.contained, tally.differs);
    assertThat(tally.pairs).isEqualTo(PAIRS);
    assertThat(tally.networks).isBetween(PAIRS / 4L, PAIRS * 19L / 20);
    assertThat(tally.addresses).isBetween(PAIRS / 4L, PAIRS * 19L / 20);
    assertThat(tally.contained).isGreaterThan(PAIRS / 20L);
    assertThat(tally.differs).isZero();
  }

  @Test
  void a_shift_by_the_whole_width_is_caught() {
    // -1 << 32 is -1 in Java, so that /0 becomes /32
    Matcher twin =
        (network, address) -> permits(network.replace("0.0.0.0/0", "0.0.0.0/32"), address);

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  @Test
  void a_mapped_address_taken_for_ipv6_is_caught() {
    Matcher twin =
        (network, address) -> {
          IpAddress read = IpAddress.parse(address);
          boolean mapped = read != null && read.isIpv4() && address.indexOf(':') >= 0;
          return mapped ? network.equals("::/0") : permits(network, address);
        };

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  @Test
  void leading_zeros_taken_as_decimal_are_caught() {
    Matcher twin =
        (network, address) -> permits(network, address.replaceAll("(^|\\.)0+([1-9])", "$1$2"));

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  @Test
  void bits_behind_the_prefix_that_are_cleared_are_caught() {
    Matcher twin =
        (network, address) -> {
          int slash = network.indexOf('/');
          return permits(network, address)
              || slash > 0 && permits(network.substring(0, slash), address);
        };

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  private static boolean permits(String network, String address) {
    return Networks.of(List.of(network)).permit(Origin.of(address));
  }

  private static Tally compare(Matcher matcher, int pairs) {
    AddressTexts texts = new AddressTexts(Seed.of("NetworksReferenceTest"));
    long networks = 0;
    long addresses = 0;
    long contained = 0;
    long differs = 0;
    for (int i = 0; i < pairs; i++) {
      String network = texts.network();
      String address = texts.address();
      Bits read = read(address);
      boolean expected = read != null && contains(network, read);
      networks += isNetwork(network) ? 1 : 0;
      addresses += read != null ? 1 : 0;
      contained += expected ? 1 : 0;
      differs += matcher.permits(network, address) == expected ? 0 : 1;
    }
    return new Tally(pairs, networks, addresses, contained, differs);
  }

  private static boolean isNetwork(String text) {
    String[] parts = text.split("/", -1);
    Bits first = read(parts[0]);
    if (first == null || parts.length > 2) {
      return false;
    }
    return parts.length == 1 || prefix(parts, first) >= 0;
  }

  private static boolean contains(String network, Bits address) {
    String[] parts = network.split("/", -1);
    Bits first = read(parts[0]);
    if (first == null || parts.length > 2 || first.width != address.width) {
      return false;
    }
    int prefix = parts.length == 1 ? first.width : prefix(parts, first);
    if (prefix < 0) {
      return false;
    }
    int rest = first.width - prefix;
    return first.value.shiftRight(rest).equals(address.value.shiftRight(rest));
  }

  /** The length of the prefix in bits of this family, or -1. */
  private static int prefix(String[] parts, Bits first) {
    boolean mapped = first.width == 32 && parts[0].contains(":");
    if (!PREFIX.matcher(parts[1]).matches()) {
      return -1;
    }
    int prefix = Integer.parseInt(parts[1]) - (mapped ? 96 : 0);
    if (prefix < 0 || prefix > first.width) {
      return -1;
    }
    BigInteger behind = BigInteger.ONE.shiftLeft(first.width - prefix).subtract(BigInteger.ONE);
    return first.value.and(behind).signum() == 0 ? prefix : -1;
  }

  private static @Nullable Bits read(String text) {
    if (!text.contains(":")) {
      BigInteger value = ipv4(text);
      return value == null ? null : new Bits(32, value);
    }
    BigInteger value = ipv6(text);
    if (value == null) {
      return null;
    }
    return value.shiftRight(32).equals(BigInteger.valueOf(0xFFFF))
        ? new Bits(32, value.subtract(BigInteger.valueOf(0xFFFF).shiftLeft(32)))
        : new Bits(128, value);
  }

  private static @Nullable BigInteger ipv4(String text) {
    String[] octets = text.split("\\.", -1);
    if (octets.length != 4) {
      return null;
    }
    BigInteger value = BigInteger.ZERO;
    for (String octet : octets) {
      if (!OCTET.matcher(octet).matches()) {
        return null;
      }
      value = value.shiftLeft(8).add(new BigInteger(octet));
    }
    return value;
  }

  private static @Nullable BigInteger ipv6(String text) {
    String groups = text;
    int lastColon = text.lastIndexOf(':');
    if (text.indexOf('.') >= 0) {
      BigInteger tail = ipv4(text.substring(lastColon + 1));
      if (tail == null) {
        return null;
      }
      groups =
          text.substring(0, lastColon + 1)
              + tail.shiftRight(16).toString(16)
              + ":"
              + tail.and(BigInteger.valueOf(0xFFFF)).toString(16);
    }
    String[] halves = groups.split("::", -1);
    if (halves.length > 2) {
      return null;
    }
    String[] left =
        halves[0].isEmpty() && halves.length == 2 ? new String[0] : halves[0].split(":", -1);
    String[] right =
        halves.length == 1 || halves[1].isEmpty() ? new String[0] : halves[1].split(":", -1);
    int count = left.length + right.length;
    if (halves.length == 1 ? count != 8 : count > 7) {
      return null;
    }
    BigInteger value = BigInteger.ZERO;
    for (int i = 0; i < 8; i++) {
      String group =
          i < left.length ? left[i] : i >= 8 - right.length ? right[i - 8 + right.length] : "0";
      if (!GROUP.matcher(group).matches()) {
        return null;
      }
      value = value.shiftLeft(16).add(new BigInteger(group, 16));
    }
    return value;
  }

  /** Draws texts from a few neighbouring addresses, so that networks meet them, in many forms. */
  private static final class AddressTexts {

    private static final String[] SEEDS = {
      "0a000000",
      "0a010203",
      "c0000207",
      "00000000",
      "ffffffff",
      "7f000001",
      "20010db8000000000000000000000000",
      "20010db8000000010000000000000001",
      "00000000000000000000000000000001",
      "fe800000000000000000000000000001",
      "00000000000000000000000000000000",
      "ffffffffffffffffffffffffffffffff",
      "00000000000000000000ffff0a010203"
    };
    private static final String ODD = "0123456789abcdefABCDEFgx.:/%[] -+\u0661\uFF11";

    private final SplittableRandom random;

    AddressTexts(SplittableRandom random) {
      this.random = random;
    }

    String address() {
      return odd(text(near()));
    }

    String network() {
      Bits bits = near();
      int prefix = random.nextInt(3) == 0 ? 0 : random.nextInt(bits.width + 2);
      if (random.nextInt(8) > 0) { // else bits behind the prefix stay
        int rest = Math.max(0, bits.width - prefix);
        bits = new Bits(bits.width, bits.value.shiftRight(rest).shiftLeft(rest));
      }
      String text = text(bits);
      if (random.nextInt(8) == 0) {
        return odd(text);
      }
      boolean mapped = bits.width == 32 && text.contains(":");
      return odd(text + "/" + (mapped ? prefix + 96 : prefix));
    }

    private Bits near() {
      String seed = SEEDS[random.nextInt(SEEDS.length)];
      int width = seed.length() * 4;
      BigInteger value = new BigInteger(seed, 16);
      for (int flips = random.nextInt(3); flips > 0; flips--) {
        value = value.flipBit(random.nextInt(width));
      }
      return new Bits(width, value);
    }

    private String text(Bits bits) {
      if (bits.width == 32 && random.nextInt(4) > 0) {
        return dotted(bits.value);
      }
      BigInteger value =
          bits.width == 32 ? bits.value.add(BigInteger.valueOf(0xFFFF).shiftLeft(32)) : bits.value;
      StringBuilder text = new StringBuilder();
      boolean tail = random.nextInt(4) == 0;
      for (int i = 7; i >= (tail ? 2 : 0); i--) {
        int group = value.shiftRight(16 * i).intValue() & 0xFFFF;
        text.append(
                random.nextBoolean()
                    ? Integer.toHexString(group)
                    : Integer.toHexString(0x1_0000 | group).substring(1).toUpperCase(Locale.ROOT))
            .append(':');
      }
      String full = tail ? text + dotted(value) : text.substring(0, text.length() - 1);
      return random.nextInt(4) == 0 ? full : full.replaceFirst("(^|:)(0+(:|$)){2,}", "::");
    }

    private static String dotted(BigInteger value) {
      int bits = value.intValue();
      return (bits >>> 24)
          + "."
          + (bits >>> 16 & 255)
          + "."
          + (bits >>> 8 & 255)
          + "."
          + (bits & 255);
    }

    /** One character of eight texts is damaged. */
    private String odd(String text) {
      if (random.nextInt(8) > 0) {
        return text;
      }
      StringBuilder odd = new StringBuilder(text);
      int at = random.nextInt(text.length());
      char c = ODD.charAt(random.nextInt(ODD.length()));
      switch (random.nextInt(3)) {
        case 0 -> odd.setCharAt(at, c);
        case 1 -> odd.insert(at, random.nextBoolean() ? c : '0');
        default -> odd.deleteCharAt(at);
      }
      return odd.toString();
    }
  }
}
