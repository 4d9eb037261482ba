package io.keystile;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * An address as 128 bits. IPv4 is kept in its IPv6-mapped form, {@code ::ffff:a.b.c.d}, so that
 * both texts of it are one address. Nothing here resolves a name.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
record IpAddress(long high, long low) {

  private static final long MAPPED = 0xFFFF_0000_0000L;

  /** {@code ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255}. */
  private static final int MAX_LENGTH = 45;

  private static final int IPV6_GROUPS = 8;

  static IpAddress of(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return bytes.capacity() == Integer.BYTES
        ? ofIpv4(bytes.getInt() & 0xFFFF_FFFFL)
        : new IpAddress(bytes.getLong(), bytes.getLong());
  }

  private static IpAddress ofIpv4(long bits) {
    return new IpAddress(0, MAPPED | bits);
  }

  boolean isIpv4() {
    return high == 0 && low >>> 32 == MAPPED >>> 32;
  }

  /**
   * The address with this text, or null. Taken are four decimal octets without leading zeros, and
   * the IPv6 forms of RFC 4291 (groups of 1 to 4 hexadecimal digits, one {@code ::}, the last 32
   * bits as an IPv4 address). Not taken are octal, hexadecimal and shortened IPv4, zone ids,
   * brackets, ports, blanks and host names.
   */
  static @Nullable IpAddress parse(@Nullable String text) {
    if (text == null || text.length() > MAX_LENGTH) {
      return null;
    }
    if (text.indexOf(':') >= 0) {
      return parseIpv6(text);
    }
    long bits = parseIpv4(text, 0);
    return bits < 0 ? null : ofIpv4(bits);
  }

  /** The 32 bits of the IPv4 address from here to the end, or -1. */
  private static long parseIpv4(String text, int from) {
    long bits = 0;
    int position = from;
    for (int octet = 0; octet < 4; octet++) {
      int dot = octet < 3 ? text.indexOf('.', position) : text.length();
      int value = decimal(text, position, dot, 255);
      if (value < 0) {
        return -1;
      }
      bits = bits << 8 | value;
      position = dot + 1;
    }
    return bits;
  }

  /** A decimal number without sign and leading zeros, at most {@code max} (below 1000), or -1. */
  static int decimal(String text, int from, int to, int max) {
    int length = to - from;
    if (length < 1 || length > 3 || (length > 1 && text.charAt(from) == '0')) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + (c - '0');
    }
    return value <= max ? value : -1;
  }

  private static @Nullable IpAddress parseIpv6(String text) {
    int[] groups = new int[IPV6_GROUPS];
    int count = 0;
    int gap = text.startsWith("::") ? 0 : -1;
    int position = gap == 0 ? 2 : 0;
    while (position < text.length()) {
      int colon = text.indexOf(':', position);
      boolean last = colon < 0;
      if (last && text.indexOf('.', position) >= 0) {
        long bits = parseIpv4(text, position);
        if (bits < 0 || count > IPV6_GROUPS - 2) {
          return null;
        }
        groups[count++] = (int) (bits >>> 16);
        groups[count++] = (int) (bits & 0xFFFF);
        break;
      }
      int value = hexadecimal(text, position, last ? text.length() : colon);
      if (value < 0 || count == IPV6_GROUPS) {
        return null;
      }
      groups[count++] = value;
      if (last) {
        break;
      }
      position = colon + 1;
      if (position == text.length()) {
        return null;
      }
      if (text.charAt(position) == ':') {
        if (gap >= 0) {
          return null;
        }
        gap = count;
        position++;
      }
    }
    return assemble(groups, count, gap);
  }

  /** Fills the gap with zeros; it must stand for at least one group. */
  private static @Nullable IpAddress assemble(int[] groups, int count, int gap) {
    if (gap < 0 ? count != IPV6_GROUPS : count == IPV6_GROUPS) {
      return null;
    }
    int zeros = IPV6_GROUPS - count;
    long high = 0;
    long low = 0;
    for (int i = 0; i < IPV6_GROUPS; i++) {
      boolean inGap = zeros > 0 && i >= gap && i < gap + zeros;
      int group = inGap ? 0 : groups[zeros > 0 && i >= gap ? i - zeros : i];
      if (i < IPV6_GROUPS / 2) {
        high = high << 16 | group;
      } else {
        low = low << 16 | group;
      }
    }
    return new IpAddress(high, low);
  }

  private static int hexadecimal(String text, int from, int to) {
    if (to - from < 1 || to - from > 4) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c >= 128 || !HexFormat.isHexDigit(c)) {
        return -1;
      }
      value = value << 4 | HexFormat.fromHexDigit(c);
    }
    return value;
  }

  /** The address in dotted or full hexadecimal form, for messages. */
  @Override
  public String toString() {
    if (isIpv4()) {
      return "%d.%d.%d.%d"
          .formatted(low >>> 24 & 0xFF, low >>> 16 & 0xFF, low >>> 8 & 0xFF, low & 0xFF);
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < IPV6_GROUPS; i++) {
      long half = i < IPV6_GROUPS / 2 ? high : low;
      text.append(i == 0 ? "" : ":")
          .append(Long.toHexString((half >>> (48 - i % 4 * 16)) & 0xFFFF));
    }
    return text.toString();
  }
}
