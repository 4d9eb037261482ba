package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Decision;
import io.keystile.limit.Decision.Standing;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.util.List;
import java.util.Objects;

/** What tests of limits ask: how often a key is let in, and what it is told. */
final class Uses {
  private Uses() {}

  /** How many of so many requests are let in; the others are refused for the limits of the key. */
  static int accepted(ApiKeys node, String token, int requests) {
    int accepted = 0;
    for (int i = 0; i < requests; i++) {
      String verdict = Nodes.verdict(node, token);
      assertThat(verdict).isIn("ACCEPTED", "LIMIT_EXCEEDED");
      accepted += verdict.equals("ACCEPTED") ? 1 : 0;
    }
    return accepted;
  }

  static int accepted(ApiKeys node, IssuedKey key, int requests) {
    return accepted(node, key.revealToken(), requests);
  }

  /** What a request that is refused for the limits of its key is told. */
  static Decision refusal(ApiKeys node, String token) {
    return refusal(node.validate(token, Nodes.ANY, Nodes.HERE));
  }

  static Decision refusal(Validation validation) {
    assertThat(Nodes.verdict(validation)).isEqualTo("LIMIT_EXCEEDED");
    return Objects.requireNonNull(((Rejected) validation).limits());
  }

  /** How the windows of a key stand, without a request of it being counted. */
  static Decision limits(ApiKeys node, String token) {
    Validation dry = node.peek(token, Nodes.ANY, Nodes.HERE);
    return dry instanceof Accepted accepted ? accepted.limits() : refusal(dry);
  }

  /** What is counted in the first window of a key. */
  static long used(ApiKeys node, IssuedKey key) {
    return limits(node, key.revealToken()).windows().get(0).used();
  }

  static List<Window> windows(ApiKeys node, IssuedKey key) {
    return limits(node, key.revealToken()).windows().stream().map(Standing::window).toList();
  }

  /** A plan with a few requests a minute: small enough to be exact. */
  static Plan perMinute(String name, int requests) {
    return Plan.of(name, Window.perMinute(requests));
  }

  /** The token with a secret that the key does not have. */
  static String withWrongSecret(String token) {
    String body = token.substring(0, token.length() - Base62.CRC_LENGTH - 1);
    char last = token.charAt(token.length() - Base62.CRC_LENGTH - 1);
    return Tokens.withChecksum(body + (last == '0' ? '1' : '0'));
  }
}
