package io.keystile.usage;

/**
 * The network that a request came from, as a number: the /24 of an IPv4 address, the /48 of an IPv6
 * address. Finer ones would tell more of a person than is needed to see that a key has moved.
 */
final class Network {
  static final long UNKNOWN = 0;

  private static final long V4 = 1L << 62;
  private static final long V6 = 1L << 61;

  /** The first 96 bits of an IPv4 address in its mapped form (RFC 4291, 2.5.5.2). */
  private static final long MAPPED = 0xFFFF;

  private Network() {}

  /** The network of an address of 128 bits; IPv4 in its mapped form, {@code ::ffff:a.b.c.d}. */
  static long of(long high, long low) {
    boolean isV4 = high == 0 && low >>> 32 == MAPPED;
    return isV4 ? V4 | (low & 0xFFFF_FFFFL) >> 8 : V6 | high >>> 16;
  }

  /** As people write it, in CIDR notation (RFC 4632; RFC 5952 without the shortening of runs). */
  static String text(long network) {
    if ((network & V4) != 0) {
      return (network >> 16 & 0xff)
          + "."
          + (network >> 8 & 0xff)
          + "."
          + (network & 0xff)
          + ".0/24";
    }
    return Long.toHexString(network >> 32 & 0xffff)
        + ":"
        + Long.toHexString(network >> 16 & 0xffff)
        + ":"
        + Long.toHexString(network & 0xffff)
        + "::/48";
  }
}
