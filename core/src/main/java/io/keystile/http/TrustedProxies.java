package io.keystile.http;

import io.keystile.Networks;
import io.keystile.Origin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells where a request came from, believing what proxies say only if they are listed here. Anybody
 * can write {@code X-Forwarded-For}: only what a proxy of one's own appended to it is true.
 *
 * <ul>
 *   <li><b>From anywhere else</b>: the address is the peer's, the transport is the connection's. A
 *       clear connection from loopback counts as secure, unless a header that proxies write ({@code
 *       X-Forwarded-*}, {@code X-Real-IP}, {@code Via} and their like) shows that somebody is
 *       behind it.
 *   <li><b>From a listed proxy, with a forwarding header</b>: the address is the first from the
 *       right in {@code X-Forwarded-For} or {@code Forwarded} that is not a listed proxy's, within
 *       the last {@value #MAX_HOPS}; if all are, the leftmost. The transport is secure if every
 *       {@code X-Forwarded-Proto}, or the {@code proto} that stands with that address in {@code
 *       Forwarded}, says {@code https}. What is not said or cannot be read is unknown (address) or
 *       clear (transport). Where both kinds of header are present, both must say the same.
 *   <li><b>From a listed proxy, without a forwarding header</b>: as from anywhere else. A listed
 *       loopback address is a proxy's and no local client's: the address is unknown then, and a
 *       clear connection is clear.
 * </ul>
 *
 * <p>Each listed proxy must append to {@code X-Forwarded-For} (or {@code Forwarded}) and must set
 * {@code X-Forwarded-Proto} itself, not hand on what the client wrote there.
 *
 * <p>Addresses are never resolved. Immutable and safe for use by many threads. Throws nothing,
 * whatever a client sends.
 */
public final class TrustedProxies {

  private static final int MAX_HOPS = 32;

  private static final TrustedProxies NONE = new TrustedProxies(Networks.listed());
  private static final Networks LOOPBACK = Networks.listed("127.0.0.0/8", "::1");

  private static final String FORWARDED = "Forwarded";
  private static final String FORWARDED_FOR = "X-Forwarded-For";
  private static final String FORWARDED_PROTO = "X-Forwarded-Proto";

  /** Each shows that somebody handed the request on. */
  private static final List<String> FORWARDING =
      List.of(
          FORWARDED,
          FORWARDED_FOR,
          FORWARDED_PROTO,
          "X-Forwarded-Host",
          "X-Forwarded-Port",
          "X-Forwarded-Server",
          "X-Forwarded-By",
          "X-Forwarded-Prefix",
          "X-Forwarded-Protocol",
          "X-Forwarded-Scheme",
          "X-Forwarded-Ssl",
          "X-Forwarded-Client-Cert",
          "X-Real-IP",
          "Via",
          "X-Client-IP",
          "True-Client-IP",
          "CF-Connecting-IP",
          "X-Envoy-External-Address",
          "X-Original-Forwarded-For");

  /** Headers that browsers send, and that pages cannot suppress. */
  private static final List<String> BROWSER =
      List.of("Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest");

  private static final Pattern WITH_PORT =
      Pattern.compile("(?:\\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)]|([0-9.]+))(?::[0-9]{1,5})?");

  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

  /** A pair of RFC 7239, without escapes, which no address and no protocol needs. */
  private static final Pattern PAIR =
      Pattern.compile("(" + TOKEN + ")=(?:(" + TOKEN + ")|\"([^\"\\\\]*)\")");

  private final Networks proxies;

  private TrustedProxies(Networks proxies) {
    this.proxies = proxies;
  }

  /** What a proxy says of the one before it. */
  private record Hop(@Nullable String address, boolean secure) {
    static final Hop UNKNOWN = new Hop(null, false);
  }

  /**
   * Returns the list without a proxy: nothing that is forwarded is believed.
   *
   * @return the list
   */
  public static TrustedProxies none() {
    return NONE;
  }

  /**
   * Returns the list of these proxies.
   *
   * @param networks addresses and networks, as {@code 10.0.0.0/8} or {@code 2001:db8::7}
   * @return the list
   * @throws IllegalArgumentException if one is not a network
   */
  public static TrustedProxies of(String... networks) {
    return new TrustedProxies(Networks.listed(networks));
  }

  /**
   * Tells where a request came from: the client's address, whether the transport was secure, the
   * caller's name if there is exactly one {@code X-Service-Name}, and whether it came from a
   * browser ({@code Origin} or {@code Sec-Fetch-*}).
   *
   * @param <R> the request of a framework
   * @param request the request
   * @param getter reads it
   * @return the origin
   */
  public <R> Origin origin(R request, HeaderGetter<R> getter) {
    Function<String, List<String>> headers =
        name -> CredentialExtractor.values(request, getter, name);
    Hop client = client(getter.peerAddress(request), getter.isSecure(request), headers);
    List<String> callers = headers.apply("X-Service-Name");
    String address = client.address();
    Origin origin = address == null ? Origin.unknown() : Origin.of(address);
    return origin
        .secure(client.secure())
        .caller(callers.size() == 1 ? CredentialExtractor.trim(callers.get(0)) : null)
        .browser(isAnyIn(headers, BROWSER));
  }

  private Hop client(
      @Nullable String peer, boolean secure, Function<String, List<String>> headers) {
    String address = withoutZone(peer);
    boolean listed = proxies.contains(address);
    boolean loopback = LOOPBACK.contains(address);
    if (listed) {
      if (isAnyIn(headers, FORWARDING)) {
        return forwarded(headers);
      }
      return new Hop(loopback ? null : address, secure);
    }
    boolean local = !secure && loopback;
    return new Hop(address, secure || (local && !isAnyIn(headers, FORWARDING)));
  }

  private Hop forwarded(Function<String, List<String>> headers) {
    List<String> addresses = headers.apply(FORWARDED_FOR);
    List<String> protocols = headers.apply(FORWARDED_PROTO);
    List<String> elements = headers.apply(FORWARDED);
    if (elements.isEmpty()) {
      return widespread(addresses, protocols);
    }
    Hop standard = first(last(elements).stream().map(TrustedProxies::element).toList());
    if (addresses.isEmpty() && protocols.isEmpty()) {
      return standard;
    }
    // proxies write one kind and hand the other on as the client wrote it
    Hop other = widespread(addresses, protocols);
    boolean agreed = standard.address() != null && standard.address().equals(other.address());
    return new Hop(agreed ? other.address() : null, standard.secure() && other.secure());
  }

  private Hop widespread(List<String> addresses, List<String> protocols) {
    List<String> said = last(protocols);
    boolean secure = !said.isEmpty() && said.stream().allMatch("https"::equalsIgnoreCase);
    if (addresses.isEmpty()) {
      return new Hop(null, secure);
    }
    return first(last(addresses).stream().map(a -> new Hop(withoutPort(a), secure)).toList());
  }

  /** The first that is not a listed proxy; they are given from the right. */
  private Hop first(List<Hop> hops) {
    for (Hop hop : hops) {
      if (!proxies.contains(hop.address())) {
        return hop;
      }
    }
    boolean all = !hops.isEmpty() && hops.size() < MAX_HOPS;
    return all ? hops.get(hops.size() - 1) : Hop.UNKNOWN;
  }

  /** The last elements of a comma-separated header, the rightmost first. */
  private static List<String> last(List<String> lines) {
    List<String> elements = new ArrayList<>();
    for (int i = lines.size() - 1; i >= 0; i--) {
      String line = lines.get(i);
      int end = line.length();
      while (end >= 0 && elements.size() < MAX_HOPS) {
        int comma = line.lastIndexOf(',', end - 1);
        elements.add(CredentialExtractor.trim(line.substring(comma + 1, end)));
        end = comma;
      }
    }
    return elements;
  }

  private static Hop element(String element) {
    Map<String, String> pairs = new HashMap<>();
    for (String text : element.split(";")) {
      Matcher pair = PAIR.matcher(CredentialExtractor.trim(text));
      if (!pair.matches()) {
        return Hop.UNKNOWN;
      }
      String value = pair.group(2) != null ? pair.group(2) : pair.group(3);
      if (pairs.put(pair.group(1).toLowerCase(Locale.ROOT), value) != null) {
        return Hop.UNKNOWN;
      }
    }
    String address = pairs.get("for");
    return new Hop(
        address == null ? null : withoutPort(address),
        "https".equalsIgnoreCase(pairs.get("proto")));
  }

  private static String withoutPort(String address) {
    Matcher written = WITH_PORT.matcher(address);
    if (!written.matches()) {
      return address;
    }
    return written.group(1) != null ? written.group(1) : written.group(2);
  }

  private static @Nullable String withoutZone(@Nullable String address) {
    if (address == null) {
      return null;
    }
    int zone = address.indexOf('%');
    return zone < 0 ? address : address.substring(0, zone);
  }

  private static boolean isAnyIn(Function<String, List<String>> headers, List<String> names) {
    for (String name : names) {
      if (!headers.apply(name).isEmpty()) {
        return true;
      }
    }
    return false;
  }
}
