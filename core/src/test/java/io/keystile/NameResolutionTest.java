package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** No name is ever resolved: the classes that read addresses do not refer to what could. */
class NameResolutionTest {

  private static final List<String> RESOLVING =
      List.of(
          "getByName",
          "getAllByName",
          "getLocalHost",
          "getHostName",
          "getCanonicalHostName",
          "isReachable",
          "java/net/InetSocketAddress",
          "java/net/URL",
          "javax/naming");

  @Test
  void nothing_that_reads_addresses_can_resolve() throws Exception {
    for (Class<?> type :
        List.of(
            IpAddress.class,
            Origin.class,
            Networks.class,
            Class.forName("io.keystile.Networks$Network", false, loader()))) {
      assertThat(found(type)).as(type.getName()).isEmpty();
    }
  }

  @Test
  void a_class_that_resolves_is_caught() throws IOException {
    assertThat(found(Resolving.class)).containsExactly("getByName");
  }

  private static List<String> found(Class<?> type) throws IOException {
    String file = type.getName().replace('.', '/') + ".class";
    try (InputStream in = loader().getResourceAsStream(file)) {
      String constants = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      return RESOLVING.stream().filter(constants::contains).toList();
    }
  }

  private static ClassLoader loader() {
    return NameResolutionTest.class.getClassLoader();
  }

  private static final class Resolving {
    InetAddress parse(String text) throws UnknownHostException {
      return InetAddress.getByName(text);
    }
  }
}
