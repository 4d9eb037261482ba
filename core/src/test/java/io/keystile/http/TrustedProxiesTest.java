package io.keystile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.keystile.Internals;
import io.keystile.Origin;
import io.keystile.Seed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrustedProxiesTest {

  private static final TrustedProxies PROXIES = TrustedProxies.of("10.0.0.0/8", "fd00::/8");
  private static final String PROXY = "10.0.0.1";
  private static final int CHAINS = 10_000;

  private static Origin origin(TrustedProxies proxies, SampleRequest request) {
    return proxies.origin(request, SampleRequest.GETTER);
  }

  private static Origin origin(SampleRequest request) {
    return origin(PROXIES, request);
  }

  private static @Nullable String address(SampleRequest request) {
    return Internals.address(origin(request));
  }

  /** Headers are written as {@code name=value}, parted by {@code |}. */
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      nullValues = "-",
      value = {
        // peer, TLS here, headers, address, secure
        "192.0.2.1, true,  -, 192.0.2.1, true",
        "192.0.2.1, false, -, 192.0.2.1, false",
        "192.0.2.1, true,  X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=http,  192.0.2.1, true",
        "192.0.2.1, false, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, 192.0.2.1, false",
        "192.0.2.1, false, Forwarded=for=1.1.1.1;proto=https, 192.0.2.1, false",
        "-,         true,  -, -, true",
        "-,         false, -, -, false",
        "-,         false, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, -, false",
        // loopback
        "127.0.0.1, false, -, 127.0.0.1, true",
        "127.9.9.9, false, -, 127.9.9.9, true",
        "::1,       false, -, 0:0:0:0:0:0:0:1, true",
        "0:0:0:0:0:0:0:1%lo, false, -, 0:0:0:0:0:0:0:1, true",
        "::ffff:127.0.0.1, false, -, 127.0.0.1, true",
        "127.0.0.1, true,  -, 127.0.0.1, true",
        "127.0.0.1, true,  X-Forwarded-Proto=http, 127.0.0.1, true",
        "127.0.0.1, false, X-Forwarded-Proto=https, 127.0.0.1, false",
        "127.0.0.1, false, X-Forwarded-For=127.0.0.1, 127.0.0.1, false",
        "127.0.0.1, false, X-Forwarded-Host=example.com, 127.0.0.1, false",
        "127.0.0.1, false, x-forwarded-port=443, 127.0.0.1, false",
        "127.0.0.1, false, Forwarded=for=127.0.0.1;proto=https, 127.0.0.1, false",
        "localhost, false, -, -, false",
        // a listed proxy
        "10.0.0.1, false, -, 10.0.0.1, false",
        "10.0.0.1, true,  -, 10.0.0.1, true",
        "fd00::1%eth0, true, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, 1.1.1.1, true",
        "10.0.0.1, false, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, 1.1.1.1, true",
        "10.0.0.1, false, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=HTTPS, 1.1.1.1, true",
        "10.0.0.1, false, X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=http, 1.1.1.1, false",
        "10.0.0.1, true,  X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=http, 1.1.1.1, false",
        "10.0.0.1, true,  X-Forwarded-For=1.1.1.1, 1.1.1.1, false",
        "10.0.0.1, false, X-Forwarded-Proto=https, -, true",
        "10.0.0.1, true,  X-Forwarded-Host=example.com, -, false",
        "10.0.0.1, false, `X-Forwarded-Proto=https, https`, -, true",
        "10.0.0.1, false, `X-Forwarded-Proto=https, http`, -, false",
        "10.0.0.1, false, `X-Forwarded-Proto=http, https`, -, false",
        "10.0.0.1, false, X-Forwarded-Proto=https|X-Forwarded-Proto=http, -, false",
        "10.0.0.1, false, X-Forwarded-Proto=https|X-Forwarded-Proto=https, -, true",
        "10.0.0.1, false, X-Forwarded-Proto=httpsx, -, false",
        "10.0.0.1, false, X-Forwarded-Proto=, -, false",
        // addresses
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, 1.1.1.1`, 1.1.1.1, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, 1.1.1.1, 10.2.3.4`, 1.1.1.1, false",
        "10.0.0.1, true, X-Forwarded-For=9.9.9.9|X-Forwarded-For=1.1.1.1, 1.1.1.1, false",
        "10.0.0.1, true, `X-Forwarded-For=10.3.3.3, 10.2.3.4`, 10.3.3.3, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, `, -, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, unknown`, -, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, localhost`, -, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, 010.0.0.1`, -, false",
        "10.0.0.1, true, `X-Forwarded-For=9.9.9.9, unknown, 10.1.1.1`, -, false",
        "10.0.0.1, true, X-Forwarded-For=1.1.1.1:8080, 1.1.1.1, false",
        "10.0.0.1, true, X-Forwarded-For=1.1.1.1:808080, -, false",
        "10.0.0.1, true, X-Forwarded-For=2001:db8::1, 2001:db8:0:0:0:0:0:1, false",
        "10.0.0.1, true, X-Forwarded-For=[2001:db8::1], 2001:db8:0:0:0:0:0:1, false",
        "10.0.0.1, true, X-Forwarded-For=[2001:db8::1]:443, 2001:db8:0:0:0:0:0:1, false",
        "10.0.0.1, true, X-Forwarded-For=[1.1.1.1], -, false",
        "10.0.0.1, true, X-Forwarded-For=::ffff:10.1.1.1, 10.1.1.1, false",
        "10.0.0.1, true, X-Forwarded-For=, -, false",
        // the standard header
        "10.0.0.1, false, Forwarded=for=1.1.1.1;proto=https, 1.1.1.1, true",
        "10.0.0.1, false, Forwarded=For=1.1.1.1;Proto=HTTPS;by=_x;host=h, 1.1.1.1, true",
        "10.0.0.1, true,  Forwarded=for=1.1.1.1;proto=http, 1.1.1.1, false",
        "10.0.0.1, true,  Forwarded=for=1.1.1.1, 1.1.1.1, false",
        "10.0.0.1, true,  Forwarded=proto=https, -, true",
        "10.0.0.1, true,  Forwarded=, -, false",
        "10.0.0.1, true,  Forwarded=for=\"[2001:db8::1]:80\";proto=https, 2001:db8:0:0:0:0:0:1, true",
        "10.0.0.1, true,  Forwarded=for=\"1.1.1.1:80\" ; proto=\"https\", 1.1.1.1, true",
        "10.0.0.1, true, `Forwarded=for=9.9.9.9;proto=http, for=1.1.1.1;proto=https`, 1.1.1.1, true",
        "10.0.0.1, true, `Forwarded=for=9.9.9.9;proto=https, for=1.1.1.1;proto=http`, 1.1.1.1, false",
        "10.0.0.1, true, `Forwarded=for=1.1.1.1;proto=https, for=10.2.2.2;proto=http`, 1.1.1.1, true",
        "10.0.0.1, true, `Forwarded=for=\"9.9.9.9, for=1.1.1.1;proto=https`, 1.1.1.1, true",
        "10.0.0.1, true, `Forwarded=for=1.1.1.1;host=\"a, for=9.9.9.9;proto=https\"`, -, false",
        "10.0.0.1, true, `Forwarded=for=1.1.1.1;host=\"a, for=9.9.9.9;x=\"`, -, false",
        "10.0.0.1, true,  Forwarded=for=1.1.1.1;for=9.9.9.9;proto=https, -, false",
        "10.0.0.1, true,  Forwarded=for=unknown;proto=https, -, true",
        "10.0.0.1, true,  Forwarded=for=_hidden;proto=https, -, true",
        "10.0.0.1, true,  Forwarded=for;proto=https, -, false",
        "10.0.0.1, true,  Forwarded=for=\"1.1.1.1\\\";proto=https, -, false",
        // both kinds
        "10.0.0.1, true, Forwarded=for=1.1.1.1;proto=https|X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, 1.1.1.1, true",
        "10.0.0.1, true, Forwarded=for=9.9.9.9;proto=https|X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, -, true",
        "10.0.0.1, true, Forwarded=for=1.1.1.1;proto=https|X-Forwarded-For=1.1.1.1, 1.1.1.1, false",
        "10.0.0.1, true, Forwarded=for=1.1.1.1|X-Forwarded-For=1.1.1.1|X-Forwarded-Proto=https, 1.1.1.1, false",
        "10.0.0.1, true, Forwarded=for=1.1.1.1;proto=https|X-Forwarded-Proto=https, -, true"
      })
  void believes_what_it_may(
      @Nullable String peer,
      boolean tls,
      @Nullable String headers,
      @Nullable String address,
      boolean secure) {
    SampleRequest request = SampleRequest.EMPTY.peer(peer).secure(tls);
    for (String header : headers == null ? new String[0] : headers.split("\\|")) {
      int equals = header.indexOf('=');
      request = request.header(header.substring(0, equals), header.substring(equals + 1));
    }

    Origin origin = origin(request);

    assertThat(Internals.address(origin)).isEqualTo(address);
    assertThat(Internals.isSecure(origin)).isEqualTo(secure);
    assertThat(Internals.isClear(origin)).isEqualTo(!secure);
  }

  @Test
  void without_a_list_nothing_forwarded_is_believed() {
    SampleRequest request =
        SampleRequest.EMPTY
            .peer(PROXY)
            .secure(false)
            .header("X-Forwarded-For", "1.1.1.1")
            .header("X-Forwarded-Proto", "https");

    Origin origin = origin(TrustedProxies.none(), request);

    assertThat(Internals.address(origin)).isEqualTo(PROXY);
    assertThat(Internals.isClear(origin)).isTrue();
  }

  @Test
  void loopback_may_be_a_listed_proxy() {
    TrustedProxies local = TrustedProxies.of("127.0.0.1");
    SampleRequest request = SampleRequest.EMPTY.peer("127.0.0.1").secure(false);
    SampleRequest forwarded = request.header("X-Forwarded-For", "1.1.1.1");

    assertThat(Internals.isClear(origin(local, request))).isTrue();
    assertThat(Internals.address(origin(local, request))).isNull();
    assertThat(Internals.isSecure(origin(local, request.secure(true)))).isTrue();
    assertThat(Internals.address(origin(local, request.secure(true)))).isNull();
    assertThat(Internals.isClear(origin(local, forwarded))).isTrue();
    assertThat(Internals.isSecure(origin(local, forwarded.header("X-Forwarded-Proto", "https"))))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-Real-IP",
        "Via",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Envoy-External-Address",
        "X-Original-Forwarded-For"
      })
  void a_header_of_a_proxy_ends_the_exemption_of_loopback(String header) {
    SampleRequest request =
        SampleRequest.EMPTY.peer("127.0.0.1").secure(false).header(header, "1.1.1.1");

    Origin unlisted = origin(request);
    Origin listed = origin(TrustedProxies.of("127.0.0.1"), request);

    assertThat(Internals.isClear(unlisted)).isTrue();
    assertThat(Internals.address(unlisted)).isEqualTo("127.0.0.1");
    assertThat(Internals.isClear(listed)).isTrue();
    assertThat(Internals.address(listed)).isNull();
  }

  @Test
  void takes_a_null_value_for_an_empty_one() {
    SampleRequest request = SampleRequest.EMPTY.peer(PROXY).header("X-Forwarded-For", "1.1.1.1");

    Origin origin = PROXIES.origin(request, SampleRequest.withNullsAround());

    assertThat(Internals.address(origin)).isNull();
    assertThat(Internals.caller(origin)).isNull();
    assertThat(Internals.isClear(origin)).isTrue();
  }

  @Test
  void a_client_is_found_behind_31_listed_proxies_and_not_behind_32() {
    String client = "1.1.1.1, ";
    String behind31 = client + String.join(",", Collections.nCopies(31, "10.1.1.1"));
    String behind32 = client + String.join(",", Collections.nCopies(32, "10.1.1.1"));
    SampleRequest request = SampleRequest.EMPTY.peer(PROXY);

    assertThat(address(request.header("X-Forwarded-For", behind31))).isEqualTo("1.1.1.1");
    assertThat(address(request.header("X-Forwarded-For", behind32))).isNull();
    assertThat(
            address(
                request.header(
                    "Forwarded",
                    behind32.replace("1.1.1.1", "for=1.1.1.1").replace("10.", "for=10."))))
        .isNull();
  }

  @Test
  void forged_entries_change_nothing_in_10_000_chains() {
    SplittableRandom random = Seed.of("TrustedProxiesTest");
    int wrong = 0;
    int wrongFromTheLeft = 0;
    int forged = 0;
    for (int i = 0; i < CHAINS; i++) {
      Chain chain = Chain.random(random);
      forged += chain.forged();
      String expected = Internals.address(Origin.of(chain.client()));
      assertThat(expected).isNotNull();

      SampleRequest request = chain.spread(SampleRequest.EMPTY.peer(PROXY), random);
      wrong += expected.equals(address(request)) ? 0 : 1;
      String leftmost = Internals.address(Origin.of(leftmost(chain.hops())));
      wrongFromTheLeft += expected.equals(leftmost) ? 0 : 1;
    }
    System.out.printf(
        "%,d chains with %,d forged entries: %d wrong; a reader from the left: %,d wrong%n",
        CHAINS, forged, wrong, wrongFromTheLeft);
    assertThat(wrong).isZero();
    assertThat(wrongFromTheLeft).isGreaterThan(CHAINS / 2);
  }

  @Test
  void forged_entries_change_nothing_in_10_000_standard_chains() {
    SplittableRandom random = Seed.of("TrustedProxiesTest");
    int wrong = 0;
    for (int i = 0; i < CHAINS; i++) {
      Chain chain = Chain.random(random);
      List<String> elements = new ArrayList<>();
      for (int hop = 0; hop < chain.hops().size(); hop++) {
        String text = chain.hops().get(hop);
        boolean isForged = hop < chain.forged();
        elements.add(
            isForged && random.nextBoolean()
                ? text
                : "for=\"%s\";proto=%s"
                    .formatted(
                        text.indexOf(':') != text.lastIndexOf(':') && !text.startsWith("[")
                            ? "[" + text + "]"
                            : text,
                        hop == chain.forged() ? "https" : "http"));
      }
      SampleRequest request =
          SampleRequest.EMPTY.peer(PROXY).header("Forwarded", String.join(", ", elements));

      Origin origin = origin(request);

      String expected = Internals.address(Origin.of(chain.client()));
      boolean right =
          expected != null
              && expected.equals(Internals.address(origin))
              && Internals.isSecure(origin);
      wrong += right ? 0 : 1;
    }
    System.out.printf("%,d chains of the standard header: %d wrong%n", CHAINS, wrong);
    assertThat(wrong).isZero();
  }

  /** What is often written: it believes the client. */
  private static String leftmost(List<String> hops) {
    return hops.get(0);
  }

  /**
   * The hops of a request: forged ones from the left, then the client, then listed proxies.
   *
   * @param client without a port
   */
  private record Chain(List<String> hops, int forged, String client) {

    private static final List<String> FORGERIES =
        List.of(
            "10.0.0.9",
            "fd00::9",
            "127.0.0.1",
            "::1",
            "unknown",
            "",
            "\"",
            "for=\"",
            "for=10.0.0.1;proto=https;x=\"",
            "[::1",
            "999.1.1.1",
            "a\r\nX-Forwarded-For: 10.0.0.1",
            "\u001b[31m",
            "${jndi:ldap://x}",
            "x".repeat(5_000));

    static Chain random(SplittableRandom random) {
      List<String> hops = new ArrayList<>();
      int forged = random.nextInt(1, 40);
      for (int i = 0; i < forged; i++) {
        hops.add(
            random.nextBoolean()
                ? outside(random)
                : FORGERIES.get(random.nextInt(FORGERIES.size())));
      }
      String client = outside(random);
      boolean ipv6 = client.indexOf(':') >= 0;
      String bracketed = ipv6 ? "[" + client + "]" : client;
      hops.add(random.nextBoolean() ? client : bracketed + ":" + random.nextInt(1, 65_536));
      for (int i = random.nextInt(9); i > 0; i--) {
        hops.add(
            random.nextBoolean()
                ? "10.%d.0.%d".formatted(random.nextInt(256), random.nextInt(256))
                : "fd00::%x".formatted(random.nextInt(65_536)));
      }
      return new Chain(hops, forged, client);
    }

    private static String outside(SplittableRandom random) {
      return random.nextBoolean()
          ? "%d.%d.%d.%d"
              .formatted(
                  random.nextInt(11, 224),
                  random.nextInt(256),
                  random.nextInt(256),
                  random.nextInt(256))
          : "2001:db8::%x:%x".formatted(random.nextInt(65_536), random.nextInt(65_536));
    }

    /** Some proxies append to the line, others add one. */
    SampleRequest spread(SampleRequest request, SplittableRandom random) {
      SampleRequest spread = request;
      StringBuilder line = new StringBuilder(hops.get(0));
      for (String hop : hops.subList(1, hops.size())) {
        if (random.nextInt(4) == 0) {
          spread = spread.header("X-Forwarded-For", line.toString());
          line = new StringBuilder(hop);
        } else {
          line.append(random.nextBoolean() ? ", " : "\t,").append(hop);
        }
      }
      return spread.header("X-Forwarded-For", line.toString());
    }
  }

  @Test
  void takes_the_caller_from_exactly_one_line() {
    SampleRequest one = SampleRequest.EMPTY.header("x-service-name", " billing\t");

    assertThat(Internals.caller(origin(SampleRequest.EMPTY))).isNull();
    assertThat(Internals.caller(origin(one))).isEqualTo("billing");
    assertThat(Internals.caller(origin(one.header("X-Service-Name", "billing")))).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Origin", "Sec-Fetch-Site", "sec-fetch-mode", "Sec-Fetch-Dest"})
  void knows_a_browser_by_its_headers(String header) {
    assertThat(Internals.isBrowser(origin(SampleRequest.EMPTY))).isFalse();
    assertThat(Internals.isBrowser(origin(SampleRequest.EMPTY.header(header, "null")))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "proxy.example.com", "10.0.0.1/8", "10.0.0.0/33", "10.0.0"})
  void refuses_what_is_no_network(String network) {
    assertThatIllegalArgumentException().isThrownBy(() -> TrustedProxies.of("10.0.0.0/8", network));
  }
}
