package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworksTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8,           10.255.0.1,             true",
    "10.0.0.0/8,           11.0.0.1,               false",
    "10.1.2.3,             10.1.2.3,               true",
    "10.1.2.3,             10.1.2.4,               false",
    "10.1.2.3/32,          10.1.2.3,               true",
    "0.0.0.0/0,            255.255.255.255,        true",
    "0.0.0.0/0,            2001:db8::1,            false",
    "::/0,                 2001:db8::1,            true",
    "::/0,                 10.1.2.3,               false",
    "::/0,                 ::ffff:10.1.2.3,        false",
    "::/0,                 ::1.2.3.4,              true",
    "::ffff:0:0/96,        1.2.3.4,                true",
    "::ffff:10.0.0.0/104,  10.1.2.3,               true",
    "::ffff:10.0.0.0/104,  11.1.2.3,               false",
    "10.0.0.0/8,           ::ffff:10.1.2.3,        true",
    "10.0.0.0/8,           ::ffff:a01:203,         true",
    "2001:db8::/32,        2001:db8:ffff::1,       true",
    "2001:DB8::/32,        2001:0db8::1,           true",
    "2001:db8::/32,        2001:db9::1,            false",
    "2001:db8::/64,        2001:db8:0:0:1::,       true",
    "2001:db8::/64,        2001:db8:0:1::,         false",
    "2001:db8::/65,        2001:db8::7fff:0:0:0,   true",
    "2001:db8::/65,        2001:db8::8000:0:0:0,   false",
    "::1,                  0:0:0:0:0:0:0:1,        true",
    "1:2:3:4:5:6:7:8/128,  1:2:3:4:5:6:7:8,        true",
    "64:ff9b::/96,         64:ff9b::192.0.2.33,    true"
  })
  void contains(String network, String address, boolean contained) {
    Networks networks = Networks.of(List.of(Networks.requireNetwork(network)));

    assertThat(IpAddress.parse(address)).isNotNull();
    assertThat(networks.permit(Origin.of(address))).isEqualTo(contained);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0 /8",
        "10.0.0.0/8 ",
        "10.0.0.0/255.0.0.0",
        "10/8",
        "10.0.0/24",
        "10.1.2.3/8",
        "0.0.0.1/0",
        "::1/0",
        "::/129",
        "2001:db8::1/32",
        "::ffff:0:0/95",
        "::ffff:10.0.0.0/8",
        "fe80::%eth0/64",
        "[::1]/128",
        "localhost",
        "localhost/32",
        "example.com",
        "10.0.0.0/99999999999",
        "*"
      })
  void texts_that_are_no_network_are_refused_and_contain_nothing(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Networks.requireNetwork(text));
    Networks networks = Networks.of(List.of(text));
    for (String address : List.of("10.0.0.0", "10.1.2.3", "::1", "127.0.0.1")) {
      assertThat(networks.permit(Origin.of(address))).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "1",
        "1.2",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.256",
        "1.2.3.04",
        "010.0.0.1",
        "0x0a.0.0.1",
        "0xa000001",
        "167772161",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4:80",
        "1.2.3.+4",
        "1.2.3.-4",
        "١.2.3.4",
        "1.2.3.4%1",
        ":",
        ":::",
        "::::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        ":1:2:3",
        "1:2:3:",
        "12345::",
        "g::",
        "-1::",
        "+1::",
        "0x1::",
        "fe80::1%eth0",
        "fe80::1%1",
        "[::1]",
        "[::1]:80",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.04",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:1.2.3.4:1",
        "::１",
        "localhost",
        "example.com",
        "a.b.c.d",
        "dead.beef",
        "ip6-localhost",
        "1.2.3.4\n",
        "1.2.3.4\0"
      })
  void texts_that_are_no_address_are_in_no_list(String text) {
    assertThat(IpAddress.parse(text)).isNull();
    assertThat(Networks.of(List.of("0.0.0.0/0", "::/0")).permit(Origin.of(text))).isFalse();
    assertThat(Networks.of(List.of()).permit(Origin.of(text))).isTrue();
  }

  @Test
  void an_unknown_address_is_in_no_list() {
    Networks all = Networks.of(List.of("0.0.0.0/0", "::/0"));

    assertThat(all.permit(Origin.unknown())).isFalse();
    assertThatNullPointerException()
        .isThrownBy(() -> Origin.of((String) null))
        .withMessage("address");
    assertThatNullPointerException()
        .isThrownBy(() -> Origin.of((InetAddress) null))
        .withMessage("address");
  }

  @Test
  void address_objects_are_read_too() throws UnknownHostException {
    InetAddress ipv4 = InetAddress.getByAddress(new byte[] {10, 1, 2, 3});
    byte[] bytes = new byte[16];
    bytes[0] = 0x20;
    bytes[15] = 1;
    InetAddress ipv6 = InetAddress.getByAddress(bytes);

    assertThat(IpAddress.of(ipv4)).isEqualTo(IpAddress.parse("10.1.2.3"));
    assertThat(IpAddress.of(ipv6)).isEqualTo(IpAddress.parse("2000::1"));
    assertThat(Networks.of(List.of("10.0.0.0/8")).permit(Origin.of(ipv4))).isTrue();
  }

  @Test
  void origins_keep_what_was_said() {
    Origin origin = Origin.of("10.1.2.3");

    assertThat(origin.transport()).isEqualTo(Origin.Transport.NOT_STATED);
    assertThat(origin.secure(true).transport()).isEqualTo(Origin.Transport.SECURE);
    assertThat(origin.secure(false).transport()).isEqualTo(Origin.Transport.CLEAR);
    assertThat(origin.caller("billing").callerName()).isEqualTo("billing");
    assertThat(origin.callerName()).isNull();
    assertThat(origin.secure(true).caller("x\r\ny"))
        .hasToString("Origin[10.1.2.3, SECURE, caller stated]");
    assertThat(Origin.of("2001:db8::1")).hasToString("Origin[2001:db8:0:0:0:0:0:1, NOT_STATED]");
    assertThat(Origin.of("x\r\ny")).hasToString("Origin[unknown address, NOT_STATED]");
  }
}
