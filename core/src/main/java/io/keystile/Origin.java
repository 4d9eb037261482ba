package io.keystile;

import java.net.InetAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a request came from, as far as the host knows it: the client's address, whether the
 * transport was secure, and the name of the calling service.
 *
 * <pre>{@code
 * Origin origin = Origin.of(request.getRemoteAddr()).secure(request.isSecure());
 * }</pre>
 *
 * <p>Address texts are read strictly and never resolved: no DNS look-up can happen. Taken are four
 * decimal octets without leading zeros ({@code 192.0.2.7}) and the forms of RFC 4291 ({@code
 * 2001:db8::7}, {@code ::ffff:192.0.2.7}, which is the IPv4 address). Octal and shortened forms,
 * zone ids, brackets, ports, blanks and host names are not. A text that cannot be read is not an
 * error: it is an address that no allow-list contains, so that a key without an allow-list works
 * and one with an allow-list is refused.
 *
 * <p>A transport that is not stated is never refused, whatever the {@link TransportPolicy}: a host
 * that does not call {@link #secure} lets tokens in that were sent in clear.
 *
 * <p>Immutable and safe for use by many threads. The methods that look like setters return a
 * changed copy.
 */
public final class Origin {

  /** What the host said about the transport. */
  enum Transport {
    SECURE,
    CLEAR,
    NOT_STATED
  }

  private static final Origin UNKNOWN = new Origin(null, null, Transport.NOT_STATED, null, false);

  private final @Nullable String text;
  private final @Nullable InetAddress address;
  private final Transport transport;
  private final @Nullable String caller;
  private final boolean browser;

  private Origin(
      @Nullable String text,
      @Nullable InetAddress address,
      Transport transport,
      @Nullable String caller,
      boolean browser) {
    this.text = text;
    this.address = address;
    this.transport = transport;
    this.caller = caller;
    this.browser = browser;
  }

  /**
   * Returns the origin with this address.
   *
   * @param address the text of the client's address; where there is none, see {@link #unknown}
   * @return the origin, its transport not stated ({@link #secure} states it), without a caller
   */
  public static Origin of(String address) {
    Objects.requireNonNull(address, "address");
    return new Origin(address, null, Transport.NOT_STATED, null, false);
  }

  /**
   * Returns the origin with this address. The scope of an IPv6 address is left out.
   *
   * @param address the client's address; where there is none, see {@link #unknown}
   * @return the origin, its transport not stated ({@link #secure} states it), without a caller
   */
  public static Origin of(InetAddress address) {
    Objects.requireNonNull(address, "address");
    return new Origin(null, address, Transport.NOT_STATED, null, false);
  }

  /**
   * Returns the origin about which nothing is known. No allow-list contains it.
   *
   * @return the origin without an address, its transport not stated, without a caller
   */
  public static Origin unknown() {
    return UNKNOWN;
  }

  /**
   * States whether the token came over a transport that others cannot read. Only what is stated to
   * be clear text is held against a token; a transport that is not stated is accepted under every
   * {@link TransportPolicy}. So state it for each request, as the server or a trusted proxy knows
   * it.
   *
   * @param secure true for TLS, false for clear text
   * @return a copy that says so
   */
  public Origin secure(boolean secure) {
    Transport stated = secure ? Transport.SECURE : Transport.CLEAR;
    return new Origin(text, address, stated, caller, browser);
  }

  /**
   * States the name under which a service calls, for instance from {@code X-Service-Name}. It is
   * what the client says, and compared exactly.
   *
   * @param caller the name; null is none
   * @return a copy that says so
   */
  public Origin caller(@Nullable String caller) {
    return new Origin(text, address, transport, caller, browser);
  }

  /**
   * States whether the request came from a browser, as its headers ({@code Origin}, {@code
   * Sec-Fetch-*}) tell. A service key that comes from one is in somebody's page: {@link
   * KeyListener#usedFromBrowser}.
   *
   * @param browser true if it did
   * @return a copy that says so
   */
  public Origin browser(boolean browser) {
    return new Origin(text, address, transport, caller, browser);
  }

  /** The address, or null if it is unknown or cannot be read. Parsed here: few keys need it. */
  @Nullable IpAddress ipAddress() {
    return address != null ? IpAddress.of(address) : IpAddress.parse(text);
  }

  /** The address as the host gave it, not parsed; null if it gave none. */
  @Nullable Object source() {
    return address != null ? address : text;
  }

  Transport transport() {
    return transport;
  }

  @Nullable String callerName() {
    return caller;
  }

  boolean isBrowser() {
    return browser;
  }

  /**
   * Describes the origin, for logs. What a client may have written is not repeated.
   *
   * @return address, transport, and whether there is a caller
   */
  @Override
  public String toString() {
    IpAddress known = ipAddress();
    return "Origin[%s, %s%s]"
        .formatted(
            known == null ? "unknown address" : known,
            transport,
            caller == null ? "" : ", caller stated");
  }
}
