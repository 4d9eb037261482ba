package io.keystile;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list of networks, compiled once: those a key may be used from, or the proxies of a host.
 *
 * <p>A network is an address and, after {@code /}, the length of its prefix: {@code 10.0.0.0/8},
 * {@code 2001:db8::/32}; an address alone is a network of one. {@code /0} is every address of the
 * family. Addresses are written as {@link Origin} takes them; an IPv4-mapped network is an IPv4
 * network, and no IPv6 network contains an IPv4 address. Bits set behind the prefix are refused,
 * not cleared: {@code 10.1.2.3/8} is more likely a slip than the wish for 16 million addresses.
 *
 * <p>Immutable and safe for use by many threads. Nothing here resolves a name.
 */
public final class Networks {

  private record Network(IpAddress first, long maskHigh, long maskLow) {

    boolean contains(IpAddress address) {
      return address.isIpv4() == first.isIpv4()
          && (address.high() & maskHigh) == first.high()
          && (address.low() & maskLow) == first.low();
    }
  }

  private final boolean unrestricted;
  private final Network[] networks;

  private Networks(boolean unrestricted, Network[] networks) {
    this.unrestricted = unrestricted;
    this.networks = networks;
  }

  /**
   * Returns the list of these networks.
   *
   * @param networks the networks; none is a list that contains no address
   * @return the list
   * @throws IllegalArgumentException if one is not a network
   */
  public static Networks listed(String... networks) {
    for (String network : networks) {
      requireNetwork(network);
    }
    return of(List.of(networks));
  }

  /**
   * Returns whether one of the networks contains the address.
   *
   * @param address the text of an address, read as {@link Origin} does; null is an unknown address
   * @return whether one does; false if the address is unknown or cannot be read
   */
  public boolean contains(@Nullable String address) {
    return contains(IpAddress.parse(address));
  }

  /**
   * Compiles the list of a record. An empty one restricts nothing. What is not a network contains
   * nothing, and does not make a list empty.
   */
  static Networks of(Collection<String> texts) {
    List<Network> networks = new ArrayList<>();
    for (String text : texts) {
      Network network = parse(text);
      if (network != null) {
        networks.add(network);
      }
    }
    return new Networks(texts.isEmpty(), networks.toArray(Network[]::new));
  }

  /** Returns the text of a network. */
  static String requireNetwork(String text) {
    if (parse(text) == null) {
      throw new IllegalArgumentException(
          "A network must be an IPv4 or IPv6 address, or one with /prefix and no bits set behind"
              + " the prefix; names are not resolved");
    }
    return text;
  }

  /** Whether a request from here is allowed. An unknown or unreadable address is in no list. */
  boolean permit(Origin origin) {
    return unrestricted || contains(origin.ipAddress());
  }

  /** Whether one of the networks contains the address. */
  boolean contains(@Nullable IpAddress address) {
    if (address == null) {
      return false;
    }
    for (Network network : networks) {
      if (network.contains(address)) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable Network parse(String text) {
    int slash = text.indexOf('/');
    IpAddress first = IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    if (first == null) {
      return null;
    }
    // an IPv4 address is kept in 128 bits, but its dotted form counts the last 32
    int offset = text.indexOf(':') < 0 ? 96 : 0;
    int length = 128;
    if (slash >= 0) {
      int written = IpAddress.decimal(text, slash + 1, text.length(), 128 - offset);
      if (written < 0) {
        return null;
      }
      length = offset + written;
    }
    long maskHigh = length >= 64 ? -1L : mask(length);
    long maskLow = length > 64 ? mask(length - 64) : 0;
    boolean hostBits = ((first.high() & ~maskHigh) | (first.low() & ~maskLow)) != 0;
    return hostBits ? null : new Network(first, maskHigh, maskLow);
  }

  /** The first {@code bits} bits of 64; 0 to 64. */
  private static long mask(int bits) {
    return bits == 0 ? 0 : -1L << (64 - bits);
  }
}
